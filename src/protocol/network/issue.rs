//! The signed list of a network, and invitations to the network.
//!
//! Lists are dated with a whole hour, which tells nobody when a relay joined, and no two lists of one network have one date: clients
//! refuse that, because whoever can alternate between two lists chooses relays for people. So what changes twice within an
//! hour is signed at the beginning of the next one.

use rand_core::CryptoRng;

use super::announcement::RelayDetails;
use super::invite;
use super::looks::MIN_LISTED;
use super::register::{
    DAY_SECS, HOUR_SECS, IssuedList, JoinStanding, ListSigner, RegisteredRelay, RelayRegister,
};
use crate::protocol::file_api::SignedList;
use crate::protocol::invitation::{
    InvalidInvitation, Invitation, InvitationParts, InvitedRelay, Purpose,
};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::Allowance;
use crate::protocol::relay_list::{
    CLOCKS_DIFFER_SECS, HeldList, ListRefused, OfferOutcome, RelayDescriptor, RelayList,
    can_be_mirrored, sign,
};

/// The outcome of [`RelayRegister::issue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issue {
    /// The clock is more than an hour behind the date of the newest list: none is signed, so that dates never go back. The
    /// operator says whether the clock is right: [`RelayRegister::accept_clock`].
    ClockBehind,
    /// The list is signed elsewhere: see [`RelayRegister::take_list`].
    Elsewhere,
    /// A new list was signed.
    New,
    /// It has changed, and the newest is dated with this hour or the next one: a new one can be signed in so many seconds.
    NextHour {
        /// Seconds until a new list can be signed.
        secs: u64,
    },
    /// Fewer than three relays are in the network: there is no list.
    TooFew {
        /// Number of relays in the network.
        relays: usize,
    },
    /// The newest list is still right.
    Unchanged,
}

impl RelayRegister {
    /// Signs a new list, if one is due at `now` (unix seconds): relays or the name have changed, or the newest is a day old. Call it
    /// after every change and every hour.
    pub fn issue(&mut self, now: u64) -> Issue {
        let ListSigner::Here(key) = &self.rules.signer else {
            return Issue::Elsewhere;
        };
        let relays = self.fitting_relays();
        if relays.len() < MIN_LISTED {
            // Relays were taken out, or others came in their place: nobody shall be sent through them any longer.
            self.list = None;
            self.earlier.clear();
            return Issue::TooFew {
                relays: relays.len(),
            };
        }
        if self.last_issued > now.saturating_add(CLOCKS_DIFFER_SECS) {
            return Issue::ClockBehind;
        }
        let is_right = self.list.as_ref().is_some_and(|held| {
            held.list.relays == relays
                && held.list.name == self.rules.name
                && now.saturating_sub(held.list.issued) < DAY_SECS
        });
        if is_right {
            return Issue::Unchanged;
        }
        let hour = now - now % HOUR_SECS;
        if hour <= self.last_issued {
            return Issue::NextHour {
                secs: self.last_issued.saturating_add(HOUR_SECS) - now,
            };
        }
        let list = RelayList {
            name: self.rules.name.clone(),
            issued: hour,
            expires: hour.saturating_add(GOOD_FOR_SECS),
            relays,
        };
        let text = list.to_compact_json();
        let signature = sign(key, text.as_bytes());
        self.last_issued = hour;
        let new = IssuedList {
            list,
            signed: SignedList {
                list: text,
                signature,
            },
        };
        if let Some(before) = self.list.replace(new) {
            if self.earlier.len() >= MAX_EARLIER {
                self.earlier.remove(0);
            }
            self.earlier.push(before);
        }
        Issue::New
    }

    /// Takes a list that was signed elsewhere at `now` (unix seconds), as those do who use the network: nothing else of a list is
    /// looked at before its signature, and its date never goes back.
    ///
    /// # Errors
    /// [`ListRefused`]; the list that is held stays.
    pub fn take_list(
        &mut self,
        offered: &SignedList,
        now: u64,
    ) -> Result<OfferOutcome, ListRefused> {
        let key = self.rules.signer.key();
        let mut held = match &self.list {
            Some(list) => HeldList::resume(key, &list.signed.list, &list.signed.signature),
            None => HeldList::new(key),
        };
        let text = offered.list.as_bytes();
        let outcome = held.offer(text, Some(&offered.signature), now)?;
        if let (OfferOutcome::New, Some(list)) = (outcome, held.last()) {
            self.last_issued = list.issued;
            self.list = Some(IssuedList {
                list: list.clone(),
                signed: offered.clone(),
            });
        }
        Ok(outcome)
    }

    /// The entries of the relays that a list would name now, for whoever signs it elsewhere.
    #[must_use]
    pub fn entries(&self) -> Vec<RelayDescriptor> {
        self.fitting_relays()
    }

    /// The answer to `GET /relays` at `now` (unix seconds); `None` while there is no list that anybody could use.
    #[must_use]
    pub fn signed_list(&self, now: u64) -> Option<&SignedList> {
        self.usable(now).map(|held| &held.signed)
    }

    /// The newest signed list, parsed.
    #[must_use]
    pub fn relay_list(&self, now: u64) -> Option<&RelayList> {
        self.usable(now).map(|held| &held.list)
    }

    fn usable(&self, now: u64) -> Option<&IssuedList> {
        // After a clock that was ahead, clients refuse the newest list; an earlier one is still good. Where all are ahead, it is
        // this clock that is behind, and clients can use the newest.
        let earlier = self.earlier.iter().rev();
        let earlier = earlier.filter(|held| !self.names_one_taken_out(held));
        let mut newest_first = self.list.iter().chain(earlier);
        let held = newest_first
            .find(|held| !is_ahead(held, now))
            .or(self.list.as_ref())?;
        (now < held.list.expires).then_some(held)
    }

    /// Takes the operator's word that the clock is right at `now` (unix seconds): lists that are dated more than an hour later were
    /// signed by a clock that was wrong. The next list is dated after all that clients with a right clock can hold.
    pub fn accept_clock(&mut self, now: u64) {
        let newest_taken = (now - now % HOUR_SECS).saturating_add(HOUR_SECS);
        if self.last_issued <= newest_taken {
            return;
        }
        self.clock_accepted = now.max(self.clock_accepted.saturating_add(1));
        self.last_issued = newest_taken;
        self.earlier.retain(|held| !is_ahead(held, now));
        if self.list.as_ref().is_some_and(|held| is_ahead(held, now)) {
            let mut earlier = self.earlier.iter();
            let good = earlier.rposition(|held| !self.names_one_taken_out(held));
            self.list = good.map(|at| self.earlier.remove(at));
        }
    }

    /// Whether a list names a relay that the operator took out since.
    fn names_one_taken_out(&self, held: &IssuedList) -> bool {
        held.list.relays.iter().any(|relay| {
            let known = self.relays.get(&relay.key);
            self.blocked.contains_key(&relay.key)
                || known.is_some_and(|known| known.standing == JoinStanding::Removed)
        })
    }

    /// An invitation to the network that is good until `expires`, with up to eight of its relays, drawn anew at `now` (both
    /// unix seconds): those that answer, and among them those that serve the server first. One that lets people use the
    /// network has relays of the signed list, by which they forward to each other, among which the rules of paths allow a
    /// path; it does not exist before there are such.
    ///
    /// # Errors
    /// [`NoInvitation`], but [`NoInvitation::NothingCameBack`].
    pub fn invite(
        &self,
        purpose: Purpose,
        expires: u64,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Invitation, NoInvitation> {
        let path: Vec<_> = match purpose {
            Purpose::AddRelay { .. } => Vec::new(),
            Purpose::Use { .. } => self.draw_path(now, rng)?,
        };
        let is_on_path = |key: &Ed25519Public| path.iter().any(|relay| relay.key == *key);
        let host = self.rules.server.url.host();
        let mut drawn = match purpose {
            Purpose::AddRelay { .. } => self.listed(),
            Purpose::Use { .. } => self.signed(now),
        };
        drawn.sort_by_cached_key(|(key, relay)| {
            let serves = self.serves(&relay.details.serves);
            let silent = relay.missed.count > 0;
            (!is_on_path(key), silent, !serves, rng.next_u64())
        });
        let relays = drawn
            .into_iter()
            .map(|(key, relay)| InvitedRelay::of(&self.describe(key, &relay.details), host))
            .collect();
        let parts = InvitationParts {
            server: self.rules.server.clone(),
            list_key: self.rules.signer.key(),
            relays: Vec::new(),
            name: self.rules.name.clone(),
            expires,
            list_url: None,
            purpose,
        };
        let invitation = invite::with_relays(parts, relays, path.len());
        Ok(invitation.map_err(InviteRefused::from)?)
    }

    /// Draws a path at `now` (unix seconds) as a client would that knows nothing of these relays yet: among those of the
    /// signed list that answer, or else among all of it.
    ///
    /// # Errors
    /// [`NoInvitation`], but [`NoInvitation::NothingCameBack`].
    pub fn draw_path(
        &self,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<RelayDescriptor>, NoInvitation> {
        let listed = self.listed();
        let is_serving = |(_, relay): &(_, &RegisteredRelay)| self.serves(&relay.details.serves);
        if listed.len() < MIN_LISTED {
            let relays = listed.len();
            return Err(InviteRefused::TooFew { relays }.into());
        }
        if !listed.iter().any(is_serving) {
            return Err(InviteRefused::NoneServes.into());
        }
        let host = self.rules.server.url.host();
        let mut draw = |relays: &[(&Ed25519Public, &RegisteredRelay)], most_missed: u32| {
            let relays = relays
                .iter()
                .filter(|(_, relay)| relay.missed.count <= most_missed);
            let relays: Vec<_> = relays
                .map(|(key, relay)| self.describe(key, &relay.details))
                .collect();
            let path = invite::draw_path(relays.clone(), host, Allowance::NONE, now, rng).ok()?;
            let relay_of = |key| relays.iter().find(|relay| relay.key == key).cloned();
            path.into_iter().map(relay_of).collect::<Option<Vec<_>>>()
        };
        let signed = self.signed(now);
        let path = draw(&signed, 0).or_else(|| draw(&signed, u32::MAX));
        match path {
            Some(path) => Ok(path),
            None if draw(&listed, u32::MAX).is_some() => Err(NoInvitation::NextList),
            None => Err(InviteRefused::NoPath.into()),
        }
    }

    /// The relays of the list that stand in the signed one as they are now.
    fn signed(&self, now: u64) -> Vec<(&Ed25519Public, &RegisteredRelay)> {
        let mut listed = self.listed();
        listed.retain(|(key, relay)| self.is_signed(key, &relay.details, now));
        listed
    }

    /// Whether the signed list has a relay at the place where it is now: then the others forward to it.
    pub(super) fn is_signed(&self, key: &Ed25519Public, details: &RelayDetails, now: u64) -> bool {
        let held = self.relay_list(now).and_then(|list| list.find(key));
        held.is_some_and(|held| {
            let entry = self.describe(key, details);
            (held.host, held.port, &held.serves) == (entry.host, entry.port, &entry.serves)
        })
    }

    /// The entries of the list. Should the server's name have become so long that not all fit, the relays that joined last are
    /// left out.
    fn fitting_relays(&self) -> Vec<RelayDescriptor> {
        let mut listed = self.listed();
        loop {
            let entries: Vec<_> = listed
                .iter()
                .map(|(key, relay)| self.describe(key, &relay.details))
                .collect();
            if entries.len() <= MIN_LISTED || self.list_fits(entries.clone()) {
                return entries;
            }
            let newest = (0..listed.len()).max_by_key(|at| listed.get(*at).map(|it| it.1.joined));
            listed.remove(newest.unwrap_or_default());
        }
    }

    /// Whether a file server could hand on a list of these relays.
    pub(super) fn list_fits(&self, relays: Vec<RelayDescriptor>) -> bool {
        let list = RelayList {
            name: self.rules.name.clone(),
            issued: u64::MAX,
            expires: u64::MAX,
            relays,
        };
        can_be_mirrored(&list.to_compact_json())
    }
}

/// Why there is no invitation now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteRefused {
    /// The parts do not fit together: the name or the server's URL is too long.
    #[error(transparent)]
    Invalid(#[from] InvalidInvitation),
    /// No three relays make a path: too many of them share an operator or a part of the internet.
    #[error(
        "no three relays of the network make a path: none may share its operator, or its part of the internet, with another"
    )]
    NoPath,
    /// No relay of the network serves its server.
    #[error("no relay of the network serves its server; it has to be the last one of a path")]
    NoneServes,
    /// A path needs three relays.
    #[error("{relays} of 3 relays have joined")]
    TooFew {
        /// Number of relays that have joined.
        relays: usize,
    },
}

/// Why a server has no invitation now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoInvitation {
    /// Its relays make a path, and the signed list does not have all of them yet.
    #[error(
        "the relays that joined last are not in the signed list yet: the server signs one at the next full hour, or you do"
    )]
    NextList,
    /// No request came back over relays of the list.
    #[error(
        "no request came back over three relays of the network; cloak host relays says which of them answer"
    )]
    NothingCameBack,
    /// Its relays make no path, or there is no invitation for them.
    #[error(transparent)]
    Refused(#[from] InviteRefused),
}

/// Whether a client whose clock shows `now` refuses the list because of its date.
const fn is_ahead(held: &IssuedList, now: u64) -> bool {
    held.list.issued > now.saturating_add(CLOCKS_DIFFER_SECS)
}

/// The most earlier lists that are kept for the case that the clock was ahead.
pub(super) const MAX_EARLIER: usize = 8;
/// How long a list is good: 14 days.
const GOOD_FOR_SECS: u64 = 14 * DAY_SECS;
