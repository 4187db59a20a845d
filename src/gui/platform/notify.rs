//! What the desktop says when a transfer ends while the window is behind others.

#[cfg(not(target_os = "macos"))]
use crate::gui::text;
use crate::gui::text::Notification;

/// Has the desktop show it, once the person has allowed that. One that has no notifications shows none.
#[cfg(target_os = "macos")]
pub(crate) fn show(notification: &Notification) {
    use block2::RcBlock;
    use objc2::runtime::Bool;
    use objc2_foundation::{NSBundle, NSError, NSString, NSUUID};
    use objc2_user_notifications::{
        UNAuthorizationOptions, UNMutableNotificationContent, UNNotificationRequest,
        UNUserNotificationCenter,
    };

    // The system ends a program that asks for notifications and is in no bundle.
    if NSBundle::mainBundle().bundleIdentifier().is_none() {
        return;
    }
    let Notification { title, body } = notification;
    let (title, body) = (title.clone(), body.clone());
    let when_answered = RcBlock::new(move |allowed: Bool, _error: *mut NSError| {
        if allowed.as_bool() {
            let content = UNMutableNotificationContent::new();
            content.setTitle(&NSString::from_str(&title));
            content.setBody(&NSString::from_str(&body));
            // One with the name of an earlier one would take its place.
            let name = NSUUID::new().UUIDString();
            let request =
                UNNotificationRequest::requestWithIdentifier_content_trigger(&name, &content, None);
            UNUserNotificationCenter::currentNotificationCenter()
                .addNotificationRequest_withCompletionHandler(&request, None);
        }
    });
    // The person is asked once, before the first one; later the system answers by itself.
    UNUserNotificationCenter::currentNotificationCenter()
        .requestAuthorizationWithOptions_completionHandler(
            UNAuthorizationOptions::Alert,
            &when_answered,
        );
}

/// Has the desktop show it. May block for as long as the desktop takes; one that has no notifications shows none.
#[cfg(not(target_os = "macos"))]
pub(crate) fn show(notification: &Notification) {
    let mut shown = notify_rust::Notification::new();
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

#[cfg(not(target_os = "macos"))]
const APP_ID: &str = "org.cloakroom.Cloakroom";

/// Windows shows nothing of programs that it has no name for, and asks the person's part of the registry for it where no
/// installer has brought a shortcut of the same id.
#[cfg(windows)]
fn name_to_windows() -> windows_registry::Result<()> {
    let key = format!(r"Software\Classes\AppUserModelId\{APP_ID}");
    let key = windows_registry::CURRENT_USER.create(key)?;
    key.set_string("DisplayName", text::NAME)
}

/// Bodies may hold markup on Linux; a file's name must not. Windows shows every sign as it is.
#[cfg(not(target_os = "macos"))]
fn body(text: &str) -> String {
    if cfg!(all(unix, not(target_os = "macos"))) {
        plain(text)
    } else {
        text.to_owned()
    }
}

#[cfg(not(target_os = "macos"))]
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn a_name_brings_no_markup() {
        assert_eq!(
            plain("<a href=\"x\">R&D</a>"),
            "&lt;a href=\"x\"&gt;R&amp;D&lt;/a&gt;"
        );
    }

    #[cfg(windows)]
    #[test]
    fn a_name_is_shown_as_it_is_where_there_is_no_markup() {
        assert_eq!(body("R&D <1>.pdf"), "R&D <1>.pdf");
    }
}
