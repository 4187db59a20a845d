//! The words of the window's frame: places, files that this program knows, and what to do
//! when a drop brings nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::texts;
use crate::app::transfer::known_file::KnownFile;
use crate::app::words::message::UserMessage;
use crate::gui::model::FoundPath;

/// Over the window while a file hangs there that is used as soon as it is dropped.
#[must_use]
pub(crate) fn hover_known(known: KnownFile, name: &str) -> String {
    match known {
        KnownFile::Invitation | KnownFile::Pointer => texts::hover_pointer(name),
        KnownFile::RelayList => texts::hover_list(name),
        KnownFile::ServiceNodes => texts::hover_network(name),
    }
}

/// Share: a file came to be shared that this program can use itself.
#[must_use]
pub(crate) fn known_file(found: &FoundPath) -> UserMessage {
    match found.known {
        Some(KnownFile::Invitation) => texts::invitation_file_dropped(&found.name),
        Some(KnownFile::Pointer) => texts::pointer_file_dropped(&found.name),
        Some(KnownFile::ServiceNodes) => texts::network_file_dropped(&found.name),
        Some(KnownFile::RelayList) | None => texts::relay_list_dropped(&found.name),
    }
}

/// Share: uses that file.
#[must_use]
pub(crate) fn use_known_file(found: &FoundPath) -> &'static str {
    match found.known {
        Some(KnownFile::Invitation) => texts::use_known_invitation(),
        Some(KnownFile::Pointer) => texts::receive_known_file(),
        Some(KnownFile::ServiceNodes) => texts::use_known_network(),
        Some(KnownFile::RelayList) | None => texts::use_known_list(),
    }
}

/// On the card of a pointer.
#[must_use]
pub(crate) fn will_be_saved_in(folder: &Path) -> String {
    texts::will_be_saved_in(&in_words(folder, HOME.as_deref()))
}

/// On a received file.
#[must_use]
pub(crate) fn saved_in(folder: &Path) -> String {
    texts::saved_in(&in_words(folder, HOME.as_deref()))
}

/// A folder where there is little room: its name alone.
#[must_use]
pub(crate) fn saved_in_short(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    texts::saved_in(&name.to_string_lossy())
}

/// A path as the window shows it: `~/Downloads` in the home folder. An error shows it whole, as other programs need it.
#[must_use]
pub fn place(path: &Path) -> String {
    below_home(path, HOME.as_deref())
}

/// A folder inside a sentence: the home folder itself in words.
fn in_words(folder: &Path, home: Option<&Path>) -> String {
    if home == Some(folder) {
        texts::home_folder().to_owned()
    } else {
        below_home(folder, home)
    }
}

/// The home folder, where people write it `~`.
static HOME: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folders = directories::UserDirs::new().filter(|_| !cfg!(windows))?;
    Some(folders.home_dir().to_owned())
});

/// Writes a path inside the home folder with `~`.
fn below_home(folder: &Path, home: Option<&Path>) -> String {
    let below = home
        .filter(|home| home.parent().is_some())
        .and_then(|home| folder.strip_prefix(home).ok());
    // Part by part: joined to nothing, the home folder itself would end in what parts folders.
    let short = below.map(|below| {
        std::iter::once(OsStr::new("~"))
            .chain(below)
            .collect::<PathBuf>()
    });
    let shown = short.as_deref().unwrap_or(folder);
    shown.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_has_a_short_name() {
        let home = || Some(Path::new("/home/ada"));
        for (folder, home, said) in [
            ("/home/ada/Downloads", home(), "~/Downloads"),
            ("/home/ada", home(), "~"),
            ("/home/adam/Downloads", home(), "/home/adam/Downloads"),
            ("/media/home/ada", home(), "/media/home/ada"),
            ("/home/ada/Downloads", None, "/home/ada/Downloads"),
            ("/srv", Some(Path::new("/")), "/srv"),
        ] {
            // Compared as a path: what parts folders is not the same everywhere.
            let shown = below_home(Path::new(folder), home);
            assert_eq!(Path::new(&shown), Path::new(said));
        }
        assert_eq!(in_words(Path::new("/home/ada"), home()), "your home folder");
    }
}
