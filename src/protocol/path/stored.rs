//! The memory as JSON, for whoever stores it: private types with a version, checked while they are read.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::memory::{Doubt, Former, Guard, RelayMemory, RelayRecord, SetAside, Strike};
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
    guards: Vec<GuardJson>,
    former: Vec<FormerJson>,
    kept_back: Vec<String>,
    relays: Vec<RecordJson>,
    new_guards: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<DoubtJson>,
}

#[derive(Serialize, Deserialize)]
struct GuardJson {
    relay: String,
    since: u64,
    used: u64,
    /// The last ten tries: `+` worked, `-` failed.
    tries: String,
    aside: Vec<AsideJson>,
    yields_until: u64,
}

#[derive(Serialize, Deserialize)]
struct AsideJson {
    relay: String,
    until: u64,
    by_guard: bool,
}

#[derive(Serialize, Deserialize)]
struct FormerJson {
    relay: String,
    served_until: u64,
    barred_until: u64,
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
    relay: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    strikes: Vec<StrikeJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worked: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stood: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct StrikeJson {
    at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
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

impl RelayMemory {
    /// The memory as a JSON value.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let json = MemoryJson {
            version: VERSION,
            guards: self.guards.iter().map(GuardJson::of).collect(),
            former: self.former.iter().map(FormerJson::of).collect(),
            kept_back: self.reserve.iter().map(Ed25519Public::to_hex).collect(),
            relays: self
                .records
                .iter()
                .map(|(key, record)| RecordJson::of(key, record))
                .collect(),
            new_guards: self.new_guards.clone(),
            doubts: self.doubts.iter().map(DoubtJson::of).collect(),
        };
        serde_json::to_value(json).expect("plain fields serialise")
    }

    /// Reads what [`RelayMemory::to_json`] made.
    ///
    /// # Errors
    /// [`StoredError`].
    pub(crate) fn from_json(json: &serde_json::Value) -> Result<Self, StoredError> {
        let malformed = |_why| StoredError::Malformed;
        let version = MemoryVersionJson::deserialize(json)
            .map_err(malformed)?
            .version;
        if version > VERSION {
            return Err(StoredError::Newer);
        }
        let json = MemoryJson::deserialize(json).map_err(malformed)?;
        let memory = Self {
            guards: read(json.guards, GuardJson::decide)?,
            former: read(json.former, FormerJson::decide)?,
            reserve: read(json.kept_back, |hex| key(&hex))?,
            records: read(json.relays, RecordJson::decide)?.into_iter().collect(),
            new_guards: json.new_guards,
            doubts: read(json.doubts, DoubtJson::decide)?,
        };
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

impl GuardJson {
    fn of(guard: &Guard) -> Self {
        let sign = |worked: &bool| if *worked { '+' } else { '-' };
        Self {
            relay: guard.relay.to_hex(),
            since: guard.since,
            used: guard.used,
            tries: guard.outcomes.iter().map(sign).collect(),
            aside: guard
                .asides
                .iter()
                .map(|aside| AsideJson {
                    relay: aside.relay.to_hex(),
                    until: aside.until,
                    by_guard: aside.by_guard,
                })
                .collect(),
            yields_until: guard.yields_until,
        }
    }

    fn decide(self) -> Result<Guard, StoredError> {
        Ok(Guard {
            relay: key(&self.relay)?,
            since: self.since,
            used: self.used,
            outcomes: self.tries.chars().map(|sign| sign == '+').collect(),
            asides: read(self.aside, |aside| {
                Ok(SetAside {
                    relay: key(&aside.relay)?,
                    until: aside.until,
                    by_guard: aside.by_guard,
                })
            })?,
            yields_until: self.yields_until,
        })
    }
}

impl FormerJson {
    fn of(former: &Former) -> Self {
        Self {
            relay: former.relay.to_hex(),
            served_until: former.served_until,
            barred_until: former.barred_until,
        }
    }

    fn decide(self) -> Result<Former, StoredError> {
        Ok(Former {
            relay: key(&self.relay)?,
            served_until: self.served_until,
            barred_until: self.barred_until,
        })
    }
}

impl RecordJson {
    fn of(key: &Ed25519Public, record: &RelayRecord) -> Self {
        Self {
            relay: key.to_hex(),
            strikes: record
                .strikes
                .iter()
                .map(|strike| StrikeJson {
                    at: strike.at,
                    by: strike.by.map(|by| by.to_hex()),
                })
                .collect(),
            worked: record.worked,
            stood: record.stood,
        }
    }

    fn decide(self) -> Result<(Ed25519Public, RelayRecord), StoredError> {
        let strikes = read(self.strikes, |strike| {
            Ok(Strike {
                at: strike.at,
                by: strike.by.as_deref().map(key).transpose()?,
            })
        })?;
        let record = RelayRecord {
            strikes,
            worked: self.worked,
            stood: self.stood,
        };
        Ok((key(&self.relay)?, record))
    }
}

impl DoubtJson {
    fn of((guard, at, doubt): &(Ed25519Public, u64, Doubt)) -> Self {
        Self {
            guard: guard.to_hex(),
            at: *at,
            why: match doubt {
                Doubt::Broken => DoubtWhyJson::Broken,
                Doubt::Silent => DoubtWhyJson::Silent,
                Doubt::Unreachable => DoubtWhyJson::Unreachable,
            },
        }
    }

    fn decide(self) -> Result<(Ed25519Public, u64, Doubt), StoredError> {
        let doubt = match self.why {
            DoubtWhyJson::Broken => Doubt::Broken,
            DoubtWhyJson::Silent => Doubt::Silent,
            DoubtWhyJson::Unreachable => Doubt::Unreachable,
        };
        Ok((key(&self.guard)?, self.at, doubt))
    }
}

const VERSION: u32 = 1;
