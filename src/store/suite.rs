//! One behaviour suite for every store. `open` opens the same store again and again, as restarts do. This module must
//! not know which database stands behind it.

use channel::Timestamp;

use super::{Append, IdentityRow, InboxRow, Record, Store};

fn record(seq: u64, stream: u64, stream_seq: u32, body: &[u8]) -> Record {
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
        before: [u8::try_from(seq).expect("small"); 32],
    }
}

fn records(list: Vec<Record>) -> Append {
    Append {
        records: list,
        ..Append::default()
    }
}

/// # Panics
/// When the store breaks its contract.
pub async fn exercise(open: impl Fn() -> Box<dyn Store>) {
    let store = open();
    assert!(store.records(0, 10).await.expect("reads").is_empty());
    let (a, b, c) = (
        record(1, 7, 1, b"a"),
        record(2, 8, 1, b""),
        record(3, 7, 2, &[0, 255, 7]),
    );
    store
        .append(records(vec![a.clone(), b.clone()]))
        .await
        .expect("appends");
    let identity = IdentityRow {
        identity: "x".into(),
        stream: 7,
        content: [9; 32],
    };
    store
        .append(Append {
            records: vec![c.clone()],
            documents: vec![([1; 32], b"doc".to_vec())],
            identities: vec![identity.clone()],
            inbox_put: vec![InboxRow {
                id: 5,
                seen: Timestamp(4),
                body: vec![1],
            }],
            inbox_take: vec![],
        })
        .await
        .expect("appends with rows");
    drop(store);

    let store = open();
    assert_eq!(
        store.records(0, 10).await.expect("reads"),
        [a.clone(), b.clone(), c.clone()]
    );
    assert_eq!(store.records(1, 1).await.expect("reads"), [b]);
    assert_eq!(store.stream(7).await.expect("reads"), [a, c]);
    assert_eq!(
        store.document([1; 32]).await.expect("reads"),
        Some(b"doc".to_vec())
    );
    assert_eq!(store.document([2; 32]).await.expect("reads"), None);
    assert_eq!(store.identities().await.expect("reads"), [identity.clone()]);
    assert_eq!(store.inbox().await.expect("reads").len(), 1);

    // All or nothing: a taken sequence, and a taken identity, leave nothing of their commit behind.
    let taken = store
        .append(records(vec![record(4, 9, 1, b"x"), record(3, 9, 2, b"y")]))
        .await;
    assert!(taken.is_err(), "a sequence is written once");
    let twice = Append {
        records: vec![record(4, 9, 1, b"x")],
        identities: vec![identity],
        ..Append::default()
    };
    assert!(
        store.append(twice).await.is_err(),
        "an identity is claimed once"
    );
    assert_eq!(store.records(3, 10).await.expect("reads"), []);

    let take = Append {
        inbox_take: vec![5, 99],
        ..records(vec![record(4, 9, 1, b"z")])
    };
    store.append(take).await.expect("takes from the inbox");
    assert!(store.inbox().await.expect("reads").is_empty());
    assert_eq!(store.records(3, 10).await.expect("reads").len(), 1);
}
