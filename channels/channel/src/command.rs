//! A command that reads something and writes something: a voice, an encoder. It is fed and heard side by side, read up to
//! a bound, and killed when it takes too long. This module must not know what is read or written, and never runs a shell.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// What a command may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub time: Duration,
    /// Of what it writes.
    pub bytes: usize,
}

/// Feeds a command and gives what it wrote. Why it did not, in words without its input.
pub async fn run(command: &[String], input: &[u8], bounds: Bounds) -> Result<Vec<u8>, String> {
    let [program, arguments @ ..] = command else {
        return Err("it is empty".to_owned());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("{program} does not start: {e}"))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let work = async {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A command that has heard enough closes its end; what it wrote decides.
                let _ = stdin.write_all(input).await;
                let _ = stdin.shutdown().await;
            }
        };
        let collect = async {
            let mut written = Vec::new();
            if let Some(stdout) = stdout {
                let mut bounded = stdout.take(bounds.bytes as u64 + 1);
                bounded
                    .read_to_end(&mut written)
                    .await
                    .map_err(|e| e.to_string())?;
            }
            Ok::<_, String>(written)
        };
        let ((), written) = tokio::join!(feed, collect);
        let written = written?;
        if written.len() > bounds.bytes {
            return Err(format!(
                "{program} writes more than {} MB",
                bounds.bytes >> 20
            ));
        }
        let status = child.wait().await.map_err(|e| e.to_string())?;
        if status.success() {
            Ok(written)
        } else {
            Err(format!("{program} ended with {status}"))
        }
    };
    let slow = |_| format!("{program} took more than {} s", bounds.time.as_secs());
    tokio::time::timeout(bounds.time, work)
        .await
        .map_err(slow)?
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ran(line: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        let words: Vec<_> = line.iter().map(|&word| word.to_owned()).collect();
        let bounds = Bounds {
            time: Duration::from_secs(2),
            bytes: 1 << 20,
        };
        run(&words, input, bounds).await
    }

    #[tokio::test]
    async fn what_a_command_makes_of_its_input_is_had_and_nothing_of_one_that_fails() {
        let long = vec![b'a'; 900_000];
        assert_eq!(ran(&["cat"], &long).await.as_deref(), Ok(&*long));
        assert_eq!(ran(&[], b"").await, Err("it is empty".into()));
        let failed = ran(&["false"], b"x").await.expect_err("it fails");
        assert!(failed.contains("false ended with"), "{failed}");
        let missing = ran(&["no-such-voice"], b"")
            .await
            .expect_err("it is not there");
        assert!(missing.contains("does not start"), "{missing}");
    }

    #[tokio::test]
    async fn a_command_that_writes_without_end_or_never_ends_is_killed() {
        let endless = ran(&["yes"], b"").await.expect_err("too much");
        assert!(endless.contains("more than 1 MB"), "{endless}");
        let slow = ran(&["sleep", "60"], b"").await.expect_err("too slow");
        assert!(slow.contains("more than 2 s"), "{slow}");
    }
}
