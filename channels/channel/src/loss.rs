//! What a far end has no place for of a text: said before it is released, not found out afterwards. This module must not know
//! any far end.

/// One thing that does not get through, in the words of whoever decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Loss {
    /// In one short word.
    pub code: &'static str,
    pub en: &'static str,
    pub zh: &'static str,
}
