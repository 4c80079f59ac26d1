//! The fields of an alert, bit by bit. This module must not know what goes before and behind them.

use std::time::Duration;

use channel::Timestamp;
use encoding_rs::GB18030;

use super::bits::{Reader, Writer};
use super::{
    Alert, EPOCH, Instruction, LEVELS, MOMENT, Malformed, Unfit, area, minutes, moment, number,
};

/// Bits of a span.
const SPAN: u32 = 12;

impl Alert {
    pub(super) fn write(&self, out: &mut Writer) -> Result<(), Unfit> {
        out.put(self.number.into(), 16);
        let place = |found: Option<usize>| found.unwrap_or(0) as u64;
        out.put(
            place(LEVELS.iter().position(|level| *level == self.level)),
            3,
        );
        out.put(
            place(
                Instruction::ALL
                    .iter()
                    .position(|one| *one == self.instruction),
            ),
            4,
        );
        put_event(out, &self.event)?;
        let sent = minutes(self.sent)?;
        out.put(sent, MOMENT);
        // Counted from what is said of it, not from what it was.
        let said = Timestamp::from_secs(EPOCH + i64::try_from(sent).unwrap_or(0) * 60);
        let later = self.onset.filter(|onset| *onset > said);
        out.put(later.is_some().into(), 1);
        if let Some(onset) = later {
            put_span(out, said, onset)?;
        }
        put_span(out, said, self.expires)?;
        if self.areas.len() > area::MOST {
            return Err(Unfit::Areas);
        }
        area::write(&self.areas, out);
        Ok(())
    }

    pub(super) fn read(mut from: Reader<'_>) -> Result<Self, Malformed> {
        let number = number(&mut from)?;
        let place = |found: Option<u64>| found.and_then(|place| usize::try_from(place).ok());
        let level = place(from.take(3)).ok_or(Malformed::Short)?;
        let instruction = place(from.take(4)).ok_or(Malformed::Short)?;
        let event = event(&mut from)?;
        let sent = moment(&mut from)?;
        let onset = match from.take(1).ok_or(Malformed::Short)? {
            0 => None,
            _ => Some(sent.plus(span(&mut from).ok_or(Malformed::Short)?)),
        };
        let expires = sent.plus(span(&mut from).ok_or(Malformed::Short)?);
        let areas = area::read(&mut from).ok_or(Malformed::Value)?;
        let text = from.rest().ok_or(Malformed::Value)?;
        Ok(Self {
            number,
            event,
            level: *LEVELS.get(level).ok_or(Malformed::Value)?,
            instruction: *Instruction::ALL.get(instruction).ok_or(Malformed::Value)?,
            sent,
            onset,
            expires,
            areas,
            text: GB18030.decode_without_bom_handling(text).0.into_owned(),
        })
    }
}

/// Minutes up to nearly three days, hours up to half a year; what is begun counts whole, so that nothing ends too soon.
fn put_span(out: &mut Writer, from: Timestamp, to: Timestamp) -> Result<(), Unfit> {
    let seconds = to.since(from).as_millis().div_ceil(1_000);
    let most = 1 << SPAN;
    let (unit, value) = match (seconds.div_ceil(60), seconds.div_ceil(3_600)) {
        (minutes, _) if minutes < most => (0, minutes),
        (_, hours) if hours < most => (1, hours),
        _ => return Err(Unfit::Time),
    };
    out.put(unit, 1);
    out.put(u64::try_from(value).unwrap_or(0), SPAN);
    Ok(())
}

fn span(from: &mut Reader<'_>) -> Option<Duration> {
    let unit = if from.take(1)? == 0 { 60 } else { 3_600 };
    Some(Duration::from_secs(from.take(SPAN)? * unit))
}

/// `11B03`: two digits, a letter, two digits.
fn packed(event: &str) -> Option<u64> {
    let [a, b, letter @ b'A'..=b'Z', c, d] = *event.as_bytes() else {
        return None;
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let (before, behind) = (digit(a)? * 10 + digit(b)?, digit(c)? * 10 + digit(d)?);
    Some((before * 26 + u64::from(letter - b'A')) * 100 + behind)
}

/// 260,000 codes.
const PACKED: u32 = 18;

fn put_event(out: &mut Writer, event: &str) -> Result<(), Unfit> {
    if let Some(packed) = packed(event) {
        out.put(0, 1);
        out.put(packed, PACKED);
        return Ok(());
    }
    if event.len() > 15 || !event.bytes().all(|b| (0x20..0x7F).contains(&b)) {
        return Err(Unfit::Event);
    }
    out.put(1, 1);
    out.put(event.len() as u64, 4);
    for byte in event.bytes() {
        out.put(byte.into(), 7);
    }
    Ok(())
}

fn event(from: &mut Reader<'_>) -> Result<String, Malformed> {
    if from.take(1).ok_or(Malformed::Short)? == 0 {
        let packed = from.take(PACKED).ok_or(Malformed::Short)?;
        let (before, letter, behind) = (packed / 2_600, packed / 100 % 26, packed % 100);
        let letter = u8::try_from(letter)
            .ok()
            .filter(|_| before < 100)
            .ok_or(Malformed::Value)?;
        return Ok(format!(
            "{before:02}{}{behind:02}",
            char::from(b'A' + letter)
        ));
    }
    let length = from.take(4).ok_or(Malformed::Short)?;
    let mut event = String::new();
    for _ in 0..length {
        let byte = from
            .take(7)
            .and_then(|byte| u8::try_from(byte).ok())
            .ok_or(Malformed::Short)?;
        (0x20..0x7F)
            .contains(&byte)
            .then_some(())
            .ok_or(Malformed::Value)?;
        event.push(byte.into());
    }
    Ok(event)
}
