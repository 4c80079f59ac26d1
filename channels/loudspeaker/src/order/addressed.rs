//! The addressed set of an order as text: device ids with a space between, where a run of ids that differ only in their
//! last digits is written `FIRST..LAST-DIGITS`. It names exactly whom it was made of, so that signing it leaves nobody
//! room to widen it, and a county's speakers stay a few bytes each. This module must not look an id up anywhere.

/// A set is no longer than this, so that a small controller can hold any order: a batch that needs more becomes several.
pub(crate) const LONGEST: usize = 8 * 1024;
/// So many last digits count as a number.
const DIGITS: usize = 9;

/// Whether an id can stand in a set at all.
pub(crate) fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_graphic())
        && !id.contains("..")
}

/// Whether the set `to` names `device`.
pub fn names(to: &str, device: &str) -> bool {
    device.is_ascii() && to.split(' ').any(|item| item_names(item, device))
}

fn item_names(item: &str, device: &str) -> bool {
    let Some((first, last)) = item.split_once("..") else {
        return item == device;
    };
    if device.len() != first.len() || last.len() > first.len() || !first.is_ascii() {
        return false;
    }
    let (head, digits) = device.split_at(device.len() - last.len());
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Of one length, so that the order of the texts is that of the numbers.
    first.starts_with(head)
        && number(digits)
        && number(last)
        && (&first[head.len()..]..=last).contains(&digits)
}

/// A set and whom it was made of, by their places among what was given.
pub(crate) struct Part {
    pub to: String,
    pub places: Vec<usize>,
}

/// The sets for these ids; more than one only when one would be too long.
pub(crate) fn parts(ids: &[(usize, &str)]) -> Vec<Part> {
    let mut sorted: Vec<_> = ids
        .iter()
        .map(|(place, id)| (split(id), *place, *id))
        .collect();
    sorted.sort_unstable();
    let mut parts: Vec<Part> = Vec::new();
    for run in sorted.chunk_by(|(one, ..), (next, ..)| follows(one, next)) {
        let [(_, _, first), ..] = run else { continue };
        let item = run
            .last()
            .map_or(String::new(), |(_, _, last)| write(first, last));
        let places = run.iter().map(|(_, place, _)| *place);
        match parts.last_mut() {
            Some(part) if part.to.len() + 1 + item.len() <= LONGEST => {
                part.to.push(' ');
                part.to.push_str(&item);
                part.places.extend(places);
            }
            _ => parts.push(Part {
                to: item,
                places: places.collect(),
            }),
        }
    }
    parts
}

/// Head, number of digits, number: so they sort into runs.
fn split(id: &str) -> (&str, usize, u32) {
    let digits = id.bytes().rev().take(DIGITS);
    let count = digits.take_while(u8::is_ascii_digit).count();
    let (head, number) = id.split_at(id.len() - count);
    (head, count, number.parse().unwrap_or(0))
}

fn follows(one: &(&str, usize, u32), next: &(&str, usize, u32)) -> bool {
    // Twice the same id, or its neighbour.
    (one.0, one.1) == (next.0, next.1) && next.2 - one.2 <= 1
}

fn write(first: &str, last: &str) -> String {
    if first == last {
        return first.to_owned();
    }
    let pairs = first.bytes().zip(last.bytes());
    let common = pairs.take_while(|(one, other)| one == other).count();
    format!("{first}..{}", &last[common..])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn written(ids: &[&str]) -> String {
        let ids: Vec<_> = ids.iter().copied().enumerate().collect();
        let texts: Vec<_> = parts(&ids).into_iter().map(|part| part.to).collect();
        texts.join("|")
    }

    #[test]
    fn neighbours_become_runs_and_others_stand_alone() {
        assert_eq!(
            written(&["PW-217001-2", "PW-217001-1", "PW-217001-3", "PW-218001-1"]),
            "PW-217001-1..3 PW-218001-1"
        );
        assert_eq!(
            written(&["a-8", "a-9", "a-10", "a-11", "siren"]),
            "a-8..9 a-10..1 siren"
        );
        assert_eq!(
            written(&["510727217099", "510727217100"]),
            "510727217099..100"
        );
        assert_eq!(
            written(&["a-1", "a-1"]),
            "a-1",
            "one device, two deliveries"
        );
    }

    #[test]
    fn a_run_names_its_members_and_nobody_beside_them() {
        let to = "PW-217001-01..12 siren";
        for device in ["PW-217001-01", "PW-217001-09", "PW-217001-12", "siren"] {
            assert!(names(to, device), "{device}");
        }
        for device in [
            "",
            "PW-217001-00",
            "PW-217001-13",
            "PW-217001-1",
            "PW-217001-001",
            "PW-217001-0a",
            "PW-217002-01",
            "sire",
            "siren2",
            "PW-217001-01..12",
            "喇叭",
        ] {
            assert!(!names(to, device), "{device}");
        }
        assert!(!names("", "a") && !names("a..", "b") && !names("..9", "5"));
    }

    #[test]
    fn a_county_of_two_thousand_speakers_in_runs_is_a_few_bytes_each() {
        let ids: Vec<_> = (0..2_000)
            .map(|n| format!("PW-{:06}-{:02}", 100_000 + n / 11, n % 11))
            .collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).enumerate().collect();
        let parts = parts(&ids);
        assert_eq!((parts.len(), parts[0].places.len()), (1, 2_000));
        assert!(parts[0].to.len() < 4_000, "{}", parts[0].to.len());
    }

    proptest! {
        #[test]
        fn the_parts_name_exactly_the_ids_they_were_made_of(
            ids in prop::collection::btree_set("[ab]{0,2}-?[0-9]{1,3}", 1..300),
            others in prop::collection::vec("[ab]{0,2}-?[0-9]{1,3}", 50),
            pad in 0_usize..40,
        ) {
            // Long ids, so that some sets need more than one part.
            let pad = "x".repeat(pad);
            let ids: BTreeSet<_> = ids.into_iter().map(|id| format!("{pad}{id}")).collect();
            let list: Vec<_> = ids.iter().map(String::as_str).enumerate().collect();
            let parts = parts(&list);
            let mut places: Vec<_> = parts.iter().flat_map(|part| part.places.clone()).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..ids.len()).collect::<Vec<_>>());
            for part in &parts {
                prop_assert!(part.to.len() <= LONGEST);
                let within: BTreeSet<_> = part.places.iter().map(|place| list[*place].1).collect();
                let asked = ids.iter().cloned().chain(others.iter().map(|id| format!("{pad}{id}")));
                for id in asked {
                    prop_assert_eq!(names(&part.to, &id), within.contains(id.as_str()), "{}", id);
                }
            }
        }
    }
}
