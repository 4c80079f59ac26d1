//! A compact message as a person reads it, in Chinese and in English. This module must not know the names of events and
//! places: whoever shows them hands them in.

use std::fmt::Write;

use channel::{Level, Timestamp};

use super::{Alert, Body, Compact, Instruction};

impl Instruction {
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Shelter => "就地避险",
            Self::Evacuate => "立即转移",
            Self::Prepare => "做好准备",
            Self::Execute => "按预案执行",
            Self::Avoid => "远离危险区域",
            Self::Monitor => "关注后续信息",
            Self::Assess => "核实灾情并上报",
            Self::AllClear => "解除",
        }
    }

    pub const fn english(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Shelter => "take shelter where you are",
            Self::Evacuate => "leave now",
            Self::Prepare => "prepare",
            Self::Execute => "act as the plan says",
            Self::Avoid => "keep away from the danger",
            Self::Monitor => "watch for further word",
            Self::Assess => "look what happened and report",
            Self::AllClear => "the danger is over",
        }
    }
}

const fn colour(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Red => ("红色", "red"),
        Level::Orange => ("橙色", "orange"),
        Level::Yellow => ("黄色", "yellow"),
        Level::Blue => ("蓝色", "blue"),
        Level::Unknown => ("级别不明", "level unknown"),
    }
}

/// Beijing time, to the minute.
fn time(at: Timestamp) -> String {
    let (year, month, day, hour, minute, _) = at.plus(std::time::Duration::from_hours(8)).civil();
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

impl Compact {
    /// `name` is the event's, where it is known.
    pub fn chinese(&self, name: Option<&str>) -> String {
        let mark = if self.drill { "【演练】" } else { "" };
        let body = match &self.body {
            Body::Alert(alert) => alert.chinese(name),
            Body::Test { number, sent } => {
                format!("拨测第{number}号,{}发出,收到请回复", time(*sent))
            }
            Body::Status { number, code, area } => {
                let area = area
                    .as_ref()
                    .map_or_else(String::new, |area| format!("{} ", area.code()));
                format!("{area}对第{number}号的回执:{code:02}")
            }
        };
        format!("{mark}{body}")
    }

    pub fn english(&self, name: Option<&str>) -> String {
        let mark = if self.drill { "DRILL: " } else { "" };
        let body = match &self.body {
            Body::Alert(alert) => alert.english(name),
            Body::Test { number, sent } => {
                format!("test call no. {number} of {}: please answer", time(*sent))
            }
            Body::Status { number, code, area } => {
                let area = area
                    .as_ref()
                    .map_or_else(String::new, |area| format!("{}: ", area.code()));
                format!("{area}status {code:02} for no. {number}")
            }
        };
        format!("{mark}{body}")
    }
}

impl Alert {
    fn chinese(&self, name: Option<&str>) -> String {
        let mut out = format!(
            "第{}号:{} {}预警",
            self.number,
            self.named(name),
            colour(self.level).0
        );
        if self.instruction != Instruction::None {
            let _ = write!(out, ",{}", self.instruction.chinese());
        }
        let _ = write!(out, "。{}发布", time(self.sent));
        if let Some(onset) = self.onset {
            let _ = write!(out, ",{}开始", time(onset));
        }
        let _ = write!(out, ",{}前有效(北京时间)。", time(self.expires));
        match self.areas.as_slice() {
            [] => out.push_str("区域:本终端所在地。"),
            _ => {
                let _ = write!(out, "区域:{}。", self.codes("、"));
            }
        }
        out.push_str(&self.text);
        out
    }

    fn english(&self, name: Option<&str>) -> String {
        let mut out = format!(
            "no. {}: {}, {} warning",
            self.number,
            self.named(name),
            colour(self.level).1
        );
        if self.instruction != Instruction::None {
            let _ = write!(out, ", {}", self.instruction.english());
        }
        let _ = write!(out, ". Sent {}", time(self.sent));
        if let Some(onset) = self.onset {
            let _ = write!(out, ", begins {}", time(onset));
        }
        let _ = write!(out, ", valid until {} (Beijing time). ", time(self.expires));
        match self.areas.as_slice() {
            [] => out.push_str("Where this terminal is."),
            _ => {
                let _ = write!(out, "Areas: {}.", self.codes(", "));
            }
        }
        if !self.text.is_empty() {
            let _ = write!(out, " {}", self.text);
        }
        out
    }

    fn named(&self, name: Option<&str>) -> String {
        match name {
            Some(name) => format!("{name} ({})", self.event),
            None => self.event.clone(),
        }
    }

    fn codes(&self, between: &str) -> String {
        let codes: Vec<_> = self.areas.iter().map(super::Area::code).collect();
        codes.join(between)
    }
}
