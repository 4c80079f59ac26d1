//! `tocsin cap check` as a process of its own: what it prints, in which form, and how it ends.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const NS: &str = "urn:oasis:names:tc:emergency:cap:1.2";
const AT: &str = "2026-06-01T16:01:00+08:00";

fn alert(identifier: &str, severity: &str) -> String {
    format!(
        "<alert xmlns='{NS}'><identifier>{identifier}</identifier><sender>s@example.org</sender>\
         <sent>2026-06-01T16:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType>\
         <scope>Public</scope><info><language>zh-CN</language><category>Met</category><event>大风</event>\
         <urgency>Expected</urgency><severity>{severity}</severity><certainty>Likely</certainty>\
         <expires>2026-06-01T22:00:00+08:00</expires><area><areaDesc>平武县</areaDesc>\
         <circle>32.4,104.5 10</circle></area></info></alert>"
    )
}

fn tocsin(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .current_dir(folder)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn lines(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout).lines();
    lines
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

/// A folder with one file of each fate, and a folder below it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let feed = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content>{}</content></entry>\
         <entry><link href='https://example.org/2'/></entry></feed>",
        alert("b-1", "Minor")
    );
    std::fs::create_dir(folder.path().join("below")).expect("a folder");
    for (name, content) in [
        ("a.xml", alert("a-1", "Minor")),
        ("b.atom", feed),
        ("below/c.xml", alert("c-1", "Small")),
        ("below/d.xml", "<alert/>".to_owned()),
    ] {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

#[test]
fn an_alert_that_keeps_every_rule_ends_with_0_and_one_that_is_none_with_1() {
    let folder = folder();
    let good = tocsin(folder.path(), &["cap", "check", "--at", AT, "a.xml"]);
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    assert!(text(&good.stdout).contains("accept 接受, conforming 符合标准"));
    assert!(text(&good.stdout).contains("s@example.org · a-1 · 2026-06-01T16:00:00+08:00"));
    let bad = tocsin(
        folder.path(),
        &["cap", "check", "--at", AT, "a.xml", "below/d.xml"],
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stdout).contains("根元素必须是"), "in Chinese");
    assert!(
        text(&bad.stdout).contains("the root must be"),
        "and in English"
    );
    let warned = tocsin(folder.path(), &["cap", "check", "--at", AT, "below/c.xml"]);
    assert_eq!(
        warned.status.code(),
        Some(0),
        "what can be accepted is not rejected"
    );
    assert!(text(&warned.stdout).contains("CAP-1.2/info/severity/enum /alert/info[1]/severity@"));
}

#[test]
fn json_is_one_object_per_alert_with_its_file_identity_verdicts_and_findings() {
    let folder = folder();
    let output = tocsin(folder.path(), &["cap", "check", "--json", "--at", AT, "."]);
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            let identifier = &line["identity"]["identifier"];
            format!(
                "{} {} {identifier} {}",
                line["file"], line["path"], line["disposition"]
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#""./a.xml" "/alert" "a-1" "accept""#,
            r#""./b.atom" "/feed/entry[1]/content/alert" "b-1" "accept""#,
            r#""./b.atom" null null null"#,
            r#""./below/c.xml" "/alert" "c-1" "accept-with-warnings""#,
            r#""./below/d.xml" "/alert" null "reject""#,
        ]
    );
    assert_eq!(lines[2]["findings"][0]["rule"], "FEED/entry/link");
    let finding = &lines[3]["findings"][0];
    assert_eq!(lines[3]["conforming"], false);
    assert_eq!(finding["level"], "error");
    assert_eq!(finding["path"], "/alert/info[1]/severity");
    assert!(finding["position"].is_u64());
    assert!(finding["en"].is_string() && finding["zh"].is_string());
}

#[test]
fn standard_input_is_read_and_one_identity_may_not_say_two_things() {
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .current_dir(folder.path())
        .args(["cap", "check", "--json", "--at", AT, "a.xml", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(alert("a-1", "Severe").as_bytes())
        .expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let lines = lines(&output);
    assert_eq!(lines[1]["file"], "-");
    assert_eq!(
        lines[1]["findings"][0]["rule"],
        "CAP-1.2/alert/identifier/unique"
    );
    assert_eq!(lines[1]["disposition"], "quarantine");
}

#[test]
fn limits_the_zone_the_country_and_a_public_feed_are_the_callers_to_say() {
    let folder = folder();
    let file = folder.path().join("e.xml");
    let check = |content: &str, more: &[&str]| {
        std::fs::write(&file, content).expect("a file");
        let mut args = vec!["cap", "check", "--json", "--at", AT, "e.xml"];
        args.extend(more);
        let output = tocsin(folder.path(), &args);
        let first = &lines(&output)[0];
        (
            output.status.code(),
            first["disposition"].clone(),
            first["findings"][0]["rule"].clone(),
        )
    };
    let one = alert("e-1", "Minor");
    assert_eq!(check(&one, &[]).1, "accept");
    assert_eq!(
        check(&one, &["--max-message", "100"]).2,
        "CAP-1.2/xml/limit"
    );
    assert_eq!(check(&one, &["--max-file", "1K"]).1, "accept");
    let long = one.replace("大风", &"大风".repeat(500));
    let limit = check(&long, &["--max-file", "1K"]);
    assert_eq!((limit.0, limit.2), (Some(1), "FEED/limit".into()));
    let zoneless = one.replace("T16:00:00+08:00", "T16:00:00");
    assert_eq!(check(&zoneless, &[]).1, "quarantine");
    assert_eq!(
        check(&zoneless, &["--zone", "+08:00"]).1,
        "accept-with-warnings"
    );
    let private = one
        .replace("Public", "Private")
        .replace("</scope>", "</scope><addresses>duty</addresses>");
    assert_eq!(check(&private, &["--public"]).0, Some(1));
    let asked = tocsin(
        folder.path(),
        &[
            "cap",
            "check",
            "--at",
            AT,
            "a.xml",
            "--profile",
            "meteoalarm",
        ],
    );
    assert!(text(&asked.stdout).contains("METEOALARM/parameter/awareness_level"));
    let square = "<polygon>41,31 41,32 42,32 42,31 41,31</polygon></area>";
    let swapped = one.replace("</area>", square);
    assert_eq!(
        check(&swapped, &["--country", "3,33,32.5,136"]).1,
        "quarantine"
    );
}

#[test]
fn what_cannot_be_read_is_said_and_ends_with_2() {
    let folder = folder();
    let missing = tocsin(
        folder.path(),
        &["cap", "check", "--at", AT, "nowhere.xml", "a.xml"],
    );
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("nowhere.xml"));
    assert!(
        text(&missing.stdout).contains("a-1"),
        "the others are checked all the same"
    );
    for wrong in [
        &["cap", "check"][..],
        &["cap", "check", "a.xml", "--zone", "local"],
        &["cap", "check", "a.xml", "--max-file", "0"],
        &["cap", "check", "a.xml", "--country", "1,2,3"],
        &["cap", "check", "a.xml", "--profile", "none"],
    ] {
        assert_eq!(
            tocsin(folder.path(), wrong).status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
    let help = tocsin(folder.path(), &["cap", "check", "--help"]);
    assert!(text(&help.stdout).contains("a message or file was rejected"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let folder = folder();
    let entry = format!(
        "<entry><content>{}</content></entry>",
        alert("a-1", "Small")
    );
    let feed = format!("<feed>{}</feed>", entry.repeat(2_000));
    std::fs::write(folder.path().join("long.atom"), feed).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .current_dir(folder.path())
        .args(["cap", "check", "--json", "--at", AT, "long.atom"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_terminal_is_not_moved_by_what_a_message_says() {
    let folder = folder();
    let sly = alert("a-1&#x202E;\u{9B}2J", "Small");
    std::fs::write(folder.path().join("sly.xml"), sly).expect("a file");
    let output = tocsin(folder.path(), &["cap", "check", "--at", AT, "sly.xml"]);
    let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202E}';
    assert!(
        !text(&output.stdout).contains(hidden),
        "{:?}",
        text(&output.stdout)
    );
    assert!(text(&output.stdout).contains("a-1\u{FFFD}"));
}

#[test]
fn the_catalogue_is_listed_in_both_languages() {
    let folder = folder();
    let output = tocsin(folder.path(), &["cap", "rules", "--json"]);
    let rules = lines(&output);
    for id in ["CAP-1.2/alert/root", "GBT-35965.1/read", "FEED/entry/link"] {
        assert!(rules.iter().any(|rule| rule["id"] == id), "{id}");
    }
    let plain = tocsin(folder.path(), &["cap", "rules"]);
    assert!(text(&plain.stdout).contains("根元素必须是"));
}
