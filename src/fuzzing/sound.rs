//! A file that somebody brings as a recording: WAV, MP3, M4A or anything. This module must not decode a sound.

use channel::wav::Wav;

use crate::ledger::recordings::Format;
use crate::media::{LARGEST, LONGEST, examine};

pub fn sound(bytes: &[u8]) {
    match examine(bytes) {
        Ok((format, millis)) => {
            assert!(bytes.len() <= LARGEST);
            assert!((500..=LONGEST.as_millis()).contains(&u128::from(millis)));
            if format == Format::Wav {
                let wav = Wav::open(bytes).expect("it was taken");
                let again = wav.file();
                assert_eq!(examine(&again), Ok((format, millis)), "written once more");
            }
        }
        Err(bad) => {
            let said = bad.to_string();
            assert!((10..400).contains(&said.len()), "{said}");
        }
    }
}
