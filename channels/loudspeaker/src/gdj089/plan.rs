//! Messages become commands: of one batch, those of one text to one adapter are one start with one EBMID. Pure; this module
//! must not send, and must not leave a text out that cannot be written.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::{Failure, FailureClass, Level, Message, Timestamp, Variant};
use encoding_rs::GB18030;

use super::bytes::Id;
use super::config::{Adapter, Charset, Config, Dialect};
use super::routes::Routes;
use super::task::{Codes, START, STOP, Spoken, Task, UNCHANGED};
use crate::order::marked_as_drill;

/// As many codes as one command counts.
const MOST: usize = 255;
/// 实际演练 and 应急.
const DRILL: u8 = 3;
const EMERGENCY: u8 = 4;
/// An emergency of which no more is known.
const ANY_EVENT: [u8; 5] = *b"10000";
const BEIJING: i64 = 8 * 3600;

/// One start: an adapter, and the messages of the batch that it is for.
pub struct Start {
    pub adapter: usize,
    pub variant: Arc<Variant>,
    pub expires: Timestamp,
    /// Place in the batch and code.
    pub to: Vec<(usize, Id)>,
}

/// How many codes one start has at most.
pub const fn most(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Gdj089 => MOST,
        // Its reply does not say which terminal it speaks of.
        Dialect::Fefd => 1,
    }
}

/// What is wrong with a message, and the starts of all others.
pub fn starts(
    batch: &[Message],
    routes: &Routes,
    adapters: &[Adapter],
    now: Timestamp,
) -> (Vec<Start>, Vec<(usize, Failure)>) {
    let mut groups: BTreeMap<_, Vec<Start>> = BTreeMap::new();
    let mut failed = Vec::new();
    for (index, message) in batch.iter().enumerate() {
        let (adapter, code) = match judged(message, routes, now) {
            Ok(place) => place,
            Err(failure) => {
                failed.push((index, failure));
                continue;
            }
        };
        let variant = &message.variant;
        // A drill and what is live never share a variant.
        let group = (adapter, Arc::as_ptr(variant) as usize, message.expires);
        let chunks = groups.entry(group).or_default();
        let most = most(adapters[adapter].dialect);
        if chunks.last().is_none_or(|start| start.to.len() == most) {
            chunks.push(Start {
                adapter,
                variant: variant.clone(),
                expires: message.expires,
                to: Vec::new(),
            });
        }
        if let Some(start) = chunks.last_mut() {
            start.to.push((index, code));
        }
    }
    (groups.into_values().flatten().collect(), failed)
}

fn judged(message: &Message, routes: &Routes, now: Timestamp) -> Result<(usize, Id), Failure> {
    let variant = &message.variant;
    if variant.drill && !marked_as_drill(&variant.text) {
        let words = "the text of a drill does not say that it is one; put 演练 or DRILL into it";
        return Err(Failure::new(
            FailureClass::BadContent,
            "089:unmarked-drill",
            words,
        ));
    }
    if message.expires <= now {
        let words = "the warning had expired when it was handed";
        return Err(Failure::new(FailureClass::Transient, "089:expired", words));
    }
    routes.of(message.address.expose())
}

/// The id of a message: platform, day in Beijing, and the day's serial.
pub fn ebm(platform: &str, day: u32, serial: u16) -> Option<Id> {
    format!("{platform}{day:08}{serial:04}").parse().ok()
}

/// `20250701`, in Beijing.
pub fn day(now: Timestamp) -> u32 {
    let beijing = Timestamp::from_secs(now.secs() + BEIJING);
    let (year, month, day, ..) = beijing.civil();
    u32::try_from(year).unwrap_or(0) * 10_000 + month * 100 + day
}

pub fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.secs()).unwrap_or(u32::MAX)
}

/// The command, written for one adapter.
pub fn task(
    start: &Start,
    ebm: Id,
    config: &Config,
    adapter: &Adapter,
    now: Timestamp,
) -> Result<Task, Failure> {
    let variant = &start.variant;
    let spoken = Spoken {
        language: language(&variant.language),
        charset: match adapter.charset {
            Charset::Gb2312 => 0,
            Charset::Gb18030 => 1,
        },
        text: encoded(&variant.text, adapter.charset)?,
        agency: encoded(&config.agency, adapter.charset)?,
        auxiliary: Vec::new(),
    };
    if spoken.text.len() > usize::from(u16::MAX) || spoken.agency.len() > usize::from(u8::MAX) {
        let words = "the text takes more than 65535 bytes, or `agency` more than 255";
        return Err(Failure::new(
            FailureClass::BadContent,
            "089:too-long",
            words,
        ));
    }
    Ok(Task {
        ebm,
        switch: START,
        class: if variant.drill { DRILL } else { EMERGENCY },
        event: event(&variant.event),
        level: match variant.level {
            Level::Unknown => 0,
            Level::Red => 1,
            Level::Orange => 2,
            Level::Yellow => 3,
            Level::Blue => 4,
        },
        start: seconds(now),
        end: seconds(start.expires),
        volume: config.volume.unwrap_or(UNCHANGED),
        codes: Codes::logical(start.to.iter().map(|(_, code)| code.clone()).collect()),
        spoken: vec![spoken],
        input: adapter.assumed.input_channel,
        outputs: adapter.outputs.clone(),
        private: adapter.private_block.then(Vec::new),
    })
}

/// A stop of one message, or with the id of everything of all that sounds at these codes.
pub fn stop(ebm: Id, codes: Vec<Id>, adapter: &Adapter, now: Timestamp) -> Task {
    Task {
        ebm,
        switch: STOP,
        class: EMERGENCY,
        event: ANY_EVENT,
        level: 0,
        start: seconds(now),
        end: seconds(now),
        volume: UNCHANGED,
        codes: Codes::logical(codes),
        spoken: Vec::new(),
        input: adapter.assumed.input_channel,
        outputs: adapter.outputs.clone(),
        private: adapter.private_block.then(Vec::new),
    }
}

/// ISO 639-2 of the languages that are warned in; `und` of others.
fn language(tag: &str) -> [u8; 3] {
    let first = tag.split('-').next().unwrap_or_default();
    match first.to_ascii_lowercase().as_str() {
        "zh" | "cmn" | "yue" => *b"zho",
        "en" => *b"eng",
        "bo" => *b"bod",
        "ug" => *b"uig",
        "mn" => *b"mon",
        "kk" => *b"kaz",
        "ko" => *b"kor",
        "za" => *b"zha",
        "ii" => *b"iii",
        other => match other.as_bytes() {
            [a, b, c] if other.bytes().all(|byte| byte.is_ascii_lowercase()) => [*a, *b, *c],
            _ => *b"und",
        },
    }
}

/// The national code of an event; what is none is an emergency of which no more is known.
fn event(code: &str) -> [u8; 5] {
    let bytes: Option<[u8; 5]> = code.as_bytes().try_into().ok();
    let known = bytes.filter(|bytes| {
        let plain = bytes
            .iter()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        plain && bytes[0].is_ascii_digit()
    });
    known.unwrap_or(ANY_EVENT)
}

fn encoded(text: &str, charset: Charset) -> Result<Vec<u8>, Failure> {
    let (bytes, _, lost) = GB18030.encode(text);
    let fits = match charset {
        Charset::Gb18030 => !lost,
        Charset::Gb2312 => !lost && is_gb2312(&bytes),
    };
    if fits {
        return Ok(bytes.into_owned());
    }
    let words = "the text has characters that are not in the adapter's `charset`";
    Err(Failure::new(FailureClass::BadContent, "089:charset", words))
}

/// ASCII, and pairs of two high bytes: no more of GB 18030 is in GB 2312.
fn is_gb2312(mut bytes: &[u8]) -> bool {
    loop {
        bytes = match bytes {
            [] => return true,
            [0..=0x7F, rest @ ..] | [0xA1..=0xF7, 0xA1..=0xFE, rest @ ..] => rest,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use channel::{Address, Key};

    use super::*;

    const NOW: Timestamp = Timestamp(1_783_990_800_000);

    fn message(delivery: u32, address: &str, variant: &Arc<Variant>) -> Message {
        Message {
            key: Key {
                alert: 7,
                delivery,
                generation: 0,
            },
            serial: delivery.into(),
            variant: variant.clone(),
            address: Address::new(address),
            expires: Timestamp(NOW.0 + 3_600_000),
            repeat: false,
        }
    }

    fn variant(text: &str) -> Arc<Variant> {
        let mut variant = Variant::new("zh-CN", "山洪灾害红色预警", text);
        (variant.level, variant.event) = (Level::Red, "11A51".into());
        Arc::new(variant)
    }

    fn config() -> Config {
        let mut town = Adapter::new("55107271010000314010201");
        town.charset = Charset::Gb2312;
        Config {
            adapter: vec![Adapter::new("45107270000000314010201"), town],
            ..Config::new("45107270000000103010101", None)
        }
    }

    #[test]
    fn messages_of_one_text_to_one_adapter_are_one_start_and_no_more_than_it_counts() {
        let config = config();
        let routes = Routes::new(&config.adapter);
        let (one, other) = (variant("请立即转移。"), variant("请远离河道。"));
        let mut batch: Vec<_> = (0..300)
            .map(|n| message(n, &format!("6510727102201031401{n:04}"), &one))
            .collect();
        batch.push(message(300, "510727101201", &one));
        batch.push(message(301, "510727102201", &other));
        batch.push(message(302, "nobody", &one));
        batch.push(Message {
            expires: NOW,
            ..message(303, "510727102201", &one)
        });
        let (starts, failed) = starts(&batch, &routes, &config.adapter, NOW);
        let mut sizes: Vec<_> = starts.iter().map(|s| (s.adapter, s.to.len())).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [(0, 1), (0, 45), (0, 255), (1, 1)]);
        let codes: Vec<_> = failed
            .iter()
            .map(|(at, f)| (*at, f.code.as_ref()))
            .collect();
        assert_eq!(codes, [(302, "089:bad-code"), (303, "089:expired")]);
    }

    #[test]
    fn a_start_says_what_the_warning_says() {
        let config = config();
        let routes = Routes::new(&config.adapter);
        let batch = [message(1, "510727102201", &variant("暴雨"))];
        let start = starts(&batch, &routes, &config.adapter, NOW).0.remove(0);
        assert_eq!(day(NOW), 20_260_714);
        let ebm = ebm(&config.platform, day(NOW), 7).expect("digits");
        assert_eq!(ebm.to_string(), "45107270000000103010101202607140007");
        let task = task(&start, ebm, &config, &config.adapter[0], NOW).expect("it is written");
        assert_eq!((task.class, task.level, &task.event), (4, 1, b"11A51"));
        assert_eq!((task.end - task.start, task.volume), (3_600, UNCHANGED));
        assert_eq!(task.spoken[0].text, [0xB1, 0xA9, 0xD3, 0xEA]);
        assert_eq!(task.spoken[0].language, *b"zho");
        assert_eq!(task.codes.list[0].to_string(), "05107271022010314010400");
    }

    #[test]
    fn a_drill_is_a_drill_on_the_wire_and_says_so_or_is_refused() {
        let config = config();
        let routes = Routes::new(&config.adapter);
        let drill = |text: &str| {
            let mut variant = Variant::new("zh-CN", "t", text);
            variant.drill = true;
            message(1, "510727102201", &Arc::new(variant))
        };
        let (starts, _) = starts(&[drill("演练：请转移")], &routes, &config.adapter, NOW);
        let made = task(&starts[0], Id::zero(18), &config, &config.adapter[0], NOW);
        assert_eq!(made.expect("it is written").class, 3);
        let (none, failed) = super::starts(&[drill("请转移")], &routes, &config.adapter, NOW);
        assert!(none.is_empty());
        assert_eq!(failed[0].1.code, "089:unmarked-drill");
    }

    #[test]
    fn what_the_charset_lacks_is_refused_and_not_left_out() {
        assert!(encoded("转移 OK", Charset::Gb2312).is_ok());
        // 㙍 and 镕 are in GB 18030 alone.
        for text in ["㙍村", "朱镕"] {
            let failed = encoded(text, Charset::Gb2312).map_err(|failure| failure.code);
            assert_eq!(failed, Err("089:charset".into()), "{text}");
            assert!(encoded(text, Charset::Gb18030).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_event_without_a_national_code_is_an_emergency() {
        assert_eq!(event("11B03"), *b"11B03");
        for other in ["", "暴雨", "FLOOD", "11B031"] {
            assert_eq!(event(other), ANY_EVENT, "{other}");
        }
    }
}
