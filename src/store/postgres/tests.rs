//! The journal on a real server: the suite of all stores, and what only a shared one must hold. Other nodes, expired
//! leases and broken connections are made with SQL beside the store; these tests must not wait by the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use channel::{ManualClock, SystemClock, Timestamp};
use tokio_postgres::{Client, NoTls};

use super::*;
use crate::store::suite;

/// A database of one test's own; the server goes when the tests have ended, and the database with it.
struct Database {
    url: String,
    admin: Client,
}

impl Database {
    async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TOCSIN_POSTGRES").expect(
            "these tests need a PostgreSQL server: run ./test, which starts one and sets TOCSIN_POSTGRES",
        );
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("store_{}_{number}", std::process::id());
        let make = format!("CREATE DATABASE {name}");
        let there = connect(&server).await;
        there.batch_execute(&make).await.expect("makes a database");
        let mut url = server;
        let path = url.rfind('/').expect("postgres://HOST/DATABASE");
        url.replace_range(path + 1.., &name);
        let admin = connect(&url).await;
        Self { url, admin }
    }

    async fn open(&self, node: &str) -> Result<Postgres, StoreError> {
        Postgres::open(&self.url, node, Arc::new(SystemClock::default())).await
    }

    async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect(sql);
    }

    async fn number(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// The owner's lease ends, as if it had been silent for that long.
    async fn expire(&self) {
        self.run("UPDATE part SET until=clock_timestamp()-interval '1 s'")
            .await;
    }

    /// Ends every connection of the owner or, with `also`, only those of which it holds.
    async fn cut(&self, also: &str) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname=current_database() AND application_name='tocsin' AND {also}) x"
        );
        self.number(&sql).await
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(connection);
    client
}

fn one(seq: u64) -> Append {
    suite::records(vec![suite::record(
        seq,
        7,
        u32::try_from(seq).expect("small"),
        b"x",
    )])
}

/// One of everything that an append can bring.
fn everything(seq: u64) -> Append {
    Append {
        documents: vec![([7; 32], b"doc".to_vec())],
        identities: vec![suite::identity("late", 7)],
        inbox_put: vec![suite::inbox(9)],
        inbox_take: vec![5],
        ..one(seq)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_passes_the_store_suite() {
    let database = Database::new().await;
    suite::exercise(async || database.open("a").await.expect("opens")).await;
}

#[tokio::test]
async fn nodes_that_start_at_once_make_the_tables_once_and_one_owns_the_journal() {
    let database = Database::new().await;
    let names = ["a", "b", "c", "d"];
    let opened = futures::future::join_all(names.map(|name| database.open(name))).await;
    let owners: Vec<_> = opened.iter().flatten().map(Postgres::epoch).collect();
    assert_eq!(owners, [Some(1)]);
    for refused in opened.iter().filter_map(|one| one.as_ref().err()) {
        assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_node_is_refused_by_name_and_time_while_anothers_lease_stands() {
    let database = Database::new().await;
    let _a = database.open("a").await.expect("opens");
    let Err(StoreError::Held { owner, seconds }) = database.open("b").await else {
        panic!("taken while owned");
    };
    assert_eq!(owner, "a");
    assert!((10..=15).contains(&seconds), "{seconds}");
    database.expire().await;
    let b = database.open("b").await.expect("takes what nobody renewed");
    assert_eq!(b.epoch(), Some(2));
}

#[tokio::test]
async fn an_owner_that_was_taken_over_writes_nothing_of_what_comes_late() {
    let database = Database::new().await;
    let old = database.open("a").await.expect("opens");
    let first = Append {
        inbox_put: vec![suite::inbox(5)],
        ..one(1)
    };
    old.append(first).await.expect("owns it");
    database.expire().await;
    let new = database.open("b").await.expect("takes over");

    let fenced = StoreError::Fenced("b".into());
    assert_eq!(old.append(everything(2)).await, Err(fenced.clone()));
    assert_eq!(new.records(1, 10).await.expect("reads"), []);
    assert_eq!(new.document([7; 32]).await.expect("reads"), None);
    assert_eq!(new.identities().await.expect("reads"), []);
    assert_eq!(new.inbox().await.expect("reads"), [suite::inbox(5)]);
    assert_eq!(old.taken_over().await, fenced);
    assert!(!old.owns() && new.owns());

    new.append(everything(2)).await.expect("owns it");
    assert_eq!(old.append(one(3)).await, Err(fenced));
    assert_eq!(new.records(0, 10).await.expect("reads").len(), 2);
}

#[tokio::test]
async fn an_earlier_process_of_the_same_node_is_fenced_too() {
    let database = Database::new().await;
    let old = database.open("a").await.expect("opens");
    let new = database.open("a").await.expect("opens again at once");
    assert_eq!((old.epoch(), new.epoch()), (Some(1), Some(2)));
    let append = old.append(Append::default()).await;
    assert_eq!(append, Err(StoreError::Fenced("a".into())));
    new.append(one(1)).await.expect("owns it");
}

#[tokio::test]
async fn an_append_that_waits_behind_a_takeover_is_refused() {
    let database = Database::new().await;
    let old = Arc::new(database.open("a").await.expect("opens"));
    old.append(one(1)).await.expect("owns it");
    // The taking is under way and holds the row when the append comes.
    database
        .run("BEGIN; UPDATE part SET owner='b', epoch=epoch+1")
        .await;
    let late = tokio::spawn({
        let old = old.clone();
        async move { old.append(one(2)).await }
    });
    let watch = connect(&database.url).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname=current_database() AND wait_event_type='Lock'";
    while watch
        .query_one(waits, &[])
        .await
        .expect("asks")
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    database.run("COMMIT").await;
    assert_eq!(
        late.await.expect("ends"),
        Err(StoreError::Fenced("b".into()))
    );
    assert_eq!(database.number("SELECT count(*) FROM journal").await, 1);
}

#[tokio::test]
async fn an_idle_owner_renews_and_learns_that_it_was_taken_over() {
    let database = Database::new().await;
    let clock = Arc::new(SystemClock::default());
    let store = Postgres::open_for(&database.url, "a", clock, Duration::from_millis(600))
        .await
        .expect("opens");
    let until = "SELECT (extract(epoch FROM until)*1000)::bigint FROM part";
    let first = database.number(until).await;
    while database.number(until).await < first + 600 {
        tokio::task::yield_now().await;
    }
    assert!(store.owns());
    database
        .run("UPDATE part SET owner='b', epoch=epoch+1")
        .await;
    assert_eq!(store.taken_over().await, StoreError::Fenced("b".into()));
}

#[tokio::test]
async fn an_owner_cut_off_for_two_thirds_of_its_lease_owns_nothing_until_it_renews() {
    let database = Database::new().await;
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let store = Postgres::open(&database.url, "a", clock.clone())
        .await
        .expect("opens");
    assert!(store.owns());
    clock.advance(LEASE / 3 * 2);
    assert!(!store.owns());
    store.append(one(1)).await.expect("nobody took it over");
    assert!(store.owns());
}

#[tokio::test]
async fn a_connection_that_broke_is_opened_again() {
    let database = Database::new().await;
    let store = database.open("a").await.expect("opens");
    for seq in 1..=3 {
        if let Err(away) = store.append(one(seq)).await {
            // The break came to light with this append, before its commit.
            assert!(matches!(away, StoreError::Away(..)), "{away}");
            store.append(one(seq)).await.expect("on a new connection");
        }
        let read = store.records(0, 10).await.expect("reads").len();
        assert_eq!(u64::try_from(read), Ok(seq));
        assert!(database.cut("true").await >= 2);
    }
}

/// Commits wait in a deferred trigger until the test lets them go on or cuts them off.
const SLOW_COMMIT: &str = "
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
 BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON part DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();
SELECT pg_advisory_lock(1);
";

#[tokio::test]
async fn a_commit_that_was_cut_off_and_undone_is_repeated() {
    let database = Database::new().await;
    let store = Arc::new(database.open("a").await.expect("opens"));
    database.run(SLOW_COMMIT).await;
    let append = tokio::spawn({
        let store = store.clone();
        async move { store.append(everything(1)).await }
    });
    while database
        .cut("query ILIKE 'COMMIT%' AND wait_event_type='Lock'")
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    database.run("SELECT pg_advisory_unlock(1)").await;
    append.await.expect("ends").expect("written in the end");
    assert_eq!(store.records(0, 10).await.expect("reads").len(), 1);
    assert_eq!(database.number("SELECT turn FROM part").await, 1);
    store.append(one(2)).await.expect("goes on");
}

#[tokio::test]
async fn what_was_written_without_an_answer_is_found_and_not_repeated() {
    let database = Database::new().await;
    let store = database.open("a").await.expect("opens");
    let owner = store.owner.clone().expect("an owner");
    let rows_alone = Append {
        inbox_put: vec![suite::inbox(5)],
        ..Append::default()
    };
    for append in [one(1), rows_alone] {
        let mut desk = owner.desk.lock().await;
        let (seq, turn) = (desk.seq, desk.turn);
        drop(desk);
        owner.append(&append).await.expect("written");
        // Its answer was lost: the desk stands where it stood before.
        desk = owner.desk.lock().await;
        (desk.seq, desk.turn) = (seq, turn);
        drop(desk);
        owner.append(&append).await.expect("found");
    }
    assert_eq!(database.number("SELECT turn FROM part").await, 2);
    assert_eq!(database.number("SELECT count(*) FROM journal").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM inbox").await, 1);
}

#[tokio::test]
async fn a_journal_changed_by_hand_takes_nothing() {
    let database = Database::new().await;
    let store = database.open("a").await.expect("opens");
    store.append(one(1)).await.expect("owns it");
    database.run("UPDATE part SET seq=0").await;
    let refused = store.append(one(2)).await;
    assert!(
        matches!(refused, Err(StoreError::Broken(..))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_database_of_a_later_format_is_refused() {
    let database = Database::new().await;
    drop(database.open("a").await.expect("opens"));
    database.run("UPDATE format SET number=2").await;
    let refused = database.open("a").await.err().expect("refused").to_string();
    assert!(refused.contains("newer than this program's 1"), "{refused}");
    assert_eq!(database.number("SELECT epoch FROM part").await, 1);
}

#[tokio::test]
async fn who_reads_beside_the_owner_takes_nothing_from_it() {
    let database = Database::new().await;
    let store = database.open("a").await.expect("opens");
    store.append(one(1)).await.expect("owns it");
    let beside = Postgres::read_only(&database.url).expect("a URL");
    assert_eq!(beside.records(0, 10).await.expect("reads").len(), 1);
    assert!(beside.append(one(2)).await.is_err() && !beside.owns());
    store.append(one(2)).await.expect("still owns it");
}

/// A planner that knows a table from before it grew takes minutes where an index takes milliseconds.
#[tokio::test]
async fn no_statement_reads_a_table_whole_when_its_statistics_are_from_before_it_grew() {
    let database = Database::new().await;
    let store = database.open("a").await.expect("opens");
    database
        .run(
            "ALTER TABLE inbox SET (autovacuum_enabled=off); ALTER TABLE journal SET (autovacuum_enabled=off);
             ANALYZE;
             INSERT INTO inbox SELECT n, 0, '' FROM generate_series(1, 50000) n;
             INSERT INTO journal SELECT 0, n, 1, 1, n, 1, 0, 1, '', 0, decode(repeat('00', 32), 'hex') FROM generate_series(1, 50000) n;
             UPDATE part SET seq=50000",
        )
        .await;
    let owner = store.owner.clone().expect("an owner");
    owner.desk.lock().await.seq = 50_000;
    let read = "SELECT seq_tup_read::bigint FROM pg_stat_user_tables WHERE relname='inbox'";
    let before = database.number(read).await;
    for n in 0..10 {
        let append = Append {
            inbox_take: (1 + n * 1_000..=(n + 1) * 1_000).collect(),
            ..suite::records(vec![suite::record(50_001 + n, 70_000 + n, 1, b"x")])
        };
        store.append(append).await.expect("owns it");
    }
    assert_eq!(store.stream(777).await.expect("reads").len(), 1);
    assert_eq!(store.records(49_999, 10).await.expect("reads").len(), 10);
    assert_eq!(database.number("SELECT count(*) FROM inbox").await, 40_000);
    drop((store, owner));
    // Figures are published when a connection ends; the count above read the table once.
    while database.number("SELECT count(*) FROM pg_stat_activity WHERE datname=current_database() AND application_name='tocsin'").await > 0 {
        tokio::task::yield_now().await;
    }
    let inbox = database.number(read).await - before;
    assert!(
        inbox <= 40_000,
        "{inbox} rows of the inbox were read one by one"
    );
    let journal = "SELECT seq_tup_read::bigint FROM pg_stat_user_tables WHERE relname='journal'";
    assert_eq!(database.number(journal).await, 0);
}

#[tokio::test]
async fn a_number_that_no_column_was_given_tears_its_record_and_no_other() {
    let database = Database::new().await;
    let store = database.open("a").await.expect("opens");
    for seq in 1..=3 {
        store.append(one(seq)).await.expect("appends");
    }
    database
        .run("UPDATE journal SET epoch=4294967296 WHERE seq=1; UPDATE journal SET before='' WHERE seq=2")
        .await;
    let records = store.records(0, 10).await.expect("reads");
    let torn: Vec<_> = records.iter().map(|r| r.torn).collect();
    assert_eq!(torn, [Some("epoch"), Some("before"), None]);
}
