//! In which words: one finished text for each channel kind and language, from the infos that hit. The first info is the
//! most severe; later ones are appended. Texts are rendered once, kept as documents, and shared by all deliveries. This
//! module must not encode for a protocol.

use bytes::Bytes;
use channel::{Attachment, Authority, Level, Part, Style, Timestamp, Variant};
use serde::{Deserialize, Serialize};

use super::compare::{Gist, Said};
use super::confirm;
use super::filing::{Filings, Way};
use super::rules::Repeat;
use super::silence::unheard;
use super::sounds::{Sounds, sounded};
use super::target::Targets;
use super::wall;
use crate::ledger::event::Bar;
use crate::ledger::recordings::Recording;

/// What is told: by which kind of channel, in which language, out of which infos.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Telling {
    pub kind: &'static str,
    /// What a text costs is each account's own.
    pub channel: String,
    pub style: Style,
    pub language: String,
    /// Bit set over the alert's infos; 0 where there is none (a Cancel).
    pub infos: u64,
    pub stock: Option<Stock>,
    /// How often a loudspeaker plays it, where the plan says.
    pub repeat: Option<Repeat>,
    /// What is filed of it.
    pub way: Way,
    /// It says how to confirm.
    pub confirm: bool,
    /// Of a loudspeaker: what its village hears before Mandarin.
    pub heard: Option<Vec<String>>,
    /// The villages that nobody is heard from, for `Stock::Silent`.
    pub silent: Vec<String>,
}

/// Words for what an alert itself does not say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stock {
    /// A Cancel: the earlier warning no longer stands.
    Lifted,
    /// The warning stands elsewhere, no longer here.
    Outside,
    /// The earlier warning should never have been issued.
    Revoked,
    /// Nobody is heard from in these villages; whoever reads it is to find out.
    Silent,
}

/// A rendered text as it lies among the documents.
#[derive(Serialize, Deserialize)]
pub(super) struct Text {
    pub(super) language: String,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) html: Option<String>,
    pub(super) level: Level,
    pub(super) event: String,
    pub(super) regions_hash: String,
    pub(super) drill: bool,
    pub(super) attach: bool,
    /// How often it is played, and seconds between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) repeat: Option<(u32, u64)>,
    /// What a later text is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) said: Option<Said>,
    /// Whose warning it is; documents from before have none.
    #[serde(default)]
    pub(super) authority: Authority,
    /// Under which id the account has it on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) template: Option<String>,
    /// Codes of the regions that it names; documents from before have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) areas: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) onset: Option<Timestamp>,
    /// CAP's response type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<String>,
    /// What a loudspeaker plays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
}

/// A text as it is to be kept.
pub struct Rendered {
    pub document: Vec<u8>,
    /// Until when it stands.
    pub expires: Timestamp,
    /// Why it may not be sent.
    pub bar: Option<Bar>,
}

/// What texts are made from.
pub struct Source<'a> {
    pub alert: &'a cap::Alert,
    /// The earlier headline, for stock texts.
    pub earlier: Option<&'a str>,
    /// 平武水利, without its brackets.
    pub signature: &'a str,
    pub regions_hash: &'a str,
    /// The plan's language, for whom no info speaks theirs.
    pub language: &'a str,
    /// Whose warning it is.
    pub authority: Authority,
    pub filings: &'a Filings,
    pub targets: &'a Targets,
    pub sounds: &'a Sounds,
    /// Those of the library that are used.
    pub recordings: &'a [Recording],
}

impl Source<'_> {
    /// Those of the alert's regions in which one of these infos hits, as short as the canonical list is and never wider.
    fn areas(&self, infos: u64) -> Vec<String> {
        let regions = self.targets.regions.iter();
        let hit = regions.filter(|region| self.targets.infos_under(**region) & infos != 0);
        hit.map(ToString::to_string).collect()
    }
}

/// The infos of `hits` in the language of the recipient, else in the plan's, else in whichever there is.
fn speaking<'a>(
    alert: &'a cap::Alert,
    usual: &str,
    (hits, language): (u64, &str),
) -> Vec<&'a cap::Info> {
    let hit = |n: &usize| hits & (1_u64 << n) != 0;
    let infos: Vec<&cap::Info> = alert
        .infos
        .iter()
        .enumerate()
        .filter(|(n, _)| hit(n))
        .map(|(_, i)| i)
        .collect();
    let in_language = |wanted: &str| -> Vec<&'a cap::Info> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or("").to_lowercase();
        let exact = infos
            .iter()
            .filter(|i| i.language.eq_ignore_ascii_case(wanted));
        let exact: Vec<_> = exact.copied().collect();
        if exact.is_empty() {
            infos
                .iter()
                .filter(|i| primary(&i.language) == primary(wanted))
                .copied()
                .collect()
        } else {
            exact
        }
    };
    let mut chosen = in_language(language);
    if chosen.is_empty() {
        chosen = in_language(usual);
    }
    if chosen.is_empty() {
        chosen.clone_from(&infos);
    }
    // What nobody translated is not left out where it asks for more.
    let least = chosen.iter().map(|i| demand(i)).min();
    let stricter = |own: Vec<&'a cap::Info>| -> Vec<&'a cap::Info> {
        let more = own.into_iter();
        more.filter(|i| least.is_some_and(|least| demand(i) < least))
            .collect()
    };
    let mut more = stricter(in_language(usual));
    if more.is_empty() {
        more = stricter(infos);
    }
    chosen.extend(more);
    chosen.sort_by_key(|i| (demand(i), i.urgency, i.onset.map(|t| t.unix)));
    chosen
}

/// What an info asks of people, the strictest first: to leave, to go inside, to keep away; then by severity.
pub(super) fn demand(info: &cap::Info) -> (u8, cap::Severity) {
    let responses = info.response_types.iter().copied();
    let response = responses.map(strictness).min();
    (response.unwrap_or(3), info.severity)
}

pub(super) const fn strictness(response: cap::ResponseType) -> u8 {
    match response {
        cap::ResponseType::Evacuate => 0,
        cap::ResponseType::Shelter => 1,
        cap::ResponseType::Avoid => 2,
        cap::ResponseType::AllClear => 4,
        _ => 3,
    }
}

/// Renders one telling.
pub fn render(source: &Source<'_>, telling: &Telling, fallback: Timestamp) -> Rendered {
    let said = (telling.infos, telling.language.as_str());
    let infos = speaking(source.alert, source.language, said);
    let mark = wall::mark(source.alert.status);
    let headline = headline(source, telling, &infos);
    let body = match telling.stock {
        Some(Stock::Outside) => "您所在地区已不在预警范围内,请继续关注最新信息。".to_owned(),
        Some(Stock::Revoked) if infos.is_empty() => {
            "该预警系误发,现已撤销,请以最新信息为准。".to_owned()
        }
        Some(Stock::Lifted) if infos.is_empty() => "该预警已撤销,请以最新信息为准。".to_owned(),
        Some(Stock::Silent) => unheard(&telling.silent, &telling.language),
        _ => body(&infos, telling.style),
    };
    let expires = infos.iter().filter_map(|i| i.ends()).max_by_key(|t| t.unix);
    let until = expires
        .map(|t| format!("有效至{}。", clock(t)))
        .unwrap_or_default();
    let language = infos.first().map_or(&telling.language, |i| &i.language);
    let asked = telling.confirm.then(|| confirm::sentence(language));
    let reply = asked.unwrap_or_default();
    let words = match telling.style {
        Style::Short => format!(
            "【{}】{mark}{headline}。{body}{until}{reply}",
            source.signature
        ),
        Style::Spoken => format!("{mark}{headline}。{body}"),
        Style::Letter => format!("{mark}{headline}\n\n{body}\n{until}\n{}", source.signature),
    };
    let filed = filed(source.filings, telling.way, &words);
    let (parts, repeat) = sounded(source, telling, (&infos, language), &words);
    let text = Text {
        language: language.clone(),
        title: format!("{mark}{headline}"),
        body: words,
        html: None,
        level: super::level(source.alert),
        event: event(source.alert),
        regions_hash: source.regions_hash.to_owned(),
        drill: wall::is_drill(source.alert.status),
        attach: telling.style == Style::Letter,
        repeat: repeated(telling).or(repeat),
        said: telling.stock.map_or_else(
            || Some(warned(source, &infos, fallback)),
            |stock| (stock != Stock::Silent).then_some(Said::Over),
        ),
        authority: source.authority,
        template: filed.as_ref().ok().cloned().flatten(),
        areas: source.areas(telling.infos),
        onset: onset(&infos),
        response: response(telling.stock, &infos),
        parts,
    };
    Rendered {
        document: serde_json::to_vec(&text).expect("plain fields serialise"),
        expires: expires.map_or(fallback, |t| Timestamp::from_secs(t.unix)),
        bar: filed.err(),
    }
}

fn warned(source: &Source<'_>, infos: &[&cap::Info], fallback: Timestamp) -> Said {
    Said::Warned(Gist::of(source.alert.sent, infos, ends(infos, fallback)))
}

/// When the first of what it warns of begins.
fn onset(infos: &[&cap::Info]) -> Option<Timestamp> {
    let onsets = infos.iter().filter_map(|i| i.onset).map(|t| t.unix);
    onsets.min().map(Timestamp::from_secs)
}

/// What is asked of people in one word, the strictest; of whom it is over for, that.
fn response(stock: Option<Stock>, infos: &[&cap::Info]) -> Option<String> {
    if stock == Some(Stock::Silent) {
        return Some(cap::ResponseType::Assess.as_str().to_owned());
    }
    let over = stock.map(|_| cap::ResponseType::AllClear);
    let said = || infos.iter().flat_map(|i| i.response_types.iter().copied());
    let strictest = over.or_else(|| said().min_by_key(|r| strictness(*r)));
    strictest.map(|response| response.as_str().to_owned())
}

/// How often the plan has it played, and seconds between.
fn repeated(telling: &Telling) -> Option<(u32, u64)> {
    let repeat = telling.repeat?;
    Some((repeat.times, repeat.pause.0.as_secs()))
}

/// Under which id a text may go, or why it may not.
pub(super) fn filed(filings: &Filings, way: Way, words: &str) -> Result<Option<String>, Bar> {
    match way {
        Way::Unsaid => Ok(None),
        Way::Barred(bar) => Err(bar),
        Way::Filed(place) => {
            let filing = filings.get(place);
            let id = filing.map_or(Ok(None), |filing| filing.judge(words))?;
            Ok(id.map(str::to_owned))
        }
    }
}

/// Until when some infos stand.
fn ends(infos: &[&cap::Info], fallback: Timestamp) -> Timestamp {
    let ends = infos.iter().filter_map(|i| i.ends()).map(|t| t.unix);
    ends.max().map_or(fallback, Timestamp::from_secs)
}

/// What the infos that hit somebody say in their language, as far as it is compared; `usual` is the plan's language.
pub fn gist(alert: &cap::Alert, usual: &str, said: (u64, &str), fallback: Timestamp) -> Gist {
    let infos = speaking(alert, usual, said);
    Gist::of(alert.sent, &infos, ends(&infos, fallback))
}

/// What a stored text said; nothing where it is of before texts were compared.
pub fn said(document: &[u8]) -> Option<Said> {
    serde_json::from_slice::<Text>(document).ok()?.said
}

fn headline(source: &Source<'_>, telling: &Telling, infos: &[&cap::Info]) -> String {
    let earlier = source.earlier.unwrap_or("此前预警");
    match (telling.stock, infos.first()) {
        (Some(Stock::Lifted | Stock::Revoked), None) => format!("关于“{earlier}”"),
        (None | Some(Stock::Lifted | Stock::Revoked | Stock::Silent), Some(info)) => {
            info.headline.clone().unwrap_or_else(|| info.event.clone())
        }
        (Some(Stock::Outside), _) | (None | Some(Stock::Silent), None) => earlier.to_owned(),
    }
}

/// A text message carries what to do, and the description where nothing says what to do; the others carry both.
pub(super) fn body(infos: &[&cap::Info], style: Style) -> String {
    let mut out = String::new();
    for (n, info) in infos.iter().enumerate() {
        if n > 0 {
            out.push_str(info.headline.as_deref().unwrap_or(&info.event));
            out.push('。');
        }
        let (description, instruction) = (info.description.as_deref(), info.instruction.as_deref());
        let texts = if style == Style::Short {
            [instruction.or(description), None]
        } else {
            [description, instruction]
        };
        for text in texts.into_iter().flatten() {
            out.push_str(text);
            if !text.ends_with(['。', '!', '.', '!', '?', '?']) {
                out.push('。');
            }
        }
    }
    out
}

/// Month, day, hour and minute as the sender's own clock shows them.
fn clock(time: cap::Time) -> String {
    let local = Timestamp::from_secs(time.unix + i64::from(time.offset_minutes) * 60);
    let (_, month, day, hour, minute, _) = local.civil();
    format!("{month}月{day}日{hour:02}:{minute:02}")
}

pub(super) fn event(alert: &cap::Alert) -> String {
    let code = alert
        .infos
        .iter()
        .flat_map(|i| &i.event_codes)
        .map(|c| c.value.clone())
        .next();
    code.or_else(|| alert.infos.first().map(|i| i.event.clone()))
        .unwrap_or_default()
}

/// The variant of a stored text; `cap` is the alert's document, which mails carry.
pub fn load(document: &[u8], cap: &Bytes) -> Option<Variant> {
    let text: Text = serde_json::from_slice(document).ok()?;
    let mut variant = Variant::new(text.language, text.title, text.body);
    variant.html = text.html;
    variant.level = text.level;
    variant.event = text.event;
    variant.regions_hash = text.regions_hash;
    variant.drill = text.drill;
    variant.authority = text.authority;
    variant.template = text.template;
    variant.areas = text.areas;
    variant.onset = text.onset;
    variant.response = text.response;
    variant.parts = text.parts;
    variant.repeat = text
        .repeat
        .map(|(times, pause)| (times, std::time::Duration::from_secs(pause)));
    if text.attach {
        variant.attachment = Some(Attachment {
            name: "alert.cap.xml".into(),
            mime: "application/cap+xml".into(),
            bytes: cap.clone(),
        });
    }
    Some(variant)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Said, alert};
    use super::*;

    fn told(said: &[Said<'_>], language: &str) -> String {
        let alert = alert(said);
        let source = Source {
            alert: &alert,
            earlier: None,
            signature: "平武水利",
            regions_hash: "00",
            language: "zh-CN",
            authority: Authority::County,
            filings: &Filings::default(),
            targets: &Targets::default(),
            sounds: &Sounds::default(),
            recordings: &[],
        };
        let telling = Telling {
            kind: "sms",
            channel: "sms".into(),
            style: Style::Short,
            language: language.to_owned(),
            infos: u64::MAX,
            stock: None,
            repeat: None,
            way: Way::Unsaid,
            confirm: false,
            heard: None,
            silent: Vec::new(),
        };
        let rendered = render(&source, &telling, Timestamp(0));
        load(&rendered.document, &Bytes::new())
            .expect("a text")
            .text
    }

    #[test]
    fn several_infos_make_one_text_with_the_strictest_response_first() {
        let shelter = Said {
            response: "Shelter",
            headline: "就地避险",
            ..Said::red("")
        };
        let leave = Said {
            severity: "Severe",
            headline: "立即转移",
            ..Said::red("")
        };
        let text = told(&[shelter, leave], "zh-CN");
        assert!(text.starts_with("【平武水利】立即转移。"), "{text}");
        assert!(text.contains("就地避险的措施"), "{text}");
    }

    #[test]
    fn language_picks_the_info_else_the_plans() {
        let english = Said {
            language: "en-US",
            headline: "Leave now",
            ..Said::red("")
        };
        let both = [Said::red(""), english];
        assert!(told(&both, "en-GB").contains("Leave now"));
        assert!(!told(&both, "en-GB").contains("山洪红色预警"));
        assert!(told(&both, "bo").contains("山洪红色预警"));
        assert!(!told(&both, "zh-CN").contains("Leave now"));
    }

    #[test]
    fn what_nobody_translated_is_not_left_out_where_it_asks_for_more() {
        let english = Said {
            language: "en-US",
            response: "Monitor",
            severity: "Moderate",
            headline: "Stay informed",
            ..Said::red("")
        };
        let text = told(&[english, Said::red("")], "en-US");
        assert!(text.starts_with("【平武水利】山洪红色预警"), "{text}");
        assert!(text.contains("Stay informed"), "{text}");
    }
}
