//! What a proved call of the far end says: a receipt, what somebody wrote or pressed, or a binding. This module must not
//! believe anything that was not proved before, and must not keep words of the far end.

use channel::{
    Acknowledge, Address, Binding, Bound, Evidence, FailureClass, Of, Receipt, Timestamp, Uplink,
    Verdict,
};

use crate::mark::Marks;
use crate::xml::Flat;

/// What a call brought; nothing at all where it is of no concern here.
#[derive(Debug, Default)]
pub struct Brought {
    pub receipts: Vec<Receipt>,
    pub uplinks: Vec<Uplink>,
    pub bindings: Vec<Binding>,
}

/// What this account's people say by writing and pressing.
pub(crate) struct Words<'a> {
    pub acknowledge: &'a Acknowledge,
    /// Keys of menu entries.
    pub keys: &'a [String],
    /// Where people bind themselves: the words that undo it.
    pub undo: Option<&'a Acknowledge>,
    /// Where messages have a button: how its presses are matched.
    pub marks: Option<&'a Marks>,
}

pub(crate) fn read(call: &Flat, words: &Words<'_>, seen: Timestamp) -> Brought {
    let mut brought = Brought::default();
    let Some(from) = call.get("FromUserName").filter(|from| !from.is_empty()) else {
        return brought;
    };
    let said = Said {
        call,
        from,
        words,
        seen,
        far: call.get("CreateTime").and_then(seconds),
    };
    match call.get("MsgType").unwrap_or_default() {
        "text" => said.wrote(&mut brought),
        "event" => said.event(&mut brought),
        _ => {}
    }
    brought
}

fn seconds(text: &str) -> Option<Timestamp> {
    let seconds = text.parse().ok().filter(|s| (0..=1 << 40).contains(s))?;
    Some(Timestamp::from_secs(seconds))
}

struct Said<'a> {
    call: &'a Flat,
    from: &'a str,
    words: &'a Words<'a>,
    seen: Timestamp,
    far: Option<Timestamp>,
}

impl Said<'_> {
    fn wrote(&self, brought: &mut Brought) {
        let text = self.call.get("Content").unwrap_or_default();
        if self.words.undo.is_some_and(|undo| undo.accepts(text)) {
            return self.bound(Bound::Undone, brought);
        }
        self.uplink(text, self.words.acknowledge.accepts(text), brought);
    }

    fn event(&self, brought: &mut Brought) {
        let key = self.call.get("EventKey").unwrap_or_default();
        match self
            .call
            .get("Event")
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "templatesendjobfinish" => brought.receipts.extend(self.finished()),
            "click" => self.uplink(key, self.is_key(key), brought),
            "template_card_event" if self.is_key(key) => brought.receipts.extend(self.pressed()),
            "subscribe" if self.words.undo.is_some() => {
                self.scanned(key.strip_prefix("qrscene_").unwrap_or_default(), brought);
            }
            "scan" if self.words.undo.is_some() => self.scanned(key, brought),
            "unsubscribe" if self.words.undo.is_some() => self.bound(Bound::Undone, brought),
            _ => {}
        }
    }

    fn is_key(&self, key: &str) -> bool {
        self.words.keys.iter().any(|own| own == key)
    }

    fn uplink(&self, text: &str, acknowledges: bool, brought: &mut Brought) {
        if text.is_empty() {
            return;
        }
        brought.uplinks.push(Uplink {
            from: Address::new(self.from),
            to: self.call.get("ToUserName").unwrap_or_default().to_owned(),
            text: text.to_owned(),
            acknowledges,
            of: None,
            far: self.far,
            seen: self.seen,
        });
    }

    /// A code that no gateway made is somebody's advertisement.
    fn scanned(&self, scene: &str, brought: &mut Brought) {
        if let Ok(scene) = scene.parse() {
            self.bound(Bound::To(scene), brought);
        }
    }

    fn bound(&self, bound: Bound, brought: &mut Brought) {
        brought.bindings.push(Binding {
            who: Address::new(self.from),
            bound,
            far: self.far,
            seen: self.seen,
        });
    }

    fn receipt(&self, reference: String, verdict: Verdict, code: &str) -> Receipt {
        Receipt {
            of: Of::Reference(reference),
            verdict,
            code: code.to_owned(),
            far: self.far,
            seen: self.seen,
        }
    }

    /// What became of a template message.
    fn finished(&self) -> Option<Receipt> {
        let id = self.call.get("MsgID").or_else(|| self.call.get("MsgId"))?;
        if id.is_empty() || id.len() > 20 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let told = self.call.get("Status").unwrap_or_default();
        let plain: String = told.chars().filter(|c| !c.is_whitespace()).collect();
        let (verdict, code) = match plain.to_ascii_lowercase().as_str() {
            "success" => (Verdict::Reached(Evidence::Delivered), "success"),
            "failed:userblock" => (Verdict::Refused(FailureClass::BadAddress), "user-block"),
            "failed:systemfailed" => (Verdict::Refused(FailureClass::Transient), "system-failed"),
            "failed:freqlimit" => (Verdict::Refused(FailureClass::Throttled), "freq-limit"),
            _ => (Verdict::Refused(FailureClass::Transient), "unknown"),
        };
        Some(self.receipt(id.to_owned(), verdict, code))
    }

    /// A member pressed the button of one message.
    fn pressed(&self) -> Option<Receipt> {
        let task = self
            .call
            .get("TaskId")
            .filter(|task| (1..=64).contains(&task.len()))?;
        let reference = self.words.marks?.reference(task, self.from);
        let verdict = Verdict::Reached(Evidence::Acknowledged);
        Some(self.receipt(reference, verdict, "button"))
    }
}

#[cfg(test)]
mod tests {
    use channel::Scene;

    use super::*;

    fn told(inner: &str) -> Brought {
        let text = format!(
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o-demo_1]]></FromUserName>\
             <CreateTime>1409735669</CreateTime>{inner}</xml>"
        );
        let (acknowledge, undo) = (
            Acknowledge::default(),
            Acknowledge::new(["解绑".to_owned()]),
        );
        let marks = Marks::new("secret");
        let words = Words {
            acknowledge: &acknowledge,
            keys: &["received".to_owned()],
            undo: Some(&undo),
            marks: Some(&marks),
        };
        read(&Flat::read(&text).unwrap(), &words, Timestamp(7))
    }

    fn event(name: &str, inner: &str) -> Brought {
        told(&format!(
            "<MsgType>event</MsgType><Event><![CDATA[{name}]]></Event>{inner}"
        ))
    }

    #[test]
    fn a_sending_that_ended_is_a_receipt_of_its_message() {
        use FailureClass::{BadAddress, Throttled, Transient};
        for (status, verdict, code) in [
            ("success", Verdict::Reached(Evidence::Delivered), "success"),
            (
                "failed:user block",
                Verdict::Refused(BadAddress),
                "user-block",
            ),
            (
                "failed: system failed",
                Verdict::Refused(Transient),
                "system-failed",
            ),
            (
                "failed:system failed",
                Verdict::Refused(Transient),
                "system-failed",
            ),
            (
                "failed:freq limit",
                Verdict::Refused(Throttled),
                "freq-limit",
            ),
            (
                "failed: o-demo_1 is odd",
                Verdict::Refused(Transient),
                "unknown",
            ),
        ] {
            let inner =
                format!("<MsgID>18446744073709551615</MsgID><Status><![CDATA[{status}]]></Status>");
            let receipt = event("TEMPLATESENDJOBFINISH", &inner).receipts.remove(0);
            assert_eq!(receipt.of, Of::Reference("18446744073709551615".into()));
            assert_eq!(
                (receipt.verdict, receipt.code.as_str()),
                (verdict, code),
                "{status}"
            );
            assert_eq!(receipt.far, Some(Timestamp::from_secs(1_409_735_669)));
        }
        for bad in [
            "",
            "<MsgID></MsgID>",
            "<MsgID>1a</MsgID>",
            "<MsgID>123456789012345678901</MsgID>",
        ] {
            assert!(
                event("TEMPLATESENDJOBFINISH", bad).receipts.is_empty(),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_people_write_or_press_acknowledges_where_it_is_the_word_or_key_for_it() {
        let text = |words: &str| {
            told(&format!(
                "<MsgType>text</MsgType><Content><![CDATA[{words}]]></Content>"
            ))
        };
        for (words, acknowledges) in [("收到！", true), ("水已进屋", false)] {
            let uplink = text(words).uplinks.remove(0);
            assert_eq!(
                (uplink.acknowledges, uplink.text.as_str()),
                (acknowledges, words)
            );
            assert_eq!(
                (uplink.from.expose(), uplink.to.as_str()),
                ("o-demo_1", "gh_1")
            );
        }
        let click = |key: &str| event("CLICK", &format!("<EventKey>{key}</EventKey>"));
        assert!(click("received").uplinks[0].acknowledges);
        assert!(!click("weather").uplinks[0].acknowledges);
        assert!(text("").uplinks.is_empty());
    }

    #[test]
    fn a_button_acknowledges_the_very_message_that_it_stands_below() {
        let inner = "<EventKey>received</EventKey><TaskId>A12-0-ff</TaskId>";
        let receipt = event("template_card_event", inner).receipts.remove(0);
        let wanted = Marks::new("secret").reference("A12-0-ff", "O-DEMO_1");
        assert_eq!(receipt.of, Of::Reference(wanted), "ids have no case");
        assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Acknowledged));
        let other = event(
            "template_card_event",
            "<EventKey>x</EventKey><TaskId>A12</TaskId>",
        );
        assert!(other.receipts.is_empty());
    }

    #[test]
    fn scanning_binds_and_leaving_or_asking_undoes() {
        let bound = |brought: Brought| {
            brought
                .bindings
                .first()
                .map(|b| (b.who.expose().to_owned(), b.bound))
        };
        let (who, household) = ("o-demo_1".to_owned(), Bound::To(Scene::Household(12)));
        let village = Bound::To(Scene::Village(510_727_217_201));
        assert_eq!(
            bound(event("subscribe", "<EventKey>qrscene_h12</EventKey>")),
            Some((who.clone(), household))
        );
        assert_eq!(
            bound(event("SCAN", "<EventKey>v510727217201</EventKey>")),
            Some((who.clone(), village))
        );
        assert_eq!(
            bound(event("unsubscribe", "<EventKey></EventKey>")),
            Some((who.clone(), Bound::Undone))
        );
        assert_eq!(
            bound(told("<MsgType>text</MsgType><Content>解绑。</Content>")),
            Some((who, Bound::Undone))
        );
        for (name, key) in [
            ("subscribe", ""),
            ("subscribe", "h12"),
            ("SCAN", "poster-7"),
            ("LOCATION", "h12"),
        ] {
            assert_eq!(
                bound(event(name, &format!("<EventKey>{key}</EventKey>"))),
                None,
                "{name} {key}"
            );
        }
    }

    #[test]
    fn a_call_from_nobody_says_nothing() {
        let flat = Flat::read("<xml><MsgType>text</MsgType><Content>1</Content></xml>").unwrap();
        let acknowledge = Acknowledge::default();
        let words = Words {
            acknowledge: &acknowledge,
            keys: &[],
            undo: None,
            marks: None,
        };
        let brought = read(&flat, &words, Timestamp(7));
        assert!(brought.uplinks.is_empty() && brought.receipts.is_empty());
        assert!(
            !format!(
                "{:?}",
                told("<MsgType>text</MsgType><Content>水已进屋</Content>")
            )
            .contains("水已进屋")
        );
    }
}
