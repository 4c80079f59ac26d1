//! What a person serves by hand: which kinds there are, what each is called, and how its address is written. An address
//! names a place and never a person: it stands in links.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 电视字幕
    Tv,
    /// 广播口播
    Radio,
    /// LED 屏
    Led,
    /// 工作群
    Group,
    /// 370 MHz 应急通信
    Radio370,
    /// 铜锣、手摇报警器
    Gong,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Tv,
        Self::Radio,
        Self::Led,
        Self::Group,
        Self::Radio370,
        Self::Gong,
    ];

    /// As an address begins with it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tv => "tv",
            Self::Radio => "radio",
            Self::Led => "led",
            Self::Group => "group",
            Self::Radio370 => "radio370",
            Self::Gong => "gong",
        }
    }

    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Tv => "电视字幕",
            Self::Radio => "广播口播",
            Self::Led => "LED 屏",
            Self::Group => "工作群",
            Self::Radio370 => "370 MHz 电台",
            Self::Gong => "铜锣、手摇报警器",
        }
    }

    pub const fn english(self) -> &'static str {
        match self {
            Self::Tv => "TV crawl",
            Self::Radio => "radio",
            Self::Led => "LED screen",
            Self::Group => "work group",
            Self::Radio370 => "370 MHz radio",
            Self::Gong => "gong",
        }
    }

    /// What is to be done, Chinese and English.
    pub const fn task(self) -> (&'static str, &'static str) {
        match self {
            Self::Tv => ("打出游走字幕", "put it on as a crawl"),
            Self::Radio => (
                "中断节目口播,全文连播两遍",
                "break in and read all of it twice",
            ),
            Self::Led => ("逐屏滚动显示", "show it, screen after screen"),
            Self::Group => ("转发到工作群", "pass it on to the group"),
            Self::Radio370 => (
                "按呼号逐站呼叫并通播两遍",
                "call the stations and read it twice",
            ),
            Self::Gong => (
                "鸣锣并沿路喊话",
                "sound it and call the words along the road",
            ),
        }
    }

    /// Its text is one line, however the warning was written.
    pub const fn is_one_line(self) -> bool {
        matches!(self, Self::Tv | Self::Led)
    }
}

/// `tv:pingwu-tv`: a kind, and what the place is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outlet<'a> {
    pub kind: Kind,
    pub name: &'a str,
}

impl<'a> Outlet<'a> {
    /// `None` where it is no outlet's address: a kind, a colon, and 1 to 64 small letters, digits and hyphens.
    pub fn read(address: &'a str) -> Option<Self> {
        let (word, name) = address.split_once(':')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        ((1..=64).contains(&name.len()) && name.bytes().all(plain)).then_some(Self { kind, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_kind_and_a_plain_name() {
        for kind in Kind::ALL {
            let address = format!("{}:pingwu-1", kind.word());
            let outlet = Outlet::read(&address).expect("an outlet");
            assert_eq!((outlet.kind, outlet.name), (kind, "pingwu-1"));
        }
        for wrong in [
            "tv",
            "tv:",
            ":pingwu",
            "fax:pingwu",
            "tv:Pingwu",
            "tv:平武",
            "tv:a/b",
            "tv:a b",
        ] {
            assert_eq!(Outlet::read(wrong), None, "{wrong}");
        }
        assert_eq!(Outlet::read(&format!("tv:{}", "a".repeat(65))), None);
    }
}
