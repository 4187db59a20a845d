//! Lists of relays: what a relay says of itself, the file that names them, and its signature.
//!
//! [`source`] is the line that a list is added by, [`held`] what becomes of one that was fetched, [`session_nodes`] the
//! list that Session's seeds give out.
//!
//! JSON `{"version":1,"name","issued","expires","relays":[{"ed25519","x25519","host","port","operator","serves"}]}`.
//! A list given as a local file needs no signature; one fetched from elsewhere is signed by its list key, Ed25519 over
//! `cloakroom relay list v1\n` and the exact bytes.

use core::fmt;
use core::net::IpAddr;

use data_encoding::HEXLOWER;
use serde::de::{Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::json::{self, JsonError, Text, TextLimits};
use super::keys::{Ed25519Public, Identity, X25519Public};

pub mod held;
pub mod session_nodes;
pub mod source;

pub use held::{CLOCKS_DIFFER_SECS, HeldList, ListRefused, OfferOutcome, Refresh, can_be_mirrored};
pub use session_nodes::{NodesError, SessionNodes};
pub use source::{ListSource, ParseSourceError};

/// Network of the relays in a list: decides the cipher and what may be asked of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// Cloakroom's: `xchacha20`, sealed return, certificates with the relay's own key.
    Cloakroom,
    /// Session's service nodes: `aes-gcm` without `enc_type`, plain errors, certificates that say nothing.
    Session,
}

/// Entry of a relay in a list, as the relay describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayDescriptor {
    /// Identity of the relay; its X25519 key is the conversion of this one.
    pub key: Ed25519Public,
    /// IP address of the relay: relays are never looked up by name.
    pub host: IpAddr,
    /// TCP port at which the relay takes onion requests, over TLS.
    pub port: u16,
    /// Name of the relay's operator; empty means unnamed.
    pub operator: String,
    /// Hosts for which the relay will be the last of a path.
    pub serves: Serves,
}

/// For which hosts a relay will be the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serves {
    /// For every public host.
    Any,
    /// For these hosts only.
    Hosts(Vec<String>),
    /// For none.
    None,
}

impl Serves {
    /// Whether `host` is among them.
    #[must_use]
    pub fn includes(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Hosts(hosts) => hosts.iter().any(|listed| listed.eq_ignore_ascii_case(host)),
            Self::None => false,
        }
    }

    /// The hosts that are named.
    const fn hosts(&self) -> &[String] {
        match self {
            Self::Hosts(hosts) => hosts.as_slice(),
            Self::Any | Self::None => &[],
        }
    }
}

/// A list of relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayList {
    /// For people.
    pub name: String,
    /// When the list was made, in unix seconds.
    pub issued: u64,
    /// Unix seconds; not used from then on.
    pub expires: u64,
    /// At least three, no key twice.
    pub relays: Vec<RelayDescriptor>,
}

/// Why a list is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RelayListError {
    /// The list expires before it is issued.
    #[error("the list expires before it is issued")]
    Backwards,
    /// One key stands twice.
    #[error("two entries have the same key")]
    DuplicateRelay,
    /// The list has expired.
    #[error("the list has expired")]
    Expired,
    /// A key, address or port of an entry is not one, or the X25519 key is not the conversion.
    #[error("entry {index} is not a relay: {what}")]
    Entry {
        /// Number of the entry in the list, counted from 1.
        index: usize,
        /// What about the entry is wrong.
        what: &'static str,
    },
    /// Not JSON of the expected shape; in the words of the parser, at most 200 characters, some of which can be a
    /// stranger's.
    #[error("not a relay list: {0}")]
    Malformed(String),
    /// The version of the list is not 1.
    #[error("the list was made by a newer version")]
    Newer,
    /// Fewer than three relays.
    #[error("the list has {0} relays; a path needs three")]
    TooFew(usize),
    /// Larger than a list can be.
    #[error("the list is larger than {MAX_LIST_LEN} bytes")]
    TooLong,
}

#[derive(Serialize)]
struct ListOut<'a> {
    version: u32,
    name: &'a str,
    issued: u64,
    expires: u64,
    relays: Vec<EntryJson<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListIn {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    name: String,
    issued: u64,
    expires: u64,
    relays: EntriesIn,
}

/// One relay as it stands in a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryJson<'a> {
    #[serde(borrow)]
    ed25519: Text<'a>,
    #[serde(borrow)]
    x25519: Text<'a>,
    #[serde(borrow)]
    host: Text<'a>,
    port: u16,
    #[serde(borrow, default)]
    operator: Text<'a>,
    #[serde(borrow)]
    serves: ServesJson<'a>,
}

/// What a relay serves, as it stands in a list or an announcement.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ServesJson<'a> {
    Word(Text<'a>),
    Hosts(Vec<String>),
}

impl ServesJson<'_> {
    pub(super) fn of(serves: &Serves) -> Self {
        match serves {
            Serves::Any => Self::Word(Text("any".into())),
            Serves::None => Self::Word(Text("none".into())),
            Serves::Hosts(hosts) => Self::Hosts(hosts.clone()),
        }
    }

    /// What it says; `None` for another word than `any` and `none`.
    pub(super) fn decide(self) -> Option<Serves> {
        match self {
            Self::Word(Text(word)) if word == "any" => Some(Serves::Any),
            Self::Word(Text(word)) if word == "none" => Some(Serves::None),
            Self::Word(_) => None,
            Self::Hosts(hosts) => Some(Serves::Hosts(hosts)),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ServesJson<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfServes;
        impl<'de> Visitor<'de> for OfServes {
            type Value = ServesJson<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any, none or a list of hosts")
            }

            fn visit_borrowed_str<E>(self, word: &'de str) -> Result<Self::Value, E> {
                Ok(ServesJson::Word(Text(word.into())))
            }

            fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
                Ok(ServesJson::Word(Text(word.to_owned().into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut hosts = Vec::new();
                while let Some(Text(host)) = seq.next_element()? {
                    if hosts.len() == MAX_HOSTS {
                        return Err(A::Error::custom("too many hosts"));
                    }
                    hosts.push(host.into_owned());
                }
                hosts.shrink_to_fit();
                Ok(ServesJson::Hosts(hosts))
            }
        }

        deserializer.deserialize_any(OfServes)
    }
}

/// The entries of a list, each checked as soon as it is read, so that only relays take memory; or what is wrong with the
/// first that is none.
struct EntriesIn(Result<Vec<RelayDescriptor>, RelayListError>);

impl<'de> Deserialize<'de> for EntriesIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = EntriesIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("entries of relays")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<EntriesIn, A::Error> {
                let mut relays = Vec::new();
                let mut hosts: usize = 0;
                while let Some(entry) = seq.next_element::<EntryJson<'de>>()? {
                    match entry.decide(relays.len() + 1) {
                        Ok(relay) => {
                            hosts += relay.serves.hosts().len();
                            if hosts > MAX_HOSTS {
                                return Err(A::Error::custom("too many hosts"));
                            }
                            relays.push(relay);
                        }
                        Err(why) => {
                            while seq.next_element::<IgnoredAny>()?.is_some() {}
                            return Ok(EntriesIn(Err(why)));
                        }
                    }
                }
                Ok(EntriesIn(Ok(relays)))
            }
        }

        deserializer.deserialize_seq(Entries)
    }
}

#[derive(Deserialize)]
struct VersionJson {
    version: u32,
}

impl RelayList {
    /// Reads a list and checks that it can be used at `now` (unix seconds).
    ///
    /// # Errors
    /// [`RelayListError`] with the first reason found.
    pub fn parse(bytes: &[u8], now: u64) -> Result<Self, RelayListError> {
        let list = Self::read(bytes)?;
        if now >= list.expires {
            return Err(RelayListError::Expired);
        }
        Ok(list)
    }

    /// Reads a list, whether its time has passed or not.
    ///
    /// # Errors
    /// [`RelayListError`] with the first reason found.
    pub fn read(bytes: &[u8]) -> Result<Self, RelayListError> {
        if bytes.len() > MAX_LIST_LEN {
            return Err(RelayListError::TooLong);
        }
        let version: VersionJson = json::parse(bytes, LIMITS)?;
        if version.version != 1 {
            return Err(RelayListError::Newer);
        }
        let raw: ListIn = json::parse(bytes, LIMITS)?;
        let list = Self {
            name: raw.name,
            issued: raw.issued,
            expires: raw.expires,
            relays: raw.relays.0?,
        };
        list.check()?;
        Ok(list)
    }

    /// Joins entries into a list that is good from `issued` until `expires` (unix seconds).
    ///
    /// # Errors
    /// [`RelayListError`] when there are fewer than three, or one twice.
    pub fn join(
        name: &str,
        issued: u64,
        expires: u64,
        relays: Vec<RelayDescriptor>,
    ) -> Result<Self, RelayListError> {
        let list = Self {
            name: name.to_owned(),
            issued,
            expires,
            relays,
        };
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), RelayListError> {
        if self.expires <= self.issued {
            return Err(RelayListError::Backwards);
        }
        let mut keys: Vec<_> = self.relays.iter().map(|relay| relay.key).collect();
        keys.sort_unstable();
        if keys
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one == other))
        {
            return Err(RelayListError::DuplicateRelay);
        }
        if self.relays.len() < 3 {
            return Err(RelayListError::TooFew(self.relays.len()));
        }
        Ok(())
    }

    /// The list as a file holds it.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.written()).expect("plain fields serialise") + "\n"
    }

    fn written(&self) -> ListOut<'_> {
        ListOut {
            version: 1,
            name: &self.name,
            issued: self.issued,
            expires: self.expires,
            relays: self.relays.iter().map(EntryJson::of).collect(),
        }
    }

    /// The list as short as it can be, for a list that no person writes or reads.
    #[must_use]
    pub(crate) fn to_compact_json(&self) -> String {
        serde_json::to_string(&self.written()).expect("plain fields serialise")
    }

    /// The relay with this key.
    #[must_use]
    pub fn find(&self, key: &Ed25519Public) -> Option<&RelayDescriptor> {
        self.relays.iter().find(|relay| relay.key == *key)
    }
}

impl RelayDescriptor {
    /// Reads one entry, as `cloak relay` prints it.
    ///
    /// # Errors
    /// [`RelayListError::Malformed`], [`RelayListError::Entry`] or [`RelayListError::TooLong`].
    pub fn parse(json: &str) -> Result<Self, RelayListError> {
        if json.len() > MAX_LIST_LEN {
            return Err(RelayListError::TooLong);
        }
        let raw: EntryJson<'_> = json::parse(json.as_bytes(), LIMITS)?;
        raw.decide(1)
    }

    /// The entry as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&EntryJson::of(self)).expect("plain fields serialise")
    }
}

impl From<JsonError> for RelayListError {
    fn from(why: JsonError) -> Self {
        Self::Malformed(why.to_string())
    }
}

impl<'a> EntryJson<'a> {
    fn of(relay: &'a RelayDescriptor) -> Self {
        let made = |text: String| Text(text.into());
        Self {
            ed25519: made(relay.key.to_hex()),
            x25519: made(relay.key.to_x25519().to_hex()),
            host: made(relay.host.to_string()),
            port: relay.port,
            operator: Text(relay.operator.as_str().into()),
            serves: ServesJson::of(&relay.serves),
        }
    }

    fn decide(self, index: usize) -> Result<RelayDescriptor, RelayListError> {
        let wrong = |what| RelayListError::Entry { index, what };
        let key = Ed25519Public::from_hex(&self.ed25519.0)
            .map_err(|_why| wrong("ed25519 is not a usable key"))?;
        let x25519 =
            X25519Public::from_hex(&self.x25519.0).map_err(|_why| wrong("x25519 is not a key"))?;
        if x25519 != key.to_x25519() {
            return Err(wrong("x25519 is not the conversion of ed25519"));
        }
        let host = self
            .host
            .0
            .parse()
            .map_err(|_why| wrong("host is not an IP address"))?;
        if self.port == 0 {
            return Err(wrong("port is 0"));
        }
        if self.operator.0.len() > MAX_OPERATOR_LEN {
            return Err(wrong("operator is longer than 64 bytes"));
        }
        let serves = self
            .serves
            .decide()
            .ok_or_else(|| wrong("serves is neither any, none nor a list of hosts"))?;
        Ok(RelayDescriptor {
            key,
            host,
            port: self.port,
            operator: self.operator.0.into_owned(),
            serves,
        })
    }
}

/// Whether `signature` is the list key's over exactly these bytes.
#[must_use]
pub(crate) fn signature_is_good(
    list_key: &Ed25519Public,
    list: &[u8],
    signature: &[u8; 64],
) -> bool {
    list_key.verify(&signed_message(list), signature)
}

/// The 128 hex digits that stand beside a list of exactly these bytes.
#[must_use]
pub fn sign(list_key: &Identity, list: &[u8]) -> String {
    HEXLOWER.encode(&list_key.sign(&signed_message(list)))
}

fn signed_message(list: &[u8]) -> Vec<u8> {
    [b"cloakroom relay list v1\n", list].concat()
}

/// Bytes a list may have.
pub const MAX_LIST_LEN: usize = 1_048_576;
pub(super) const MAX_OPERATOR_LEN: usize = 64;
/// The most hosts that all relays of a list together may name.
const MAX_HOSTS: usize = 2_048;
const LIMITS: TextLimits = TextLimits {
    text: MAX_LIST_LEN,
    string: 1_024,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(seed: u8) -> RelayDescriptor {
        RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([127, 0, 0, 1]),
            port: 9_000 + u16::from(seed),
            operator: String::new(),
            serves: Serves::Hosts(vec!["127.0.0.1".to_owned()]),
        }
    }

    #[test]
    fn a_list_survives_its_file() {
        let list = RelayList::join("home", 100, 200, vec![relay(1), relay(2), relay(3)]).unwrap();
        let compact = list.to_compact_json();
        assert!(compact.len() < list.to_json().len() && !compact.contains([' ', '\n']));
        for text in [compact, list.to_json()] {
            assert_eq!(RelayList::parse(text.as_bytes(), 150), Ok(list.clone()));
        }
    }

    #[test]
    fn every_refusal_says_why() {
        let good = RelayList::join("home", 100, 200, vec![relay(1), relay(2), relay(3)]).unwrap();
        let text = good.to_json();
        assert_eq!(
            RelayList::parse(text.as_bytes(), 200),
            Err(RelayListError::Expired)
        );
        assert_eq!(
            RelayList::join("x", 2, 2, vec![relay(1), relay(2), relay(3)]),
            Err(RelayListError::Backwards)
        );
        assert_eq!(
            RelayList::join("x", 1, 2, vec![relay(1), relay(2)]),
            Err(RelayListError::TooFew(2))
        );
        assert_eq!(
            RelayList::join("x", 1, 2, vec![relay(1), relay(2), relay(1)]),
            Err(RelayListError::DuplicateRelay)
        );
        assert_eq!(
            RelayList::parse(
                text.replace("\"version\": 1", "\"version\": 2").as_bytes(),
                150
            ),
            Err(RelayListError::Newer)
        );
        assert!(matches!(
            RelayList::parse(b"[]", 150),
            Err(RelayListError::Malformed(_))
        ));
        let swapped = text.replace(
            &relay(1).key.to_x25519().to_hex(),
            &relay(2).key.to_x25519().to_hex(),
        );
        assert!(matches!(
            RelayList::parse(swapped.as_bytes(), 150),
            Err(RelayListError::Entry { index: 1, .. })
        ));
        let named = text.replace(
            "127.0.0.1\",\n      \"port\": 9002",
            "relay.example\",\n      \"port\": 9002",
        );
        assert!(matches!(
            RelayList::parse(named.as_bytes(), 150),
            Err(RelayListError::Entry { index: 2, .. })
        ));
        assert_eq!(
            RelayList::parse(&vec![b' '; MAX_LIST_LEN + 1], 1),
            Err(RelayListError::TooLong)
        );
    }

    #[test]
    fn the_published_signature_is_good_and_any_change_is_not() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/cloakroom.json")).unwrap();
        let vector = &vectors["relay_list_signature"];
        let key = Ed25519Public::from_hex(vector["list_key"].as_str().unwrap()).unwrap();
        let list = vector["list"].as_str().unwrap().as_bytes();
        let signature: [u8; 64] = HEXLOWER
            .decode(vector["sig"].as_str().unwrap().as_bytes())
            .unwrap()
            .try_into()
            .unwrap();
        assert!(signature_is_good(&key, list, &signature));
        // A made one is a good one, and the same key always makes the same one.
        let made = sign(&Identity::from_seed([7; 32]), list);
        let bytes = HEXLOWER.decode(made.as_bytes()).unwrap();
        assert!(signature_is_good(
            &Identity::from_seed([7; 32]).public(),
            list,
            &bytes.try_into().unwrap()
        ));
        assert!(!signature_is_good(&key, &list[1..], &signature));
    }

    #[test]
    fn a_host_is_served_by_name_or_not_at_all() {
        assert!(Serves::Any.includes("files.example"));
        assert!(!Serves::None.includes("files.example"));
        assert!(Serves::Hosts(vec!["Files.example".to_owned()]).includes("files.example"));
        assert!(!Serves::Hosts(vec!["files.example".to_owned()]).includes("evil.files.example"));
    }
}
