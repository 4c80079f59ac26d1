//! What an `errcode` means, for each of the three houses: the official account, WeCom's applications, WeCom's robots. They
//! share one space of numbers and mean different things by some of them. This module must not look at `errmsg`, whose
//! words change and may hold an openid.

use std::time::Duration;

use channel::{Failure, FailureClass};

/// Whose answer it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum House {
    Account,
    Work,
    Robot,
}

impl House {
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Account => "wechat",
            Self::Work => "wecom",
            Self::Robot => "robot",
        }
    }
}

/// What is to be done about a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Taken,
    /// Taken before, under the same id.
    Before,
    /// The token is no longer taken: ask for another and repeat once.
    Token,
    /// The whole account, until somebody does something about it.
    Shut,
    /// Too fast: the account, for so long.
    Slow(Duration),
    /// Too many to this one person: others may go on.
    PersonSlow(Duration),
    /// Not this person.
    Person,
    /// Not this message.
    Content,
    /// It may pass.
    Busy,
    /// In no table: kept, told, and tried again as often as anything that may pass, no more.
    Unknown,
}

const MINUTE: Duration = Duration::from_mins(1);
/// A day's quota is asked after this often: somebody may have had it cleared.
const DAY_QUOTA: Duration = Duration::from_mins(10);
const CROWD: Duration = Duration::from_secs(5);

pub const fn meaning(house: House, code: i64) -> Meaning {
    let own = match house {
        House::Account => Meaning::Unknown,
        House::Work => work(code),
        House::Robot => match robot(code) {
            Meaning::Unknown => work(code),
            own => own,
        },
    };
    match own {
        Meaning::Unknown => account(code),
        own => own,
    }
}

/// The official account's, and what WeCom takes over from it.
const fn account(code: i64) -> Meaning {
    match code {
        0 => Meaning::Taken,
        45065 => Meaning::Before,
        -1 | -1000 => Meaning::Busy,
        40001 | 40014 | 41001 | 42001 => Meaning::Token,
        45009 => Meaning::Slow(DAY_QUOTA),
        45011 => Meaning::Slow(MINUTE),
        43117 | 45047 => Meaning::PersonSlow(MINUTE),
        40003 | 40031 | 41009 | 43004 | 43019 | 43101 | 45015 | 46004 | 48002 | 50001 | 50002 => {
            Meaning::Person
        }
        40002
        | 40013
        | 40030
        | 40125
        | 40164
        | 41002..=41004
        | 42002
        | 42007
        | 48001
        | 48003
        | 48004
        | 48008
        | 61003
        | 61004
        | 61007
        | 61023 => Meaning::Shut,
        _ if is_content(code) => Meaning::Content,
        _ => Meaning::Unknown,
    }
}

/// What is wrong with a message, or with a request that no message is.
const fn is_content(code: i64) -> bool {
    matches!(
        code,
        40004..=40012
        | 40015..=40029
        | 40032
        | 40033
        | 40035
        | 40037..=40039
        | 40048
        | 40050
        | 40051
        | 40053..=40055
        | 40060
        | 40102
        | 40118..=40121
        | 40137
        | 40155
        | 40163
        | 41005..=41008
        | 41030
        | 42003
        | 43001..=43003
        | 43100
        | 43107
        | 44001..=44004
        | 45001..=45008
        | 45026
        | 45027
        | 45064
        | 45067
        | 45166
        | 46001
        | 46003
        | 47001
        | 47003
        | 48005
        | 48006
        | 61500
        | 63002
        | 65303..=65305
        | 65314
        | 65316
        | 87009
        | 87014
    )
}

const fn work(code: i64) -> Meaning {
    match code {
        6000 => Meaning::Busy,
        // Here it is the secret, which no new token mends.
        40001 | 40056 | 40091 | 41011 | 60011 | 60020 | 301_002 => Meaning::Shut,
        45009 => Meaning::Slow(MINUTE),
        45033 => Meaning::Slow(CROWD),
        60111 | 81013 => Meaning::Person,
        40058 | 40063 | 82001 | 86001 => Meaning::Content,
        _ => Meaning::Unknown,
    }
}

const fn robot(code: i64) -> Meaning {
    match code {
        // A wrong key is one group's: the others go on.
        93000 | 93004 | 93008 => Meaning::Person,
        _ => Meaning::Unknown,
    }
}

/// The failure that a message gets; `None` where it was taken.
pub fn failure(house: House, code: i64) -> Option<Failure> {
    use FailureClass::{BadAddress, BadContent, LinkDown, Throttled, Transient};
    let (class, wait, detail) = match meaning(house, code) {
        Meaning::Taken | Meaning::Before => return None,
        Meaning::Token => (
            LinkDown,
            None,
            "the far end takes no token of this account; check its secret, and who else asks for tokens",
        ),
        Meaning::Shut => (
            LinkDown,
            None,
            "the far end refuses the account; check its id and secret, the list of addresses that may call, and its permissions",
        ),
        Meaning::Slow(wait) => (
            Throttled,
            Some(wait),
            "the account's quota is used up for now",
        ),
        Meaning::PersonSlow(wait) => (
            Transient,
            Some(wait),
            "the far end takes no more for this person for now",
        ),
        Meaning::Person => (
            BadAddress,
            None,
            "the far end does not deliver to this person: unknown, no follower, or refusing",
        ),
        Meaning::Content => (
            BadContent,
            None,
            "the far end refuses the message; check template, fields and link",
        ),
        Meaning::Busy => (Transient, None, "the far end is busy"),
        Meaning::Unknown => (
            Transient,
            None,
            "the far end answered with a code that is in no table; look it up in its list of codes",
        ),
    };
    let unknown = meaning(house, code) == Meaning::Unknown;
    let word = if unknown { ":unknown" } else { "" };
    let failure = Failure::new(class, format!("{}:{code}{word}", house.prefix()), detail);
    Some(match wait {
        Some(wait) => failure.retry_after(wait),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_class_of_its_house() {
        use FailureClass::{BadAddress, BadContent, LinkDown, Throttled, Transient};
        use House::{Account, Robot, Work};
        for (house, code, class) in [
            (Account, -1, Transient),
            (Account, 40001, LinkDown),
            (Account, 40003, BadAddress),
            (Account, 43004, BadAddress),
            (Account, 43101, BadAddress),
            (Account, 43107, BadContent),
            (Account, 43117, Transient),
            (Account, 45009, Throttled),
            (Account, 45011, Throttled),
            (Account, 40037, BadContent),
            (Account, 47003, BadContent),
            (Account, 40164, LinkDown),
            (Account, 61004, LinkDown),
            (Account, 99_999, Transient),
            (Work, -1, Transient),
            (Work, 40001, LinkDown),
            (Work, 42001, LinkDown),
            (Work, 45009, Throttled),
            (Work, 45033, Throttled),
            (Work, 60020, LinkDown),
            (Work, 81013, BadAddress),
            (Work, 86001, BadContent),
            (Work, 40058, BadContent),
            (Robot, 45009, Throttled),
            (Robot, 93000, BadAddress),
            (Robot, 44004, BadContent),
        ] {
            assert_eq!(
                failure(house, code).unwrap().class,
                class,
                "{house:?} {code}"
            );
        }
        assert_eq!(
            meaning(Work, 40001),
            Meaning::Shut,
            "WeCom's 40001 is the secret"
        );
        assert_eq!(meaning(Account, 40001), Meaning::Token);
        assert_eq!(failure(Account, 0), None);
        assert_eq!(failure(Account, 45065), None, "taken before is taken");
        assert_eq!(failure(Work, 777).unwrap().code, "wecom:777:unknown");
    }

    #[test]
    fn a_quota_says_how_long() {
        let wait = |house, code| failure(house, code).unwrap().retry_after;
        assert_eq!(wait(House::Work, 45009), Some(MINUTE));
        assert_eq!(wait(House::Account, 45009), Some(DAY_QUOTA));
        assert_eq!(wait(House::Account, 43117), Some(MINUTE));
        assert_eq!(wait(House::Account, -1), None);
    }
}
