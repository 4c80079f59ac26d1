//! One behaviour suite for every store. `open` opens the same store again and again, as restarts do. This module must
//! not know which database stands behind it.

use channel::Timestamp;

use super::{
    Append, IdentityRow, InboxRow, Record, Seal, SealedHousehold, SealedRow, Store, StoreError,
};
use crate::model::{Answer, Grade, Missed, RegionCode};

pub fn record(seq: u64, stream: u64, stream_seq: u32, body: &[u8]) -> Record {
    Record {
        seq,
        epoch: 3,
        format: 1,
        stream,
        stream_seq,
        time: Timestamp(1_000 + i64::try_from(seq).expect("small")),
        count: 1,
        body: body.to_vec(),
        crc: crc32c::crc32c(body),
        before: [u8::try_from(seq % 251).expect("small"); 32],
        torn: None,
    }
}

pub fn records(list: Vec<Record>) -> Append {
    Append {
        records: list,
        ..Append::default()
    }
}

pub fn identity(name: &str, stream: u64) -> IdentityRow {
    IdentityRow {
        identity: name.into(),
        stream,
        content: [9; 32],
    }
}

pub fn inbox(id: u64) -> InboxRow {
    InboxRow {
        id,
        seen: Timestamp(4),
        body: vec![1, 0, 255],
    }
}

/// What a stream is sealed with, and the doors of it in every answer's words.
pub fn seal(stream: u64) -> Seal {
    let door = |(household, answer)| SealedHousehold {
        household,
        village: RegionCode::try_from(510_727_217_201).expect("a village"),
        group: 3,
        away: household == 2,
        answer,
    };
    let answers = [
        Answer::Reached(Grade::Delivered),
        Answer::Missed(Missed::NoEndpoint),
        Answer::Unknown,
    ];
    let row = SealedRow {
        stream,
        stream_seq: 2,
        hash: [6; 32],
        epoch: 3,
        at: Timestamp(9),
        card: vec![0, 255, 1],
    };
    Seal {
        row,
        households: (1..).zip(answers).map(door).collect(),
    }
}

/// # Panics
/// When the store breaks its contract.
pub async fn exercise<S: Store>(open: impl AsyncFn() -> S) {
    what_is_written_is_there_after_a_restart(&open).await;
    an_append_is_all_or_nothing(&open().await).await;
    the_inbox_gives_and_takes(&open().await).await;
    an_empty_append_changes_nothing(&open().await).await;
    large_bodies_and_many_records_keep_their_order(&open).await;
    what_is_sealed_is_a_row_until_it_is_unsealed(&open).await;
}

async fn what_is_written_is_there_after_a_restart<S: Store>(open: &impl AsyncFn() -> S) {
    let store = open().await;
    assert!(store.records(0, 10).await.expect("reads").is_empty());
    let (a, b, c) = (
        record(1, 7, 1, b"a"),
        record(2, 8, 1, b""),
        record(3, 7, 2, &[0, 255, 7]),
    );
    let append = store.append(records(vec![a.clone(), b.clone()]));
    append.await.expect("appends");
    let append = store.append(Append {
        records: vec![c.clone()],
        // The same document comes with many an alert: it is kept once.
        documents: vec![([1; 32], b"doc".to_vec()), ([1; 32], b"doc".to_vec())],
        identities: vec![identity("水利,x", 7)],
        inbox_put: vec![inbox(5)],
        ..Append::default()
    });
    append.await.expect("appends with rows");
    assert!(store.owns(), "who appended just now owns the store");
    let epoch = store.epoch();
    drop(store);

    let store = open().await;
    let all = [a.clone(), b.clone(), c.clone()];
    assert_eq!(store.records(0, 10).await.expect("reads"), all);
    assert_eq!(store.records(1, 1).await.expect("reads"), [b]);
    assert_eq!(store.stream(7).await.expect("reads"), [a, c]);
    assert_eq!(store.stream(99).await.expect("reads"), []);
    let document = store.document([1; 32]).await.expect("reads");
    assert_eq!(document, Some(b"doc".to_vec()));
    assert_eq!(store.document([2; 32]).await.expect("reads"), None);
    assert_eq!(
        store.identities().await.expect("reads"),
        [identity("水利,x", 7)]
    );
    assert_eq!(store.inbox().await.expect("reads"), [inbox(5)]);
    let risen = epoch.is_none_or(|before| store.epoch() > Some(before));
    assert!(risen, "the epoch rises with every taking");
}

/// What is refused leaves nothing of its commit behind, whatever else it brought.
async fn an_append_is_all_or_nothing(store: &dyn Store) {
    let with_rows = |records, identities| Append {
        records,
        documents: vec![([3; 32], b"not kept".to_vec())],
        identities,
        inbox_put: vec![inbox(6)],
        inbox_take: vec![5],
        seals: vec![seal(7)],
        ..Append::default()
    };
    let next = || vec![record(4, 9, 1, b"x")];
    let refused = [
        (
            "a sequence is written once",
            with_rows(vec![record(4, 9, 1, b"x"), record(3, 9, 2, b"y")], vec![]),
        ),
        (
            "a place in a stream is taken once",
            with_rows(vec![record(4, 7, 2, b"x")], vec![]),
        ),
        (
            "an identity is claimed once",
            with_rows(next(), vec![identity("new", 9), identity("水利,x", 9)]),
        ),
        (
            "an identity is claimed once in an append too",
            with_rows(next(), vec![identity("new", 9), identity("new", 10)]),
        ),
        (
            "an inbox row is put once",
            Append {
                inbox_put: vec![inbox(5)],
                inbox_take: vec![],
                ..with_rows(next(), vec![])
            },
        ),
    ];
    for (law, append) in refused {
        let answer = store.append(append).await;
        assert!(
            matches!(answer, Err(StoreError::Conflict(..))),
            "{law}: {answer:?}"
        );
        assert_eq!(store.records(3, 10).await.expect("reads"), [], "{law}");
        assert_eq!(store.document([3; 32]).await.expect("reads"), None, "{law}");
        assert_eq!(store.identities().await.expect("reads").len(), 1, "{law}");
        assert_eq!(store.inbox().await.expect("reads"), [inbox(5)], "{law}");
        assert_eq!(store.open().await.expect("reads").sealed, [], "{law}");
    }
}

async fn the_inbox_gives_and_takes(store: &dyn Store) {
    let take = Append {
        inbox_take: vec![5, 99],
        ..records(vec![record(4, 9, 1, b"z")])
    };
    store.append(take).await.expect("takes from the inbox");
    assert_eq!(store.inbox().await.expect("reads"), []);
    // A receipt and the settlement that claims it may come in one commit.
    let through = Append {
        inbox_put: vec![inbox(8), inbox(7)],
        inbox_take: vec![8],
        ..Append::default()
    };
    store.append(through).await.expect("puts without a record");
    assert_eq!(store.inbox().await.expect("reads"), [inbox(7)]);
    assert_eq!(store.records(3, 10).await.expect("reads").len(), 1);
}

async fn an_empty_append_changes_nothing(store: &dyn Store) {
    store.append(Append::default()).await.expect("appends");
    assert_eq!(store.records(0, 10).await.expect("reads").len(), 4);
}

async fn large_bodies_and_many_records_keep_their_order<S: Store>(open: &impl AsyncFn() -> S) {
    let store = open().await;
    let large: Vec<u8> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[1]).collect();
    let big = record(5, 10, 1, &large);
    let append = Append {
        documents: vec![([4; 32], large.clone())],
        ..records(vec![big.clone()])
    };
    store.append(append).await.expect("appends a large body");
    let many: Vec<Record> = (0..5_000_u32)
        .map(|n| {
            let stream = 20 + u64::from(n % 3);
            record(6 + u64::from(n), stream, 1 + n / 3, &n.to_le_bytes())
        })
        .collect();
    let append = store.append(records(many.clone()));
    append.await.expect("appends many");
    drop(store);
    let store = open().await;
    let kept = store.document([4; 32]).await.expect("reads");
    assert!(kept == Some(large), "a large document comes back as it was");
    let page = store.records(4, 1).await.expect("reads");
    assert!(page == [big], "a large body comes back as it was");
    let (mut read, mut after) = (Vec::new(), 5);
    loop {
        let page = store.records(after, 1_024).await.expect("reads");
        let Some(last) = page.last() else { break };
        after = last.seq;
        read.extend(page);
    }
    assert!(read == many, "5,000 records come back in their order");
    let stream = store.stream(21).await.expect("reads");
    let places: Vec<u32> = stream.iter().map(|r| r.stream_seq).collect();
    assert!(places.iter().copied().eq(1..=1_667), "{places:?}");
}

/// A start is told of a sealed stream by its row, and of no record of it.
async fn what_is_sealed_is_a_row_until_it_is_unsealed<S: Store>(open: &impl AsyncFn() -> S) {
    let store = open().await;
    let before = store.open().await.expect("reads");
    let all: Vec<u64> = (1..=before.last).collect();
    assert!(
        before.places == all,
        "every record of what is open, in order"
    );
    assert_eq!((before.last, before.sealed.len()), (5_005, 0));
    let append = Append {
        seals: vec![seal(20), seal(7)],
        ..records(vec![record(5_006, 20, 1_668, b"sealed")])
    };
    store.append(append).await.expect("seals");
    drop(store);
    let store = open().await;
    let sealed = store.open().await.expect("reads");
    assert_eq!(sealed.last, 5_006, "also where the last is of a sealed one");
    assert_eq!(sealed.sealed, [seal(7).row, seal(20).row]);
    let read = store.at(&sealed.places).await.expect("reads");
    assert!(read.iter().map(|r| r.seq).eq(sealed.places.iter().copied()));
    assert!(read.iter().all(|r| r.stream != 20 && r.stream != 7));
    assert_eq!(read.len(), 5_006 - 1_668 - 2);
    let doors = store.sealed_households(20).await.expect("reads");
    assert_eq!(doors, seal(20).households);
    // Its stream is still there, for whoever asks for it.
    assert_eq!(store.stream(20).await.expect("reads").len(), 1_668);
    let gone = store.at(&[2, 5_006, 9_999]).await.expect("reads");
    assert_eq!(gone.iter().map(|r| r.seq).collect::<Vec<_>>(), [2, 5_006]);
    let twice = Append {
        seals: vec![seal(7)],
        ..Append::default()
    };
    let refused = store.append(twice).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(..))),
        "{refused:?}"
    );
    let append = Append {
        unseals: vec![20],
        ..records(vec![record(5_007, 20, 1_669, b"unsealed")])
    };
    store.append(append).await.expect("unseals");
    let again = store.open().await.expect("reads");
    assert_eq!(again.sealed, [seal(7).row]);
    assert_eq!(again.places.len(), 5_007 - 2);
    assert_eq!(store.sealed_households(20).await.expect("reads"), []);
    let kept = store.sealed_households(7).await.expect("reads");
    assert_eq!(kept.len(), 3, "the other's rows stay");
}
