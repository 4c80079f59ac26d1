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

/// The positions of a column of ids, in the order of the ids.
#[derive(Default)]
pub struct ById {
    order: Vec<u32>,
}

impl ById {
    pub fn over(ids: &[u32]) -> Self {
        let mut order: Vec<u32> = (0..narrow(ids.len())).collect();
        order.sort_unstable_by_key(|&position| ids[position as usize]);
        Self { order }
    }

    pub fn find(&self, ids: &[u32], id: u32) -> Option<usize> {
        self.order
            .binary_search_by_key(&id, |&position| ids[position as usize])
            .ok()
            .map(|at| self.order[at] as usize)
    }

    pub fn bytes(&self) -> usize {
        held(&self.order)
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
    fn starts_bound_every_group_even_an_empty_one() {
        assert_eq!(starts(4, [0, 0, 2, 2, 2].into_iter()), [0, 2, 2, 5, 5]);
    }
}
