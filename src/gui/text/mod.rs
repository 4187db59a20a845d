//! Every word the window says by itself.
//!
//! The words themselves stand in `assets/l10n`, one file a language. What comes out of `app` as an error brings its own.

mod announced;
mod keeping;
mod manage;
mod messages;
mod networks;
mod parts;
mod places;
mod rows;
mod sheets;
mod texts;

// Named one by one: a function that decides between texts hides the text of the same name.
pub use self::announced::{announcement, notice, removed, shown_name, trouble, window_message};
pub(crate) use self::announced::{notice_aloud, server_label};
pub(crate) use self::keeping::{EXPORT_FILE, history_aside, history_not_wiped, list_session};
pub use self::keeping::{Notification, history, notification};
pub(crate) use self::manage::{
    OPENGL, PROXY_HINT, RELAY_LINE_HINT, WAYLAND, WGPU, X11, asks_work, kept_for, kept_time,
    kept_time_until, list_accepted, list_age, list_problem, new_guard_refused, operator_name,
    server_standing, usual_keep, usual_keep_until,
};
pub use self::manage::{limit, list_name, managed, standing};
pub(crate) use self::messages::{
    default_settings_used, entries_elsewhere, files_missing, files_too_large, pointer_expired,
    remedy,
};
pub(crate) use self::networks::{
    about_invitation, invitation_file, is_invitation, is_joined, join_button, join_meaning,
    join_phase, join_without_rules, joined_not_now, joined_only_receives, joined_title, leave_body,
    list_host_offer, list_waits, name_on_card, network_facts,
};
pub(crate) use self::parts::{aside, large, stands_at};
pub use self::places::place;
pub(crate) use self::places::{
    hover_known, known_file, saved_in, saved_in_short, use_known_file, will_be_saved_in,
};
pub(crate) use self::rows::{is_so_far, rows_heading, starts_sharing};
pub(crate) use self::sheets::{row_keys, shown_outcome};
pub(crate) use self::texts::*;
use crate::app::relays::RelaySource;
use crate::app::transfer::stage::{FirstStop, Stage};
pub(crate) use crate::app::words::relay_sources::{list_host_sees, seed_sees, seeds_see};
pub(crate) use crate::app::words::texts::{
    all_tries, cancelled, copies_stay, count_about, did_not_see, ended_before, list_maker_chooses,
    perhaps_saw, saw, saw_nothing, session_about, titled, two_sentences, you,
};
pub use crate::app::words::units::{day, size, speed};
pub(crate) use crate::app::words::units::{
    from_now, size_sent, size_so_far, time_left, use_local_days,
};
use crate::app::words::units::{percent, percent_done};
pub(crate) use crate::app::words::who_saw_what::one_try;
pub use crate::app::words::who_saw_what::{amount, fact, links, note, outcome, role, total};
use crate::gui::model::{
    Filter, Milestone, PointerHolds, PointerInfo, ShownRelayList, TestReport, Transfer, TransferJob,
};

/// The program's name.
pub const NAME: &str = "Cloakroom";

/// What stands in the empty field for a pointer.
pub(crate) const POINTER_HINT: &str = "cloak1…";

/// Character that masks one of a pointer.
pub(crate) const MASK: &str = "•";

/// What stands in the empty field for a server's address.
pub(crate) const SERVER_ADDRESS_HINT: &str = "http://host:port#p=…";

/// On stderr, when the window cannot open for another reason than its renderers, such as a missing library.
#[must_use]
pub fn no_window(error: &str) -> String {
    missing_library(error).map_or_else(|| texts::no_window(error), no_window_library)
}

/// The library that an error names, such as `libX11.so.6`: one that the system did not find.
#[must_use]
pub(crate) fn missing_library(error: &str) -> Option<&str> {
    // What stands for it in errors of the library for Wayland, which name no file.
    if error.contains("NoWaylandLib") {
        return Some("libwayland-client.so.0");
    }
    let mut words = error.split(|c: char| !(c.is_ascii_alphanumeric() || "._+-".contains(c)));
    let name = words.find(|word| word.starts_with("lib") && word.contains(".so"))?;
    Some(name.trim_end_matches('.'))
}

/// Name of a step under the bar.
#[must_use]
pub(crate) fn milestone(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Pad => milestone_pad(),
        Milestone::Seal => milestone_seal(),
        Milestone::FindPath => milestone_find_path(),
        Milestone::Work => milestone_work(),
        Milestone::Upload => milestone_upload(),
        Milestone::Stored => milestone_stored(),
        Milestone::Download => milestone_download(),
        Milestone::Verify => milestone_verify(),
        Milestone::Open => milestone_open(),
        Milestone::Save => milestone_save(),
    }
}

/// What a running transfer is doing, or where nothing moves, who is being waited for.
#[must_use]
pub(crate) fn doing(transfer: &Transfer, stage: Stage) -> String {
    let slow = transfer.slow;
    let shares = matches!(transfer.job, TransferJob::Share(_));
    let server = server_label(&transfer.server);
    let done = percent_done(stage.fraction().unwrap_or_default());
    match (stage, transfer.first_stop) {
        (Stage::Pad, _) => stage_pad().to_owned(),
        (Stage::Seal, _) => stage_seal().to_owned(),
        (Stage::FindPath, _) if !slow => stage_find_path().to_owned(),
        (Stage::FindPath, _) if shares => stage_find_path_slow(server),
        (Stage::FindPath, _) => stage_find_relays_slow().to_owned(),
        (Stage::Connect(FirstStop::Relay), _) if slow => stage_connect_relay_slow().to_owned(),
        (Stage::Connect(FirstStop::Relay), _) => stage_connect_relay().to_owned(),
        (Stage::Connect(FirstStop::Server), _) if slow => stage_connect_server_slow(server),
        (Stage::Connect(FirstStop::Server), _) => stage_connect_server(server),
        (Stage::Work { .. }, _) => stage_work(&done),
        (Stage::Upload { .. }, _) if !slow => stage_upload(&done),
        (Stage::Upload { .. }, FirstStop::Relay) => stage_upload_slow(&done),
        (Stage::Upload { .. }, FirstStop::Server) => stage_upload_slow_direct(&done, server),
        (Stage::Crossing, _) if shares && slow => stage_crossing_slow(server),
        (Stage::Crossing, _) if shares => stage_crossing(server),
        (Stage::Crossing, _) if slow => stage_asked_slow(server),
        (Stage::Crossing, _) => stage_asked(server),
        (Stage::Download { .. }, _) if slow => stage_download_slow(&done, server),
        (Stage::Download { .. }, _) => stage_download(&done),
        (Stage::Parts(moved), _) => {
            let (done, total) = (size_so_far(moved.done), size(moved.total));
            match (shares, slow) {
                (true, false) => stage_parts_sent(&done, &total),
                (true, true) => stage_parts_sent_slow(&done, &total),
                (false, false) => stage_parts_fetched(&done, &total),
                (false, true) => stage_parts_fetched_slow(&done, &total),
            }
        }
        (Stage::Waiting { secs }, _) => stage_waiting(secs, server),
        (Stage::Verify, _) => stage_verify().to_owned(),
        (Stage::Open, _) => stage_open().to_owned(),
        (Stage::Save | Stage::TellSender, _) => stage_save().to_owned(),
    }
}

/// Until when a file is kept.
#[must_use]
pub(crate) fn kept_until(unix_secs: u64) -> String {
    texts::kept_until(&day(unix_secs))
}

/// Until when a file is kept, or was.
#[must_use]
pub fn kept(unix_secs: u64, now: u64) -> String {
    if unix_secs > now {
        return kept_until(unix_secs);
    }
    was_kept_until(&day(unix_secs))
}

/// Which rows are shown.
#[must_use]
pub fn filter(filter: Filter) -> &'static str {
    match filter {
        Filter::All => filter_all(),
        Filter::Received => filter_received(),
        Filter::Shared => filter_shared(),
    }
}

/// What a relay list is called: by its maker, where it was `read`.
#[must_use]
pub(crate) fn list_title<'a>(source: &RelaySource, read: Option<&'a ShownRelayList>) -> &'a str {
    match (source, read) {
        (RelaySource::BuiltIn, _) => no_relay_list(),
        (RelaySource::Session, _) => session_network(),
        (RelaySource::ServiceNodes(_), _) => service_nodes(),
        (_, Some(list)) => &list.name,
        (_, None) => relays_title(),
    }
}

/// Where a relay list is from.
#[must_use]
pub(crate) fn list_place(source: &RelaySource) -> String {
    match source {
        RelaySource::BuiltIn => built_in().to_owned(),
        RelaySource::File(path) | RelaySource::ServiceNodes(path) => place(path),
        RelaySource::Network(_) => source.to_line(),
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

/// What is called by a pointer.
#[must_use]
pub(crate) fn pointer_name(info: &PointerInfo) -> &str {
    match (&info.name, info.holds) {
        (Some(name), _) => name,
        (None, PointerHolds::Folder) => unnamed_folder(),
        (None, PointerHolds::File | PointerHolds::Either) => unnamed_file(),
    }
}

/// Said of a pointer that was understood.
#[must_use]
pub(crate) fn is_pointer(info: &PointerInfo) -> String {
    let mut parts = vec![pointer_name(info).to_owned()];
    parts.extend((info.holds == PointerHolds::Folder).then(|| a_folder().to_owned()));
    parts.extend([size(info.len), comes_from(&info.server)]);
    parts.extend(info.note.as_ref().map(|note| note.message.what.clone()));
    parts.join(", ")
}

/// The size of everything in the window, in hundredths of the usual one.
#[must_use]
pub fn zoom(per_cent: u16) -> String {
    percent(per_cent.into())
}

/// Name and version of this program.
#[must_use]
pub fn version() -> String {
    format!("{NAME} {}", env!("CARGO_PKG_VERSION"))
}

/// Outcome of a server's test.
#[must_use]
pub(crate) fn test_passed(report: &TestReport) -> String {
    let worked = texts::test_passed(report.upload_millis, report.download_millis);
    let deleted = match report.delete_millis {
        Some(time) => test_deleted(time),
        None => test_without_delete().to_owned(),
    };
    format!("{worked} {deleted}")
}

/// Over the window while files hang there.
#[must_use]
pub(crate) fn hover_title(names: &[&str]) -> String {
    match names {
        [] => texts::hover_title().to_owned(),
        [name] => hover_title_one(name),
        more => hover_title_many(more.len()),
    }
}

#[cfg(test)]
mod tests;
