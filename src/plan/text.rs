//! In which words: one finished text for each channel kind and language, from the infos that hit. The first info is the
//! most severe; later ones are appended. Texts are rendered once, kept as documents, and shared by all deliveries. This
//! module must not encode for a protocol.

use bytes::Bytes;
use channel::{Attachment, Level, Style, Timestamp, Variant};
use serde::{Deserialize, Serialize};

use super::wall;

/// What is told: by which kind of channel, in which language, out of which infos.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Telling {
    pub kind: &'static str,
    pub style: Style,
    pub language: String,
    /// Bit set over the alert's infos; 0 where there is none (a Cancel).
    pub infos: u64,
    pub stock: Option<Stock>,
}

/// Words for what an alert itself does not say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stock {
    /// A Cancel: the earlier warning no longer stands.
    Lifted,
    /// The warning stands elsewhere, no longer here.
    Outside,
}

/// A rendered text as it lies among the documents.
#[derive(Serialize, Deserialize)]
struct Text {
    language: String,
    title: String,
    body: String,
    html: Option<String>,
    level: Level,
    event: String,
    regions_hash: String,
    drill: bool,
    attach: bool,
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
}

/// The infos of `hits` in the language of the recipient, else in the plan's, else in whichever there is.
fn speaking<'a>(source: &Source<'a>, hits: u64, language: &str) -> Vec<&'a cap::Info> {
    let hit = |n: &usize| hits & (1_u64 << n) != 0;
    let infos: Vec<&cap::Info> = source
        .alert
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
        chosen = in_language(source.language);
    }
    if chosen.is_empty() {
        chosen = infos;
    }
    chosen.sort_by_key(|i| (i.severity, i.urgency));
    chosen
}

/// Renders one telling; returns its document and until when it stands.
pub fn render(source: &Source<'_>, telling: &Telling, fallback: Timestamp) -> (Vec<u8>, Timestamp) {
    let infos = speaking(source, telling.infos, &telling.language);
    let mark = wall::mark(source.alert.status);
    let headline = headline(source, telling, &infos);
    let body = match telling.stock {
        Some(Stock::Outside) => "您所在地区已不在预警范围内,请继续关注最新信息。".to_owned(),
        Some(Stock::Lifted) if infos.is_empty() => "该预警已撤销,请以最新信息为准。".to_owned(),
        _ => body(&infos, telling.style),
    };
    let expires = infos.iter().filter_map(|i| i.ends()).max_by_key(|t| t.unix);
    let until = expires
        .map(|t| format!("有效至{}。", clock(t)))
        .unwrap_or_default();
    let words = match telling.style {
        Style::Short => format!("【{}】{mark}{headline}。{body}{until}", source.signature),
        Style::Spoken => format!("{mark}{headline}。{body}"),
        Style::Letter => format!("{mark}{headline}\n\n{body}\n{until}\n{}", source.signature),
    };
    let text = Text {
        language: infos
            .first()
            .map_or(telling.language.as_str(), |i| i.language.as_str())
            .to_owned(),
        title: format!("{mark}{headline}"),
        body: words,
        html: None,
        level: super::level(source.alert),
        event: event(source.alert),
        regions_hash: source.regions_hash.to_owned(),
        drill: wall::is_drill(source.alert.status),
        attach: telling.style == Style::Letter,
    };
    let bytes = serde_json::to_vec(&text).expect("plain fields serialise");
    (
        bytes,
        expires.map_or(fallback, |t| Timestamp::from_secs(t.unix)),
    )
}

fn headline(source: &Source<'_>, telling: &Telling, infos: &[&cap::Info]) -> String {
    let earlier = source.earlier.unwrap_or("此前预警");
    match (telling.stock, infos.first()) {
        (Some(Stock::Lifted), None) => format!("关于“{earlier}”"),
        (None | Some(Stock::Lifted), Some(info)) => {
            info.headline.clone().unwrap_or_else(|| info.event.clone())
        }
        (Some(Stock::Outside), _) | (None, None) => earlier.to_owned(),
    }
}

/// A text message carries what to do, and the description where nothing says what to do; the others carry both.
fn body(infos: &[&cap::Info], style: Style) -> String {
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

fn event(alert: &cap::Alert) -> String {
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
    if text.attach {
        variant.attachment = Some(Attachment {
            name: "alert.cap.xml".into(),
            mime: "application/cap+xml".into(),
            bytes: cap.clone(),
        });
    }
    Some(variant)
}
