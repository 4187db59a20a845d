//! What the desktop says when a transfer ends while the window is behind others.

use notify_rust::Notification as Shown;

use crate::gui::text;
use crate::gui::text::Notification;

/// Has the desktop show it. May block for as long as the desktop takes; one that has no notifications shows none.
pub(crate) fn show(notification: &Notification) {
    let mut shown = Shown::new();
    shown
        .appname(text::NAME)
        .summary(&notification.title)
        .body(&body(&notification.body));
    #[cfg(all(unix, not(target_os = "macos")))]
    shown
        .icon(APP_ID)
        .hint(notify_rust::Hint::DesktopEntry(APP_ID.to_owned()))
        .hint(notify_rust::Hint::Category("transfer.complete".to_owned()));
    #[cfg(windows)]
    {
        name_to_windows().ok();
        shown.app_id(APP_ID);
    }
    // Without a place for notifications the row in the window says it all.
    shown.show().ok();
}

#[cfg(any(windows, all(unix, not(target_os = "macos"))))]
const APP_ID: &str = "org.cloakroom.Cloakroom";

/// Windows shows nothing of programs that it has no name for, and asks the person's part of the registry for it where no
/// installer has brought a shortcut of the same id.
#[cfg(windows)]
fn name_to_windows() -> windows_registry::Result<()> {
    let key = format!(r"Software\Classes\AppUserModelId\{APP_ID}");
    let key = windows_registry::CURRENT_USER.create(key)?;
    key.set_string("DisplayName", text::NAME)
}

/// Bodies may hold markup on Linux; a file's name must not. The other systems show every sign as it is.
fn body(text: &str) -> String {
    if cfg!(all(unix, not(target_os = "macos"))) {
        plain(text)
    } else {
        text.to_owned()
    }
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_brings_no_markup() {
        assert_eq!(
            plain("<a href=\"x\">R&D</a>"),
            "&lt;a href=\"x\"&gt;R&amp;D&lt;/a&gt;"
        );
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    #[test]
    fn a_name_is_shown_as_it_is_where_there_is_no_markup() {
        assert_eq!(body("R&D <1>.pdf"), "R&D <1>.pdf");
    }
}
