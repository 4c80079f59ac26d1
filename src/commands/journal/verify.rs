//! `tocsin journal verify`: whether the journal is what was written. It reads beside a running gateway and changes nothing.

use crate::commands::Failed;
use crate::ledger::verify;

use super::Place;

#[derive(clap::Args)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
}

impl Verify {
    pub async fn run(self) -> Result<(), Failed> {
        let store = self.place.open()?;
        let verdict = verify::verify(&*store)
            .await
            .map_err(|e| Failed::Unreachable(e.to_string()))?;
        for fault in &verdict.faults {
            say!("{fault}");
        }
        let looked = format!(
            "{} record(s), {} stream(s), {} witnessed head(s), {} sealed 记录、流水、见证、封存",
            verdict.records, verdict.streams, verdict.witnessed, verdict.sealed
        );
        if verdict.faults.is_empty() {
            say!("{looked}: whole 完好");
            return Ok(());
        }
        Err(Failed::No(format!(
            "{looked}: {} fault(s) 处损坏; keep the files as they are and restore a backup 请保留原文件并从备份恢复",
            verdict.faults.len()
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use channel::SystemClock;

    use super::*;
    use crate::app::JOURNAL;
    use crate::ledger::{Event, Proposal, Writer, replay};
    use crate::store::{Sqlite, Store, suite};

    #[tokio::test]
    async fn a_journal_is_whole_until_a_record_is_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(JOURNAL);
        let verify = || Verify {
            place: Place {
                config: "none.toml".into(),
                data: Some(dir.path().to_owned()),
            },
        };
        let refused = verify().run().await.expect_err("there is no journal");
        assert!(matches!(refused, Failed::Input(_)), "{refused:?}");
        let store = Arc::new(Sqlite::open(&path).expect("opens"));
        let begin = replay(&*store).await.expect("reads");
        let clock = Arc::new(SystemClock::default());
        let writer = Writer::start(store.clone(), begin.ledger, clock, begin.history);
        for epoch in [1, 2] {
            let took = Event::Took { epoch, format: 1 };
            writer
                .propose(Proposal::of(0, took))
                .await
                .expect("commits");
        }
        verify().run().await.expect("whole");
        // What follows nothing.
        let odd = suite::records(vec![suite::record(3, 7, 1, b"x")]);
        store.append(odd).await.expect("appends");
        let refused = verify().run().await.expect_err("damaged");
        assert!(
            matches!(&refused, Failed::No(text) if text.contains("1 fault(s)")),
            "{refused:?}"
        );
    }
}
