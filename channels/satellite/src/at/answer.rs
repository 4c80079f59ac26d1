//! What a modem's line says: the end of an answer, something that came by itself, or one of the figures that we ask for.
//! This module must not keep anything.

use super::error::Refusal;

/// Something that comes by itself, between answers and within them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unasked {
    /// `+CDS` or `+CMT`: the message is the next line.
    Follows(Direct),
    /// `+CDSI` or `+CMTI`: it lies in a storage.
    Stored { storage: String, index: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direct {
    Report,
    Text,
}

/// The end of an answer, if this line is one.
pub fn end(line: &str) -> Option<Result<(), Refusal>> {
    match line {
        "OK" => return Some(Ok(())),
        "ERROR" | "COMMAND NOT SUPPORT" | "NO CARRIER" | "NO ANSWER" => {
            return Some(Err(Refusal::Plain));
        }
        _ => {}
    }
    let code = |rest: &str| rest.trim().parse().ok();
    if let Some(rest) = line.strip_prefix("+CMS ERROR:") {
        return Some(Err(code(rest).map_or(Refusal::Plain, Refusal::Message)));
    }
    let rest = line.strip_prefix("+CME ERROR:")?;
    Some(Err(code(rest).map_or(Refusal::Plain, Refusal::Equipment)))
}

pub fn unasked(line: &str) -> Option<Unasked> {
    let (name, rest) = line.split_once(':')?;
    match name {
        "+CDS" => Some(Unasked::Follows(Direct::Report)),
        "+CMT" => Some(Unasked::Follows(Direct::Text)),
        "+CDSI" | "+CMTI" => {
            let (storage, index) = rest.split_once(',')?;
            let storage = storage.trim().trim_matches('"');
            let plain =
                (1..=4).contains(&storage.len()) && storage.bytes().all(|b| b.is_ascii_uppercase());
            let index = index.trim().parse().ok()?;
            plain.then(|| Unasked::Stored {
                storage: storage.to_owned(),
                index,
            })
        }
        _ => None,
    }
}

/// The values behind a name, of the first line that has it.
fn values<'a>(lines: &'a [String], name: &str) -> Option<Vec<&'a str>> {
    let behind = |line: &'a String| line.strip_prefix(name)?.strip_prefix(':');
    let rest = lines.iter().find_map(behind)?;
    Some(rest.split(',').map(str::trim).collect())
}

/// The reference that the modem gave a message: `+CMGS: 7`.
pub fn reference(lines: &[String]) -> Option<u8> {
    values(lines, "+CMGS")?.first()?.parse().ok()
}

/// `+CSQ: 17,99`: from 0 to 31; 99 is unknown.
pub fn signal(lines: &[String]) -> Option<u8> {
    let strength = values(lines, "+CSQ")?.first()?.parse().ok()?;
    (strength <= 31).then_some(strength)
}

/// Whether the modem may use a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    Registered,
    Searching,
    Denied,
    None,
    Unknown,
}

/// `+CREG: 0,1`. A value alone is what comes by itself, and is believed too.
pub fn registration(lines: &[String], name: &str) -> Option<Registration> {
    let values = values(lines, name)?;
    let state = values.get(1).or_else(|| values.first())?;
    Some(match *state {
        // At home, abroad, and both for texts alone.
        "1" | "5" | "6" | "7" => Registration::Registered,
        "0" => Registration::None,
        "2" => Registration::Searching,
        "3" => Registration::Denied,
        _ => Registration::Unknown,
    })
}

/// `+CPIN: READY`, `+CPIN: SIM PIN`.
pub fn card(lines: &[String]) -> Option<&str> {
    values(lines, "+CPIN")?.first().copied()
}

/// The messages of a `+CMGL` or `+CMGR` answer: each has a line of figures and a line of its own. The figure is the index
/// of a listed one.
pub fn messages(lines: &[String]) -> Vec<(Option<u32>, &str)> {
    let pairs = lines.windows(2).filter_map(|pair| {
        let index = match pair[0].split_once(':')? {
            ("+CMGL", rest) => rest.split(',').next()?.trim().parse().ok(),
            ("+CMGR", _) => None,
            _ => return None,
        };
        Some((index, pair[1].as_str()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split('|').map(str::to_owned).collect()
    }

    #[test]
    fn every_end_of_an_answer_is_known() {
        assert_eq!(end("OK"), Some(Ok(())));
        assert_eq!(end("ERROR"), Some(Err(Refusal::Plain)));
        assert_eq!(end("COMMAND NOT SUPPORT"), Some(Err(Refusal::Plain)));
        assert_eq!(end("+CMS ERROR: 38"), Some(Err(Refusal::Message(38))));
        assert_eq!(end("+CME ERROR:14"), Some(Err(Refusal::Equipment(14))));
        assert_eq!(
            end("+CME ERROR: SIM busy"),
            Some(Err(Refusal::Plain)),
            "in words"
        );
        for line in ["+CMGS: 7", "", "OKAY", "+CSQ: 3,99"] {
            assert_eq!(end(line), None, "{line}");
        }
    }

    #[test]
    fn figures_are_read_and_what_is_none_is_not() {
        assert_eq!(reference(&lines("x|+CMGS: 7")), Some(7));
        assert_eq!(reference(&lines("+CMGS: 7,\"26/07/15\"")), Some(7));
        assert_eq!(reference(&lines("+CMGS: 256")), None);
        assert_eq!(signal(&lines("+CSQ: 17,99")), Some(17));
        assert_eq!(signal(&lines("+CSQ: 99,99")), None);
        let creg = |text: &str| registration(&lines(text), "+CREG");
        assert_eq!(creg("+CREG: 0,1"), Some(Registration::Registered));
        assert_eq!(
            creg("+CREG: 2,5,\"1A\",\"2B\""),
            Some(Registration::Registered)
        );
        assert_eq!(creg("+CREG: 2"), Some(Registration::Searching));
        assert_eq!(creg("+CREG: 0,3"), Some(Registration::Denied));
        assert_eq!(creg("+CEREG: 0,1"), None);
        assert_eq!(card(&lines("+CPIN: SIM PIN")), Some("SIM PIN"));
        let listed = lines("+CMGL: 3,1,,24|0791|+CMGL: 4,1,,24|0792");
        assert_eq!(messages(&listed), [(Some(3), "0791"), (Some(4), "0792")]);
        assert_eq!(messages(&lines("+CMGR: 1,,24|0791")), [(None, "0791")]);
    }

    #[test]
    fn what_comes_by_itself_is_told_from_answers() {
        assert_eq!(unasked("+CDS: 25"), Some(Unasked::Follows(Direct::Report)));
        assert_eq!(unasked("+CMT: ,24"), Some(Unasked::Follows(Direct::Text)));
        let stored = Unasked::Stored {
            storage: "SR".to_owned(),
            index: 4,
        };
        assert_eq!(unasked("+CDSI: \"SR\",4"), Some(stored));
        for line in ["+CMTI: \"SM\"", "+CMTI: \"S\r;\",1", "+CSQ: 1,2", "RING"] {
            assert_eq!(unasked(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_lines_never_panic(text in "\\PC{0,60}", name in "\\+C(DSI|MTI|DS|MT|REG|SQ|MGS|MGL|MS ERROR):.{0,20}") {
            for line in [text, name] {
                let _ = (end(&line), unasked(&line));
                let all = [line.clone(), line];
                let _ = (reference(&all), signal(&all), registration(&all, "+CREG"), card(&all));
                let _ = messages(&all);
            }
        }
    }
}
