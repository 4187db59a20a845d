//! The sender's own record of shares: the owner token of each file, found again by the file's pointer.
//!
//! `owned.json` names neither server nor file: an entry stands under SHA-256("cloakroom own share v1" ‖ the server's
//! key ‖ the id), which only somebody who has the pointer (or is the server) can make. The window and the command line
//! share it, under a lock.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::app::settings::Home;
use crate::disk::io_reason::IoReason;
use crate::disk::kept::{ChangeError, JsonRecord, Kept, UnreadFile, UnreadReason};
use crate::protocol::address::FileId;
use crate::protocol::capability::OwnerToken;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::parts::PartsOwner;

/// The record of a person's shares.
pub(crate) struct OwnShares {
    file: Kept<OwnSharesFile>,
}

/// Record of one share.
pub(crate) struct OwnShare {
    /// Token by which the file, or the list of its parts, is deleted, extended and asked about.
    pub token: OwnerToken,
    /// The secret that the owner tokens of all parts are derived from; none for what is in one blob.
    pub parts: Option<PartsOwner>,
    /// When the server forgets the file, in unix seconds.
    pub expires: u64,
    /// Whether recipients are asked for download receipts.
    pub receipts: bool,
}

/// Why the record cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum OwnRecordError {
    /// The file is not what this program writes.
    #[error("the record of your shares is damaged")]
    Damaged,
    /// A newer version wrote it.
    #[error("the record of your shares was written by a newer version")]
    Newer,
    /// The file is there and cannot be read.
    #[error("the record of your shares cannot be read: {0}")]
    Read(IoReason),
    /// It cannot be written.
    #[error("the record of your shares cannot be written: {0}")]
    Write(IoReason),
}

impl From<UnreadFile> for OwnRecordError {
    fn from(unread: UnreadFile) -> Self {
        match unread.why {
            UnreadReason::Damaged => Self::Damaged,
            UnreadReason::Newer => Self::Newer,
            UnreadReason::Read(reason) => Self::Read(reason),
        }
    }
}

impl From<ChangeError> for OwnRecordError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unread(unread) => unread.into(),
            ChangeError::Write(reason) => Self::Write(reason),
        }
    }
}

impl OwnShares {
    /// The record in the data folder of `home`.
    #[must_use]
    pub(crate) fn of(home: &Home) -> Self {
        Self {
            file: Kept::in_file(home.data_dir.join(FILE_NAME)),
        }
    }

    /// What is kept of a file; `None` for one that this person did not share, or not from here.
    ///
    /// # Errors
    /// [`OwnRecordError`].
    pub(crate) fn find(
        &self,
        server: &Ed25519Public,
        id: &FileId,
    ) -> Result<Option<OwnShare>, OwnRecordError> {
        let record = self.file.read()?.unwrap_or_default();
        let entry = record.shares.get(&name_of(server, id));
        Ok(entry.and_then(Entry::to_share))
    }

    /// Keeps `share` under `id`.
    ///
    /// # Errors
    /// [`OwnRecordError`]; the old record is untouched then.
    pub(crate) fn keep(
        &self,
        server: &Ed25519Public,
        id: &FileId,
        share: &OwnShare,
    ) -> Result<(), OwnRecordError> {
        self.change(|entries| {
            entries.insert(name_of(server, id), Entry::of(share));
        })
    }

    /// Keeps `share` under `stored`, and nothing under `tried` where that is another id.
    ///
    /// # Errors
    /// [`OwnRecordError`]; the old record is untouched then.
    pub(crate) fn settle(
        &self,
        server: &Ed25519Public,
        tried: &FileId,
        stored: &FileId,
        share: &OwnShare,
    ) -> Result<(), OwnRecordError> {
        self.change(|entries| {
            entries.remove(&name_of(server, tried));
            entries.insert(name_of(server, stored), Entry::of(share));
        })
    }

    /// Forgets `id`.
    ///
    /// # Errors
    /// [`OwnRecordError`]; the old record is untouched then.
    pub(crate) fn forget(&self, server: &Ed25519Public, id: &FileId) -> Result<(), OwnRecordError> {
        self.change(|entries| {
            entries.remove(&name_of(server, id));
        })
    }

    /// Keeps a file's token until `expires` at least.
    ///
    /// # Errors
    /// [`OwnRecordError`]; the old record is untouched then.
    pub(crate) fn extend(
        &self,
        server: &Ed25519Public,
        id: &FileId,
        expires: u64,
    ) -> Result<(), OwnRecordError> {
        self.change(|entries| {
            if let Some(entry) = entries.get_mut(&name_of(server, id)) {
                entry.expires = entry.expires.max(expires);
            }
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Entry>),
    ) -> Result<(), OwnRecordError> {
        self.file.change(|record| {
            change(&mut record.shares);
            forget_beyond(&mut record.shares, MAX_ENTRIES);
        })?;
        Ok(())
    }
}

/// Drops the entries that expire first until `most` are left. The clock drops none: it may be wrong, and a token cannot
/// be had again.
fn forget_beyond(entries: &mut BTreeMap<String, Entry>, most: usize) {
    let beyond = entries.len().saturating_sub(most);
    let mut by_expiry: Vec<(u64, String)> = entries
        .iter()
        .map(|(name, entry)| (entry.expires, name.clone()))
        .collect();
    by_expiry.sort_unstable();
    for (_, name) in by_expiry.iter().take(beyond) {
        entries.remove(name);
    }
}

#[derive(Serialize, Deserialize)]
struct OwnSharesFile {
    version: u32,
    shares: BTreeMap<String, Entry>,
}

impl Default for OwnSharesFile {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            shares: BTreeMap::new(),
        }
    }
}

impl JsonRecord for OwnSharesFile {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Entry {
    token: String,
    /// Hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<String>,
    expires: u64,
    receipts: bool,
}

impl Entry {
    fn of(share: &OwnShare) -> Self {
        Self {
            token: share.token.to_hex().to_string(),
            parts: share
                .parts
                .as_ref()
                .map(|owner| HEXLOWER.encode(owner.as_bytes())),
            expires: share.expires,
            receipts: share.receipts,
        }
    }

    fn to_share(&self) -> Option<OwnShare> {
        // The same form as that of a token.
        let parts = match &self.parts {
            Some(hex) => Some(PartsOwner::from_bytes(
                *OwnerToken::from_hex(hex)?.as_bytes(),
            )),
            None => None,
        };
        Some(OwnShare {
            token: OwnerToken::from_hex(&self.token)?,
            parts,
            expires: self.expires,
            receipts: self.receipts,
        })
    }
}

fn name_of(server: &Ed25519Public, id: &FileId) -> String {
    let hash = Sha256::new()
        .chain_update(b"cloakroom own share v1")
        .chain_update(server.as_bytes())
        .chain_update(id.as_str().as_bytes())
        .finalize();
    HEXLOWER.encode(&hash)
}

/// Name of the file in the data folder.
pub(super) const FILE_NAME: &str = "owned.json";
/// The most files on record: their tokens take up some 2 MB.
const MAX_ENTRIES: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::disk::private;
    use crate::protocol::keys::Identity;

    const NOW: u64 = 1_800_000_000;

    struct Fixture {
        folder: TempDir,
        shares: OwnShares,
        server: Ed25519Public,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempdir().unwrap();
            let home = Home::in_folder(folder.path().join("data"));
            Self {
                shares: OwnShares::of(&home),
                server: Identity::from_seed([1; 32]).public(),
                folder,
            }
        }

        fn text(&self) -> String {
            fs::read_to_string(self.shares.file.file()).unwrap()
        }

        fn token_of(&self, id: &FileId) -> Option<[u8; 32]> {
            let found = self.shares.find(&self.server, id).unwrap();
            found.map(|share| *share.token.as_bytes())
        }
    }

    fn id(number: u8) -> FileId {
        FileId::random(500_000, [number; 30])
    }

    fn share(number: u8, expires: u64) -> OwnShare {
        OwnShare {
            parts: None,
            token: OwnerToken::from_bytes([number; 32]),
            expires,
            receipts: number.is_multiple_of(2),
        }
    }

    #[test]
    fn a_token_is_found_by_server_and_id_alone() {
        let fixture = Fixture::new();
        let Fixture { shares, server, .. } = &fixture;
        assert!(shares.find(server, &id(1)).unwrap().is_none());
        for id in [id(1), id(2)] {
            shares.keep(server, &id, &share(7, NOW + 10)).unwrap();
        }
        let found = shares.find(server, &id(2)).unwrap().unwrap();
        assert_eq!(found.token.as_bytes(), &[7; 32]);
        assert_eq!((found.expires, found.receipts), (NOW + 10, false));
        let other = Identity::from_seed([2; 32]).public();
        assert!(shares.find(&other, &id(1)).unwrap().is_none());
        assert!(shares.find(server, &id(3)).unwrap().is_none());
        let text = fixture.text();
        assert!(
            !text.contains(id(1).as_str()) && !text.contains(&server.to_hex()),
            "{text}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_is_a_link_costs_no_other_file_its_content() {
        let fixture = Fixture::new();
        let Fixture { shares, server, .. } = &fixture;
        let precious = fixture.folder.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        let lock = shares.file.file().with_extension("lock");
        private::make_folder(lock.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&precious, &lock).unwrap();
        let kept = shares.keep(server, &id(1), &share(7, NOW + 10));
        assert!(matches!(kept, Err(OwnRecordError::Write(_))));
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    }

    #[test]
    fn only_the_id_that_was_given_stays() {
        let fixture = Fixture::new();
        let Fixture { shares, server, .. } = &fixture;
        let tried = id(2);
        shares.keep(server, &id(9), &share(9, NOW)).unwrap();
        for stored in [id(2), id(4)] {
            shares.keep(server, &tried, &share(7, NOW)).unwrap();
            shares
                .settle(server, &tried, &stored, &share(7, NOW))
                .unwrap();
            assert_eq!(fixture.token_of(&stored), Some([7; 32]));
            assert_eq!(fixture.token_of(&tried).is_some(), stored == tried);
            shares.forget(server, &stored).unwrap();
            assert_eq!(fixture.token_of(&stored), None);
        }
        assert_eq!(fixture.token_of(&id(9)), Some([9; 32]));
    }

    #[test]
    fn an_extension_never_shortens() {
        let fixture = Fixture::new();
        let Fixture { shares, server, .. } = &fixture;
        shares.keep(server, &id(2), &share(2, NOW)).unwrap();
        shares.extend(server, &id(2), NOW + 100).unwrap();
        shares.extend(server, &id(2), NOW + 50).unwrap();
        let found = shares.find(server, &id(2)).unwrap().unwrap();
        assert_eq!(found.expires, NOW + 100);
    }

    /// No clock takes a token away. Of more than there is room for, those go whose files expire first.
    #[test]
    fn only_the_number_of_files_makes_one_go() {
        let fixture = Fixture::new();
        let Fixture { shares, server, .. } = &fixture;
        for number in 1..=3 {
            shares
                .keep(server, &id(number), &share(number, u64::from(number)))
                .unwrap();
        }
        let mut entries = shares.file.read().unwrap().unwrap().shares;
        assert_eq!(entries.len(), 3, "whatever the time is");
        forget_beyond(&mut entries, 2);
        let left: Vec<u64> = entries.values().map(|entry| entry.expires).collect();
        assert!(left.len() == 2 && !left.contains(&1), "{left:?}");
    }

    #[test]
    fn a_damaged_record_and_a_newer_one_are_told_and_left_alone() {
        let fixture = Fixture::new();
        let Fixture { shares, server, .. } = &fixture;
        for (text, error) in [
            ("{\"version\":1,\"shares\":7}", OwnRecordError::Damaged),
            ("", OwnRecordError::Damaged),
            ("{\"version\":2}", OwnRecordError::Newer),
        ] {
            private::write(shares.file.file(), text.as_bytes()).unwrap();
            assert_eq!(shares.find(server, &id(1)).err(), Some(error));
            assert_eq!(shares.keep(server, &id(1), &share(1, NOW)), Err(error));
            assert_eq!(fixture.text(), text);
        }
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let fixture = Fixture::new();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let fixture = &fixture;
                scope.spawn(move || {
                    fixture
                        .shares
                        .keep(&fixture.server, &id(number), &share(number, NOW))
                        .unwrap();
                });
            }
        });
        for number in 0..8 {
            assert_eq!(fixture.token_of(&id(number)), Some([number; 32]));
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let fixture = Fixture::new();
        fs::write(fixture.folder.path().join("data"), b"a file").unwrap();
        assert!(matches!(
            fixture.shares.keep(&fixture.server, &id(1), &share(1, NOW)),
            Err(OwnRecordError::Write(_))
        ));
    }

    #[cfg(unix)]
    #[test]
    fn the_record_is_readable_by_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;

        let fixture = Fixture::new();
        let shares = &fixture.shares;
        shares
            .keep(&fixture.server, &id(1), &share(1, NOW))
            .unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(shares.file.file()), 0o600);
        assert_eq!(mode(shares.file.file().parent().unwrap()), 0o700);
    }
}
