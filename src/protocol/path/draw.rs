//! Drawing a path: the guard that is kept, a middle and a last anew, and which rules had to yield.

use rand_core::CryptoRng;

use super::memory::RelayMemory;
use super::{
    Allowance, DrawError, Hops, NoPath, Place, RejectReason, Rejection, Relaxed, RelayPath, rules,
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
    /// Something came back in this transfer: the network here lets relays be reached.
    pub answered: bool,
    /// Relays to which a failure of this transfer was traced.
    pub failed: &'a [Ed25519Public],
    /// Guards of this transfer's failed tries, one entry for each try.
    pub guards_tried: &'a [Ed25519Public],
    /// Relays that were middle or last in this transfer's failed tries.
    pub tried: &'a [Ed25519Public],
    /// A path that this one should differ from: by its last relay where another one follows the rules, else by its
    /// middle.
    pub unlike: Option<Hops>,
}

/// A path, and the rules that it does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnPath {
    /// The relays.
    pub path: RelayPath,
    /// Each once, sorted.
    pub relaxed: Vec<Relaxed>,
}

/// Which rules yield.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Relays set aside and kept back are taken.
    aside: bool,
    /// A new guard is drawn although one is there.
    fresh: bool,
    /// Guards that were dropped or had served their time return.
    back: bool,
    former_middle: bool,
    former_last: bool,
    share: bool,
    /// Relays that failed in this transfer are taken.
    failed: bool,
}

impl<'a> Drawing<'a> {
    /// For the first try of a transfer.
    #[must_use]
    pub const fn first(list: &'a RelayList, host: &'a str, allow: Allowance) -> Self {
        Self {
            list,
            host,
            allow,
            answered: false,
            failed: &[],
            guards_tried: &[],
            tried: &[],
            unlike: None,
        }
    }

    /// Lets guards go whose time is over, and draws those that are missing.
    fn settle(&self, memory: &mut RelayMemory, now: u64, rng: &mut impl CryptoRng) -> Level {
        memory.tidy(self.list, now);
        memory.rotate(self.list, self.allow.former_guards, now);
        // A list whose relays all share something is too small for that rule, whatever else happens.
        let strict = Level {
            share: self.allow.share && !rules::makes_a_path(self.list, self.host),
            ..Level::default()
        };
        self.fill(memory, strict, now, rng);
        memory.keep_back(self.list, now, rng);
        strict
    }

    /// Draws a path, and guards as far as they are missing.
    ///
    /// # Errors
    /// [`DrawError`].
    pub fn draw(
        &self,
        memory: &mut RelayMemory,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<DrawnPath, DrawError> {
        let strict = self.settle(memory, now, rng);
        let mut refused = None;
        for level in self.levels(strict) {
            let guards = self.guards(memory, level, now, rng);
            if guards.is_empty()
                && !self.answered
                && level.fresh
                && !level.back
                && self.list.relays.len() > SHORT_LIST
                && memory.new_guards_left(now) == 0
                && !memory
                    .fresh_guards(self.list, self.allow.former_guards, now, rng)
                    .is_empty()
            {
                return Err(DrawError::Blocked);
            }
            if guards.is_empty() {
                refused = Some(self.no_guard(memory, now));
            }
            for (at, key) in guards.iter().enumerate() {
                let Some(guard) = self.list.find(key) else {
                    continue;
                };
                match self.complete(memory, guard, level, now, rng) {
                    Ok(drawn) => {
                        memory.make_guard(*key, now);
                        return Ok(drawn);
                    }
                    Err(why) if at == 0 => refused = Some(why),
                    Err(_) => {}
                }
            }
        }
        Err(refused.unwrap_or_else(|| self.no_guard(memory, now)).into())
    }

    /// Rules yield in this order, each level keeping what those before it gave up.
    fn levels(&self, strict: Level) -> impl Iterator<Item = Level> {
        let aside = Level {
            aside: true,
            ..strict
        };
        let fresh = Level {
            fresh: true,
            ..aside
        };
        let back = Level {
            back: true,
            ..fresh
        };
        let former_middle = Level {
            former_middle: self.allow.former_guards,
            ..back
        };
        let former_last = Level {
            former_last: self.allow.former_guards,
            ..former_middle
        };
        let share = Level {
            share: self.allow.share,
            ..former_last
        };
        let failed = Level {
            failed: true,
            ..share
        };
        // On a short list the culprit of two failures may be the one relay that every strict path needs.
        let shaken = self.is_shaken().then_some(Level {
            fresh: false,
            ..former_last
        });
        shaken.into_iter().chain([
            strict,
            aside,
            fresh,
            back,
            former_middle,
            former_last,
            share,
            failed,
        ])
    }

    /// Whether two tries failed on a short list: who was tried least is preferred over who breaks no rule then, as far
    /// as rules may yield.
    const fn is_shaken(&self) -> bool {
        self.guards_tried.len() >= 2 && self.list.relays.len() <= SHORT_LIST
    }

    fn tries_as_guard(&self, key: &Ed25519Public) -> usize {
        self.guards_tried
            .iter()
            .filter(|tried| *tried == key)
            .count()
    }

    /// Draws the guards that are missing, as long as every guard in use can still make a path.
    fn fill(&self, memory: &mut RelayMemory, level: Level, now: u64, rng: &mut impl CryptoRng) {
        while memory.new_guards_left(now) > 0
            && memory.guards_in_use(self.list, now).len() < memory.wanted(self.list, now)
        {
            let fresh = memory.fresh_guards(self.list, self.allow.former_guards, now, rng);
            let grown = fresh.into_iter().take(GUARD_LOOKS).find_map(|key| {
                let mut grown = memory.clone();
                grown.make_guard(key, now);
                let in_use = grown.guards_in_use(self.list, now);
                in_use
                    .iter()
                    .filter_map(|key| self.list.find(key))
                    .all(|guard| self.complete(&grown, guard, level, now, rng).is_ok())
                    .then_some(grown)
            });
            match grown {
                Some(grown) => *memory = grown,
                None => return,
            }
        }
    }

    /// The guards to ask, in order.
    fn guards(
        &self,
        memory: &RelayMemory,
        level: Level,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Vec<Ed25519Public> {
        let may = |key: &Ed25519Public| {
            self.list.find(key).is_some() && (level.failed || !self.failed.contains(key))
        };
        let mut in_use = memory.guards_in_use(self.list, now);
        let mut shuffled = Vec::with_capacity(in_use.len());
        while let Some(key) = rules::take_one(&mut in_use, rng) {
            shuffled.push(key);
        }
        // The guard of the last try goes on for one retry, then the other has its turn.
        shuffled.sort_by_key(|key| match self.tries_as_guard(key) {
            1 => 0,
            0 => 1,
            many => many,
        });
        let others = memory.guards.iter().map(|guard| guard.relay);
        let unbarred = memory.former.iter().map(|former| former.relay);
        let mut known = shuffled;
        for key in others.chain(unbarred) {
            if memory.against_guard(&key, now).is_none() && !known.contains(&key) {
                known.push(key);
            }
        }
        known.retain(may);
        let yields = |key: &Ed25519Public| {
            memory
                .guard(key)
                .is_some_and(|guard| now < guard.yields_until)
        };
        let (yielding, mut order): (Vec<_>, Vec<_>) = known.into_iter().partition(yields);
        let spent = self.is_shaken() && order.iter().all(|key| self.tries_as_guard(key) >= 2);
        if (order.is_empty() || level.fresh || spent) && memory.new_guards_left(now) > 0 {
            let fresh = memory.fresh_guards(self.list, self.allow.former_guards, now, rng);
            order.extend(fresh.into_iter().filter(may).take(GUARD_LOOKS));
        }
        order.extend(yielding);
        if level.aside {
            let struck = memory.guards.iter().map(|guard| guard.relay);
            order.extend(
                struck
                    .filter(|key| memory.struck_until(key, now).is_some())
                    .filter(may),
            );
        }
        if level.back {
            let barred = memory.former.iter().map(|former| former.relay);
            order.extend(barred.filter(|key| memory.is_barred(key, now)).filter(may));
        }
        order
    }

    /// Draws last and middle for this guard.
    fn complete(
        &self,
        memory: &RelayMemory,
        guard: &RelayDescriptor,
        level: Level,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<DrawnPath, NoPath> {
        let candidates = |place, taken: &[&RelayDescriptor]| {
            self.candidates(memory, guard, place, taken, level, now)
        };
        let (lasts, rejected) = candidates(Place::Last, &[guard]);
        let mut no_path = NoPath {
            place: Place::Last,
            rejected,
        };
        let other_last = self.unlike.map(|hops| hops.last);
        let mut lasts = self.by_preference(memory, lasts, other_last, now);
        while let Some((last, last_relaxed)) = next(&mut lasts, memory, now, rng) {
            let (middles, rejected) = candidates(Place::Middle, &[guard, last]);
            let same_last = self.unlike.filter(|hops| hops.last == last.key);
            let other_middle = same_last.map(|hops| hops.middle);
            let mut middles = self.by_preference(memory, middles, other_middle, now);
            let Some((middle, middle_relaxed)) = next(&mut middles, memory, now, rng) else {
                no_path = NoPath {
                    place: Place::Middle,
                    rejected,
                };
                continue;
            };
            let mut relaxed = [last_relaxed, middle_relaxed].concat();
            relaxed.extend(self.guard_relaxed(memory, guard, now));
            relaxed.sort_unstable();
            relaxed.dedup();
            return Ok(DrawnPath {
                path: RelayPath {
                    guard: guard.clone(),
                    middle: middle.clone(),
                    last: last.clone(),
                },
                relaxed,
            });
        }
        Err(no_path)
    }

    fn guard_relaxed(
        &self,
        memory: &RelayMemory,
        guard: &RelayDescriptor,
        now: u64,
    ) -> impl Iterator<Item = Relaxed> {
        [
            (memory.is_barred(&guard.key, now), Relaxed::GuardReturned),
            (
                memory.stood_lately(&guard.key, now),
                Relaxed::GuardStoodElsewhere,
            ),
            (
                memory.struck_until(&guard.key, now).is_some() || self.failed.contains(&guard.key),
                Relaxed::SetAside,
            ),
        ]
        .into_iter()
        .filter_map(|(holds, relaxed)| holds.then_some(relaxed))
    }

    /// Relays that may stand at `place`, with the rules that yield for each, and the relays that may not.
    fn candidates<'b>(
        &'b self,
        memory: &RelayMemory,
        guard: &RelayDescriptor,
        place: Place,
        taken: &[&RelayDescriptor],
        level: Level,
        now: u64,
    ) -> (Vec<Candidate<'b>>, Vec<Rejection>) {
        let mut candidates = Vec::new();
        let mut rejected = Vec::new();
        for relay in &self.list.relays {
            match self.verdict(memory, guard, relay, place, taken, level, now) {
                Ok(relaxed) => candidates.push((relay, relaxed)),
                Err(reason) => rejected.push(Rejection {
                    relay: relay.key,
                    reason,
                }),
            }
        }
        (candidates, rejected)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one question about one relay, asked in one place"
    )]
    fn verdict(
        &self,
        memory: &RelayMemory,
        guard: &RelayDescriptor,
        relay: &RelayDescriptor,
        place: Place,
        taken: &[&RelayDescriptor],
        level: Level,
        now: u64,
    ) -> Result<Vec<Relaxed>, RejectReason> {
        let key = &relay.key;
        let mut relaxed = Vec::new();
        // These never yield: one relay at two places would see both ends, and the last one must reach the server.
        if guard.key == *key {
            return Err(RejectReason::IsGuard);
        }
        if taken.iter().any(|other| other.key == *key) {
            return Err(RejectReason::OnThisPath);
        }
        if place == Place::Last && !relay.serves.includes(self.host) {
            return Err(RejectReason::NotServing);
        }
        let mut yields = |rule: Relaxed, reason: RejectReason, allowed: bool| {
            relaxed.push(rule);
            if allowed { Ok(()) } else { Err(reason) }
        };
        // A guard has seen this client's address: it must not see where requests end as well.
        if memory.is_or_was_guard(key, now) {
            match place {
                Place::Last => yields(
                    Relaxed::GuardIsLast,
                    RejectReason::IsGuard,
                    level.former_last,
                )?,
                _ => yields(
                    Relaxed::GuardIsMiddle,
                    RejectReason::IsGuard,
                    level.former_middle,
                )?,
            }
        }
        if self.failed.contains(key) {
            yields(Relaxed::SetAside, RejectReason::Failed, level.failed)?;
        }
        if memory.struck_until(key, now).is_some() || memory.is_aside_on(&guard.key, key, now) {
            yields(Relaxed::SetAside, RejectReason::SetAside, level.aside)?;
        }
        if memory.reserve.contains(key) && !level.aside {
            return Err(RejectReason::KeptBack);
        }
        for other in taken {
            match rules::shared(other, relay) {
                Some(RejectReason::SameNetwork) => {
                    yields(Relaxed::SameNetwork, RejectReason::SameNetwork, level.share)?;
                }
                Some(reason) => yields(Relaxed::SameOperator, reason, level.share)?,
                None => {}
            }
        }
        Ok(relaxed)
    }

    /// Candidates in groups, the preferred ones first: those for whom no rule yields; among them those that were not
    /// tried in this transfer and are not `avoided`; on a retry, among them those that worked within the hour. On a short
    /// list that was tried twice, those that were tried least.
    fn by_preference<'b>(
        &self,
        memory: &RelayMemory,
        candidates: Vec<Candidate<'b>>,
        avoided: Option<Ed25519Public>,
        now: u64,
    ) -> [Vec<Candidate<'b>>; 4] {
        let mut groups: [Vec<_>; 4] = Default::default();
        let retry = !self.guards_tried.is_empty();
        for (relay, relaxed) in candidates {
            // Sharing is a matter of the list, not of the relay.
            let [first, second, third, fourth] = &mut groups;
            let yields = relaxed
                .iter()
                .any(|rule| !matches!(rule, Relaxed::SameNetwork | Relaxed::SameOperator));
            let tries = self
                .tried
                .iter()
                .filter(|tried| **tried == relay.key)
                .count()
                + self.tries_as_guard(&relay.key);
            let group = if self.is_shaken() {
                match (tries, yields) {
                    (0, false) => first,
                    (0, true) => second,
                    (1, _) => third,
                    _ => fourth,
                }
            } else if yields || memory.reserve.contains(&relay.key) {
                fourth
            } else if self.tried.contains(&relay.key) || avoided == Some(relay.key) {
                third
            } else if retry && !memory.worked_lately(&relay.key, now) {
                second
            } else {
                first
            };
            group.push((relay, relaxed));
        }
        groups
    }

    fn no_guard(&self, memory: &RelayMemory, now: u64) -> NoPath {
        let rejected = self.list.relays.iter().map(|relay| Rejection {
            relay: relay.key,
            reason: if self.failed.contains(&relay.key) {
                RejectReason::Failed
            } else {
                memory.against_guard(&relay.key, now).unwrap_or_else(|| {
                    if memory.stood_lately(&relay.key, now) {
                        RejectReason::StoodElsewhere
                    } else {
                        RejectReason::NotAGuard
                    }
                })
            },
        });
        NoPath {
            place: Place::Guard,
            rejected: rejected.collect(),
        }
    }
}

/// A relay and the rules that yield for it.
type Candidate<'a> = (&'a RelayDescriptor, Vec<Relaxed>);

/// Takes one of the first group that is not empty.
fn next<'a>(
    groups: &mut [Vec<Candidate<'a>>; 4],
    memory: &RelayMemory,
    now: u64,
    rng: &mut impl CryptoRng,
) -> Option<Candidate<'a>> {
    let group = groups.iter_mut().find(|group| !group.is_empty())?;
    rules::take_weighted(
        group,
        |(relay, _)| memory.worked_lately(&relay.key, now),
        rng,
    )
}

/// On lists that are no longer, dropped guards return before the network is said to block the relays, and rules yield
/// sooner.
const SHORT_LIST: usize = 8;
/// How many relays are looked at for a guard's place: on a list where so many make no path, the next does not either.
const GUARD_LOOKS: usize = 64;
