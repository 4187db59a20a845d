//! An invitation to a network: one word (`cloakin1…`) that says where its file server is, who signs its relay list, and
//! which relays to begin with. A secret, like a pointer.
//!
//! There are two kinds. One lets a person use the network; the other lets somebody add a relay to it ([`Purpose`]). Which relays
//! may be contacted, and whether the person wants to join, is not decided here.
//!
//! The word is a map: 0 the server's base URL, 1 its key, 2 the list key, 3 relays as `[key, address, port, operator, serves]`,
//! 4 the name of the network, 5 expires (unix seconds), 6 access word, 7 URL of the list, 8 join word.
#![warn(clippy::string_slice, clippy::arithmetic_side_effects)]

use core::net::IpAddr;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::address::{ServerAddress, ServerUrl};
use super::bech32m::{
    self, Bech32mWord, DecodeError, FindError, Malformed, SecretText, max_payload_len,
};
use super::capability::{AccessWord, JoinWord};
use super::cbor::{ArrayWriter, CborValue, MapWriter, read_array, read_map};
use super::keys::Ed25519Public;
use super::relay_list::{ListSource, RelayDescriptor, Serves};
use super::word_list;

/// The longest name of a network, in bytes.
const MAX_NAME_LEN: usize = 40;
/// The longest name of an operator in an invitation, in bytes.
const MAX_OPERATOR_LEN: usize = 24;
/// The longest URL of a list, in bytes.
const MAX_LIST_URL_LEN: usize = 200;
/// The most relays in an invitation.
pub(super) const MAX_RELAYS: usize = 8;
/// The fewest relays with which a network can be used.
const MIN_RELAYS: usize = 3;

/// An invitation whose parts fit together. A secret: it cannot be printed, cloned or compared.
pub struct Invitation(InvitationParts);

/// What an invitation says. Whether it fits together, [`Invitation::new`] checks.
pub struct InvitationParts {
    /// The file server of the network.
    pub server: ServerAddress,
    /// The key that signs the network's relay list.
    pub list_key: Ed25519Public,
    /// Relays to begin with, those that serve the server first.
    pub relays: Vec<InvitedRelay>,
    /// The network's name, 1 to 40 bytes. A stranger's text: show it in quotes, with the server's host beside it.
    pub name: String,
    /// Unix seconds; nobody joins by it from then on. Whoever has joined stays.
    pub expires: u64,
    /// Where the list can also be fetched: `https`, at most 200 bytes. Never used without asking.
    pub list_url: Option<String>,
    /// What the invitation is for.
    pub purpose: Purpose,
}

/// What an invitation is for.
pub enum Purpose {
    /// Adding a relay to the network.
    AddRelay {
        /// The word that the server asks new relays for.
        join_word: JoinWord,
    },
    /// Using the network.
    Use {
        /// The word that the server asks uploads for, if it does.
        access_word: Option<AccessWord>,
    },
}

/// A relay to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitedRelay {
    /// Identity of the relay.
    pub key: Ed25519Public,
    /// IP address of the relay.
    pub host: IpAddr,
    /// TCP port, not 0.
    pub port: u16,
    /// Name of the relay's operator, at most 24 bytes; empty means unnamed. A stranger's text.
    pub operator: String,
    /// Whether the relay will be the last of a path to the network's server.
    pub serves: bool,
}

impl InvitedRelay {
    /// The relay of a list, as an invitation to the server at `host` names it.
    #[must_use]
    pub fn of(relay: &RelayDescriptor, host: &str) -> Self {
        let len = relay.operator.floor_char_boundary(MAX_OPERATOR_LEN);
        Self {
            key: relay.key,
            host: relay.host,
            port: relay.port,
            operator: relay.operator.get(..len).unwrap_or_default().to_owned(),
            serves: relay.serves.includes(host),
        }
    }

    /// The entry of a relay list that it stands for; `host` is the one of the invitation's server.
    #[must_use]
    pub fn describe(&self, host: &str) -> RelayDescriptor {
        RelayDescriptor {
            key: self.key,
            host: self.host,
            port: self.port,
            operator: self.operator.clone(),
            serves: if self.serves {
                Serves::Hosts(vec![host.to_owned()])
            } else {
                Serves::None
            },
        }
    }

    fn write(&self) -> ArrayWriter {
        let mut relay = ArrayWriter::new();
        relay.bytes(self.key.as_bytes());
        match self.host {
            IpAddr::V4(addr) => relay.bytes(&addr.octets()),
            IpAddr::V6(addr) => relay.bytes(&addr.octets()),
        }
        relay.uint(self.port.into());
        relay.text(&self.operator);
        relay.uint(self.serves.into());
        relay
    }

    fn read(bytes: &[u8]) -> Result<Self, InvalidInvitation> {
        let bad = InvalidInvitation::Field;
        let items = read_array(bytes).or(Err(bad))?;
        let [
            CborValue::Bytes(key),
            CborValue::Bytes(host),
            CborValue::Uint(port),
            CborValue::Text(operator),
            CborValue::Uint(serves @ 0..=1),
        ] = items[..]
        else {
            return Err(bad);
        };
        let host = match *host {
            [a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => IpAddr::from(<[u8; 16]>::try_from(host).or(Err(bad))?),
        };
        Ok(Self {
            key: read_key(key)?,
            host,
            port: u16::try_from(port).or(Err(bad))?,
            operator: operator.to_owned(),
            serves: serves == 1,
        })
    }
}

impl Invitation {
    /// Checks that the parts fit together. Relays at the end that do not fit into one word are left out, down to three.
    ///
    /// # Errors
    /// [`InvalidInvitation`] with the first reason found.
    pub fn new(mut parts: InvitationParts) -> Result<Self, InvalidInvitation> {
        parts.check()?;
        while !parts.fits() {
            if parts.relays.len() <= MIN_RELAYS {
                return Err(InvalidInvitation::TooLong);
            }
            parts.relays.pop();
        }
        Ok(Self(parts))
    }

    /// Finds an invitation in text that a person pasted: inside prose, quoted, broken over lines, in capitals, as a URI.
    /// `now` is unix seconds.
    ///
    /// # Errors
    /// [`FindInvitationError`] says that there is none, or what is wrong with the one that there is.
    pub fn find(text: &str, now: u64) -> Result<Self, FindInvitationError> {
        let is_good = |found: &Self| now < found.0.expires;
        let found = bech32m::find_preferred(text, is_good)?;
        if is_good(&found) {
            Ok(found)
        } else {
            Err(FindInvitationError::Expired)
        }
    }

    /// Whether `text` can only be meant as an invitation: it begins as its word or its URI does, in either case.
    #[must_use]
    pub fn may_be(text: &str) -> bool {
        let text = text.trim_start().as_bytes();
        let word = bech32m::after(text, bech32m::URI_START).unwrap_or(text);
        bech32m::after(word, Self::PREFIX).is_some()
    }

    /// The content of the invitation.
    #[must_use]
    pub const fn parts(&self) -> &InvitationParts {
        &self.0
    }

    /// The invitation as one word, `cloakin1…`.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        bech32m::word(Self::PREFIX, &self.0.encode())
            .expect("`new` and `decode` accept only what fits into a word")
    }

    /// The invitation as a URI, `cloakroom:cloakin1…`.
    #[must_use]
    pub fn to_uri(&self) -> SecretText {
        bech32m::uri(&self.to_text())
    }

    /// `name` as an invitation can hold it, at most 40 bytes of whole characters; the server's `host` in place of an empty one.
    #[must_use]
    pub fn short_name(name: &str, host: &str) -> String {
        let name = match name.trim() {
            "" => host,
            name => name,
        };
        let len = name.floor_char_boundary(MAX_NAME_LEN);
        name.get(..len).unwrap_or_default().trim_end().to_owned()
    }

    /// Where the network's list can also be fetched, with the key that must have signed it.
    #[must_use]
    pub fn list_source(&self) -> Option<ListSource> {
        self.0.list_source().ok().flatten()
    }

    /// What members of one network compare, in the form of words: the same for every invitation to it that has the same server,
    /// list key and access word.
    #[must_use]
    pub fn fingerprint(&self) -> NetworkFingerprint {
        let mut map = MapWriter::new();
        map.text(0, self.0.server.url.as_str());
        map.bytes(1, self.0.server.key.as_bytes());
        map.bytes(2, self.0.list_key.as_bytes());
        if let Some(word) = self.0.access_word() {
            map.text(6, word.as_str());
        }
        let hash = Sha256::new()
            .chain_update(FINGERPRINT_LABEL)
            .chain_update(&**map.finish());
        NetworkFingerprint(hash.finalize().into())
    }
}

/// Whether something in `text` begins as an invitation does: one may stand in it, whole or damaged.
#[must_use]
pub(crate) fn may_be_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at| {
        let rest = bytes.get(at..);
        rest.is_some_and(|rest| bech32m::after(rest, Invitation::PREFIX).is_some())
    };
    (0..bytes.len()).any(begins)
}

/// The SHA-256 of what makes a network one network: server, list key and access word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkFingerprint([u8; 32]);

impl NetworkFingerprint {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Five words that stand for them: members who compare the words find that they are in one network.
    #[must_use]
    pub fn words(&self) -> [&'static str; 5] {
        word_list::words_of(&self.0)
    }
}

impl InvitationParts {
    fn access_word(&self) -> Option<&AccessWord> {
        match &self.purpose {
            Purpose::Use { access_word } => access_word.as_ref(),
            Purpose::AddRelay { .. } => None,
        }
    }

    /// Whether it fits into one word.
    pub(super) fn fits(&self) -> bool {
        self.encode().len() <= max_payload_len(Invitation::PREFIX)
    }

    fn list_source(&self) -> Result<Option<ListSource>, InvalidInvitation> {
        let Some(url) = &self.list_url else {
            return Ok(None);
        };
        let bad = InvalidInvitation::ListUrl;
        let line = format!("{url}#k={}", self.list_key.to_hex());
        let source: ListSource = line.parse().or(Err(bad))?;
        let fits = url.len() <= MAX_LIST_URL_LEN && url.starts_with("https://");
        if fits && source.url() == url {
            Ok(Some(source))
        } else {
            Err(bad)
        }
    }

    fn check(&self) -> Result<(), InvalidInvitation> {
        if !(1..=MAX_NAME_LEN).contains(&self.name.len()) {
            return Err(InvalidInvitation::Field);
        }
        for relay in &self.relays {
            if relay.port == 0 || relay.operator.len() > MAX_OPERATOR_LEN {
                return Err(InvalidInvitation::Field);
            }
        }
        let usable = matches!(self.purpose, Purpose::Use { .. });
        let fewest = if usable { MIN_RELAYS } else { 0 };
        if !(fewest..=MAX_RELAYS).contains(&self.relays.len()) {
            return Err(InvalidInvitation::RelayCount);
        }
        let mut keys: Vec<_> = self.relays.iter().map(|relay| relay.key).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() != self.relays.len() {
            return Err(InvalidInvitation::RepeatedRelay);
        }
        if usable && !self.relays.iter().any(|relay| relay.serves) {
            return Err(InvalidInvitation::NoneServes);
        }
        if !self.relays.is_sorted_by_key(|relay| !relay.serves) {
            return Err(InvalidInvitation::RelayOrder);
        }
        self.list_source().map(drop)
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut relays = ArrayWriter::new();
        for relay in &self.relays {
            relays.array(relay.write());
        }
        let mut map = MapWriter::new();
        map.text(0, self.server.url.as_str());
        map.bytes(1, self.server.key.as_bytes());
        map.bytes(2, self.list_key.as_bytes());
        map.array(3, relays);
        map.text(4, &self.name);
        map.uint(5, self.expires);
        if let Some(word) = self.access_word() {
            map.text(6, word.as_str());
        }
        if let Some(url) = &self.list_url {
            map.text(7, url);
        }
        if let Purpose::AddRelay { join_word } = &self.purpose {
            map.bytes(8, join_word.as_bytes());
        }
        map.finish()
    }
}

impl Bech32mWord for Invitation {
    type Invalid = InvalidInvitation;

    const PREFIX: &'static str = "cloakin1";
    const MIN_ENTRY_LENS: &'static [usize] = &[10, 35, 35, 2, 3, 2];

    fn may_stand(key: u64, major: u8, argument: u64) -> bool {
        match key {
            0 => major == 3 && (8..=280).contains(&argument),
            1 | 2 => (major, argument) == (2, 32),
            3 => major == 4,
            4 => major == 3 && (1..=64).contains(&argument),
            5 => major == 0,
            6 => major == 3 && (1..=64).contains(&argument),
            7 => major == 3,
            8 => major == 2,
            _ => true,
        }
    }

    fn decode(payload: &[u8]) -> Result<Self, DecodeError<InvalidInvitation>> {
        let entries = read_map(payload).or(Err(DecodeError::Malformed(Malformed::NotAMap)))?;
        let mut fields = InvitationFields::default();
        let mut newer = false;
        for (key, value) in entries {
            newer |= !fields.take(key, value).map_err(DecodeError::Invalid)?;
        }
        if newer {
            return Err(DecodeError::Newer);
        }
        let parts = fields.into_parts().map_err(DecodeError::Invalid)?;
        parts.check().map_err(DecodeError::Invalid)?;
        if *parts.encode() != *payload {
            return Err(DecodeError::Malformed(Malformed::NotCanonical));
        }
        Ok(Self(parts))
    }
}

#[derive(Default)]
struct InvitationFields {
    url: Option<ServerUrl>,
    server_key: Option<Ed25519Public>,
    list_key: Option<Ed25519Public>,
    relays: Option<Vec<InvitedRelay>>,
    name: Option<String>,
    expires: Option<u64>,
    access_word: Option<AccessWord>,
    list_url: Option<String>,
    join_word: Option<JoinWord>,
}

impl InvitationFields {
    /// Takes one entry of the map; `false` when only a newer version knows it.
    fn take(&mut self, key: u64, value: CborValue<'_>) -> Result<bool, InvalidInvitation> {
        let bad = InvalidInvitation::Field;
        match (key, value) {
            (0, CborValue::Text(url)) => {
                self.url = Some(ServerUrl::parse(url).or(Err(InvalidInvitation::Server))?);
            }
            (1, CborValue::Bytes(key)) => self.server_key = Some(read_key(key)?),
            (2, CborValue::Bytes(key)) => self.list_key = Some(read_key(key)?),
            (3, CborValue::Array(bytes)) => self.relays = Some(read_relays(bytes)?),
            (4, CborValue::Text(name)) => self.name = Some(name.to_owned()),
            (5, CborValue::Uint(expires)) => self.expires = Some(expires),
            (6, CborValue::Text(word)) => {
                self.access_word = Some(AccessWord::parse(word).or(Err(bad))?);
            }
            (7, CborValue::Text(url)) => self.list_url = Some(url.to_owned()),
            (8, CborValue::Bytes(word)) => {
                self.join_word = Some(JoinWord::from_bytes(word.try_into().or(Err(bad))?));
            }
            (0..=8, _) => return Err(bad),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn into_parts(self) -> Result<InvitationParts, InvalidInvitation> {
        let missing = InvalidInvitation::Missing;
        let purpose = match (self.access_word, self.join_word) {
            (Some(_), Some(_)) => return Err(InvalidInvitation::BothWords),
            (access_word, None) => Purpose::Use { access_word },
            (None, Some(join_word)) => Purpose::AddRelay { join_word },
        };
        Ok(InvitationParts {
            server: ServerAddress {
                url: self.url.ok_or(missing)?,
                key: self.server_key.ok_or(missing)?,
            },
            list_key: self.list_key.ok_or(missing)?,
            relays: self.relays.ok_or(missing)?,
            name: self.name.ok_or(missing)?,
            expires: self.expires.ok_or(missing)?,
            list_url: self.list_url,
            purpose,
        })
    }
}

fn read_relays(bytes: &[u8]) -> Result<Vec<InvitedRelay>, InvalidInvitation> {
    let items = read_array(bytes).or(Err(InvalidInvitation::Field))?;
    if items.len() > MAX_RELAYS {
        return Err(InvalidInvitation::RelayCount);
    }
    let relay = |item| match item {
        CborValue::Array(bytes) => InvitedRelay::read(bytes),
        _ => Err(InvalidInvitation::Field),
    };
    items.into_iter().map(relay).collect()
}

fn read_key(bytes: &[u8]) -> Result<Ed25519Public, InvalidInvitation> {
    let bytes = bytes.try_into().or(Err(InvalidInvitation::Field))?;
    Ed25519Public::from_bytes(bytes).or(Err(InvalidInvitation::WeakKey))
}

/// Why the parts of an invitation do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInvitation {
    /// An access word is for people and a join word for relays; nobody needs both.
    #[error("it has an access word and a join word")]
    BothWords,
    /// A field has another type or length than it may have.
    #[error("a field has another type or length")]
    Field,
    /// The URL of the list is none, is not `https`, or has more than 200 bytes.
    #[error("the address of its relay list is not an https address of at most 200 bytes")]
    ListUrl,
    /// A field that every invitation has is not there.
    #[error("a field is missing")]
    Missing,
    /// No relay would be the last one before the server.
    #[error("none of its relays serves its server")]
    NoneServes,
    /// Fewer than three relays, without a join word; or more than eight.
    #[error("it has too few or too many relays")]
    RelayCount,
    /// A relay that serves the server stands behind one that does not.
    #[error("its relays are not in order")]
    RelayOrder,
    /// A relay stands there twice.
    #[error("a relay stands there twice")]
    RepeatedRelay,
    /// The server's URL is no base URL in its one form.
    #[error("its server is no base URL")]
    Server,
    /// All of it together makes more than 1,023 characters.
    #[error("it does not fit into one word")]
    TooLong,
    /// A key could be forged, or has another encoding.
    #[error("a key in it is weak")]
    WeakKey,
}

/// Why no invitation came out of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindInvitationError {
    /// A character was changed, left out or added.
    #[error("the invitation was changed on its way")]
    Changed,
    /// The invitation is cut off at its end.
    #[error("the invitation is cut off: at least {missing} characters are missing")]
    CutOff {
        /// At least so many characters are missing at the end.
        missing: usize,
    },
    /// Its time has passed: ask for a new one.
    #[error("the invitation has expired")]
    Expired,
    /// The word is whole, but its parts do not fit together.
    #[error("the invitation is not valid: {0}")]
    Invalid(#[from] InvalidInvitation),
    /// The word is whole, but holds no map in its one encoding.
    #[error("the invitation is not in its one form")]
    Malformed,
    /// The word is whole and says something that this version does not know.
    #[error("the invitation was made by a newer version")]
    Newer,
    /// Nothing in the text looks like an invitation.
    #[error("there is no invitation in the text")]
    NotFound,
    /// The text is longer than 64 KiB and was not looked at.
    #[error("the text is longer than 64 KiB")]
    TooLong,
}

impl From<FindError<InvalidInvitation>> for FindInvitationError {
    fn from(error: FindError<InvalidInvitation>) -> Self {
        match error {
            FindError::Changed => Self::Changed,
            FindError::CutOff { missing } => Self::CutOff { missing },
            FindError::Decode(DecodeError::Invalid(why)) => Self::Invalid(why),
            FindError::Decode(DecodeError::Malformed(_)) => Self::Malformed,
            FindError::Decode(DecodeError::Newer) => Self::Newer,
            FindError::NotFound => Self::NotFound,
            FindError::TooLong => Self::TooLong,
        }
    }
}

const FINGERPRINT_LABEL: &[u8] = b"cloakroom network v1";
