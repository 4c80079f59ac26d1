//! Whether a language tag is a usual one and its text is written in a script that the language uses. Languages are known
//! by their two letters; of an unknown language nothing is said about its script. This module must not guess a language.

use std::ops::RangeInclusive;

use crate::model::Info;

/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de \
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is \
    it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na \
    nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq \
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

type Script = &'static [RangeInclusive<char>];

const HAN: Script = &[
    '\u{2E80}'..='\u{312F}',
    '\u{31A0}'..='\u{9FFF}',
    '\u{F900}'..='\u{FAFF}',
    '\u{20000}'..='\u{3FFFF}',
];
const CYRILLIC: Script = &['\u{400}'..='\u{52F}', '\u{1C80}'..='\u{1C8F}'];
const ARABIC: Script = &[
    '\u{600}'..='\u{77F}',
    '\u{8A0}'..='\u{8FF}',
    '\u{FB50}'..='\u{FDFF}',
    '\u{FE70}'..='\u{FEFF}',
];
const HANGUL: Script = &[
    '\u{1100}'..='\u{11FF}',
    '\u{3130}'..='\u{318F}',
    '\u{AC00}'..='\u{D7AF}',
    '\u{4E00}'..='\u{9FFF}',
];
const DEVANAGARI: Script = &['\u{900}'..='\u{97F}'];
const LATIN: Script = &[
    'A'..='\u{24F}',
    '\u{1E00}'..='\u{1EFF}',
    '\u{2C60}'..='\u{2C7F}',
];
const BURMESE: Script = &[
    '\u{1000}'..='\u{109F}',
    '\u{A9E0}'..='\u{A9FF}',
    '\u{AA60}'..='\u{AA7F}',
];

/// Languages that are written in one script other than Latin.
const WRITTEN: &[(&str, Script)] = &[
    ("zh ja", HAN),
    ("ko", HANGUL),
    ("ru uk be bg mk ky ba ce cv tt os ab kv av", CYRILLIC),
    ("ar fa ur ps sd ug", ARABIC),
    ("hi mr ne sa", DEVANAGARI),
    ("my", BURMESE),
    ("th", &['\u{E00}'..='\u{E7F}']),
    ("lo", &['\u{E80}'..='\u{EFF}']),
    ("km", &['\u{1780}'..='\u{17FF}']),
    ("bn as", &['\u{980}'..='\u{9FF}']),
    ("pa", &['\u{A00}'..='\u{A7F}', '\u{600}'..='\u{6FF}']),
    ("gu", &['\u{A80}'..='\u{AFF}']),
    ("or", &['\u{B00}'..='\u{B7F}']),
    ("ta", &['\u{B80}'..='\u{BFF}']),
    ("te", &['\u{C00}'..='\u{C7F}']),
    ("kn", &['\u{C80}'..='\u{CFF}']),
    ("ml", &['\u{D00}'..='\u{D7F}']),
    ("si", &['\u{D80}'..='\u{DFF}']),
    ("bo dz", &['\u{F00}'..='\u{FFF}']),
    ("ka", &['\u{10A0}'..='\u{10FF}']),
    ("am ti", &['\u{1200}'..='\u{139F}']),
    ("he yi", &['\u{590}'..='\u{5FF}']),
    ("hy", &['\u{530}'..='\u{58F}']),
    ("el", &['\u{370}'..='\u{3FF}', '\u{1F00}'..='\u{1FFF}']),
    ("dv", &['\u{780}'..='\u{7BF}', '\u{600}'..='\u{6FF}']),
    ("ii", &['\u{A000}'..='\u{A4CF}']),
];

/// Languages that are written in Latin script and in others too.
const MIXED: &str = "sr kk uz az tg mn ku ms ha sh cu iu cr ks pi ro za";

/// Such as `english`, `sp-US`, `TL` and `zh-mo`: the form of a tag, and no usual one.
pub(super) fn is_odd(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let unusual = match primary.len() {
        1 => !matches!(primary, "x" | "i"),
        2 => !listed(LANGUAGES, primary),
        3 => primary.bytes().any(|byte| byte.is_ascii_uppercase()),
        _ => true,
    };
    let region = |part: &str| part.len() == 2 && part.bytes().any(|byte| byte.is_ascii_lowercase());
    unusual || parts.any(region)
}

/// Most letters of its texts are of no script that its language is written in.
pub(super) fn is_foreign(info: &Info) -> bool {
    let primary: &str = info.language.split('-').next().unwrap_or_default();
    let primary = primary.to_ascii_lowercase();
    if !listed(LANGUAGES, &primary) || listed(MIXED, &primary) {
        return false;
    }
    let known = WRITTEN.iter().find(|(tags, _)| listed(tags, &primary));
    let script = known.map_or(LATIN, |(_, script)| *script);
    let letters = letters(info).take(READ);
    let (mut all, mut others) = (0_usize, 0_usize);
    for c in letters {
        all += 1;
        others += usize::from(!script.iter().any(|range| range.contains(&c)));
    }
    others * 2 > all
}

/// Letters that are enough to tell a script.
const READ: usize = 200;

fn letters(info: &Info) -> impl Iterator<Item = char> {
    [
        Some(&info.event),
        info.headline.as_ref(),
        info.description.as_ref(),
        info.instruction.as_ref(),
    ]
    .into_iter()
    .flatten()
    .flat_map(|text| text.chars())
    .filter(|c| c.is_alphabetic())
}

/// Burmese that was typed for the Zawgyi font: its vowel e stands before the consonant that it follows in Unicode, or
/// code points are used that only that font has.
pub(super) fn is_zawgyi(info: &Info) -> bool {
    let texts = [
        Some(&info.event),
        info.headline.as_ref(),
        info.description.as_ref(),
    ];
    let typed = |text: &&String| text.contains('\u{1031}');
    texts.into_iter().flatten().filter(typed).any(|text| {
        let mut before = ' ';
        text.chars().any(|c| {
            let carried = matches!(before, '\u{1000}'..='\u{1021}' | '\u{1039}' | '\u{103B}'..='\u{103F}' | '\u{1050}'..='\u{1061}' | '\u{1065}'..='\u{1066}' | '\u{106E}'..='\u{1070}' | '\u{1075}'..='\u{1082}' | '\u{AA60}'..='\u{AA7F}');
            let found = c == '\u{1031}' && !carried;
            before = c;
            found
        })
    })
}

fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|one| one == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_usual_or_odd() {
        for tag in [
            "zh-CN",
            "en",
            "de-LS",
            "zh-Hans-CN",
            "es-419",
            "yue",
            "x-klingon",
            "fil-PH",
        ] {
            assert!(!is_odd(tag), "{tag}");
        }
        for tag in ["english", "sp-US", "TL", "zh-mo", "q-CN", "xx"] {
            assert!(is_odd(tag), "{tag}");
        }
    }
}
