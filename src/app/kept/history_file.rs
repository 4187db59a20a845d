//! The history as one sealed file: what an entry holds, and how entries become bytes and back.
//!
//! ```text
//! "cloakroom history" 01 | key id, 16 bytes | nonce, 12 bytes | AES-256-GCM of JSON, padded with spaces to whole 4 KiB | tag
//! ```
//! Everything before the nonce is authenticated too. A decoder that does not understand all of it refuses all of it.

use std::io;
use std::path::PathBuf;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::keystore::{HistoryKey, KeyId};
use crate::disk::kept::{PutAside, Record, UnreadReason};

/// One share or receive. It can hold a pointer: no `Debug`.
#[derive(Clone)]
pub struct HistoryEntry {
    /// Id of the entry.
    pub id: EntryId,
    /// The file's name.
    pub name: String,
    /// Length of its content.
    pub len: u64,
    /// Unix seconds, rounded down to the hour.
    pub hour: u64,
    /// Whether it was shared or received, and what came of it.
    pub what: What,
}

/// Tells an entry from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    /// A fresh one.
    #[must_use]
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(rng.next_u64())
    }
}

/// A share or a receive, finished or not.
#[derive(Clone)]
pub enum What {
    /// A share that was not finished; the server may or may not have the file.
    Sharing {
        /// Paths of the files and folders that are shared as one.
        paths: Vec<PathBuf>,
    },
    /// A receive that was not finished.
    Receiving {
        /// Names the file, and opens it.
        pointer: std::sync::Arc<Zeroizing<String>>,
        /// The sender is told, if they asked to be.
        tell_sender: bool,
        /// Paths of what is wanted of a folder; none for all of it.
        only: Vec<String>,
        /// The server's host, as it is shown.
        server: String,
    },
    /// A finished share.
    Shared {
        /// Opens the file, wherever it is read.
        pointer: std::sync::Arc<Zeroizing<String>>,
        /// Length of the padded blob.
        blob_len: u64,
        /// The server's host, as it is shown.
        server: String,
        /// When the server forgets the file, in unix seconds.
        expires: Option<u64>,
        /// Whether the server is the built-in network's.
        builtin: bool,
    },
    /// A finished receive. Neither server nor pointer is kept: the file is on this computer.
    Received {
        /// Where it was saved.
        path: PathBuf,
    },
}

/// Why a history file cannot be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HistoryFileError {
    /// It was changed, or its key is another one.
    #[error("it is damaged")]
    Damaged,
    /// A newer version wrote it.
    #[error("it was written by a newer version")]
    Newer,
}

impl From<HistoryFileError> for UnreadReason {
    fn from(error: HistoryFileError) -> Self {
        match error {
            HistoryFileError::Damaged => Self::Damaged,
            HistoryFileError::Newer => Self::Newer,
        }
    }
}

/// A history as its file has it. What is inside can be read once the key is there.
pub(crate) struct SealedHistory {
    key_id: KeyId,
    bytes: Vec<u8>,
}

impl SealedHistory {
    /// Seals these entries under a fresh nonce; `None` when there are too many for one file.
    pub(crate) fn seal(
        entries: &[HistoryEntry],
        key_id: KeyId,
        key: &HistoryKey,
        rng: &mut impl CryptoRng,
    ) -> Option<Self> {
        let bytes = seal(entries, key_id, key, rng)?;
        Some(Self { key_id, bytes })
    }

    /// Names the key that opens it.
    pub(crate) const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Returns the entries, oldest first.
    ///
    /// # Errors
    /// [`HistoryFileError`].
    pub(crate) fn open(&self, key: &HistoryKey) -> Result<Vec<HistoryEntry>, HistoryFileError> {
        open(&self.bytes, key)
    }
}

impl Record for SealedHistory {
    type Why = UnreadReason;

    /// Limit for the file's length: much more than all entries need.
    const MAX_LEN_BYTES: u64 = 16 * 1024 * 1024;

    fn parse(bytes: &[u8]) -> Result<Self, UnreadReason> {
        Ok(Self {
            key_id: key_id(bytes)?,
            bytes: bytes.to_vec(),
        })
    }

    fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.bytes.clone()))
    }
}

/// At once: what cannot be opened is of no use, and a new history can be begun.
impl PutAside for SealedHistory {
    const MAX_ASIDE: u32 = 20;

    fn aside_ending(number: u32) -> String {
        format!("{ASIDE}.{number}")
    }
}

/// Start of the file name extension of a history that was put aside.
pub(crate) const ASIDE: &str = ".aside";

/// The hour that a time is in.
#[must_use]
pub const fn hour(unix_secs: u64) -> u64 {
    unix_secs - unix_secs % 3_600
}

const MAGIC: &[u8] = b"cloakroom history";
const VERSION: u8 = 1;
const ID_AT: usize = MAGIC.len() + 1;
const NONCE_AT: usize = ID_AT + 16;
const SEALED_AT: usize = NONCE_AT + 12;
/// The file is padded to a multiple of this many bytes, so that its length tells little about its content.
const STEP: usize = 4_096;

/// The key that a file names.
///
/// # Errors
/// [`HistoryFileError`].
pub(super) fn key_id(file: &[u8]) -> Result<KeyId, HistoryFileError> {
    let version = file
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.first())
        .ok_or(HistoryFileError::Damaged)?;
    if *version > VERSION {
        return Err(HistoryFileError::Newer);
    }
    let id = file.get(ID_AT..NONCE_AT);
    id.and_then(|id| id.try_into().ok())
        .filter(|_| *version == VERSION)
        .map(KeyId)
        .ok_or(HistoryFileError::Damaged)
}

/// The bytes of a file with these entries, under a fresh nonce; none when there are too many for one file.
fn seal(
    entries: &[HistoryEntry],
    id: KeyId,
    key: &HistoryKey,
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut nonce);
    let mut file = Vec::with_capacity(SEALED_AT + room_for(entries) + STEP + 16);
    file.extend_from_slice(MAGIC);
    file.push(VERSION);
    file.extend_from_slice(&id.0);
    file.extend_from_slice(&nonce);
    // With room for all of it, no half-written copy of a pointer stays behind in memory.
    serde_json::to_writer(&mut file, &FileOut::of(entries)).ok()?;
    let plain_len = (file.len() - SEALED_AT).next_multiple_of(STEP);
    file.resize(SEALED_AT + plain_len, b' ');
    let (head, plain) = file.split_at_mut_checked(SEALED_AT)?;
    let tag = key.seal(nonce, head.get(..NONCE_AT)?, plain)?;
    file.extend_from_slice(&tag);
    Some(file)
}

/// The entries of a file.
fn open(file: &[u8], key: &HistoryKey) -> Result<Vec<HistoryEntry>, HistoryFileError> {
    use HistoryFileError::Damaged;
    key_id(file)?;
    let outside = file.get(..NONCE_AT).ok_or(Damaged)?;
    let nonce = file.get(NONCE_AT..SEALED_AT).ok_or(Damaged)?;
    let (sealed, tag) = file
        .get(SEALED_AT..)
        .and_then(<[u8]>::split_last_chunk)
        .ok_or(Damaged)?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let nonce = nonce.try_into().or(Err(Damaged))?;
    key.open(nonce, outside, &mut plain, *tag).ok_or(Damaged)?;
    // Authentic and not understood: by a version that changed the form and not the number.
    let read: FileIn = serde_json::from_slice(&plain).or(Err(HistoryFileError::Newer))?;
    read.entries.into_iter().map(EntryIn::decide).collect()
}

/// The entries in the clear, as JSON for people and programs, with a warning at its head.
pub(crate) fn export(entries: &[HistoryEntry]) -> Option<Zeroizing<Vec<u8>>> {
    #[derive(Serialize)]
    struct Export<'a> {
        note: &'static str,
        #[serde(flatten)]
        file: FileOut<'a>,
    }
    let mut json = Zeroizing::new(Vec::with_capacity(1_024 + 2 * room_for(entries)));
    let export = Export {
        note: "This file holds keys: whoever reads a pointer can fetch and read its file. Times are unix seconds.",
        file: FileOut::of(entries),
    };
    serde_json::to_writer_pretty(&mut *json, &export).ok()?;
    Some(json)
}

/// At least as many bytes as the JSON of these entries has.
fn room_for(entries: &[HistoryEntry]) -> usize {
    // One byte of text is at most six of JSON.
    let text = |entry: &HistoryEntry| match &entry.what {
        What::Receiving {
            pointer,
            only,
            server,
            ..
        } => {
            let only: usize = only.iter().map(|path| path.len() + 4).sum();
            pointer.len() + server.len() + only
        }
        What::Shared {
            pointer, server, ..
        } => pointer.len() + server.len(),
        What::Received { path } => path.as_os_str().len(),
        What::Sharing { paths } => paths.iter().map(|path| path.as_os_str().len() + 4).sum(),
    };
    let of_one = |entry: &HistoryEntry| 6 * (entry.name.len() + text(entry)) + 512;
    256 + entries.iter().map(of_one).sum::<usize>()
}

#[derive(Serialize)]
struct FileOut<'a> {
    entries: Vec<EntryOut<'a>>,
}

#[derive(Serialize)]
struct EntryOut<'a> {
    id: u64,
    name: &'a str,
    len: u64,
    hour: u64,
    #[serde(flatten)]
    what: WhatOut<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum WhatOut<'a> {
    Sharing {
        path: std::borrow::Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        more: Vec<std::borrow::Cow<'a, str>>,
    },
    Receiving {
        pointer: &'a str,
        tell_sender: bool,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        only: &'a [String],
        server: &'a str,
    },
    Shared {
        pointer: &'a str,
        blob_len: u64,
        server: &'a str,
        expires: Option<u64>,
        builtin: bool,
    },
    Received {
        path: std::borrow::Cow<'a, str>,
    },
}

impl<'a> FileOut<'a> {
    fn of(entries: &'a [HistoryEntry]) -> Self {
        Self {
            entries: entries.iter().map(EntryOut::of).collect(),
        }
    }
}

impl<'a> EntryOut<'a> {
    fn of(entry: &'a HistoryEntry) -> Self {
        Self {
            id: entry.id.0,
            name: &entry.name,
            len: entry.len,
            hour: entry.hour,
            what: match &entry.what {
                What::Sharing { paths } => {
                    let mut paths = paths.iter().map(|path| path.to_string_lossy());
                    WhatOut::Sharing {
                        path: paths.next().unwrap_or_default(),
                        more: paths.collect(),
                    }
                }
                What::Receiving {
                    pointer,
                    tell_sender,
                    only,
                    server,
                } => WhatOut::Receiving {
                    pointer,
                    tell_sender: *tell_sender,
                    only,
                    server,
                },
                What::Shared {
                    pointer,
                    blob_len,
                    server,
                    expires,
                    builtin,
                } => WhatOut::Shared {
                    pointer,
                    blob_len: *blob_len,
                    server,
                    expires: *expires,
                    builtin: *builtin,
                },
                What::Received { path } => WhatOut::Received {
                    path: path.to_string_lossy(),
                },
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIn {
    entries: Vec<EntryIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryIn {
    id: u64,
    name: String,
    len: u64,
    hour: u64,
    sharing: Option<SharingIn>,
    receiving: Option<ReceivingIn>,
    shared: Option<SharedIn>,
    received: Option<PathIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceivingIn {
    pointer: String,
    tell_sender: bool,
    #[serde(default)]
    only: Vec<String>,
    server: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedIn {
    pointer: String,
    blob_len: u64,
    server: String,
    expires: Option<u64>,
    builtin: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharingIn {
    path: PathBuf,
    /// Paths of the other files and folders of the same share.
    #[serde(default)]
    more: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathIn {
    path: PathBuf,
}

impl EntryIn {
    fn decide(self) -> Result<HistoryEntry, HistoryFileError> {
        let what = match (self.sharing, self.receiving, self.shared, self.received) {
            (Some(sharing), None, None, None) => What::Sharing {
                paths: std::iter::once(sharing.path).chain(sharing.more).collect(),
            },
            (None, Some(receiving), None, None) => What::Receiving {
                pointer: std::sync::Arc::new(Zeroizing::new(receiving.pointer)),
                tell_sender: receiving.tell_sender,
                only: receiving.only,
                server: receiving.server,
            },
            (None, None, Some(shared), None) => What::Shared {
                pointer: std::sync::Arc::new(Zeroizing::new(shared.pointer)),
                blob_len: shared.blob_len,
                server: shared.server,
                expires: shared.expires,
                builtin: shared.builtin,
            },
            (None, None, None, Some(received)) => What::Received {
                path: received.path,
            },
            _ => return Err(HistoryFileError::Newer),
        };
        Ok(HistoryEntry {
            id: EntryId(self.id),
            name: self.name,
            len: self.len,
            hour: self.hour,
            what,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::wire::random;

    pub(crate) fn shared(id: u64, name: &str) -> HistoryEntry {
        HistoryEntry {
            id: EntryId(id),
            name: name.to_owned(),
            len: 5,
            hour: hour(1_800_000_123),
            what: What::Shared {
                pointer: Arc::new(Zeroizing::new(format!("cloak1secret{id}"))),
                blob_len: 65_536,
                server: "files.example".to_owned(),
                expires: Some(1_801_000_000),
                builtin: false,
            },
        }
    }

    pub(crate) fn received(id: u64, name: &str) -> HistoryEntry {
        HistoryEntry {
            what: What::Received {
                path: PathBuf::from("/home/ada/Downloads").join(name),
            },
            ..shared(id, name)
        }
    }

    pub(crate) fn sharing(id: u64, name: &str) -> HistoryEntry {
        HistoryEntry {
            what: What::Sharing {
                paths: vec![PathBuf::from("/home/ada").join(name)],
            },
            ..shared(id, name)
        }
    }

    pub(crate) fn receiving(id: u64, name: &str) -> HistoryEntry {
        HistoryEntry {
            what: What::Receiving {
                pointer: Arc::new(Zeroizing::new(format!("cloak1secret{id}"))),
                tell_sender: true,
                only: vec!["a/b".to_owned(), "c \u{e9}".to_owned()],
                server: "files.example".to_owned(),
            },
            ..shared(id, name)
        }
    }

    /// Two entries are the same when their JSON is.
    pub(crate) fn json(entries: &[HistoryEntry]) -> String {
        serde_json::to_string(&FileOut::of(entries)).unwrap()
    }

    fn key() -> HistoryKey {
        HistoryKey::from_bytes(vec![7; 32]).unwrap()
    }

    #[test]
    fn entries_come_back_as_they_were() {
        let rng = &mut random::system();
        for entries in [
            vec![],
            vec![shared(1, "a.txt")],
            vec![received(u64::MAX, "\u{1}\"\\ é漢.pdf"), shared(2, "")],
            vec![sharing(1, "é.pdf"), receiving(2, "b")],
            vec![HistoryEntry {
                what: What::Sharing {
                    paths: ["/a", "/é/b", "/c"].map(PathBuf::from).into(),
                },
                ..shared(1, "a, b, …")
            }],
        ] {
            let file = seal(&entries, KeyId([3; 16]), &key(), rng).unwrap();
            assert_eq!(key_id(&file), Ok(KeyId([3; 16])));
            let Ok(read) = open(&file, &key()) else {
                panic!("not opened")
            };
            assert_eq!(json(&read), json(&entries));
        }
    }

    #[test]
    fn the_form_of_an_entry_is_fixed() {
        let path = PathBuf::from("/home/ada/Downloads").join("b");
        assert_eq!(
            json(&[shared(1, "a"), received(2, "b")]),
            "{\"entries\":[{\"id\":1,\"name\":\"a\",\"len\":5,\"hour\":1800000000,\"shared\":{\"pointer\":\"cloak1secret1\",\
             \"blob_len\":65536,\"server\":\"files.example\",\"expires\":1801000000,\"builtin\":false}},\
             {\"id\":2,\"name\":\"b\",\"len\":5,\"hour\":1800000000,\"received\":{\"path\":PATH}}]}"
                .replace("PATH", &serde_json::to_string(&path).unwrap())
        );
        let path = PathBuf::from("/home/ada").join("a");
        assert_eq!(
            json(&[sharing(1, "a"), receiving(2, "b")]),
            "{\"entries\":[{\"id\":1,\"name\":\"a\",\"len\":5,\"hour\":1800000000,\"sharing\":{\"path\":PATH}},\
             {\"id\":2,\"name\":\"b\",\"len\":5,\"hour\":1800000000,\"receiving\":{\"pointer\":\"cloak1secret2\",\
             \"tell_sender\":true,\"only\":[\"a/b\",\"c é\"],\"server\":\"files.example\"}}]}"
                .replace("PATH", &serde_json::to_string(&path).unwrap())
        );
        // All of a folder is wanted where nothing is named.
        let mut whole = receiving(2, "b");
        if let What::Receiving { only, .. } = &mut whole.what {
            only.clear();
        }
        let whole = json(&[whole]);
        assert!(whole.contains("\"tell_sender\":true,\"server\""), "{whole}");
        let read: FileIn = serde_json::from_str(&whole).unwrap();
        let read: Vec<_> = read.entries.into_iter().map(EntryIn::decide).collect();
        assert!(matches!(
            &read[..],
            [Ok(HistoryEntry { what: What::Receiving { only, .. }, .. })] if only.is_empty()
        ));
    }

    #[test]
    fn a_file_shows_nothing_and_repeats_nothing() {
        let rng = &mut random::system();
        let entries = [shared(1, "secret-name.txt")];
        let one = seal(&entries, KeyId([3; 16]), &key(), rng).unwrap();
        let other = seal(&entries, KeyId([3; 16]), &key(), rng).unwrap();
        assert_eq!(one.len(), other.len());
        assert_eq!((one.len() - SEALED_AT - 16) % STEP, 0);
        assert_ne!(one[NONCE_AT..], other[NONCE_AT..]);
        for clear in [&b"secret"[..], b"cloak1", b"files.example"] {
            assert!(!one.windows(clear.len()).any(|window| window == clear));
        }
        let more = [shared(1, "a"), received(2, "b")];
        let more = seal(&more, KeyId([3; 16]), &key(), rng).unwrap();
        assert_eq!(more.len(), one.len(), "two entries look like one");
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let file = seal(
            &[shared(1, "a")],
            KeyId([3; 16]),
            &key(),
            &mut random::system(),
        )
        .unwrap();
        for at in (0..SEALED_AT).chain([SEALED_AT, SEALED_AT + 100, file.len() - 1]) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &key()).is_err(), "byte {at}");
        }
        for len in [
            0,
            10,
            ID_AT,
            NONCE_AT,
            SEALED_AT,
            SEALED_AT + 15,
            file.len() - 1,
        ] {
            assert!(open(&file[..len], &key()).is_err(), "{len} bytes");
        }
        let other = HistoryKey::from_bytes(vec![8; 32]).unwrap();
        assert_eq!(open(&file, &other).err(), Some(HistoryFileError::Damaged));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let sealed = |json: &str| {
            let mut file = MAGIC.to_vec();
            file.push(VERSION);
            file.extend_from_slice(&[3; 16]);
            let outside = file.clone();
            file.extend_from_slice(&[9; 12]);
            let mut plain = json.as_bytes().to_vec();
            let tag = key().seal([9; 12], &outside, &mut plain).unwrap();
            [&file[..], &plain, &tag].concat()
        };
        assert!(open(&sealed("{\"entries\":[]}"), &key()).is_ok());
        let entry = |rest: &str| {
            format!("{{\"entries\":[{{\"id\":1,\"name\":\"a\",\"len\":1,\"hour\":0{rest}}}]}}")
        };
        let received = ",\"received\":{\"path\":\"/a\"}";
        assert!(open(&sealed(&entry(received)), &key()).is_ok());
        for newer in [
            "{\"entries\":[],\"more\":1}".to_owned(),
            "{}".to_owned(),
            String::new(),
            entry(""),
            entry(&format!("{received},\"more\":1")),
            entry(&format!(
                "{received}{}",
                received.replace("received", "sent")
            )),
        ] {
            assert_eq!(
                open(&sealed(&newer), &key()).err(),
                Some(HistoryFileError::Newer),
                "{newer}"
            );
        }
        let mut file = sealed("{\"entries\":[]}");
        file[MAGIC.len()] = VERSION + 1;
        assert_eq!(key_id(&file), Err(HistoryFileError::Newer));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_refused_quietly(bytes: Vec<u8>, versioned: bool) {
            let mut file = if versioned { [MAGIC, &[VERSION]].concat() } else { Vec::new() };
            file.extend_from_slice(&bytes);
            proptest::prop_assert!(open(&file, &key()).is_err());
        }
    }
}
