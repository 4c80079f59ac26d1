//! The few words that call whoever is responsible to an outlet that is served by hand (催办): what is to be given by when, and
//! where. The link itself is the only personal part, and is added when the text is encoded. This module must not say who
//! is called or when.

use channel::{Style, Timestamp};
use serde::Deserialize;

use super::filing::Way;
use super::text::{Rendered, Source, Text, filed};
use super::wall;

/// One `[channel.prompt]`: how the people of a channel's outlets are called to them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompting {
    /// Channels or routes; of each person the first by which they can be reached.
    pub by: Vec<String>,
    /// At which shares of the time until it is due it is said again, in percent.
    #[serde(default = "again")]
    pub again: Vec<u16>,
    /// Of what is said again a person is sent no more texts within an hour.
    #[serde(default = "per_hour")]
    pub per_hour: u16,
}

/// At half of the time, and when it is due.
fn again() -> Vec<u16> {
    vec![50, 100]
}

/// Fewer than a person would begin to overlook.
const fn per_hour() -> u16 {
    4
}

/// What somebody is called to.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub style: Style,
    pub language: &'a str,
    /// Of the most urgent.
    pub due: Timestamp,
    pub expires: Timestamp,
    /// It was said before.
    pub again: bool,
    pub overdue: bool,
    /// How many more wait.
    pub others: usize,
    /// As it will stand behind the words.
    pub link: &'a str,
    pub way: Way,
}

pub fn prompt(source: &Source<'_>, call: &Call<'_>) -> Rendered {
    let mark = wall::mark(source.alert.status);
    let headline = headline(source.alert);
    let words = if is_english(call.language) {
        english(call, &headline)
    } else {
        chinese(call, &headline)
    };
    let body = match call.style {
        Style::Short => format!("【{}】{mark}{words}", source.signature),
        Style::Spoken => format!("{mark}{words}"),
        Style::Letter => format!("{mark}{words}\n\n{}", source.signature),
    };
    let whole = with_link(&body, call.link);
    let filed = filed(source.filings, call.way, &whole);
    let text = Text {
        language: call.language.to_owned(),
        title: format!("{mark}{headline}"),
        body,
        html: None,
        level: super::level(source.alert),
        event: String::new(),
        regions_hash: source.regions_hash.to_owned(),
        drill: wall::is_drill(source.alert.status),
        attach: false,
        repeat: None,
        said: None,
        authority: source.authority,
        template: filed.as_ref().ok().cloned().flatten(),
        areas: Vec::new(),
        onset: None,
        response: None,
        parts: Vec::new(),
    };
    Rendered {
        document: serde_json::to_vec(&text).expect("plain fields serialise"),
        expires: call.expires,
        bar: filed.err(),
    }
}

/// A text with its personal part. A space ends the words, so that a handset finds where the link begins.
pub fn with_link(body: &str, link: &str) -> String {
    format!("{body} {link}")
}

/// A headline may be a sentence; its beginning tells which warning it is.
const HEADLINE: usize = 40;

fn headline(alert: &cap::Alert) -> String {
    let info = alert.infos.first();
    let whole = info.map_or("", |info| info.headline.as_deref().unwrap_or(&info.event));
    if whole.chars().count() <= HEADLINE {
        return whole.to_owned();
    }
    let begun: String = whole.chars().take(HEADLINE - 1).collect();
    format!("{begun}…")
}

fn is_english(language: &str) -> bool {
    language.split('-').next() == Some("en")
}

fn chinese(call: &Call<'_>, headline: &str) -> String {
    let (month, day, time) = clock(call.due);
    let due = format!("{month}月{day}日{time}");
    let said = match (call.overdue, call.again) {
        (true, _) => format!("催办:{headline}应于{due}前播发,至今未报。请立即办理并填报"),
        (false, true) => format!("催办:{headline}尚未填报,请于{due}前播发并填报"),
        (false, false) => format!("请播发:{headline},{due}前完成并填报"),
    };
    match call.others {
        0 => format!("{said}。"),
        n => format!("{said},另有{n}条。"),
    }
}

fn english(call: &Call<'_>, headline: &str) -> String {
    let (month, day, time) = clock(call.due);
    let due = format!("{month:02}-{day:02} {time}");
    let said = match (call.overdue, call.again) {
        (true, _) => format!("Overdue since {due}: {headline}. Give it now and enter it"),
        (false, true) => format!("Still waiting: {headline}. Give it by {due} and enter it"),
        (false, false) => format!("Please give: {headline}, by {due}, and enter it"),
    };
    match call.others {
        0 => format!("{said}."),
        n => format!("{said}; {n} more."),
    }
}

/// Month, day and time in Beijing.
fn clock(at: Timestamp) -> (u32, u32, String) {
    let local = at.plus(std::time::Duration::from_hours(8));
    let (_, month, day, hour, minute, _) = local.civil();
    (month, day, format!("{hour:02}:{minute:02}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use channel::Authority;

    use super::super::filing::Filings;
    use super::super::fixture::{Said, alert};
    use super::super::target::Targets;
    use super::super::text::load;
    use super::*;
    use crate::plan::Sounds;

    const LINK: &str = "https://w.example.invalid/v1/channels/tv/s/abcdefghijklmnopqrstuvwxyz0";

    fn told(change: impl FnOnce(&mut Call<'_>)) -> String {
        let alert = alert(&[Said::red("")]);
        let source = Source {
            alert: &alert,
            earlier: None,
            signature: "平武水利",
            regions_hash: "00",
            language: "zh-CN",
            authority: Authority::County,
            filings: &Filings::default(),
            targets: &Targets::default(),
            sounds: &Sounds::shipped(),
            recordings: &[],
        };
        let mut call = Call {
            style: Style::Short,
            language: "zh-CN",
            due: Timestamp(1_784_041_080_000),
            expires: Timestamp(1_784_051_080_000),
            again: false,
            overdue: false,
            others: 0,
            link: LINK,
            way: Way::Unsaid,
        };
        change(&mut call);
        let rendered = prompt(&source, &call);
        assert_eq!(rendered.expires, call.expires);
        let variant = load(&rendered.document, &Bytes::new()).expect("a text");
        assert!(!variant.text.contains("https"), "the link is added later");
        variant.text
    }

    #[test]
    fn it_says_what_is_to_be_given_by_when_and_that_it_was_said_before() {
        let first = told(|_| {});
        assert!(
            first.starts_with("【平武水利】请播发:")
                && first.ends_with("7月14日22:58前完成并填报。"),
            "{first}"
        );
        assert!(told(|call| call.again = true).contains("催办:"));
        let late = told(|call| (call.again, call.overdue, call.others) = (true, true, 2));
        assert!(
            late.contains("至今未报") && late.ends_with(",另有2条。"),
            "{late}"
        );
        assert!(told(|call| call.language = "en-GB").contains("Please give: "));
    }

    #[test]
    fn with_its_link_it_fits_into_two_parts_of_a_chinese_text_message() {
        let longest = told(|call| (call.again, call.overdue, call.others) = (true, true, 12));
        let whole = with_link(&longest, LINK);
        assert!(whole.chars().count() <= 2 * 67, "{whole}");
    }
}
