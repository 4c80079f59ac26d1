//! One page of a list: what stands behind a line that the caller has seen, and where the next page begins. A line is
//! named by a key of its own, never by how many stand before it, so that what is added meanwhile moves nothing. This
//! module must not sort.

use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::{BAD_PARAMETER, Problem};

/// How a list is asked for in pages.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Begins behind the line that this names: `next` of the page before.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    pub after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    pub limit: Option<usize>,
}

pub const MOST: usize = 5_000;
pub const USUAL: usize = 200;

/// A file is whole: it is refused with what asks for a page.
pub fn whole(page: PageParams) -> Result<(), Problem> {
    if page.after.is_none() && page.limit.is_none() {
        return Ok(());
    }
    let detail = "a CSV file is whole and has no pages; leave limit and after out";
    Err(Problem::new(&BAD_PARAMETER, detail))
}

/// How many lines a page has.
pub fn within(limit: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match limit {
        None => Ok(usual),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => {
            let detail = format!("limit is {limit}; give 1 to {most} and follow `next`");
            Err(Problem::new(&BAD_PARAMETER, detail))
        }
    }
}

/// The page, and the key of its last line where there is more behind it.
pub fn cut<T>(
    mut lines: Vec<T>,
    page: PageParams,
    key: impl Fn(&T) -> u64,
) -> Result<(Vec<T>, Option<u64>), Problem> {
    let limit = within(page.limit, USUAL, MOST)?;
    if let Some(after) = page.after {
        let Some(at) = lines.iter().position(|line| key(line) == after) else {
            let detail = format!("after={after} names no line of this list; begin without it");
            return Err(Problem::new(&BAD_PARAMETER, detail));
        };
        lines.drain(..=at);
    }
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| more).map(key);
    Ok((lines, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: Option<u64>, limit: usize) -> (Vec<u64>, Option<u64>) {
        let limit = Some(limit);
        cut((10..20).collect(), PageParams { after, limit }, |n| *n).expect("a page")
    }

    #[test]
    fn pages_follow_each_other_without_a_gap_and_the_last_has_no_next() {
        assert_eq!(page(None, 4), ((10..14).collect(), Some(13)));
        assert_eq!(page(Some(13), 4), ((14..18).collect(), Some(17)));
        assert_eq!(page(Some(17), 4), ((18..20).collect(), None));
        assert_eq!(page(None, 10), ((10..20).collect(), None));
    }

    #[test]
    fn a_cursor_of_another_list_and_a_limit_out_of_bounds_are_refused() {
        let asked = |after, limit| cut(vec![1_u64], PageParams { after, limit }, |n| *n);
        assert!(asked(Some(7), None).is_err());
        assert!(asked(None, Some(0)).is_err());
        assert!(asked(None, Some(MOST + 1)).is_err());
    }
}
