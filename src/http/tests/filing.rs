//! What of the texts is on file and what is not: as findings, as a refusal, and in the figures of a preview; and a month
//! whose text messages are spent.

use super::*;
use crate::ledger::event::{Born, Spent};
use crate::model::Month;

fn filings(list: &[&str]) -> Filings {
    let read = |text: &&str| {
        let filing = toml::from_str(&format!("signature = \"water\"\n{text}"));
        ("echo".to_owned(), filing.expect("a filing"))
    };
    Filings::new(list.iter().map(read))
}

const OTHER: &str = "state = \"filed\"\ntemplates = [{ id = \"T-1\", text = \"{}演习通知。{}\" }]";
const OWN: &str = "state = \"filed\"\ntemplates = [{ id = \"T-1\", text = \"{}演习通知。{}\" }, { id = \"T-2\", text = \"{}预警。{}。有效至{}。\" }]";

/// The findings of the house itself, by rule.
fn remarks(answer: &Value) -> Vec<(&str, &str)> {
    let findings = answer["findings"].as_array().expect("a list").iter();
    let text = |finding: &'_ Value, key: &str| -> String {
        finding[key].as_str().expect("a text").to_owned()
    };
    for finding in findings.clone() {
        assert!(!text(finding, "zh").is_empty());
    }
    let own = findings.filter_map(|f| Some((f["rule"].as_str()?, f["level"].as_str()?)));
    own.filter(|(rule, _)| rule.starts_with("Tocsin/"))
        .collect()
}

impl Surface {
    async fn posted(&self, path: &str, body: &str) -> (u16, Value) {
        let reply = self.call("POST", path, "water", body.as_bytes()).await;
        (reply.status, json_of(&reply))
    }
}

const PREVIEW: &str = "/v1/alerts?preview=true";

#[tokio::test]
async fn a_text_that_fits_no_template_is_refused_in_the_preview_and_taken_with_an_error() {
    let surface = Surface::with(|want| want.filings = filings(&[OTHER])).await;
    let warning = cap("a-1", "510727");
    let (status, shown) = surface.posted(PREVIEW, &warning).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(remarks(&shown), [("Tocsin/filing/no-template", "error")]);
    let numbers = &shown["numbers"][0];
    let refusal = &numbers["refused"][0];
    assert_eq!(refusal["reason"], "filing:no-template", "{shown}");
    let all: u64 = numbers["by_carrier"]
        .as_object()
        .expect("carriers")
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert!(
        all > 0 && refusal["numbers"] == all,
        "every number: {numbers}"
    );
    assert_eq!(shown["homes"]["delivered"], 0);
    let (status, taken) = surface.posted("/v1/alerts", &warning).await;
    assert_eq!((status, &taken["born"]), (202, &json!("live")), "{taken}");
    assert_eq!(remarks(&taken), [("Tocsin/filing/no-template", "error")]);
    surface.stop().await;
}

#[tokio::test]
async fn a_strict_bureau_is_refused_and_told_why_in_both_languages() {
    let strict = |want: &mut Want| (want.filings, want.strict) = (filings(&[OTHER]), true);
    let surface = Surface::with(strict).await;
    let before = *surface.writer.position().borrow();
    for path in [PREVIEW, "/v1/alerts"] {
        let (status, refused) = surface.posted(path, &cap("a-1", "510727")).await;
        assert_eq!(
            (status, &refused["type"]),
            (422, &json!("/problems/not-filed")),
            "{refused}"
        );
        let finding = &refused["findings"].as_array().expect("findings").last();
        let finding = finding.expect("one");
        assert!(
            finding["zh"].as_str().expect("zh").contains("报备"),
            "{finding}"
        );
    }
    assert_eq!(
        *surface.writer.position().borrow(),
        before,
        "nothing changed"
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_text_that_is_on_file_goes_by_its_template_and_nothing_is_said() {
    let surface = Surface::with(|want| want.filings = filings(&[OWN])).await;
    let (status, shown) = surface.posted(PREVIEW, &cap("a-1", "510727")).await;
    assert_eq!((status, remarks(&shown)), (200, vec![]), "{shown}");
    assert_eq!(shown["texts"][0]["template"], "T-2");
    assert_eq!(shown["numbers"][0]["refused"], json!([]));
    surface.stop().await;
}

#[tokio::test]
async fn a_signature_that_is_not_filed_or_not_any_more_is_named() {
    for (list, rule) in [
        ([].as_slice(), None),
        (&["state = \"pending\""], Some("Tocsin/filing/not-in-force")),
        (
            &["state = \"filed\"\nuntil = \"2020-01-31\""],
            Some("Tocsin/filing/not-in-force"),
        ),
    ] {
        let surface = Surface::with(|want| want.filings = filings(list)).await;
        let (_, shown) = surface.posted(PREVIEW, &cap("a-1", "510727")).await;
        let rules: Vec<_> = remarks(&shown).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, rule.into_iter().collect::<Vec<_>>(), "{list:?}");
        surface.stop().await;
    }
    let other = |want: &mut Want| {
        let filing = toml::from_str("signature = \"met\"\nstate = \"filed\"");
        let pair = ("echo".to_owned(), filing.expect("a filing"));
        want.filings = Filings::new([pair].into_iter());
    };
    let surface = Surface::with(other).await;
    let (_, shown) = surface.posted(PREVIEW, &cap("a-1", "510727")).await;
    assert_eq!(remarks(&shown), [("Tocsin/filing/not-filed", "error")]);
    surface.stop().await;
}

#[tokio::test]
async fn a_lifting_is_taken_whatever_is_on_file() {
    let strict = |want: &mut Want| (want.filings, want.strict) = (filings(&[OTHER]), true);
    let surface = Surface::with(strict).await;
    let lifting = "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>c-1</identifier>\
        <sender>water@pingwu.example</sender><sent>2026-07-14T09:30:00+08:00</sent><status>Actual</status>\
        <msgType>Cancel</msgType><scope>Public</scope>\
        <references>water@pingwu.example,a-1,2026-07-14T09:00:00+08:00</references></alert>";
    let (status, taken) = surface.posted("/v1/alerts", lifting).await;
    assert_eq!(status, 202, "{taken}");
    surface.stop().await;
}

fn yellow(identifier: &str) -> String {
    cap(identifier, "510727").replace("Extreme", "Moderate")
}

impl Surface {
    /// With a budget of 1,000 segments a month, of which so many are spent.
    async fn with_spent(segments: u64) -> Self {
        let budget = toml::from_str("segments_per_month = 1000").expect("a budget");
        let surface = Self::with(|want| want.budget = Some(budget)).await;
        surface.spend(segments).await;
        surface
    }

    async fn spend(&self, segments: u64) {
        let spent = Spent {
            bureau: "water".into(),
            month: Month::of(self.clock.now()),
            alert: 1,
            step: 0,
            segments,
        };
        self.propose(0, vec![Event::Spent(spent)]).await;
    }

    async fn budget(&self) -> Value {
        let all = self.get("/v1/bureaus/budget").await;
        let bureaus = all["bureaus"].as_array().expect("a list").iter();
        let mut own = bureaus.filter(|b| b["bureau"] == "water");
        own.next().expect("it has one").clone()
    }

    async fn lacks(&self) -> Vec<String> {
        let reply = self.call("GET", "/readyz", "", b"").await;
        let body = json_of(&reply);
        let reasons = body["reasons"].as_array().expect("a list").iter();
        let own = reasons.map(|r| r["reason"].as_str().expect("a word").to_owned());
        own.filter(|r| r == "budget" || r == "filing").collect()
    }
}

#[tokio::test]
async fn a_month_that_is_nearly_spent_is_told_of_and_holds_nothing() {
    let surface = Surface::with_spent(799).await;
    let (_, free) = surface.posted("/v1/alerts", &yellow("a-1")).await;
    assert_eq!((&free["born"], remarks(&free)), (&json!("live"), vec![]));
    assert_eq!(
        (
            surface.lacks().await,
            surface.budget().await["state"].clone()
        ),
        (vec![], json!("free"))
    );
    surface.spend(1).await;
    let (_, near) = surface.posted("/v1/alerts", &yellow("a-2")).await;
    assert_eq!(
        (&near["born"], remarks(&near)),
        (&json!("live"), vec![("Tocsin/budget/near", "warning")])
    );
    assert_eq!(surface.lacks().await, ["budget"]);
    let view = surface.budget().await;
    assert_eq!(
        (
            &view["spent"],
            &view["limit"],
            &view["warns_at"],
            &view["state"]
        ),
        (&json!(800), &json!(1000), &json!(800), &json!("near"))
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_spent_month_holds_the_low_levels_for_a_person_and_never_the_high() {
    let surface = Surface::with_spent(1_000).await;
    let (_, shown) = surface.posted(PREVIEW, &yellow("a-1")).await;
    assert_eq!(shown["born"], "quarantined", "{shown}");
    let (status, held) = surface.posted("/v1/alerts", &yellow("a-1")).await;
    assert_eq!((status, &held["born"]), (202, &json!("quarantined")));
    assert_eq!(remarks(&held), [("Tocsin/budget/held", "warning")]);
    let one = surface.get("/v1/quarantine/1").await;
    assert_eq!(
        remarks(&one),
        [("Tocsin/budget/held", "warning")],
        "and later too"
    );
    let (_, red) = surface.posted("/v1/alerts", &cap("a-2", "510727")).await;
    assert_eq!(
        (&red["born"], remarks(&red)),
        (&json!("live"), vec![("Tocsin/budget/near", "warning")])
    );
    let orange = cap("a-3", "510727").replace("Extreme", "Severe");
    let (_, orange) = surface.posted("/v1/alerts", &orange).await;
    assert_eq!(orange["born"], "live");
    let drill = yellow("a-4").replace("Actual", "Exercise");
    let (_, drill) = surface.posted("/v1/alerts", &drill).await;
    assert_eq!(drill["born"], "live", "{drill}");
    // A person lets it go.
    let say = surface.call(
        "POST",
        "/v1/alerts/1/decision",
        "decider",
        br#"{"decision": "release"}"#,
    );
    assert_eq!(say.await.status, 200);
    let alert = surface.gate.ledger.alert(1).expect("it is open");
    assert!(alert.is_live() && alert.meta.born == Born::Quarantined);
    surface.stop().await;
}

#[tokio::test]
async fn an_update_of_what_was_sent_goes_in_a_spent_month_too() {
    let surface = Surface::with_spent(0).await;
    surface.posted("/v1/alerts", &yellow("a-1")).await;
    surface.spend(5_000).await;
    let update = yellow("a-2").replace("<msgType>Alert", "<msgType>Update").replace(
        "<scope>Public</scope>",
        "<scope>Public</scope><references>water@pingwu.example,a-1,2026-07-14T09:00:00+08:00</references>",
    );
    let (status, taken) = surface.posted("/v1/alerts", &update).await;
    assert_eq!((status, &taken["born"]), (202, &json!("live")), "{taken}");
    surface.stop().await;
}

#[tokio::test]
async fn a_new_month_begins_at_sixteen_hours_utc_with_nothing_spent() {
    let surface = Surface::with_spent(1_000).await;
    let month = surface.get("/v1/bureaus/budget").await["month"].clone();
    assert_eq!(
        (month, surface.budget().await["state"].clone()),
        (json!("2026-07"), json!("spent"))
    );
    let turn: crate::model::Day = "2026-07-31".parse().expect("a day");
    let left = turn.end().since(surface.clock.now());
    surface
        .clock
        .advance(left.saturating_sub(Duration::from_millis(1)));
    assert_eq!(surface.budget().await["spent"], 1_000);
    surface.clock.advance(Duration::from_millis(1));
    let month = surface.get("/v1/bureaus/budget").await["month"].clone();
    assert_eq!(
        (month, surface.budget().await["spent"].clone()),
        (json!("2026-08"), json!(0))
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_bureau_sees_its_own_month_and_those_below_it() {
    let surface = Surface::with_spent(7).await;
    let bureaus = |token: &'static str| {
        let call = surface.call("GET", "/v1/bureaus/budget", token, b"");
        async move {
            let body = json_of(&call.await);
            let all = body["bureaus"].as_array().expect("a list").clone();
            let of = |b: &Value| b["bureau"].as_str().expect("an id").to_owned();
            all.iter().map(of).collect::<Vec<_>>()
        }
    };
    let town = bureaus("town").await;
    assert!(
        town.contains(&"town".into()) && !town.contains(&"water".into()),
        "{town:?}"
    );
    let county = bureaus("water").await;
    assert!(
        county.contains(&"town".into()) && !county.contains(&"far".into()),
        "{county:?}"
    );
    let reply = surface.call("GET", "/v1/bureaus/budget", "mute", b"").await;
    assert_eq!(reply.status, 403);
    surface.stop().await;
}

#[tokio::test]
async fn a_filing_that_ends_soon_degrades() {
    let ends = "state = \"filed\"\nuntil = \"2026-08-01\"";
    let surface = Surface::with(|want| want.filings = filings(&[ends])).await;
    assert_eq!(surface.lacks().await, ["filing"]);
    surface.stop().await;
    let surface = Surface::with(|want| want.filings = filings(&["state = \"filed\""])).await;
    assert_eq!(surface.lacks().await, [""; 0]);
    surface.stop().await;
}
