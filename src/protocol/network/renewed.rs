//! A word that is replaced now and then; the ones before it go on for seven days.

use std::collections::BTreeMap;

use super::register::DAY_SECS;

/// A word, and those that it replaced.
#[derive(Clone)]
pub(super) struct RenewedWord<W> {
    pub(super) current: W,
    /// When the current word was drawn, in unix seconds; 0 for one that comes from the settings. A word that replaces
    /// another is dated later than it, also when the clock was set back.
    pub(super) drawn: u64,
    /// Earlier words, the oldest first.
    pub(super) old: Vec<OldWord<W>>,
}

/// A word that was replaced.
#[derive(Clone)]
pub(super) struct OldWord<W> {
    pub(super) word: W,
    /// When it was drawn, in unix seconds.
    pub(super) drawn: u64,
    /// When it ends, in unix seconds.
    pub(super) ends: u64,
}

impl<W: PartialEq> RenewedWord<W> {
    pub(super) const fn new(current: W, drawn: u64) -> Self {
        Self {
            current,
            drawn,
            old: Vec::new(),
        }
    }

    /// Whether `word` is good at `now` (unix seconds). Compares with all words, so that the time it takes does not tell which
    /// one is nearest.
    pub(super) fn accepts(&self, word: &W, now: u64) -> bool {
        let old = self.old.iter();
        old.filter(|old| now < old.ends)
            .map(|old| old.word == *word)
            .fold(self.current == *word, |accepted, same| accepted | same)
    }

    /// Puts another word in its place at `now` (unix seconds). Those before it end after seven days at the latest.
    pub(super) fn renew(&mut self, next: W, now: u64) {
        let ends = now.saturating_add(OLD_WORDS_SECS);
        // A word whose end lies later was ended by a clock that was ahead.
        for old in &mut self.old {
            old.ends = ends.min(old.ends);
        }
        self.old.retain(|old| now < old.ends);
        if self.old.len() >= MAX_OLD_WORDS {
            self.old.remove(0);
        }
        let word = core::mem::replace(&mut self.current, next);
        let drawn = self.drawn;
        self.drawn = now.max(drawn.saturating_add(1));
        self.old.push(OldWord { word, drawn, ends });
    }

    /// Joins the words of two servers of one network: the word that was drawn last is the current one, all others are old.
    /// Each of these ends when the first of the two servers says, and seven days after the next word was drawn at the latest.
    /// `name` gives each word the text by which two that were drawn in one second are told apart.
    pub(super) fn merge(&mut self, other: &Self, name: impl Fn(&W) -> String)
    where
        W: Clone,
    {
        let mut words = BTreeMap::<(u64, String), (W, u64)>::new();
        for words_of in [&*self, other] {
            let current = (&words_of.current, words_of.drawn, u64::MAX);
            let old = words_of.old.iter();
            let old = old.map(|old| (&old.word, old.drawn, old.ends));
            for (word, drawn, ends) in old.chain([current]) {
                let known = words.entry((drawn, name(word)));
                let known = known.or_insert_with(|| (word.clone(), ends));
                known.1 = known.1.min(ends);
            }
        }
        let Some(((drawn, _), (current, _))) = words.pop_last() else {
            return;
        };
        let mut old: Vec<OldWord<W>> = Vec::new();
        let mut next_drawn = drawn;
        for ((drawn, _), (word, ends)) in words.into_iter().rev().take(MAX_OLD_WORDS) {
            let ends = ends.min(next_drawn.saturating_add(OLD_WORDS_SECS));
            next_drawn = drawn;
            old.push(OldWord { word, drawn, ends });
        }
        old.reverse();
        *self = Self {
            current,
            drawn,
            old,
        };
    }
}

/// How long an old word is still good: 7 days.
const OLD_WORDS_SECS: u64 = 7 * DAY_SECS;
const MAX_OLD_WORDS: usize = 4;
