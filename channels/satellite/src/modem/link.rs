//! One open port with a modem behind it: a command and its answer, a text and its reference, and what comes in between.
//! This module must not decide what an answer means for a message.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::at::answer::{self, Direct, Unasked};
use crate::at::error::Refusal;
use crate::at::lines::{Lines, Token};
use crate::port::Stream;

/// Something that came by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Came {
    /// In hexadecimal, as the modem gave it.
    Message(Direct, String),
    Stored {
        storage: String,
        index: u32,
    },
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    Refused(Refusal),
    /// It said nothing in time.
    Silent,
    Lost,
}

/// How a text ended.
#[derive(Debug)]
pub enum Submitted {
    Taken(Option<u8>),
    /// Before anything of the text was given.
    Unsent(Unanswered),
    /// After it was given.
    Given(Unanswered),
}

/// What came and waits for its turn; more than this is dropped, and is fetched or sent again.
const WAITING: usize = 256;
/// The most lines of one answer.
const ANSWER: usize = 4_096;
/// Ends a text, and gives one up.
const SUBMIT: u8 = 0x1A;
const ESCAPE: u8 = 0x1B;

pub struct Link {
    stream: Stream,
    lines: Lines,
    read: Box<[u8; 1_024]>,
    /// The line before said that the next is a message.
    follows: Option<Direct>,
    pub came: VecDeque<Came>,
    /// The last command, which a modem may echo.
    asked: String,
    patience: Duration,
}

impl Link {
    pub fn new(stream: Stream, patience: Duration) -> Self {
        Self {
            stream,
            lines: Lines::default(),
            read: Box::new([0; 1_024]),
            follows: None,
            came: VecDeque::new(),
            asked: String::new(),
            patience,
        }
    }

    /// The next line of an answer, or the prompt. What comes by itself is put aside. May be dropped at any time.
    async fn token(&mut self, prompt: bool) -> Result<Token, Unanswered> {
        loop {
            while let Some(token) = self.lines.next(prompt) {
                match token {
                    Token::Line(line) => {
                        if let Some(line) = self.aside(line) {
                            return Ok(Token::Line(line));
                        }
                    }
                    Token::Prompt => return Ok(Token::Prompt),
                }
            }
            self.fill().await?;
        }
    }

    /// May be dropped at any time.
    async fn fill(&mut self) -> Result<(), Unanswered> {
        match self.stream.read(&mut self.read[..]).await {
            Ok(0) | Err(_) => Err(Unanswered::Lost),
            Ok(count) => {
                self.lines.push(&self.read[..count]);
                Ok(())
            }
        }
    }

    fn aside(&mut self, line: String) -> Option<String> {
        if let Some(kind) = self.follows.take() {
            self.put(Came::Message(kind, line));
            return None;
        }
        match answer::unasked(&line) {
            Some(Unasked::Follows(kind)) => self.follows = Some(kind),
            Some(Unasked::Stored { storage, index }) => self.put(Came::Stored { storage, index }),
            None if !self.asked.is_empty() && line == self.asked => {}
            None => return Some(line),
        }
        None
    }

    fn put(&mut self, came: Came) {
        if self.came.len() < WAITING {
            self.came.push_back(came);
        }
    }

    /// Waits until something came by itself. Lines that belong to nothing (`RING`, `^RSSI`) are let go.
    pub async fn listen(&mut self) -> Result<(), Unanswered> {
        loop {
            while let Some(token) = self.lines.next(false) {
                if let Token::Line(line) = token {
                    self.aside(line);
                }
            }
            if !self.came.is_empty() {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Unanswered> {
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.patience, written).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Unanswered::Lost),
        }
    }

    /// A command without its end of line, and the lines of its answer.
    pub async fn command(&mut self, text: &str) -> Result<Vec<String>, Unanswered> {
        text.clone_into(&mut self.asked);
        self.write(format!("{text}\r").as_bytes()).await?;
        let answered = timeout(self.patience, self.answer()).await;
        answered.unwrap_or(Err(Unanswered::Silent))
    }

    async fn answer(&mut self) -> Result<Vec<String>, Unanswered> {
        let mut lines = Vec::new();
        loop {
            let Token::Line(line) = self.token(false).await? else {
                continue;
            };
            match answer::end(&line) {
                Some(Ok(())) => return Ok(lines),
                Some(Err(refusal)) => return Err(Unanswered::Refused(refusal)),
                None if lines.len() < ANSWER => lines.push(line),
                None => {}
            }
        }
    }

    /// Ends whatever a text may have been left in, and waits until the modem answers at all.
    pub async fn wake(&mut self) -> Result<(), Unanswered> {
        self.write(&[ESCAPE, b'\r']).await?;
        let brief = self.patience / 4;
        for _ in 0..3 {
            self.write(b"AT\r").await?;
            match timeout(brief, self.answer()).await {
                Ok(Ok(_)) => return self.quiet().await,
                // What a lost text left behind.
                Ok(Err(Unanswered::Refused(_))) | Err(_) => {}
                Ok(Err(other)) => return Err(other),
            }
        }
        Err(Unanswered::Silent)
    }

    /// What still comes of earlier tries is not taken for an answer to the next command.
    async fn quiet(&mut self) -> Result<(), Unanswered> {
        let brief = Duration::from_millis(50);
        while let Ok(token) = timeout(brief, self.token(false)).await {
            token?;
        }
        Ok(())
    }

    /// Gives one part to the modem: its line, the length that the modem is told before, and how long the network may take.
    pub async fn submit(&mut self, line: &str, length: usize, limit: Duration) -> Submitted {
        if let Err(why) = self.prompted(length).await {
            return Submitted::Unsent(why);
        }
        line.clone_into(&mut self.asked);
        let mut bytes = line.as_bytes().to_vec();
        bytes.push(SUBMIT);
        if let Err(why) = self.write(&bytes).await {
            return Submitted::Given(why);
        }
        match timeout(limit, self.answer()).await {
            Ok(Ok(lines)) => Submitted::Taken(answer::reference(&lines)),
            Ok(Err(why)) => Submitted::Given(why),
            Err(_) => Submitted::Given(Unanswered::Silent),
        }
    }

    async fn prompted(&mut self, length: usize) -> Result<(), Unanswered> {
        self.asked = format!("AT+CMGS={length}");
        self.write(format!("AT+CMGS={length}\r").as_bytes()).await?;
        let waited = timeout(self.patience, async {
            loop {
                match self.token(true).await? {
                    Token::Prompt => return Ok(()),
                    Token::Line(line) => {
                        if let Some(Err(refusal)) = answer::end(&line) {
                            return Err(Unanswered::Refused(refusal));
                        }
                    }
                }
            }
        });
        waited.await.unwrap_or(Err(Unanswered::Silent))
    }
}
