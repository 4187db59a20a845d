//! A relay's place in a network: when it announces itself, when it fetches the network's list, and to which relays it
//! forwards. Pure decisions; whoever drives them sends the requests and keeps the state.
//!
//! It announces itself when it starts, at once when it changed, every six hours while it is listed, and hourly while it is
//! not, also when it was removed. While the server cannot be reached it tries again after one minute, two, four, up to an
//! hour. It fetches the list hourly, every minute while it is listed and has none yet, and at once, a few times a minute, when a
//! request names a relay beyond the list that it holds.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::announcement::{RelayDetails, SignedAnnouncement, next_at_ms};
use super::register::{Admitted, JoinRefused};
use super::request::{JoinAnswer, RelayRequest};
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::JoinWord;
use crate::protocol::invitation::{Invitation, Purpose};
use crate::protocol::keys::Identity;
use crate::protocol::relay_list::{HeldList, ListRefused, OfferOutcome, RelayDescriptor};

/// A relay's place in a network. Its bytes hold the join word: they are for their owner's eyes.
pub struct Membership {
    invitation: Invitation,
    join_word: JoinWord,
    held: HeldList,
    /// Time of the newest announcement that the server took, in unix milliseconds.
    taken_at_ms: Option<u64>,
    /// What the relay said of itself when the server last answered, and the answer.
    answered: Option<(RelayDetails, JoinAnswer)>,
    announce: Schedule,
    fetch: Schedule,
    /// Announcements in a row that got no answer.
    unanswered: u32,
    /// When the list was asked for within the last minute because of a request, in unix seconds.
    asked_for_requests: Vec<u64>,
}

/// When something is done next, and when it was done last. Unix seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Schedule {
    last: Option<u64>,
    pause: u64,
}

impl Schedule {
    /// A clock that was set back makes it due.
    fn is_due(self, now: u64) -> bool {
        self.due_in(now) == 0
    }

    /// Seconds until it is due.
    fn due_in(self, now: u64) -> u64 {
        let elapsed = self.last.and_then(|last| now.checked_sub(last));
        elapsed.map_or(0, |elapsed| self.pause.saturating_sub(elapsed))
    }

    const fn done(now: u64, pause: u64) -> Self {
        Self {
            last: Some(now),
            pause,
        }
    }
}

/// What a relay does next for its network.
pub enum MemberStep {
    /// Send the announcement, then call [`Membership::on_announced`].
    Announce(PendingAnnouncement),
    /// Ask for the list, then call [`Membership::on_list`].
    FetchList,
    /// Do nothing for so many seconds, unless the relay changes.
    Wait {
        /// Seconds.
        secs: u64,
    },
}

/// An announcement that is to be sent.
pub struct PendingAnnouncement {
    /// The request to the network's server.
    pub request: RelayRequest,
    details: RelayDetails,
    at_ms: u64,
}

/// What came of a request for the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOutcome {
    /// The network has no list yet.
    None,
    /// The list that is held already.
    Same,
    /// Another list, or the first.
    New,
    /// A list that cannot be used; what is held stays.
    Refused(ListRefused),
}

impl Membership {
    /// The place of a relay that joins by this invitation.
    ///
    /// # Errors
    /// [`NotForRelays`].
    pub fn join(invitation: Invitation) -> Result<Self, NotForRelays> {
        let parts = invitation.parts();
        let Purpose::AddRelay { join_word } = &parts.purpose else {
            return Err(NotForRelays);
        };
        Ok(Self {
            join_word: join_word.clone(),
            held: HeldList::new(parts.list_key),
            invitation,
            taken_at_ms: None,
            answered: None,
            announce: Schedule::default(),
            fetch: Schedule::default(),
            unanswered: 0,
            asked_for_requests: Vec::new(),
        })
    }

    /// Takes a newer invitation to the same network: its words, address and first relays count from now on.
    ///
    /// # Errors
    /// [`RenewRefused`]; nothing has changed then.
    pub fn renew(&mut self, invitation: Invitation) -> Result<(), RenewRefused> {
        let (held, new) = (self.invitation.parts(), invitation.parts());
        if (held.server.key, held.list_key) != (new.server.key, new.list_key) {
            return Err(RenewRefused::OtherNetwork);
        }
        let Purpose::AddRelay { join_word } = &new.purpose else {
            return Err(NotForRelays.into());
        };
        self.join_word = join_word.clone();
        self.invitation = invitation;
        Ok(())
    }

    /// The network's server.
    #[must_use]
    pub const fn server(&self) -> &ServerAddress {
        &self.invitation.parts().server
    }

    /// The network's name. A stranger's text: show it in quotes, with the server's host beside it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.invitation.parts().name
    }

    /// What the relay `identity` with these `details` does at `now_ms` (unix milliseconds).
    pub fn next(&self, details: &RelayDetails, identity: &Identity, now_ms: u64) -> MemberStep {
        let now = now_ms / 1_000;
        // First the list: a relay that does not serve is proved before one of the list, to which it then forwards.
        if self.fetch.is_due(now) {
            return MemberStep::FetchList;
        }
        let changed = self
            .answered
            .as_ref()
            .is_some_and(|(said, _)| said != details);
        let least = Schedule {
            pause: self.announce.pause.min(MINUTE_SECS),
            ..self.announce
        };
        let announce = if changed { least } else { self.announce };
        if announce.is_due(now) {
            let at_ms = next_at_ms(self.taken_at_ms, now_ms);
            let server = &self.server().key;
            let announcement = SignedAnnouncement::sign(details, at_ms, server, identity);
            return MemberStep::Announce(PendingAnnouncement {
                request: RelayRequest::join(self.join_word.clone(), &announcement),
                details: details.clone(),
                at_ms,
            });
        }
        MemberStep::Wait {
            secs: announce.due_in(now).min(self.fetch.due_in(now)),
        }
    }

    /// Takes the answer to an announcement at `now` (unix seconds); `None` when none came, or none that is understood.
    pub fn on_announced(
        &mut self,
        announced: PendingAnnouncement,
        answer: Option<JoinAnswer>,
        now: u64,
    ) {
        let pause = match answer {
            Some(JoinAnswer::Admitted(Admitted::Listed)) => LISTED_SECS,
            // A relay that was ended before it noted an answer is as late as that announcement within the same second.
            Some(JoinAnswer::Refused(JoinRefused::Stale | JoinRefused::TooSoon)) => MINUTE_SECS,
            Some(_) => UNLISTED_SECS,
            None => (MINUTE_SECS << self.unanswered.min(6)).min(UNLISTED_SECS),
        };
        self.announce = Schedule::done(now, pause);
        if matches!(answer, Some(JoinAnswer::Admitted(_))) {
            self.taken_at_ms = Some(announced.at_ms);
        }
        let Some(answer) = answer else {
            self.unanswered = self.unanswered.saturating_add(1);
            return;
        };
        self.unanswered = 0;
        self.answered = Some((announced.details, answer));
        self.fetch.pause = self.fetch.pause.min(self.fetch_pause(now));
    }

    /// Takes the answer to a request for the list at `now` (unix seconds): its exact text and signature, or `None` while the
    /// network has none. Not called when no answer came: see [`Self::on_no_list`].
    pub fn on_list(&mut self, list: Option<(&str, &str)>, now: u64) -> ListOutcome {
        let outcome = match list {
            None => ListOutcome::None,
            Some((text, signature)) => {
                match self.held.offer(text.as_bytes(), Some(signature), now) {
                    Ok(OfferOutcome::New) => ListOutcome::New,
                    Ok(OfferOutcome::Same) => ListOutcome::Same,
                    Err(why) => ListOutcome::Refused(why),
                }
            }
        };
        self.fetch = Schedule::done(now, self.fetch_pause(now));
        outcome
    }

    /// Notes at `now` (unix seconds) that the list was asked for and no answer came.
    pub fn on_no_list(&mut self, now: u64) {
        self.fetch = Schedule::done(now, self.fetch_pause(now));
    }

    /// Whether the list is asked for at `now` (unix seconds) because of a request that names a relay beyond it. Strangers can
    /// send such requests, so that is done a few times a minute.
    pub fn may_ask_for_request(&mut self, now: u64) -> bool {
        // A time that lies ahead was noted before the clock was set back.
        self.asked_for_requests
            .retain(|at| *at <= now && now - *at < MINUTE_SECS);
        if self.asked_for_requests.len() >= MAX_ASKED_FOR_REQUESTS {
            return false;
        }
        self.asked_for_requests.push(now);
        true
    }

    /// The relays to forward to at `now` (unix seconds): those of the list while it is good, before the first list those of the
    /// invitation.
    #[must_use]
    pub fn relays(&self, now: u64) -> Vec<RelayDescriptor> {
        match (self.held.usable(now), self.held.last()) {
            (Some(list), _) => list.relays.clone(),
            (None, Some(_expired)) => Vec::new(),
            (None, None) => {
                let invited = self.invitation.parts().relays.iter();
                invited
                    .map(|relay| relay.describe(self.server().url.host()))
                    .collect()
            }
        }
    }

    /// Whether there is a list that is good at `now` (unix seconds).
    #[must_use]
    pub fn has_list(&self, now: u64) -> bool {
        self.held.usable(now).is_some()
    }

    /// What the server answered last; `None` before its first answer.
    #[must_use]
    pub fn standing(&self) -> Option<JoinAnswer> {
        self.answered.as_ref().map(|(_, answer)| *answer)
    }

    /// Every minute while the relay belongs to the network and there is no list to forward by, else hourly.
    fn fetch_pause(&self, now: u64) -> u64 {
        let is_listed = self.standing() == Some(JoinAnswer::Admitted(Admitted::Listed));
        if is_listed && self.held.usable(now).is_none() {
            MINUTE_SECS
        } else {
            FETCH_SECS
        }
    }

    /// The state as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let word = self.invitation.to_text();
        let json = MembershipOut {
            version: VERSION,
            invitation: word.as_str(),
            taken_at_ms: self.taken_at_ms,
            list: self.held.kept().map(|(list, signature)| HeldListJson {
                list: list.into(),
                signature: signature.into(),
            }),
        };
        Zeroizing::new(serde_json::to_vec_pretty(&json).expect("plain fields serialise"))
    }

    /// Reads what [`Self::to_bytes`] made. The invitation may have ended: it limits joining, not staying.
    ///
    /// # Errors
    /// [`StoredMembershipError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredMembershipError> {
        let malformed = StoredMembershipError::Malformed;
        let version: MembershipVersion = serde_json::from_slice(bytes).or(Err(malformed))?;
        if version.version > VERSION {
            return Err(StoredMembershipError::Newer);
        }
        let json: MembershipIn<'_> = serde_json::from_slice(bytes).or(Err(malformed))?;
        let invitation = Invitation::find(json.invitation, 0).or(Err(malformed))?;
        let mut membership = Self::join(invitation).or(Err(malformed))?;
        membership.taken_at_ms = json.taken_at_ms;
        if let Some(HeldListJson { list, signature }) = &json.list {
            let key = membership.invitation.parts().list_key;
            membership.held = HeldList::resume(key, list, signature);
        }
        Ok(membership)
    }
}

/// The invitation lets people use the network, not relays join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this invitation is for people who use the network; ask its operator for the one for relays"
)]
pub struct NotForRelays;

/// Why an invitation does not renew a relay's place in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewRefused {
    /// It is not for relays.
    #[error(transparent)]
    NotForRelays(#[from] NotForRelays),
    /// It leads to another network.
    #[error("this invitation leads to another network")]
    OtherNetwork,
}

/// Why stored bytes are no place in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredMembershipError {
    /// They are not what this program writes.
    #[error("it is damaged")]
    Malformed,
    /// A newer version wrote them: they must not be written over.
    #[error("it was written by a newer version")]
    Newer,
}

#[derive(Serialize)]
struct MembershipOut<'a> {
    version: u32,
    invitation: &'a str,
    taken_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<HeldListJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MembershipIn<'a> {
    #[serde(rename = "version")]
    _version: u32,
    invitation: &'a str,
    taken_at_ms: Option<u64>,
    #[serde(default)]
    list: Option<HeldListJson>,
}

#[derive(Serialize, Deserialize)]
struct HeldListJson {
    list: String,
    signature: String,
}

#[derive(Deserialize)]
struct MembershipVersion {
    version: u32,
}

const VERSION: u32 = 1;
const MINUTE_SECS: u64 = 60;
/// Between two announcements of a relay that is not listed.
const UNLISTED_SECS: u64 = 3_600;
/// Between two announcements of a relay that is listed.
const LISTED_SECS: u64 = 6 * 3_600;
/// How often within a minute the list is asked for because of requests.
const MAX_ASKED_FOR_REQUESTS: usize = 6;
/// Between two requests for the list.
const FETCH_SECS: u64 = 3_600;
