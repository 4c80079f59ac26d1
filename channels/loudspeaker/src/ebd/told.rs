//! What the platform's word on a message means for each place that it went to. Pure. An aggregate of many villages proves
//! no single one: it is progress, and who was reached stays unknown. This module must not take part of a warning for it.

use channel::{Evidence, FailureClass, Of, Receipt, Timestamp, Verdict};

use super::book::{Ending, Open, PLAYED};
use super::names::{area_of, is_village};
use super::state::{Brd, Item, StateReport};

/// As the views show it: `held` is 待播控审核.
pub const HELD: &str = "held";

/// By the place among those that the message went to; `codes_tell`: a terminal's code tells its village.
pub fn receipts(
    report: &StateReport,
    open: &Open,
    codes_tell: bool,
    seen: Timestamp,
) -> Vec<(usize, Receipt)> {
    let ours = open.ending != Ending::Stands;
    let one = |at: usize| {
        let address = open.to[at].1.expose();
        let own = report
            .items
            .iter()
            .filter(|item| is_of(item, address, codes_tell));
        let best = own.max_by_key(|item| weight(item.state));
        if best.is_none() && !speaks_of(report, address) {
            return None;
        }
        let (verdict, code) = match best {
            Some(item) => of_one(item.state, ours),
            None if is_alone(report, open, address) => of_one(report.state, ours),
            None => of_many(report, ours),
        };
        let receipt = Receipt {
            of: Of::Reference(open.reference(at)),
            verdict,
            code: code.into(),
            // A log says it of each record alone.
            far: report
                .at
                .or_else(|| best.and_then(|item| item.end.or(item.start))),
            seen,
        };
        Some((at, receipt))
    };
    (0..open.to.len()).filter_map(one).collect()
}

/// A report that lists areas is of those and what lies in them; another is of all that the message went to.
fn speaks_of(report: &StateReport, address: &str) -> bool {
    let areas = report.coverage.as_ref().map_or(&[][..], |c| &c.areas);
    let area = area_of(address).unwrap_or(address);
    // `0` is the whole country.
    let holds = |code: &String| area.starts_with(code.trim_end_matches('0'));
    areas.is_empty() || areas.iter().any(holds)
}

/// The resource itself, or a terminal of the village.
fn is_of(item: &Item, address: &str, codes_tell: bool) -> bool {
    let Some(resource) = item.resource.as_deref() else {
        return false;
    };
    let of_village = || codes_tell && is_village(address) && area_of(resource) == Some(address);
    resource == address || of_village()
}

/// What one terminal of a village played, the village heard.
fn weight(state: Brd) -> u8 {
    match state {
        Brd::Unknown(_) => 0,
        Brd::Held => 1,
        Brd::Cancelled => 2,
        Brd::Failed => 3,
        Brd::Waiting => 4,
        Brd::Playing => 5,
        Brd::Played => 6,
    }
}

/// The platform speaks of this one place: by its code alone, or because the message had no other; and of all of it.
fn is_alone(report: &StateReport, open: &Open, address: &str) -> bool {
    let Some(coverage) = &report.coverage else {
        return open.to.len() == 1 && report.state != Brd::Played;
    };
    let named = match coverage.areas.as_slice() {
        [] => open.to.len() == 1,
        [one] => one == address,
        _ => false,
    };
    // A play of less than all proves none of it.
    let whole = coverage.rate.is_some_and(|rate| rate >= 1.0);
    named && (whole || report.state != Brd::Played)
}

fn of_one(state: Brd, ours: bool) -> (Verdict, &'static str) {
    match state {
        Brd::Played => (Verdict::Reached(Evidence::Acknowledged), PLAYED),
        Brd::Failed => (Verdict::Refused(FailureClass::Transient), "failed"),
        // Somebody at the platform took it off: trying again would be no use.
        Brd::Cancelled if !ours => (Verdict::Refused(FailureClass::BadContent), "cancelled"),
        _ => (Verdict::Progress, progress(state)),
    }
}

fn of_many(report: &StateReport, ours: bool) -> (Verdict, &'static str) {
    let rate = report.coverage.as_ref().and_then(|coverage| coverage.rate);
    match report.state {
        Brd::Played => (Verdict::Progress, "played-somewhere"),
        // Nothing says that any part of it sounded.
        Brd::Failed if rate.is_none_or(|rate| rate <= 0.0) && report.items.is_empty() => {
            of_one(Brd::Failed, ours)
        }
        Brd::Failed => (Verdict::Progress, "failed-somewhere"),
        state => of_one(state, ours),
    }
}

const fn progress(state: Brd) -> &'static str {
    match state {
        Brd::Held => HELD,
        Brd::Waiting => "waiting",
        Brd::Playing => "playing",
        Brd::Played => PLAYED,
        Brd::Failed => "failed",
        Brd::Cancelled => "cancelled",
        Brd::Unknown(_) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use channel::{Address, Key};

    use super::super::state::Coverage;
    use super::*;

    const A: &str = "510727217201";
    const B: &str = "510727217202";
    const T: &str = "65107272172010314010101";

    fn open(to: &[&str]) -> Open {
        let key = |at: usize| Key {
            alert: 7,
            delivery: u32::try_from(at).expect("few"),
            generation: 0,
        };
        Open {
            id: "1".into(),
            alert: 7,
            to: to
                .iter()
                .enumerate()
                .map(|(at, a)| (key(at), Address::new(*a)))
                .collect(),
            sent: Timestamp(0),
            expires: Timestamp(1),
            doubt: None,
            taken: true,
            state: None,
            heard: Duration::ZERO,
            held: None,
            alarmed: false,
            ending: Ending::Stands,
            ebm: None,
            said: BTreeMap::new(),
            log_asked: Duration::ZERO,
            logged: false,
        }
    }

    fn said(
        state: Brd,
        coverage: Option<(&[&str], Option<f64>)>,
        items: &[(&str, Brd)],
    ) -> StateReport {
        StateReport {
            at: None,
            ebm: "1".into(),
            state,
            coverage: coverage.map(|(areas, rate)| Coverage {
                rate,
                areas: areas.iter().map(|a| (*a).to_owned()).collect(),
                counts: None,
            }),
            items: items
                .iter()
                .map(|(id, state)| Item {
                    resource: Some((*id).to_owned()),
                    state: *state,
                    start: None,
                    end: None,
                    file: None,
                })
                .collect(),
        }
    }

    fn codes(report: &StateReport, open: &Open) -> Vec<String> {
        let told = receipts(report, open, true, Timestamp(9));
        let show = |(_, receipt): (usize, Receipt)| {
            let mark = match receipt.verdict {
                Verdict::Reached(Evidence::Acknowledged) => "+",
                Verdict::Reached(_) => "?",
                Verdict::Refused(FailureClass::BadContent) => "!",
                Verdict::Refused(_) => "-",
                Verdict::Progress => "",
            };
            format!("{mark}{}", receipt.code)
        };
        told.into_iter().map(show).collect()
    }

    #[test]
    fn only_what_names_a_place_and_all_of_it_proves_a_play() {
        use Brd::{Cancelled, Failed, Held, Played, Playing, Waiting};
        let (two, one) = (open(&[A, B]), open(&[A]));
        let all: &[&str] = &[A, B];
        for (open, report, wanted) in [
            (&two, said(Held, None, &[]), ["held", "held"].as_slice()),
            (&two, said(Waiting, None, &[]), &["waiting", "waiting"]),
            (
                &two,
                said(Playing, Some((all, Some(0.5))), &[]),
                &["playing", "playing"],
            ),
            // Both, and whole: still not each.
            (
                &two,
                said(Played, Some((all, Some(1.0))), &[]),
                &["played-somewhere", "played-somewhere"],
            ),
            (
                &two,
                said(Played, None, &[]),
                &["played-somewhere", "played-somewhere"],
            ),
            (
                &two,
                said(Played, Some((&[B], Some(1.0))), &[]),
                &["+played"],
            ),
            (
                &two,
                said(Played, Some((&[B], Some(0.99))), &[]),
                &["played-somewhere"],
            ),
            (
                &two,
                said(Played, Some((&[B], None)), &[]),
                &["played-somewhere"],
            ),
            (&two, said(Held, Some((&[B], None)), &[]), &["held"]),
            (
                &two,
                said(Held, Some((&["510727217000"], None)), &[]),
                &["held", "held"],
            ),
            (&two, said(Held, Some((&["510727218000"], None)), &[]), &[]),
            (
                &one,
                said(Played, Some((&[], Some(1.0))), &[]),
                &["+played"],
            ),
            (&one, said(Played, None, &[]), &["played-somewhere"]),
            (
                &two,
                said(Playing, None, &[(T, Played), (B, Failed)]),
                &["+played", "-failed"],
            ),
            (
                &two,
                said(Playing, None, &[(T, Playing)]),
                &["playing", "playing"],
            ),
            (&two, said(Failed, None, &[]), &["-failed", "-failed"]),
            (
                &two,
                said(Failed, Some((all, Some(0.4))), &[]),
                &["failed-somewhere", "failed-somewhere"],
            ),
            (
                &two,
                said(Failed, None, &[(T, Played)]),
                &["+played", "failed-somewhere"],
            ),
            (
                &two,
                said(Cancelled, None, &[]),
                &["!cancelled", "!cancelled"],
            ),
            (
                &two,
                said(Brd::Unknown(9), None, &[]),
                &["unknown", "unknown"],
            ),
        ] {
            assert_eq!(codes(&report, open), wanted, "{report:?}");
        }
        let cancelled = Open {
            ending: Ending::Named,
            ..open(&[A])
        };
        assert_eq!(
            codes(&said(Cancelled, None, &[]), &cancelled),
            ["cancelled"]
        );
        let terminal = open(&[T]);
        assert_eq!(
            codes(&said(Playing, None, &[(T, Played)]), &terminal),
            ["+played"]
        );
    }

    #[test]
    fn a_terminal_proves_no_village_where_codes_tell_none() {
        let report = said(Brd::Playing, None, &[(T, Brd::Played)]);
        let told = receipts(&report, &open(&[A]), false, Timestamp(0));
        assert_eq!(told[0].1.verdict, Verdict::Progress);
    }
}
