//! Which relays may stand on a path, and why others may not.
//!
//! A path is three names. **Guards** are kept for as long as they work, because frequent new guards are what lets a
//! hostile relay meet everybody. **Middle and last** are drawn anew for every request, so that no last relay can link
//! one person's transfers. These are the rules for one list of relays; another list has a memory of its own.
//!
//! 1. **Remembered** ([`RelayMemory`]) are a secret; for each relay when it came into the sample, when it was last asked as a
//!    guard, when it last stood as middle or last, and its strikes; and the guards, in the order of their first answer. A
//!    relay that the list lacks is remembered for ten days.
//! 2. The **sample** are the `k` relays that may be guards. First come the guards, then those asked as guards within ten
//!    days, then the others by the hash of the secret and their key; in lists of up to eight those that stood as middle or
//!    last within ten days come after those that did not. `k` is 1 for lists of three, 2 for four and five, else a third
//!    rounded up, from 3 to 20. One that is no guard is passed over while fewer than two others (lists of three and four:
//!    one) would be left outside that serve a host which it serves.
//! 3. **In use** are the first two of the sample that may be guards; one where fewer than five relays are usable. They
//!    are asked by turns. There is no lifetime; the person can drop those in use.
//! 4. A **new guard** has not stood as middle or last for ten days, and has been in the sample for ten days (the first
//!    sample has). It is kept from its first answer. At most three are asked in 24 hours; where three guards were tried then
//!    and none could be reached, the network here blocks the relays ([`DrawError::Blocked`]).
//! 5. **Middle and last** come from outside the sample and were not asked as guard for ten days. One that worked within
//!    the hour counts double; on a retry the untried come first. The three are different, no two of them in one /24 or
//!    /48 or of one named operator, and the last serves the host.
//! 6. A guard that **cannot be reached** yields to the next for ten minutes. So does one over which two tries within ten
//!    minutes brought nothing.
//! 7. What **brought nothing** counts once an answer of any kind comes within ten minutes, over whichever guard. Silence is
//!    a failure of the guard and strikes middle and last. A broken connection is a failure of the guard. One that could not
//!    be made is a strike for the guard, however often it was tried, unless it is the one that answers. But where
//!    connections failed over two guards and one of these answers, it was this computer's own network, and nobody's fault.
//! 8. An **error** is laid to both ends of the hop where it arose, as either may have made it: what opens with a relay's key
//!    may be the next one's plain words, and a relay that is said not to be there may be slandered. For a guard that is a
//!    failure, for a later relay a strike on account of its neighbour. What opens with a later relay's key is a success of
//!    the guard. A relay that is said not to be there counts only if it is a later one of this very path. It is aside for
//!    an hour on this guard, which answers for its own word once in that hour.
//! 9. Three **strikes** within 48 hours set a relay aside. At most two of them are on account of one neighbour, and at most
//!    one where that neighbour says that it is not there. An answer of the server over the same hop, in the same direction,
//!    ends the strikes of both its ends, and all of its guard. A relay that is set aside explains what went wrong beside it:
//!    strikes on its account end, and guards get their failures back if not only their own word or silence speaks against
//!    it. The server's own errors strike nobody.
//! 10. A guard is **dropped** for ten days when more than half of its last ten tries failed, or when it alone set aside
//!     more than two relays and more than a tenth of the list. Strikes stay, but for those of silence over it.
//! 11. Where the list is too short, rules **yield** in this order, and each is disclosed ([`Relaxed`]): a relay kept back
//!     is middle, and a guard may be new in the sample; relays set aside are taken, and one kept back is last; a relay
//!     outside the sample that did not stand becomes a guard; then, only where the person allowed it for this list
//!     ([`Allowance`]), a relay that stood becomes a guard or a former guard is middle, a former guard is last, two share
//!     a network or an operator; last, dropped guards return and relays that failed in this transfer are taken. Guards
//!     that yield by rule 6 come after all others. On a short list the culprit may be the one relay that every strict path
//!     needs: after two failed tries on lists of up to five, and three on lists of up to eight, the middle and last that
//!     were tried least come first, and rules yield for that as far as a former guard is last.
//!
//! What a try teaches, and where: **failure** and **success** are of a guard's last ten tries (rule 10), **later** is rule 7.
//!
//! | event | guard | middle | last |
//! |---|---|---|---|
//! | about to send ([`Learned::Used`]) | asked | stood, no guard any more | stood, no guard any more |
//! | the server answers ([`Learned::Worked`]) | kept, success, worked, strikes end | worked, strikes of its hops end | worked, strikes of its hop end |
//! | the last relay answers instead ([`Learned::Reached`]) | kept, success, worked | worked | |
//! | the last relay was belied ([`Learned::Belied`]) | | | strike |
//! | guard not reached ([`Fault::GuardUnreachable`]) | yields; later a strike | | |
//! | silence ([`Fault::Silent`]) | later a failure; the second: yields | later a strike | later a strike |
//! | the connection breaks ([`Fault::Broken`]) | later a failure; the second: yields | | |
//! | a plain answer ([`Fault::Answered`]) | failure | | |
//! | guard: a later one is not there ([`Fault::Gone`]) | failure, once an hour | if it is the one: strike, aside | if it is the one: strike, aside |
//! | middle: last not there ([`Fault::Gone`]) | kept, success | strike | strike, aside |
//! | nobody vouches: not there ([`Fault::Gone`]) | failure, once an hour | if it is the one: aside | if it is the one: aside |
//! | between guard and middle ([`Fault::Link`]) | failure | strike | |
//! | between middle and last ([`Fault::Link`]) | kept, success | strike | strike |
//! | the guard alone ([`Fault::Relay`]) | failure, strike | | |
//! | a later relay alone ([`Fault::Relay`]) | kept, success | if it is the one: strike | if it is the one: strike |
//!
//! A clock that goes back, or more than ten days ahead, moves all remembered times along.
//!
//! # Figures
//!
//! Simulated people (`tests/protocol/path_simulation.rs`): 400 for each row, a fifth of the relays hostile, 90 days of ten
//! transfers. Each figure is given under the rules before these (two guards for ten days, drawn from the whole list) and
//! under these.
//!
//! | relays | what goes wrong | people who ever had hostile relays at both ends, % | guards met | transfers that got through, % |
//! |---|---|---|---|---|
//! | 3 | | 17, 14 | 2.0, 2.0 | 95.16, 95.23 |
//! | 4 | | 23, 26 | 2.8, 2.8 | 98.35, 98.51 |
//! | 5 | | 35, 32 | 3.9, 3.7 | 99.86, 99.88 |
//! | 6 | | 40, 35 | 4.9, 4.4 | 99.97, 99.99 |
//! | 8 | | 64, 48 | 9.4, 4.4 | 100.00, 100.00 |
//! | 12 | | 84, 56 | 12.2, 4.7 | 100.00, 100.00 |
//! | 20 | | 91, 59 | 14.7, 4.7 | 100.00, 100.00 |
//! | 40 | | 99, 64 | 17.9, 4.7 | 100.00, 100.00 |
//! | 4 | one relay is dead | 24, 22 | 2.6, 2.5 | 94.25, 94.15 |
//! | 5 | one relay is dead | 36, 30 | 4.0, 3.2 | 97.24, 97.95 |
//! | 6 | one relay is dead | 45, 40 | 4.8, 4.4 | 99.78, 99.74 |
//! | 12 | one relay is dead | 84, 62 | 13.0, 4.9 | 100.00, 99.99 |
//! | 6 | hostile guards are silent | 38, 34 | 5.3, 4.9 | 96.76, 98.36 |
//! | 6 | hostile guards say that middles are not there | 38, 41 | 5.2, 4.6 | 99.22, 98.37 |
//! | 6 | hostile middles are silent | 44, 32 | 5.3, 4.4 | 99.09, 98.11 |
//! | 6 | hostile relays are silent | 42, 32 | 5.7, 4.8 | 88.49, 90.28 |
//! | 6 | hostile relays refuse connections | 33, 27 | 5.0, 4.5 | 96.45, 94.78 |
//! | 6 | hostile relays answer plainly | 32, 31 | 4.8, 4.6 | 92.26, 95.34 |
//! | 12 | hostile guards fail under their key | 79, 49 | 13.9, 5.6 | 99.96, 99.65 |
//! | 12 | hostile last relays answer plainly | 82, 56 | 11.7, 4.7 | 92.67, 99.98 |
//! | 12 | hostile relays say that the next is not there | 63, 40 | 13.3, 5.6 | 98.75, 99.54 |
//! | 12 | hostile relays answer plainly | 80, 45 | 14.4, 5.6 | 88.92, 99.80 |
//! | 20 | hostile relays answer plainly | 91, 46 | 20.2, 6.1 | 97.66, 99.86 |
//! | 6, then 3, 5, 4 | | 40, 35 | 4.7, 4.7 | 91.70, 95.71 |
//! | 12, then 5, 4, 12 | | 80, 61 | 12.2, 5.8 | 99.11, 98.71 |
//!
//! What is no better than before, or behind it:
//!
//! * Who keeps guards for good also keeps an unlucky division of the list for good. Where most of the sample sabotages, or
//!   most of the few relays outside it, transfers fail until relays come and go; guards that changed every ten days ended
//!   that sooner. This is what lists of six lose under some kinds of sabotage, and lists of twelve under hostile guards.
//! * Fewer relays are kept back, so that a list that shrinks from twelve to five leaves more people for ten days with
//!   nobody who may be guard.
//! * On lists of three to five nobody's exposure differs beyond chance: over three seeds (1,200 people) 17, 25 and 35 % now,
//!   18, 23 and 36 % before.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::keys::Ed25519Public;
use super::relay_list::RelayDescriptor;

mod draw;
mod guards;
mod learn;
mod memory;
mod rules;
mod standing;
mod stored;
mod strikes;
#[cfg(test)]
mod tests;

pub use draw::{Drawing, DrawnPath};
pub use guards::NewGuardRefused;
pub use learn::{Fault, Hops, Learned};
pub use memory::{MemoryKeeper, RelayMemory};
pub use standing::{RelayStanding, SetAsideWhy, Standing};
pub use stored::StoredError;

/// Three different relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPath {
    /// The only one that sees the client's address.
    pub guard: RelayDescriptor,
    /// Sees its two neighbours.
    pub middle: RelayDescriptor,
    /// The only one that sees the server's host.
    pub last: RelayDescriptor,
}

impl RelayPath {
    /// The relays of the path, from guard to last.
    #[must_use]
    pub const fn relays(&self) -> [&RelayDescriptor; 3] {
        [&self.guard, &self.middle, &self.last]
    }

    /// The keys of the path's relays.
    #[must_use]
    pub const fn hops(&self) -> Hops {
        Hops {
            guard: self.guard.key,
            middle: self.middle.key,
            last: self.last.key,
        }
    }
}

/// A place on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Next to the client.
    Guard,
    /// Between the two others.
    Middle,
    /// Next to the server.
    Last,
}

/// Why a relay was not taken for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RejectReason {
    /// The relay was dropped as a guard within ten days.
    Dropped,
    /// The relay failed in this transfer.
    Failed,
    /// The relay was asked as a guard within ten days, and is neither middle nor last.
    IsGuard,
    /// The relay is in the sample: it is kept back to be a guard later.
    KeptBack,
    /// The relay is not in the sample, and no guard.
    NotAGuard,
    /// The relay does not serve the server's host.
    NotServing,
    /// The relay stands on this path already.
    OnThisPath,
    /// The relay lies in the same /24 or /48 as another relay of this path.
    SameNetwork,
    /// The relay has the same named operator as another relay of this path.
    SameOperator,
    /// The relay has three strikes, or is said not to be reachable from this guard.
    SetAside,
    /// The relay was middle or last within ten days, and is no guard.
    StoodElsewhere,
    /// Three relays were asked as new guards within 24 hours.
    TooManyNew,
    /// The relay has been in the sample for less than ten days.
    TooNew,
}

/// A relay that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Key of the relay.
    pub relay: Ed25519Public,
    /// Every reason against it.
    pub reasons: Vec<RejectReason>,
}

/// No path can be drawn: no relay was left for one of its places.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no relay is left for the {place:?} place of a path; {} were rejected", rejected.len())]
pub struct NoPath {
    /// The place that stayed empty.
    pub place: Place,
    /// Every relay of the list that has a reason against it.
    pub rejected: Vec<Rejection>,
}

/// Why no path was drawn.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DrawError {
    /// No guard answers, and three new ones were asked within 24 hours.
    #[error("no guard answers, and no new one may be asked")]
    Blocked,
    /// The list has no path that the rules and the person allow.
    #[error(transparent)]
    NoPath(#[from] NoPath),
}

/// Which rules the person allows to yield where this list is too short for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Two relays of a path may share a network or a named operator.
    pub share: bool,
    /// A relay that was guard within ten days may be middle or last, and one that was middle or last may become a guard.
    pub former_guards: bool,
}

impl Allowance {
    /// Every rule that can.
    pub const ALL: Self = Self {
        share: true,
        former_guards: true,
    };
    /// No rule.
    pub const NONE: Self = Self {
        share: false,
        former_guards: false,
    };
}

/// How far rules have yielded, in this order: each level takes what those before it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Every rule holds.
    Strict,
    /// A relay kept back is middle, and a guard may be new in the sample.
    KeptBack,
    /// Relays set aside are taken, and a relay kept back is last.
    SetAside,
    /// A relay outside the sample becomes a guard.
    NotAGuard,
    /// Where the person allows it: a relay that stood elsewhere becomes a guard, or a former guard is middle.
    FormerMiddle,
    /// Where the person allows it: a former guard is last.
    FormerLast,
    /// Where the person allows it: two relays share a network or an operator.
    Share,
    /// Dropped guards return, and relays that failed in this transfer are taken.
    Failed,
}

impl Level {
    const ALL: [Self; 8] = [
        Self::Strict,
        Self::KeptBack,
        Self::SetAside,
        Self::NotAGuard,
        Self::FormerMiddle,
        Self::FormerLast,
        Self::Share,
        Self::Failed,
    ];
}

/// A rule that a path does not follow, because the list was too short for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relaxed {
    /// The last relay was asked as a guard of this client within ten days.
    GuardIsLast,
    /// The middle relay was asked as a guard of this client within ten days.
    GuardIsMiddle,
    /// The guard has been in the sample for less than ten days.
    GuardIsNew,
    /// A guard that was dropped is back.
    GuardReturned,
    /// The guard was middle or last within ten days.
    GuardStoodElsewhere,
    /// The middle or last relay was kept back to be a guard later.
    KeptBack,
    /// Two relays lie in one /24 or /48.
    SameNetwork,
    /// Two relays have one named operator.
    SameOperator,
    /// A relay that was set aside stands on the path.
    SetAside,
}

/// How long a relay that was asked as guard stands nowhere else, and the other way round, in seconds.
pub const GUARD_SECS: u64 = 10 * DAY_SECS;
/// Number of relays that may be asked as new guards within 24 hours.
pub const MAX_NEW_GUARDS: usize = 3;
/// Up to this length a list is one of the shortest: where one of its relays is down, hardly three are left for a path.
const SHORTEST_LIST: usize = 5;
/// Up to this length a list is short: nearly everybody on it stands in the middle or at the end within ten days.
const SHORT_LIST: usize = 8;
const DAY_SECS: u64 = 24 * HOUR_SECS;
const HOUR_SECS: u64 = 3_600;
