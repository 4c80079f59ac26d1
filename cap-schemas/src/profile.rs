//! Profiles: what single countries and platforms ask of a message beyond CAP. One is asked for by name; its breaches are
//! reported and change nothing. This module must not repeat what the standard itself says.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use crate::codes::{Certainty, MsgType, Severity, Status, UnknownCode, Urgency};
use crate::finding::{Findings, Place};
use crate::model::{Alert, Area, Info, Pair};
use crate::rules::{self, Rule};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    Google,
    Ipaws,
    CapCp,
    CapAu,
    MeteoAlarm,
}

impl Profile {
    const WORDS: &'static [&'static str] = &["google", "ipaws", "cap-cp", "cap-au", "meteoalarm"];
}

impl FromStr for Profile {
    type Err = UnknownCode;

    fn from_str(word: &str) -> Result<Self, UnknownCode> {
        match word {
            "google" => Ok(Self::Google),
            "ipaws" => Ok(Self::Ipaws),
            "cap-cp" => Ok(Self::CapCp),
            "cap-au" => Ok(Self::CapAu),
            "meteoalarm" => Ok(Self::MeteoAlarm),
            _ => Err(UnknownCode {
                list: "profile",
                allowed: Self::WORDS,
            }),
        }
    }
}

pub(crate) fn check(alert: &Alert, profile: Profile, findings: &mut Findings) {
    let mut asking = Asking { alert, findings };
    match profile {
        Profile::Google => asking.google(),
        Profile::Ipaws => asking.ipaws(),
        Profile::CapCp => asking.cap_cp(),
        Profile::CapAu => asking.cap_au(),
        Profile::MeteoAlarm => asking.meteoalarm(),
    }
}

struct Asking<'a> {
    alert: &'a Alert,
    findings: &'a mut Findings,
}

impl<'a> Asking<'a> {
    /// Reports a rule about the alert where it is broken.
    fn ask(&mut self, kept: bool, rule: &Rule, path: &str) {
        if !kept {
            self.findings.add(rule, &Place::new(path, None));
        }
    }

    /// Reports a rule at every info that breaks it.
    fn infos(&mut self, rule: &Rule, keeps: impl Fn(&Info) -> bool) {
        let root = Place::new("/alert", None);
        for (n, info) in self.alert.infos.iter().enumerate() {
            if !keeps(info) {
                self.findings.add(rule, &root.nth("info", n));
            }
        }
    }

    /// Reports a rule at every area that breaks it.
    fn areas(&mut self, rule: &Rule, keeps: impl Fn(&Area) -> bool) {
        let root = Place::new("/alert", None);
        for (n, info) in self.alert.infos.iter().enumerate() {
            for (m, area) in info.areas.iter().enumerate() {
                if !keeps(area) {
                    let place = root.nth("info", n).nth("area", m);
                    self.findings.add(rule, &place);
                }
            }
        }
    }

    /// Every info gives the same as the first.
    fn alike<T: PartialEq>(&mut self, rule: &Rule, what: impl Fn(&'a Info) -> T) {
        let mut all = self.alert.infos.iter().map(what);
        let first = all.next();
        let alike = all.all(|one| Some(one) == first);
        self.ask(alike, rule, "/alert");
    }

    fn changes(&self) -> bool {
        matches!(self.alert.msg_type, MsgType::Update | MsgType::Cancel)
    }

    fn answers(&self) -> bool {
        matches!(self.alert.msg_type, MsgType::Ack | MsgType::Error)
    }

    fn referenced(&self) -> bool {
        !self.changes() || !self.alert.references.is_empty()
    }

    fn told(&self) -> bool {
        self.answers() || !self.alert.infos.is_empty()
    }

    /// Infos of one language name one event.
    fn one_event_a_language(&self) -> bool {
        let mut events: HashMap<&str, &str> = HashMap::new();
        self.alert
            .infos
            .iter()
            .all(|info| *events.entry(&info.language).or_insert(&info.event) == info.event)
    }

    fn google(&mut self) {
        self.ask(
            self.referenced(),
            &rules::GOOGLE_REFERENCES,
            "/alert/references",
        );
        self.alike(&rules::GOOGLE_CATEGORIES, categories);
        self.alike(&rules::GOOGLE_EVENT_CODES, event_codes);
        self.ask(self.told(), &rules::GOOGLE_INFO, "/alert");
        self.infos(&rules::GOOGLE_DESCRIPTION, |info| {
            info.description.is_some()
        });
        self.infos(&rules::GOOGLE_WEB, |info| info.web.is_some());
        self.infos(&rules::GOOGLE_EXPIRES, |info| info.expires.is_some());
        let sent = self.alert.sent;
        self.infos(&rules::GOOGLE_EFFECTIVE, |info| {
            let from = info.effective_or(sent).unix;
            info.expires.is_none_or(|expires| from <= expires.unix)
        });
        self.infos(&rules::GOOGLE_AREA, |info| !info.areas.is_empty());
        self.areas(&rules::GOOGLE_SHAPE, |area| {
            has_shape(area) || !area.geocodes.is_empty()
        });
        let mut texts: HashMap<&str, &str> = HashMap::new();
        let differ = self.alert.infos.iter().all(|info| {
            let text = info.description.as_deref().unwrap_or_default();
            text.is_empty() || *texts.entry(text).or_insert(&info.language) == info.language
        });
        self.ask(differ, &rules::GOOGLE_SAME_TEXT, "/alert");
        let test = self.alert.status == Status::Test;
        self.ask(!test, &rules::GOOGLE_TEST, "/alert/status");
        self.ask(self.one_event_a_language(), &rules::GOOGLE_EVENTS, "/alert");
        self.google_recommends();
    }

    fn google_recommends(&mut self) {
        self.infos(&rules::GOOGLE_SENDER_NAME, |info| {
            info.sender_name.is_some()
        });
        self.infos(&rules::GOOGLE_RESPONSE, |info| {
            !info.response_types.is_empty()
        });
        self.infos(&rules::GOOGLE_INSTRUCTION, |info| {
            info.instruction.is_some()
        });
        self.areas(&rules::GOOGLE_SHAPE_ENCOURAGED, has_shape);
        let length = |info: &Info| {
            info.headline
                .as_ref()
                .map_or(0, |text| text.chars().count())
        };
        self.infos(&rules::GOOGLE_HEADLINE, |info| length(info) <= 140);
        self.infos(&rules::GOOGLE_HEADLINE_SAME, |info| {
            info.headline.is_none() || info.headline != info.description
        });
        self.infos(&rules::GOOGLE_INSTRUCTION_SAME, |info| {
            info.instruction.is_none() || info.instruction != info.description
        });
        self.infos(&rules::GOOGLE_URGENCY, |info| {
            info.urgency != Urgency::Unknown
        });
        self.infos(&rules::GOOGLE_SEVERITY, |info| {
            info.severity != Severity::Unknown
        });
        self.infos(&rules::GOOGLE_CERTAINTY, |info| {
            info.certainty != Certainty::Unknown
        });
        self.infos(&rules::GOOGLE_CONTACT, |info| info.contact.is_some());
        self.areas(&rules::GOOGLE_RADIUS, |area| {
            area.circles.iter().all(|circle| circle.radius > 0.0)
        });
    }

    fn ipaws(&mut self) {
        let codes = self.alert.codes.iter().filter(|code| *code == "IPAWSv1.0");
        self.ask(codes.count() == 1, &rules::IPAWS_CODE, "/alert/code");
        let zero = self.alert.sent.offset_minutes == 0;
        self.ask(!zero, &rules::IPAWS_SENT, "/alert/sent");
        self.infos(&rules::IPAWS_EXPIRES_OFFSET, |info| {
            info.expires
                .is_none_or(|expires| expires.offset_minutes != 0)
        });
        self.ask(self.told(), &rules::IPAWS_INFO, "/alert");
        self.infos(&rules::IPAWS_SAME, |info| {
            let same: Vec<&Pair> = named(&info.event_codes, "SAME").collect();
            let letters =
                |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
            same.len() == 1 && letters(&same[0].value)
        });
        self.infos(&rules::IPAWS_EXPIRES, |info| info.expires.is_some());
        self.infos(&rules::IPAWS_AREA, |info| !info.areas.is_empty());
        self.ask(
            self.referenced(),
            &rules::IPAWS_REFERENCES,
            "/alert/references",
        );
        self.alike(&rules::IPAWS_CATEGORY, categories);
        self.alike(&rules::IPAWS_EVENT_CODE, event_codes);
        self.infos(&rules::IPAWS_IGNORED, |info| {
            info.effective.is_none() && info.onset.is_none()
        });
        self.areas(&rules::IPAWS_GEOCODE, |area| {
            let six =
                |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
            named(&area.geocodes, "SAME").any(|pair| six(&pair.value))
        });
        self.infos(&rules::IPAWS_TEXT, |info| {
            info.description.is_some() && info.instruction.is_some()
        });
        self.infos(&rules::IPAWS_CMAM, |info| {
            let within = |name, most| {
                named(&info.parameters, name).all(|pair| pair.value.chars().count() <= most)
            };
            within("CMAMtext", 90) && within("CMAMlongtext", 360)
        });
    }

    fn cap_cp(&mut self) {
        let marked = begins_any(&self.alert.codes, "profile:CAP-CP:");
        self.ask(marked, &rules::CP_CODE, "/alert/code");
        self.alike(&rules::CP_ONE_EVENT, event_codes);
        self.ask(self.told(), &rules::CP_INFO, "/alert");
        self.infos(&rules::CP_EVENT_CODE, |info| {
            begins(&info.event_codes, "profile:CAP-CP:Event:")
        });
        self.infos(&rules::CP_AREA, |info| !info.areas.is_empty());
        self.areas(&rules::CP_GEOCODE, |area| {
            begins(&area.geocodes, "profile:CAP-CP:Location")
        });
        self.ask(
            self.referenced(),
            &rules::CP_REFERENCES,
            "/alert/references",
        );
        let speaks = |tongue: &str| {
            let mut infos = self.alert.infos.iter();
            infos.any(|info| info.language.to_ascii_lowercase().starts_with(tongue))
        };
        let both = self.alert.infos.is_empty() || (speaks("en") && speaks("fr"));
        self.ask(both, &rules::CP_LANGUAGES, "/alert");
        self.infos(&rules::CP_ADVISED, is_advised);
        self.areas(&rules::CP_SHAPE, has_shape);
    }

    fn cap_au(&mut self) {
        let code = "urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0";
        let marked = self.alert.codes.iter().any(|one| one == code);
        self.ask(marked, &rules::AU_CODE, "/alert/code");
        self.ask(self.told(), &rules::AU_INFO, "/alert");
        self.ask(
            self.referenced(),
            &rules::AU_REFERENCES,
            "/alert/references",
        );
        self.alike(&rules::AU_CATEGORY, categories);
        self.alike(&rules::AU_EVENT_CODE, event_codes);
        self.infos(&rules::AU_LIST, |info| {
            let listed = info.event_codes.iter();
            listed
                .filter(|pair| pair.name.contains("AUeventLIST"))
                .count()
                == 1
        });
        self.ask(self.one_event_a_language(), &rules::AU_EVENT, "/alert");
        let cancel = self.alert.msg_type == MsgType::Cancel;
        self.infos(&rules::AU_EFFECTIVE, |info| {
            !cancel || info.effective.is_none()
        });
        self.infos(&rules::AU_AREA, |info| !info.areas.is_empty());
        let mail = self.alert.sender.split_once('@');
        let mail = mail.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        self.ask(mail, &rules::AU_SENDER, "/alert/sender");
        let test = self.alert.status == Status::Test;
        self.ask(!test, &rules::AU_TEST, "/alert/status");
        self.infos(&rules::AU_ADVISED, is_advised);
    }

    fn meteoalarm(&mut self) {
        let formed = |info: &Info, name: &str, parts: usize| {
            named(&info.parameters, name).any(|pair| {
                let all: Vec<&str> = pair.value.split(';').map(str::trim).collect();
                all.len() == parts
                    && all[0].parse::<u8>().is_ok()
                    && all.iter().all(|part| !part.is_empty())
            })
        };
        self.infos(&rules::METEO_LEVEL, |info| {
            formed(info, "awareness_level", 3)
        });
        self.infos(&rules::METEO_TYPE, |info| formed(info, "awareness_type", 2));
        self.areas(&rules::METEO_GEOCODE, |area| {
            ["EMMA_ID", "NUTS2", "NUTS3"]
                .iter()
                .any(|name| named(&area.geocodes, name).next().is_some())
        });
    }
}

fn categories(info: &Info) -> BTreeSet<crate::Category> {
    info.categories.iter().copied().collect()
}

fn event_codes(info: &Info) -> BTreeSet<(&str, &str)> {
    let codes = info.event_codes.iter();
    codes.map(|pair| (&*pair.name, &*pair.value)).collect()
}

fn named<'p>(pairs: &'p [Pair], name: &'p str) -> impl Iterator<Item = &'p Pair> {
    pairs.iter().filter(move |pair| pair.name == name)
}

fn begins(pairs: &[Pair], start: &str) -> bool {
    pairs.iter().any(|pair| pair.name.starts_with(start))
}

fn begins_any(texts: &[String], start: &str) -> bool {
    texts.iter().any(|text| text.starts_with(start))
}

fn has_shape(area: &Area) -> bool {
    !area.polygons.is_empty() || !area.circles.is_empty()
}

fn is_advised(info: &Info) -> bool {
    info.expires.is_some()
        && info.sender_name.is_some()
        && !info.response_types.is_empty()
        && info.instruction.is_some()
}
