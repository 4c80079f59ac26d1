//! CAP documents as a bureau would write them, sent now. This module must not read any.

use std::fmt::Write as _;

use channel::{Clock, SystemClock};

pub fn now() -> i64 {
    SystemClock::default().now().secs()
}

pub const SENDER: &str = "water-bureau@pingwu.example.invalid";
pub const COUNTY: &str = "510727000000";

#[derive(Clone)]
pub struct Warning {
    pub identifier: String,
    pub sender: String,
    pub sent: i64,
    pub status: &'static str,
    pub msg_type: &'static str,
    pub scope: &'static str,
    pub references: Vec<String>,
    pub headline: String,
    pub severity: &'static str,
    pub areas: Vec<String>,
    pub expires: i64,
    pub note: &'static str,
    /// Without any info, as a short Cancel is.
    pub bare: bool,
}

impl Warning {
    /// A red flash-flood warning for these regions, for an hour.
    pub fn red(identifier: &str, areas: &[&str]) -> Self {
        let sent = now();
        Self {
            identifier: identifier.to_owned(),
            sender: SENDER.to_owned(),
            sent,
            status: "Actual",
            msg_type: "Alert",
            scope: "Public",
            references: Vec::new(),
            headline: "山洪灾害红色预警".to_owned(),
            severity: "Extreme",
            areas: areas.iter().map(|code| (*code).to_owned()).collect(),
            expires: sent + 3_600,
            note: "",
            bare: false,
        }
    }

    pub fn reference(&self) -> String {
        format!("{},{},{}", self.sender, self.identifier, time(self.sent))
    }

    /// An Update of `earlier` for these regions.
    pub fn update(identifier: &str, earlier: &Self, areas: &[&str]) -> Self {
        Self {
            msg_type: "Update",
            status: earlier.status,
            references: vec![earlier.reference()],
            headline: "山洪灾害红色预警续发".to_owned(),
            ..Self::red(identifier, areas)
        }
    }

    /// A Cancel of `earlier` that says nothing else.
    pub fn cancel(identifier: &str, earlier: &Self) -> Self {
        Self {
            msg_type: "Cancel",
            bare: true,
            ..Self::update(identifier, earlier, &[])
        }
    }

    fn info(&self, language: &str, headline: &str, instruction: &str) -> String {
        let mut areas = String::new();
        for code in &self.areas {
            write!(
                areas,
                "<area><areaDesc>{code}</areaDesc><geocode><valueName>CPEAS Geographic Code</valueName>\
                 <value>{code}</value></geocode></area>"
            )
            .expect("a String takes everything");
        }
        format!(
            "<info><language>{language}</language><category>Met</category><event>山洪灾害</event>\
             <responseType>Evacuate</responseType><urgency>Immediate</urgency><severity>{}</severity>\
             <certainty>Likely</certainty><eventCode><valueName>GB/T 35561</valueName><value>11A51</value></eventCode>\
             <effective>{}</effective><expires>{}</expires><senderName>平武县水利局</senderName>\
             <headline>{headline}</headline><description>沟口和低洼处可能发生山洪。</description>\
             <instruction>{instruction}</instruction>{areas}</info>",
            self.severity,
            time(self.sent),
            time(self.expires),
        )
    }

    pub fn xml(&self) -> String {
        let references = if self.references.is_empty() {
            String::new()
        } else {
            format!("<references>{}</references>", self.references.join(" "))
        };
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!("<note>{}</note>", self.note)
        };
        let restriction = match self.scope {
            "Private" => "<addresses>a@example.invalid</addresses>",
            "Restricted" => "<restriction>officers</restriction>",
            _ => "",
        };
        let infos = if self.bare {
            String::new()
        } else {
            self.info("zh-CN", &self.headline, "请立即转移到高处。")
                + &self.info(
                    "en-US",
                    "Red flash flood warning",
                    "Walk to high ground now.",
                )
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
             <identifier>{}</identifier><sender>{}</sender><sent>{}</sent><status>{}</status><msgType>{}</msgType>\
             <scope>{}</scope>{restriction}{note}{references}{infos}</alert>",
            self.identifier,
            self.sender,
            time(self.sent),
            self.status,
            self.msg_type,
            self.scope,
        )
    }
}

/// As the bureau's own clock shows it.
fn time(unix: i64) -> String {
    cap::Time::new(unix, 480).to_string()
}
