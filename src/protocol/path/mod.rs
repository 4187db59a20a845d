//! Which relays may stand on a path, and why others may not.
//!
//! A path is three names. **Guards** are kept ([`RelayMemory`]), because frequent new guards are what lets a hostile
//! relay meet everybody: two of them, or one when fewer than five relays are usable, for ten days while they work.
//! **Middle and last** are drawn anew for every request ([`Drawing`]), so that no last relay can link one person's
//! transfers; of two relays, one that worked within the hour is twice as likely, and on a retry only such are drawn
//! while there are any. The last must serve the server's host. What tries teach is a list of [`Learned`].
//!
//! Where the rules leave room, this is what was decided:
//!
//! * A relay that serves as guard, or did within ten days, is neither middle nor last, and one that was middle or last
//!   within ten days becomes no guard: no relay comes to know both ends of one client. So that there are guards to
//!   follow, a third of a list beyond three is kept back (at most twelve, and one of a list of four): they are neither
//!   middle nor last until one of them takes a guard's place. A list on which nobody is left for that keeps its guards,
//!   lets dropped ones return, and then says so; only where the person allowed it does who stood elsewhere follow.
//! * No connection, or silence on one that stood, counts against its guard once any try got an answer within ten
//!   minutes: a computer that is offline, or a server that hangs, costs no guard. A guard that breaks a connection that
//!   stood counts at once: nobody behind it can do that.
//! * An error that opens with the key of the middle or the last relay counts for the guard, whose work it proves, and
//!   strikes the relay that made it ([`Fault`]): a relay behind a guard cannot talk a client out of that guard.
//! * A relay of this path that is said not to be there is kept off this guard for an hour; an authenticated word of that
//!   kind is a strike for it too, one for each relay that says so. A changed answer is a strike for both ends of the
//!   link. What a guard itself set aside makes it suspect from the third relay on, so that two dead relays on a list of
//!   ten do not.
//! * An unreachable guard yields to the next one for ten minutes and comes back before anybody new is drawn later. So
//!   does one over which two tries within ten minutes went silent or broke with no answer between: when both guards do
//!   that, a third is asked, and only its answer tells that it was them and not the server.
//! * What a last relay says of the server, authenticated, is an answer as far as the two before it go. When another last
//!   relay then brings the server's own answer within the same transfer, it was wrong, which is a strike.
//! * Nobody is locked out by a short list. When no path follows all rules, they are given up one after the other, each
//!   only while it helps ([`Relaxed`] says which, and is disclosed): relays set aside are tried again; a new guard is
//!   drawn though one is there; a dropped guard returns when nobody else can be one; and, only as far as the person
//!   allowed it for this list ([`Allowance`]), a former guard stands in the middle, then last, then two relays share a
//!   network or an operator. A guard whose ten days are over stays when fewer than four others would be left, or when
//!   nobody may follow it, and a relay that alone serves some host is no new guard while another can be.
//! * At most three relays become guards within 24 hours. When they are used up, no guard answers and nothing came back
//!   in this transfer, the network here blocks the relays ([`DrawError::Blocked`]); known guards are still tried first
//!   each time. On a list of up to eight, where three are most of those that can be guards, dropped ones return instead.
//! * The clock of a computer may be wrong. When it is behind what is remembered, or more than ten days ahead of it, all
//!   times move along: ages stay, and a gap that long counts as a day.
//! * All this holds within one list: another list has a memory of its own.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Next to the client.
    Guard,
    /// Between the two others.
    Middle,
    /// Next to the server.
    Last,
}

/// Why a relay was not taken for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// It failed in this transfer.
    Failed,
    /// It serves this client as guard, or did in the last ten days, and is neither middle nor last.
    IsGuard,
    /// The relay is kept back to be a guard later.
    KeptBack,
    /// The relay is no guard, and no further guard is needed.
    NotAGuard,
    /// It does not serve the server's host.
    NotServing,
    /// It stands on this path already.
    OnThisPath,
    /// It was a guard, and is not one again for ten days.
    Retired,
    /// It lies in the same /24 or /48 as another relay of this path.
    SameNetwork,
    /// It has the same named operator as another relay of this path.
    SameOperator,
    /// It has three strikes, or cannot be reached from this guard.
    SetAside,
    /// It was middle or last in the last ten days, and is no guard.
    StoodElsewhere,
}

/// One relay that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Key of the relay.
    pub relay: Ed25519Public,
    /// Why the relay was not drawn.
    pub reason: RejectReason,
}

/// No path can be drawn: no relay was left for one of its places.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no relay is left for the {place:?} place of a path; {} were rejected", rejected.len())]
pub struct NoPath {
    /// The place that stayed empty.
    pub place: Place,
    /// Every relay of the list, with its reason.
    pub rejected: Vec<Rejection>,
}

/// Why no path was drawn.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DrawError {
    /// No guard answers, and three new ones were drawn within 24 hours.
    #[error("no guard answers, and no new one may be drawn")]
    Blocked,
    /// The list has no path that the rules and the person allow.
    #[error(transparent)]
    NoPath(#[from] NoPath),
}

/// Which rules the person allows to be relaxed where this list is too small for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Two relays of a path may share a network or a named operator.
    pub share: bool,
    /// A relay that was guard in the last ten days may be middle or last of another guard's path, and one that was
    /// middle or last may become a guard.
    pub former_guards: bool,
}

impl Allowance {
    /// Every rule that can be.
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

/// A rule that a path does not follow, because the list was too small for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relaxed {
    /// The last relay is a guard of this client, or was in the last ten days.
    GuardIsLast,
    /// The middle relay is a guard of this client, or was in the last ten days.
    GuardIsMiddle,
    /// A guard that was dropped, or had served its time, is back.
    GuardReturned,
    /// The guard was middle or last in the last ten days.
    GuardStoodElsewhere,
    /// Two relays lie in one /24 or /48.
    SameNetwork,
    /// Two relays have one named operator.
    SameOperator,
    /// A relay that was set aside stands on the path.
    SetAside,
}

/// How long a guard is kept, and how long it is neither middle nor last afterwards, in seconds.
pub const GUARD_SECS: u64 = 10 * DAY_SECS;
/// Number of relays that may become guards within 24 hours.
pub const MAX_NEW_GUARDS: usize = 3;
const DAY_SECS: u64 = 24 * HOUR_SECS;
const HOUR_SECS: u64 = 3_600;
