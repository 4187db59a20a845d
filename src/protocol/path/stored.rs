//! The memory as JSON, for whoever stores it: with a version, and checked while it is read.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::GUARD_SECS;
use super::memory::{Doubt, KeptGuard, RelayMemory, RelayRecord};
use crate::protocol::keys::Ed25519Public;

/// Why a stored memory is not used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum StoredError {
    /// The bytes are not JSON of the expected shape, or a key in them is none.
    #[error("not a memory of relays")]
    Malformed,
    /// A newer version wrote it: it must not be written over.
    #[error("written by a newer version")]
    Newer,
}

#[derive(Serialize, Deserialize)]
struct MemoryJson {
    version: u32,
    /// 64 hexadecimal digits; absent until a path was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    guards: Vec<KeptGuard>,
    relays: BTreeMap<Ed25519Public, RelayRecord>,
    new_guards: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<Doubt>,
}

#[derive(Deserialize)]
struct MemoryVersionJson {
    version: u32,
}

/// What version 1, which had other rules, tells of who saw this client where.
#[derive(Deserialize)]
struct FirstMemoryJson {
    guards: Vec<FirstGuardJson>,
    former: Vec<FirstFormerJson>,
    relays: Vec<FirstRecordJson>,
    new_guards: Vec<u64>,
}

#[derive(Deserialize)]
struct FirstGuardJson {
    relay: Ed25519Public,
    since: u64,
    used: u64,
}

#[derive(Deserialize)]
struct FirstFormerJson {
    relay: Ed25519Public,
    served_until: u64,
    /// Until when it is no guard again.
    barred_until: u64,
}

#[derive(Deserialize)]
struct FirstRecordJson {
    relay: Ed25519Public,
    worked: Option<u64>,
    stood: Option<u64>,
}

impl RelayMemory {
    /// The memory as a JSON value.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let json = MemoryJson {
            version: VERSION,
            secret: self.secret.map(|secret| HEXLOWER.encode(&secret)),
            guards: self.guards.clone(),
            relays: self.records.clone(),
            new_guards: self.new_guards.clone(),
            doubts: self.doubts.clone(),
        };
        serde_json::to_value(json).expect("plain fields serialise")
    }

    /// Reads what [`RelayMemory::to_json`] made, or a memory of version 1, of which stays who was guard and who stood
    /// elsewhere.
    ///
    /// # Errors
    /// [`StoredError`].
    pub(crate) fn from_json(json: &serde_json::Value) -> Result<Self, StoredError> {
        let malformed = |_why| StoredError::Malformed;
        let version = MemoryVersionJson::deserialize(json)
            .map_err(malformed)?
            .version;
        match version {
            0 | 1 => Ok(FirstMemoryJson::deserialize(json)
                .map_err(malformed)?
                .into()),
            VERSION => MemoryJson::deserialize(json).map_err(malformed)?.decide(),
            _ => Err(StoredError::Newer),
        }
    }
}

impl MemoryJson {
    fn decide(self) -> Result<RelayMemory, StoredError> {
        Ok(RelayMemory {
            secret: self.secret.as_deref().map(secret).transpose()?,
            guards: self.guards,
            records: self.relays,
            new_guards: self.new_guards,
            doubts: self.doubts,
        })
    }
}

impl From<FirstMemoryJson> for RelayMemory {
    fn from(json: FirstMemoryJson) -> Self {
        let mut memory = Self {
            new_guards: json.new_guards,
            ..Self::new()
        };
        for FirstRecordJson {
            relay,
            worked,
            stood,
        } in json.relays
        {
            let record = memory.record_mut(relay);
            (record.worked, record.stood) = (worked, stood);
        }
        for former in json.former {
            let record = memory.record_mut(former.relay);
            record.asked = Some(former.served_until);
            record.dropped = Some(former.barred_until.saturating_sub(GUARD_SECS));
        }
        for FirstGuardJson { relay, since, used } in json.guards {
            memory.record_mut(relay).asked = Some(used.max(since));
            memory.guards.push(KeptGuard { relay, since });
        }
        memory
    }
}

fn secret(hex: &str) -> Result<[u8; 32], StoredError> {
    let bytes = HEXLOWER.decode(hex.as_bytes()).ok();
    let secret = bytes.and_then(|bytes| bytes.try_into().ok());
    secret.ok_or(StoredError::Malformed)
}

/// The version that is written.
const VERSION: u32 = 2;
