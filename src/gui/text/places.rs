//! The words of the window's frame: places, what is announced of Settings, what a relay list's host sees, and what to do
//! when a drop brings nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::app::transfer::known_file::KnownFile;
use crate::app::words::l10n::{say, tell};
use crate::app::words::message::UserMessage;
use crate::gui::model::FoundPath;

plain! {
    /// Settings: adds the server that was typed.
    add_this_server;
    /// Settings: adds the relay list that was typed.
    add_this_list;
    /// Settings: what a server reached without relays would see.
    direct_switch_off_about;
    /// Who saw what, on the built-in network.
    note_this_computer;
    /// The sheet of keys: over what follows.
    if_a_drop_fails;
    /// The sheet of keys: files that are only promised.
    drop_promised;
    /// The sheet of keys: Windows, as administrator.
    drop_elevated;
}

/// Settings: what the host of a list sees when its line is added.
#[must_use]
pub fn list_host_sees(proxy: bool) -> &'static str {
    say(if proxy {
        "list_host_sees_proxy"
    } else {
        "list_host_sees"
    })
}

/// Settings: what a seed of Session's network sees.
#[must_use]
pub fn seed_sees(proxy: bool) -> &'static str {
    say(if proxy {
        "seed_sees_proxy"
    } else {
        "seed_sees"
    })
}

/// Two sentences, one after the other.
#[must_use]
pub fn two_sentences(first: &str, second: &str) -> String {
    tell(
        "two_sentences",
        &[("first", first.into()), ("second", second.into())],
    )
}

/// Said when it happened.
#[must_use]
pub fn server_is_added(name: &str) -> String {
    tell("server_is_added", &[("name", name.into())])
}

/// Said when it happened.
#[must_use]
pub fn list_is_used(name: &str) -> String {
    tell("list_is_used", &[("name", name.into())])
}

/// Said when it happened.
#[must_use]
pub fn proxy_is_used(name: &str) -> String {
    tell("proxy_is_used", &[("name", name.into())])
}

/// Over the window while a file hangs there that is used as soon as it is dropped.
#[must_use]
pub fn hover_known(known: KnownFile, name: &str) -> String {
    let id = match known {
        KnownFile::Pointer => "hover_pointer",
        KnownFile::RelayList => "hover_list",
    };
    tell(id, &[("name", name.into())])
}

/// Share: a file came to be shared that this program can use itself.
#[must_use]
pub fn known_file(found: &FoundPath) -> UserMessage {
    let id = match found.known {
        Some(KnownFile::Pointer) => "pointer_file_dropped",
        Some(KnownFile::RelayList) | None => "relay_list_dropped",
    };
    crate::app::words::message::message(id, &[("name", found.name.as_str().into())])
}

/// Share: uses that file.
#[must_use]
pub fn use_known_file(found: &FoundPath) -> &'static str {
    say(match found.known {
        Some(KnownFile::Pointer) => "receive_known_file",
        Some(KnownFile::RelayList) | None => "use_known_list",
    })
}

plain! {
    /// Share: shares that file as any other.
    share_known_file;
}

/// Share: a relay list that was dropped or chosen there is used from now on.
#[must_use]
pub fn list_now_used(name: &str) -> UserMessage {
    crate::app::words::message::message("list_now_used", &[("name", name.into())])
}

/// What was dropped is no file on this computer.
#[must_use]
pub fn dropped_no_file() -> UserMessage {
    crate::app::words::message::message("dropped_no_file", &[])
}

/// The system has no dialog for a relay list.
#[must_use]
pub fn no_dialog_for_list() -> UserMessage {
    crate::app::words::message::message("no_dialog_for_list", &[])
}

/// The system has no dialog for a folder.
#[must_use]
pub fn no_dialog_for_folder() -> UserMessage {
    crate::app::words::message::message("no_dialog_for_folder", &[])
}

/// On the card of a pointer.
#[must_use]
pub fn will_be_saved_in(folder: &Path) -> String {
    tell(
        "will_be_saved_in",
        &[("folder", in_words(folder, HOME.as_deref()).into())],
    )
}

/// On a received file.
#[must_use]
pub fn saved_in(folder: &Path) -> String {
    tell(
        "saved_in",
        &[("folder", in_words(folder, HOME.as_deref()).into())],
    )
}

/// A folder where there is little room: its name alone.
#[must_use]
pub fn saved_in_short(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    let name = name.to_string_lossy();
    tell("saved_in", &[("folder", name.into_owned().into())])
}

/// A path as the window shows it: `~/Downloads` in the home folder. An error shows it whole, as other programs need it.
#[must_use]
pub fn place(path: &Path) -> String {
    below_home(path, HOME.as_deref())
}

/// A folder inside a sentence: the home folder itself in words.
fn in_words(folder: &Path, home: Option<&Path>) -> String {
    if home == Some(folder) {
        say("home_folder").to_owned()
    } else {
        below_home(folder, home)
    }
}

/// The home folder, where people write it `~`.
static HOME: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folders = directories::UserDirs::new().filter(|_| !cfg!(windows))?;
    Some(folders.home_dir().to_owned())
});

/// With `~` for the home folder, if it begins with that.
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
