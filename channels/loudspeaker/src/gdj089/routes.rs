//! Which adapter serves an address, and by which code it is called there. Pure; this module must not know who is connected.

use channel::{Failure, FailureClass};

use super::bytes::Id;
use super::config::{Adapter, digits};

pub struct Routes {
    adapters: Vec<Served>,
}

struct Served {
    code: Id,
    /// Digits that the codes of its areas begin with.
    areas: Vec<String>,
    terminals: Vec<Id>,
}

/// Without the groups of 0 that stand for all below.
fn prefix(area: &str) -> &str {
    let mut end = area.len();
    for group in [3, 3, 2, 2] {
        if !area[..end].ends_with(&"000"[..group]) {
            break;
        }
        end -= group;
    }
    &area[..end]
}

/// The area in a resource code: behind the level, and in the older dialect behind the type.
fn area(code: &str) -> &str {
    let range = if code.len() == OLD { 4..16 } else { 1..13 };
    code.get(range).unwrap_or_default()
}

/// The address is none of this protocol's.
pub const BAD_CODE: &str = "089:bad-code";

/// Digits of a resource code of the older dialect.
const OLD: usize = 18;

/// The code of all terminals of an area, as a captured frame has it.
fn group(area: &str) -> String {
    format!("0{area}0314010400")
}

/// The codes of all that an adapter serves.
pub fn served(adapter: &Adapter) -> Vec<Id> {
    let own = [area(&adapter.code).to_owned()];
    let areas = if adapter.areas.is_empty() {
        &own[..]
    } else {
        &adapter.areas[..]
    };
    let groups = areas.iter().map(|area| group(area));
    let codes = groups.chain(adapter.terminals.iter().cloned());
    codes.filter_map(|code| code.parse().ok()).collect()
}

impl Routes {
    pub fn new(adapters: &[Adapter]) -> Self {
        let id = |code: &String| code.parse::<Id>().ok();
        let served = |adapter: &Adapter| {
            let own = [area(&adapter.code).to_owned()];
            let areas = if adapter.areas.is_empty() {
                &own[..]
            } else {
                &adapter.areas[..]
            };
            Some(Served {
                code: id(&adapter.code)?,
                areas: areas.iter().map(|area| prefix(area).to_owned()).collect(),
                terminals: adapter.terminals.iter().filter_map(id).collect(),
            })
        };
        Self {
            adapters: adapters.iter().filter_map(served).collect(),
        }
    }

    /// The adapter of this code, or the one whose settings name it as a terminal: who may open a connection.
    pub fn named(&self, code: &Id) -> Option<usize> {
        let own = |served: &Served| served.code == *code;
        let position = self.adapters.iter().position(own);
        let lists = |served: &Served| served.terminals.contains(code);
        position.or_else(|| self.adapters.iter().position(lists))
    }

    pub fn is_adapter(&self, at: usize, code: &Id) -> bool {
        self.adapters[at].code == *code
    }

    /// The adapter that serves a resource code: by name, or else by the closest area.
    pub fn serving(&self, code: &Id) -> Option<usize> {
        let closest = || {
            let length = code.bytes().len();
            let code = code.to_string();
            let area = area(&code);
            let fit = |served: &Served| {
                if served.code.bytes().len() != length {
                    return None;
                }
                let fits = served.areas.iter().filter(|own| area.starts_with(*own));
                fits.map(String::len).max()
            };
            let fits = self.adapters.iter().enumerate();
            let fits = fits.filter_map(|(at, served)| Some((fit(served)?, at)));
            // Of two as close, the first.
            let best = fits.max_by_key(|(length, at)| (*length, std::cmp::Reverse(*at)));
            best.map(|(_, at)| at)
        };
        self.named(code).or_else(closest)
    }

    /// Where a message goes: the adapter, and the code that it is for. An area is called by the code of all its terminals.
    pub fn of(&self, address: &str) -> Result<(usize, Id), Failure> {
        let code = if digits(address, 12) {
            group(address)
        } else {
            address.to_owned()
        };
        let known = digits(&code, 23) || digits(&code, OLD);
        let known = known.then(|| code.parse().ok()).flatten();
        let Some(code) = known else {
            let words = "the address is no resource code of 23 or 18 digits and no area of 12";
            return Err(Failure::new(FailureClass::BadAddress, BAD_CODE, words));
        };
        match self.serving(&code) {
            Some(at) => Ok((at, code)),
            None => Err(Failure::new(
                FailureClass::BadAddress,
                "089:no-adapter",
                "no adapter in the settings serves this code; add its area to one",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let county = Adapter::new("45107270000000314010201");
        let mut town = Adapter::new("55107271010000314010201");
        town.areas = vec!["510727101000".into(), "510727102201".into()];
        town.terminals = vec!["65109999990010314010401".into()];
        Routes::new(&[county, town])
    }

    #[test]
    fn an_address_goes_to_the_adapter_of_the_closest_area() {
        let routes = routes();
        let cases = [
            ("45107270000000314010201", 0, "45107270000000314010201"),
            ("55107271010000314010201", 1, "55107271010000314010201"),
            ("65107271012010314010401", 1, "65107271012010314010401"),
            ("65107271022010314010401", 1, "65107271022010314010401"),
            ("65107271022020314010401", 0, "65107271022020314010401"),
            ("65109999990010314010401", 1, "65109999990010314010401"),
            ("510727101201", 1, "05107271012010314010400"),
            ("510727000000", 0, "05107270000000314010400"),
        ];
        for (address, at, code) in cases {
            let found = routes.of(address).map(|(at, code)| (at, code.to_string()));
            assert_eq!(found, Ok((at, code.to_owned())), "{address}");
        }
        let failed = |address| routes.of(address).map_err(|failure| failure.code);
        assert_eq!(failed("341523000000"), Err("089:no-adapter".into()));
        for bad in ["", "51072710120", "SP-1", "6510727101201031401040A", "四"] {
            assert_eq!(failed(bad), Err("089:bad-code".into()), "{bad}");
        }
    }

    #[test]
    fn the_older_dialects_codes_go_to_its_own_adapters_alone() {
        let county = Adapter::new("45107270000000314010201");
        let old = Adapter {
            dialect: super::super::config::Dialect::Fefd,
            ..Adapter::new("031451072710100001")
        };
        let routes = Routes::new(&[county, old]);
        let of = |address| routes.of(address).map(|(at, _)| at).map_err(|f| f.code);
        assert_eq!(of("031451072710120101"), Ok(1));
        assert_eq!(of("510727101201"), Ok(0), "an area has no code there");
        assert_eq!(of("031451072810120101"), Err("089:no-adapter".into()));
    }

    #[test]
    fn a_connection_is_for_adapters_and_terminals_that_are_named() {
        let routes = routes();
        let named = |code: &str| routes.named(&code.parse().expect("digits"));
        assert_eq!(named("55107271010000314010201"), Some(1));
        assert_eq!(named("65109999990010314010401"), Some(1));
        // Served, and yet nobody who may come by itself.
        assert_eq!(named("65107271012010314010401"), None);
    }
}
