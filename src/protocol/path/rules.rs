//! The rules of one place: each is a small function, and a verdict lists every one that speaks against a relay.

use core::net::IpAddr;

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

/// May this relay stand at this place, beside those already taken for the path (the guard first)?
pub(super) struct Candidacy<'a> {
    pub(super) relay: &'a RelayDescriptor,
    pub(super) place: Place,
    pub(super) beside: &'a [&'a RelayDescriptor],
}

impl Candidacy<'_> {
    fn is_for_guard(&self) -> bool {
        self.place == Place::Guard
    }
}

impl PathRules<'_> {
    /// Every reason against it; none for a relay that may stand there.
    pub(super) fn verdict(&self, of: &Candidacy<'_>) -> Vec<RejectReason> {
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
        rules.iter().filter_map(|rule| rule(self, of)).collect()
    }

    fn differs(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let mut keys = of.beside.iter().map(|other| other.key);
        keys.any(|key| key == of.relay.key)
            .then_some(RejectReason::OnThisPath)
    }

    fn serves(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let serves = of.relay.serves.includes(self.drawing.host);
        (of.place == Place::Last && !serves).then_some(RejectReason::NotServing)
    }

    fn did_not_fail(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let failed = self.drawing.failed.contains(&of.relay.key);
        failed.then_some(RejectReason::Failed)
    }

    fn is_not_aside(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let key = &of.relay.key;
        let is_struck = self.memory.struck_until(key, self.now).is_some();
        let guard = of.beside.first().map(|guard| &guard.key);
        let is_aside = guard.is_some_and(|guard| self.memory.is_aside_on(guard, key, self.now));
        (is_struck || is_aside).then_some(RejectReason::SetAside)
    }

    fn shares_no_network(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let mut others = of.beside.iter();
        let shares = others.any(|other| shares_network(of.relay, other));
        shares.then_some(RejectReason::SameNetwork)
    }

    fn shares_no_operator(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let mut others = of.beside.iter();
        let shares = others.any(|other| shares_operator(of.relay, other));
        shares.then_some(RejectReason::SameOperator)
    }

    fn was_no_guard(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let was_asked = self.memory.was_asked(&of.relay.key, self.now);
        (!of.is_for_guard() && was_asked).then_some(RejectReason::IsGuard)
    }

    fn is_not_kept_back(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let key = &of.relay.key;
        let is_kept_back =
            self.sample.members.contains(key) && !self.memory.was_asked(key, self.now);
        (!of.is_for_guard() && is_kept_back).then_some(RejectReason::KeptBack)
    }

    fn is_not_dropped(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let is_dropped = self.memory.is_dropped(&of.relay.key, self.now);
        (of.is_for_guard() && is_dropped).then_some(RejectReason::Dropped)
    }

    fn is_in_sample(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let key = &of.relay.key;
        let may = self.sample.members.contains(key) || self.memory.is_kept(key);
        (of.is_for_guard() && !may).then_some(RejectReason::NotAGuard)
    }

    fn did_not_stand(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let has_stood = self.memory.has_stood_lately(&of.relay.key, self.now);
        let may = self.memory.is_kept(&of.relay.key);
        (of.is_for_guard() && has_stood && !may).then_some(RejectReason::StoodElsewhere)
    }

    fn is_old(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let is_old = self.memory.is_old(&of.relay.key, self.now);
        (of.is_for_guard() && !is_old).then_some(RejectReason::TooNew)
    }

    fn is_within_the_limit(&self, of: &Candidacy<'_>) -> Option<RejectReason> {
        let is_new = self.memory.is_new_guard(&of.relay.key, self.now);
        (of.is_for_guard() && is_new && !self.may_ask_new()).then_some(RejectReason::TooManyNew)
    }

    /// Whether one more relay may see this client as a guard.
    pub(super) fn may_ask_new(&self) -> bool {
        self.memory.new_guards_left(self.now) > 0
    }
}

impl RejectReason {
    /// From which level on this reason is no obstacle; `None` for never.
    pub(super) fn yields_at(self, place: Place, rules: &PathRules<'_>) -> Option<Level> {
        let allowed = |level| rules.drawing.allow.former_guards.then_some(level);
        match (self, place) {
            (Self::NotServing | Self::OnThisPath | Self::TooManyNew, _) => None,
            (Self::KeptBack, Place::Middle) | (Self::TooNew, _) => Some(Level::KeptBack),
            (Self::KeptBack | Self::SetAside, _) => Some(Level::SetAside),
            (Self::NotAGuard, _) => Some(Level::NotAGuard),
            (Self::IsGuard, Place::Last) => allowed(Level::FormerLast),
            (Self::IsGuard | Self::StoodElsewhere, _) => allowed(Level::FormerMiddle),
            (Self::SameNetwork | Self::SameOperator, _) => rules.share_at,
            (Self::Dropped | Self::Failed, _) => Some(Level::Failed),
        }
    }

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
    let mut lasts = list
        .relays
        .iter()
        .filter(|relay| relay.serves.includes(host));
    lasts.any(|last| {
        let others = list.relays.iter();
        let others: Vec<_> = others
            .filter(|relay| relay.key != last.key && !shares(relay, last))
            .collect();
        have_a_pair(&others)
    })
}

fn shares(one: &RelayDescriptor, other: &RelayDescriptor) -> bool {
    shares_network(one, other) || shares_operator(one, other)
}

fn shares_network(one: &RelayDescriptor, other: &RelayDescriptor) -> bool {
    network(one.host) == network(other.host)
}

fn shares_operator(one: &RelayDescriptor, other: &RelayDescriptor) -> bool {
    !one.operator.is_empty() && one.operator == other.operator
}

/// Whether two of these share nothing. Each pair need not be looked at: two that share with the first, the one only its
/// network and the other only its operator, share nothing with each other.
fn have_a_pair(relays: &[&RelayDescriptor]) -> bool {
    let Some((first, others)) = relays.split_first() else {
        return false;
    };
    let has = |network: bool, operator: bool| {
        let mut others = others.iter();
        others.any(|other| {
            (shares_network(first, other), shares_operator(first, other)) == (network, operator)
        })
    };
    has(false, false) || (has(true, false) && has(false, true))
}
