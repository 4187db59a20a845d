//! The rules of one place: each is a small function, and a verdict lists every one that speaks against a relay.

use core::net::IpAddr;
use std::collections::BTreeSet;

use super::RejectReason as R;
use super::guards::Sample;
use super::memory::RelayMemory;
use super::{Drawing, Level, Place, RejectReason, Relaxed};
use crate::protocol::relay_list::{RelayDescriptor, RelayList};

/// What the rules look at while one path is drawn.
pub(super) struct PathRules<'a> {
    pub(super) drawing: &'a Drawing<'a>,
    pub(super) memory: &'a RelayMemory,
    pub(super) sample: &'a Sample,
    pub(super) now: u64,
    /// The level at which relays may share a network or an operator; `None` for never.
    pub(super) share_at: Option<Level>,
}

/// A relay at a place of a path, beside those already taken for it (the guard first).
pub(super) struct Placement<'a> {
    pub(super) relay: &'a RelayDescriptor,
    pub(super) place: Place,
    pub(super) beside: &'a [&'a RelayDescriptor],
}

impl Placement<'_> {
    fn is_for_guard(&self) -> bool {
        self.place == Place::Guard
    }
}

impl PathRules<'_> {
    /// Every reason against it; none for a relay that may stand there.
    pub(super) fn verdict(&self, wanted: &Placement<'_>) -> Vec<RejectReason> {
        let rules = [
            Self::differs,
            Self::serves,
            Self::did_not_fail,
            Self::is_not_aside,
            Self::shares_no_network,
            Self::shares_no_operator,
            Self::was_no_guard,
            Self::is_not_kept_back,
            Self::is_not_dropped,
            Self::is_in_sample,
            Self::did_not_stand,
            Self::is_old,
            Self::is_within_the_limit,
        ];
        rules.iter().filter_map(|rule| rule(self, wanted)).collect()
    }

    fn differs(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let mut keys = wanted.beside.iter().map(|other| other.key);
        keys.any(|key| key == wanted.relay.key)
            .then_some(RejectReason::OnThisPath)
    }

    fn serves(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let serves = wanted.relay.serves.includes(self.drawing.host);
        (wanted.place == Place::Last && !serves).then_some(RejectReason::NotServing)
    }

    fn did_not_fail(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let failed = self.drawing.failed.contains(&wanted.relay.key);
        failed.then_some(RejectReason::Failed)
    }

    fn is_not_aside(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let key = &wanted.relay.key;
        let is_struck = self.memory.struck_until(key, self.now).is_some();
        let guard = wanted.beside.first().map(|guard| &guard.key);
        let is_aside = guard.is_some_and(|guard| self.memory.is_aside_on(guard, key, self.now));
        (is_struck || is_aside).then_some(RejectReason::SetAside)
    }

    fn shares_no_network(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let own = network(wanted.relay.host);
        let mut others = wanted.beside.iter().map(|other| network(other.host));
        others
            .any(|other| other == own)
            .then_some(RejectReason::SameNetwork)
    }

    fn shares_no_operator(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let own = &wanted.relay.operator;
        let mut others = wanted.beside.iter().map(|other| &other.operator);
        (!own.is_empty() && others.any(|other| other == own)).then_some(RejectReason::SameOperator)
    }

    fn was_no_guard(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let was_asked = self.memory.was_asked(&wanted.relay.key, self.now);
        (!wanted.is_for_guard() && was_asked).then_some(RejectReason::IsGuard)
    }

    fn is_not_kept_back(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let key = &wanted.relay.key;
        let is_kept_back =
            self.sample.members.contains(key) && !self.memory.was_asked(key, self.now);
        (!wanted.is_for_guard() && is_kept_back).then_some(RejectReason::KeptBack)
    }

    fn is_not_dropped(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let is_dropped = self.memory.is_dropped(&wanted.relay.key, self.now);
        (wanted.is_for_guard() && is_dropped).then_some(RejectReason::Dropped)
    }

    fn is_in_sample(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let key = &wanted.relay.key;
        let may = self.sample.members.contains(key) || self.memory.is_kept(key);
        (wanted.is_for_guard() && !may).then_some(RejectReason::NotAGuard)
    }

    fn did_not_stand(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let has_stood = self.memory.has_stood_lately(&wanted.relay.key, self.now);
        let may = self.memory.is_kept(&wanted.relay.key);
        (wanted.is_for_guard() && has_stood && !may).then_some(RejectReason::StoodElsewhere)
    }

    fn is_old(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let is_old = self.memory.is_old(&wanted.relay.key, self.now);
        (wanted.is_for_guard() && !is_old).then_some(RejectReason::TooNew)
    }

    fn is_within_the_limit(&self, wanted: &Placement<'_>) -> Option<RejectReason> {
        let is_new = self.memory.is_new_guard(&wanted.relay.key, self.now);
        (wanted.is_for_guard() && is_new && !self.may_ask_new()).then_some(RejectReason::TooManyNew)
    }

    /// Whether one more relay may see this client as a guard.
    pub(super) fn may_ask_new(&self) -> bool {
        self.memory.new_guards_left(self.now) > 0
    }
}

impl PathRules<'_> {
    /// From which level on this reason is no obstacle; `None` for never.
    pub(super) fn yields_at(&self, reason: RejectReason, place: Place) -> Option<Level> {
        let allowed = |level| self.drawing.allow.former_guards.then_some(level);
        match (reason, place) {
            (R::NotServing | R::OnThisPath | R::TooManyNew, _) => None,
            (R::KeptBack, Place::Middle) | (R::TooNew, _) => Some(Level::KeptBack),
            (R::KeptBack | R::SetAside, _) => Some(Level::SetAside),
            (R::NotAGuard, _) => Some(Level::OutsideSample),
            (R::IsGuard, Place::Last) => allowed(Level::FormerLast),
            (R::IsGuard | R::StoodElsewhere, _) => allowed(Level::FormerMiddle),
            (R::SameNetwork | R::SameOperator, _) => self.share_at,
            (R::Dropped | R::Failed, _) => Some(Level::Failed),
        }
    }
}

impl RejectReason {
    /// What is disclosed of a path on which this reason yielded; `None` for a reason that breaks no promise.
    pub(super) const fn relaxed(self, place: Place) -> Option<Relaxed> {
        match (self, place) {
            (Self::Dropped, _) => Some(Relaxed::GuardReturned),
            (Self::Failed | Self::SetAside, _) => Some(Relaxed::SetAside),
            (Self::IsGuard, Place::Last) => Some(Relaxed::GuardIsLast),
            (Self::IsGuard, _) => Some(Relaxed::GuardIsMiddle),
            (Self::KeptBack, _) => Some(Relaxed::KeptBack),
            (Self::SameNetwork, _) => Some(Relaxed::SameNetwork),
            (Self::SameOperator, _) => Some(Relaxed::SameOperator),
            (Self::StoodElsewhere, _) => Some(Relaxed::GuardStoodElsewhere),
            (Self::TooNew, _) => Some(Relaxed::GuardIsNew),
            (Self::NotAGuard | Self::NotServing | Self::OnThisPath | Self::TooManyNew, _) => None,
        }
    }
}

/// The /24 (IPv4) or /48 (IPv6) of an address.
fn network(addr: IpAddr) -> (bool, u128) {
    match addr.to_canonical() {
        IpAddr::V4(addr) => (false, u128::from(addr.to_bits() >> 8)),
        IpAddr::V6(addr) => (true, addr.to_bits() >> 80),
    }
}

/// Whether any three relays of the list, whoever they are to this client, make a path to `host` that shares nothing.
pub(super) fn makes_a_path(list: &RelayList, host: &str) -> bool {
    // Relays that are alike in all that the rules look at stand for each other.
    let mut seen = BTreeSet::new();
    let mut kinds = Vec::new();
    for relay in &list.relays {
        let serves = relay.serves.includes(host);
        let nobodys = relay.operator.is_empty().then_some(relay.key);
        if seen.insert((network(relay.host), &relay.operator, nobodys, serves)) {
            kinds.push((relay, serves));
        }
    }
    let fits = |one: &RelayDescriptor, other: &RelayDescriptor| {
        let share_operator = !one.operator.is_empty() && one.operator == other.operator;
        network(one.host) != network(other.host) && !share_operator
    };
    let completes = |last, middle| {
        let mut guards = kinds.iter().map(|(guard, _)| *guard);
        fits(last, middle) && guards.any(|guard| fits(last, guard) && fits(middle, guard))
    };
    let mut lasts = kinds.iter().filter(|(_, serves)| *serves);
    lasts.any(|(last, _)| kinds.iter().any(|(middle, _)| completes(last, middle)))
}
