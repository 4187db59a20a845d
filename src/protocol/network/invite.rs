//! Invitations: which relays stand in one, as many as fit into a word. A member makes one from the list that they hold
//! ([`MemberInvite`]); the server, from the relays that joined it.

use rand_core::CryptoRng;

use super::issue::InviteRefused;
use super::looks::MIN_LISTED;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::invitation::{
    InvalidInvitation, Invitation, InvitationParts, InvitedRelay, MAX_RELAYS, Purpose,
};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::{Allowance, DrawError, Drawing, RelayMemory};
use crate::protocol::relay_list::{RelayDescriptor, RelayList};

/// An invitation that a member of a network makes.
pub struct MemberInvite<'a> {
    /// The file server of the network.
    pub server: &'a ServerAddress,
    /// The key that signs the network's relay list.
    pub list_key: Ed25519Public,
    /// The relays that the member knows.
    pub relays: &'a [RelayDescriptor],
    /// The network's name. One that is too long is cut.
    pub name: &'a str,
    /// The word that the server asks uploads for, if it is to be handed on.
    pub access_word: Option<AccessWord>,
    /// Unix seconds; nobody joins by it from then on.
    pub expires: u64,
    /// What the member allows for this network.
    pub allow: Allowance,
}

impl MemberInvite<'_> {
    /// The invitation, with up to eight relays drawn anew at `now` (unix seconds), among which is a path. Which relays the
    /// member uses as guards has no part in it, so it does not tell.
    ///
    /// # Errors
    /// [`InviteRefused`].
    pub fn make(&self, now: u64, rng: &mut impl CryptoRng) -> Result<Invitation, InviteRefused> {
        let host = self.server.url.host();
        if self.relays.len() < MIN_LISTED {
            let relays = self.relays.len();
            return Err(InviteRefused::TooFew { relays });
        }
        if !self.relays.iter().any(|relay| relay.serves.includes(host)) {
            return Err(InviteRefused::NoneServes);
        }
        let path = draw_path(self.relays.to_vec(), host, self.allow, now, rng)
            .map_err(|_no_path| InviteRefused::NoPath)?;
        let mut drawn: Vec<&RelayDescriptor> = self.relays.iter().collect();
        drawn.sort_by_cached_key(|relay| {
            let serves = relay.serves.includes(host);
            (!path.contains(&relay.key), !serves, rng.next_u64())
        });
        let relays = drawn.into_iter().map(|relay| InvitedRelay::of(relay, host));
        let parts = InvitationParts {
            server: self.server.clone(),
            list_key: self.list_key,
            relays: Vec::new(),
            name: Invitation::short_name(self.name, host),
            expires: self.expires,
            list_url: None,
            purpose: Purpose::Use {
                access_word: self.access_word.clone(),
            },
        };
        Ok(with_relays(parts, relays.collect(), path.len())?)
    }
}

/// The invitation of `parts` with as many of these relays as fit into one word, and eight at most. The first `path_len` of
/// them are a path, and always stand in it.
///
/// # Errors
/// [`InvalidInvitation`].
pub(super) fn with_relays(
    mut parts: InvitationParts,
    mut relays: Vec<InvitedRelay>,
    path_len: usize,
) -> Result<Invitation, InvalidInvitation> {
    relays.truncate(MAX_RELAYS);
    // Where not all fit into the word, those that are left out are none of the path.
    loop {
        parts.relays.clone_from(&relays);
        parts.relays.sort_by_key(|relay| !relay.serves);
        if relays.len() <= path_len.max(MIN_LISTED) || parts.fits() {
            return Invitation::new(parts);
        }
        relays.pop();
    }
}

/// The keys of a path to the server at `host`, as somebody would draw it who knows nothing of these relays yet.
///
/// # Errors
/// [`DrawError`].
pub(crate) fn draw_path(
    relays: Vec<RelayDescriptor>,
    host: &str,
    allow: Allowance,
    now: u64,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Ed25519Public>, DrawError> {
    let list = RelayList {
        name: String::new(),
        issued: now,
        expires: u64::MAX,
        relays,
    };
    let drawing = Drawing::first(&list, host, allow);
    let drawn = drawing.draw(&mut RelayMemory::new(), now, rng)?;
    Ok(drawn.path.relays().map(|relay| relay.key).to_vec())
}
