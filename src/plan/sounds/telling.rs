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
