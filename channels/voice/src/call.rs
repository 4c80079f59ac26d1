//! One call from its first ring to its end: the edge that ties the stack, the socket and the pure machines together.
//! This module must not judge the ending.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use channel::Stop;
use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TransactionHandle};
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Response, StatusCode};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::ear::{Ear, is_loud};
use crate::g711::{Codec, FRAME};
use crate::phone::{Event, Job, Sounds};
use crate::rtp::{Keys, Packet, key_in_info};
use crate::sdp::{self, Media};
use crate::talk::{Clip, SECOND, Script, Step, Talk};
use crate::trunk::Line;
use crate::verdict::{Ending, Miss, refused};

const TICK: Duration = Duration::from_millis(20);
/// A far end that has sent and sends no more for so many frames is gone.
const GONE: usize = 2 * SECOND;
/// No call takes longer once it is answered, whatever is pressed.
const LONGEST: usize = 180 * SECOND;

/// Places a call and stays until its end.
pub async fn place(line: &Line, job: &Job, stop: &Stop) -> Ending {
    // What fails before the first packet is the machine's own fault, and may be over the next time.
    let Ok(socket) = line.media().await else {
        return Miss::Fault.into();
    };
    let Ok(here) = socket.local_addr() else {
        return Miss::Fault.into();
    };
    let here = SocketAddr::new(line.here.ip(), here.port());
    let offer = sdp::offer(here, fastrand::u32(1..));
    let Some(option) = option(line, job, &offer) else {
        return Miss::Fault.into();
    };
    let (sender, states) = line.layer.new_dialog_state_channel();
    let Ok((dialog, invited)) = line.layer.do_invite_async(option, sender) else {
        return Miss::Fault.into();
    };
    let mut states = states;
    let answer = match ring(line, job, stop, &dialog, invited, &mut states).await {
        Ok(answer) => answer,
        Err(ending) => return ending,
    };
    let ending = if let Some(media) = sdp::read(&answer.body) {
        let _ = job.events.send(Event::Answered);
        let mut call = Call::new(line, job, media, offer);
        call.talk(&socket, &mut states, stop).await;
        call.ending()
    } else {
        Miss::Content.into()
    };
    // A goodbye that nobody answers changes nothing; who hung up first needs none.
    let _ = dialog.bye().await;
    line.layer.remove_dialog(&dialog.id());
    ending
}

fn option(line: &Line, job: &Job, offer: &str) -> Option<InviteOption> {
    let expires = job.ring.as_secs().to_string();
    Some(InviteOption {
        caller: line.at_trunk(&line.trunk().user)?,
        callee: line.at_trunk(&job.number)?,
        destination: Some(line.destination()),
        offer: Some(offer.as_bytes().to_vec()),
        contact: line.contact()?,
        credential: line.credential(),
        headers: Some(vec![Header::Expires(expires.into())]),
        call_id: Some(job.id.clone()),
        ..InviteOption::default()
    })
}

/// Waits for somebody to pick up.
async fn ring(
    line: &Line,
    job: &Job,
    stop: &Stop,
    dialog: &InviteDialog,
    invited: JoinHandle<InviteAsyncResult>,
    states: &mut DialogStateReceiver,
) -> Result<Response, Ending> {
    let mut invited = pin!(invited);
    let mut wait = pin!(tokio::time::sleep(job.ring));
    let (mut seen, mut rang, mut cancelled) = (false, false, false);
    loop {
        tokio::select! {
            // What was said before the end is heard before it.
            biased;
            Some(state) = states.recv() => match state {
                DialogState::Trying(_) => seen = true,
                DialogState::Early(..) => {
                    seen = true;
                    if !rang {
                        rang = true;
                        let _ = job.events.send(Event::Ringing);
                    }
                }
                _ => {}
            },
            ended = &mut invited => {
                let Ok(Ok((_, Some(answer)))) = ended else {
                    return Err(if seen { Miss::Lost } else { Miss::Fault }.into());
                };
                let code = u16::from(answer.status_code.clone());
                return match code {
                    200 if cancelled => Err(Miss::NoAnswer.into()),
                    200 => Ok(answer),
                    // The stack's own word for silence.
                    408 if !seen => Err(Miss::Lost.into()),
                    _ => Err(refused(code, reason(&answer), retry_after(&answer))),
                };
            }
            () = &mut wait => {
                if cancelled {
                    invited.abort();
                    return Err(Miss::Lost.into());
                }
                cancelled = true;
                cancel(dialog);
                wait.as_mut().reset(tokio::time::Instant::now() + line.trunk().timeout);
            }
            () = stop.cancelled(), if !cancelled => {
                cancelled = true;
                cancel(dialog);
                wait.as_mut().reset(tokio::time::Instant::now() + line.trunk().timeout);
            }
        }
    }
}

fn cancel(dialog: &InviteDialog) {
    let dialog = dialog.clone();
    // Its own answer says nothing; the call's does.
    tokio::spawn(async move {
        let _ = dialog.cancel().await;
    });
}

fn reason(answer: &Response) -> &str {
    let mut headers = answer.headers.iter();
    let found = headers.find_map(|header| match header {
        Header::Reason(reason) => Some(reason.value()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn retry_after(answer: &Response) -> &str {
    let mut headers = answer.headers.iter();
    let found = headers.find_map(|header| match header {
        Header::RetryAfter(after) => Some(after.value()),
        _ => None,
    });
    found.unwrap_or_default()
}

/// An answered call.
struct Call<'a> {
    sounds: &'a Sounds,
    trunk: SocketAddr,
    media: Media,
    /// Our description, for a far end that asks again.
    offer: String,
    talk: Talk,
    ear: Ear,
    keys: Keys,
    sequence: u16,
    timestamp: u32,
    source: u32,
    frames: usize,
    /// When the far end was last heard, in frames.
    heard: Option<usize>,
    loud: bool,
}

impl<'a> Call<'a> {
    fn new(line: &Line, job: &'a Job, media: Media, offer: String) -> Self {
        let trunk = line.trunk();
        let frames = |clip| job.sounds.of(clip).len().div_ceil(FRAME);
        let time = |time: Duration| {
            usize::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(LONGEST)
        };
        let script = Script {
            message: frames(Clip::Message),
            keys: frames(Clip::Keys),
            received: frames(Clip::Received),
            done: frames(Clip::Done),
            wait: time(trunk.wait),
            plays: trunk.plays,
            longest: LONGEST,
        };
        Self {
            sounds: &job.sounds,
            trunk: line.far,
            media,
            offer,
            talk: Talk::new(script),
            ear: Ear::new(time(trunk.machine)),
            keys: Keys::default(),
            sequence: fastrand::u16(..),
            timestamp: fastrand::u32(..),
            source: fastrand::u32(..),
            frames: 0,
            heard: None,
            loud: false,
        }
    }

    /// Until either side ends it.
    async fn talk(&mut self, socket: &UdpSocket, states: &mut DialogStateReceiver, stop: &Stop) {
        let mut tick = tokio::time::interval(TICK);
        let mut buffer = [0; 2_048];
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                state = states.recv() => match state {
                    None | Some(DialogState::Terminated(..)) => return,
                    Some(state) => self.asked(state).await,
                },
                Ok((length, from)) = socket.recv_from(&mut buffer) => {
                    if from.ip() == self.media.to.ip() || from.ip() == self.trunk.ip() {
                        self.hear(&buffer[..length]);
                    }
                }
                _ = tick.tick() => {
                    let Some(packet) = self.step() else { return };
                    // A packet that is not sent is a packet lost on the way.
                    let _ = socket.send_to(&packet, self.media.to).await;
                }
            }
        }
    }

    /// What the far end asks within the call.
    async fn asked(&mut self, state: DialogState) {
        match state {
            DialogState::Info(_, request, handle) => {
                if let Some(key) = key_in_info(&request.body) {
                    self.press(key);
                }
                reply(handle, None).await;
            }
            DialogState::Updated(_, request, handle) => {
                self.media = sdp::read(&request.body).unwrap_or(self.media);
                reply(handle, Some(&self.offer)).await;
            }
            DialogState::Options(_, _, handle) => reply(handle, None).await,
            _ => {}
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Some(packet) = Packet::read(bytes) else {
            return;
        };
        self.heard = Some(self.frames);
        if Some(packet.payload_type) == self.media.events {
            if let Some(key) = self.keys.hear(&packet) {
                self.press(key);
            }
        } else if let Some(codec) = Codec::of(packet.payload_type) {
            self.loud |= is_loud(packet.payload.iter().map(|byte| codec.decode(*byte)));
        }
    }

    fn press(&mut self, key: char) {
        self.ear.press();
        self.talk.press(key);
    }

    /// The next 20 ms; None at the end.
    fn step(&mut self) -> Option<Vec<u8>> {
        self.frames += 1;
        self.ear.hear(std::mem::take(&mut self.loud));
        if self.ear.is_machine() {
            return None;
        }
        // Who never sent may not be able to; who did and stopped is gone.
        let alive = self.heard.is_none_or(|last| self.frames - last < GONE);
        let codec = self.media.codec;
        let mut payload = [codec.silence(); FRAME];
        match self.talk.next(alive) {
            Step::HangUp => return None,
            Step::Silence => {}
            Step::Say(clip, frame) => {
                let samples = self.sounds.of(clip).iter().skip(frame * FRAME);
                for (byte, sample) in payload.iter_mut().zip(samples) {
                    *byte = codec.encode(*sample);
                }
            }
        }
        let packet = Packet {
            payload_type: codec.payload_type(),
            marker: self.frames == 1,
            sequence: self.sequence,
            timestamp: self.timestamp,
            source: self.source,
            payload: &payload,
        };
        let bytes = packet.write();
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        Some(bytes)
    }

    fn ending(&self) -> Ending {
        if self.ear.is_machine() {
            return Miss::Machine.into();
        }
        let frames = u32::try_from(self.talk.heard()).unwrap_or(u32::MAX);
        Ending::Answered {
            heard: TICK * frames,
            whole: self.talk.whole(),
            answer: self.talk.answer(),
        }
    }
}

/// Whoever asked may have gone; then its transaction ends by itself.
async fn reply(handle: TransactionHandle, description: Option<&str>) {
    let headers = description.map(|_| vec![Header::ContentType("application/sdp".into())]);
    let body = description.map(|text| text.as_bytes().to_vec());
    let _ = handle.respond(StatusCode::OK, headers, body).await;
}
