//! The memory as JSON, for whoever stores it: private types with a version, checked while they are read.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::memory::{Doubt, DoubtWhy, KeptGuard, RelayMemory, RelayRecord, SetAside, Strike};
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
    guards: Vec<GuardJson>,
    relays: Vec<RecordJson>,
    new_guards: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<DoubtJson>,
}

#[derive(Serialize, Deserialize)]
struct GuardJson {
    relay: String,
    since: u64,
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
    relay: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_sample: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stood: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worked: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    yields: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    strikes: Vec<StrikeJson>,
    /// The last ten tries as a guard: `+` worked, `-` failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    tries: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aside: Vec<AsideJson>,
}

#[derive(Serialize, Deserialize)]
struct StrikeJson {
    at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct AsideJson {
    relay: String,
    at: u64,
    by_guard: bool,
}

#[derive(Serialize, Deserialize)]
struct DoubtJson {
    guard: String,
    at: u64,
    why: DoubtWhyJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DoubtWhyJson {
    Broken,
    Silent,
    Unreachable,
}

#[derive(Deserialize)]
struct MemoryVersionJson {
    version: u32,
}

/// What is taken from a memory of version 1, by other rules.
#[derive(Deserialize)]
struct FirstMemoryJson {
    guards: Vec<FirstGuardJson>,
}

#[derive(Deserialize)]
struct FirstGuardJson {
    relay: String,
    since: u64,
    used: u64,
}

impl RelayMemory {
    /// The memory as a JSON value.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let guard = |guard: &KeptGuard| GuardJson {
            relay: guard.relay.to_hex(),
            since: guard.since,
        };
        let records = self.records.iter();
        let json = MemoryJson {
            version: VERSION,
            secret: self.secret.map(|secret| HEXLOWER.encode(&secret)),
            guards: self.guards.iter().map(guard).collect(),
            relays: records
                .map(|(key, record)| RecordJson::of(key, record))
                .collect(),
            new_guards: self.new_guards.clone(),
            doubts: self.doubts.iter().map(DoubtJson::of).collect(),
        };
        serde_json::to_value(json).expect("plain fields serialise")
    }

    /// Reads what [`RelayMemory::to_json`] made, or a memory of version 1, of which the guards stay.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_json(json: &serde_json::Value) -> Result<Self, StoredError> {
        let malformed = |_why| StoredError::Malformed;
        let version = MemoryVersionJson::deserialize(json)
            .map_err(malformed)?
            .version;
        match version {
            0 | 1 => FirstMemoryJson::deserialize(json)
                .map_err(malformed)?
                .decide(),
            VERSION => MemoryJson::deserialize(json).map_err(malformed)?.decide(),
            _ => Err(StoredError::Newer),
        }
    }
}

impl MemoryJson {
    fn decide(self) -> Result<RelayMemory, StoredError> {
        let guard = |guard: GuardJson| {
            let (relay, since) = (key(&guard.relay)?, guard.since);
            Ok(KeptGuard { relay, since })
        };
        Ok(RelayMemory {
            secret: self.secret.as_deref().map(secret).transpose()?,
            guards: read(self.guards, guard)?,
            records: read(self.relays, RecordJson::decide)?.into_iter().collect(),
            new_guards: self.new_guards,
            doubts: read(self.doubts, DoubtJson::decide)?,
        })
    }
}

impl FirstMemoryJson {
    fn decide(self) -> Result<RelayMemory, StoredError> {
        let mut memory = RelayMemory::new();
        for guard in self.guards {
            let relay = key(&guard.relay)?;
            memory.record_mut(relay).asked = Some(guard.used);
            let since = guard.since;
            memory.guards.push(KeptGuard { relay, since });
        }
        Ok(memory)
    }
}

fn read<T, U>(
    items: Vec<T>,
    decide: impl Fn(T) -> Result<U, StoredError>,
) -> Result<Vec<U>, StoredError> {
    items.into_iter().map(decide).collect()
}

fn key(hex: &str) -> Result<Ed25519Public, StoredError> {
    Ed25519Public::from_hex(hex).map_err(|_why| StoredError::Malformed)
}

fn secret(hex: &str) -> Result<[u8; 32], StoredError> {
    let bytes = HEXLOWER.decode(hex.as_bytes()).ok();
    let secret = bytes.and_then(|bytes| bytes.try_into().ok());
    secret.ok_or(StoredError::Malformed)
}

impl RecordJson {
    fn of(key: &Ed25519Public, record: &RelayRecord) -> Self {
        let strike = |strike: &Strike| StrikeJson {
            at: strike.at,
            by: strike.by.map(|by| by.to_hex()),
        };
        let aside = |aside: &SetAside| AsideJson {
            relay: aside.relay.to_hex(),
            at: aside.at,
            by_guard: aside.by_guard,
        };
        let sign = |worked: &bool| if *worked { '+' } else { '-' };
        Self {
            relay: key.to_hex(),
            in_sample: record.in_sample,
            asked: record.asked,
            stood: record.stood,
            worked: record.worked,
            dropped: record.dropped,
            yields: record.yields,
            strikes: record.strikes.iter().map(strike).collect(),
            tries: record.tries.iter().map(sign).collect(),
            aside: record.asides.iter().map(aside).collect(),
        }
    }

    fn decide(self) -> Result<(Ed25519Public, RelayRecord), StoredError> {
        let strike = |strike: StrikeJson| {
            let by = strike.by.as_deref().map(key).transpose()?;
            Ok(Strike { at: strike.at, by })
        };
        let aside = |aside: AsideJson| {
            Ok(SetAside {
                relay: key(&aside.relay)?,
                at: aside.at,
                by_guard: aside.by_guard,
            })
        };
        let record = RelayRecord {
            in_sample: self.in_sample,
            asked: self.asked,
            stood: self.stood,
            worked: self.worked,
            dropped: self.dropped,
            yields: self.yields,
            strikes: read(self.strikes, strike)?,
            tries: self.tries.chars().map(|sign| sign == '+').collect(),
            asides: read(self.aside, aside)?,
        };
        Ok((key(&self.relay)?, record))
    }
}

impl DoubtJson {
    fn of(doubt: &Doubt) -> Self {
        Self {
            guard: doubt.guard.to_hex(),
            at: doubt.at,
            why: match doubt.why {
                DoubtWhy::Broken => DoubtWhyJson::Broken,
                DoubtWhy::Silent => DoubtWhyJson::Silent,
                DoubtWhy::Unreachable => DoubtWhyJson::Unreachable,
            },
        }
    }

    fn decide(self) -> Result<Doubt, StoredError> {
        Ok(Doubt {
            guard: key(&self.guard)?,
            at: self.at,
            why: match self.why {
                DoubtWhyJson::Broken => DoubtWhy::Broken,
                DoubtWhyJson::Silent => DoubtWhy::Silent,
                DoubtWhyJson::Unreachable => DoubtWhy::Unreachable,
            },
        })
    }
}

/// Version 1 had other rules, and is read once.
const VERSION: u32 = 2;
