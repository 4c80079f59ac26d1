//! Holding a terminal's port: asking for the card, reading sentences, and giving answers to whoever waits. This module must
//! not send a message.

use std::sync::Arc;

use channel::{Health, Stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{Mutex, watch};
use tokio::time::{interval, sleep, timeout};

use super::desk::Desk;
use super::form::{Form, Said};
use super::sentence::{Sentences, frame};
use crate::port::Stream;

pub type Writer = Arc<Mutex<WriteHalf<Stream>>>;

/// Whether there is a terminal to write to.
#[derive(Clone)]
pub enum Link {
    Opening,
    Up(Writer),
    Down(String),
}

/// Runs until `stop`.
pub async fn run(desk: &Desk, link: &watch::Sender<Link>, stop: &Stop) {
    let form = desk.config.form();
    loop {
        let held = tokio::select! {
            () = stop.cancelled() => break,
            why = held(desk, form, link) => why,
        };
        down(desk, link, held);
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(desk.config.again) => {}
        }
        link.send_replace(Link::Opening);
    }
    down(desk, link, "the channel is stopped".to_owned());
}

fn down(desk: &Desk, link: &watch::Sender<Link>, why: String) {
    link.send_replace(Link::Down(why.clone()));
    // Who waits for an answer gets none: it is in doubt.
    desk.waiting.lock().take();
    desk.set(Health::Down(why));
}

/// Why the port is let go.
async fn held(desk: &Desk, form: Form, link: &watch::Sender<Link>) -> String {
    let stream = match desk.config.port.open(desk.config.timeout).await {
        Ok(stream) => stream,
        Err(e) => return format!("opening the port: {e}; check `port`"),
    };
    let (reader, writer) = split(stream);
    let mut session = Session {
        desk,
        form,
        reader,
        sentences: Sentences::default(),
    };
    let writer = Arc::new(Mutex::new(writer));
    if let Err(why) = session.identify(&writer).await {
        return why;
    }
    link.send_replace(Link::Up(writer.clone()));
    desk.set(Health::Up);
    match session.serve(&writer).await {
        Err(why) => why,
        Ok(never) => match never {},
    }
}

struct Session<'a> {
    desk: &'a Desk,
    form: Form,
    reader: ReadHalf<Stream>,
    sentences: Sentences,
}

const CLOSED: &str = "the port was closed";

async fn write(desk: &Desk, writer: &Writer, body: &[u8]) -> Result<(), String> {
    let mut writer = writer.lock().await;
    let written = async {
        writer.write_all(&frame(body)).await?;
        writer.flush().await
    };
    match timeout(desk.config.timeout, written).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(CLOSED.to_owned()),
    }
}

impl Session<'_> {
    async fn identify(&mut self, writer: &Writer) -> Result<(), String> {
        write(self.desk, writer, self.form.identify()).await?;
        if let Some(ask) = self.form.ask_signal() {
            write(self.desk, writer, ask).await?;
        }
        let patience = self.desk.config.timeout;
        let told = timeout(patience, async {
            loop {
                let said = self.said().await?;
                if let Said::Card { .. } = said {
                    return self.heard(said).await;
                }
                self.heard(said).await?;
            }
        });
        told.await
            .unwrap_or_else(|_| Err("the terminal does not tell its card".to_owned()))
    }

    async fn serve(&mut self, writer: &Writer) -> Result<std::convert::Infallible, String> {
        let mut probe = interval(self.desk.config.probe);
        probe.reset();
        loop {
            tokio::select! {
                said = self.said() => {
                    let said = said?;
                    self.heard(said).await?;
                }
                _ = probe.tick() => write(self.desk, writer, self.form.identify()).await?,
            }
        }
    }

    /// The next whole sentence. May be dropped at any time.
    async fn said(&mut self) -> Result<Said, String> {
        let mut read = [0; 512];
        loop {
            while let Some(sentence) = self.sentences.take() {
                match sentence {
                    Ok(body) => return Ok(self.form.said(&body)),
                    Err(_) => self.desk.count_broken(),
                }
            }
            match self.reader.read(&mut read).await {
                Ok(0) | Err(_) => return Err(CLOSED.to_owned()),
                Ok(count) => self.sentences.push(&read[..count]),
            }
        }
    }

    async fn heard(&self, said: Said) -> Result<(), String> {
        match said {
            Said::Card { present: false, .. } => {
                return Err("there is no card in the terminal".to_owned());
            }
            Said::Card { interval, .. } => {
                if let Some(interval) = interval {
                    self.desk.set_interval(interval);
                }
            }
            Said::Feedback { sent, reason, left } => {
                if let Some(waiting) = self.desk.waiting.lock().take() {
                    // Whoever waited may have given up.
                    let _ = waiting.send((sent, reason, left));
                }
            }
            Said::Received { sender, content } => self.desk.take(&sender, &content).await,
            Said::Signal(true) => self.desk.set(Health::Up),
            Said::Signal(false) => {
                let why = "the terminal hears no satellite".to_owned();
                self.desk.set(Health::Down(why));
            }
            Said::Unread => self.desk.count_unread(),
            Said::Other => {}
        }
        Ok(())
    }
}
