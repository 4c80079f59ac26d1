//! What the store keeps of a sealed alert beside its stream: where the stream ends, its card, and a row for each
//! household in words that anyone's SQL can read. This module must not read a card: to the store it is bytes.

use channel::Timestamp;

use crate::model::{Answer, Grade, HouseholdId, Missed, RegionCode, StreamId};

/// A sealed stream: a start reads this and not its records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedRow {
    pub stream: StreamId,
    /// The stream's last record, its number and its hash: what an `Unsealed` follows.
    pub stream_seq: u32,
    pub hash: [u8; 32],
    pub epoch: u32,
    pub at: Timestamp,
    pub card: Vec<u8>,
}

/// How one household ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedHousehold {
    pub household: HouseholdId,
    pub village: RegionCode,
    pub group: u8,
    /// All of it away: apart from every denominator.
    pub away: bool,
    pub answer: Answer,
}

/// The rows that come with a `Sealed`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    pub row: SealedRow,
    pub households: Vec<SealedHousehold>,
}

/// What a start reads: whatever is not sealed, and one row for each stream that is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Open {
    /// The sequence of the journal's last record.
    pub last: u64,
    /// Where the records of streams stand that are not sealed, in order.
    pub places: Vec<u64>,
    pub sealed: Vec<SealedRow>,
}

/// An answer in the words of the columns `answer`, `grade` and `why`.
pub(super) const fn words(
    answer: Answer,
) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match answer {
        Answer::Reached(grade) => {
            let grade = match grade {
                Grade::Played => "played",
                Grade::Delivered => "delivered",
                Grade::Confirmed => "confirmed",
            };
            ("reached", Some(grade), None)
        }
        Answer::Pending => ("pending", None, None),
        Answer::Unknown => ("unknown", None, None),
        Answer::Missed(why) => {
            let why = match why {
                Missed::NoEndpoint => "no-endpoint",
                Missed::Refused => "refused",
                Missed::Failed => "failed",
                Missed::Expired => "expired",
                Missed::Withdrawn => "withdrawn",
            };
            ("missed", None, Some(why))
        }
    }
}

/// Every answer there is.
const ANSWERS: [Answer; 10] = [
    Answer::Reached(Grade::Played),
    Answer::Reached(Grade::Delivered),
    Answer::Reached(Grade::Confirmed),
    Answer::Pending,
    Answer::Unknown,
    Answer::Missed(Missed::NoEndpoint),
    Answer::Missed(Missed::Refused),
    Answer::Missed(Missed::Failed),
    Answer::Missed(Missed::Expired),
    Answer::Missed(Missed::Withdrawn),
];

/// The answer that these words stand for; nothing for words that nobody wrote.
pub(super) fn answer(said: &str, grade: Option<&str>, why: Option<&str>) -> Option<Answer> {
    ANSWERS
        .into_iter()
        .find(|answer| words(*answer) == (said, grade, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_words_of_its_own() {
        for one in ANSWERS {
            let (said, grade, why) = words(one);
            assert_eq!(answer(said, grade, why), Some(one));
        }
        assert_eq!(answer("reached", None, None), None);
    }
}
