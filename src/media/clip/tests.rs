//! What is taken as a sound and what is refused, each by its reason. The files are made here, and by the encoder that every
//! machine with these tests has.

use proptest::prelude::*;

use super::*;

fn wav(millis: usize) -> Vec<u8> {
    let samples = vec![1; 16 * millis];
    Wav {
        channels: 1,
        rate: 8_000,
        bits: 16,
        samples: &samples,
    }
    .file()
}

/// MPEG 2, layer III, 32 kbit/s at 22,050: 104 bytes a frame, and a hundredth of a second more than two.
fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xF3, 0x40, 0xC4];
    frame.resize(104, 0);
    frame.repeat(frames)
}

fn boxed(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("small");
    [&length.to_be_bytes()[..], &name, body].concat()
}

/// One track of this handler, so many milliseconds and bytes.
fn m4a(handlers: &[&[u8; 4]], millis: u32, bytes: usize) -> Vec<u8> {
    let mut head = vec![0; 100];
    head[12..16].copy_from_slice(&1000_u32.to_be_bytes());
    head[16..20].copy_from_slice(&millis.to_be_bytes());
    let mut movie = boxed(*b"mvhd", &head);
    for handler in handlers {
        let body = [&[0; 8][..], *handler, &[0; 12]].concat();
        let media = boxed(*b"mdia", &boxed(*b"hdlr", &body));
        movie.extend(boxed(*b"trak", &media));
    }
    let parts = [
        boxed(*b"ftyp", b"M4A \0\0\0\0mp42isom"),
        boxed(*b"mdat", &vec![7; bytes]),
        boxed(*b"moov", &movie),
    ];
    parts.concat()
}

#[test]
fn each_sort_is_known_by_its_content_and_its_length_by_its_bytes() {
    assert_eq!(examine(&wav(1_500)), Ok((Format::Wav, 1_500)));
    let mut piped = wav(1_500);
    piped[40..44].copy_from_slice(&0x7FFF_F000_u32.to_le_bytes());
    assert_eq!(examine(&piped), Ok((Format::Wav, 1_500)));
    let length = 40 * 576 * 1000 / 22_050;
    assert_eq!(examine(&mp3(40)), Ok((Format::Mp3, length)));
    let tagged = [b"ID3\x04\0\0\0\0\0\x0A0123456789".to_vec(), mp3(40)].concat();
    let tagged = [&tagged[..], b"TAG", &[b'x'; 125]].concat();
    assert_eq!(examine(&tagged), Ok((Format::Mp3, length)));
    assert_eq!(
        examine(&m4a(&[b"soun"], 9_500, 40_000)),
        Ok((Format::M4a, 9_500))
    );
}

#[test]
fn what_is_no_sound_too_large_too_long_or_too_short_is_refused_with_its_reason() {
    let refused = |bytes: &[u8]| examine(bytes).expect_err("refused").to_string();
    let parts = [
        (Vec::new(), "it is empty"),
        (
            vec![0; LARGEST + 1],
            "it has 4194305 bytes and at most 4194304",
        ),
        (
            b"<script>alert(1)</script>".to_vec(),
            "neither WAV, MP3 nor M4A",
        ),
        (b"#!AMR\n\x3c\x08".to_vec(), "neither WAV, MP3 nor M4A"),
        (wav(121_000), "it lasts 121 s and at most 120"),
        (wav(400), "less than half a second"),
        (wav(1_000)[..40].to_vec(), "as a WAV file"),
        (mp3(3), "as an MP3 file: it holds no frames"),
        (
            [mp3(40), b"MZ\x90 a program".to_vec()].concat(),
            "something else follows",
        ),
        (
            b"ID3\x04\0\0\x7F\x7F\x7F\x7F".to_vec(),
            "longer than the file",
        ),
        (
            m4a(&[b"soun", b"vide"], 9_500, 40_000),
            "not one track of sound",
        ),
        (m4a(&[], 9_500, 40_000), "not one track of sound"),
        (m4a(&[b"soun"], 5_000, 900_000), "do not go together"),
        (m4a(&[b"soun"], 100_000, 9_000), "do not go together"),
        (m4a(&[b"soun"], 0, 900), "tells no length"),
        (m4a(&[b"soun"], 9_500, 40_000)[..30_000].to_vec(), "torn"),
    ];
    for (bytes, why) in parts {
        let said = refused(&bytes);
        assert!(said.contains(why), "{why}: {said}");
    }
    // A box that claims to be its own beginning.
    let mut endless = boxed(*b"ftyp", b"M4A ");
    endless.extend([0, 0, 0, 1, b'f', b'r', b'e', b'e', 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(refused(&endless).contains("torn"));
}

#[test]
fn what_an_encoder_writes_has_the_length_that_the_encoder_reads_back() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let run = |args: &[&str], input: &[u8]| {
        let mut child = Command::new("lame")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("lame is installed: ./test does that");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let feed = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let out = child.wait_with_output().expect("it ends");
        feed.join().expect("it is fed");
        assert!(out.status.success());
        out.stdout
    };
    for mode in [&["-b", "32"][..], &["-V", "5"], &["--abr", "40"]] {
        let made = run(&[&["--quiet"], mode, &["-", "-"]].concat(), &wav(3_000));
        let (format, millis) = examine(&made).expect("a sound");
        assert_eq!(format, Format::Mp3, "{mode:?}");
        // The encoder's own decoder writes a WAV of what it hears.
        let back = run(&["--quiet", "--decode", "--mp3input", "-", "-"], &made);
        let heard = Wav::open(&back).expect("a WAV file").millis();
        assert!(
            u64::from(millis).abs_diff(heard) < 150,
            "{mode:?}: {millis} {heard}"
        );
        assert!(
            u64::from(millis).abs_diff(3_000) < 200,
            "{mode:?}: {millis}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it(head in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0_usize..400) {
        let begun = [Vec::new(), wav(10), mp3(5), m4a(&[b"soun"], 1_000, 300)];
        let mut file = begun[head].clone();
        file.truncate(cut);
        file.extend(&bytes);
        let _ = examine(&file);
    }

    #[test]
    fn a_changed_byte_is_refused_or_read_within_bounds(at in 0_usize..700, byte: u8) {
        let mut file = m4a(&[b"soun"], 1_000, 300);
        let at = at % file.len();
        file[at] = byte;
        if let Ok((_, millis)) = examine(&file) {
            prop_assert!(u128::from(millis) <= LONGEST.as_millis());
        }
    }
}
