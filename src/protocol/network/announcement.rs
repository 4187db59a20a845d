//! What a relay says of itself when it joins a network or changes: its entry, signed by its own key for one server, so that
//! nobody can list a relay at another address.
//!
//! The entry is one line of JSON, `{"ed25519","host","port","operator","serves","at"}`, in exactly this form. The signature is
//! Ed25519 over `cloakroom relay join v1` ‖ the server's key (32 bytes) ‖ the entry's bytes. Both travel as
//! `{"entry":"…","signature":"<128 hex>"}`.

use core::net::IpAddr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::protocol::json::{self, JsonError, Text, TextLimits};
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::relay_list::{MAX_OPERATOR_LEN, RelayDescriptor, Serves, ServesJson};

/// Where a relay is, who runs it and what it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayDetails {
    /// IP address of the relay.
    pub host: IpAddr,
    /// TCP port, not 0.
    pub port: u16,
    /// Name of the relay's operator, at most 64 bytes; empty means unnamed. A stranger's text.
    pub operator: String,
    /// Hosts for which the relay will be the last of a path.
    pub serves: Serves,
}

impl RelayDetails {
    /// The entry of a relay list with these details.
    #[must_use]
    pub fn describe(&self, key: Ed25519Public) -> RelayDescriptor {
        RelayDescriptor {
            key,
            host: self.host,
            port: self.port,
            operator: self.operator.clone(),
            serves: self.serves.clone(),
        }
    }
}

/// What a relay says of itself. Only [`SignedAnnouncement::verify`] makes one: its relay's key has signed it for this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayAnnouncement {
    key: Ed25519Public,
    details: RelayDetails,
    at_ms: u64,
}

impl RelayAnnouncement {
    /// Identity of the relay.
    #[must_use]
    pub const fn key(&self) -> &Ed25519Public {
        &self.key
    }

    /// What the relay says of itself.
    #[must_use]
    pub const fn details(&self) -> &RelayDetails {
        &self.details
    }

    /// When the relay signed it, by its own clock, in unix milliseconds.
    #[must_use]
    pub const fn at_ms(&self) -> u64 {
        self.at_ms
    }

    pub(super) fn into_details(self) -> RelayDetails {
        self.details
    }
}

/// An announcement as it travels. Nothing in it counts before [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAnnouncement {
    entry: String,
    signature: [u8; 64],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnouncedEntryJson<'a> {
    #[serde(borrow)]
    ed25519: Text<'a>,
    #[serde(borrow)]
    host: Text<'a>,
    port: u16,
    #[serde(borrow)]
    operator: Text<'a>,
    #[serde(borrow)]
    serves: ServesJson<'a>,
    at: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedJson<'a> {
    #[serde(borrow)]
    entry: Text<'a>,
    #[serde(borrow)]
    signature: Text<'a>,
}

impl SignedAnnouncement {
    /// Signs what the relay `identity` says of itself to the server with the key `server`. `at_ms` (unix milliseconds) must
    /// grow with every announcement: see [`next_at_ms`].
    #[must_use]
    pub fn sign(
        details: &RelayDetails,
        at_ms: u64,
        server: &Ed25519Public,
        identity: &Identity,
    ) -> Self {
        let entry = write_entry(&identity.public(), details, at_ms);
        let signature = identity.sign(&signed_message(server, &entry));
        Self { entry, signature }
    }

    /// Reads the body of `POST /relays/join`.
    ///
    /// # Errors
    /// [`AnnouncementError`]; the signature is not checked here.
    pub fn parse(body: &[u8]) -> Result<Self, AnnouncementError> {
        let raw: SignedJson<'_> = json::parse(body, TextLimits::of(MAX_BODY_LEN))?;
        if raw.entry.0.len() > MAX_ENTRY_LEN {
            return Err(AnnouncementError::TooLong);
        }
        let signature = HEXLOWER
            .decode(raw.signature.0.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(AnnouncementError::Field("signature is not 128 hex digits"))?;
        Ok(Self {
            entry: raw.entry.0.into_owned(),
            signature,
        })
    }

    /// The body of `POST /relays/join`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let raw = SignedJson {
            entry: Text(self.entry.as_str().into()),
            signature: Text(HEXLOWER.encode(&self.signature).into()),
        };
        serde_json::to_string(&raw).expect("plain fields serialise")
    }

    /// The entry, and whether the relay that it names has signed it for the server with the key `server`.
    ///
    /// # Errors
    /// [`AnnouncementError`] with the first reason found.
    pub fn verify(&self, server: &Ed25519Public) -> Result<RelayAnnouncement, AnnouncementError> {
        let announcement = read_entry(&self.entry)?;
        let message = signed_message(server, &self.entry);
        if announcement.key.verify(&message, &self.signature) {
            Ok(announcement)
        } else {
            Err(AnnouncementError::WronglySigned)
        }
    }
}

/// The time of a relay's next announcement: that of its clock, and later than `last_at_ms` although the clock may have gone back.
/// `last_at_ms` is the time of the last announcement that the server accepted, not of one that it refused. Unix milliseconds.
#[must_use]
pub fn next_at_ms(last_at_ms: Option<u64>, now_ms: u64) -> u64 {
    let least = last_at_ms.map_or(0, |last| last.saturating_add(1));
    now_ms.max(least)
}

fn write_entry(key: &Ed25519Public, details: &RelayDetails, at_ms: u64) -> String {
    let raw = AnnouncedEntryJson {
        ed25519: Text(key.to_hex().into()),
        host: Text(details.host.to_string().into()),
        port: details.port,
        operator: Text(details.operator.as_str().into()),
        serves: ServesJson::of(&details.serves),
        at: at_ms,
    };
    serde_json::to_string(&raw).expect("plain fields serialise")
}

fn read_entry(entry: &str) -> Result<RelayAnnouncement, AnnouncementError> {
    let bad = |what| AnnouncementError::Field(what);
    let raw: AnnouncedEntryJson<'_> = json::parse(entry.as_bytes(), TextLimits::of(MAX_ENTRY_LEN))?;
    let key = Ed25519Public::from_hex(&raw.ed25519.0)
        .map_err(|_why| bad("ed25519 is not a usable key"))?;
    let host = raw
        .host
        .0
        .parse()
        .map_err(|_why| bad("host is not an IP address"))?;
    if raw.port == 0 {
        return Err(bad("port is 0"));
    }
    if raw.operator.0.len() > MAX_OPERATOR_LEN {
        return Err(bad("operator is longer than 64 bytes"));
    }
    let details = RelayDetails {
        host,
        port: raw.port,
        operator: raw.operator.0.into_owned(),
        serves: raw
            .serves
            .decide()
            .ok_or_else(|| bad("serves is neither any, none nor a list of hosts"))?,
    };
    // One entry has one text, so that a signature stands for one meaning.
    if write_entry(&key, &details, raw.at) != entry {
        return Err(AnnouncementError::NotCanonical);
    }
    Ok(RelayAnnouncement {
        key,
        details,
        at_ms: raw.at,
    })
}

fn signed_message(server: &Ed25519Public, entry: &str) -> Vec<u8> {
    [
        &b"cloakroom relay join v1"[..],
        server.as_bytes(),
        entry.as_bytes(),
    ]
    .concat()
}

/// Why a body is no announcement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// A field has a form that it may not have.
    #[error("not an announcement: {0}")]
    Field(&'static str),
    /// Not JSON of the expected shape; in the words of the parser, at most 200 characters, some of which can be a stranger's.
    #[error("not an announcement: {0}")]
    Malformed(String),
    /// The entry is not written in its one canonical form.
    #[error("the entry is not in its one canonical form")]
    NotCanonical,
    /// The entry is longer than 1,024 bytes.
    #[error("the entry is longer than {MAX_ENTRY_LEN} bytes")]
    TooLong,
    /// The relay that it names has not signed it for this server.
    #[error("the entry is not signed by its relay for this server")]
    WronglySigned,
}

impl From<JsonError> for AnnouncementError {
    fn from(why: JsonError) -> Self {
        Self::Malformed(why.to_string())
    }
}

/// Bytes that an entry may have.
const MAX_ENTRY_LEN: usize = 1_024;
/// An entry whose every byte is escaped, and its signature.
const MAX_BODY_LEN: usize = 8 * 1_024;
