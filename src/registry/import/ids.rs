//! Endpoints keep their ids as long as they are the same way to the same person, and a changed number is a new endpoint:
//! journals and open alerts know endpoints by id. This module must not give an id that another way ever had.

use std::collections::{HashMap, HashSet};

use crate::model::{ClosedRow, EndpointId, EndpointKind, EndpointRow, RecipientId, Rows};

/// Whom it reaches, how, and at which address.
type Way<'a> = (Option<RecipientId>, EndpointKind, &'a str);

fn way(row: &EndpointRow) -> Way<'_> {
    (row.recipient, row.kind, row.address.as_str())
}

/// Gives every endpoint its id and closes what is gone; says how many have another id than their file gave them.
pub fn settle(generation: u32, standing: &Rows, rows: &mut Rows) -> usize {
    let given = assign(standing, &rows.endpoints);
    let mut renumbered = HashMap::new();
    for (row, id) in rows.endpoints.iter_mut().zip(given) {
        if row.id != id {
            renumbered.insert(row.id, id);
            row.id = id;
        }
    }
    if !renumbered.is_empty() {
        let new = |id: &mut EndpointId| *id = renumbered.get(id).copied().unwrap_or(*id);
        rows.speakers
            .iter_mut()
            .for_each(|row| new(&mut row.endpoint));
        rows.hearing
            .iter_mut()
            .for_each(|row| new(&mut row.speaker));
    }
    let open: HashSet<EndpointId> = rows.endpoints.iter().map(|row| row.id).collect();
    let gone = standing
        .endpoints
        .iter()
        .filter(|row| !open.contains(&row.id));
    let gone = gone.map(|row| ClosedRow {
        id: row.id,
        recipient: row.recipient,
        kind: row.kind,
        address: row.address.clone(),
        generation,
    });
    rows.closed = standing.closed.iter().cloned().chain(gone).collect();
    renumbered.len()
}

fn assign(standing: &Rows, rows: &[EndpointRow]) -> Vec<EndpointId> {
    let by_id: HashMap<EndpointId, &EndpointRow> =
        standing.endpoints.iter().map(|row| (row.id, row)).collect();
    let by_way: HashMap<Way<'_>, EndpointId> = standing
        .endpoints
        .iter()
        .map(|row| (way(row), row.id))
        .collect();
    let closed: HashSet<EndpointId> = standing.closed.iter().map(|row| row.id).collect();
    let same = |row: &EndpointRow| by_id.get(&row.id).is_some_and(|old| way(old) == way(row));
    let mut used: HashSet<EndpointId> = rows
        .iter()
        .filter(|row| same(row))
        .map(|row| row.id)
        .collect();
    let all = rows.iter().map(|row| row.id);
    let all = all
        .chain(by_id.keys().copied())
        .chain(closed.iter().copied());
    let mut next = all.max().map_or(0, |id| id + 1);
    rows.iter()
        .map(|row| {
            if same(row) {
                return row.id;
            }
            if let Some(id) = by_way.get(&way(row))
                && used.insert(*id)
            {
                return *id;
            }
            let fresh = !by_id.contains_key(&row.id) && !closed.contains(&row.id);
            if fresh && used.insert(row.id) {
                return row.id;
            }
            next += 1;
            next - 1
        })
        .collect()
}
