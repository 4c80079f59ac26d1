//! What satellite devices and whoever is on the air may say: a modem's lines and messages, a terminal's sentences, and
//! compact messages. The first byte says which reader takes the rest. This module must not open a port.

use satellite::at::answer;
use satellite::at::lines::{Lines, Token};
use satellite::compact::{Body, Compact, Key};
use satellite::pdu::{Incoming, Submit};
use satellite::rdss::sentence::{Sentences, frame};
use satellite::rdss::{Assumed, Form, Hanzi, Version};

pub fn satellite(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else {
        return;
    };
    match which % 4 {
        0 => message(rest),
        1 => lines(rest),
        2 => sentences(rest),
        _ => compact(rest),
    }
}

/// What can be read is written and read again the same.
fn message(bytes: &[u8]) {
    if let Ok(submit) = Submit::read(bytes) {
        let once = submit.write();
        if let Ok(read) = Submit::read(&once) {
            assert_eq!(read.write(), once);
        }
    }
    let read = Incoming::read(bytes).or_else(|_| Incoming::read_tpdu(bytes));
    if let Ok(Incoming::Deliver(deliver)) = read {
        assert!(deliver.user.text().chars().count() <= 255);
    }
}

fn lines(bytes: &[u8]) {
    let mut lines = Lines::default();
    let mut answer = Vec::new();
    for piece in bytes.chunks(64) {
        lines.push(piece);
        while let Some(token) = lines.next(true) {
            if let Token::Line(line) = token {
                assert!(!line.contains(['\r', '\n']) && !line.is_empty());
                let _ = (answer::end(&line), answer::unasked(&line));
                answer.push(line);
            }
        }
    }
    assert!(answer::signal(&answer).is_none_or(|signal| signal <= 31));
    let _ = (answer::reference(&answer), answer::card(&answer));
    let _ = answer::registration(&answer, "+CREG");
    assert!(answer::messages(&answer).len() <= answer.len());
}

fn sentences(bytes: &[u8]) {
    let mut sentences = Sentences::default();
    sentences.push(bytes);
    while let Some(sentence) = sentences.take() {
        let Ok(body) = sentence else { continue };
        let mut again = Sentences::default();
        again.push(&frame(&body));
        assert_eq!(again.take(), Some(Ok(body.clone())));
        for version in [Version::Two, Version::Three] {
            for hanzi in [Hanzi::Hex, Hanzi::Raw] {
                let assumed = Assumed {
                    hanzi,
                    icp_interval: Some(2),
                    tci_sender: Some(1),
                    tci_content: Some(6),
                    mixed_mark: None,
                };
                let form = Form {
                    version,
                    assumed,
                    express: false,
                    frequency: 2,
                    confirm: false,
                };
                let _ = form.said(&body);
            }
        }
    }
}

/// Nobody without the key proves anything, and what can be read is written again the same.
fn compact(bytes: &[u8]) {
    let key = Key::new("the key of the fuzzer");
    assert!(!key.proves(bytes), "a proof was guessed");
    let Ok(compact) = Compact::read(bytes) else {
        return;
    };
    assert!(!compact.chinese(None).is_empty() && !compact.english(None).is_empty());
    let room = bytes.len() * 3 + 64;
    let Ok(written) = compact.write(&key, room) else {
        return;
    };
    assert!(written.len() <= room && key.proves(&written));
    let read = Compact::read(&written).expect("what we write can be read");
    if let (Body::Alert(one), Body::Alert(other)) = (&compact.body, &read.body) {
        assert!(other.expires >= one.expires, "no end is told too early");
        assert_eq!(one.areas, other.areas, "no area is lost");
    }
}
