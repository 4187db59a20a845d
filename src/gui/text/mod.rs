//! Every word the window says by itself, and how it writes sizes and dates.
//!
//! What comes out of `app` as an error brings its own words.

mod keeping;
mod manage;
mod messages;
mod sheets;
mod units;

pub use self::keeping::*;
pub use self::manage::*;
pub use self::messages::*;
pub use self::sheets::*;
use self::units::percent;
pub use self::units::{day, from_now, size, size_sent};
use crate::gui::model::{Milestone, Stage};

/// The program's name.
pub const NAME: &str = "Cloakroom";

/// Navigation.
pub const SHARE: &str = "Share";
/// Navigation.
pub const RECEIVE: &str = "Receive";
/// Navigation.
pub const SETTINGS: &str = "Settings";
/// Name of the switch between Share and Receive.
pub const SCREEN: &str = "Screen";

/// Share, empty.
pub const DROP_HERE: &str = "Drop files anywhere in this window";
/// Share, empty, where the system has no drops.
pub const CHOOSE_OR_PASTE: &str = "Choose files, or paste them";
/// Share, empty.
pub const SEALED_HERE: &str = "Each one is padded and sealed on this computer before it leaves.";
/// The zone's button.
pub const CHOOSE_FILES: &str = "Choose files";
/// The zone with transfers below it.
pub const DROP_MORE: &str = "Drop or choose more files";
/// The zone with transfers below it, where the system has no drops.
pub const CHOOSE_MORE: &str = "Choose more files";
/// Limit of one file.
pub const LIMIT: &str = "Up to 10 MB a file";
/// The server inside the program.
pub const BUILT_IN: &str = "Built-in network";
/// Under the zone.
pub const BUILT_IN_STAYS: &str = "Stays on this computer";

/// The pointer's field.
pub const POINTER: &str = "Pointer";
/// The pointer's field.
pub const POINTER_HINT: &str = "cloak1…";
/// Above the pointer's field.
pub const RECEIVE_TITLE: &str = "Paste the pointer you were given";
/// Under the empty field.
pub const RECEIVE_EMPTY: &str =
    "You will see what it is before anything is fetched. Text around it does no harm.";
/// Receive.
pub const DOWNLOAD: &str = "Download";
/// Receive.
pub const CLEAR: &str = "Clear";
/// A pointer without a name in it.
pub const UNNAMED_FILE: &str = "Unnamed file";

/// Rows.
pub const TRANSFERS: &str = "Transfers";
/// Rows.
pub const CANCEL: &str = "Cancel";
/// Rows.
pub const COPY_POINTER: &str = "Copy pointer";
/// Rows.
pub const COPY_LOCAL: &str = "Copy (works only on this computer)";
/// Rows.
pub const COPIED: &str = "Copied";
/// Rows.
pub const CHOOSE_SERVER: &str = "Choose a server";
/// Rows.
pub const RETRY: &str = "Retry";
/// Rows.
pub const REMOVE: &str = "Remove";
/// Rows.
pub const MORE: &str = "More about";
/// The menu of a row.
pub const REMOVE_FROM_LIST: &str = "Remove from list";
/// The menu of a row.
pub const SHOW_ORIGINAL: &str = "Show original";
/// The menu of a row.
pub const WHO_SAW_WHAT: &str = "Who saw what";
/// The menu of a row.
pub const QR: &str = "QR code";
/// In place of one character of a pointer that nobody should read now.
pub const MASK: &str = "•";
/// For a screen reader, in place of such a pointer.
pub const POINTER_MASKED: &str = "Pointer, hidden while another window is in front";
/// Said when it happened.
pub const POINTER_COPIED: &str = "Pointer copied";
/// Rows.
pub const OPEN: &str = "Open";
/// Rows.
pub const SHOW_IN_FOLDER: &str = "Show in folder";
/// Rows.
pub const VERIFIED: &str = "Verified";
/// Rows.
pub const WAITING: &str = "Waiting for its turn";
/// Rows.
pub const CANCELLED: &str = "Cancelled";
/// Rows.
pub const FAILED: &str = "Failed";

/// Settings.
pub const FILE_SERVERS: &str = "File servers";
/// Settings.
pub const FILE_SERVERS_ABOUT: &str =
    "Where your files are left. A server sees padded, sealed blobs and never who sent them.";
/// Settings.
pub const BUILT_IN_ABOUT: &str = "Inside this program. Nothing leaves this computer.";
/// Settings.
pub const ADD_SERVER: &str = "Add a server";
/// Settings.
pub const SERVER_ADDRESS: &str = "Server address";
/// Settings.
pub const SERVER_ADDRESS_HINT: &str = "http://host:port#p=…";
/// Settings.
pub const ADD: &str = "Add";
/// Settings.
pub const TEST: &str = "Test";
/// Settings.
pub const TESTING: &str = "Testing upload and download…";
/// Settings.
pub const IN_USE: &str = "In use";
/// Settings.
pub const USE: &str = "Use";
/// Settings.
pub const RELAYS: &str = "Relays";
/// Settings.
pub const RELAYS_ABOUT: &str =
    "Every request crosses three of them. They hide who you are only if different people run them.";
/// Settings.
pub const NO_RELAY_LIST: &str = "Built-in relays";
/// Settings.
pub const NO_RELAY_LIST_ABOUT: &str = "On this computer, for the built-in network only.";
/// Settings.
pub const CHOOSE_LIST: &str = "Choose a list";
/// Settings.
pub const FORGET_LIST: &str = "Forget this list";
/// Settings.
pub const DOWNLOADS: &str = "Downloads";
/// Settings.
pub const DOWNLOADS_ABOUT: &str = "Received files are saved here; none is ever overwritten.";
/// Settings.
pub const CHANGE: &str = "Change";
/// Settings.
pub const APPEARANCE: &str = "Appearance";
/// Settings.
pub const THEME: &str = "Theme";
/// Settings.
pub const SYSTEM: &str = "System";
/// Settings.
pub const LIGHT: &str = "Light";
/// Settings.
pub const DARK: &str = "Dark";
/// Settings.
pub const CONTRAST: &str = "Contrast";
/// Settings.
pub const MOTION: &str = "Motion";
/// Settings.
pub const REDUCED: &str = "Reduced";
/// Settings.
pub const TEXT_SIZE: &str = "Size";
/// Settings.
pub const LARGER: &str = "Larger";
/// Settings.
pub const SMALLER: &str = "Smaller";
/// Settings.
pub const PRIVACY: &str = "Privacy";
/// Settings: title and explanation of a switch.
pub const NAME_IN_POINTER: (&str, &str) = (
    "File name in the pointer",
    "Whoever reads the pointer sees the name before the download. The sealed file keeps it either way.",
);
/// Settings: title and explanation of a switch.
pub const COPY_WHEN_DONE: (&str, &str) = (
    "Copy the pointer as soon as it is there",
    "It takes the place of what is on the clipboard.",
);
/// Settings: title and explanation of a switch.
pub const CLEAR_CLIPBOARD: (&str, &str) = (
    "Clear the clipboard after a minute",
    "If the pointer is still on it. Closing the window clears it too.",
);
/// Settings: title and explanation of a switch.
pub const MASK_POINTERS: (&str, &str) = (
    "Hide pointers while another window is in front",
    "They are shown as dots until you come back.",
);
/// Settings.
pub const ABOUT_AND_LICENCES: &str = "About and licences";
/// Settings.
pub const KEYS: &str = "Keyboard shortcuts";
/// Settings.
pub const NORMAL: &str = "Normal";
/// Settings.
pub const HIGH: &str = "High";
/// Settings.
pub const ABOUT: &str = "About";
/// Settings.
pub const ABOUT_TEXT: &str = "Private file sharing. Licensed MIT or Apache-2.0. Not audited.";
/// First start.
pub const WELCOME: &str = "Leave a file, take a ticket";
/// First start: three short lines, a heading and a sentence each.
pub const WELCOME_LINES: [(&str, &str); 3] = [
    (
        "Drop a file, get a pointer.",
        "The file is padded and sealed on this computer before it is sent.",
    ),
    (
        "Whoever holds the pointer gets the file.",
        "Give it only to the person it is for.",
    ),
    (
        "For now everything stays on this computer.",
        "To reach others, choose a file server and relays in Settings.",
    ),
];
/// First start.
pub const START: &str = "Start";

/// Closing.
pub const KEEP_RUNNING: &str = "Keep running";
/// Closing.
pub const STOP_AND_QUIT: &str = "Stop and quit";
/// Closing.
pub const CLOSING_BODY: &str =
    "If you quit now they stop where they are, and nothing half-done is left behind.";

/// The page that shows every widget.
pub const GALLERY: &str = "Every widget in every state";

/// A notice.
pub const DISMISS: &str = "Dismiss";

/// On stderr, when there is nowhere to open a window.
pub const NO_DISPLAY: &str = "cloakroom: there is no display to open a window on; the command line `cloak` does the same without one.";

/// On stderr, when both renderers fail.
#[must_use]
pub fn no_renderer(error: &str) -> String {
    format!(
        "cloakroom: this computer's graphics cannot draw a window ({error}). On Debian and Ubuntu install \
         mesa-vulkan-drivers or libgl1-mesa-dri; or use the command line `cloak`."
    )
}

/// On stderr, when the window cannot open for another reason, such as a missing library.
#[must_use]
pub fn no_window(error: &str) -> String {
    let hint = if error.contains(".so") || error.to_lowercase().contains("library") {
        " On Debian and Ubuntu install libxkbcommon-x11-0, libx11-xcb1, libxcursor1, libxi6 and libxrandr2."
    } else {
        ""
    };
    format!(
        "cloakroom: the window could not be opened: {error}.{hint} The command line `cloak` needs none."
    )
}

/// Title of the question before closing.
#[must_use]
pub fn closing_title(running: usize) -> String {
    match running {
        1 => "A transfer is still running".to_owned(),
        more => format!("{more} transfers are still running"),
    }
}

/// Name of a step under the bar.
#[must_use]
pub fn milestone(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Pad => "Pad",
        Milestone::Seal => "Seal",
        Milestone::FindPath => "Find path",
        Milestone::Upload => "Upload",
        Milestone::Stored => "Stored",
        Milestone::Download => "Download",
        Milestone::Verify => "Verify",
        Milestone::Open => "Open",
        Milestone::Save => "Save",
    }
}

/// What a running transfer is doing.
#[must_use]
pub fn stage(stage: Stage, slow: bool) -> String {
    match stage {
        Stage::Pad => "Padding".to_owned(),
        Stage::Seal => "Sealing".to_owned(),
        Stage::FindPath if slow => "Finding a path. This is taking longer than usual".to_owned(),
        Stage::FindPath => "Finding a path".to_owned(),
        Stage::Upload { fraction } => format!("Uploading, {}", percent(fraction)),
        Stage::Crossing => "Crossing the relays".to_owned(),
        Stage::Download { fraction } => format!("Downloading, {}", percent(fraction)),
        Stage::Verify => "Verifying".to_owned(),
        Stage::Open => "Opening the seal".to_owned(),
        Stage::Save => "Saving".to_owned(),
    }
}

/// Until when a file is kept.
#[must_use]
pub fn kept_until(unix_secs: u64) -> String {
    format!("kept until {}", day(unix_secs))
}

/// A button's name beside others like it.
#[must_use]
pub fn about_file(verb: &str, name: &str) -> String {
    format!("{verb} {name}")
}

/// Name of a bar.
#[must_use]
pub fn progress_of(name: &str) -> String {
    format!("Progress of {name}")
}

/// Name of the button in the bar that says where files go.
#[must_use]
pub fn goes_now(server: &str) -> String {
    format!("File server: {server}")
}

/// Under the zone.
#[must_use]
pub fn goes_to(host: &str) -> String {
    format!("To {host} through three relays")
}

/// On the card of a pointer.
#[must_use]
pub fn comes_from(server: &str) -> String {
    format!("from {server}")
}

/// On the card of a pointer.
#[must_use]
pub fn will_be_saved_in(folder: &str) -> String {
    format!("Will be saved in {folder}")
}

/// On a received file.
#[must_use]
pub fn saved_in(folder: &str) -> String {
    format!("saved in {folder}")
}

/// A chosen relay list.
#[must_use]
pub fn relay_list(count: usize, place: &str) -> String {
    if count == 0 {
        return place.to_owned();
    }
    format!("{}  ·  {place}", relays(count))
}

/// Said when it happened.
#[must_use]
pub fn is_shared(name: &str) -> String {
    format!("{name} is ready to share")
}

/// Said when it happened.
#[must_use]
pub fn is_received(name: &str) -> String {
    format!("{name} is verified and saved")
}

/// Said when it happened.
#[must_use]
pub fn has_failed(name: &str, what: &str) -> String {
    format!("{name}: {what}")
}

/// The size of everything.
#[must_use]
pub fn zoom(per_cent: u16) -> String {
    format!("{per_cent} %")
}

/// Name and version of this program.
#[must_use]
pub fn version() -> String {
    format!("{NAME} {}", env!("CARGO_PKG_VERSION"))
}

/// Outcome of a server's test.
#[must_use]
pub fn test_passed(upload_millis: u64, download_millis: u64) -> String {
    format!("Upload ({upload_millis} ms) and download ({download_millis} ms) work.")
}

/// How many relays a list has.
#[must_use]
pub fn relays(count: usize) -> String {
    match count {
        1 => "1 relay".to_owned(),
        more => format!("{more} relays"),
    }
}

/// Over the window while files hang there.
#[must_use]
pub fn hover_title(names: &[&str]) -> String {
    match names {
        [] => "Drop to share".to_owned(),
        [name] => format!("Drop to share {name}"),
        more => format!("Drop to share {} files", more.len()),
    }
}

/// Over the window while folders hang there.
pub const HOVER_FOLDERS: &str = "Folders cannot be shared yet";
/// Over the window while folders and files hang there.
pub const HOVER_FOLDERS_LEFT_OUT: &str = "Folders are left out";
