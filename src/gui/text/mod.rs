//! Every word the window says by itself, and how it writes sizes and dates.
//!
//! The words themselves stand in `assets/l10n`, one file a language. What comes out of `app` as an error brings its own.

/// Texts that have nothing to fill in; each is a function of its id.
macro_rules! plain {
    ($($(#[$doc:meta])+ $id:ident;)+) => {$(
        $(#[$doc])+
        #[must_use]
        pub fn $id() -> &'static str {
            crate::app::words::l10n::say(stringify!($id))
        }
    )+};
}

/// Pairs of a title and what is said under it; the second has the id of the first with `_about` behind it.
macro_rules! pair {
    ($($(#[$doc:meta])+ $id:ident;)+) => {$(
        $(#[$doc])+
        #[must_use]
        pub fn $id() -> (&'static str, &'static str) {
            use crate::app::words::l10n::say;
            (say(stringify!($id)), say(concat!(stringify!($id), "_about")))
        }
    )+};
}

mod announced;
mod keeping;
mod manage;
mod messages;
mod places;
mod rows;
mod sheets;
mod units;

pub use self::announced::*;
pub use self::keeping::*;
pub use self::manage::*;
pub use self::messages::*;
pub use self::places::*;
pub use self::rows::*;
pub use self::sheets::*;
use self::units::percent;
pub use self::units::{day, from_now, size, size_sent, use_local_days};
use crate::app::relays::RelaySource;
use crate::app::transfer::stage::{FirstStop, Stage};
use crate::app::words::l10n::{say, tell};
use crate::gui::model::{
    Filter, Milestone, PointerInfo, ShownRelayList, TestReport, Transfer, TransferJob,
};

/// The program's name.
pub const NAME: &str = "Cloakroom";

plain! {
    /// Navigation.
    share;
    /// Navigation.
    receive;
    /// Navigation.
    settings;
    /// Name of the switch between Share and Receive.
    screen;
}

plain! {
    /// Share, empty.
    drop_here;
    /// Share, empty, where the system has no drops.
    choose_or_paste;
    /// Share, empty.
    sealed_here;
    /// The zone's button.
    choose_files;
    /// The zone with transfers below it.
    drop_more;
    /// The zone with transfers below it, where the system has no drops.
    choose_more;
    /// The server inside the program.
    built_in;
    /// Under the zone.
    built_in_stays;
}

plain! {
    /// The pointer's field.
    pointer;
}
/// The pointer's field.
pub const POINTER_HINT: &str = "cloak1…";
plain! {
    /// Above the pointer's field.
    receive_title;
    /// Under the empty field.
    receive_empty;
    /// Receive.
    download;
    /// Receive.
    clear;
    /// A pointer without a name in it.
    unnamed_file;
}

plain! {
    /// Rows.
    transfers;
    /// Rows.
    cancel;
    /// Rows.
    copy_pointer;
    /// Rows.
    copy_local;
    /// Rows.
    copied;
    /// Rows.
    choose_server;
    /// Rows.
    retry;
    /// Rows.
    remove;
    /// Rows.
    more;
    /// The menu of a row.
    remove_from_list;
    /// The menu of a row.
    show_original;
    /// The menu of a row.
    who_saw_what;
    /// The menu of a row.
    qr;
}
/// In place of one character of a pointer that nobody should read now.
pub const MASK: &str = "•";
plain! {
    /// For a screen reader, in place of such a pointer.
    pointer_masked;
    /// The short text of a pointer, to those who hear the window.
    pointer_text;
    /// Said when it happened.
    pointer_copied;
    /// Rows.
    open;
    /// Rows.
    show_in_folder;
    /// Rows.
    verified;
    /// Rows.
    waiting;
    /// Rows.
    cancelled;
    /// Rows.
    interrupted;
    /// Rows.
    failed;
}

plain! {
    /// Settings.
    file_servers;
    /// Settings.
    file_servers_about;
    /// Settings.
    built_in_about;
    /// Settings.
    add_server;
    /// Settings.
    server_address;
}
/// Settings.
pub const SERVER_ADDRESS_HINT: &str = "http://host:port#p=…";
plain! {
    /// Settings.
    add;
    /// Settings.
    test;
    /// Settings.
    testing;
    /// Settings.
    in_use;
    /// Settings.
    use_it;
    /// Settings.
    relays_title;
    /// Settings.
    relays_about;
    /// Settings.
    no_relay_list;
    /// Settings.
    no_relay_list_about;
    /// Settings.
    choose_list;
    /// Settings.
    forget_list;
    /// Settings.
    downloads;
    /// Settings.
    downloads_about;
    /// Settings.
    change;
    /// Settings.
    appearance;
    /// Settings.
    theme;
    /// Settings.
    system;
    /// Settings.
    light;
    /// Settings.
    dark;
    /// Settings.
    contrast;
    /// Settings.
    language;
    /// Settings.
    motion;
    /// Settings.
    reduced;
    /// Settings.
    text_size;
    /// Settings.
    larger;
    /// Settings.
    smaller;
    /// Settings.
    privacy;
}
pair! {
    /// Settings: title and explanation of a switch.
    name_in_pointer;
    /// Settings: title and explanation of a switch.
    copy_when_done;
    /// Settings: title and explanation of a switch.
    clear_clipboard;
    /// Settings: title and explanation of a switch.
    mask_pointers;
    /// Settings: title and explanation of a switch.
    open_links;
}
plain! {
    /// Settings.
    about_and_licences;
    /// Settings.
    keys;
    /// Settings.
    normal;
    /// Settings.
    high;
    /// Settings.
    about;
    /// Settings.
    about_text;
    /// First start.
    welcome;
}
pair! {
    /// First start: the first of three short lines, each a heading and a sentence.
    welcome_drop;
    /// First start.
    welcome_pointer;
    /// First start.
    welcome_built_in;
}

plain! {
    /// First start.
    start;
    /// Receive, while there is nothing.
    received_here;
}

plain! {
    /// Closing.
    keep_running;
    /// Closing.
    stop_and_quit;
    /// Closing.
    closing_body;
}

plain! {
    /// The page that shows every widget.
    gallery;
}

plain! {
    /// A notice.
    dismiss;
}

plain! {
    /// On stderr, when there is nowhere to open a window.
    no_display;
}

plain! {
    /// Over the window while folders hang there.
    hover_folders;
    /// Over the window while folders and files hang there.
    hover_folders_left_out;
    /// Over the window while files that are too large hang there.
    hover_too_large;
    /// Over the window while such files and others hang there.
    hover_too_large_left_out;
}

plain! {
    /// Title of a system dialog.
    dialog_share;
    /// Title of a system dialog.
    dialog_folder;
    /// Title of a system dialog.
    dialog_relay_list;
    /// Title of a system dialog.
    dialog_export;
}

/// On stderr, when both renderers fail.
#[must_use]
pub fn no_renderer(error: &str) -> String {
    tell("no_renderer", &[("error", error.into())])
}

/// On stderr, when the window cannot open for another reason, such as a missing library.
#[must_use]
pub fn no_window(error: &str) -> String {
    let library = error.contains(".so") || error.to_lowercase().contains("library");
    let id = if library {
        "no_window_library"
    } else {
        "no_window"
    };
    tell(id, &[("error", error.into())])
}

/// Title of the question before closing.
#[must_use]
pub fn closing_title(running: usize) -> String {
    tell("closing_title", &[("count", running.into())])
}

/// Name of a step under the bar.
#[must_use]
pub fn milestone(milestone: Milestone) -> &'static str {
    say(match milestone {
        Milestone::Pad => "milestone_pad",
        Milestone::Seal => "milestone_seal",
        Milestone::FindPath => "milestone_find_path",
        Milestone::Work => "milestone_work",
        Milestone::Upload => "milestone_upload",
        Milestone::Stored => "milestone_stored",
        Milestone::Download => "milestone_download",
        Milestone::Verify => "milestone_verify",
        Milestone::Open => "milestone_open",
        Milestone::Save => "milestone_save",
    })
}

/// What a running transfer is doing, or where nothing moves, who is being waited for.
#[must_use]
pub fn doing(transfer: &Transfer, stage: Stage) -> String {
    let slow = transfer.slow;
    let shares = matches!(transfer.job, TransferJob::Share(_));
    let pick = |usual, when_slow| if slow { when_slow } else { usual };
    let id = match (stage, transfer.first_stop) {
        (Stage::Pad, _) => "stage_pad",
        (Stage::Seal, _) => "stage_seal",
        (Stage::FindPath, _) if shares => pick("stage_find_path", "stage_find_path_slow"),
        (Stage::FindPath, _) => pick("stage_find_path", "stage_find_relays_slow"),
        (Stage::Connect(FirstStop::Relay), _) => {
            pick("stage_connect_relay", "stage_connect_relay_slow")
        }
        (Stage::Connect(FirstStop::Server), _) => {
            pick("stage_connect_server", "stage_connect_server_slow")
        }
        (Stage::Work { .. }, _) => "stage_work",
        (Stage::Upload { .. }, FirstStop::Relay) => pick("stage_upload", "stage_upload_slow"),
        (Stage::Upload { .. }, FirstStop::Server) => {
            pick("stage_upload", "stage_upload_slow_direct")
        }
        (Stage::Crossing, _) if shares => pick("stage_crossing", "stage_crossing_slow"),
        (Stage::Crossing, _) => pick("stage_asked", "stage_asked_slow"),
        (Stage::Download { .. }, _) => pick("stage_download", "stage_download_slow"),
        (Stage::Verify, _) => "stage_verify",
        (Stage::Open, _) => "stage_open",
        (Stage::Save | Stage::TellSender, _) => "stage_save",
    };
    let server = ("server", server_label(&transfer.server).into());
    match stage.fraction() {
        Some(fraction) => tell(id, &[("done", percent(fraction).into()), server]),
        None => tell(id, &[server]),
    }
}

/// Until when a file is kept.
#[must_use]
pub fn kept_until(unix_secs: u64) -> String {
    tell("kept_until", &[("day", day(unix_secs).into())])
}

/// Until when a file is kept, or was.
#[must_use]
pub fn kept(unix_secs: u64, now: u64) -> String {
    if unix_secs > now {
        return kept_until(unix_secs);
    }
    tell("was_kept_until", &[("day", day(unix_secs).into())])
}

/// Which rows are shown.
#[must_use]
pub fn filter(filter: Filter) -> &'static str {
    say(match filter {
        Filter::All => "filter_all",
        Filter::Received => "filter_received",
        Filter::Shared => "filter_shared",
    })
}

/// Shows more rows.
#[must_use]
pub fn show_earlier(count: usize) -> String {
    tell("show_earlier", &[("count", count.into())])
}

plain! {
    /// No row is of the kind that is shown.
    none_of_these;
    /// Receive: pastes the pointer.
    paste_here;
    /// Take the pointer that was opened into the field.
    use_opened_pointer;
    /// Leave the pointer that stands in the field.
    keep_pointer;
}

/// A button's name beside others like it.
#[must_use]
pub fn about_file(verb: &str, name: &str) -> String {
    tell(
        "about_file",
        &[("verb", verb.into()), ("name", name.into())],
    )
}

/// Name of a bar.
#[must_use]
pub fn progress_of(name: &str) -> String {
    tell("progress_of", &[("name", name.into())])
}

/// Name of the button in the bar that says where files go.
#[must_use]
pub fn goes_now(server: &str) -> String {
    tell("goes_now", &[("server", server.into())])
}

/// Under the zone.
#[must_use]
pub fn goes_to(host: &str) -> String {
    tell("goes_to", &[("host", host.into())])
}

/// On the card of a pointer.
#[must_use]
pub fn comes_from(server: &str) -> String {
    tell("comes_from", &[("server", server.into())])
}

/// What a relay list is called: by its maker, where it was `read`.
#[must_use]
pub fn list_title<'a>(source: &RelaySource, read: Option<&'a ShownRelayList>) -> &'a str {
    match (source, read) {
        (RelaySource::BuiltIn, _) => no_relay_list(),
        (RelaySource::Session, _) => session_network(),
        (_, Some(list)) => &list.name,
        (_, None) => relays_title(),
    }
}

/// Where a relay list is from.
#[must_use]
pub fn list_place(source: &RelaySource) -> String {
    match source {
        RelaySource::BuiltIn => built_in().to_owned(),
        RelaySource::File(path) => place(path),
        RelaySource::Session => session_network().to_owned(),
        RelaySource::Url(line) => line.to_string(),
    }
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
    tell("is_shared", &[("name", name.into())])
}

/// Said when it happened.
#[must_use]
pub fn is_received(name: &str) -> String {
    tell("is_received", &[("name", name.into())])
}

/// Said when it happened.
#[must_use]
pub fn has_failed(name: &str, what: &str) -> String {
    tell(
        "has_failed",
        &[("name", name.into()), ("what", what.into())],
    )
}

/// Said of a pointer that was understood.
#[must_use]
pub fn is_pointer(info: &PointerInfo) -> String {
    let mut parts = vec![
        info.name
            .clone()
            .unwrap_or_else(|| unnamed_file().to_owned()),
        size(info.len),
        comes_from(&info.server),
    ];
    parts.extend(info.note.as_ref().map(|note| note.message.what.clone()));
    parts.join(", ")
}

/// The size of everything.
#[must_use]
pub fn zoom(per_cent: u16) -> String {
    tell("percent", &[("number", per_cent.to_string().into())])
}

/// Name and version of this program.
#[must_use]
pub fn version() -> String {
    format!("{NAME} {}", env!("CARGO_PKG_VERSION"))
}

/// Outcome of a server's test.
#[must_use]
pub fn test_passed(report: &TestReport) -> String {
    let millis = |millis: u64| millis.to_string().into();
    let worked = tell(
        "test_passed",
        &[
            ("upload", millis(report.upload_millis)),
            ("download", millis(report.download_millis)),
        ],
    );
    let deleted = match report.delete_millis {
        Some(time) => tell("test_deleted", &[("delete", millis(time))]),
        None => say("test_without_delete").to_owned(),
    };
    format!("{worked} {deleted}")
}

/// How many relays a list has.
#[must_use]
pub fn relays(count: usize) -> String {
    tell("relays", &[("count", count.into())])
}

/// Over the window while files hang there.
#[must_use]
pub fn hover_title(names: &[&str]) -> String {
    match names {
        [] => say("hover_title").to_owned(),
        [name] => tell("hover_title_one", &[("name", (*name).into())]),
        more => tell("hover_title_many", &[("count", more.len().into())]),
    }
}
