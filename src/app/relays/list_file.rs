//! Relay lists in local files: reading one, changing its relays, signing it, and saying what holds of it and what not.
//!
//! A list given as a local file needs no signature, because whoever can write the file is trusted anyway. One that is
//! handed out by URL has its signature beside it, in `.sig`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tempfile::NamedTempFile;

use crate::app::error::AppError;
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::relay_list::{
    CLOCKS_DIFFER_SECS, ListRefused, MAX_LIST_LEN, RelayDescriptor, RelayList, RelayListError,
    can_be_mirrored, sign as signature_of, signature_is_good,
};
use crate::protocol::text;

/// Reads the list at `path`, which must be good at `now` (unix seconds). Blocking, small.
///
/// # Errors
/// [`AppError::RelayFile`] and [`AppError::RelayList`].
pub fn read(path: &Path, now: u64) -> Result<RelayList, AppError> {
    Ok(RelayList::parse(&decoded(read_bytes(path)?), now)?)
}

/// Whether the file at `path` is a relay list; it may have ended. Blocking, small.
#[must_use]
pub(crate) fn is_list(path: &Path) -> bool {
    read_bytes(path).is_ok_and(|bytes| RelayList::read(&decoded(bytes)).is_ok())
}

/// Reads the entries at `path`, one a line, as `cloak relay --print-descriptor` prints them. Blocking, small.
///
/// # Errors
/// [`AppError::RelayFile`] and [`AppError::RelayList`].
pub(crate) fn read_entries(path: &Path) -> Result<Vec<RelayDescriptor>, AppError> {
    let bytes = read_bytes(path)?;
    if bytes.len() > MAX_LIST_LEN {
        return Err(RelayListError::TooLong.into());
    }
    let text = text::decode(&bytes)
        .map_err(|_not_text| AppError::RelayFile(io::ErrorKind::InvalidData.into()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines
        .map(RelayDescriptor::parse)
        .collect::<Result<_, _>>()?)
}

/// The bytes of the list at `path` and the text of its `.sig`, if there is one. Nothing of them is checked.
///
/// # Errors
/// [`AppError::RelayFile`].
pub(crate) fn read_signed(path: &Path) -> Result<(Vec<u8>, Option<String>), AppError> {
    let list = read_bytes(path)?;
    let signature = match read_bytes(&signature_path(path)) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(AppError::RelayFile(reason)) if reason.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok((list, signature))
}

/// Adds relays to the list at `path`, each in place of the one with its key if there is one. The list is dated anew: it
/// is good from `now` (unix seconds) for `valid_for` seconds. A signature that was beside it does not fit any more and is
/// removed.
///
/// # Errors
/// [`AppError::RelayFile`] and [`AppError::RelayList`]; the file is then untouched.
pub fn add(
    path: &Path,
    relays: Vec<RelayDescriptor>,
    now: u64,
    valid_for: u64,
) -> Result<RelayList, AppError> {
    let old = RelayList::read(&decoded(read_bytes(path)?))?;
    let mut joined = old.relays;
    for relay in relays {
        match joined.iter_mut().find(|other| other.key == relay.key) {
            Some(other) => *other = relay,
            None => joined.push(relay),
        }
    }
    // A list that is not newer than the one people hold would be refused by them.
    let issued = now.max(old.issued.saturating_add(1));
    let list = RelayList::join(&old.name, issued, issued.saturating_add(valid_for), joined)?;
    save(path, &list)?;
    Ok(list)
}

/// Puts the list at `path`, whole or not at all, in place of what was there. A signature that was beside it does not fit
/// any more and is removed.
///
/// # Errors
/// [`AppError::RelayFile`].
pub fn save(path: &Path, list: &RelayList) -> Result<(), AppError> {
    write(path, list.to_json().as_bytes())?;
    match fs::remove_file(signature_path(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(AppError::RelayFile(error.into()))
        }
        _ => Ok(()),
    }
}

/// Signs the list at `path`, which must be good at `now` (unix seconds), into its `.sig`.
///
/// # Errors
/// [`AppError::RelayFile`], [`AppError::RelayList`], and [`AppError::RelaySource`] for a list that no file server could
/// hand on.
pub fn sign(path: &Path, key: &Identity, now: u64) -> Result<RelayList, AppError> {
    let bytes = read_bytes(path)?;
    let list = RelayList::parse(&bytes, now)?;
    if !str::from_utf8(&bytes).is_ok_and(can_be_mirrored) {
        return Err(
            crate::app::relays::set::RelaySourceError::Refused(ListRefused::TooLarge).into(),
        );
    }
    let signature = signature_of(key, &bytes);
    write(&signature_path(path), format!("{signature}\n").as_bytes())?;
    Ok(list)
}

/// One thing that a list must be, and whether it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCheck {
    /// What was looked at, in words that say how it came out.
    pub said: String,
    /// Whether it holds; `None` for what could not be looked at.
    pub holds: Option<bool>,
}

/// What holds of a list at `now` (unix seconds) and what not; `key` is the one it should be signed with.
#[must_use]
pub fn verify(
    list: &[u8],
    signature: Option<&str>,
    key: Option<&Ed25519Public>,
    now: u64,
) -> Vec<ListCheck> {
    let check = |holds, said: String| ListCheck {
        said,
        holds: Some(holds),
    };
    let signature = signature.map(str::trim).filter(|text| !text.is_empty());
    // Everything is looked at, whatever came out before: whoever makes a list mends all of it at once.
    let mut checks = vec![match (signature, key) {
        (None, _) => check(false, "it is not signed".to_owned()),
        (Some(_), None) => ListCheck {
            said: "the signature was not checked: no key was given".to_owned(),
            holds: None,
        },
        (Some(signature), Some(key)) => {
            let good = HEXLOWER
                .decode(signature.as_bytes())
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .is_some_and(|bytes| signature_is_good(key, list, &bytes));
            let said = if good {
                "it is signed by this key"
            } else {
                "it is not signed by this key, or was changed afterwards"
            };
            check(good, said.to_owned())
        }
    }];
    match RelayList::read(list) {
        Err(error) => checks.push(check(false, error.to_string())),
        Ok(list) => {
            checks.push(check(
                true,
                format!("it names {} relays", list.relays.len()),
            ));
            let come = list.issued <= now.saturating_add(CLOCKS_DIFFER_SECS);
            let ended = now >= list.expires;
            checks.push(check(
                come,
                if come {
                    "its time has come"
                } else {
                    "it is dated in the future"
                }
                .to_owned(),
            ));
            checks.push(check(
                !ended,
                if ended {
                    "it has expired"
                } else {
                    "it has not expired"
                }
                .to_owned(),
            ));
        }
    }
    let fits = str::from_utf8(list).is_ok_and(can_be_mirrored);
    checks.push(check(
        fits,
        if fits {
            "file servers can hand it on"
        } else {
            "it is too large for file servers to hand on"
        }
        .to_owned(),
    ));
    checks
}

/// `relays.json.sig` of `relays.json`.
#[must_use]
pub(crate) fn signature_path(list: &Path) -> PathBuf {
    let mut name = OsString::from(list);
    name.push(".sig");
    name.into()
}

/// A list that a person or another program wrote, as UTF-8. Anything but text is left for the list's reader to refuse.
fn decoded(bytes: Vec<u8>) -> Vec<u8> {
    match text::decode(&bytes) {
        Ok(text) => text.as_bytes().to_vec(),
        Err(_not_text) => bytes,
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, AppError> {
    let failed = |error: io::Error| AppError::RelayFile(error.into());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_LIST_LEN as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

/// Whole or not at all. The file is there to be handed out, so it is readable by all, as the old one was.
fn write(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let failed = |error: io::Error| AppError::RelayFile(error.into());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut part = NamedTempFile::new_in(folder).map_err(failed)?;
    part.write_all(bytes).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = fs::metadata(path).map_or(0o644, |old| old.permissions().mode() & 0o777);
        let permissions = fs::Permissions::from_mode(mode);
        part.as_file()
            .set_permissions(permissions)
            .map_err(failed)?;
    }
    part.as_file().sync_all().map_err(failed)?;
    part.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::protocol::relay_list::{RelayListError, Serves};

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 24 * 3_600;

    fn relay(seed: u8, port: u16) -> RelayDescriptor {
        RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([192, 0, 2, seed]),
            port,
            operator: String::new(),
            serves: Serves::Any,
        }
    }

    fn key() -> Identity {
        Identity::from_seed([9; 32])
    }

    fn all_hold(path: &Path, now: u64) -> Vec<bool> {
        let (list, signature) = read_signed(path).unwrap();
        verify(&list, signature.as_deref(), Some(&key().public()), now)
            .iter()
            .map(|check| check.holds.unwrap())
            .collect()
    }

    #[test]
    fn a_list_is_made_signed_changed_and_signed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relays.json");
        let relays = (1..=3).map(|seed| relay(seed, 1)).collect();
        let list = RelayList::join("ours", NOW, NOW + DAY, relays).unwrap();
        fs::write(&path, list.to_json()).unwrap();
        assert_eq!(all_hold(&path, NOW), [false, true, true, true, true]);
        sign(&path, &key(), NOW).unwrap();
        assert_eq!(all_hold(&path, NOW), [true; 5]);

        let changed = add(&path, vec![relay(2, 2), relay(4, 4)], NOW, 2 * DAY).unwrap();
        let ports: Vec<_> = changed.relays.iter().map(|relay| relay.port).collect();
        assert_eq!(ports, [1, 2, 1, 4]);
        assert_eq!(
            (changed.issued, changed.expires),
            (NOW + 1, NOW + 1 + 2 * DAY),
            "it is newer than the one that people hold, even within a second"
        );
        assert!(!signature_path(&path).exists(), "the old one does not fit");
        sign(&path, &key(), NOW + 1).unwrap();
        assert_eq!(all_hold(&path, NOW + 1), [true; 5]);
        assert_eq!(
            all_hold(&path, NOW + 9 * DAY),
            [true, true, true, false, true]
        );
        assert_eq!(
            all_hold(&path, NOW - 3_600),
            [true, true, false, true, true]
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_used_is_neither_signed_nor_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relays.json");
        assert!(matches!(
            sign(&path, &key(), NOW),
            Err(AppError::RelayFile(reason)) if reason.kind() == io::ErrorKind::NotFound
        ));
        for (text, expected) in [
            ("{}".to_owned(), None),
            (
                RelayList::join("", 1, 2, (1..=3).map(|seed| relay(seed, 1)).collect())
                    .unwrap()
                    .to_json(),
                Some(RelayListError::Expired),
            ),
        ] {
            fs::write(&path, &text).unwrap();
            let refused = sign(&path, &key(), NOW).unwrap_err();
            if let Some(expected) = expected {
                assert!(matches!(refused, AppError::RelayList(why) if why == expected));
            }
            assert!(!signature_path(&path).exists());
        }
        fs::write(&path, "{}").unwrap();
        add(&path, vec![relay(1, 1)], NOW, DAY).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    }

    #[test]
    fn a_check_without_a_key_says_that_it_was_not_made() {
        let checks = verify(b"{}", Some("00"), None, NOW);
        assert_eq!(checks[0].holds, None);
        assert_eq!(checks[1].holds, Some(false));
        assert_eq!(
            verify(b"{}", Some("00"), Some(&key().public()), NOW)[0].holds,
            Some(false)
        );
    }
}
