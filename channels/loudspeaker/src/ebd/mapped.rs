//! A finished text as a broadcast message, and what of it the message cannot carry. Pure, and total: what has no counterpart
//! is said in the losses, never dropped in silence. This module must not widen an area.

use channel::{Level, Message, Part, Timestamp, Variant};

use super::loss::Loss;
use super::message::{Auxiliary, CANCEL, Content, Dispatch, Ebm, MP3, PLAY};
use super::names::{Place, area_of, is_village, place};
use super::tar::Member;
use super::xml::plain;

/// What an operator says about every message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    pub sender_name: String,
    pub sender_code: String,
    /// 3 to 5, for drills.
    pub drill: u8,
    /// How many digits an EBRID has.
    pub ebrid: usize,
}

/// A message without its name, what goes with it into the archive, and what is lost.
#[derive(Clone, PartialEq, Debug)]
pub struct Mapped {
    pub ebm: Ebm,
    pub resources: Vec<Member>,
    pub losses: Vec<Loss>,
}

/// Whom a message is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub area: String,
    /// The terminal, where it is for one alone.
    pub terminal: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoTarget {
    /// Neither a code of twelve digits nor an EBRID.
    NoAddress,
    /// An area that is not a village, or a terminal in one: its code would sound a town or a county.
    Wide,
}

/// `told` is an operator's word on where a terminal stands.
pub fn target(address: &str, ebrid: usize, told: Option<&str>) -> Result<Target, NoTarget> {
    match place(address, ebrid) {
        Some(Place::Area(area)) if !is_village(area) => Err(NoTarget::Wide),
        Some(Place::Area(area)) => Ok(Target {
            area: area.into(),
            terminal: None,
        }),
        Some(Place::Terminal(id)) => {
            let area = told.or_else(|| area_of(id)).filter(|area| is_village(area));
            Ok(Target {
                area: area.ok_or(NoTarget::Wide)?.into(),
                terminal: Some(id.into()),
            })
        }
        None => Err(NoTarget::NoAddress),
    }
}

/// Several messages of one text and one end.
pub fn play(message: &Message, targets: &[Target], terms: &Terms, now: Timestamp) -> Mapped {
    let variant = &*message.variant;
    let (event, _) = event(&variant.event);
    let (language, _) = language(&variant.language);
    let (severity, _) = severity(variant);
    let (auxiliaries, resources, _) = sounds(variant);
    let named = targets.iter().filter_map(|target| target.terminal.clone());
    let dispatch = named.map(|id| Dispatch {
        language: language.clone(),
        adapter: Some(id),
    });
    let ebm = Ebm {
        id: String::new(),
        related: None,
        kind: if variant.drill { terms.drill } else { PLAY },
        sender_name: terms.sender_name.clone(),
        sender_code: terms.sender_code.clone(),
        sent: Some(now),
        event,
        severity: Some(severity),
        start: Some(now),
        end: Some(message.expires),
        dispatch: dispatch.collect(),
        content: Some(Content {
            language,
            title: plain(&variant.title),
            text: plain(&variant.text),
            areas: areas(targets),
            auxiliaries,
        }),
    };
    Mapped {
        ebm,
        resources,
        losses: losses(variant),
    }
}

/// What no message to a platform can carry of this text.
pub fn losses(variant: &Variant) -> Vec<Loss> {
    let has = |is: fn(&Part) -> bool| variant.parts.iter().any(is);
    let whole = |text: &String| plain(text).len() == text.len();
    let mut losses = Vec::from([
        event(&variant.event).1,
        language(&variant.language).1,
        severity(variant).1,
        sounds(variant).2,
    ]);
    for (lost, loss) in [
        (
            !(whole(&variant.title) && whole(&variant.text)),
            Loss::Characters,
        ),
        (variant.html.is_some(), Loss::Html),
        (variant.repeat.is_some(), Loss::Repeat),
        (
            variant.authority != channel::Authority::County,
            Loss::Authority,
        ),
        (
            has(|part| matches!(part, Part::Sound { .. })),
            Loss::Recordings,
        ),
        (has(|part| matches!(part, Part::Tone { .. })), Loss::Tones),
        (variant.onset.is_some(), Loss::Onset),
    ] {
        losses.push(lost.then_some(loss));
    }
    let mut losses: Vec<_> = losses.into_iter().flatten().collect();
    losses.sort();
    losses
}

/// Takes back what went out under another name.
pub fn cancel(of: &str, terms: &Terms, now: Timestamp) -> Ebm {
    Ebm {
        id: String::new(),
        related: Some(of.into()),
        kind: CANCEL,
        sender_name: terms.sender_name.clone(),
        sender_code: terms.sender_code.clone(),
        sent: Some(now),
        event: String::new(),
        severity: None,
        start: None,
        end: None,
        content: None,
        dispatch: Vec::new(),
    }
}

/// Severity of what is no warning.
const TEST: u8 = 15;

fn severity(variant: &Variant) -> (u8, Option<Loss>) {
    match variant.level {
        _ if variant.drill => (TEST, None),
        Level::Red => (1, None),
        Level::Orange => (2, None),
        Level::Yellow => (3, None),
        Level::Blue => (4, None),
        Level::Unknown => (0, Some(Loss::Level)),
    }
}

/// Each once, in order.
fn areas(targets: &[Target]) -> Vec<String> {
    let mut areas: Vec<_> = targets.iter().map(|target| target.area.clone()).collect();
    areas.sort();
    areas.dedup();
    areas
}

/// 突发事件.
const GENERIC: &str = "10000";

/// Codes go as they came, known or not: local tables extend the national one.
fn event(told: &str) -> (String, Option<Loss>) {
    let told = told.trim();
    let is_code = told.len() == 5
        && told.starts_with(|c: char| c.is_ascii_digit())
        && told
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    if is_code {
        return (told.to_owned(), None);
    }
    let english = || {
        let told = told.to_lowercase();
        let named = ENGLISH.iter().filter(|(word, _)| told.contains(word));
        named
            .max_by_key(|(word, _)| word.len())
            .map(|(_, code)| *code)
    };
    let found = cap::events::code(told).or_else(english);
    match found {
        Some(code) => (code.to_owned(), Some(Loss::EventByName)),
        None => (GENERIC.to_owned(), Some(Loss::Event)),
    }
}

/// Words of events as international feeds have them.
const ENGLISH: [(&str, &str); 33] = [
    ("avalanche", "11B13"),
    ("blizzard", "11B04"),
    ("cold", "11B05"),
    ("dam ", "11A03"),
    ("debris flow", "11D02"),
    ("drought", "11B22"),
    ("dust", "11B07"),
    ("earthquake", "11C02"),
    ("flash flood", "11A51"),
    ("flood", "11A01"),
    ("fog", "11B17"),
    ("forest fire", "11G00"),
    ("frost", "11B16"),
    ("gale", "11B06"),
    ("hail", "11B15"),
    ("haze", "11B19"),
    ("heat", "11B09"),
    ("hurricane", "11B01"),
    ("icing", "11B21"),
    ("landslide", "11D01"),
    ("lightning", "11B14"),
    ("mudslide", "11D02"),
    ("rain", "11B03"),
    ("sandstorm", "11B07"),
    ("snow", "11B04"),
    ("storm surge", "11E02"),
    ("thunderstorm gust", "11B20"),
    ("thunderstorm", "11B14"),
    ("tornado", "11B02"),
    ("tsunami", "11E01"),
    ("typhoon", "11B01"),
    ("wildfire", "11G00"),
    ("wind", "11B06"),
];

/// ISO 639-2, as GB/T 4880.2 has it.
fn language(told: &str) -> (String, Option<Loss>) {
    let primary = told
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let known = match primary.as_str() {
        "zh" | "cmn" => "zho",
        "en" => "eng",
        "bo" => "bod",
        "mn" => "mon",
        "ug" => "uig",
        "za" => "zha",
        "ii" => "iii",
        "ko" => "kor",
        "kk" => "kaz",
        three if three.len() == 3 && three.bytes().all(|b| b.is_ascii_lowercase()) => three,
        _ => return ("zho".to_owned(), Some(Loss::Language)),
    };
    (known.to_owned(), None)
}

fn sounds(variant: &Variant) -> (Vec<Auxiliary>, Vec<Member>, Option<Loss>) {
    let Some(attachment) = &variant.attachment else {
        return Default::default();
    };
    if !matches!(attachment.mime.as_str(), "audio/mpeg" | "audio/mp3") {
        return (Vec::new(), Vec::new(), Some(Loss::Attachment));
    }
    let sound = Member {
        name: "warning.mp3".into(),
        bytes: attachment.bytes.to_vec(),
    };
    let auxiliary = Auxiliary {
        kind: MP3,
        name: sound.name.clone(),
        size: u64::try_from(sound.bytes.len()).ok(),
    };
    (vec![auxiliary], vec![sound], None)
}
