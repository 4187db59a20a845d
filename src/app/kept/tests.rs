//! All records of a person make the same promises, whatever is wrong with their files: nothing is lost, nothing is written
//! over, and it is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use tempfile::{TempDir, tempdir};

use super::history::tests::FakeKeyring;
use super::history::{AsideReason, EntryId, History, HistoryFileError, HistoryStatus};
use super::history::{News, SessionOnly};
use super::history_file::tests::shared;
use super::owned::{OwnRecordError, OwnShare, OwnShares};
use super::remembered::{KeptInfo, Remembered};
use super::removal::PersonalData;
use crate::app::relays::RelaySourceError;
use crate::app::relays::store::RelayFiles;
use crate::app::settings::{Change, Home, ServerEntry, Settings, SettingsError};
use crate::disk::kept::UnreadReason;
use crate::disk::{lock_file, private};
use crate::protocol::address::{FileId, ServerAddress};
use crate::protocol::capability::OwnerToken;
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::relay_list::ListSource;

/// The message that a person gets in place of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Complaint {
    Damaged,
    /// It is damaged, and the file is there now.
    PutAside(PathBuf),
    Newer,
    Unreadable,
    Other(String),
}

impl From<UnreadReason> for Complaint {
    fn from(why: UnreadReason) -> Self {
        match why {
            UnreadReason::Damaged => Self::Damaged,
            UnreadReason::Newer => Self::Newer,
            UnreadReason::Read(_) => Self::Unreadable,
        }
    }
}

/// One record, into which numbered entries are put.
trait Row {
    fn file_name(&self) -> &'static str;
    /// Whether a file that is damaged is put aside at once, so that a new one is begun.
    fn puts_aside(&self) -> bool {
        false
    }
    /// The file as a newer version may write it, made from a file of this version.
    fn newer(&self, file: &[u8]) -> Vec<u8>;
    /// Puts an entry into the record, as a program does that has just started.
    fn add(&self, home: &Home, number: u8) -> Result<(), Complaint>;
    /// Whether a program that has just started finds the entry.
    fn has(&self, home: &Home, number: u8) -> Result<bool, Complaint>;
}

fn key(number: u8) -> Ed25519Public {
    Identity::from_seed([number; 32]).public()
}

fn address(number: u8) -> ServerAddress {
    let key = key(number).to_hex();
    format!("http://x#p={key}").parse().unwrap()
}

struct SettingsRow;

impl Row for SettingsRow {
    fn file_name(&self) -> &'static str {
        "config.toml"
    }

    fn newer(&self, _file: &[u8]) -> Vec<u8> {
        b"version = 4\n".to_vec()
    }

    fn add(&self, home: &Home, number: u8) -> Result<(), Complaint> {
        let entry = ServerEntry::new("x", address(number));
        let change = Change::AddServer(entry);
        let mut added = Settings::default();
        added.apply(&change);
        added
            .save_changes(&[change], home)
            .map_err(|error| told_of_settings(&error))
    }

    fn has(&self, home: &Home, number: u8) -> Result<bool, Complaint> {
        let config = Settings::load(home).map_err(|unread| told_of_settings(&unread.error))?;
        let mut servers = config.servers.iter();
        Ok(servers.any(|server| server.address == address(number)))
    }
}

fn told_of_settings(error: &SettingsError) -> Complaint {
    match error {
        SettingsError::Invalid { .. } => Complaint::Damaged,
        SettingsError::Newer => Complaint::Newer,
        SettingsError::Read(_) => Complaint::Unreadable,
        other => Complaint::Other(other.to_string()),
    }
}

struct OwnedRow;

impl Row for OwnedRow {
    fn file_name(&self) -> &'static str {
        "owned.json"
    }

    fn newer(&self, _file: &[u8]) -> Vec<u8> {
        br#"{"version":2}"#.to_vec()
    }

    fn add(&self, home: &Home, number: u8) -> Result<(), Complaint> {
        let share = OwnShare {
            parts: None,
            token: OwnerToken::from_bytes([number; 32]),
            expires: 1,
            receipts: false,
        };
        OwnShares::of(home)
            .keep(&key(1), &FileId::random(500_000, [number; 30]), &share)
            .map_err(told_of_shares)
    }

    fn has(&self, home: &Home, number: u8) -> Result<bool, Complaint> {
        let found = OwnShares::of(home).find(&key(1), &FileId::random(500_000, [number; 30]));
        found.map(|found| found.is_some()).map_err(told_of_shares)
    }
}

fn told_of_shares(error: OwnRecordError) -> Complaint {
    match error {
        OwnRecordError::Damaged => Complaint::Damaged,
        OwnRecordError::Newer => Complaint::Newer,
        OwnRecordError::Read(_) => Complaint::Unreadable,
        other @ OwnRecordError::Write(_) => Complaint::Other(other.to_string()),
    }
}

struct NetworksRow;

impl NetworksRow {
    /// The record `network.json`, which says which relays are the first ones of this person.
    fn of(home: &Home) -> Result<Remembered, Complaint> {
        let remembered = Remembered::new(home.data_dir.join("network.json"));
        match remembered.look("list") {
            Ok(_) => Ok(remembered),
            Err(unread) => {
                // Whoever goes on in spite of that must not write over it either.
                keep_server(&remembered, 9);
                Err(unread.why.into())
            }
        }
    }
}

fn keep_server(remembered: &Remembered, number: u8) {
    let info = KeptInfo {
        asked: 100,
        info: None,
        over: None,
        confirmed: None,
    };
    remembered.keep_server(number.to_string(), info, 50);
}

impl Row for NetworksRow {
    fn file_name(&self) -> &'static str {
        "network.json"
    }

    fn newer(&self, _file: &[u8]) -> Vec<u8> {
        br#"{"version":2,"relays":{},"servers":{}}"#.to_vec()
    }

    fn add(&self, home: &Home, number: u8) -> Result<(), Complaint> {
        keep_server(&Self::of(home)?, number);
        Ok(())
    }

    fn has(&self, home: &Home, number: u8) -> Result<bool, Complaint> {
        Ok(Self::of(home)?.server(&number.to_string()).is_some())
    }
}

struct RelayListsRow;

fn source(number: u8) -> ListSource {
    let line = format!("https://example.org/relays.json#k={}", key(number).to_hex());
    line.parse().unwrap()
}

impl Row for RelayListsRow {
    fn file_name(&self) -> &'static str {
        "relays.json"
    }

    fn newer(&self, _file: &[u8]) -> Vec<u8> {
        br#"{"version":2}"#.to_vec()
    }

    fn add(&self, home: &Home, number: u8) -> Result<(), Complaint> {
        let server = address(number);
        RelayFiles::of(home)
            .change(|kept| kept.accept(&source(number), &server))
            .map_err(|error| match error {
                RelaySourceError::Unread(unread) => unread.why.into(),
                other => Complaint::Other(other.to_string()),
            })
    }

    fn has(&self, home: &Home, number: u8) -> Result<bool, Complaint> {
        let kept = RelayFiles::of(home).read().map_err(|unread| unread.why)?;
        let accepted = kept.accepted_for(&address(number), &Settings::default());
        Ok(accepted.is_some())
    }
}

#[derive(Default)]
struct HistoryRow {
    keys: Arc<FakeKeyring>,
}

impl HistoryRow {
    /// All news of the history in one run of a program, from its start to its end.
    fn during(&self, home: &Home, work: impl FnOnce(&History)) -> Vec<News> {
        let (tell, news) = channel();
        let history = History::start(
            home.data_dir.clone(),
            Arc::clone(&self.keys) as _,
            Duration::from_secs(20),
            Arc::new(|| 1_800_000_000),
            Box::new(move |said| tell.send(said).unwrap()),
        )
        .unwrap();
        history.turn_on();
        work(&history);
        assert!(history.close(Duration::from_secs(20)));
        news.into_iter().collect()
    }

    fn told(news: &[News]) -> Result<(), Complaint> {
        news.iter().try_for_each(|news| match news {
            News::Aside(damaged) => Err(match (damaged.why, &damaged.kept) {
                (AsideReason::File(HistoryFileError::Newer), None) => Complaint::Newer,
                (AsideReason::File(HistoryFileError::Damaged), Some(aside)) => {
                    Complaint::PutAside(aside.clone())
                }
                other => Complaint::Other(format!("{other:?}")),
            }),
            News::Status(HistoryStatus::SessionOnly(SessionOnly::File(_))) => {
                Err(Complaint::Unreadable)
            }
            _ => Ok(()),
        })
    }
}

impl Row for HistoryRow {
    fn file_name(&self) -> &'static str {
        "history.sealed"
    }

    fn puts_aside(&self) -> bool {
        true
    }

    fn newer(&self, file: &[u8]) -> Vec<u8> {
        let mut newer = file.to_vec();
        newer[b"cloakroom history".len()] += 1;
        newer
    }

    fn add(&self, home: &Home, number: u8) -> Result<(), Complaint> {
        Self::told(&self.during(home, |history| history.add(shared(number.into(), "a"))))
    }

    fn has(&self, home: &Home, number: u8) -> Result<bool, Complaint> {
        let news = self.during(home, |_| ());
        Self::told(&news)?;
        Ok(news.iter().any(|news| {
            matches!(news, News::Entries(entries)
                if entries.iter().any(|entry| entry.id == EntryId(number.into())))
        }))
    }
}

fn each_record(check: impl Fn(&dyn Row, &Home, &Path)) {
    let rows: [&dyn Row; 5] = [
        &SettingsRow,
        &OwnedRow,
        &NetworksRow,
        &RelayListsRow,
        &HistoryRow::default(),
    ];
    for row in rows {
        let folder: TempDir = tempdir().unwrap();
        let home = Home::in_folder(folder.path().join("data"));
        let file = home.data_dir.join(row.file_name());
        check(row, &home, &file);
    }
}

#[test]
fn no_record_stays_when_everything_is_removed() {
    each_record(|row, home, file| {
        assert_eq!(row.add(home, 1), Ok(()), "{}", row.file_name());
        assert!(file.is_file());
        let data = PersonalData::find(home.clone()).unwrap();
        assert_eq!(data.kinds().count(), 1, "{}", row.file_name());
        let removed = data.remove(None).unwrap();
        assert!(removed.left.is_empty(), "{}: {removed:?}", row.file_name());
        assert!(!home.data_dir.exists());
    });
}

#[test]
fn without_locks_nothing_is_lost() {
    each_record(|row, home, file| {
        lock_file::without_locks(|| {
            for number in 1..=3 {
                assert_eq!(row.has(home, number), Ok(false), "{}", row.file_name());
                assert_eq!(row.add(home, number), Ok(()), "{}", row.file_name());
            }
        });
        for number in 1..=3 {
            assert_eq!(row.has(home, number), Ok(true), "{}", row.file_name());
        }
        assert!(file.is_file());
    });
}

#[test]
fn a_damaged_file_is_told_and_kept() {
    each_record(|row, home, file| {
        row.add(home, 1).unwrap();
        for bytes in ["", "no such record", "{}x"] {
            fs::write(file, bytes).unwrap();
            let told = row.add(home, 2).unwrap_err();
            let kept = match &told {
                Complaint::PutAside(aside) if row.puts_aside() => aside,
                Complaint::Damaged if !row.puts_aside() => file,
                _ => panic!("{}: {told:?}", row.file_name()),
            };
            assert_eq!(fs::read_to_string(kept).unwrap(), bytes);
            if row.puts_aside() {
                assert_eq!(row.has(home, 2), Ok(true));
            } else {
                assert_eq!(
                    row.has(home, 2),
                    Err(Complaint::Damaged),
                    "as long as it is there"
                );
                assert_eq!(fs::read_to_string(file).unwrap(), bytes);
            }
        }
    });
}

#[test]
fn a_newer_versions_file_is_told_and_left_alone() {
    each_record(|row, home, file| {
        row.add(home, 1).unwrap();
        let newer = row.newer(&fs::read(file).unwrap());
        fs::write(file, &newer).unwrap();
        assert_eq!(
            row.add(home, 2),
            Err(Complaint::Newer),
            "{}",
            row.file_name()
        );
        assert_eq!(
            row.has(home, 2),
            Err(Complaint::Newer),
            "{}",
            row.file_name()
        );
        assert_eq!(fs::read(file).unwrap(), newer);
    });
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_left_alone() {
    each_record(|row, home, file| {
        private::make_folder(&home.data_dir).unwrap();
        fs::create_dir(file).unwrap();
        assert_eq!(
            row.add(home, 1),
            Err(Complaint::Unreadable),
            "{}",
            row.file_name()
        );
        assert_eq!(
            row.has(home, 1),
            Err(Complaint::Unreadable),
            "{}",
            row.file_name()
        );
        assert!(file.is_dir());
    });
}

/// As on a disk that is not connected.
#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_told_and_left_alone() {
    each_record(|row, home, file| {
        private::make_folder(&home.data_dir).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", file).unwrap();
        assert_eq!(
            row.add(home, 1),
            Err(Complaint::Unreadable),
            "{}",
            row.file_name()
        );
        assert!(fs::symlink_metadata(file).unwrap().is_symlink());
    });
}
