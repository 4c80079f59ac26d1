//! Routes: one way of a plan that goes by several accounts. Each number goes by the first account, in the configured
//! order, that serves its carrier, and by the next where that one does not take it. A prefix only guesses the carrier, and
//! what far ends have answered goes before the guess. This module must not send and must not show a number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{Capability, Found, Level};

use super::carriers::Carriers;
use crate::ledger::{Fact, Ported};
use crate::model::{Carrier, EndpointId};
use crate::registry::Registry;

/// One account of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub channel: String,
    /// Whose numbers it serves; left out where it serves everybody's.
    pub serves: Option<Vec<Carrier>>,
}

impl Member {
    fn serves(&self, carrier: Carrier) -> bool {
        self.serves
            .as_ref()
            .is_none_or(|own| own.contains(&carrier))
    }

    /// Whether a number may be theirs of which it is only known whose it is not. A satellite telephone is known by its
    /// prefix.
    fn may_serve(&self, fact: Fact) -> bool {
        let may = |carrier: &Carrier| *carrier != Carrier::Satellite && !fact.denies(*carrier);
        self.serves.as_ref().is_none_or(|own| own.iter().any(may))
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    pub name: String,
    pub members: Vec<Member>,
    /// For so long an account may take nothing before what waits for it goes by another.
    pub patience: Duration,
    pub patience_red: Duration,
}

impl Route {
    /// By the level that an alert is handled by.
    pub fn patience(&self, level: Level) -> Duration {
        if level == Level::Red {
            self.patience_red
        } else {
            self.patience
        }
    }

    /// The first account, of those that may be taken, that serves a number. Of whom nothing is known goes by the first
    /// that serves everybody, else by the first whose number it may be.
    pub fn member(&self, belief: Belief, may: impl Fn(&Member) -> bool) -> Option<&Member> {
        let free = || self.members.iter().filter(|member| may(member));
        match belief.carrier {
            Some(carrier) => free().find(|member| member.serves(carrier)),
            None => free()
                .find(|member| member.serves.is_none())
                .or_else(|| free().find(|member| member.may_serve(belief.fact))),
        }
    }

    pub fn holds(&self, channel: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.channel == channel)
    }
}

/// Whose number it probably is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Belief {
    pub carrier: Option<Carrier>,
    fact: Fact,
}

/// Every route, and what numbers are guessed by.
#[derive(Debug, Default)]
pub struct Routes {
    list: Vec<Route>,
    carriers: Carriers,
}

impl Routes {
    pub fn new(list: Vec<Route>, carriers: Carriers) -> Self {
        Self { list, carriers }
    }

    pub fn named(&self, name: &str) -> Option<&Route> {
        self.list.iter().find(|route| route.name == name)
    }

    /// The route that a channel stands in.
    pub fn of(&self, channel: &str) -> Option<&Route> {
        self.list
            .iter()
            .find(|route| route.holds(channel).is_some())
    }

    /// By what it is known who was told: accounts of one route are one way.
    pub fn way<'a>(&'a self, name: &'a str) -> &'a str {
        self.of(name).map_or(name, |route| &route.name)
    }

    pub fn belief(&self, number: &str, fact: Fact) -> Belief {
        let guess = || self.carriers.of(number).filter(|c| !fact.denies(*c));
        Belief {
            carrier: fact.is.or_else(guess),
            fact,
        }
    }
}

/// How well each channel knows a device; of the others nobody can say.
pub type Homes = Arc<dyn Fn(&str) -> BTreeMap<String, Found> + Send + Sync>;

/// What each configured channel can do, which of them stand in for each other, and what is known of numbers and devices.
#[derive(Clone, Default)]
pub struct Outlets {
    can: BTreeMap<String, Capability>,
    pub routes: Arc<Routes>,
    ported: Arc<Ported>,
    homes: Option<Homes>,
}

impl<const N: usize> From<[(String, Capability); N]> for Outlets {
    fn from(can: [(String, Capability); N]) -> Self {
        Self {
            can: can.into(),
            ..Self::default()
        }
    }
}

/// By which account somebody goes, or whose number it is that no account serves.
pub type Chosen<'a> = Result<&'a str, Option<Carrier>>;

impl Outlets {
    pub fn new(
        can: impl Iterator<Item = (String, Capability)>,
        routes: Arc<Routes>,
        ported: Arc<Ported>,
    ) -> Self {
        Self {
            can: can.collect(),
            routes,
            ported,
            homes: None,
        }
    }

    /// With what is known of devices.
    #[must_use]
    pub fn knowing(mut self, homes: Homes) -> Self {
        self.homes = Some(homes);
        self
    }

    /// Whether a loudspeaker is told by this way of a send's: one that is better known at others of them is told by those. Who
    /// is known at none of them is tried by each that could have it, so that it shows.
    pub fn takes(&self, way: &str, ways: &[String], device: &str) -> bool {
        let Some(homes) = &self.homes else {
            return true;
        };
        let known = homes(device);
        let known = |way: &str| {
            let own = known
                .iter()
                .filter(|(name, _)| self.routes.way(name) == way);
            own.map(|(_, found)| *found).max().unwrap_or(Found::Unknown)
        };
        let best = ways.iter().map(|other| known(other)).max();
        best.is_none_or(|best| known(way) == best)
    }

    /// Of a channel, or of the channels of a route, which write the same texts.
    pub fn get(&self, name: &str) -> Option<Capability> {
        let first = || {
            let mut members = self.routes.named(name)?.members.iter();
            members.find_map(|member| self.can.get(&member.channel))
        };
        self.can.get(name).or_else(first).copied()
    }

    /// Whose number it is, as far as anything is known; `carriers` guesses.
    pub fn carrier(
        &self,
        endpoint: EndpointId,
        number: &str,
        carriers: &Carriers,
    ) -> Option<Carrier> {
        let fact = self.ported.of(endpoint);
        let guess = || carriers.of(number).filter(|c| !fact.denies(*c));
        fact.is.or_else(guess)
    }

    /// By which channel of this way an endpoint is told.
    pub fn choose<'a>(
        &'a self,
        way: &'a str,
        endpoint: EndpointId,
        registry: &Registry,
    ) -> Chosen<'a> {
        let Some(route) = self.routes.named(way) else {
            return Ok(way);
        };
        let number = registry.endpoint(endpoint).map_or("", |e| e.address);
        let belief = self.routes.belief(number, self.ported.of(endpoint));
        let may = |member: &Member| self.can.contains_key(&member.channel);
        let member = route.member(belief, may).ok_or(belief.carrier)?;
        Ok(&member.channel)
    }
}

#[cfg(test)]
mod tests {
    use channel::{EndpointKind, Evidence, Style};

    use super::*;
    use crate::plan::fixture::outlet;

    #[test]
    fn a_loudspeaker_is_told_where_it_is_known_and_everywhere_where_it_is_not() {
        let (speaker, played) = (EndpointKind::Speaker, Evidence::Acknowledged);
        let speaks = outlet("loudspeaker", speaker, Style::Spoken, played);
        let can = [("horn".to_owned(), speaks), ("platform".to_owned(), speaks)];
        let homes: Homes = Arc::new(|device| {
            let known: &[(&str, Found)] = match device {
                "enrolled" => &[("horn", Found::Named), ("platform", Found::Perhaps)],
                "theirs" => &[("platform", Found::Perhaps)],
                "both" => &[("horn", Found::Named), ("platform", Found::Named)],
                "gone" => &[("a channel of last year", Found::Named)],
                "new" => &[("platform", Found::Never)],
                _ => &[],
            };
            known.iter().map(|(at, f)| ((*at).to_owned(), *f)).collect()
        });
        let outlets = Outlets::from(can).knowing(homes);
        let both = ["horn".to_owned(), "platform".to_owned()];
        let takes = |device| ["horn", "platform"].map(|way| outlets.takes(way, &both, device));
        assert_eq!(takes("enrolled"), [true, false]);
        assert_eq!(takes("theirs"), [false, true]);
        assert_eq!(takes("new"), [true, false]);
        for device in ["both", "gone", "nobody's"] {
            assert_eq!(takes(device), [true, true], "{device}");
        }
        // The plan has no other way to it.
        assert!(outlets.takes("platform", &both[1..], "enrolled"));
    }

    fn member(channel: &str, serves: Option<&[Carrier]>) -> Member {
        Member {
            channel: channel.into(),
            serves: serves.map(<[_]>::to_vec),
        }
    }

    fn route(members: Vec<Member>) -> Route {
        Route {
            name: "texts".into(),
            members,
            patience: Duration::from_mins(1),
            patience_red: Duration::from_secs(15),
        }
    }

    fn county() -> Route {
        route(vec![
            member("mobile", Some(&[Carrier::Mobile, Carrier::Broadnet])),
            member("unicom", Some(&[Carrier::Unicom])),
            member("sky", Some(&[Carrier::Satellite])),
            member("any", None),
        ])
    }

    fn by(route: &Route, number: &str, fact: Fact, tried: &[&str]) -> Option<String> {
        let routes = Routes::new(Vec::new(), Carriers::shipped());
        let belief = routes.belief(number, fact);
        let may = |member: &Member| !tried.contains(&member.channel.as_str());
        route.member(belief, may).map(|m| m.channel.clone())
    }

    const MOBILE: &str = "13900000000";
    const UNICOM: &str = "13000000000";
    const TELECOM: &str = "13300000000";
    const SKY: &str = "17400000000";
    const STRANGE: &str = "00000000000";

    #[test]
    fn a_number_goes_by_the_first_account_that_serves_its_carrier() {
        let county = county();
        let none = Fact::default();
        for (number, account) in [
            (MOBILE, "mobile"),
            (UNICOM, "unicom"),
            (TELECOM, "any"),
            (SKY, "sky"),
            (STRANGE, "any"),
        ] {
            assert_eq!(by(&county, number, none, &[]).as_deref(), Some(account));
        }
        assert_eq!(
            by(&county, MOBILE, none, &["mobile"]).as_deref(),
            Some("any")
        );
        assert_eq!(by(&county, MOBILE, none, &["mobile", "any"]), None);
    }

    #[test]
    fn what_a_far_end_has_answered_goes_before_the_prefix() {
        let county = county();
        let not = |carrier: Carrier| Fact {
            is: None,
            not: carrier.bit(),
        };
        let denied = not(Carrier::Mobile);
        assert_eq!(
            by(&county, MOBILE, denied, &["mobile"]).as_deref(),
            Some("any")
        );
        let moved = Fact {
            is: Some(Carrier::Unicom),
            ..denied
        };
        assert_eq!(by(&county, MOBILE, moved, &[]).as_deref(), Some("unicom"));
        // Without an account for everybody it is sought among the others.
        let few = route(vec![
            member("mobile", Some(&[Carrier::Mobile])),
            member("sky", Some(&[Carrier::Satellite])),
            member("unicom", Some(&[Carrier::Unicom])),
        ]);
        assert_eq!(
            by(&few, MOBILE, denied, &["mobile"]).as_deref(),
            Some("unicom")
        );
        assert_eq!(by(&few, MOBILE, Fact::default(), &["mobile"]), None);
        assert_eq!(
            by(&few, TELECOM, Fact::default(), &[]),
            None,
            "nobody serves it"
        );
        assert_eq!(
            by(&few, STRANGE, Fact::default(), &[]).as_deref(),
            Some("mobile")
        );
    }

    #[test]
    fn accounts_of_one_route_are_one_way() {
        let routes = Routes::new(vec![county()], Carriers::default());
        assert_eq!(routes.way("unicom"), "texts");
        assert_eq!(routes.way("texts"), "texts");
        assert_eq!(routes.way("mail"), "mail");
        assert_eq!(county().patience(Level::Red), Duration::from_secs(15));
        assert_eq!(county().patience(Level::Orange), Duration::from_mins(1));
    }
}
