//! The registry's memory: text columns in one arena each, and an index from id to position. Nothing here may allocate
//! once a row: sixty thousand households have to stay small.

/// A column of texts: one arena, one end a row.
#[derive(Default)]
pub struct Texts {
    arena: String,
    ends: Vec<u32>,
}

impl Texts {
    pub fn collect<'a>(rows: usize, texts: impl Iterator<Item = &'a str>) -> Self {
        let mut column = Self {
            arena: String::new(),
            ends: Vec::with_capacity(rows),
        };
        for text in texts {
            column.arena.push_str(text);
            column.ends.push(narrow(column.arena.len()));
        }
        column.arena.shrink_to_fit();
        column
    }

    pub fn get(&self, position: usize) -> &str {
        let start = match position.checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        };
        &self.arena[start..self.ends[position] as usize]
    }

    pub fn bytes(&self) -> usize {
        self.arena.capacity() + held(&self.ends)
    }
}

/// From an id to its position. Ids are mostly given in a row: then the position stands at the id itself and is found in one
/// step; where ids lie far apart, the positions stand in the order of the ids.
#[derive(Default)]
pub struct ById {
    positions: Vec<u32>,
    direct: bool,
}

/// No row has this id.
const GAP: u32 = u32::MAX;

impl ById {
    pub fn over(ids: &[u32]) -> Self {
        let highest = ids.iter().max().map_or(0, |&id| id as usize);
        // Gaps may take as much as the rows do.
        if highest <= 2 * ids.len() {
            let mut positions = vec![GAP; highest + 1];
            for (position, &id) in (0..narrow(ids.len())).zip(ids) {
                positions[id as usize] = position;
            }
            let direct = true;
            return Self { positions, direct };
        }
        let mut positions: Vec<u32> = (0..narrow(ids.len())).collect();
        positions.sort_unstable_by_key(|&position| ids[position as usize]);
        let direct = false;
        Self { positions, direct }
    }

    pub fn find(&self, ids: &[u32], id: u32) -> Option<usize> {
        if self.direct {
            let position = *self.positions.get(id as usize)?;
            return (position != GAP).then_some(position as usize);
        }
        self.positions
            .binary_search_by_key(&id, |&position| ids[position as usize])
            .ok()
            .map(|at| self.positions[at] as usize)
    }

    pub fn bytes(&self) -> usize {
        held(&self.positions)
    }
}

/// The memory a vector holds.
pub fn held<T>(column: &Vec<T>) -> usize {
    column.capacity() * size_of::<T>()
}

/// A position or an offset as kept. `check` has refused rows that do not fit.
pub fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("check refuses tables of more than 4 Gi rows or bytes")
}

/// For each of `groups` groups, where its rows begin in a column sorted by group; one more entry closes the last.
pub fn starts(groups: usize, group_of: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0_u32; groups + 1];
    for group in group_of {
        starts[group + 1] += 1;
    }
    for group in 0..groups {
        starts[group + 1] += starts[group];
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_where_they_were_put() {
        let rows = ["平武", "", "a", "新桥村"];
        let texts = Texts::collect(rows.len(), rows.into_iter());
        for (position, row) in rows.into_iter().enumerate() {
            assert_eq!(texts.get(position), row);
        }
    }

    #[test]
    fn an_id_is_found_whether_ids_stand_in_a_row_or_far_apart() {
        for ids in [vec![], vec![3, 1, 2], vec![0], vec![7, 90_000, u32::MAX, 8]] {
            let by_id = ById::over(&ids);
            for (position, id) in ids.iter().enumerate() {
                assert_eq!(by_id.find(&ids, *id), Some(position), "{id} of {ids:?}");
            }
            for id in [4, 5, 6, 9, 1_000_000] {
                assert_eq!(by_id.find(&ids, id), None, "{id} of {ids:?}");
            }
        }
    }

    #[test]
    fn starts_bound_every_group_even_an_empty_one() {
        assert_eq!(starts(4, [0, 0, 2, 2, 2].into_iter()), [0, 2, 2, 5, 5]);
    }
}
