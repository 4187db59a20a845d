//! Several things that came together: they are shared as one, or one by one. The person is asked, and may have that kept.

use super::{Announced, Effect, Focus, FoundPath, Model};
use crate::app::settings::{Change, SeveralThings};

/// Things that came together, and that the person is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together(pub Vec<FoundPath>);

impl Together {
    /// What they would be called as one.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        joined_name(self.0.iter().map(|found| found.name.as_str()))
    }
}

/// The name of several things that are shared as one: that of each of two, and of the first two of more.
pub(crate) fn joined_name<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.peekable();
    let mut joined = names.next().unwrap_or_default().to_owned();
    if let Some(second) = names.next() {
        joined = format!("{joined}, {second}");
    }
    if names.peek().is_some() {
        joined.push_str(", …");
    }
    joined
}

impl Model {
    /// What of `things` is shared as one. Where the person wants to be asked, nothing is shared yet.
    pub(super) fn as_parcels(
        &mut self,
        things: Vec<FoundPath>,
        how: SeveralThings,
    ) -> Vec<Vec<FoundPath>> {
        if things.len() < 2 {
            return if things.is_empty() {
                Vec::new()
            } else {
                vec![things]
            };
        }
        match how {
            SeveralThings::Ask => {
                self.together.push(Together(things));
                Vec::new()
            }
            SeveralThings::AsOne => vec![things],
            SeveralThings::OneEach => things.into_iter().map(|found| vec![found]).collect(),
        }
    }

    /// Brings up the question about things that came together, if there is one.
    pub(super) fn ask_together(&mut self) {
        if let Some(together) = self.together.first() {
            let what = Announced::AsksTogether(together.0.len());
            self.announce(false, what);
            self.focus = Some(Focus::Together);
        }
    }

    /// Shares things that came together, as one or one by one, and keeps that where the person wants it.
    pub(super) fn share_together(&mut self, how: SeveralThings) -> Vec<Effect> {
        let Some(Together(things)) = self.next_together() else {
            return Vec::new();
        };
        let mut effects = self.enqueue_as(things, how);
        if std::mem::take(&mut self.keep_together) {
            effects.extend(self.change(Change::SeveralThings(how)));
            // The answer is one for those that wait, too.
            while let Some(Together(things)) = self.next_together() {
                effects.extend(self.enqueue_as(things, how));
            }
        } else {
            self.ask_together();
        }
        effects
    }

    /// Shares nothing of things that came together.
    pub(super) fn leave_together(&mut self) {
        self.next_together();
        self.keep_together = false;
        self.focus = Some(self.home());
        self.ask_together();
    }

    fn next_together(&mut self) -> Option<Together> {
        (!self.together.is_empty()).then(|| self.together.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_things_are_called_by_the_first_two() {
        let name = |names: &[&str]| joined_name(names.iter().copied());
        assert_eq!(name(&["a"]), "a");
        assert_eq!(name(&["a", "b"]), "a, b");
        assert_eq!(name(&["a", "b", "c", "d"]), "a, b, …");
    }
}
