//! A word that is replaced now and then; the ones before it go on for seven days.

use super::register::DAY_SECS;

/// A word, and those that it replaced.
#[derive(Clone)]
pub(super) struct RenewedWord<W> {
    pub(super) current: W,
    /// Earlier words, and when each ends (unix seconds).
    pub(super) old: Vec<(W, u64)>,
}

impl<W: PartialEq> RenewedWord<W> {
    pub(super) const fn new(current: W) -> Self {
        Self {
            current,
            old: Vec::new(),
        }
    }

    /// Whether `word` is good at `now` (unix seconds). Compares with all words, so that the time it takes does not tell which
    /// one is nearest.
    pub(super) fn accepts(&self, word: &W, now: u64) -> bool {
        let old = self.old.iter();
        old.filter(|(_, ends)| now < *ends)
            .map(|(old, _)| old == word)
            .fold(self.current == *word, |accepted, same| accepted | same)
    }

    /// Puts another word in its place at `now` (unix seconds). Those before it end after seven days at the latest.
    pub(super) fn renew(&mut self, next: W, now: u64) {
        let ends = now.saturating_add(OLD_WORDS_SECS);
        // A word whose end lies later was ended by a clock that was ahead.
        for (_, earlier) in &mut self.old {
            *earlier = ends.min(*earlier);
        }
        self.old.retain(|(_, earlier)| now < *earlier);
        if self.old.len() >= MAX_OLD_WORDS {
            self.old.remove(0);
        }
        let old = core::mem::replace(&mut self.current, next);
        self.old.push((old, ends));
    }
}

/// How long an old word is still good: 7 days.
const OLD_WORDS_SECS: u64 = 7 * DAY_SECS;
const MAX_OLD_WORDS: usize = 4;
