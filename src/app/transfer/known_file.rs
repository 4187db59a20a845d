//! Files that this program can use itself: a relay list, and a file with a pointer or an invitation in it. Whoever drops one
//! on the window may want it used, not shared.

use std::path::Path;

use zeroize::Zeroizing;

use crate::app::error::{AppError, LocalFileError};
use crate::app::parcel::Parcel;
use crate::app::relays::{ServiceNodeNetwork, list_file};
use crate::protocol::invitation::{FindInvitationError, Invitation};
use crate::protocol::pointer::{FindPointerError, Pointer};
use crate::protocol::seal::ContentKind;
use crate::protocol::size_class::MAX_CONTENT_LEN;
use crate::protocol::text;

/// What this program can do with a file besides sharing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownFile {
    /// Join the network of the invitation in it: `NAME.cloakroom` as well.
    Invitation,
    /// Receive the file that the pointer in it names: `NAME.cloakroom`.
    Pointer,
    /// Use its relays: `NAME.json`.
    RelayList,
    /// Join the network of service nodes that it describes: `NAME.toml`.
    ServiceNodes,
}

impl KnownFile {
    /// What the ending of the file's name says, whatever is in the file: an invitation has that of a pointer.
    #[must_use]
    pub(crate) fn by_name(path: &Path) -> Option<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str())?;
        [
            ("cloakroom", Self::Pointer),
            ("json", Self::RelayList),
            ("toml", Self::ServiceNodes),
        ]
        .into_iter()
        .find_map(|(known, kind)| ending.eq_ignore_ascii_case(known).then_some(kind))
    }

    /// What the file at `path` is by its name and by what is in it; none for any other file, and for one that cannot be
    /// read. A damaged pointer and a list that has ended are what they were. Blocking; reads at most the beginning.
    #[must_use]
    pub(crate) fn recognise(path: &Path) -> Option<Self> {
        let kind = Self::by_name(path)?;
        let is_so = match kind {
            // Where a pointer stands beside it, the invitation goes first.
            Self::Invitation | Self::Pointer if read_invitation(path).is_some() => {
                return Some(Self::Invitation);
            }
            Self::Invitation | Self::Pointer => read_pointer(path).is_ok_and(|text| {
                !matches!(
                    Pointer::find(&text),
                    Err(FindPointerError::NotFound | FindPointerError::TooLong)
                )
            }),
            Self::RelayList => list_file::is_list(path),
            // Files of this form are many: one that is not whole is any other file.
            Self::ServiceNodes => ServiceNodeNetwork::read(path).is_ok(),
        };
        is_so.then_some(kind)
    }
}

/// The text in a file that is said to hold a pointer. Blocking.
///
/// # Errors
/// [`AppError::Local`]; [`AppError::Pointer`] when the file holds no text.
pub(crate) fn read_pointer(path: &Path) -> Result<Zeroizing<String>, AppError> {
    read_text(path, MAX_CONTENT_LEN)
}

/// Whether there is a file or folder at `path`.
#[must_use]
pub(crate) fn is_there(path: &Path) -> bool {
    path.exists()
}

/// The text of the file at `path`, if its name ends in `.cloakroom` and an invitation stands in it, good, expired or damaged.
/// None for any other file, for one that is longer than 64 KiB, and for one that cannot be read. Blocking.
#[must_use]
pub(crate) fn read_invitation(path: &Path) -> Option<Zeroizing<String>> {
    if KnownFile::by_name(path) != Some(KnownFile::Pointer) {
        return None;
    }
    let text = read_text(path, MAX_INVITATION_FILE_LEN).ok()?;
    // One that has expired is an invitation still: whoever opens it is told so.
    let is_other = matches!(
        Invitation::find(&text, 0),
        Err(FindInvitationError::NotFound | FindInvitationError::TooLong)
    );
    (!is_other).then_some(text)
}

/// The longest file that is read as an invitation, in bytes. No longer text is searched for one.
const MAX_INVITATION_FILE_LEN: u64 = 64 * 1024;

/// The text in a file of at most `max_len_bytes`.
fn read_text(path: &Path, max_len_bytes: u64) -> Result<Zeroizing<String>, AppError> {
    let parcel = Parcel::look(&[path.to_owned()], &|| false)?;
    if parcel.kind() != ContentKind::File {
        return Err(LocalFileError::NotAFile.into());
    }
    if parcel.content_len() > max_len_bytes {
        return Err(AppError::Pointer(FindPointerError::TooLong));
    }
    let content = parcel.read(0..parcel.content_len())?;
    text::decode(&content).map_err(|_not_text| AppError::Pointer(FindPointerError::NotFound))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{RelayDescriptor, RelayList, Serves};

    /// An invitation whose end is missing.
    const CUT_OFF_INVITATION: &[u8] =
        b"cloakin15cq8s8tgw368qw309anxjmr9wvhx27rpd4cxcefwdaexww3cxuu";

    #[test]
    fn an_invitation_is_read_from_a_file_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            read_invitation(&path).map(|text| text.to_string())
        };
        let vectors = include_str!("../../../tests/vectors/networks.json");
        let word = vectors.split('"').find(|text| Invitation::may_be(text));
        let word = word.expect("a published invitation");
        assert!(Invitation::find(word, u64::MAX).is_err(), "it has an end");
        for whole in [
            word.to_owned(),
            format!("\u{feff}cloakroom:{word}\r\n"),
            format!("Come to our network:\n\n{word}\n\nAnn"),
        ] {
            let text = whole.trim_start_matches('\u{feff}');
            assert_eq!(
                read("friends.cloakroom", whole.as_bytes()).as_deref(),
                Some(text)
            );
        }
        assert_eq!(
            read("FRIENDS.CLOAKROOM", CUT_OFF_INVITATION)
                .as_deref()
                .map(str::as_bytes),
            Some(CUT_OFF_INVITATION)
        );
        assert_eq!(read("friends.txt", word.as_bytes()), None, "another name");
    }

    #[test]
    fn a_file_without_an_invitation_is_no_invitation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("friends.cloakroom");
        let read = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            read_invitation(&path).is_some()
        };
        assert!(!read(b""));
        assert!(!read(b"milk and eggs"));
        assert!(!read(
            b"cloak14qq8g6r5w3cr5te0ve5kcetn9ejhsctdwpkx2q2cyrt44"
        ));
        assert!(!read(&[0xff, 0xfe, 0x00]));
        let filled = |len: usize| {
            let mut content = CUT_OFF_INVITATION.to_vec();
            content.resize(len, b'\n');
            content
        };
        assert!(read(&filled(64 * 1024)));
        assert!(!read(&filled(64 * 1024 + 1)));
        fs::remove_file(&path).unwrap();
        assert!(read_invitation(&path).is_none(), "no file");
        fs::create_dir(&path).unwrap();
        assert!(read_invitation(&path).is_none(), "a folder");
    }

    #[test]
    fn a_file_is_known_by_its_name_and_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let known = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            KnownFile::recognise(&path)
        };
        let relays = [1, 2, 3].map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: [198, 51, 100, seed].into(),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        });
        let list = RelayList::join("ours", 1, 2, relays.into()).unwrap();
        let list = list.to_json();
        let list = list.as_ref();
        assert_eq!(known("relays.json", list), Some(KnownFile::RelayList));
        assert_eq!(known("RELAYS.JSON", list), Some(KnownFile::RelayList));
        assert_eq!(known("relays.txt", list), None, "another name");
        assert_eq!(known("table.json", b"[1,2,3]"), None, "other content");
        let key = "b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371";
        let nodes = format!(
            "name = 'Other'\nserver = 'http://files.example#p={key}'\n[[seed]]\nurl = 'https://seed.example'\nfingerprint = '{key}'\n"
        );
        let nodes = nodes.as_bytes();
        assert_eq!(known("other.toml", nodes), Some(KnownFile::ServiceNodes));
        assert_eq!(known("other.txt", nodes), None, "another name");
        assert_eq!(known("Cargo.toml", b"[package]\nname = 'other'\n"), None);
        let cut_off = b"cloak14qq8g6r5w3cr5te0ve5kcetn9ejhsctdwpkx2q2cyrt44";
        assert_eq!(known("a.cloakroom", cut_off), Some(KnownFile::Pointer));
        assert_eq!(known("b.txt", cut_off), None, "another name");
        assert_eq!(known("c.cloakroom", b"milk and eggs"), None);
        assert_eq!(known("d.cloakroom", &[0xff, 0xfe, 0x00]), None);
    }
}
