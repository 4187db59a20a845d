//! The register as bytes, for whoever keeps it: private JSON types with a version, checked while they are read. The bytes hold the
//! join words and access words: they are for their owner's eyes.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::announcement::RelayDetails;
use super::register::{
    DrawnAccess, IssuedList, JoinStanding, MissedLooks, NetworkRules, RegisteredRelay,
    RelayRegister,
};
use super::renewed::{OldWord, RenewedWord};
use crate::protocol::capability::{AccessWord, JoinWord};
use crate::protocol::file_api::SignedList;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{RelayDescriptor, RelayList, signature_is_good};

/// Why stored bytes are no register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredRegisterError {
    /// They are not what this program writes.
    #[error("it is damaged")]
    Malformed,
    /// A newer version wrote them: they must not be written over.
    #[error("it was written by a newer version")]
    Newer,
    /// They belong to a network whose list another key signs.
    #[error("it belongs to a network whose list another key signs")]
    OtherListKey,
    /// They belong to another server.
    #[error("it belongs to another server")]
    OtherServer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterJson {
    version: u32,
    server: String,
    /// Key that signs the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list_key: Option<String>,
    join_word: String,
    #[serde(default)]
    join_word_drawn: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    old_join_words: Vec<OldWordJson>,
    /// Absent while the word of the settings counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<AccessJson>,
    relays: Vec<RelayJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocked: Vec<BlockedJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    newcomers: Vec<u64>,
    last_issued: u64,
    #[serde(default)]
    clock_accepted: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_round: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<ListJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier_lists: Vec<ListJson>,
}

#[derive(Serialize, Deserialize)]
struct OldWordJson {
    word: String,
    #[serde(default)]
    drawn: u64,
    ends: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessJson {
    in_place_of: String,
    word: String,
    #[serde(default)]
    drawn: u64,
    old_words: Vec<OldWordJson>,
}

#[derive(Serialize, Deserialize)]
struct RelayJson {
    /// Its entry as a relay list has it.
    entry: String,
    at_ms: u64,
    standing: StandingJson,
    #[serde(default)]
    decided: u64,
    joined: u64,
    answered: u64,
    /// The same as `answered` when it is absent.
    #[serde(default)]
    missed_since: Option<u64>,
    missed: u32,
    #[serde(default)]
    missed_hour: u64,
}

#[derive(Serialize, Deserialize)]
struct BlockedJson {
    key: String,
    /// Its entry as a relay list has it; absent when it was blocked before it joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StandingJson {
    Joined,
    Removed,
    Waiting,
}

#[derive(Serialize, Deserialize)]
struct ListJson {
    list: String,
    signature: String,
}

#[derive(Deserialize)]
struct RegisterVersionJson {
    version: u32,
}

impl RelayRegister {
    /// The register as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        to_vec(&self.to_json())
    }

    /// The register as bytes for the servers that keep it together: without what concerns this server alone. Registers
    /// that say the same have the same bytes.
    pub(super) fn to_shared_bytes(&self) -> Zeroizing<Vec<u8>> {
        to_vec(&RegisterJson {
            last_round: None,
            ..self.to_json()
        })
    }

    fn to_json(&self) -> RegisterJson {
        RegisterJson {
            version: VERSION,
            server: self.rules.server.key.to_hex(),
            list_key: Some(self.rules.signer.key().to_hex()),
            join_word: self.join_words.current.to_hex().to_string(),
            join_word_drawn: self.join_words.drawn,
            old_join_words: old_words(&self.join_words, |word| word.to_hex().to_string()),
            access: self.drawn_access.as_ref().map(AccessJson::of),
            relays: self
                .relays
                .iter()
                .map(|(key, relay)| RelayJson::of(key, relay))
                .collect(),
            blocked: self.blocked.iter().map(BlockedJson::of).collect(),
            newcomers: self.newcomers.clone(),
            last_issued: self.last_issued,
            clock_accepted: self.clock_accepted,
            last_round: self.last_round,
            list: self.list.as_ref().map(ListJson::of),
            earlier_lists: self.earlier.iter().map(ListJson::of).collect(),
        }
    }

    /// Reads what [`Self::to_bytes`] made. The rules may have changed since: a list that another key has signed is
    /// forgotten, and a new one is signed with the next [`Self::issue`].
    ///
    /// # Errors
    /// [`StoredRegisterError`].
    pub fn from_bytes(rules: NetworkRules, bytes: &[u8]) -> Result<Self, StoredRegisterError> {
        let json = RegisterJson::parse(bytes)?;
        Self::read(rules, json)
    }

    /// Reads what [`Self::to_shared_bytes`] made, for whoever keeps the register together with its author.
    ///
    /// # Errors
    /// [`StoredRegisterError`].
    pub(super) fn from_shared_bytes(
        rules: NetworkRules,
        bytes: &[u8],
    ) -> Result<Self, StoredRegisterError> {
        let json = RegisterJson::parse(bytes)?;
        let list_key = json.list_key.as_deref().map(key).transpose()?;
        if list_key.is_some_and(|key| key != rules.signer.key()) {
            return Err(StoredRegisterError::OtherListKey);
        }
        Self::read(rules, json)
    }

    fn read(rules: NetworkRules, json: RegisterJson) -> Result<Self, StoredRegisterError> {
        if key(&json.server)? != rules.server.key {
            return Err(StoredRegisterError::OtherServer);
        }
        let list = json.list.and_then(|list| list.read(&rules));
        let earlier = json.earlier_lists.into_iter();
        let earlier = earlier.filter_map(|list| list.read(&rules)).collect();
        let relays = json.relays.into_iter().map(RelayJson::read);
        let blocked = json.blocked.iter().map(BlockedJson::read);
        let drawn_access = json.access.as_ref().map(AccessJson::read).transpose()?;
        // Once the operator writes another word into the settings, that one counts.
        let drawn_access = drawn_access.filter(|drawn| {
            let asked = rules.access_word.as_ref();
            asked == Some(&drawn.in_place_of) || asked == Some(&drawn.words.current)
        });
        let join_words = read_words(
            &json.join_word,
            json.join_word_drawn,
            &json.old_join_words,
            word,
        )?;
        let mut register = Self::empty(rules, join_words);
        register.drawn_access = drawn_access;
        register.relays = relays.collect::<Result<BTreeMap<_, _>, _>>()?;
        register.blocked = blocked.collect::<Result<BTreeMap<_, _>, _>>()?;
        register.newcomers = json.newcomers;
        register.last_issued = json.last_issued;
        register.clock_accepted = json.clock_accepted;
        register.last_round = json.last_round;
        register.list = list;
        register.earlier = earlier;
        Ok(register)
    }
}

fn to_vec(json: &RegisterJson) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec_pretty(json).expect("plain fields serialise"))
}

impl RegisterJson {
    fn parse(bytes: &[u8]) -> Result<Self, StoredRegisterError> {
        let malformed = |_why| StoredRegisterError::Malformed;
        let version: RegisterVersionJson = serde_json::from_slice(bytes).map_err(malformed)?;
        if version.version > VERSION {
            return Err(StoredRegisterError::Newer);
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }
}

fn old_words<W>(words: &RenewedWord<W>, text: impl Fn(&W) -> String) -> Vec<OldWordJson> {
    let old = words.old.iter().map(|old| OldWordJson {
        word: text(&old.word),
        drawn: old.drawn,
        ends: old.ends,
    });
    old.collect()
}

fn read_words<W>(
    current: &str,
    drawn: u64,
    old: &[OldWordJson],
    read: impl Fn(&str) -> Result<W, StoredRegisterError>,
) -> Result<RenewedWord<W>, StoredRegisterError> {
    let old = old.iter().map(|old| {
        Ok(OldWord {
            word: read(&old.word)?,
            drawn: old.drawn,
            ends: old.ends,
        })
    });
    Ok(RenewedWord {
        current: read(current)?,
        drawn,
        old: old.collect::<Result<_, _>>()?,
    })
}

impl AccessJson {
    fn of(drawn: &DrawnAccess) -> Self {
        Self {
            in_place_of: drawn.in_place_of.as_str().to_owned(),
            word: drawn.words.current.as_str().to_owned(),
            drawn: drawn.words.drawn,
            old_words: old_words(&drawn.words, |word| word.as_str().to_owned()),
        }
    }

    fn read(&self) -> Result<DrawnAccess, StoredRegisterError> {
        let word =
            |text: &str| AccessWord::parse(text).map_err(|_why| StoredRegisterError::Malformed);
        Ok(DrawnAccess {
            in_place_of: word(&self.in_place_of)?,
            words: read_words(&self.word, self.drawn, &self.old_words, word)?,
        })
    }
}

impl RelayJson {
    fn of(key: &Ed25519Public, relay: &RegisteredRelay) -> Self {
        Self {
            entry: relay.details.describe(*key).to_json(),
            at_ms: relay.at_ms,
            standing: match relay.standing {
                JoinStanding::Joined => StandingJson::Joined,
                JoinStanding::Removed => StandingJson::Removed,
                JoinStanding::Waiting => StandingJson::Waiting,
            },
            decided: relay.decided,
            joined: relay.joined,
            answered: relay.answered,
            missed_since: Some(relay.missed.since),
            missed: relay.missed.count,
            missed_hour: relay.missed.hour,
        }
    }

    fn read(self) -> Result<(Ed25519Public, RegisteredRelay), StoredRegisterError> {
        let (key, details) = read_entry(&self.entry)?;
        let relay = RegisteredRelay {
            details,
            at_ms: self.at_ms,
            standing: match self.standing {
                StandingJson::Joined => JoinStanding::Joined,
                StandingJson::Removed => JoinStanding::Removed,
                StandingJson::Waiting => JoinStanding::Waiting,
            },
            decided: self.decided,
            joined: self.joined,
            answered: self.answered,
            missed: MissedLooks {
                since: self.missed_since.unwrap_or(self.answered),
                count: self.missed,
                hour: self.missed_hour,
            },
        };
        Ok((key, relay))
    }
}

impl BlockedJson {
    fn of((key, details): (&Ed25519Public, &Option<RelayDetails>)) -> Self {
        let entry = details.as_ref().map(|details| details.describe(*key));
        Self {
            key: key.to_hex(),
            entry: entry.map(|entry| entry.to_json()),
        }
    }

    fn read(&self) -> Result<(Ed25519Public, Option<RelayDetails>), StoredRegisterError> {
        let details = self.entry.as_deref().map(read_entry).transpose()?;
        Ok((key(&self.key)?, details.map(|(_, details)| details)))
    }
}

impl ListJson {
    fn of(held: &IssuedList) -> Self {
        Self {
            list: held.signed.list.clone(),
            signature: held.signed.signature.clone(),
        }
    }

    fn read(self, rules: &NetworkRules) -> Option<IssuedList> {
        let signature = HEXLOWER.decode(self.signature.as_bytes()).ok()?;
        let list_key = rules.signer.key();
        if !signature_is_good(
            &list_key,
            self.list.as_bytes(),
            signature[..].try_into().ok()?,
        ) {
            return None;
        }
        Some(IssuedList {
            list: RelayList::read(self.list.as_bytes()).ok()?,
            signed: SignedList {
                list: self.list,
                signature: self.signature,
            },
        })
    }
}

fn read_entry(json: &str) -> Result<(Ed25519Public, RelayDetails), StoredRegisterError> {
    let entry = RelayDescriptor::parse(json).map_err(|_why| StoredRegisterError::Malformed)?;
    let details = RelayDetails {
        host: entry.host,
        port: entry.port,
        operator: entry.operator,
        serves: entry.serves,
    };
    Ok((entry.key, details))
}

fn key(hex: &str) -> Result<Ed25519Public, StoredRegisterError> {
    Ed25519Public::from_hex(hex).map_err(|_why| StoredRegisterError::Malformed)
}

fn word(hex: &str) -> Result<JoinWord, StoredRegisterError> {
    JoinWord::from_hex(hex).ok_or(StoredRegisterError::Malformed)
}

const VERSION: u32 = 1;
