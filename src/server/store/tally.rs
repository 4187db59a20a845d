//! Counts what the store holds by listing it, exactly, while objects are written and deleted.

use std::collections::HashMap;

/// A number that stands for an object's name.
pub(super) type ObjectHash = u64;

/// A count that is under way.
///
/// Objects that this process began to write or to delete while the count runs are *changed* objects: a listing may show
/// them or not. What is listed of them after the change began is ignored; what they hold is known without a listing, since
/// it is known whether they were there before and how the change ended. All others are as the listing shows them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The cost of what was listed, changed objects included that were listed before they changed.
    listed_bytes: u64,
    /// What was listed, to tell afterwards which of the changed objects are in `listed_bytes`. 8 bytes an object.
    listed: Vec<ObjectHash>,
    changed: HashMap<ObjectHash, Changed>,
    /// The cost of what was written since the count began, less that of what was deleted.
    difference_bytes: i128,
}

#[derive(Clone, Copy, Debug)]
struct Changed {
    cost: u64,
    was_there: bool,
}

impl Tally {
    /// An object of `cost` bytes is shown by the listing.
    pub(super) fn list(&mut self, object: ObjectHash, cost: u64) {
        if !self.changed.contains_key(&object) {
            self.listed_bytes = self.listed_bytes.saturating_add(cost);
            self.listed.push(object);
        }
    }

    /// A change of an object begins, or had begun before the count did.
    pub(super) fn begin(&mut self, object: ObjectHash, cost: u64, was_there: bool) {
        let changed = Changed { cost, was_there };
        self.changed.entry(object).or_insert(changed);
    }

    /// A changed object was written.
    pub(super) fn written(&mut self, cost: u64) {
        self.difference_bytes += i128::from(cost);
    }

    /// A changed object was deleted.
    pub(super) fn deleted(&mut self, cost: u64) {
        self.difference_bytes -= i128::from(cost);
    }

    /// A changed object that was to be deleted was not there.
    pub(super) fn was_missing(&mut self, object: ObjectHash) {
        if let Some(changed) = self.changed.get_mut(&object) {
            changed.was_there = false;
        }
    }

    /// The bytes that the store holds now, when everything was listed.
    pub(super) fn total_bytes(&self) -> u64 {
        let mut total = i128::from(self.listed_bytes) + self.difference_bytes;
        if !self.changed.is_empty() {
            let listed = self.listed.iter().filter_map(|hash| self.changed.get(hash));
            total -= listed.map(|object| i128::from(object.cost)).sum::<i128>();
        }
        let before = self.changed.values().filter(|object| object.was_there);
        total += before.map(|object| i128::from(object.cost)).sum::<i128>();
        u64::try_from(total.max(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_change_counts_as_it_is_listed() {
        let mut tally = Tally::default();
        tally.list(1, 5_000);
        tally.list(2, 6_000);
        assert_eq!(tally.total_bytes(), 11_000);
    }

    #[test]
    fn what_is_written_meanwhile_counts_once_whether_it_is_listed_or_not() {
        for listed in [false, true] {
            for before_it_is_said in [false, true] {
                let mut tally = Tally::default();
                tally.begin(1, 5_000, false);
                if listed && before_it_is_said {
                    tally.list(1, 5_000);
                }
                tally.written(5_000);
                if listed && !before_it_is_said {
                    tally.list(1, 5_000);
                }
                assert_eq!(tally.total_bytes(), 5_000);
            }
        }
    }

    #[test]
    fn what_is_deleted_meanwhile_does_not_count_whenever_it_was_listed() {
        for listed_at in 0..4 {
            let mut tally = Tally::default();
            for step in 0..3 {
                if listed_at == step {
                    tally.list(1, 5_000);
                }
                match step {
                    0 => tally.begin(1, 5_000, true),
                    1 => tally.deleted(5_000),
                    _ => {}
                }
            }
            assert_eq!(tally.total_bytes(), 0, "listed at {listed_at} of 3");
        }
    }

    #[test]
    fn a_deletion_that_fails_leaves_what_was_there() {
        for listed_first in [false, true] {
            let mut tally = Tally::default();
            if listed_first {
                tally.list(1, 5_000);
            }
            tally.begin(1, 5_000, true);
            assert_eq!(tally.total_bytes(), 5_000);
            tally.was_missing(1);
            assert_eq!(tally.total_bytes(), 0, "somebody else had deleted it");
        }
    }

    #[test]
    fn what_comes_and_goes_meanwhile_leaves_nothing() {
        let mut tally = Tally::default();
        tally.begin(1, 5_000, false);
        tally.written(5_000);
        tally.list(1, 5_000);
        tally.begin(1, 5_000, true);
        tally.deleted(5_000);
        assert_eq!(tally.total_bytes(), 0);
        tally.begin(1, 5_000, false);
        tally.written(5_000);
        assert_eq!(tally.total_bytes(), 5_000);
    }
}
