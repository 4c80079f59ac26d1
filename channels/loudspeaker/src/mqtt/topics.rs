//! The topics of one channel: made from a template, and read back. A device's id is a level of a topic, so that an id in
//! which a broker would see more than one device is none. Pure: this module must not know what is sent.

use crate::order::is_plain;

/// As shipped.
pub const TEMPLATE: &str = "tocsin/{channel}/{what}/{device}";
const LONGEST: usize = 200;

/// What a topic carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Orders to one device.
    Orders,
    /// Orders to all whose ids begin alike.
    Groups,
    /// The gateway's answers to one device's calls.
    Answers,
    /// One device's calls.
    Calls,
    /// Whether the broker holds a line to one device: retained, and its last will.
    State,
    /// Whether the broker holds a line to the gateway: retained, and its last will.
    Gateway,
}

impl What {
    const ALL: [Self; 6] = [
        Self::Orders,
        Self::Groups,
        Self::Answers,
        Self::Calls,
        Self::State,
        Self::Gateway,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Groups => "groups",
            Self::Answers => "answers",
            Self::Calls => "calls",
            Self::State => "state",
            Self::Gateway => "gateway",
        }
    }
}

/// Whether an id can be one level of a topic, and no filter.
pub(crate) fn is_level(id: &str) -> bool {
    is_plain(id) && !id.starts_with('$') && !id.contains(['/', '+', '#'])
}

/// How the id of a device's group begins; none where the id is no longer than that.
pub(crate) fn group_of(device: &str, length: usize) -> Option<&str> {
    let longer = length > 0 && device.len() > length;
    longer.then(|| device.get(..length)).flatten()
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Level {
    Word(String),
    What,
    Device,
}

/// A template with the channel's name in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topics(Vec<Level>);

impl Topics {
    /// `None` when a topic would not say what it carries, and of which device, each in one level.
    pub fn new(template: &str, channel: &str) -> Option<Self> {
        let level = |level: &str| match level {
            "{what}" => Some(Level::What),
            "{device}" => Some(Level::Device),
            word => {
                let word = word.replace("{channel}", channel);
                (is_level(&word) && !word.contains(['{', '}'])).then_some(Level::Word(word))
            }
        };
        let levels: Vec<_> = template.split('/').map(level).collect::<Option<_>>()?;
        let once = |wanted: &Level| levels.iter().filter(|level| *level == wanted).count() == 1;
        let sound = once(&Level::What) && once(&Level::Device) && template.len() <= LONGEST;
        sound.then_some(Self(levels))
    }

    /// The topic of one device, or of one group.
    pub fn of(&self, what: What, device: &str) -> String {
        let level = |level: &'_ Level| match level {
            Level::Word(word) => word.clone(),
            Level::What => what.name().to_owned(),
            Level::Device => device.to_owned(),
        };
        let levels: Vec<_> = self.0.iter().map(level).collect();
        levels.join("/")
    }

    /// Of all devices, as a filter.
    pub fn all(&self, what: What) -> String {
        self.of(what, "+")
    }

    /// The gateway's own.
    pub fn gateway(&self) -> String {
        self.of(What::Gateway, "state")
    }

    /// What a topic carries, and of which device.
    pub fn read<'a>(&self, topic: &'a str) -> Option<(What, &'a str)> {
        let (mut what, mut device) = (None, None);
        let mut words = topic.split('/');
        for level in &self.0 {
            let word = words.next()?;
            match level {
                Level::Word(wanted) if word == wanted => {}
                Level::Word(_) => return None,
                Level::What => what = What::ALL.into_iter().find(|what| what.name() == word),
                Level::Device => device = Some(word).filter(|id| is_level(id)),
            }
        }
        words.next().is_none().then_some((what?, device?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shipped() -> Topics {
        Topics::new(TEMPLATE, "horn").expect("a template")
    }

    #[test]
    fn a_topic_is_made_from_the_template_and_read_back() {
        let topics = shipped();
        let topic = topics.of(What::Orders, "PW-217001-02");
        assert_eq!(topic, "tocsin/horn/orders/PW-217001-02");
        assert_eq!(topics.read(&topic), Some((What::Orders, "PW-217001-02")));
        assert_eq!(topics.all(What::Calls), "tocsin/horn/calls/+");
        assert_eq!(topics.gateway(), "tocsin/horn/gateway/state");
        let own = Topics::new("{device}/warn/{what}", "horn").expect("a template");
        assert_eq!(own.of(What::State, "a"), "a/warn/state");
        assert_eq!(own.read("a/warn/state"), Some((What::State, "a")));
    }

    #[test]
    fn a_topic_that_is_not_ours_is_not_read() {
        for topic in [
            "",
            "tocsin/horn/orders",
            "tocsin/horn/orders/a/b",
            "tocsin/other/orders/a",
            "tocsin/horn/shouts/a",
            "tocsin/horn/orders/+",
            "tocsin/horn/orders/#",
            "tocsin/horn/orders/",
            "tocsin/horn/orders/喇叭",
        ] {
            assert_eq!(shipped().read(topic), None, "{topic}");
        }
    }

    #[test]
    fn an_id_that_a_broker_would_take_for_many_devices_is_no_level() {
        for id in ["", "+", "a+", "#", "a/b", "$SYS", "a..b", "a b", "喇叭"] {
            assert!(!is_level(id), "{id}");
        }
        assert!(is_level("PW-217001-02") && is_level("a{b}"));
    }

    #[test]
    fn a_template_says_what_and_whose_once_and_holds_no_filter() {
        for template in [
            "",
            "tocsin/{what}",
            "tocsin/{device}",
            "{what}/{what}/{device}",
            "a+/{what}/{device}",
            "#/{what}/{device}",
            "$share/{what}/{device}",
            "/{what}/{device}",
            "x-{what}/{device}",
            "{place}/{what}/{device}",
        ] {
            assert_eq!(Topics::new(template, "horn"), None, "{template}");
        }
        assert_eq!(Topics::new(TEMPLATE, "a/b"), None);
    }

    proptest! {
        #[test]
        fn reading_is_the_other_way_of_making(id in "[!-~]{1,12}", topic in "\\PC{0,40}") {
            let topics = shipped();
            let made = topics.of(What::Calls, &id);
            prop_assert_eq!(topics.read(&made).is_some(), is_level(&id));
            if let Some((what, device)) = topics.read(&topic) {
                prop_assert_eq!(topics.of(what, device), topic.clone());
            }
        }
    }
}
