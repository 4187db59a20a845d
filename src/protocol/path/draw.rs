//! Drawing a path: a guard in its turn, a middle and a last anew, and as few rules yielding as can be.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::guards::Sample;
use super::memory::RelayMemory;
use super::rules::{Candidacy, PathRules, makes_a_path};
use super::{
    Allowance, DrawError, Hops, Level, MAX_NEW_GUARDS, NoPath, Place, RejectReason, Rejection,
    Relaxed, RelayPath, SHORT_LIST, SHORTEST_LIST,
};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{RelayDescriptor, RelayList};

/// What a path is drawn for.
#[derive(Clone, Copy)]
pub struct Drawing<'a> {
    /// The relays there are.
    pub list: &'a RelayList,
    /// The server's host, which the last relay must serve.
    pub host: &'a str,
    /// What the person allows for this list.
    pub allow: Allowance,
    /// Whether a connection to a guard came about in this transfer: the network here lets relays be reached.
    pub reached: bool,
    /// Relays to which a failure of this transfer was traced.
    pub failed: &'a [Ed25519Public],
    /// Guards of this transfer's failed tries, one entry for each try.
    pub guards_tried: &'a [Ed25519Public],
    /// Relays that were middle or last in this transfer's failed tries.
    pub tried: &'a [Ed25519Public],
    /// A path that this one should differ from: by its last relay where another one follows the rules, else by its
    /// middle.
    pub unlike: Option<Hops>,
    /// Of requests that run side by side: the place, among the guards in use, of the one whose turn it is at the first try.
    /// Else that is drawn.
    pub turn: Option<usize>,
}

/// A path, and the rules that it does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnPath {
    /// The relays.
    pub path: RelayPath,
    /// Each once, sorted.
    pub relaxed: Vec<Relaxed>,
}

impl<'a> Drawing<'a> {
    /// For the first try of a transfer.
    #[must_use]
    pub const fn first(list: &'a RelayList, host: &'a str, allow: Allowance) -> Self {
        Self {
            list,
            host,
            allow,
            reached: false,
            failed: &[],
            guards_tried: &[],
            tried: &[],
            unlike: None,
            turn: None,
        }
    }

    /// Draws a path.
    ///
    /// # Errors
    /// [`DrawError`].
    pub fn draw(
        &self,
        memory: &mut RelayMemory,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<DrawnPath, DrawError> {
        memory.tidy(self.list, now);
        let is_first = memory.secret.is_none();
        memory.secret.get_or_insert_with(|| {
            let mut secret = [0; 32];
            rng.fill_bytes(&mut secret);
            secret
        });
        let sample = memory.sample(self.list, now);
        memory.note_sample(&sample, is_first, now);
        let share = self.allow.share.then(|| {
            if makes_a_path(self.list, self.host) {
                Level::Share
            } else {
                Level::Strict
            }
        });
        let rules = PathRules {
            drawing: self,
            memory,
            sample: &sample,
            now,
            share_at: share,
        };
        Draw {
            rules,
            ready: self.ready(memory, &sample, now, rng),
        }
        .draw(rng)
    }

    /// The guards in use that neither yield nor were tried twice, in their turn: the one of the last try goes on for one
    /// retry.
    fn ready(
        &self,
        memory: &RelayMemory,
        sample: &Sample,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Vec<Ed25519Public> {
        let mut in_use = memory.in_use(sample, self.list, now);
        let turn = match self.turn {
            Some(turn) => turn % 2,
            None => index_below(2, rng).unwrap_or(0),
        };
        if turn == 1 {
            in_use.reverse();
        }
        in_use.retain(|key| !memory.yields(key, now) && self.tries_over(key) < TRIED_TWICE);
        in_use.sort_by_key(|key| self.tries_over(key) == 0);
        in_use
    }

    /// Number of this transfer's failed tries over a guard.
    fn tries_over(&self, guard: &Ed25519Public) -> usize {
        let tried = self.guards_tried.iter();
        tried.filter(|tried| *tried == guard).count()
    }
}

/// A relay, and what yields for it.
type Candidate<'a> = (&'a RelayDescriptor, Vec<RejectReason>);

/// In which order guards are asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// In use, and tried once at most in this transfer.
    Ready,
    /// Asked as a guard before, or tried twice now.
    Known,
    /// Never asked as a guard.
    New,
    /// Does not answer at the moment.
    Yielding,
}

/// One path being drawn.
struct Draw<'a> {
    rules: PathRules<'a>,
    /// The guards that are asked first.
    ready: Vec<Ed25519Public>,
}

impl<'a> Draw<'a> {
    fn draw(&self, rng: &mut impl CryptoRng) -> Result<DrawnPath, DrawError> {
        let mut refused = None;
        let first = if self.is_pressed() {
            Level::FormerLast
        } else {
            Level::Strict
        };
        for level in Level::ALL.into_iter().filter(|level| *level >= first) {
            let guards = self.guards(level);
            if level == Level::Failed
                && guards.iter().all(|(_, reasons)| !reasons.is_empty())
                && self.is_blocked()
            {
                return Err(DrawError::Blocked);
            }
            for (guard, reasons) in guards.into_iter().take(MAX_LOOKS) {
                match self.complete((guard, reasons), level, rng) {
                    Ok(drawn) => return Ok(drawn),
                    Err(why) => refused = refused.or(Some(why)),
                }
            }
        }
        Err(refused
            .unwrap_or_else(|| self.no_path(Place::Guard, &[]))
            .into())
    }

    /// Whether two tries failed on one of the shortest lists, or three on a short one, where the culprit may be the one
    /// relay that every strict path needs: who was tried least comes first then, as far as rules may yield.
    const fn is_pressed(&self) -> bool {
        let Drawing {
            list, guards_tried, ..
        } = self.rules.drawing;
        match list.relays.len() {
            0..=SHORTEST_LIST => guards_tried.len() >= TRIED_TWICE,
            len => len <= SHORT_LIST && guards_tried.len() > TRIED_TWICE,
        }
    }

    /// Whether as many guards were tried in this transfer as may be new in a day, none could be reached, and no new one may
    /// be asked. With fewer it can be chance that those in use are down; silence can be the doing of who stands behind one.
    fn is_blocked(&self) -> bool {
        let Drawing {
            list,
            reached,
            guards_tried,
            ..
        } = self.rules.drawing;
        let tried: BTreeSet<_> = guards_tried.iter().collect();
        let is_cut_off = tried.len() >= MAX_NEW_GUARDS && !reached;
        is_cut_off && !self.rules.may_ask_new() && list.relays.len() > SHORT_LIST
    }

    /// Who may be guard at this level, in the order in which they are asked: those in use, others that were asked
    /// before or tried twice now, new ones where there is no other, and those that yield.
    fn guards(&self, level: Level) -> Vec<Candidate<'a>> {
        let PathRules {
            memory,
            sample,
            drawing,
            now,
            ..
        } = self.rules;
        let (able, _) = self.candidates(Place::Guard, &[], level);
        let order = |(relay, reasons): &Candidate<'a>| {
            let key = &relay.key;
            let of = |keys: &[Ed25519Public]| keys.iter().position(|other| other == key);
            let ready = of(&self.ready);
            let rank = if ready.is_some() {
                Rank::Ready
            } else if memory.yields(key, now) {
                Rank::Yielding
            } else if memory.is_new_guard(key, now) {
                Rank::New
            } else {
                Rank::Known
            };
            let outside = || of(&sample.outside).map(|at| at + sample.members.len());
            let place = ready.or_else(|| of(&sample.members)).or_else(outside);
            let tries = match rank {
                Rank::Ready => 0,
                _ => drawing.tries_over(key),
            };
            let level = self.level_of(reasons, Place::Guard);
            (rank, level, tries, place)
        };
        let mut able: Vec<_> = able.into_iter().map(|one| (order(&one), one)).collect();
        able.sort_by_key(|(order, _)| *order);
        // A new guard is one more relay that sees the client.
        let has_other = able.iter().any(|((rank, ..), _)| *rank < Rank::New);
        if has_other && level < Level::NotAGuard {
            able.retain(|((rank, ..), _)| *rank != Rank::New);
        }
        able.into_iter().map(|(_, one)| one).collect()
    }

    /// Draws last and middle for this guard.
    fn complete(
        &self,
        (guard, reasons): Candidate<'a>,
        level: Level,
        rng: &mut impl CryptoRng,
    ) -> Result<DrawnPath, NoPath> {
        let avoid = self.rules.drawing.unlike;
        let (mut lasts, rejected) = self.candidates(Place::Last, &[guard], level);
        let mut no_path = NoPath {
            place: Place::Last,
            rejected,
        };
        for _ in 0..MAX_LOOKS {
            let avoided = avoid.map(|hops| hops.last);
            let Some((last, of_last)) = self.take_one(&mut lasts, Place::Last, avoided, rng) else {
                break;
            };
            let (mut middles, rejected) = self.candidates(Place::Middle, &[guard, last], level);
            let avoided = avoid.filter(|hops| hops.last == last.key);
            let avoided = avoided.map(|hops| hops.middle);
            let Some((middle, of_middle)) =
                self.take_one(&mut middles, Place::Middle, avoided, rng)
            else {
                no_path = NoPath {
                    place: Place::Middle,
                    rejected,
                };
                continue;
            };
            let places = [
                (Place::Guard, reasons),
                (Place::Middle, of_middle),
                (Place::Last, of_last),
            ];
            let relaxed = self.relaxed(guard, &places);
            let path = RelayPath {
                guard: guard.clone(),
                middle: middle.clone(),
                last: last.clone(),
            };
            return Ok(DrawnPath { path, relaxed });
        }
        Err(no_path)
    }

    /// What is disclosed of a path, each once, sorted.
    fn relaxed(
        &self,
        guard: &RelayDescriptor,
        places: &[(Place, Vec<RejectReason>)],
    ) -> Vec<Relaxed> {
        let yielded = places.iter().flat_map(|(place, reasons)| {
            let reasons = reasons.iter();
            reasons.filter_map(|reason| reason.relaxed(*place))
        });
        // A guard that is kept stays one where it was allowed to stand elsewhere; that is disclosed each time.
        let PathRules { memory, now, .. } = self.rules;
        let has_stood = memory.has_stood_lately(&guard.key, now);
        let has_stood = has_stood.then_some(Relaxed::GuardStoodElsewhere);
        let mut relaxed: Vec<_> = yielded.chain(has_stood).collect();
        relaxed.sort_unstable();
        relaxed.dedup();
        relaxed
    }

    /// The relays that may stand there at this level, each with what yields for it, and those that may not.
    fn candidates(
        &self,
        place: Place,
        beside: &[&RelayDescriptor],
        level: Level,
    ) -> (Vec<Candidate<'a>>, Vec<Rejection>) {
        let (mut able, mut rejected) = (Vec::new(), Vec::new());
        for relay in &self.rules.drawing.list.relays {
            let reasons = self.rules.verdict(&Candidacy {
                relay,
                place,
                beside,
            });
            if self
                .level_of(&reasons, place)
                .is_some_and(|needed| needed <= level)
            {
                able.push((relay, reasons));
            } else {
                let relay = relay.key;
                rejected.push(Rejection { relay, reasons });
            }
        }
        (able, rejected)
    }

    /// The first level at which none of these reasons is an obstacle; `None` when one always is.
    fn level_of(&self, reasons: &[RejectReason], place: Place) -> Option<Level> {
        reasons.iter().try_fold(Level::Strict, |most, reason| {
            Some(most.max(reason.yields_at(place, &self.rules)?))
        })
    }

    /// Takes one for whom least yields, among them one that was not tried in this transfer, by the odds.
    fn take_one(
        &self,
        candidates: &mut Vec<Candidate<'a>>,
        place: Place,
        avoided: Option<Ed25519Public>,
        rng: &mut impl CryptoRng,
    ) -> Option<Candidate<'a>> {
        let PathRules {
            memory,
            drawing,
            now,
            ..
        } = self.rules;
        let rank = |(relay, reasons): &Candidate<'a>| {
            let tried = drawing
                .tried
                .iter()
                .filter(|tried| **tried == relay.key)
                .count();
            let avoided = avoided == Some(relay.key);
            let level = self.level_of(reasons, place);
            let tried = tried + usize::from(avoided);
            if self.is_pressed() {
                (tried, level, 0)
            } else {
                (0, level, tried)
            }
        };
        let best = candidates.iter().map(rank).min()?;
        let weight = |one: &Candidate<'a>| match rank(one) == best {
            true => 1 + usize::from(memory.worked_lately(&one.0.key, now)),
            false => 0,
        };
        let mut drawn = index_below(candidates.iter().map(weight).sum(), rng)?;
        let at = candidates.iter().map(weight).position(|weight| {
            let is_here = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            is_here
        })?;
        Some(candidates.swap_remove(at))
    }

    fn no_path(&self, place: Place, beside: &[&RelayDescriptor]) -> NoPath {
        let (_, rejected) = self.candidates(place, beside, Level::Strict);
        NoPath { place, rejected }
    }
}

/// An index below `count`, each equally likely; `None` when there is none.
fn index_below(count: usize, rng: &mut impl CryptoRng) -> Option<usize> {
    let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
    // Draws above the largest multiple of `count` are drawn again, so that none is likelier.
    let limit = u32::MAX - u32::MAX % count;
    loop {
        let drawn = rng.next_u32();
        if drawn < limit {
            return usize::try_from(drawn % count).ok();
        }
    }
}

/// So many tries of one transfer are enough over one guard, and make rules yield on the shortest lists.
const TRIED_TWICE: usize = 2;
/// How many relays are looked at for one place: on a list where so many make no path, the next does not either.
const MAX_LOOKS: usize = 16;
