//! The relays that joined a network, and the rules of joining.
//!
//! A relay is listed after a proof: a request went through it, at the address that it signed, and came back. Until then nothing
//! of it is kept. What bounds a single member who would fill the list stands at the end of this file, what bounds a flood in
//! `rates`.

use core::net::IpAddr;
use std::collections::BTreeMap;

use rand_core::CryptoRng;

use super::announcement::{RelayAnnouncement, RelayDetails};
use super::rates::{JoinRates, Sender};
use super::renewed::RenewedWord;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::{AccessWord, JoinWord};
use crate::protocol::file_api::SignedList;
use crate::protocol::ip::{is_global, subnet, unwrapped};
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::relay_list::{CLOCKS_DIFFER_SECS, RelayDescriptor, RelayList, Serves};

/// What the operator decides about a network.
pub struct NetworkRules {
    /// The file server of the network.
    pub server: ServerAddress,
    /// Who signs the network's list.
    pub signer: ListSigner,
    /// The network's name, 1 to 40 bytes.
    pub name: String,
    /// The word that uploads must have by the settings of the server, when they must have one.
    pub access_word: Option<AccessWord>,
    /// Whether a relay that joins is listed at once.
    pub joining: JoinRule,
    /// Whether addresses that are not on the public internet are listed: for a network within one house.
    pub allow_private: bool,
}

impl NetworkRules {
    /// The same rules, to read what somebody else wrote: without the secret of the list.
    #[must_use]
    pub fn for_reading(&self) -> Self {
        Self {
            server: self.server.clone(),
            signer: ListSigner::Elsewhere(self.signer.key()),
            name: self.name.clone(),
            access_word: self.access_word.clone(),
            joining: self.joining,
            allow_private: self.allow_private,
        }
    }
}

/// Who signs the list of a network.
pub enum ListSigner {
    /// Its operator, somewhere else, with the key whose public half this is.
    Elsewhere(Ed25519Public),
    /// Its server, with this key.
    Here(Identity),
}

impl ListSigner {
    /// The key by which everybody checks the list.
    #[must_use]
    pub fn key(&self) -> Ed25519Public {
        match self {
            Self::Elsewhere(key) => *key,
            Self::Here(identity) => identity.public(),
        }
    }
}

/// Whether a relay that joins is listed at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JoinRule {
    /// It waits until the operator approves it.
    Ask,
    /// It is listed at once, eight a day; more wait for approval.
    #[default]
    Open,
}

/// A list that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IssuedList {
    pub(super) list: RelayList,
    pub(super) signed: SignedList,
}

/// The relays that joined a network, and the list that is made of them.
pub struct RelayRegister {
    pub(super) rules: NetworkRules,
    pub(super) relays: BTreeMap<Ed25519Public, RegisteredRelay>,
    /// Relays that the operator blocked, and what they said of themselves, as far as that is known.
    pub(super) blocked: BTreeMap<Ed25519Public, Option<RelayDetails>>,
    pub(super) join_words: RenewedWord<JoinWord>,
    /// The word that was drawn in place of the one of the settings, which is the oldest of those before it.
    pub(super) drawn_access: Option<DrawnAccess>,
    /// When relays were listed without approval, in unix seconds; those of the last day.
    pub(super) newcomers: Vec<u64>,
    pub(super) list: Option<IssuedList>,
    /// Lists that were signed before it, the oldest first.
    pub(super) earlier: Vec<IssuedList>,
    /// `issued` of the newest list that was ever signed, 0 before the first.
    pub(super) last_issued: u64,
    /// When the operator last said that the clock is right although lists were dated later, in unix seconds; 0 for never.
    pub(super) clock_accepted: u64,
    /// When the last hourly look of this server began, in unix seconds.
    pub(super) last_round: Option<u64>,
    rates: JoinRates,
}

/// Access words that were drawn, and the word of the settings in whose place they are.
#[derive(Clone)]
pub(super) struct DrawnAccess {
    pub(super) in_place_of: AccessWord,
    pub(super) words: RenewedWord<AccessWord>,
}

/// A relay that joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RegisteredRelay {
    pub(super) details: RelayDetails,
    /// Time of its newest announcement, by its own clock.
    pub(super) at_ms: u64,
    pub(super) standing: JoinStanding,
    /// When the operator decided about its standing, in unix seconds; 0 for never. Later than the decision before it, also
    /// when the clock was set back.
    pub(super) decided: u64,
    /// When it joined, in unix seconds.
    pub(super) joined: u64,
    /// When it last answered a proof or a look, in unix seconds.
    pub(super) answered: u64,
    pub(super) missed: MissedLooks,
}

/// Hourly looks that a relay did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MissedLooks {
    /// When counting began anew, in unix seconds; later than the time before it, also when the clock was set back.
    pub(super) since: u64,
    /// Rounds of looks since then, each while a server of the network could reach somebody. Hours that passed while no server
    /// was on are not among them.
    pub(super) count: u32,
    /// The hour (since 1970, UTC) of the newest of them: in one hour the rounds of several servers count as one.
    pub(super) hour: u64,
}

impl MissedLooks {
    /// None since `now` (unix seconds).
    pub(super) const fn none_since(now: u64) -> Self {
        Self {
            since: now,
            count: 0,
            hour: 0,
        }
    }

    /// Begins to count anew at `now` (unix seconds).
    pub(super) fn restart(&mut self, now: u64) {
        *self = Self::none_since(now.max(self.since.saturating_add(1)));
    }

    /// Counts a look at `now` (unix seconds) that was not answered.
    pub(super) fn add(&mut self, now: u64) {
        let hour = now / HOUR_SECS;
        if self.count == 0 || self.hour != hour {
            self.hour = hour;
            self.count = self.count.saturating_add(1);
        }
    }

    /// Counts as many as let the relay leave the list.
    pub(super) fn raise_to_silent(&mut self) {
        self.count = self.count.max(MAX_MISSED);
    }
}

/// What was decided about a relay that joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinStanding {
    /// It belongs to the network.
    Joined,
    /// The operator took it out.
    Removed,
    /// It waits for approval.
    Waiting,
}

impl RegisteredRelay {
    /// Whether it belongs to the network and did not answer for so long that it leaves the list.
    pub(super) fn is_silent(&self) -> bool {
        self.standing == JoinStanding::Joined && self.missed.count >= MAX_MISSED
    }

    /// Whether it belongs to the network and answers.
    pub(super) fn is_present(&self) -> bool {
        self.standing == JoinStanding::Joined && !self.is_silent()
    }
}

/// What an announcement leads to.
#[derive(Debug)]
pub enum JoinStep {
    /// The relay needs no new proof.
    Known(Admitted),
    /// Prove that the relay is where it says, then call [`RelayRegister::on_proof`].
    Prove(PendingProof),
}

/// Where a relay stands after it announced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// In the network: the next list has it.
    Listed,
    /// The relay waits until the operator approves it.
    Waiting,
}

/// A relay that has to be proved: connect to it, insist on its key, send a request along the route and see it come back.
#[derive(Debug)]
pub struct PendingProof {
    announcement: RelayAnnouncement,
    route: ProofRoute,
}

impl PendingProof {
    /// The relay as it describes itself.
    #[must_use]
    pub fn relay(&self) -> RelayDescriptor {
        self.announcement
            .details()
            .describe(*self.announcement.key())
    }

    /// The path that the request of the proof takes.
    #[must_use]
    pub const fn route(&self) -> &ProofRoute {
        &self.route
    }
}

/// The way of the request that proves a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofRoute {
    /// Through the relay alone: it serves this server.
    Alone,
    /// Through the relay and then this one: it does not serve this server itself.
    Before(Box<RelayDescriptor>),
}

/// Whether a request went through the relay and came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofOutcome {
    /// The request did not come back; whoever sent it tells the operator why, and nobody else.
    Failed,
    /// The request went through the relay and came back.
    Passed,
}

impl RelayRegister {
    /// A network that no relay has joined yet, and that begins at `now` (unix seconds).
    #[must_use]
    pub fn new(rules: NetworkRules, now: u64, rng: &mut impl CryptoRng) -> Self {
        Self::empty(rules, RenewedWord::new(JoinWord::generate(rng), now))
    }

    pub(super) fn empty(rules: NetworkRules, join_words: RenewedWord<JoinWord>) -> Self {
        Self {
            rules,
            relays: BTreeMap::new(),
            blocked: BTreeMap::new(),
            join_words,
            drawn_access: None,
            newcomers: Vec::new(),
            list: None,
            earlier: Vec::new(),
            last_issued: 0,
            clock_accepted: 0,
            last_round: None,
            rates: JoinRates::default(),
        }
    }

    /// The same register under these rules: those it was read with may have been made [for reading](NetworkRules::for_reading).
    #[must_use]
    pub fn with_rules(self, rules: NetworkRules) -> Self {
        Self { rules, ..self }
    }

    /// Takes an announcement at `now` (unix seconds). `word` is asked of relays that the network does not know; it limits
    /// joining, not staying. `source` is who sent it: an IPv4 address, or the first address of an IPv6 /64.
    ///
    /// # Errors
    /// [`JoinRefused`] with the first reason found; nothing has changed then.
    pub fn on_announcement(
        &mut self,
        announcement: RelayAnnouncement,
        word: Option<&JoinWord>,
        source: IpAddr,
        now: u64,
    ) -> Result<JoinStep, JoinRefused> {
        let key = *announcement.key();
        let sender = if self.relays.contains_key(&key) {
            Sender::Known(key)
        } else if self.accepts_word(word, now) {
            Sender::Newcomer(source)
        } else {
            return Err(JoinRefused::WrongWord);
        };
        self.check_relay(&announcement, now)?;
        // What follows looks at the whole list.
        if !self.rates.may_announce(sender, now) {
            return Err(JoinRefused::TooSoon);
        }
        self.check_room(&announcement)?;
        if let Some(place) = self.confirm(&announcement) {
            return Ok(JoinStep::Known(place));
        }
        let route = self.proof_route(&announcement)?;
        if !self.rates.may_prove(sender, now) {
            return Err(JoinRefused::TooSoon);
        }
        Ok(JoinStep::Prove(PendingProof {
            announcement,
            route,
        }))
    }

    /// Takes the outcome of a proof. The rules are looked at again: other relays may have joined while it ran.
    ///
    /// # Errors
    /// [`JoinRefused`]; nothing has changed then, and a relay that was listed at another address stays so.
    pub fn on_proof(
        &mut self,
        proof: PendingProof,
        outcome: ProofOutcome,
        now: u64,
    ) -> Result<Admitted, JoinRefused> {
        if outcome == ProofOutcome::Failed {
            return Err(JoinRefused::ProofFailed);
        }
        let announcement = proof.announcement;
        self.check_relay(&announcement, now)?;
        self.check_room(&announcement)?;
        let key = *announcement.key();
        let held = self.relays.get(&key);
        let joined = held.map_or(now, |held| held.joined);
        let decided = held.map_or(0, |held| held.decided);
        let mut missed = held.map_or_else(|| MissedLooks::none_since(now), |held| held.missed);
        missed.restart(now);
        let standing = match held {
            Some(held) => held.standing,
            None => self.admit(announcement.details(), now)?,
        };
        let at_ms = announcement.at_ms();
        let relay = RegisteredRelay {
            details: announcement.into_details(),
            at_ms,
            standing,
            decided,
            joined,
            answered: now,
            missed,
        };
        self.displace(&key, &relay.details, standing);
        self.relays.insert(key, relay);
        if standing == JoinStanding::Joined {
            Ok(Admitted::Listed)
        } else {
            Ok(Admitted::Waiting)
        }
    }

    /// The word that lets a relay join now.
    #[must_use]
    pub const fn join_word(&self) -> &JoinWord {
        &self.join_words.current
    }

    /// The word that uploads must have now, when they must have one.
    #[must_use]
    pub fn access_word(&self) -> Option<&AccessWord> {
        let drawn = self.drawn_access.as_ref();
        drawn.map_or(self.rules.access_word.as_ref(), |drawn| {
            Some(&drawn.words.current)
        })
    }

    /// Whether an upload with this word is taken at `now` (unix seconds).
    #[must_use]
    pub fn lets_upload(&self, word: Option<&AccessWord>, now: u64) -> bool {
        match (&self.drawn_access, &self.rules.access_word) {
            (None, None) => true,
            (None, asked) => word == asked.as_ref(),
            (Some(drawn), _) => word.is_some_and(|word| drawn.words.accepts(word, now)),
        }
    }

    fn accepts_word(&self, word: Option<&JoinWord>, now: u64) -> bool {
        word.is_some_and(|word| self.join_words.accepts(word, now))
    }

    /// What can be said of an announcement without looking at other relays.
    fn check_relay(&self, announcement: &RelayAnnouncement, now: u64) -> Result<(), JoinRefused> {
        let key = announcement.key();
        let latest_ms = now.saturating_add(CLOCKS_DIFFER_SECS).saturating_mul(1_000);
        if self.blocked.contains_key(key) {
            return Err(JoinRefused::Blocked);
        }
        if let Some(held) = self.relays.get(key) {
            if held.standing == JoinStanding::Removed {
                return Err(JoinRefused::Removed);
            }
            // A time that lies ahead was taken before the clock was set back; the relay could not be later for long.
            if held.at_ms <= latest_ms && announcement.at_ms() <= held.at_ms {
                return Err(JoinRefused::Stale);
            }
        }
        if announcement.at_ms() > latest_ms {
            return Err(JoinRefused::ClockAhead);
        }
        self.check_address(announcement.details().host)
    }

    fn check_address(&self, host: IpAddr) -> Result<(), JoinRefused> {
        let nobodys = host.is_unspecified() || host.is_multicast() || unwrapped(host) != host;
        if nobodys || !(self.rules.allow_private || is_global(host)) {
            return Err(JoinRefused::NotPublic);
        }
        Ok(())
    }

    /// Whether there is room for the relay, in the list or among those that wait.
    fn check_room(&self, announcement: &RelayAnnouncement) -> Result<(), JoinRefused> {
        let (key, details) = (announcement.key(), announcement.details());
        match self.relays.get(key) {
            // It is there already.
            Some(held) if held.is_present() && held.details == *details => return Ok(()),
            Some(held) if held.standing != JoinStanding::Waiting => {}
            _ => self.check_queue(key, details)?,
        }
        self.check_place(key, details)
    }

    /// Whether a relay that has not joined may wait beside the others that do.
    fn check_queue(&self, key: &Ed25519Public, details: &RelayDetails) -> Result<(), JoinRefused> {
        let waiting = || {
            let others = self.relays.iter().filter(|(other, _)| *other != key);
            others.map(|(_, relay)| relay).filter(|relay| {
                relay.standing == JoinStanding::Waiting && !is_same_place(&relay.details, details)
            })
        };
        if waiting().any(|relay| relay.details.host == details.host) {
            return Err(JoinRefused::AddressTaken);
        }
        let near = waiting().filter(|relay| subnet(relay.details.host) == subnet(details.host));
        if near.count() >= MAX_IN_SUBNET {
            return Err(JoinRefused::SubnetFull);
        }
        Ok(())
    }

    /// Whether a relay with these details has a place in the list, beside all others.
    pub(super) fn check_place(
        &self,
        key: &Ed25519Public,
        details: &RelayDetails,
    ) -> Result<(), JoinRefused> {
        let host = details.host;
        self.check_address(host)?;
        let others = || {
            let present = self.relays.iter().filter(|(_, relay)| relay.is_present());
            present.filter(move |(other, relay)| {
                *other != key && !is_same_place(&relay.details, details)
            })
        };
        if others().any(|(_, relay)| relay.details.host == host) {
            return Err(JoinRefused::AddressTaken);
        }
        let near = others().filter(|(_, relay)| subnet(relay.details.host) == subnet(host));
        if near.count() >= MAX_IN_SUBNET {
            return Err(JoinRefused::SubnetFull);
        }
        if others().count() >= MAX_LISTED {
            return Err(JoinRefused::Full);
        }
        let mut all: Vec<_> = others()
            .map(|(other, relay)| self.describe(other, &relay.details))
            .collect();
        all.push(self.describe(key, details));
        if self.list_fits(all) {
            Ok(())
        } else {
            Err(JoinRefused::Full)
        }
    }

    /// Takes what needs no proof: nothing has changed, or only the operator's name.
    fn confirm(&mut self, announcement: &RelayAnnouncement) -> Option<Admitted> {
        let held = self.relays.get_mut(announcement.key())?;
        let details = announcement.details();
        let same = is_same_place(&held.details, details) && held.details.serves == details.serves;
        if !same || held.is_silent() {
            return None;
        }
        held.details.operator.clone_from(&details.operator);
        held.at_ms = announcement.at_ms();
        match held.standing {
            JoinStanding::Joined => Some(Admitted::Listed),
            JoinStanding::Waiting => Some(Admitted::Waiting),
            JoinStanding::Removed => None,
        }
    }

    fn proof_route(&self, announcement: &RelayAnnouncement) -> Result<ProofRoute, JoinRefused> {
        if self.serves(&announcement.details().serves) {
            return Ok(ProofRoute::Alone);
        }
        let serving = self.relays.iter().filter(|(key, relay)| {
            *key != announcement.key() && relay.is_present() && self.serves(&relay.details.serves)
        });
        let (key, last) = serving
            .max_by_key(|(_, relay)| (relay.missed.count == 0, relay.answered))
            .ok_or(JoinRefused::NoneServes)?;
        Ok(ProofRoute::Before(Box::new(last.details.describe(*key))))
    }

    /// Decides about a relay that is new and proved with these details. One that comes to the place of another with a new key takes
    /// over its standing, so that a single member uses up no places of others.
    fn admit(&mut self, details: &RelayDetails, now: u64) -> Result<JoinStanding, JoinRefused> {
        self.newcomers
            .retain(|joined| *joined <= now && now - *joined < DAY_SECS);
        let stands = |standing: JoinStanding| {
            let mut relays = self.relays.values();
            relays.any(|relay| relay.standing == standing && is_same_place(&relay.details, details))
        };
        let removed = self.relays.values();
        let removed = removed.filter(|relay| relay.standing == JoinStanding::Removed);
        let mut taken_out = removed
            .map(|relay| &relay.details)
            .chain(self.blocked.values().flatten());
        let host_was_taken_out = taken_out.any(|other| other.host == details.host);
        let is_open = self.rules.joining == JoinRule::Open && !host_was_taken_out;
        if is_open && stands(JoinStanding::Joined) {
            return Ok(JoinStanding::Joined);
        }
        if stands(JoinStanding::Waiting) {
            return Ok(JoinStanding::Waiting);
        }
        if is_open && self.newcomers.len() < MAX_NEWCOMERS {
            self.newcomers.push(now);
            return Ok(JoinStanding::Joined);
        }
        let waiting = self.relays.values();
        let waiting = waiting.filter(|relay| relay.standing == JoinStanding::Waiting);
        if waiting.count() >= MAX_WAITING {
            return Err(JoinRefused::Full);
        }
        Ok(JoinStanding::Waiting)
    }

    /// Clears the place where this relay was proved to be now. Relays that wait there are forgotten. Of those that joined, one
    /// stays known as silent, the one that joined first, and comes back by a proof when it answers elsewhere. A relay that waits
    /// itself moves none that joined.
    pub(super) fn displace(
        &mut self,
        key: &Ed25519Public,
        details: &RelayDetails,
        standing: JoinStanding,
    ) {
        let here = |other: &Ed25519Public, relay: &RegisteredRelay, standing: JoinStanding| {
            other != key && relay.standing == standing && is_same_place(&relay.details, details)
        };
        self.relays
            .retain(|other, relay| !here(other, relay, JoinStanding::Waiting));
        if standing != JoinStanding::Joined {
            return;
        }
        let joined = self.relays.iter();
        let first = joined
            .filter(|(other, relay)| here(other, relay, JoinStanding::Joined))
            .min_by_key(|(other, relay)| (relay.joined, **other))
            .map(|(other, _)| *other);
        self.relays.retain(|other, relay| {
            if !here(other, relay, JoinStanding::Joined) {
                return true;
            }
            relay.missed.raise_to_silent();
            Some(*other) == first
        });
    }

    /// Whether a relay that serves these hosts serves the network's server.
    pub(super) fn serves(&self, serves: &Serves) -> bool {
        serves.includes(self.rules.server.url.host())
    }

    /// The entry of the network's list: of the hosts that a relay serves, it names the network's own and no others.
    pub(super) fn describe(&self, key: &Ed25519Public, details: &RelayDetails) -> RelayDescriptor {
        let serves = if self.serves(&details.serves) {
            Serves::Hosts(vec![self.rules.server.url.host().to_owned()])
        } else {
            Serves::None
        };
        RelayDescriptor {
            serves,
            ..details.describe(*key)
        }
    }
}

pub(super) fn is_same_place(one: &RelayDetails, other: &RelayDetails) -> bool {
    (one.host, one.port) == (other.host, other.port)
}

/// Why a relay does not join now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinRefused {
    /// Another relay has this address.
    #[error("another relay of the network has this address")]
    AddressTaken,
    /// The operator blocked it, for good.
    #[error("the operator of the network has blocked this relay")]
    Blocked,
    /// The announcement is dated more than an hour ahead of the server's clock.
    #[error("the clock of this relay is more than an hour ahead of the server's")]
    ClockAhead,
    /// The list, or the queue for approval, has no room.
    #[error("the network has no room for another relay")]
    Full,
    /// The relay does not serve the server, and no listed relay does, through which it could be proved.
    #[error("no relay of the network serves its server yet; try again when one has joined")]
    NoneServes,
    /// The address is not on the public internet.
    #[error("the address of this relay is not on the public internet")]
    NotPublic,
    /// No request came back through the relay. Why is for the operator alone.
    #[error("no request came back through this relay at the address that it gave")]
    ProofFailed,
    /// The operator took it out.
    #[error("the operator of the network has removed this relay")]
    Removed,
    /// The announcement is not newer than the one that is held.
    #[error("a newer announcement of this relay is held")]
    Stale,
    /// Four relays of the address's /24 or /48 are listed.
    #[error("four relays of this part of the internet are in the network already")]
    SubnetFull,
    /// The relay, or the address that it was announced from, has had its share of this minute.
    #[error("this relay, or others from its address, were tried less than a minute ago")]
    TooSoon,
    /// The join word is missing, wrong or has ended.
    #[error("the join word is wrong or has ended; ask for a new invitation")]
    WrongWord,
}

/// Hourly looks in a row that a relay may miss: 48 hours.
pub(super) const MAX_MISSED: u32 = 48;
pub(super) const DAY_SECS: u64 = 24 * HOUR_SECS;
pub(super) const HOUR_SECS: u64 = 3_600;
/// The most relays in the list.
pub(super) const MAX_LISTED: usize = 200;
/// The most listed relays of one /24 (IPv4) or /48 (IPv6).
const MAX_IN_SUBNET: usize = 4;
/// The most relays that are listed within a day without approval.
const MAX_NEWCOMERS: usize = 8;
/// The most relays that wait for approval.
const MAX_WAITING: usize = 32;
