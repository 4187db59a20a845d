//! Files that this program can use itself: a relay list, and a file with a pointer in it. Whoever drops one on the window
//! may want it used, not shared.

use std::path::Path;

use zeroize::Zeroizing;

use crate::app::error::{AppError, LocalFileError};
use crate::app::parcel::Parcel;
use crate::app::relays::list_file;
use crate::protocol::pointer::{FindPointerError, Pointer};
use crate::protocol::seal::ContentKind;
use crate::protocol::size_class::MAX_CONTENT_LEN;
use crate::protocol::text;

/// What this program can do with a file besides sharing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownFile {
    /// Receive the file that the pointer in it names: `NAME.cloakroom`.
    Pointer,
    /// Use its relays: `NAME.json`.
    RelayList,
}

impl KnownFile {
    /// What the ending of the file's name says, whatever is in the file.
    #[must_use]
    pub(crate) fn by_name(path: &Path) -> Option<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str())?;
        [("cloakroom", Self::Pointer), ("json", Self::RelayList)]
            .into_iter()
            .find_map(|(known, kind)| ending.eq_ignore_ascii_case(known).then_some(kind))
    }

    /// What the file at `path` is by its name and by what is in it; none for any other file, and for one that cannot be
    /// read. A damaged pointer and a list that has ended are what they were. Blocking; reads at most the beginning.
    #[must_use]
    pub(crate) fn recognise(path: &Path) -> Option<Self> {
        let kind = Self::by_name(path)?;
        let is_so = match kind {
            Self::Pointer => read_pointer(path).is_ok_and(|text| {
                !matches!(
                    Pointer::find(&text),
                    Err(FindPointerError::NotFound | FindPointerError::TooLong)
                )
            }),
            Self::RelayList => list_file::is_list(path),
        };
        is_so.then_some(kind)
    }
}

/// The text in a file that is said to hold a pointer. Blocking.
///
/// # Errors
/// [`AppError::Local`]; [`AppError::Pointer`] when the file holds no text.
pub(crate) fn read_pointer(path: &Path) -> Result<Zeroizing<String>, AppError> {
    let parcel = Parcel::look(&[path.to_owned()], &|| false)?;
    if parcel.kind() != ContentKind::File {
        return Err(LocalFileError::NotAFile.into());
    }
    if parcel.content_len() > MAX_CONTENT_LEN {
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
        let cut_off = b"cloak14qq8g6r5w3cr5te0ve5kcetn9ejhsctdwpkx2q2cyrt44";
        assert_eq!(known("a.cloakroom", cut_off), Some(KnownFile::Pointer));
        assert_eq!(known("b.txt", cut_off), None, "another name");
        assert_eq!(known("c.cloakroom", b"milk and eggs"), None);
        assert_eq!(known("d.cloakroom", &[0xff, 0xfe, 0x00]), None);
    }
}
