//! The commands beside `serve`: their exit codes, and a journal that holds no name, no number and no free text.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::county;
use crate::gateway::{DUTY, KEEPER, Setup, WATER, World, both, within};
use crate::warning::{COUNTY, Warning};

#[tokio::test]
async fn check_lists_every_problem_at_once_and_a_good_configuration_has_none() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let good = gateway.run(&["check", "--config", "tocsin.toml"]).await;
    assert_eq!(good.status.code(), Some(0), "{}", both(&good));

    let text = std::fs::read_to_string(gateway.path("tocsin.toml")).expect("it was written");
    let bad = text
        .replace("id = \"duty\"", "id = \"duty room\"")
        .replace("scopes = [\"read\"]", "scopes = []")
        .replace("name = \"horn\"", "name = \"trumpet\"")
        .replace("burst 20\"\nretry = { first = \"200ms\", factor = 2, cap = \"1s\", attempts = 4 }\n[channel.settings]\nhost", "burst 2\"\nretry = { attempts = 0 }\n[channel.settings]\nhost")
        .replace("password = \"pass\"", "password = \"far too long\"");
    assert_ne!(bad, text);
    gateway.write("bad.toml", &bad);
    let found = gateway.run(&["check", "--config", "bad.toml"]).await;
    assert_eq!(found.status.code(), Some(1), "{}", both(&found));
    let said = both(&found);
    for problem in [
        "duty room",
        "scopes is empty",
        "\"horn\" is not configured",
        "burst",
        "retry.attempts",
        "password",
    ] {
        assert!(said.contains(problem), "{problem} is not among {said}");
    }
    assert!(!said.contains("far too long"), "a password is not repeated");
    let missing = gateway.run(&["check", "--config", "nowhere.toml"]).await;
    assert_eq!(missing.status.code(), Some(2), "{}", both(&missing));
    let unknown = gateway.run(&["check", "--colour"]).await;
    assert_eq!(unknown.status.code(), Some(2));
}

#[tokio::test]
async fn a_command_whose_reader_has_left_ends_with_its_own_verdict() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let text = std::fs::read_to_string(gateway.path("tocsin.toml")).expect("it was written");
    gateway.write(
        "bad.toml",
        &text.replace("scopes = [\"read\"]", "scopes = []"),
    );
    let commands: [(&[&str], i32); 5] = [
        (&["check", "--config", "tocsin.toml"], 0),
        (&["check", "--config", "bad.toml"], 1),
        (&["token"], 0),
        (&["journal", "dump"], 0),
        (&["journal", "verify"], 0),
    ];
    for (args, wanted) in commands {
        let ended = gateway.run_unheard(args).await;
        assert_eq!(
            ended.status.code(),
            Some(wanted),
            "{args:?}: {}",
            both(&ended)
        );
        assert!(
            !both(&ended).contains("panicked"),
            "{args:?}: {}",
            both(&ended)
        );
    }
}

#[tokio::test]
async fn submit_tells_by_its_exit_code_what_became_of_a_file() {
    let mut world = World::start(Setup::default()).await;
    let gateway = &mut world.gateway;
    gateway.write("red.xml", &Warning::red("a-1", &[COUNTY]).xml());
    gateway.write("broken.xml", "<alert/>");
    let base = gateway.base.clone();
    let submit = async |gateway: &crate::gateway::Gateway, file: &str, token: &str| {
        gateway
            .run(&["submit", file, "--to", &base, "--token", token])
            .await
    };
    let done = submit(gateway, "red.xml", WATER).await;
    assert_eq!(done.status.code(), Some(0), "{}", both(&done));
    let answer: Value = serde_json::from_slice(&done.stdout).expect("the gateway's answer");
    assert_eq!(answer["id"], 1);
    let moved = gateway
        .run(&[
            "submit", "red.xml", "--to", &base, "--token", WATER, "--now",
        ])
        .await;
    assert_eq!(moved.status.code(), Some(0), "{}", both(&moved));
    for (file, token, code) in [
        ("broken.xml", WATER, 1),
        ("red.xml", DUTY, 1),
        ("red.xml", "token-of-nobody", 1),
        ("nowhere.xml", WATER, 2),
    ] {
        let ended = submit(gateway, file, token).await;
        assert_eq!(ended.status.code(), Some(code), "{file}: {}", both(&ended));
        assert!(!ended.stderr.is_empty(), "{file}: why");
    }
    gateway.terminate().await;
    let away = submit(gateway, "red.xml", WATER).await;
    assert_eq!(away.status.code(), Some(3), "{}", both(&away));
}

#[tokio::test]
async fn import_takes_all_or_nothing() {
    let mut world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let mut files = county::small();
    let households = files.get_mut("households").expect("a file");
    *households += "15,510727102299,1,合成户戊一,home,\n16,510727102202,x,合成户戊二,home,\n";
    for (name, text) in &files {
        gateway.write(&format!("bad/{name}.csv"), text);
    }
    let to = |folder, more: &'static [&str]| {
        let args = ["import", folder, "--to", &gateway.base, "--token", KEEPER];
        [&args[..], more].concat()
    };
    let here = gateway.run(&["import", "bad", "--dry-run"]).await;
    let there = gateway.run(&to("bad", &[])).await;
    for refused in [here, there] {
        assert_eq!(refused.status.code(), Some(2), "{}", both(&refused));
        let told = both(&refused);
        for place in [
            "households, line 16, column village",
            "households, line 17, column group",
        ] {
            assert!(told.contains(place), "{place} is not in {told}");
        }
        assert!(
            !told.contains("合成户"),
            "a problem names its place, not what stood there"
        );
    }
    let dry = gateway.run(&["import", "registry", "--dry-run"]).await;
    assert_eq!(dry.status.code(), Some(0), "{}", both(&dry));
    let beside = gateway.run(&["import", "registry"]).await;
    assert_eq!(beside.status.code(), Some(3), "{}", both(&beside));
    assert!(both(&beside).contains("--to"), "{}", both(&beside));
    let mut files = county::small();
    let households = files.get_mut("households").expect("a file");
    *households += "15,510727102202,1,合成户己一,home,\n";
    for (name, text) in &files {
        gateway.write(&format!("more/{name}.csv"), text);
    }
    let more = gateway.run(&to("more", &[])).await;
    assert!(both(&more).contains("\"generation\":2"), "{}", both(&more));
    let again = both(&gateway.run(&to("more", &[])).await);
    for kept in ["\"generation\":2", "\"repeated\":true"] {
        assert!(again.contains(kept), "{again}");
    }
    world.gateway.terminate().await;
    let stopped = world.gateway.run(&["import", "registry"]).await;
    assert!(
        both(&stopped).contains("generation 3"),
        "{}",
        both(&stopped)
    );
}

#[tokio::test]
async fn a_new_token_opens_the_door_that_its_hash_was_entered_for() {
    let mut world = World::start(Setup::default()).await;
    let made = world.gateway.run(&["token"]).await;
    assert!(made.status.success());
    let text = both(&made);
    let token = text
        .split_whitespace()
        .find(|word| word.starts_with("tocsin_"))
        .expect("a token")
        .to_owned();
    let hash = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("token_sha256 = "))
        .expect("its hash")
        .to_owned();
    let config =
        std::fs::read_to_string(world.gateway.path("tocsin.toml")).expect("it was written");
    let entry = format!(
        "[[bureau]]\nid = \"new\"\nname = \"new\"\nsignature = \"new\"\ntoken_sha256 = {hash}\nscopes = [\"read\"]\nregions = [\"510727\"]\n\n[[channel]]\nname = \"sms\""
    );
    world.gateway.write(
        "tocsin.toml",
        &config.replacen("[[channel]]\nname = \"sms\"", &entry, 1),
    );
    world.gateway.terminate().await;
    world.gateway.start().await;
    let answer = world.gateway.call("GET", "/v1/alerts", &token, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The one event of a line: its name and what it says.
fn event(line: &Value) -> (String, &Value) {
    match &line["event"] {
        Value::String(name) => (name.clone(), &Value::Null),
        Value::Object(one) => {
            let (name, more) = one.iter().next().expect("an event has its name");
            (name.clone(), more)
        }
        other => panic!("no event: {other}"),
    }
}

#[tokio::test]
async fn the_journal_is_gapless_and_shows_the_walk_of_an_alert() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    gateway.ended(alert).await;
    // It is read beside the running gateway.
    let lines = gateway.journal().await;
    let mut seq = 0;
    let mut streams: BTreeMap<u64, u64> = BTreeMap::new();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let number = |key: &str| line[key].as_u64().expect("a number");
        if number("seq") != seq {
            assert_eq!(number("seq"), seq + 1, "no record is missing: {line}");
            let held = streams.entry(number("stream")).or_default();
            assert_eq!(
                number("stream_seq"),
                *held + 1,
                "no record of its stream is missing: {line}"
            );
            (*held, seq) = (number("stream_seq"), seq + 1);
        }
        let (name, more) = event(line);
        // A speaker may say that it plays before its order is settled; a text has no receipt before its reference.
        let followed = more.get("channel").is_none_or(|channel| channel == "sms");
        if number("stream") == alert && followed {
            first.entry(name).or_insert(at);
        }
    }
    let walk = [
        "accepted", "released", "block", "handed", "settled", "receipt",
    ];
    let places: Vec<usize> = walk
        .iter()
        .map(|name| {
            *first
                .get(*name)
                .unwrap_or_else(|| panic!("no {name} in {first:?}"))
        })
        .collect();
    assert!(places.is_sorted(), "{walk:?} stand at {places:?}");
    assert_eq!(event(&lines[0]).0, "took");
    let house = gateway
        .run(&["journal", "dump", "--json", "--stream", "0"])
        .await;
    let text = String::from_utf8(house.stdout).expect("UTF-8");
    assert!(
        text.lines()
            .all(|line| serde_json::from_str::<Value>(line).expect("JSON")["stream"] == json!(0))
    );
    let nowhere = gateway.run(&["journal", "dump", "--data", "nowhere"]).await;
    assert_eq!(nowhere.status.code(), Some(2));
}

#[tokio::test]
async fn no_name_and_no_number_is_in_the_journal_or_in_any_log() {
    let setup = Setup {
        log: "debug",
        ..Setup::default()
    };
    let secrets = county::secrets(&setup.files);
    let mut world = World::start(setup).await;
    let first = Warning::red("a-1", &[COUNTY]);
    let alert = world.gateway.submit(&first).await;
    world.gateway.ended(alert).await;
    world.smsc.down().await;
    let cancel = world.gateway.submit(&Warning::cancel("a-2", &first)).await;
    within("some of it is out by mail", async || {
        (world.mail.count() > 3).then_some(())
    })
    .await;
    world.gateway.kill().await;
    world.smsc.up().await;
    world.gateway.start().await;
    world.gateway.ended(cancel).await;
    let dump = world.gateway.run(&["journal", "dump", "--json"]).await;
    let plain = world.gateway.run(&["journal", "dump"]).await;
    world.gateway.terminate().await;
    let (dump, said) = (both(&dump) + &both(&plain), world.gateway.said());
    assert!(said.contains("DEBUG"), "the logs are as loud as asked");
    for secret in &secrets {
        for (what, text) in [("journal", &dump), ("log", &said)] {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{secret} is in the {what}");
        }
    }
    let texts = [
        "请立即转移",
        "沟口和低洼处",
        "Walk to high ground",
        WATER,
        "token-of",
    ];
    for text in texts {
        assert!(!dump.contains(text), "{text} is in the journal");
        assert!(!said.contains(text), "{text} is in the log");
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit = include_str!("../../docs/tocsin.service");
    let program = "/usr/local/bin/tocsin";
    assert!(unit.contains(&format!("ExecStart={program} serve")));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tocsin.service");
    let verify = |unit: &str| {
        // It looks for the program: here it is not installed.
        let unit = unit.replace(program, env!("CARGO_BIN_EXE_tocsin"));
        std::fs::write(&file, unit).expect("written");
        let mut command = std::process::Command::new("systemd-analyze");
        command.args(["verify", "--man=no"]).arg(&file);
        command
            .output()
            .expect("systemd-analyze is installed: ./test does that")
    };
    let said = verify(unit);
    assert!(
        said.status.success() && said.stderr.is_empty(),
        "{}",
        both(&said)
    );
    let wrong = verify(&unit.replace("Restart=always", "Restart=allways"));
    assert!(both(&wrong).contains("allways"), "{}", both(&wrong));
}

#[test]
fn a_compact_message_is_decoded_in_both_languages_and_a_wrong_proof_is_told() {
    use satellite::compact::{Alert, Area, Body, Compact, Instruction, Key};
    let sent = channel::Timestamp::from_secs(1_784_046_000);
    let alert = Alert {
        number: 412,
        event: "11B03".to_owned(),
        level: channel::Level::Red,
        instruction: Instruction::Evacuate,
        sent,
        onset: None,
        expires: sent.plus(std::time::Duration::from_hours(3)),
        areas: vec![Area::parse("510727217").expect("a town")],
        text: "快走。".to_owned(),
    };
    let drill = Compact {
        drill: true,
        body: Body::Alert(alert),
    };
    let bytes = drill.write(&Key::new("a key of the tests"), 78);
    let shown = hex::encode_upper(bytes.expect("it fits"));
    let folder = tempfile::tempdir().expect("a folder");
    let key = |name: &str, key: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, key).expect("written");
        path.display().to_string()
    };
    let (right, wrong) = (
        key("right", "a key of the tests\n"),
        key("wrong", "another key of others"),
    );
    let decode = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tocsin"));
        command.arg("decode").args(arguments);
        command.output().expect("it starts")
    };
    let said = decode(&["--key-file", &right, &shown[..20], &shown[20..]]);
    assert_eq!(said.status.code(), Some(0), "{}", both(&said));
    for words in [
        "【演练】第412号:暴雨",
        "红色预警,立即转移",
        "DRILL: no. 412",
        "leave now",
        "510727217",
        "快走。",
        "right 通过",
    ] {
        assert!(both(&said).contains(words), "{words}: {}", both(&said));
    }
    assert!(both(&decode(&[&shown])).contains("未验证"));
    let refused = decode(&["--key-file", &wrong, &shown]);
    assert_eq!(refused.status.code(), Some(1), "{}", both(&refused));
    for none in ["暴雨", "20", "4000000000"] {
        assert_eq!(decode(&[none]).status.code(), Some(2), "{none}");
    }
}
