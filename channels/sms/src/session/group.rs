//! The outcomes of one batch on their way back to its sender, and what a text of several parts comes to. This module
//! must not know the session.

use std::collections::HashMap;

use channel::{Accepted, Failure, FailureClass};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Collects the outcomes of one batch.
#[derive(Default)]
pub(crate) struct Group {
    inner: Mutex<Outcomes>,
    pub ready: Notify,
}

pub(crate) type Outcome = Result<Accepted, Failure>;

#[derive(Default)]
pub(crate) struct Outcomes {
    done: Vec<(usize, Outcome)>,
    long: HashMap<usize, Parts>,
}

/// A text of several parts, until all are answered.
struct Parts {
    left: u8,
    references: Vec<String>,
    taken: bool,
    failure: Option<Failure>,
}

impl Group {
    pub fn take(&self, into: &mut Vec<(usize, Outcome)>) {
        into.append(&mut self.inner.lock().done);
    }

    /// Outcomes to be settled under one lock.
    pub fn settling(&self) -> MutexGuard<'_, Outcomes> {
        self.inner.lock()
    }
}

impl Outcomes {
    pub fn settle(&mut self, place: Place, result: Result<String, Failure>) {
        if place.total == 1 {
            self.done.push((
                place.index,
                result.map(|id| Accepted {
                    references: named(vec![id]),
                }),
            ));
            return;
        }
        let parts = self.long.entry(place.index).or_insert_with(|| Parts {
            left: place.total,
            references: vec![String::new(); usize::from(place.total)],
            taken: false,
            failure: None,
        });
        parts.left -= 1;
        match result {
            Ok(id) => {
                parts.taken = true;
                parts.references[usize::from(place.part)] = id;
            }
            Err(failure) => {
                if parts
                    .failure
                    .as_ref()
                    .is_none_or(|known| weight(failure.class) > weight(known.class))
                {
                    parts.failure = Some(failure);
                }
            }
        }
        if parts.left == 0
            && let Some(parts) = self.long.remove(&place.index)
        {
            self.done.push((place.index, parts.outcome()));
        }
    }
}

impl Parts {
    /// A refusal that no further try can change stands. Anything else, once a part was taken, is in doubt: the whole
    /// text goes again, and the parts that arrived will arrive twice.
    fn outcome(self) -> Outcome {
        let Some(failure) = self.failure else {
            return Ok(Accepted {
                references: named(self.references),
            });
        };
        let last = matches!(
            failure.class,
            FailureClass::BadAddress | FailureClass::BadContent
        );
        if last || !self.taken {
            return Err(failure);
        }
        let doubt = Failure {
            class: FailureClass::InDoubt,
            detail: "some parts of a long text were taken and others not; sending it again repeats the former".into(),
            ..failure
        };
        Err(doubt)
    }
}

/// Which of several parts' failures speaks for the message.
const fn weight(class: FailureClass) -> u8 {
    match class {
        FailureClass::BadAddress => 5,
        FailureClass::BadContent => 4,
        FailureClass::InDoubt => 3,
        FailureClass::Throttled => 2,
        FailureClass::Transient => 1,
        FailureClass::LinkDown => 0,
    }
}

fn named(mut references: Vec<String>) -> Vec<String> {
    references.retain(|id| !id.is_empty());
    references
}

/// Whose part a request is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub index: usize,
    pub part: u8,
    pub total: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(results: [Result<&str, FailureClass>; 3]) -> Outcome {
        let group = Group::default();
        for (part, result) in (0u8..).zip(results) {
            let result = result
                .map(str::to_owned)
                .map_err(|class| Failure::new(class, "x", "y"));
            group.settling().settle(
                Place {
                    index: 7,
                    part,
                    total: 3,
                },
                result,
            );
        }
        let mut done = Vec::new();
        group.take(&mut done);
        assert_eq!((done.len(), done[0].0), (1, 7));
        done.remove(0).1
    }

    #[test]
    fn a_long_text_has_one_reference_a_part_in_order() {
        assert_eq!(
            long([Ok("a"), Ok("b"), Ok("c")]).unwrap().references,
            ["a", "b", "c"]
        );
    }

    #[test]
    fn a_long_text_fails_with_the_class_of_its_part_and_is_in_doubt_once_a_part_was_taken() {
        use FailureClass::{BadAddress, InDoubt, LinkDown, Throttled, Transient};
        let class = |results| long(results).unwrap_err().class;
        assert_eq!(
            class([Err(Throttled), Err(Throttled), Err(Transient)]),
            Throttled
        );
        assert_eq!(class([Ok("a"), Err(Throttled), Ok("c")]), InDoubt);
        assert_eq!(class([Ok("a"), Err(BadAddress), Ok("c")]), BadAddress);
        assert_eq!(
            class([Err(LinkDown), Err(LinkDown), Err(LinkDown)]),
            LinkDown
        );
        assert_eq!(class([Err(InDoubt), Err(LinkDown), Err(LinkDown)]), InDoubt);
    }
}
