//! What a mail that came back says: a delivery status notification (RFC 3464), a bounce in somebody's own words, an
//! automatic reply (RFC 3834), or none of these. Pure. Addresses and texts are passed over, never kept: this module must
//! not give out more than an action, a code and a time.

use channel::{Evidence, FailureClass, Timestamp, Verdict};
use mailparse::{MailHeader, MailHeaderMap, ParsedMail};

use crate::enhanced::Enhanced;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Note {
    Report(Report),
    /// It came from a mail server and does not say what became of the letter in a way that machines read.
    Unread,
    /// An out-of-office answer, a read receipt, a complaint: no word of a delivery.
    Automatic,
    /// A person's own, or whatever else.
    Letter,
}

/// The word of one notification about the one recipient of our letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Report {
    action: Action,
    status: Option<Enhanced>,
    /// Of a server's refusal, where the notification quotes it.
    reply: Option<u16>,
    pub at: Option<Timestamp>,
}

/// Ordered: where an address stood for several mailboxes, the best that became of one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Action {
    Failed,
    Delayed,
    /// Handed on to where no notification comes from.
    Relayed,
    /// Handed on to the mailboxes that the address stands for.
    Expanded,
    Delivered,
}

impl Action {
    const ALL: [(&'static str, Self); 5] = [
        ("failed", Self::Failed),
        ("delayed", Self::Delayed),
        ("relayed", Self::Relayed),
        ("expanded", Self::Expanded),
        ("delivered", Self::Delivered),
    ];

    fn read(text: &str) -> Option<Self> {
        let word = text
            .trim_start()
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()?;
        let named = Self::ALL
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word));
        named.map(|(_, action)| *action)
    }

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, action)| *action == self)
            .map_or("", |(name, _)| name)
    }
}

impl Report {
    /// `delivered`: how far a letter in its mailbox has come.
    pub(crate) fn verdict(&self, delivered: Evidence) -> Verdict {
        match self.action {
            Action::Failed => Verdict::Refused(self.class()),
            Action::Delayed | Action::Relayed | Action::Expanded => Verdict::Progress,
            Action::Delivered => Verdict::Reached(delivered),
        }
    }

    fn class(&self) -> FailureClass {
        let Some(status) = self.status else {
            return self.by_reply().unwrap_or(FailureClass::Transient);
        };
        if !status.is_lasting() {
            // Tried until the server's patience was over.
            return FailureClass::Transient;
        }
        let blamed = status.blames().or_else(|| self.by_reply());
        blamed.unwrap_or(match status.subject {
            3..=5 => FailureClass::Transient,
            _ => FailureClass::BadAddress,
        })
    }

    fn by_reply(&self) -> Option<FailureClass> {
        match self.reply? {
            550 | 551 | 553 => Some(FailureClass::BadAddress),
            554 => Some(FailureClass::BadContent),
            _ => None,
        }
    }

    /// `dsn:failed 5.1.1`.
    pub(crate) fn code(&self) -> String {
        let action = self.action.name();
        match self.status {
            Some(status) => format!("dsn:{action} {status}"),
            None => format!("dsn:{action}"),
        }
    }
}

/// Reads a mail, whole or only its beginning.
pub(crate) fn read(mail: &[u8]) -> Note {
    let Ok(mail) = mailparse::parse_mail(without_envelope(mail)) else {
        // It reached a return address, so a server most likely wrote it.
        return Note::Unread;
    };
    let mut bodies = mail.parts().filter(|part| is_status(part)).map(body);
    if let Some(mut report) = bodies.find_map(|body| status(&body)) {
        // Many do not name the time of their last try, and write right after it.
        report.at = report
            .at
            .or_else(|| time(mail.headers.get_first_value("date").as_deref()));
        Note::Report(report)
    } else if is_from_server(&mail) {
        Note::Unread
    } else if is_automatic(&mail) {
        Note::Automatic
    } else if mail
        .headers
        .get_first_value("return-path")
        .is_some_and(|path| path.trim() == "<>")
    {
        Note::Unread
    } else {
        Note::Letter
    }
}

/// Some deliver with the envelope in a first line that is no header.
fn without_envelope(mail: &[u8]) -> &[u8] {
    if !mail.starts_with(b"From ") {
        return mail;
    }
    let end = mail.iter().position(|byte| *byte == b'\n');
    end.map_or(mail, |end| &mail[end + 1..])
}

/// RFC 3464, and its kin for addresses beyond ASCII (RFC 6533).
fn is_status(part: &ParsedMail<'_>) -> bool {
    let kind = part.ctype.mimetype.as_str();
    ["message/delivery-status", "message/global-delivery-status"].contains(&kind)
}

fn body(part: &ParsedMail<'_>) -> String {
    let bytes = part.get_body_raw().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn status(body: &str) -> Option<Report> {
    let groups = groups(body)
        .into_iter()
        .filter_map(|group| recipient(&group));
    groups.max_by_key(|report| report.action)
}

/// A group of fields, each with its name in lower case.
type Group = Vec<(String, String)>;

/// Fields in groups with empty lines between; a field goes on where a line begins with a space.
fn groups(body: &str) -> Vec<Group> {
    let mut groups = vec![Group::new()];
    for line in body.lines() {
        if line.trim().is_empty() {
            groups.push(Group::new());
            continue;
        }
        let Some(group) = groups.last_mut() else {
            continue;
        };
        match (line.starts_with([' ', '\t']), group.last_mut()) {
            (true, Some((_, value))) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            _ => {
                if let Some((name, value)) = line.split_once(':') {
                    group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
    }
    groups
}

/// The group of a recipient has an action; the one of the message has none.
fn recipient(group: &Group) -> Option<Report> {
    let field = |wanted: &str| {
        let found = group.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let action = Action::read(field("action")?)?;
    let diagnostic = field("diagnostic-code").unwrap_or_default();
    let status = field("status").and_then(Enhanced::find);
    let quoted = || Enhanced::find(diagnostic);
    let status = match status {
        Some(status) if status.is_vague() => quoted()
            .filter(|code| code.class == status.class)
            .or(Some(status)),
        Some(status) => Some(status),
        None => quoted(),
    };
    Some(Report {
        action,
        status,
        reply: reply(diagnostic),
        at: time(field("last-attempt-date")),
    })
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    // Of what is no date it makes the beginning of time.
    let seconds = mailparse::dateparse(text?)
        .ok()
        .filter(|seconds| *seconds > 0);
    seconds.map(Timestamp::from_secs)
}

/// `smtp; 550 5.1.1 …`: the three digits that a server's refusal begins with.
fn reply(diagnostic: &str) -> Option<u16> {
    let (kind, text) = diagnostic.split_once(';')?;
    let digits = text.trim_start().get(..3)?;
    let is_smtp = kind.trim().eq_ignore_ascii_case("smtp");
    digits
        .parse()
        .ok()
        .filter(|code| is_smtp && (400..600).contains(code))
}

fn is_from_server(mail: &ParsedMail<'_>) -> bool {
    let from = mail
        .headers
        .get_first_value("from")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let servers = ["mailer-daemon@", "postmaster@"];
    servers.iter().any(|name| from.contains(name))
        || mail
            .headers
            .get_first_header("x-failed-recipients")
            .is_some()
}

fn is_automatic(mail: &ParsedMail<'_>) -> bool {
    let says = |header: &MailHeader<'_>| {
        let value = header.get_value().trim().to_ascii_lowercase();
        match header.get_key().to_ascii_lowercase().as_str() {
            "auto-submitted" => !value.is_empty() && value != "no",
            "precedence" => ["auto_reply", "bulk", "junk", "list"].contains(&value.as_str()),
            "x-autoreply" | "x-autorespond" => value != "no",
            _ => false,
        }
    };
    mail.ctype.mimetype == "multipart/report" || mail.headers.iter().any(says)
}

#[cfg(test)]
mod tests;
