//! Languages by their tags. Mandarin is one whatever its tag (`zh-CN`, `cmn`, `zho`); a private part names a dialect
//! (`cmn-x-sichuan`). This module must not know who speaks what where.

/// As everybody here writes it: ISO 639-3, and the private part of a dialect.
pub const MANDARIN: &str = "zho";
/// No tag is longer.
const LONGEST: usize = 35;

/// What officers choose from; any other tag is taken too.
pub const KNOWN: [(&str, &str, &str); 16] = [
    (MANDARIN, "普通话", "Mandarin"),
    ("zho-x-sichuan", "四川话", "Sichuanese"),
    ("qxs", "南部羌语", "Southern Qiang"),
    ("cng", "北部羌语", "Northern Qiang"),
    ("bod", "藏语", "Tibetan"),
    ("adx", "安多藏语", "Amdo Tibetan"),
    ("khg", "康巴藏语", "Khams Tibetan"),
    ("bqh", "白马语", "Baima"),
    ("iii", "彝语", "Nuosu Yi"),
    ("cqd", "川黔滇苗语", "Chuanqiandian Miao"),
    ("mon", "蒙古语", "Mongolian"),
    ("mvf", "内蒙古蒙古语", "Peripheral Mongolian"),
    ("uig", "维吾尔语", "Uyghur"),
    ("yue", "粤语", "Cantonese"),
    ("nan", "闽南语", "Southern Min"),
    ("eng", "英语", "English"),
];

/// Tags of two letters that documents carry, and Mandarin's own code.
const SHORT: [(&str, &str); 7] = [
    ("zh", MANDARIN),
    ("cmn", MANDARIN),
    ("chi", MANDARIN),
    ("bo", "bod"),
    ("mn", "mon"),
    ("ii", "iii"),
    ("en", "eng"),
];

/// The one tag of a tongue; nothing where the text is no tag. Region and script do not make another tongue.
pub fn tongue(tag: &str) -> Option<String> {
    let tag = tag.to_ascii_lowercase();
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let whole = tag.len() <= LONGEST
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    if !whole {
        return None;
    }
    let found = SHORT.iter().find(|(short, _)| *short == primary);
    let primary = found.map_or(primary, |(_, long)| long);
    let dialect = tag.split_once("-x-").map(|(_, dialect)| dialect);
    Some(match dialect {
        Some(dialect) => format!("{primary}-x-{dialect}"),
        None => primary.to_owned(),
    })
}

pub fn same_tongue(a: &str, b: &str) -> bool {
    tongue(a).is_some_and(|a| tongue(b) == Some(a))
}

pub fn is_mandarin(tag: &str) -> bool {
    same_tongue(tag, MANDARIN)
}

/// Its names in Chinese and in English, where it is one of the known.
pub fn tongue_names(tag: &str) -> Option<(&'static str, &'static str)> {
    let known = KNOWN.iter().find(|(known, ..)| same_tongue(known, tag));
    known.map(|(_, zh, en)| (*zh, *en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tongue_has_one_tag_and_a_dialect_is_one_of_its_own() {
        for (tag, wanted) in [
            ("zh-CN", "zho"),
            ("cmn-Hans", "zho"),
            ("ZHO", "zho"),
            ("cmn-x-sichuan", "zho-x-sichuan"),
            ("qxs", "qxs"),
            ("bo-CN", "bod"),
            ("en-GB", "eng"),
        ] {
            assert_eq!(tongue(tag).as_deref(), Some(wanted), "{tag}");
        }
        for wrong in [
            "",
            "c",
            "四川话",
            "zh_CN",
            "qxs-",
            "a-b-c",
            "x".repeat(40).as_str(),
        ] {
            assert_eq!(tongue(wrong), None, "{wrong}");
        }
        assert!(is_mandarin("zh-CN") && !is_mandarin("cmn-x-sichuan") && !is_mandarin("qxs"));
        assert!(!same_tongue("?", "?"), "what is no tag is no tongue");
    }

    #[test]
    fn the_known_tongues_stand_under_their_one_tag_and_have_two_names() {
        for (tag, zh, en) in KNOWN {
            assert_eq!(tongue(tag).as_deref(), Some(tag));
            assert_eq!(tongue_names(tag), Some((zh, en)));
        }
    }
}
