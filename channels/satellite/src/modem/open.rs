//! Bringing a modem up: it answers, its card is open, and it gives texts in PDU mode and tells what comes in. This module
//! must not send a text.

use super::link::{Link, Unanswered};
use super::quirks::Quirks;
use super::radio::Radio;
use crate::at::answer::{self, Registration};
use crate::at::error::Refusal;
use crate::config::ModemConfig;

/// Why a channel is down, in words without addresses.
#[derive(Debug)]
pub struct Down(pub String);

impl Down {
    pub fn of(doing: &str, why: &Unanswered) -> Self {
        Self(match why {
            Unanswered::Refused(refusal) => {
                format!("{doing}: {} ({})", refusal.words(), refusal.code())
            }
            Unanswered::Silent => format!("{doing}: the modem does not answer"),
            Unanswered::Lost => format!("{doing}: the port was closed"),
        })
    }
}

/// Opens the port and brings the modem behind it up.
pub async fn open(config: &ModemConfig, quirks: &Quirks) -> Result<Link, Down> {
    let opened = config.port.open(config.timeout).await;
    let stream = opened.map_err(|e| Down(format!("opening the port: {e}; check `port`")))?;
    let mut link = Link::new(stream, config.timeout);
    link.wake()
        .await
        .map_err(|e| Down::of("waking the modem", &e))?;
    for line in &quirks.init {
        optional(&mut link, line).await?;
    }
    optional(&mut link, "ATE0").await?;
    optional(&mut link, "AT+CMEE=1").await?;
    if quirks.card {
        unlock(&mut link, config).await?;
    }
    must(&mut link, "AT+CMGF=0", "choosing PDU mode").await?;
    let service = if quirks.acknowledges {
        "AT+CSMS=1"
    } else {
        "AT+CSMS=0"
    };
    optional(&mut link, service).await?;
    if !quirks.new_messages.is_empty() {
        let new = format!("AT+CNMI={}", quirks.new_messages);
        must(&mut link, &new, "asking for replies and reports").await?;
    }
    Ok(link)
}

async fn must(link: &mut Link, command: &str, doing: &str) -> Result<Vec<String>, Down> {
    link.command(command).await.map_err(|e| Down::of(doing, &e))
}

/// A modem may refuse it.
async fn optional(link: &mut Link, command: &str) -> Result<Option<Vec<String>>, Down> {
    match link.command(command).await {
        Ok(lines) => Ok(Some(lines)),
        Err(Unanswered::Refused(_)) => Ok(None),
        Err(other) => Err(Down::of("setting the modem up", &other)),
    }
}

/// The PIN is tried once in a session: a third wrong one would lock the card, so one that was refused is not tried again
/// until the channel is made anew.
async fn unlock(link: &mut Link, config: &ModemConfig) -> Result<(), Down> {
    let doing = "asking for the SIM card";
    let lines = must(link, "AT+CPIN?", doing).await?;
    match (answer::card(&lines), &config.pin) {
        (Some("READY"), _) => Ok(()),
        (Some("SIM PIN"), Some(pin)) => {
            let entered = link.command(&format!("AT+CPIN={}", pin.expose())).await;
            entered.map(drop).map_err(|e| match e {
                Unanswered::Refused(refusal) => Down(format!("{WRONG_PIN} ({})", refusal.code())),
                other => Down::of("entering the PIN", &other),
            })
        }
        (Some("SIM PIN"), None) => Err(Down("the SIM card wants its PIN; set `pin`".to_owned())),
        (Some(_), _) => Err(Down(
            "the SIM card is locked; a person must unlock it".to_owned(),
        )),
        (None, _) => Err(Down::of(doing, &Unanswered::Refused(Refusal::Plain))),
    }
}

/// How the word begins after which no PIN is tried again.
pub const WRONG_PIN: &str = "the SIM card did not take `pin`; correct it before the third try";

/// Asks for network and signal.
pub async fn look(link: &mut Link, quirks: &Quirks) -> Result<Radio, Down> {
    let mut registration = None;
    for name in &quirks.registration {
        let lines = optional(link, &format!("AT+{name}?"))
            .await?
            .unwrap_or_default();
        let told = answer::registration(&lines, &format!("+{name}"));
        if registration.is_none() || told == Some(Registration::Registered) {
            registration = told.or(registration);
        }
        if told == Some(Registration::Registered) {
            break;
        }
    }
    let signal = if quirks.signal {
        let lines = optional(link, "AT+CSQ").await?.unwrap_or_default();
        answer::signal(&lines)
    } else {
        None
    };
    let asked = !quirks.registration.is_empty();
    let otherwise = if asked {
        Registration::Unknown
    } else {
        Registration::Registered
    };
    Ok(Radio {
        registration: registration.unwrap_or(otherwise),
        signal,
    })
}
