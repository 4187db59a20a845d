//! Which rows of the list are shown: of one kind, the newest first, a page at a time.

use super::{Focus, Job, Model, Transfer};

/// Which rows are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Files that came.
    Received,
    /// Files that left.
    Shared,
}

impl Filter {
    fn takes(self, job: &Job) -> bool {
        match self {
            Self::All => true,
            Self::Received => matches!(job, Job::Receive { .. }),
            Self::Shared => matches!(job, Job::Share(_)),
        }
    }
}

/// So many rows are shown at first, and so many more each time.
pub(super) const PAGE: usize = 30;

impl Model {
    /// The rows that are shown.
    pub fn listed(&self) -> impl Iterator<Item = &Transfer> {
        // Whatever has not ended is seen.
        let unfinished = (self.of_kind())
            .enumerate()
            .filter(|(_, row)| row.is_unfinished())
            .map(|(at, _)| at + 1)
            .last();
        let rows = self.page.max(unfinished.unwrap_or_default());
        self.of_kind().take(rows)
    }

    /// How many rows of the kind that is shown are not.
    #[must_use]
    pub fn unlisted(&self) -> usize {
        self.of_kind().count() - self.listed().count()
    }

    fn of_kind(&self) -> impl Iterator<Item = &Transfer> {
        let takes = |row: &&Transfer| self.filter.takes(&row.job);
        self.transfers.iter().filter(takes)
    }

    pub(super) fn filter_by(&mut self, filter: Filter) {
        self.filter = filter;
        self.page = PAGE;
    }

    /// A new row is seen, whatever was shown before.
    pub(super) fn show_new(&mut self) {
        let hides = |row: &Transfer| !self.filter.takes(&row.job);
        if self.transfers.first().is_some_and(hides) {
            self.filter_by(Filter::All);
        }
    }

    pub(super) fn show_earlier(&mut self) {
        let shown = self.listed().count();
        self.page = shown + PAGE;
        // The keyboard goes on where the new ones begin.
        let next = self.listed().nth(shown).map(|row| row.id);
        self.focus = next.map(Focus::Row);
    }
}
