//! The words around a transfer: options of a share, a sender's file at the server, the relays in Settings.

use crate::app::transfer::manage::Downloads;
use crate::app::words::harmless::harmless_start;
use crate::app::words::l10n::{duration, say, tell};
use crate::app::words::message::{UserMessage, message};
use crate::gui::model::{KeepFor, Managed, RelaysSeen, ServerStanding, Terms};
use crate::protocol::path::{NewGuardRefused, SetAsideWhy, Standing};
use crate::protocol::size_class::MAX_CONTENT_LEN;

plain! {
    /// The menu of a row.
    keep_longer;
    /// Before the times that can be chosen.
    keep_longer_about;
    /// The menu of a row.
    downloads_so_far;
    /// The menu of a row, and a question's answer.
    delete_from_server;
    /// A question's answer.
    keep_it;
    /// Under the question.
    delete_body;
    /// On a row.
    asking_server;
    /// On a row whose file is gone at the server.
    gone;
}

/// Title of the question.
#[must_use]
pub fn delete_title(name: &str) -> String {
    tell("delete_title", &[("name", name.into())])
}

/// What asking the server came to.
#[must_use]
pub fn managed(done: Managed) -> String {
    match done {
        Managed::Deleted => say("managed_deleted").to_owned(),
        Managed::Extended {
            expires,
            later,
            by_server_clock,
        } => {
            let id = if later {
                "managed_extended"
            } else {
                "managed_not_extended"
            };
            let until = tell(id, &[("day", super::day(expires).into())]);
            if by_server_clock {
                super::two_sentences(&until, clocks_differ())
            } else {
                until
            }
        }
        Managed::Status(Downloads::Counted {
            told,
            allowed: Some(allowed),
            ..
        }) => tell(
            "downloads_of",
            &[("told", told.into()), ("allowed", allowed.into())],
        ),
        Managed::Status(Downloads::Counted { told, .. }) => {
            tell("downloads_told", &[("told", told.into())])
        }
        Managed::Status(Downloads::NotCounted) => say("downloads_not_counted").to_owned(),
    }
}

plain! {
    /// On a row whose file expires by the server's clock.
    clocks_differ;
    /// On a shared file, where the server does not go by the time that was chosen.
    other_time_kept;
    /// Share: opens the options.
    options;
    /// Share: closes the options.
    hide_options;
}
pair! {
    /// Settings: title and explanation of a switch.
    list_in_pointer;
}
plain! {
    /// Share, options: what they hold for.
    options_about;
    /// Share, options.
    keep_for;
    /// Share, options.
    count_downloads;
    /// Share, options.
    count_no;
    /// Share, options.
    count_yes;
    /// Share, options.
    count_limit;
    /// Share, options: before the limit.
    count_limit_about;
    /// Share, options.
    fewer_downloads;
    /// Share, options.
    more_downloads;
    /// Share, under the options.
    count_about;
}

/// Under the zone: how long a server keeps the next files.
#[must_use]
pub fn kept_for(keep: KeepFor, terms: Option<&Terms>) -> String {
    let secs = keep.secs().or_else(|| terms.map(|terms| terms.usual_secs));
    match secs {
        Some(secs) => tell("kept_for", &[("time", duration(secs).into())]),
        None => say("kept_usual").to_owned(),
    }
}

/// Under the zone: how large a file may be.
#[must_use]
pub fn limit(terms: Option<&Terms>) -> String {
    match terms {
        Some(terms) if terms.max_len < MAX_CONTENT_LEN => {
            tell("limit_of", &[("size", super::size(terms.max_len).into())])
        }
        // What this program sends at most.
        _ => say("limit").to_owned(),
    }
}

/// Under the zone: the work that the server asks for, if it does.
#[must_use]
pub fn asks_work(terms: Option<&Terms>) -> Option<String> {
    let bits = terms?.work_bits?;
    Some(tell("asks_work", &[("bits", bits.to_string().into())]))
}

/// Share, options: the time that is not asked for.
#[must_use]
pub fn usual_keep(terms: Option<&Terms>) -> String {
    match terms {
        Some(terms) => tell(
            "usual_keep_of",
            &[("time", duration(terms.usual_secs).into())],
        ),
        None => say("usual_keep").to_owned(),
    }
}

/// Share, options: a time that is asked for.
#[must_use]
pub fn kept_time(keep: KeepFor) -> String {
    keep.secs().map(duration).unwrap_or_default()
}

/// A time that is asked for, and the day it ends on if it begins now.
#[must_use]
pub fn kept_time_until(keep: KeepFor, now: u64) -> String {
    let Some(secs) = keep.secs() else {
        return String::new();
    };
    until(&duration(secs), now.saturating_add(secs))
}

/// The usual time of a server that said it, and the day it ends on if it begins now.
#[must_use]
pub fn usual_keep_until(terms: &Terms, now: u64) -> String {
    until(
        &usual_keep(Some(terms)),
        now.saturating_add(terms.usual_secs),
    )
}

fn until(time: &str, end: u64) -> String {
    let day = super::day(end).into();
    tell("kept_time_until", &[("time", time.into()), ("day", day)])
}

pair! {
    /// Receive: title and explanation of a switch.
    tell_sender;
}
plain! {
    /// Receive.
    use_senders_list;
    /// Receive.
    add_relay_list;
}

pair! {
    /// Settings: title and explanation of a switch.
    direct_switch;
}
plain! {
    /// Settings.
    proxy;
}
/// Settings: the field for a proxy.
pub const PROXY_HINT: &str = "socks5://127.0.0.1:9050";
plain! {
    /// Settings: what a proxy does.
    proxy_about;
    /// Settings: use the proxy that was typed.
    use_proxy;
    /// Settings: go out straight again.
    forget_proxy;
    /// Settings: the field for the line of a relay list.
    relay_line;
}
/// Settings.
pub const RELAY_LINE_HINT: &str = "https://host/relays.json#k=…";
plain! {
    /// Settings.
    relay_line_about;
    /// Settings.
    session_network;
    /// Settings.
    session_about;
    /// Settings.
    new_guard;
    /// Settings.
    show_relays;
    /// Settings.
    hide_relays;
    /// Settings.
    asking_relays;
    /// Settings.
    list_ended;
    /// Settings.
    list_missing;
}

/// Until when a list is good, and how old it is.
#[must_use]
pub fn list_age(seen: &RelaysSeen, now: u64) -> String {
    let when = |id, at| tell(id, &[("when", super::from_now(at, now).into())]);
    let mut parts = Vec::new();
    if let Some(issued) = seen.issued {
        parts.push(when("list_issued", issued));
    }
    if let Some(fetched) = seen.fetched {
        parts.push(when("list_fetched", fetched));
    }
    // Asked for when it was fetched; later only for a newer one.
    if let Some(asked) = seen.asked.filter(|asked| Some(*asked) != seen.fetched) {
        parts.push(when("list_asked", asked));
    }
    if let Some(expires) = seen.expires {
        let id = if expires > now {
            "list_ends"
        } else {
            "list_has_ended"
        };
        parts.push(when(id, expires));
    }
    parts.join("  ·  ")
}

/// What its maker calls a list: somebody else's text, made harmless for the window.
#[must_use]
pub fn list_name(name: &str) -> String {
    match harmless_start(name, LONGEST_NAME) {
        name if name.is_empty() => unnamed_list().to_owned(),
        name => name,
    }
}

/// What a relay's operator calls themselves: somebody else's text, made harmless for the window.
#[must_use]
pub fn operator_name(name: &str) -> String {
    harmless_start(name, LONGEST_NAME)
}

/// Characters of a stranger's name that the window shows.
const LONGEST_NAME: usize = 60;

plain! {
    /// Settings: a list whose maker gave it no name.
    unnamed_list;
    /// Settings: over the lists beside the chosen one.
    other_lists;
    /// Settings: a list that was chosen before.
    list_kept;
}

pair! {
    /// Settings: title and explanation of a switch.
    short_list;
}

/// Settings: a list that a pointer named, and the servers it was accepted for.
#[must_use]
pub fn list_accepted(servers: &[String]) -> String {
    let servers = servers.join(say("list_comma"));
    tell("list_accepted", &[("servers", servers.into())])
}

/// How a relay stands.
#[must_use]
pub fn standing(standing: Standing, now: u64) -> String {
    let when = |id, at| tell(id, &[("when", super::from_now(at, now).into())]);
    let since = |id, at| tell(id, &[("day", super::day(at).into())]);
    match standing {
        Standing::FormerGuard { until } => when("standing_former_guard", until),
        Standing::Guard {
            since: at,
            in_use: true,
        } => since("standing_guard", at),
        Standing::Guard {
            since: at,
            in_use: false,
        } => since("standing_guard_waiting", at),
        Standing::KeptBack => say("standing_kept_back").to_owned(),
        Standing::SetAside { until, why } => when(
            match why {
                SetAsideWhy::NotReachedFrom(_) => "standing_not_reached",
                SetAsideWhy::Strikes => "standing_strikes",
            },
            until,
        ),
        Standing::Usable {
            worked_at: Some(at),
        } => when("standing_worked", at),
        Standing::Usable { worked_at: None } => say("standing_usable").to_owned(),
    }
}

/// New guards were asked for too often.
#[must_use]
pub fn new_guard_refused(refused: NewGuardRefused) -> UserMessage {
    let id = match refused {
        NewGuardRefused::NobodyLeft => "new_guard_nobody_left",
        NewGuardRefused::TooSoon { .. } => "new_guard_refused",
    };
    message(id, &[])
}

plain! {
    /// Settings: the operator's word of a server.
    access_word;
    /// Settings: who needs one.
    access_word_about;
    /// Settings: there is one.
    access_word_is_kept;
    /// Settings: opens the field.
    enter_access_word;
    /// Settings: opens the field for another.
    change_access_word;
    /// Settings: keeps what was typed.
    keep_access_word;
    /// Settings: forgets it.
    forget_access_word;
    /// Said when it happened.
    access_word_kept;
    /// Said when it happened.
    access_word_forgotten;
}

plain! {
    /// Settings.
    advanced;
    /// Settings: the display system.
    display;
    /// Settings: what draws the window.
    renderer;
    /// Settings: whichever is best.
    automatic;
    /// Settings: when display and renderer change.
    at_next_start;
    /// Settings: how many files at the same time.
    parallel_shares;
    /// Settings.
    fewer_shares;
    /// Settings.
    more_shares;
    /// Settings: what is found of this program.
    diagnostics_about;
    /// Settings: copies it.
    copy_diagnostics;
}
/// A display system.
pub const X11: &str = "X11";
/// A display system.
pub const WAYLAND: &str = "Wayland";
/// What draws the window.
pub const WGPU: &str = "GPU";
/// What draws the window.
pub const OPENGL: &str = "OpenGL";

/// How the chosen server stands.
#[must_use]
pub fn server_standing(standing: ServerStanding<'_>) -> String {
    match standing {
        ServerStanding::LacksRelays => super::relays_missing().what,
        ServerStanding::Failed(why) => super::trouble(why).what,
        ServerStanding::Passed => say("server_passed").to_owned(),
        ServerStanding::Untried => say("server_untried").to_owned(),
    }
}
