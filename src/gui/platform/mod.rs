//! The desktop around the window: dialogs, clipboard, opening files. A trait, so that tests need no desktop.

mod clipboard;
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) mod hold;
#[cfg(windows)]
pub(crate) mod links;
mod notify;
#[cfg(target_os = "macos")]
pub(super) mod opened;
pub(crate) mod system_look;
pub mod uri_list;
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) mod x11_drop;

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rfd::AsyncFileDialog;
use winit::raw_window_handle::{HasDisplayHandle, HasWindowHandle};
use zeroize::Zeroizing;

use self::clipboard::confidential;
use self::uri_list::UriList;
use super::model::{FoundKind, FoundPath, PointerText, SystemLook};
use super::text;
use super::text::Notification;
use crate::app::received::content_type::{self, Findings};
use crate::app::transfer::known_file::KnownFile;
use crate::app::words::harmless::shown_name;
use crate::wire::clock;

/// Outcome of showing a file in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revealed {
    /// The file is not there any more.
    Gone,
    /// No program could be asked.
    NoProgram,
    /// A program was asked to.
    Shown,
}

/// What the window asks of the desktop.
///
/// The `pick_…` functions are called on the main thread (macOS insists) and awaited elsewhere; none means dismissed.
pub trait Platform: Send + Sync {
    /// The system's dialog for files to share.
    fn pick_files(&self) -> BoxFuture<'static, Option<Vec<PathBuf>>>;
    /// The system's dialog for a folder to share.
    fn pick_folder_to_share(&self) -> BoxFuture<'static, Option<PathBuf>>;
    /// The system's dialog for one file.
    fn pick_file(&self) -> BoxFuture<'static, Option<PathBuf>>;
    /// The system's dialog for a folder, opened at this one.
    fn pick_folder(&self, at: Option<PathBuf>) -> BoxFuture<'static, Option<PathBuf>>;
    /// Puts a secret on the clipboard, marked so that clipboard managers do not keep it. False: not taken.
    fn copy_secret(&self, text: &PointerText) -> bool;
    /// Empties the clipboard, if this secret is still on it.
    fn clear_secret(&self, text: &PointerText);
    /// The present time, in unix seconds.
    fn now(&self) -> u64;
    /// Tells, at once and whenever it changes, how the system wants windows to look; nothing where it does not say.
    /// Never waits.
    fn watch_look(&self, tell: Box<dyn Fn(SystemLook) + Send>);
    /// Files on the clipboard, as file managers put them there.
    fn clipboard_files(&self) -> UriList;
    /// Opens a file with its program. False: nothing took it.
    fn open(&self, path: &Path) -> bool;
    /// Shows a file in its folder.
    fn reveal(&self, path: &Path) -> Revealed;
    /// The system's dialog for a file to be written, of this name at first.
    fn pick_new_file(&self, name: &str) -> BoxFuture<'static, Option<PathBuf>>;
    /// Has the desktop say something. May block.
    fn notify(&self, notification: &Notification);

    /// Whether the system has file dialogs; without them each seems to be dismissed at once. May block.
    fn has_dialogs(&self) -> bool {
        true
    }

    /// Whether a click on a `cloakroom:` link opens this program; none where that is decided when it is installed.
    /// Blocking.
    fn opens_links(&self) -> Option<bool> {
        None
    }

    /// Has such links open this program, or no longer. False: the system did not take it. Blocking.
    fn open_links(&self, _on: bool) -> bool {
        false
    }

    /// The window has closed: what was copied and may stay goes on without it. May block shortly.
    fn close(&self) {}

    /// What there is to say about a received file, as it is now; none when it cannot be read. A folder is shown and never
    /// run. Blocking.
    fn examine(&self, path: &Path) -> Option<Findings> {
        if self.look(path).kind.is_folder() {
            return Some(Findings::default());
        }
        content_type::examine(path).ok()
    }

    /// Bytes of all files in a folder, as far as it can be read. Links are not followed. Blocking.
    #[expect(
        clippy::disallowed_methods,
        reason = "this trait is where the window meets the desktop"
    )]
    fn folder_len(&self, path: &Path) -> u64 {
        let mut folders = vec![path.to_owned()];
        let mut len = 0_u64;
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries {
                match entry.metadata() {
                    Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                    Ok(meta) if meta.is_file() => len = len.saturating_add(meta.len()),
                    Ok(_) | Err(_) => {}
                }
            }
        }
        len
    }

    /// Looks at a path: file, folder or missing.
    #[expect(
        clippy::disallowed_methods,
        reason = "this trait is where the window meets the desktop"
    )]
    fn look(&self, path: &Path) -> FoundPath {
        let kind = match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => FoundKind::Folder { len: None },
            Ok(meta) if meta.is_file() => FoundKind::File { len: meta.len() },
            Ok(_) | Err(_) => FoundKind::Missing,
        };
        let known = matches!(kind, FoundKind::File { .. }).then(|| KnownFile::recognise(path));
        FoundPath {
            path: path.to_owned(),
            name: shown_name(path),
            kind,
            known: known.flatten(),
        }
    }
}

/// Whether this program runs with an administrator's rights on Windows, where other programs then cannot drop files on
/// it. Elsewhere that keeps nothing away.
#[must_use]
pub(crate) fn is_elevated() -> bool {
    #[cfg(windows)]
    return windows_registry::USERS.open(ADMINISTRATORS_ONLY).is_ok();
    #[cfg(not(windows))]
    false
}

/// The registry of a service's account: only who has such rights can look into it.
#[cfg(windows)]
const ADMINISTRATORS_ONLY: &str = "S-1-5-19";

/// The [`Platform`] of the system that the program runs on.
#[derive(Default)]
pub struct Desktop {
    look: system_look::Watch,
    // On X11 and Wayland the program that copied serves the clipboard: it must live as long as the window.
    clipboard: Mutex<Option<arboard::Clipboard>>,
    /// What was copied last, unless it had to leave again.
    copied: Mutex<Option<PointerText>>,
    /// A dialog of the window.
    dialog: Mutex<AsyncFileDialog>,
}

impl Desktop {
    /// A desktop that begins to ask the system how windows should look, so that it is known when the first is drawn.
    #[must_use]
    pub(crate) fn watching() -> Self {
        Self {
            look: system_look::Watch::start(),
            ..Self::default()
        }
    }

    /// Dialogs stand over this window from now on.
    pub(crate) fn belong_to(&self, window: &(impl HasWindowHandle + HasDisplayHandle)) {
        *self.dialog.lock() = AsyncFileDialog::new().set_parent(window);
    }

    fn dialog(&self, title: &str) -> AsyncFileDialog {
        self.dialog.lock().clone().set_title(title)
    }

    fn with_clipboard<T>(
        &self,
        use_it: impl FnOnce(&mut arboard::Clipboard) -> Option<T>,
    ) -> Option<T> {
        let mut slot = self.clipboard.lock();
        if slot.is_none() {
            *slot = arboard::Clipboard::new().ok();
        }
        use_it(slot.as_mut()?)
    }
}

impl Platform for Desktop {
    fn pick_files(&self) -> BoxFuture<'static, Option<Vec<PathBuf>>> {
        let dialog = self.dialog(text::dialog_share()).pick_files();
        Box::pin(async move {
            let files = dialog.await?;
            Some(files.iter().map(|file| file.path().to_owned()).collect())
        })
    }

    fn pick_folder_to_share(&self) -> BoxFuture<'static, Option<PathBuf>> {
        let dialog = self.dialog(text::dialog_share_folder()).pick_folder();
        Box::pin(async move { dialog.await.map(|folder| folder.path().to_owned()) })
    }

    fn pick_file(&self) -> BoxFuture<'static, Option<PathBuf>> {
        let dialog = self.dialog(text::dialog_relay_list()).pick_file();
        Box::pin(async move { dialog.await.map(|file| file.path().to_owned()) })
    }

    fn pick_folder(&self, at: Option<PathBuf>) -> BoxFuture<'static, Option<PathBuf>> {
        let mut dialog = self.dialog(text::dialog_folder());
        if let Some(at) = at {
            dialog = dialog.set_directory(at);
        }
        let dialog = dialog.pick_folder();
        Box::pin(async move { dialog.await.map(|folder| folder.path().to_owned()) })
    }

    fn copy_secret(&self, text: &PointerText) -> bool {
        let taken = self
            .with_clipboard(|clipboard| confidential(clipboard.set()).text(text.as_str()).ok())
            .is_some();
        if taken {
            *self.copied.lock() = Some(text.clone());
        }
        taken
    }

    fn clear_secret(&self, text: &PointerText) {
        self.copied.lock().take_if(|copied| copied == text);
        self.with_clipboard(|clipboard| {
            let there = Zeroizing::new(clipboard.get_text().ok()?);
            (*there == text.as_str()).then(|| clipboard.clear().ok())?
        });
    }

    fn now(&self) -> u64 {
        clock::system()()
    }

    fn watch_look(&self, tell: Box<dyn Fn(SystemLook) + Send>) {
        self.look.tell(tell);
    }

    fn clipboard_files(&self) -> UriList {
        self.with_clipboard(|clipboard| clipboard.get().file_list().ok())
            .unwrap_or_default()
            .into()
    }

    fn open(&self, path: &Path) -> bool {
        opener::open(path).is_ok()
    }

    fn pick_new_file(&self, name: &str) -> BoxFuture<'static, Option<PathBuf>> {
        let dialog = self.dialog(text::dialog_export());
        let dialog = dialog.set_file_name(name).save_file();
        Box::pin(async move { dialog.await.map(|file| file.path().to_owned()) })
    }

    fn notify(&self, notification: &Notification) {
        notify::show(notification);
    }

    fn has_dialogs(&self) -> bool {
        dialogs::there_are()
    }

    #[cfg(windows)]
    fn opens_links(&self) -> Option<bool> {
        links::are_ours()
    }

    #[cfg(windows)]
    fn open_links(&self, on: bool) -> bool {
        links::set(on)
    }

    fn close(&self) {
        let copied = self.copied.lock().take();
        // Another program that does not answer can hold it; then nothing is left to do with it.
        let Some(mut slot) = self.clipboard.try_lock() else {
            return;
        };
        #[cfg(all(unix, not(target_os = "macos")))]
        if let (Some(copied), Some(clipboard)) = (copied, slot.as_mut())
            && let Ok(there) = clipboard.get_text().map(Zeroizing::new)
            && *there == copied.as_str()
            && !hold::hand_over(&copied)
        {
            tracing::debug!("the copied pointer leaves the clipboard with the window");
        }
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        drop(copied);
        drop(slot.take());
    }

    fn reveal(&self, path: &Path) -> Revealed {
        let folder = || path.parent().map(opener::open);
        if self.look(path).kind == FoundKind::Missing {
            // Its folder could be shown, and would say nothing.
            Revealed::Gone
        } else if opener::reveal(path).is_ok() || folder().is_some_and(|opened| opened.is_ok()) {
            Revealed::Shown
        } else {
            Revealed::NoProgram
        }
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod dialogs {
    pub(crate) const fn there_are() -> bool {
        true
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod dialogs {
    //! Whether the system has file dialogs: on Linux and the BSDs those of the desktop's portal or of Zenity.

    use std::ffi::OsStr;

    use zbus::blocking::{Connection, Proxy};

    #[expect(
        clippy::disallowed_methods,
        reason = "where programs are, only the environment says"
    )]
    pub(crate) fn there_are() -> bool {
        has_program(std::env::var_os("PATH").as_deref(), "zenity") || has_portal().is_ok()
    }

    /// Whether a program of this name is on `PATH`.
    #[expect(
        clippy::disallowed_methods,
        reason = "this room is where the window meets the desktop"
    )]
    fn has_program(path: Option<&OsStr>, name: &str) -> bool {
        path.is_some_and(|path| {
            let mut folders = std::env::split_paths(path);
            folders.any(|folder| folder.join(name).is_file())
        })
    }

    fn has_portal() -> zbus::Result<u32> {
        const SERVICE: &str = "org.freedesktop.portal.Desktop";
        const PATH: &str = "/org/freedesktop/portal/desktop";
        let bus = Connection::session()?;
        Proxy::new(&bus, SERVICE, PATH, "org.freedesktop.portal.FileChooser")?
            .get_property("version")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        #[expect(clippy::disallowed_methods, reason = "a real folder is looked into")]
        fn a_program_is_one_of_the_files_on_the_path() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = std::env::join_paths([folder.path()]).expect("a path");
            assert!(!has_program(Some(&path), "zenity"));
            std::fs::write(folder.path().join("zenity"), "").expect("a file");
            assert!(has_program(Some(&path), "zenity"));
            assert!(!has_program(None, "zenity"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a real file is looked at")]
    fn a_path_is_a_file_a_folder_or_missing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a.bin");
        std::fs::write(&file, [7; 5]).expect("a file in it");
        let desktop = Desktop::default();
        assert_eq!(desktop.look(&file).kind, FoundKind::File { len: 5 });
        assert_eq!(
            desktop.look(folder.path()).kind,
            FoundKind::Folder { len: None }
        );
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).expect("a folder in it");
        std::fs::write(inner.join("b.bin"), [7; 8]).expect("a file in that");
        assert_eq!(desktop.folder_len(folder.path()), 13);
        assert_eq!(desktop.examine(&inner), Some(Findings::default()));
        assert_eq!(
            desktop.look(&folder.path().join("b")).kind,
            FoundKind::Missing
        );
    }
}
