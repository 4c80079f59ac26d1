//! The gateway's gauges in Prometheus' text format, 0.0.4: a small closed set. Labels are channels and words of the
//! program, never an alert or a person, so that their number stays small. This module must not count: coverage does.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use channel::Health;

use super::Gate;
use super::caller::Reader;
use super::health::orphans;
use super::openapi::Reading;
use crate::coverage::horns::{self, Card, Stand};
use crate::coverage::shares::tally;
use crate::coverage::words::{of_link, of_look, of_state};
use crate::coverage::{Gauges, gauges};
use crate::ledger::event::{LinkState, Look};
use crate::live::beside;
use crate::model;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Gauges
#[utoipa::path(
    get, path = "/metrics", tag = "gateway", security(("token" = ["read"])),
    responses((status = 200, description = "Prometheus' text format 0.0.4", body = String,
        content_type = "text/plain; version=0.0.4; charset=utf-8"), Reading),
)]
pub async fn metrics(State(gate): State<Arc<Gate>>, _: Reader) -> impl IntoResponse {
    let mut page = Page::default();
    of_house(&mut page, &gate);
    of_alerts(&mut page, &gauges(&gate.ledger, gate.clock.now()));
    of_channels(&mut page, &gate);
    of_refusals(&mut page, &gate);
    of_registry(&mut page, &gate);
    of_speakers(&mut page, &gate).await;
    ([(header::CONTENT_TYPE, FORMAT)], page.0)
}

type Sample<'a> = (Vec<(&'static str, &'a str)>, u64);

#[derive(Default)]
struct Page(String);

impl Page {
    /// One gauge, with all its samples.
    fn gauge<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        self.line(format_args!("# HELP tocsin_{name} {help}"));
        self.line(format_args!("# TYPE tocsin_{name} gauge"));
        for (labels, value) in samples {
            let pair = |(label, text): &(&str, &str)| format!("{label}=\"{}\"", escaped(text));
            let pairs = labels.iter().map(pair).collect::<Vec<_>>().join(",");
            if pairs.is_empty() {
                self.line(format_args!("tocsin_{name} {value}"));
            } else {
                self.line(format_args!("tocsin_{name}{{{pairs}}} {value}"));
            }
        }
    }

    fn one(&mut self, name: &str, help: &str, value: u64) {
        self.gauge(name, help, [(Vec::new(), value)]);
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{text}").expect("a String takes everything");
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

fn of_house(page: &mut Page, gate: &Gate) {
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    let help = "Always 1; the label says which version runs.";
    page.gauge("build_info", help, [(version, 1)]);
    let position = *gate.position.borrow();
    page.one(
        "journal_position",
        "The journal's last committed record.",
        position,
    );
    let looks = gate.ledger.looks();
    page.gauge(
        "console_looks",
        "What was done at the officers' pages, since the journal began.",
        Look::ALL.map(|look| {
            let count = looks.get(&look).copied().unwrap_or(0);
            (vec![("what", of_look(look).0)], count)
        }),
    );
    page.one(
        "clock_jumped",
        "1 while the wall clock stands where it jumped to and is not believed.",
        u64::from(gate.time.jump().is_some()),
    );
    page.one(
        "ported_numbers",
        "Endpoints of which a far end's answer has told whose network they are on, or not.",
        gate.ledger.ported.count() as u64,
    );
    let damaged = gate.ledger.damage().len() as u64;
    page.one(
        "damaged_streams",
        "Alerts whose journal is damaged: nothing more of them is sent.",
        damaged,
    );
}

fn of_alerts(page: &mut Page, gauges: &Gauges) {
    let standings = gauges.standings.iter();
    page.gauge(
        "open_alerts",
        "Alerts that are not sealed, by where they stand.",
        standings.map(|(standing, count)| (vec![("standing", *standing)], *count)),
    );
    let states = gauges.channels.iter().flat_map(|(channel, load)| {
        let states = model::State::ALL.iter().zip(load.states);
        states.map(move |(state, count)| {
            let state = of_state(*state).0;
            (vec![("channel", channel.as_str()), ("state", state)], count)
        })
    });
    page.gauge(
        "deliveries",
        "Deliveries of open alerts, by channel and state.",
        states,
    );
    let loads = gauges.channels.iter();
    page.gauge(
        "deliveries_reached",
        "Deliveries of open alerts with more than acceptance, whatever their state.",
        loads.map(|(channel, load)| (vec![("channel", channel.as_str())], load.reached)),
    );
    let loads = gauges.channels.iter();
    page.gauge(
        "deliveries_rerouted",
        "Deliveries of open alerts that go by this account instead of another of its route.",
        loads.map(|(channel, load)| (vec![("channel", channel.as_str())], load.rerouted)),
    );
}

fn of_channels(page: &mut Page, gate: &Gate) {
    let up = gate.channels.iter().map(|(name, channel)| {
        let labels = vec![
            ("channel", name.as_str()),
            ("kind", channel.capability().kind),
        ];
        (labels, u64::from(channel.health() == Health::Up))
    });
    page.gauge("channel_up", "1 where the channel says that it is up.", up);
    let links = gate.ledger.links();
    let states = gate.channels.keys().flat_map(|name| {
        let noted = links.get(name).map(|(state, ..)| *state);
        let all = [LinkState::Up, LinkState::Paused, LinkState::Probing];
        all.map(|state| {
            let labels = vec![("channel", name.as_str()), ("state", of_link(state).0)];
            (labels, u64::from(noted == Some(state)))
        })
    });
    page.gauge(
        "channel_link",
        "1 at the state of the link that was noted last; 0 at all where none was.",
        states,
    );
    let orphans = orphans(gate);
    let counts = gate.channels.keys().map(|name| {
        let count = orphans.get(name).copied().unwrap_or(0);
        (vec![("channel", name.as_str())], count as u64)
    });
    page.gauge(
        "orphan_receipts",
        "Receipts that have matched no delivery for a minute.",
        counts,
    );
    let strays = gate.ledger.strays.counts();
    let counts = gate.channels.keys().map(|name| {
        let count = strays.get(name).copied().unwrap_or(0);
        (vec![("channel", name.as_str())], count)
    });
    page.gauge(
        "stray_replies",
        "What people wrote that answers no alert, since the journal began.",
        counts,
    );
    page.one(
        "suspect_endpoints",
        "Endpoints of which a far end has said that nobody is there.",
        gate.ledger.suspects.len() as u64,
    );
}

fn of_refusals(page: &mut Page, gate: &Gate) {
    let refused: Vec<_> = gate.channels.iter().collect();
    let refused = refused.iter().flat_map(|(name, channel)| {
        let refused = channel.refused().into_iter();
        refused.map(move |(why, count)| (vec![("channel", name.as_str()), ("why", why)], count))
    });
    page.gauge(
        "refused_calls",
        "Calls of far ends that were refused since the start, by why.",
        refused,
    );
    let refused = gate.relay.refused().into_iter();
    page.gauge(
        "refused_earthquake_reports",
        "Reports on earthquakes that were refused since the start, by why.",
        refused.map(|(why, count)| (vec![("why", why)], count)),
    );
    let shut = gate.keepers.as_ref().map(|keepers| keepers.refused());
    page.gauge(
        "refused_keeper_links",
        "Calls by links of loudspeakers' keepers that were refused since the start, by why.",
        shut.into_iter()
            .flatten()
            .map(|(why, count)| (vec![("why", why)], count)),
    );
}

fn of_registry(page: &mut Page, gate: &Gate) {
    let registry = gate.registry();
    let generation = u64::from(registry.generation());
    page.one(
        "registry_generation",
        "The generation of the registry in use.",
        generation,
    );
    let counts = serde_json::to_value(registry.counts()).expect("plain counts serialise");
    let rows = counts.as_object().into_iter().flatten();
    page.gauge(
        "registry_rows",
        "How much the registry holds, by what it is.",
        rows.map(|(of, count)| (vec![("of", of.as_str())], count.as_u64().unwrap_or(0))),
    );
}

/// With their neighbours they take a moment: they are looked at beside the connections.
async fn of_speakers(page: &mut Page, gate: &Gate) {
    let (ledger, registry, now) = (gate.ledger.clone(), gate.registry(), gate.clock.now());
    let tallied = beside(move || tally(&horns::everywhere(&ledger, &registry, now)));
    let tally = tallied.await;
    page.gauge(
        "speakers",
        "Loudspeakers of the registry, by how each stands.",
        Stand::ALL.map(|stand| {
            let count = tally.stands[stand as usize];
            (vec![("state", stand.name())], count)
        }),
    );
    page.gauge(
        "speaker_cards",
        "SIM cards of loudspeakers, by how long they are good; soon is thirty days or less.",
        Card::ALL.map(|card| (vec![("card", card.name())], tally.cards[card as usize])),
    );
    page.one(
        "speakers_under_repair",
        "Loudspeakers with an open repair.",
        tally.under_repair,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_escaped() {
        let mut page = Page::default();
        let labels = vec![("channel", "a\\b\"c\nd")];
        page.gauge("x", "Of a test.", [(labels, 3)]);
        let wanted = "# HELP tocsin_x Of a test.\n# TYPE tocsin_x gauge\ntocsin_x{channel=\"a\\\\b\\\"c\\nd\"} 3\n";
        assert_eq!(page.0, wanted);
    }
}
