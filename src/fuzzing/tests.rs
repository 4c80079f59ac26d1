//! The seeds and the finds as ordinary tests: what once was a crash stays mended without a fuzzer. This module must not
//! draw anything at random.

use std::path::{Path, PathBuf};

use super::mail::{ADDRESS, post};

type Target = fn(&[u8]);

/// Every reader under the name of its target in `fuzz/`.
const TARGETS: [(&str, Target); 25] = [
    ("area", super::area),
    ("callbacks", super::callbacks),
    ("cmpp", super::cmpp),
    ("controller", super::controller),
    ("ebd", super::ebd),
    ("gdj089", super::gdj089),
    ("import", super::import),
    ("journal", super::journal),
    ("mail", super::mail),
    ("manual", super::manual),
    ("message", super::message),
    ("mqtt", super::mqtt),
    ("order", super::order),
    ("plan", super::plan),
    ("quake", super::quake),
    ("queries", super::queries),
    ("satellite", super::satellite),
    ("session", super::session),
    ("settings", super::settings),
    ("smpp", super::smpp),
    ("sound", super::sound),
    ("tables", super::tables),
    ("voice", super::voice),
    ("wechat", super::wechat),
    ("words", super::words),
];

fn fuzz() -> PathBuf {
    PathBuf::from("fuzz")
}

/// The files of a folder with their names; of a folder that is not there, none.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .map(|path| {
            let bytes = std::fs::read(&path).expect("it can be read");
            (path.display().to_string(), bytes)
        })
        .collect();
    files.sort();
    files
}

/// The seeds and the finds of a target.
fn kept(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut kept = files(&fuzz().join("seeds").join(name));
    assert!(kept.len() >= 3, "{name} has too few seeds to begin with");
    kept.extend(files(&fuzz().join("finds").join(name)));
    kept
}

fn replay(name: &str) {
    let (_, target) = TARGETS
        .iter()
        .find(|(other, _)| *other == name)
        .expect(name);
    for (file, bytes) in kept(name) {
        eprintln!("{file}");
        target(&bytes);
    }
}

macro_rules! replayed {
    ($($name:ident: $test:ident;)+) => {$(
        #[test]
        fn $test() {
            replay(stringify!($name));
        }
    )+};
}

replayed! {
    area: every_kept_area_warns_nobody_outside_it;
    callbacks: every_kept_callback_is_taken_on_its_secret_path_alone;
    cmpp: every_kept_frame_is_read_or_refused_in_each_version;
    controller: every_kept_call_of_a_controller_is_answered;
    gdj089: every_kept_word_of_an_adapter_is_read_or_refused_and_survived;
    ebd: every_kept_packet_of_a_platform_is_taken_or_refused;
    import: every_kept_registry_is_taken_or_refused_whole;
    journal: every_kept_record_is_read_or_refused_by_name;
    mail: every_kept_mail_is_told_apart;
    manual: every_kept_word_at_an_outlet_is_an_entry_or_refused;
    message: every_kept_message_is_judged;
    mqtt: every_kept_message_of_a_broker_is_refused_or_proved;
    order: every_kept_order_is_played_only_by_whom_and_when_it_says;
    plan: every_kept_plan_is_read_or_refused;
    quake: every_kept_report_on_an_earthquake_is_told_in_order_or_refused;
    queries: every_kept_question_is_answered_and_never_breaks;
    satellite: every_kept_word_of_a_satellite_device_is_read_or_refused;
    session: every_kept_word_of_a_far_end_is_survived;
    settings: every_kept_configuration_is_read_or_refused;
    smpp: every_kept_pdu_is_read_or_refused;
    sound: every_kept_recording_is_taken_with_its_length_or_refused_in_words;
    tables: every_kept_table_is_read_or_refused_with_its_line;
    voice: every_kept_word_of_a_telephone_is_read_or_refused;
    wechat: every_kept_call_of_wechat_brings_one_thing_at_most;
    words: every_kept_word_is_read_or_refused;
}

#[test]
fn every_target_has_its_program_and_its_folder() {
    let named = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(fuzz().join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("an entry").path());
        let mut names: Vec<String> = names
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        names
    };
    let targets = TARGETS.map(|(name, _)| name);
    assert_eq!(named("fuzz_targets"), targets);
    assert_eq!(named("seeds"), targets);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).expect("it is there");
    for name in targets {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

/// The fuzzed library is this program's source: it needs whatever the program needs.
#[test]
fn the_fuzz_workspace_names_every_dependency_of_the_program() {
    let manifest = |path: PathBuf| -> toml::Table {
        let text = std::fs::read_to_string(path).expect("it is there");
        text.parse().expect("it is TOML")
    };
    let root = manifest("Cargo.toml".into());
    let fuzz = manifest(fuzz().join("Cargo.toml"));
    let shared = &root["workspace"]["dependencies"];
    for name in root["dependencies"].as_table().expect("a table").keys() {
        let mut wanted = shared[name].clone();
        if let Some(path) = wanted.get_mut("path") {
            *path = format!("../{}", path.as_str().expect("a path")).into();
        }
        let found = fuzz["dependencies"].get(name);
        assert_eq!(
            found,
            Some(&wanted),
            "{name}: copy its line into fuzz/Cargo.toml"
        );
    }
}

#[test]
fn the_seeds_reach_what_they_are_there_for() {
    let seeds = |name: &str| files(&fuzz().join("seeds").join(name));
    let seed = |name: &str, file: &str| {
        let found = seeds(name)
            .into_iter()
            .find(|(path, _)| path.ends_with(file));
        found.expect("the seed is there").1
    };
    let taken = |file| post(&seed("mail", file));
    assert_eq!(taken("failed"), "receipt", "{ADDRESS} proves itself");
    assert_eq!(taken("own-words"), "unread-bounce");
    assert_eq!(taken("automatic"), "automatic-reply");
    assert_eq!(taken("letter"), "letter");
    assert_eq!(taken("stranger"), "stranger");
    let brought = |file| super::callbacks::brought(&seed("callbacks", file));
    assert_eq!(brought("aliyun"), [(2, 0), (0, 0), (0, 0)]);
    assert_eq!(brought("tencent"), [(0, 0), (2, 0), (0, 0)]);
    assert_eq!(brought("mas"), [(0, 0), (0, 0), (1, 0)]);
    assert_eq!(brought("reply")[1], (0, 1));
    let called = |file| super::voice::told(&seed("voice", file));
    assert_eq!(called("callback-ours"), [1, 0], "the id proves itself");
    assert_eq!(called("form"), [0, 1]);
    let entered = |file| super::manual::told(&seed("manual", file));
    assert_eq!(entered("form"), (200, 1));
    assert_eq!(entered("entry"), (200, 1));
    assert_eq!(entered("reported"), (200, 1));
    assert_eq!(entered("forged-short"), (403, 0));
    assert_eq!(entered("kept"), (200, 0), "its attachment is served");
    let asked = |file| super::queries::asked(&seed("queries", file));
    assert_eq!(asked("households"), 200);
    assert_eq!(asked("deliveries"), 200);
    assert_eq!(asked("twice"), 400);
    let heard = |file| super::gdj089::heard(&seed("gdj089", file));
    assert_eq!(heard("heartbeat"), (1, 0), "an adapter is heard");
    assert_eq!(heard("records"), (1, 1), "what was played is a receipt");
    assert_eq!(heard("crc"), (1, 0), "what follows a broken frame is found");
    assert_eq!(
        heard("old-played"),
        (1, 1),
        "a terminal of the older dialect too"
    );
    let right = seed("controller", "enrol-right");
    assert_eq!(super::controller::called(&right), (200, 0));
    let told = |file| super::mqtt::told(&seed("mqtt", file));
    assert_eq!(told("played"), (200, 1));
    assert_eq!(told("orders"), (200, 0));
    assert_eq!(told("sounds"), (200, 1), "what is said of an earthquake");
    assert_eq!((told("took"), told("enrol")), ((0, 0), (403, 0)));
    // A poll is answered with the order, and its report is a receipt.
    assert_eq!(
        super::controller::called(&seed("controller", "poll")),
        (200, 0)
    );
    assert_eq!(
        super::controller::called(&seed("controller", "played")),
        (200, 1)
    );
    assert_eq!(
        super::controller::called(&seed("controller", "quake-played")),
        (200, 1)
    );
}

#[test]
fn an_adapters_signature_is_taken_once_from_the_seeds() {
    let twice = std::fs::read(fuzz().join("seeds/gdj089/heartbeat-signed")).expect("a seed");
    assert_eq!(super::gdj089::heard(&twice), (1, 0));
}

#[test]
fn a_platforms_states_reach_their_villages_from_the_seeds() {
    let seed = |name| std::fs::read(fuzz().join("seeds/ebd").join(name)).expect("a seed");
    assert_eq!(super::ebd::told(&seed("call-played")), 2);
    assert_eq!(super::ebd::told(&seed("call-log-whole")), 2);
    for quiet in [
        "call-beat",
        "call-handed",
        "call-omd-platform",
        "call-omd-log",
        "call-ask",
    ] {
        assert_eq!(super::ebd::told(&seed(quiet)), 0, "{quiet}");
    }
}
