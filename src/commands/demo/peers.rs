//! The far ends of the demo, as real servers and clients on loopback: an SMSC, an ISMG, two providers, WeChat, a mail server, the
//! county's broadcast platform and one controller for each loudspeaker. Some misbehave on purpose, by fates that a number or
//! a device id tells, so that a repeated run ends the same. This module must not know what the gateway thinks.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use channel::testing::Behaviour;
use channel::{Clock, SystemClock};
use satellite::peer::{Handset, ModemPeer, Scene, TerminalPeer};
use sms::codec::cmpp::Version;
use sms::peer::{Peer, PeerConfig, Report, Script, Speaks, Submit, Verdict};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::county::{self, Fate, SpeakerFate, fate, reply, speaker_fate};
use super::desk::Desks;
use super::platform::Square;
use super::setup::{County, sms_rate};
use super::wechat::Wechat;
use crate::app::App;
use crate::commands::{Failed, device};

pub const SMS_ACCOUNT: &str = "demo";
pub const SMS_PASSWORD: &str = "demo";
/// Six characters, as carriers give them.
pub const CMPP_ACCOUNT: &str = "DEMO01";
pub const SMS_SOURCE: &str = "10690000";
pub const CARD_KEY: &str = "the demo's cards keep no secret";
pub const SPEAKER_SECRET: &str = "the demo's speakers keep no secret";
pub const GATEWAY_SEED: &str = "7e57000000000000000000000000000000000000000000000000000000000001";

/// Answers of the SMSC, SMPP 3.4 section 5.1.3.
const ESME_RSYSERR: u32 = 0x08;
const ESME_RINVDSTADR: u32 = 0x0B;
const ESME_RTHROTTLED: u32 = 0x58;

pub struct Peers {
    pub sms_port: u16,
    pub cmpp_port: u16,
    pub mail_port: u16,
    pub desks: Desks,
    pub wechat: Wechat,
    pub square: Square,
    /// A modem with a satellite phone's card, and a Beidou terminal.
    pub modem: ModemPeer,
    pub terminal: TerminalPeer,
    sms: Arc<Peer>,
    cmpp: Peer,
    /// Writes back what villagers have to say.
    villagers: JoinHandle<()>,
    _mail: email::peer::Peer,
}

/// Who writes back, when and what.
type Said = (String, Duration, &'static str);

/// The loudspeakers' boxes; they stop when this is dropped.
pub struct Controllers(pub loudspeaker::peer::Peer);

impl Peers {
    pub async fn start(data: &Path, county: &County) -> Result<Self, Failed> {
        let away =
            |e: std::io::Error| Failed::Unreachable(format!("a test peer cannot start: {e}"));
        let (say, said) = mpsc::unbounded_channel();
        let heard = move |submit: &Submit<'_>| {
            let (verdict, after) = text(submit);
            // Whoever answers has all of it.
            if submit.part.0 == submit.part.1
                && let Some(words) = reply(submit.dest)
            {
                // The demo is ending where nobody listens.
                let _ = say.send((submit.dest.to_owned(), after + THINKS, words));
            }
            verdict
        };
        let centre = |speaks, account: &str, script: Script, spool: &str| {
            Peer::start(PeerConfig {
                account: Some((account.into(), SMS_PASSWORD.into())),
                // A fifth more than was agreed: only a burst is told to go slower.
                rate: Some(sms_rate(county) * 6 / 5),
                script: Some(script),
                // It stores and forwards: it outlives whoever hands it messages.
                spool: Some(data.join(spool)),
                speaks,
                ..PeerConfig::default()
            })
        };
        let sms = centre(Speaks::Smpp, SMS_ACCOUNT, Arc::new(heard), "smsc.spool").await;
        let sms = Arc::new(sms.map_err(away)?);
        let cmpp = Speaks::Cmpp(Version::V30);
        let cmpp = centre(cmpp, CMPP_ACCOUNT, Arc::new(taken), "ismg.spool").await;
        let cmpp = cmpp.map_err(away)?;
        let mail = email::peer::Peer::start(email::peer::Settings::default())
            .await
            .map_err(away)?;
        Ok(Self {
            sms_port: sms.addr().port(),
            cmpp_port: cmpp.addr().port(),
            mail_port: mail.port(),
            desks: Desks::start().await.map_err(away)?,
            wechat: Wechat::start().await.map_err(away)?,
            square: Square::start(data).await.map_err(away)?,
            modem: ModemPeer::start(Handset::new(Behaviour::Confirm))
                .await
                .map_err(away)?,
            terminal: TerminalPeer::start(village()).await.map_err(away)?,
            villagers: tokio::spawn(write_back(Arc::downgrade(&sms), said)),
            sms,
            cmpp,
            _mail: mail,
        })
    }

    /// With codes that the duty officer has made, as an installer would: each box enrols before its first poll.
    pub async fn controllers(
        app: &App,
        data: &Path,
        county: &County,
        (token, seed): (&str, u64),
    ) -> Result<Controllers, Failed> {
        let whom = serde_json::json!({ "under": county::code() });
        let codes = device::codes(&format!("http://{}", app.address), token, &whom).await?;
        let base = format!("http://{}/v1/channels/horn", app.address);
        let key = loudspeaker::order::Signer::from_seed(GATEWAY_SEED)
            .expect("the demo's seed is a seed")
            .public_keys();
        let mut settings =
            loudspeaker::peer::Settings::new(&base, SPEAKER_SECRET, &key, county.devices.clone());
        settings.codes = codes;
        settings.play = Duration::from_secs(6);
        settings.seed = seed;
        settings.script = Arc::new(play);
        // A box outlives the gateway, as the SMSC does.
        settings.memory = Some(data.join("speakers.memory"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        Ok(Controllers(loudspeaker::peer::Peer::start(
            &settings, &clock,
        )))
    }

    pub async fn stop(self) {
        self.villagers.abort();
        let _ = self.villagers.await;
        if let Some(sms) = Arc::into_inner(self.sms) {
            sms.stop().await;
        }
        self.cmpp.stop().await;
    }
}

/// A card that may send at once, and a duty room that answers each message.
fn village() -> Scene {
    Scene {
        behaviour: Behaviour::Confirm,
        version: satellite::rdss::Version::Two,
        interval: 0,
        key: CARD_KEY.to_owned(),
        status: 3,
    }
}

/// How long somebody looks at a text before writing back.
const THINKS: Duration = Duration::from_millis(300);

async fn write_back(centre: Weak<Peer>, mut said: mpsc::UnboundedReceiver<Said>) {
    let mut writing = JoinSet::new();
    while let Some((number, after, words)) = said.recv().await {
        let centre = centre.clone();
        writing.spawn(async move {
            tokio::time::sleep(after).await;
            if let Some(centre) = centre.upgrade() {
                centre.reply(&number, SMS_SOURCE, words);
            }
        });
        while writing.try_join_next().is_some() {}
    }
    while writing.join_next().await.is_some() {}
}

/// What an SMSC does with one text, and when it is delivered.
fn text(submit: &Submit<'_>) -> (Verdict, Duration) {
    // Between half a second and four, by the number alone.
    let spread = submit
        .dest
        .bytes()
        .fold(0_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)))
        % 3_500;
    let after = Duration::from_millis(500 + spread);
    // One number in some hundreds comes when the SMSC is busy: the lane holds its breath and slows down for a while.
    if spread % 1_750 == 7 && submit.attempt <= 1 {
        return (Verdict::refused(ESME_RTHROTTLED), after);
    }
    let verdict = match fate(submit.dest) {
        Fate::Dead => Verdict::refused(ESME_RINVDSTADR),
        Fate::RefusedOnce if submit.attempt <= 1 => Verdict::refused(ESME_RSYSERR),
        fate => later(fate, after),
    };
    (verdict, after)
}

/// What an ISMG of CMPP does with one: it takes whatever is well formed, and says later what became of it.
fn taken(submit: &Submit<'_>) -> Verdict {
    let after = Duration::from_secs(1);
    match fate(submit.dest) {
        Fate::Dead => Verdict::reported(Report {
            after,
            stat: "UNDELIV",
            error: 0,
        }),
        fate => later(fate, after),
    }
}

fn later(fate: Fate, after: Duration) -> Verdict {
    match fate {
        Fate::Off => Verdict::reported(Report {
            after: after + Duration::from_secs(2),
            stat: "EXPIRED",
            error: 27,
        }),
        Fate::ReceiptLost => Verdict::lost(),
        Fate::Dead | Fate::Delivers | Fate::RefusedOnce => Verdict::delivered(after),
    }
}

fn play(device: &str) -> loudspeaker::peer::Manner {
    use loudspeaker::peer::Manner;
    match speaker_fate(device) {
        SpeakerFate::Plays => Manner::Plays,
        SpeakerFate::Dead => Manner::Dead,
        SpeakerFate::Fails => Manner::Fails("amplifier".into()),
        SpeakerFate::ReportLost => Manner::ReportLost,
    }
}
