//! From a telling to what a loudspeaker plays of it: what a recording would have to be about, and the words in another
//! language. This module must not order the pieces: the playlist does.

use channel::{Level, Part, Style};

use super::{Spoken, Wanted, playlist};
use crate::model::same_tongue;
use crate::plan::text::{Source, Telling, body, demand, event, strictness};
use crate::plan::{level, wall};

/// The strictest that some infos ask for.
fn response(infos: &[&cap::Info]) -> Option<cap::ResponseType> {
    let strictest = infos.iter().min_by_key(|info| demand(info))?;
    let responses = strictest.response_types.iter().copied();
    responses.min_by_key(|response| strictness(*response))
}

/// What a recording for this alert would have to be about; nothing where there is nothing that could be recorded.
fn wanted(alert: &cap::Alert, infos: &[&cap::Info]) -> Option<Wanted> {
    (!infos.is_empty()).then(|| Wanted {
        event: event(alert),
        level: level(alert),
        response: response(infos),
        drill: wall::is_drill(alert.status),
    })
}

/// The same of an alert as a whole.
pub fn wanted_of(alert: &cap::Alert) -> Option<Wanted> {
    let infos: Vec<_> = alert.infos.iter().collect();
    wanted(alert, &infos)
}

/// What a loudspeaker plays and how often; nothing for any other far end.
pub fn sounded(
    source: &Source<'_>,
    telling: &Telling,
    (infos, language): (&[&cap::Info], &str),
    text: &str,
) -> (Vec<Part>, Option<(u32, u64)>) {
    let Some(languages) = &telling.heard else {
        return (Vec::new(), None);
    };
    let alert = source.alert;
    let wanted = wanted(alert, infos).filter(|_| telling.stock.is_none());
    let asks = wanted
        .as_ref()
        .is_some_and(|w| w.response != Some(cap::ResponseType::AllClear));
    // That something is over does not sound like an alarm.
    let level = if asks { level(alert) } else { Level::Unknown };
    let named = if asks { event(alert) } else { String::new() };
    let row = source.sounds.table.row(&named, level);
    let own = |tag: &str| {
        let hit = |(n, _): &(usize, _)| telling.infos & (1_u64 << n) != 0;
        let all = alert
            .infos
            .iter()
            .enumerate()
            .filter(hit)
            .map(|(_, info)| info);
        let mut own: Vec<_> = all
            .filter(|info| same_tongue(&info.language, tag))
            .collect();
        own.sort_by_key(|info| demand(info));
        let first = own.first().filter(|_| telling.stock.is_none())?;
        let headline = first.headline.as_deref().unwrap_or(&first.event);
        let mark = wall::mark(alert.status);
        Some(format!("{mark}{headline}。{}", body(&own, Style::Spoken)))
    };
    let parts = playlist(
        &row,
        source.recordings,
        &Spoken {
            text,
            language,
            own: &own,
            wanted,
            drill: wall::is_drill(alert.status),
            languages,
        },
    );
    (parts, row.repeat)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use channel::{Authority, Timestamp, Variant};

    use super::*;
    use crate::ledger::recordings::{Act, Clip, Format, Recording, Subject};
    use crate::plan::fixture::{Said, alert};
    use crate::plan::text::{Stock, load, render};
    use crate::plan::{Filings, Sounds, Targets, filing};

    fn recording() -> Recording {
        let act = Act {
            by: "water".into(),
            at: Timestamp(0),
        };
        Recording {
            id: 1,
            of: Subject {
                event: "11A".into(),
                level: None,
                response: None,
                language: "qxs".into(),
                drill: false,
            },
            version: 1,
            clip: Clip {
                document: [7; 32],
                format: Format::M4a,
                bytes: 10,
                millis: 9_000,
            },
            recorded: act.clone(),
            heard: Some(act),
            retired: None,
        }
    }

    fn rendered(said: &[Said<'_>], heard: Option<&[&str]>, stock: Option<Stock>) -> Variant {
        let alert = alert(said);
        let source = Source {
            alert: &alert,
            earlier: Some("山洪红色预警"),
            signature: "平武水利",
            regions_hash: "00",
            language: "zh-CN",
            authority: Authority::County,
            filings: &Filings::default(),
            targets: &Targets::default(),
            sounds: &Sounds::shipped(),
            recordings: &[recording()],
        };
        let telling = Telling {
            kind: "loudspeaker",
            channel: "horn".into(),
            style: Style::Spoken,
            language: "zh-CN".into(),
            infos: u64::MAX,
            stock,
            repeat: None,
            way: filing::Way::Unsaid,
            confirm: false,
            heard: heard.map(|tags| tags.iter().map(|&tag| tag.to_owned()).collect()),
            silent: Vec::new(),
        };
        let document = render(&source, &telling, Timestamp(0)).document;
        load(&document, &Bytes::new()).expect("a text")
    }

    fn kinds(variant: &Variant) -> Vec<String> {
        let kind = |part: &Part| match part {
            Part::Tone { name, .. } => name.clone(),
            Part::Sound { language, .. } => format!("#{language}"),
            Part::Text { language, .. } => language.clone(),
        };
        variant.parts.iter().map(kind).collect()
    }

    #[test]
    fn what_a_loudspeaker_plays_is_kept_with_its_text_and_nobody_else_has_it() {
        let red = || [Said::red("")];
        let horn = rendered(&red(), Some(&["qxs"]), None);
        assert_eq!(kinds(&horn), ["gong-fast", "zh-CN", "#qxs", "zh-CN"]);
        assert_eq!(horn.repeat.map(|(times, _)| times), Some(4));
        assert_eq!(
            kinds(&rendered(&red(), Some(&[]), None)),
            ["gong-fast", "zh-CN"]
        );
        let other = rendered(&red(), None, None);
        assert!(other.parts.is_empty() && other.repeat.is_none());
        assert_eq!(
            other.text, horn.text,
            "the whole text stands beside the pieces"
        );
    }

    #[test]
    fn an_info_in_a_villages_language_is_spoken_where_nothing_was_recorded() {
        let tibetan = Said {
            language: "bo-CN",
            headline: "ཆུ་ལོག",
            ..Said::red("")
        };
        let horn = rendered(&[Said::red(""), tibetan], Some(&["bod", "qxs"]), None);
        assert_eq!(kinds(&horn), ["gong-fast", "zh-CN", "bod", "#qxs", "zh-CN"]);
        let Part::Text { text, .. } = &horn.parts[2] else {
            panic!("{:?}", horn.parts)
        };
        assert!(
            text.starts_with("ཆུ་ལོག。") && !text.contains("山洪"),
            "{text}"
        );
    }

    #[test]
    fn that_something_is_over_does_not_sound_like_an_alarm() {
        let over = rendered(&[Said::red("")], Some(&["qxs"]), Some(Stock::Outside));
        assert_eq!(kinds(&over), ["chime", "zh-CN"]);
        let clear = Said {
            response: "AllClear",
            ..Said::red("")
        };
        let clear = rendered(&[clear], Some(&["qxs"]), None);
        assert_eq!(
            kinds(&clear),
            ["chime", "zh-CN"],
            "no alarm is recorded for it"
        );
        assert_eq!(clear.repeat, None);
    }
}
