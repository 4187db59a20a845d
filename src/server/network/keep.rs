//! Where the register is kept: in the folder of the store, by one server, or in a bucket, by all servers that share it.
//!
//! In a folder it is the file `network.json`, which only its owner reads, replaced whole.
//!
//! In a bucket each server writes what it knows as an object of its own, sealed, with a name that follows from its content. It
//! reads those of the others, merges them with its own, and removes those that its newest object covers. Nothing is
//! replaced in place, so that no bucket needs conditional writes, and a server that dies in between loses nothing of the others.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::disk::private;
use crate::protocol::file_api::SignedList;
use crate::protocol::network::{
    NetworkRules, OpenRegisterError, RegisterSeal, RelayRegister, StoredRegisterError,
};
use crate::server::store::{BlobStore, StoreFault};
use crate::wire::random;

/// Keeps the register, one state after the other.
pub(super) struct RegisterKeeper {
    place: RegisterPlace,
    /// The register has changed since it was last kept.
    is_due: bool,
    /// It could not be kept the last time, and that was said.
    has_failed: bool,
    /// The clock is behind the newest list, and that was said.
    is_behind: bool,
}

/// Where the register is kept.
enum RegisterPlace {
    Bucket(Box<Bucket>),
    /// The file in the folder of a store.
    Folder(PathBuf),
}

/// The registers of all servers that share a bucket.
struct Bucket {
    store: Arc<BlobStore>,
    seal: RegisterSeal,
    /// The rules of this server, to read what others wrote.
    rules: NetworkRules,
    /// The objects that were there when they were last listed.
    there: BTreeSet<String>,
    /// Objects whose content the register of this server has.
    merged: BTreeSet<String>,
    /// Objects that cannot be opened, which was said.
    strange: BTreeSet<String>,
    /// How long a list waits here before it is handed out, in case that another server has just signed one of the same date.
    list_waits: Duration,
    /// The newest list, and when this server saw it first.
    newest: Option<(SignedList, Instant)>,
}

impl RegisterKeeper {
    /// Opens the register of a server that has its store in `folder` alone, or begins one.
    ///
    /// # Errors
    /// [`OpenNetworkError`].
    pub(super) async fn in_folder(
        folder: &Path,
        rules: NetworkRules,
        now: u64,
    ) -> Result<(Self, RelayRegister), OpenNetworkError> {
        let path = folder.join("network.json");
        let register = read_or_new(&path, rules, now).await?;
        Ok((Self::of(RegisterPlace::Folder(path)), register))
    }

    /// Opens the register that the servers of a bucket keep, or begins one: with the file `moved`, if it is there, that this server
    /// kept in a folder before. `patience` is how long one question to the bucket may take.
    ///
    /// # Errors
    /// [`OpenNetworkError`].
    pub(super) async fn in_bucket(
        store: Arc<BlobStore>,
        seal: RegisterSeal,
        rules: NetworkRules,
        patience: Duration,
        moved: &Path,
        now: u64,
    ) -> Result<(Self, RelayRegister), OpenNetworkError> {
        let mut bucket = Bucket {
            store,
            seal,
            rules: rules.for_reading(),
            there: BTreeSet::new(),
            merged: BTreeSet::new(),
            strange: BTreeSet::new(),
            list_waits: patience.saturating_mul(2),
            newest: None,
        };
        let read = bucket.read_new().await;
        let Read { registers, refused } = read.map_err(OpenNetworkError::Bucket)?;
        // It is another network, or one of a newer version: this server must not begin its own beside it.
        if let (true, Some(why)) = (registers.is_empty(), refused) {
            return Err(OpenNetworkError::Shared { why });
        }
        let mut registers = registers.into_iter();
        let register = match registers.next() {
            Some(first) => {
                let mut register = first.with_rules(rules);
                for other in registers {
                    register.merge(other);
                }
                register
            }
            None => read_or_new(moved, rules, now).await?,
        };
        // Whoever signed a list of an earlier hour has handed it out since.
        if let Some(list) = register.relay_list(now)
            && list.issued.saturating_add(HOUR_SECS) <= now
            && let Some(signed) = register.signed_list(now)
            && let Some(long_ago) = Instant::now().checked_sub(bucket.list_waits)
        {
            bucket.newest = Some((signed.clone(), long_ago));
        }
        Ok((Self::of(RegisterPlace::Bucket(Box::new(bucket))), register))
    }

    const fn of(place: RegisterPlace) -> Self {
        Self {
            place,
            is_due: false,
            has_failed: false,
            is_behind: false,
        }
    }

    /// Says it once when the clock is behind the newest list.
    pub(super) fn note(&mut self, is_behind: bool) {
        if is_behind && !self.is_behind {
            tracing::warn!(
                "the clock is behind the newest relay list, so none is signed; set it, or, if it is right, start again with --accept-clock"
            );
        }
        self.is_behind = is_behind;
    }

    /// Registers that other servers have written since the last call, to be merged.
    ///
    /// # Errors
    /// [`KeepError`]: the bucket does not answer.
    pub(super) async fn read_others(&mut self) -> Result<Vec<RelayRegister>, KeepError> {
        let RegisterPlace::Bucket(bucket) = &mut self.place else {
            return Ok(Vec::new());
        };
        let read = bucket.read_new().await.map_err(KeepError::Bucket);
        self.note_outcome(read.as_ref().err());
        Ok(read?.registers)
    }

    /// The register in the form in which it is kept, if it is to be kept now; `changed` says whether it has changed since the last
    /// call.
    pub(super) fn form(&mut self, register: &RelayRegister, changed: bool) -> Option<KeptForm> {
        match &self.place {
            RegisterPlace::Bucket(bucket) => {
                let sealed = bucket.seal.seal(register);
                let is_only = bucket.there.len() == 1 && bucket.there.contains(&sealed.name);
                (!is_only).then_some(KeptForm {
                    name: sealed.name,
                    bytes: Zeroizing::new(sealed.bytes),
                })
            }
            RegisterPlace::Folder(_) => {
                self.is_due |= changed;
                self.is_due.then(|| KeptForm {
                    name: String::new(),
                    bytes: register.to_bytes(),
                })
            }
        }
    }

    /// Writes the register.
    ///
    /// # Errors
    /// [`KeepError`]; what was kept before is still there, and the register is to be kept with the next call.
    pub(super) async fn keep(&mut self, form: KeptForm) -> Result<(), KeepError> {
        let written = match &mut self.place {
            RegisterPlace::Bucket(bucket) => bucket.write(form).await.map_err(KeepError::Bucket),
            RegisterPlace::Folder(path) => {
                let path = path.clone();
                let writing =
                    tokio::task::spawn_blocking(move || private::replace(&path, &form.bytes));
                let written = writing.await.map_err(io::Error::other);
                written
                    .and_then(|written| written)
                    .map_err(KeepError::Folder)
            }
        };
        self.note_outcome(written.as_ref().err());
        self.is_due &= written.is_err();
        written
    }

    /// Says it once when the register cannot be kept.
    fn note_outcome(&mut self, error: Option<&KeepError>) {
        if let Some(error) = error
            && !self.has_failed
        {
            tracing::warn!(
                "{error}; no relay joins and no new list is handed out until that is mended"
            );
        }
        self.has_failed = error.is_some();
    }

    /// Whether the newest list may be handed out. In a bucket it waits until no other server can have signed another one of the same
    /// date meanwhile, which is not merged yet.
    pub(super) fn may_hand_out(&mut self, newest: &SignedList) -> bool {
        let RegisterPlace::Bucket(bucket) = &mut self.place else {
            return true;
        };
        match &bucket.newest {
            Some((list, seen)) if list == newest => seen.elapsed() >= bucket.list_waits,
            _ => {
                bucket.newest = Some((newest.clone(), Instant::now()));
                bucket.list_waits.is_zero()
            }
        }
    }
}

impl Bucket {
    /// Reads the objects that came since the last call.
    async fn read_new(&mut self) -> Result<Read, StoreFault> {
        self.there = self.store.register_names().await?.into_iter().collect();
        self.merged.retain(|name| self.there.contains(name));
        self.strange.retain(|name| self.there.contains(name));
        let mut read = Read::default();
        let mut names = Vec::new();
        for name in &self.there {
            if self.merged.contains(name) {
                continue;
            }
            // Somebody may have merged and removed it just now.
            let Some(bytes) = self.store.register(name).await? else {
                continue;
            };
            match self.seal.open(&self.rules, name, &bytes) {
                Ok(register) => {
                    read.registers.push(register);
                    names.push(name.clone());
                }
                Err(why) => {
                    read.refused = Some(why);
                    if self.strange.insert(name.clone()) {
                        tracing::warn!(
                            "an object under network/ in the bucket is not taken over: {why}"
                        );
                    }
                }
            }
        }
        // Only now: after a failure none of them is merged, and what counts as merged is removed.
        self.merged.extend(names);
        Ok(read)
    }

    /// Writes the register of this server, and then removes the objects that it covers.
    async fn write(&mut self, form: KeptForm) -> Result<(), StoreFault> {
        if !self.there.contains(&form.name) {
            self.store
                .put_register(&form.name, form.bytes.to_vec())
                .await?;
        }
        self.merged.insert(form.name.clone());
        for covered in self.merged.iter().filter(|name| **name != form.name) {
            // What stays is met again.
            self.store.remove_register(covered).await.ok();
        }
        Ok(())
    }
}

/// Outcome of reading what came new.
#[derive(Default)]
struct Read {
    registers: Vec<RelayRegister>,
    /// Why one of the objects could not be opened.
    refused: Option<OpenRegisterError>,
}

/// A register in the form in which it is kept.
pub(super) struct KeptForm {
    /// The name of the object in a bucket.
    name: String,
    bytes: Zeroizing<Vec<u8>>,
}

async fn read_or_new(
    path: &Path,
    rules: NetworkRules,
    now: u64,
) -> Result<RelayRegister, OpenNetworkError> {
    let reading = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || match std::fs::read(&reading) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    });
    let read = reading.await.map_err(io::Error::other);
    let read = read.and_then(|read| read);
    match read.map_err(|cause| OpenNetworkError::Read {
        path: path.to_owned(),
        cause,
    })? {
        None => Ok(RelayRegister::new(rules, now, &mut random::system())),
        Some(bytes) => {
            RelayRegister::from_bytes(rules, &bytes).map_err(|why| OpenNetworkError::Stored {
                path: path.to_owned(),
                why,
            })
        }
    }
}

/// Why the register could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The bucket did not do it.
    #[error(
        "the relays of the network cannot be kept in the bucket: {0} (cloak check server says what is wrong with it)"
    )]
    Bucket(StoreFault),
    /// The folder of the store did not do it.
    #[error(
        "the relays of the network cannot be kept in the folder of the store ({0}): make room in it, or let the server write there"
    )]
    Folder(io::Error),
}

/// Why the network cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenNetworkError {
    /// The bucket does not answer.
    #[error("the relays of the network cannot be read from the bucket: {0}")]
    Bucket(StoreFault),
    /// The register cannot be read.
    #[error("the relays of the network cannot be read from {} ({cause}); check who may read the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        cause: io::Error,
    },
    /// The bucket holds a network that is not this server's.
    #[error(
        "the relays of the network cannot be read from the bucket, where another server keeps them: {why}; give this server the key files server.key and list.key of that one, or, to begin a network without relays, remove what the bucket has under network/"
    )]
    Shared {
        /// Why it is not this server's.
        why: OpenRegisterError,
    },
    /// The file is no register of this server.
    #[error("the relays of the network cannot be read from {}: {why}; put the backup in its place, or move it away to begin a network without relays", path.display())]
    Stored {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: StoredRegisterError,
    },
    /// The register cannot be kept.
    #[error(transparent)]
    Write(KeepError),
}

const HOUR_SECS: u64 = 3_600;
