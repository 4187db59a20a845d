//! Which rows of the list are shown: what this screen is for before the rest, the newest first, a page at a time.

use super::{Effect, Focus, Model, Screen, Transfer, TransferId, TransferJob, TransferState};

/// Which rows are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Every row.
    #[default]
    All,
    /// Received files.
    Received,
    /// Shared files.
    Shared,
}

impl Filter {
    /// The kind of this row; never [`Filter::All`].
    #[must_use]
    pub(crate) const fn of(row: &Transfer) -> Self {
        match row.job {
            TransferJob::Receive { .. } => Self::Received,
            TransferJob::Share(_) => Self::Shared,
        }
    }

    fn takes(self, job: &TransferJob) -> bool {
        match self {
            Self::All => true,
            Self::Received => matches!(job, TransferJob::Receive { .. }),
            Self::Shared => matches!(job, TransferJob::Share(_)),
        }
    }
}

/// What a person did with the list of transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListAction {
    /// Show these rows.
    Filter(Filter),
    /// Try everything again that failed.
    RetryFailed,
    /// Show more rows.
    ShowEarlier,
}

/// Number of rows of each kind that are shown at first, and added each time more are asked for.
pub(super) const PAGE: usize = 30;

impl Model {
    pub(super) fn on_list(&mut self, action: ListAction) -> Vec<Effect> {
        match action {
            ListAction::Filter(filter) => self.filter_by(filter),
            ListAction::RetryFailed => {
                return self.retry(|row| matches!(row.state, TransferState::Failed(_)));
            }
            ListAction::ShowEarlier => self.show_earlier(),
        }
        Vec::new()
    }

    /// The rows that are shown.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Transfer> {
        let [first, then] = self.kinds();
        self.listed_of(first).chain(self.listed_of(then))
    }

    /// Number of rows that pass the filter but are beyond the shown pages.
    #[must_use]
    pub(crate) fn unlisted(&self) -> usize {
        let [first, then] = self.kinds();
        self.of_kind(first).chain(self.of_kind(then)).count() - self.listed().count()
    }

    /// The kinds of rows in the order of this screen: Share lists shared files first, Receive received ones.
    const fn kinds(&self) -> [Filter; 2] {
        match self.screen {
            Screen::Receive => [Filter::Received, Filter::Shared],
            Screen::Share | Screen::Settings => [Filter::Shared, Filter::Received],
            #[cfg(feature = "testing")]
            Screen::Gallery => [Filter::Shared, Filter::Received],
        }
    }

    fn listed_of(&self, kind: Filter) -> impl Iterator<Item = &Transfer> {
        // Whatever has not ended is seen.
        let unfinished = (self.of_kind(kind))
            .enumerate()
            .filter(|(_, row)| row.is_unfinished())
            .map(|(at, _)| at + 1)
            .last();
        let rows = self.page.max(unfinished.unwrap_or_default());
        self.of_kind(kind).take(rows)
    }

    /// The rows of this kind, unless they are filtered out.
    fn of_kind(&self, kind: Filter) -> impl Iterator<Item = &Transfer> {
        let takes = move |row: &&Transfer| kind.takes(&row.job) && self.filter.takes(&row.job);
        self.transfers.iter().filter(takes)
    }

    fn filter_by(&mut self, filter: Filter) {
        self.filter = filter;
        self.page = PAGE;
    }

    /// Whether a filter would hide rows, or hides some now.
    #[must_use]
    pub(crate) fn can_be_filtered(&self) -> bool {
        let has = |kind: Filter| self.transfers.iter().any(|row| kind.takes(&row.job));
        self.filter != Filter::All || (has(Filter::Shared) && has(Filter::Received))
    }

    /// Resets the filter so that a new row is visible.
    pub(super) fn show_new(&mut self) {
        let hides = |row: &Transfer| !self.filter.takes(&row.job);
        if self.transfers.first().is_some_and(hides) {
            self.filter_by(Filter::All);
        }
    }

    fn show_earlier(&mut self) {
        let before: Vec<TransferId> = self.listed().map(|row| row.id).collect();
        let shown = self.kinds().map(|kind| self.listed_of(kind).count());
        self.page = shown.into_iter().max().unwrap_or_default() + PAGE;
        // The keyboard goes on where the new ones begin.
        let next = (self.listed())
            .map(|row| row.id)
            .find(|row| !before.contains(row));
        self.focus = next.map(Focus::Row);
    }
}
