//! Every way in which a configuration, a plan or a table can be wrong: the sentence, and that nothing of it is taken.

use std::fs;
use std::path::Path;

use super::{look, read};

const GOOD: &str = r#"[node]
data = "data"
listen = "127.0.0.1:0"
plans = "plans"
events = "events.csv"
carriers = "carriers.csv"
sounds = "sounds.csv"

[[bureau]]
id = "water"
name = "水利局"
signature = "水利"
token_sha256 = "355d50383cf9e621bd99f1c86cb9036bf012e62755f2ef652c38d60b302b247c"
scopes = ["submit"]
regions = ["510727"]

[[channel]]
name = "sms"
kind = "sms"
rate = "100/s burst 100"
[channel.retry]
first = "5s"
[channel.settings]
host = "127.0.0.1"
password = "not-told"
"#;
const PLAN: &str = "name = \"p\"\nlanguage = \"zh-CN\"\nlifetime = \"6h\"\n\
                    [[send]]\naudience = \"public\"\nchannels = [\"sms\"]\nreceipt_window = \"5m\"\n";
const EVENTS: &str = "code,zh,en_ours,levels,source\n11A51,山洪,Flash flood,,national\n";
const SOUNDS: &str =
    "event,level,tone,seconds,times,pause,open_zh,close_zh,open_en,close_en\n,red,siren,6,,,,,,\n";
const CARRIERS: &str = "prefix,carrier\n130,unicom\n";

fn write(folder: &Path) {
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    put("tocsin.toml", GOOD);
    fs::create_dir(folder.join("plans")).expect("made");
    put("plans/p.toml", PLAN);
    put("events.csv", EVENTS);
    put("carriers.csv", CARRIERS);
    put("sounds.csv", SOUNDS);
}

/// What is wrong: a file, what stands there, what stands there instead, and what is said.
const WRONG: [(&str, &str, &str, &str); 33] = [
    (
        "tocsin.toml",
        "[channel.retry]",
        "[channel.tests]\nevery_days = 7\n[channel.retry]",
        "channel \"sms\": tests are for satellite terminals",
    ),
    (
        "tocsin.toml",
        "plans = \"plans\"",
        "plan = \"plans\"",
        "line 4: unknown field `plan`, expected one of",
    ),
    (
        "tocsin.toml",
        "data = \"data\"\n",
        "",
        "missing field `data`",
    ),
    (
        "tocsin.toml",
        "127.0.0.1:0",
        "127.0.0.1",
        "line 3: invalid socket address",
    ),
    (
        "tocsin.toml",
        "\"5s\"",
        "\"5\"",
        "\"5\" is no wait: write a whole number with ms, s, m or h",
    ),
    (
        "tocsin.toml",
        "100/s burst 100",
        "100",
        "\"100\" is no rate: write \"300/s burst 50\"",
    ),
    (
        "tocsin.toml",
        "100/s burst 100",
        "100/s burst 9",
        "write \"100/s burst 10\" or more",
    ),
    (
        "tocsin.toml",
        "\"510727\"",
        "\"51072\"",
        "\"51072\" is no region code: give 2, 4, 6, 9 or 12 digits",
    ),
    (
        "tocsin.toml",
        "[\"submit\"]",
        "[\"write\"]",
        "unknown variant `write`, expected one of `submit`",
    ),
    (
        "tocsin.toml",
        "[\"submit\"]",
        "[]",
        "bureau \"water\": scopes is empty; name",
    ),
    (
        "tocsin.toml",
        "[\"510727\"]",
        "[]",
        "bureau \"water\": regions is empty; name",
    ),
    (
        "tocsin.toml",
        "355d50",
        "355D50",
        "write token_sha256 in lower case",
    ),
    (
        "tocsin.toml",
        "355d50",
        "",
        "token_sha256 is 64 hex digits; `tocsin token` makes one",
    ),
    (
        "tocsin.toml",
        "\"water\"",
        "\"水利\"",
        "id takes letters, digits and hyphens",
    ),
    (
        "tocsin.toml",
        "name = \"sms\"",
        "name = \"text\"",
        "channel \"sms\" is not configured; add it",
    ),
    (
        "tocsin.toml",
        "first = \"5s\"",
        "attempts = 0",
        "retry.attempts is 0; nothing would be tried",
    ),
    (
        "tocsin.toml",
        "plans = \"plans\"",
        "plans = \"nowhere\"",
        "set node.plans to the folder of the plans",
    ),
    ("tocsin.toml", "events.csv", "nowhere.csv", "node.events: "),
    (
        "tocsin.toml",
        "\"not-told\"",
        "\"not-told",
        "line 25: invalid basic string",
    ),
    (
        "plans/p.toml",
        "\"public\"",
        "\"people\"",
        "unknown variant `people`, expected one of",
    ),
    (
        "plans/p.toml",
        "lifetime = \"6h\"\n",
        "",
        "lifetime is missing; write lifetime = \"6h\"",
    ),
    (
        "plans/p.toml",
        "\"5m\"",
        "\"721h\"",
        "a receipt_window of more than 30 days is not waited for",
    ),
    (
        "plans/p.toml",
        "\"5m\"\n",
        "\"5m\"\n[[silent]]\nafter = \"15m\"\nat = [\"town\"]\nchannels = [\"sms\"]\nreceipt_window = \"721h\"\n",
        "a receipt_window of more than 30 days is not waited for",
    ),
    (
        "plans/p.toml",
        "name = \"p\"\n",
        "name = \"p\"\nname = \"q\"\n",
        "duplicate key",
    ),
    (
        "events.csv",
        "11A51",
        "flood",
        "line 2: \"flood\" is no event code; write five digits and capitals",
    ),
    (
        "events.csv",
        EVENTS,
        "",
        "line 1: no line follows the header",
    ),
    (
        "events.csv",
        ",,national",
        ",",
        "line 2: it has 4 cells where the header has 5; check its commas",
    ),
    (
        "carriers.csv",
        "130",
        "13x",
        "line 2: \"13x\" is no prefix; write 1 to 7 digits",
    ),
    (
        "tocsin.toml",
        "[[bureau]]",
        "[languages]\n510727217 = [\"zh-CN\"]\n[[bureau]]",
        "languages.510727217: \"zh-CN\" is Mandarin, which follows",
    ),
    (
        "tocsin.toml",
        "[[bureau]]",
        "[speech]\ncommand = []\n[[bureau]]",
        "speech.command is empty",
    ),
    (
        "tocsin.toml",
        "[[bureau]]",
        "[speech]\ntimeout = \"1m\"\n[[bureau]]",
        "speech.timeout is more than 0 and at most 15 s",
    ),
    (
        "sounds.csv",
        "siren",
        "Siren!",
        "line 2: a tone has a name of small letters",
    ),
    (
        "carriers.csv",
        "unicom",
        "nobody",
        "line 2: unknown variant `nobody`, expected one of `mobile`",
    ),
];

#[test]
fn every_wrong_key_line_and_plan_is_told_and_nothing_of_it_is_taken() {
    for (file, right, wrong, said) in WRONG {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path());
        let place = folder.path().join(file);
        let text = fs::read_to_string(&place).expect("it was written");
        assert!(text.contains(right), "{right}");
        fs::write(&place, text.replacen(right, wrong, 1)).expect("written");
        let found = look(&folder.path().join("tocsin.toml")).problems;
        assert!(
            found.iter().any(|problem| problem.contains(said)),
            "{said}: {found:?}"
        );
        assert!(
            found.iter().all(|problem| !problem.contains("not-told")),
            "{found:?}"
        );
        assert!(read(&folder.path().join("tocsin.toml")).is_err(), "{said}");
        assert!(
            !folder.path().join("data").exists(),
            "looking makes nothing"
        );
    }
}

#[test]
fn what_the_wrong_ones_began_from_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    assert_eq!(
        look(&folder.path().join("tocsin.toml")).problems,
        Vec::<String>::new()
    );
}

#[test]
fn a_secret_that_cannot_be_read_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let text = GOOD.replace("\"not-told\"", "20260714").replace(
        "host = \"127.0.0.1\"\n",
        "host = \"a\"\nport = 1\nsystem_id = \"s\"\nsource = \"1\"\n",
    );
    let config = super::of_text(&text).expect("settings are read by their kind");
    let channel = config.channels.into_iter().next().expect("one");
    let (context, _) = channel::testing::context("sms");
    let made = crate::factories::make(&channel.kind, channel.settings, context);
    let why = made.err().expect("it is refused");
    assert!(
        why.contains("write it in quotes") && !why.contains("20260714"),
        "{why}"
    );
}
