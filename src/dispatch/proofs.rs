//! What is shown of tests of satellite terminals (拨测): by time alone, by receipts and by what people write back. Pure over
//! the ledger and what came in; this module must not send and must not write.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{Evidence, Timestamp, Uplink, Verdict};

use crate::ledger::event::{Proved, ProvedRow, ReceiptRow};
use crate::ledger::test_calls::{Test, Tried};
use crate::ledger::{Event, Found, Ledger};
use crate::model::{EndpointId, StreamId, TestResult};
use crate::registry::Registry;

const HOUSE: StreamId = 0;
/// So long after its sending whatever a person writes answers a test.
const ANSWERS: Duration = Duration::from_hours(24);

/// What is over: not sent in time, or sent and not answered.
pub fn overdue(ledger: &Ledger, now: Timestamp) -> Vec<(StreamId, Event)> {
    let mut by_channel: BTreeMap<String, Vec<ProvedRow>> = BTreeMap::new();
    for (endpoint, Tried { last, .. }) in ledger.test_calls.all() {
        let result = match last.result {
            None => TestResult::Unsent,
            Some(TestResult::Sent) => TestResult::Silent,
            Some(_) => continue,
        };
        if last.until <= now {
            let row = row(endpoint, &last, result, now);
            by_channel.entry(last.channel).or_default().push(row);
        }
    }
    let event = |(channel, rows)| (HOUSE, Event::Proved(Proved { channel, rows }));
    by_channel.into_iter().map(event).collect()
}

pub fn row(endpoint: EndpointId, test: &Test, result: TestResult, seen: Timestamp) -> ProvedRow {
    ProvedRow {
        endpoint,
        number: test.number,
        result,
        code: String::new(),
        references: Vec::new(),
        far: None,
        seen,
    }
}

/// What receipts say of tests; of one that another has followed nothing is kept.
pub fn proved(ledger: &Ledger, channel: &str, rows: Vec<ReceiptRow>) -> Option<(StreamId, Event)> {
    let row = |receipt: ReceiptRow| {
        let result = match receipt.verdict {
            Verdict::Reached(Evidence::Acknowledged) => TestResult::Answered,
            Verdict::Reached(Evidence::Delivered) => TestResult::Reached,
            Verdict::Refused(_) => TestResult::Unreached,
            Verdict::Reached(_) | Verdict::Progress => return None,
        };
        Some(ProvedRow {
            endpoint: ledger.test_calls.numbered(receipt.delivery)?,
            number: receipt.delivery,
            result,
            code: receipt.code,
            references: Vec::new(),
            far: receipt.far,
            seen: receipt.seen,
        })
    };
    let rows: Vec<_> = rows.into_iter().filter_map(row).collect();
    let channel = channel.to_owned();
    (!rows.is_empty()).then_some((HOUSE, Event::Proved(Proved { channel, rows })))
}

/// The test that whoever writes answers by it, and when that was sent: one that the far end names, or the last to their
/// number within a day.
pub fn answers(
    ledger: &Ledger,
    registry: &Registry,
    (uplink, found): (&Uplink, Option<Found>),
) -> Option<(ProvedRow, Timestamp)> {
    let named = found.filter(|found| found.delivery.stream == HOUSE);
    let endpoints = match named {
        Some(found) => Vec::from_iter(ledger.test_calls.numbered(found.delivery.number)),
        None => registry.with_number(uplink.from.expose()),
    };
    let test = |endpoint: EndpointId| {
        let last = ledger.test_calls.of(endpoint)?.last;
        let sent = last.sent?;
        let open = last.result != Some(TestResult::Answered) && uplink.seen.since(sent) <= ANSWERS;
        let row = ProvedRow {
            far: uplink.far,
            ..row(endpoint, &last, TestResult::Answered, uplink.seen)
        };
        open.then_some((row, sent))
    };
    endpoints.into_iter().find_map(test)
}

/// Whether a word that acknowledges is the test's alone: it speaks of what came last, unless the far end says of what.
pub fn speaks_of_test(
    ledger: &Ledger,
    (_, sent): &(ProvedRow, Timestamp),
    (found, alert): (Option<Found>, Option<StreamId>),
) -> bool {
    if let Some(found) = found {
        return found.delivery.stream == HOUSE;
    }
    let alert = alert.and_then(|stream| ledger.alert(stream));
    alert.is_none_or(|alert| alert.at <= *sent)
}
