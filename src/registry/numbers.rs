//! Whose number this is: an index over the addresses of telephones and of people's WeChat, in the order of a keyed hash, so that a reply finds its
//! people without a scan and nobody outside can choose numbers that fall together. This module must not show a number.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::Registry;
use super::columns::{held, narrow};
use crate::model::{EndpointId, EndpointKind};

/// Places of endpoints; behind the last of them, of closed ones.
#[derive(Default)]
pub(super) struct Numbers {
    keys: RandomState,
    places: Vec<u32>,
}

impl Numbers {
    pub fn bytes(&self) -> usize {
        held(&self.places)
    }
}

/// A number in the one form that two ways of writing it share: its digits, without the country's own code.
fn bare(number: &str) -> Cow<'_, str> {
    let local = number.strip_prefix('+').or_else(|| {
        let abroad = number.len() > 12;
        number.strip_prefix("00").filter(|_| abroad)
    });
    let local = local.unwrap_or(number);
    let domestic = local.strip_prefix("86").filter(|rest| rest.len() >= 10);
    let digits = domestic.unwrap_or(local);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Cow::Borrowed(digits)
    } else {
        Cow::Owned(digits.chars().filter(char::is_ascii_digit).collect())
    }
}

const fn is_telephone(kind: EndpointKind) -> bool {
    matches!(
        kind,
        EndpointKind::Mobile
            | EndpointKind::Satellite
            | EndpointKind::Landline
            | EndpointKind::Beidou
    )
}

/// People write back from it.
const fn answers(kind: EndpointKind) -> bool {
    is_telephone(kind) || matches!(kind, EndpointKind::Openid | EndpointKind::Member)
}

/// Never the same as a number, though it may have digits alone.
fn lettered(address: &str) -> Cow<'_, str> {
    Cow::Owned(format!("@{}", address.to_ascii_lowercase()))
}

/// What a person writes from, as it came: an openid or a member's id has letters, whose case nobody tells for sure.
fn asked(from: &str) -> Cow<'_, str> {
    if from.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        lettered(from)
    } else {
        bare(from)
    }
}

impl Registry {
    pub(super) fn index_numbers(&mut self) {
        let (open, closed) = (self.endpoints.ids.len(), self.endpoints.closed.len());
        let answers = |place: &u32| answers(self.kind_at(*place));
        let mut places: Vec<u32> = (0..narrow(open + closed)).filter(answers).collect();
        let keys = RandomState::new();
        places.sort_by_cached_key(|place| keys.hash_one(self.form_at(*place)));
        places.shrink_to_fit();
        self.numbers = Arc::new(Numbers { keys, places });
    }

    fn kind_at(&self, place: u32) -> EndpointKind {
        let endpoints = &self.endpoints;
        let place = place as usize;
        match place.checked_sub(endpoints.ids.len()) {
            Some(closed) => endpoints.closed[closed].kind,
            None => endpoints.kinds[place],
        }
    }

    /// As it is looked for. What is no telephone and has no letter is never asked for by a number.
    fn form_at(&self, place: u32) -> Cow<'_, str> {
        if is_telephone(self.kind_at(place)) {
            bare(self.number_at(place))
        } else {
            lettered(self.number_at(place))
        }
    }

    fn number_at(&self, place: u32) -> &str {
        let endpoints = &self.endpoints;
        let place = place as usize;
        match place.checked_sub(endpoints.ids.len()) {
            Some(closed) => &endpoints.closed[closed].address,
            None => endpoints.addresses.get(place),
        }
    }

    fn id_at(&self, place: u32) -> EndpointId {
        let endpoints = &self.endpoints;
        let place = place as usize;
        match place.checked_sub(endpoints.ids.len()) {
            Some(closed) => endpoints.closed[closed].id,
            None => endpoints.ids[place],
        }
    }

    /// Every endpoint with this number, however it is written: several people may share it, and one that is closed still
    /// belongs to alerts that were sent before. By id.
    pub fn with_number(&self, from: &str) -> Vec<EndpointId> {
        let Numbers { keys, places } = &*self.numbers;
        let number = asked(from);
        if number.is_empty() {
            return Vec::new();
        }
        let (hash, of) = (keys.hash_one(&number), |place: &u32| {
            keys.hash_one(self.form_at(*place))
        });
        let first = places.partition_point(|place| of(place) < hash);
        let same = places[first..].iter().take_while(|place| of(place) == hash);
        let same = same.filter(|place| self.form_at(**place) == number);
        let mut ids: Vec<_> = same.map(|place| self.id_at(*place)).collect();
        ids.extend(self.bound_as(from));
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClosedRow, EndpointRow};
    use crate::registry::tests::sample;

    #[test]
    fn a_number_is_one_number_however_it_is_written() {
        for (written, same) in [
            ("00012345678", "00012345678"),
            ("8600012345678", "00012345678"),
            ("+8600012345678", "00012345678"),
            ("008600012345678", "00012345678"),
            ("0816-0000000", "08160000000"),
            ("+850001234", "850001234"),
            ("86000123", "86000123"),
            ("10690000", "10690000"),
            ("", ""),
            ("+", ""),
        ] {
            assert_eq!(bare(written), same, "{written}");
        }
    }

    #[test]
    fn everybody_with_a_number_is_found_and_nobody_else() {
        let mut rows = sample();
        let owner = rows.recipients[0].id;
        let endpoint = |id, kind, address: &str| EndpointRow {
            id,
            recipient: Some(owner),
            kind,
            address: address.to_owned(),
        };
        for n in 0..500_u32 {
            let number = format!("000{:08}", n / 2);
            rows.endpoints
                .push(endpoint(10_000 + n, EndpointKind::Mobile, &number));
        }
        rows.endpoints
            .push(endpoint(20_000, EndpointKind::Openid, "00000000007"));
        rows.closed.push(ClosedRow {
            id: 30_000,
            recipient: Some(owner),
            kind: EndpointKind::Mobile,
            address: "00000000007".into(),
            generation: 1,
        });
        let registry = Registry::build(1, &rows).expect("sound rows");
        assert_eq!(
            registry.with_number("8600000000007"),
            [10_014, 10_015, 30_000]
        );
        for n in 0..250 {
            assert!(
                registry.with_number(&format!("000{n:08}")).len() >= 2,
                "{n}"
            );
        }
        for nobody in ["", "00099999999", "7", "SP-1"] {
            assert_eq!(registry.with_number(nobody), [0; 0], "{nobody}");
        }
    }
    #[test]
    fn who_writes_by_wechat_is_found_and_is_nobodys_number() {
        let mut rows = sample();
        let endpoint = |id, kind, address: &str| EndpointRow {
            id,
            recipient: Some(12),
            kind,
            address: address.to_owned(),
        };
        rows.endpoints.extend([
            endpoint(20_000, EndpointKind::Openid, "oDemo-1"),
            endpoint(20_001, EndpointKind::Member, "Demo.officer"),
            endpoint(20_002, EndpointKind::Member, "00012345678"),
        ]);
        let registry = Registry::build(1, &rows).expect("sound rows");
        assert_eq!(registry.with_number("oDemo-1"), [20_000]);
        assert_eq!(registry.with_number("demo.officer"), [20_001]);
        assert!(!registry.with_number("00012345678").contains(&20_002));
    }
}
