//! The words around a transfer: options of a share, a sender's file at the server, the relays in Settings.

use super::texts;
use crate::app::relays::ListProblemKind;
use crate::app::words::harmless::harmless_start;
use crate::app::words::managed::downloads;
use crate::app::words::message::UserMessage;
use crate::app::words::texts::{list_comma, managed_deleted, two_sentences};
use crate::app::words::units::duration;
use crate::gui::model::{KeepFor, Managed, RelaysSeen, ServerStanding, Terms};
use crate::protocol::path::{NewGuardRefused, SetAsideWhy, Standing};

/// What asking the server came to.
#[must_use]
pub fn managed(done: Managed) -> String {
    match done {
        Managed::Deleted => managed_deleted().to_owned(),
        Managed::Extended {
            expires,
            later,
            by_server_clock,
        } => {
            let day = super::day(expires);
            let until = if later {
                texts::managed_extended(&day)
            } else {
                texts::managed_not_extended(&day)
            };
            if by_server_clock {
                two_sentences(&until, texts::clocks_differ())
            } else {
                until
            }
        }
        Managed::Status(told) => downloads(told),
    }
}

/// Under the zone: how long a server keeps the next files.
#[must_use]
pub(crate) fn kept_for(keep: KeepFor, terms: Option<&Terms>) -> String {
    let secs = keep.secs().or_else(|| terms.map(|terms| terms.usual_secs));
    match secs {
        Some(secs) => texts::kept_for(&duration(secs)),
        None => texts::kept_usual().to_owned(),
    }
}

/// Under the zone: how large a file may be, where the server has said it.
#[must_use]
pub fn limit(terms: Option<&Terms>) -> Option<String> {
    terms.map(|terms| texts::limit_of(&super::size(terms.max_len)))
}

/// Under the zone: the work that the server asks for, if it does.
#[must_use]
pub(crate) fn asks_work(terms: Option<&Terms>) -> Option<String> {
    let bits = terms?.work_bits?;
    Some(texts::asks_work(bits))
}

/// Share, options: the time that is not asked for.
#[must_use]
pub(crate) fn usual_keep(terms: Option<&Terms>) -> String {
    match terms {
        Some(terms) => texts::usual_keep_of(&duration(terms.usual_secs)),
        None => texts::usual_keep().to_owned(),
    }
}

/// Share, options: a time that is asked for.
#[must_use]
pub(crate) fn kept_time(keep: KeepFor) -> String {
    keep.secs().map(duration).unwrap_or_default()
}

/// A time that is asked for, and the day it ends on if it begins now.
#[must_use]
pub(crate) fn kept_time_until(keep: KeepFor, now: u64) -> String {
    let Some(secs) = keep.secs() else {
        return String::new();
    };
    until(&duration(secs), now.saturating_add(secs))
}

/// The usual time of a server that said it, and the day it ends on if it begins now.
#[must_use]
pub(crate) fn usual_keep_until(terms: &Terms, now: u64) -> String {
    until(
        &usual_keep(Some(terms)),
        now.saturating_add(terms.usual_secs),
    )
}

fn until(time: &str, end: u64) -> String {
    texts::kept_time_until(time, &super::day(end))
}

/// What stands in the empty field for a proxy.
pub(crate) const PROXY_HINT: &str = "socks5://127.0.0.1:9050";
/// What stands in the empty field for the line of a relay list.
pub(crate) const RELAY_LINE_HINT: &str = "https://host/relays.json#k=…";

/// Until when a list is good, and how old it is.
#[must_use]
pub(crate) fn list_age(seen: &RelaysSeen, now: u64) -> String {
    let from_now = |at| super::from_now(at, now);
    let mut parts = Vec::new();
    if let Some(issued) = seen.issued {
        parts.push(texts::list_issued(&from_now(issued)));
    }
    if let Some(fetched) = seen.fetched {
        parts.push(texts::list_fetched(&from_now(fetched)));
    }
    // Asked for when it was fetched; later only for a newer one.
    if let Some(asked) = seen.asked.filter(|asked| Some(*asked) != seen.fetched) {
        parts.push(texts::list_asked(&from_now(asked)));
    }
    match seen.expires {
        Some(expires) if expires > now => parts.push(texts::list_ends(&from_now(expires))),
        Some(expires) => parts.push(texts::list_has_ended(&from_now(expires))),
        None => {}
    }
    parts.join("  ·  ")
}

/// Says why no newer relay list came.
#[must_use]
pub(crate) fn list_problem(kind: ListProblemKind) -> &'static str {
    match kind {
        ListProblemKind::ManyGone => texts::list_problem_many_gone(),
        ListProblemKind::NoAnswer => texts::list_problem_no_answer(),
        ListProblemKind::NoList => texts::list_problem_no_list(),
        ListProblemKind::Refused => texts::list_problem_refused(),
        ListProblemKind::Other => texts::list_problem_other(),
    }
}

/// What its maker calls a list: somebody else's text, made harmless for the window.
#[must_use]
pub fn list_name(name: &str) -> String {
    match harmless_start(name, LONGEST_NAME) {
        name if name.is_empty() => texts::unnamed_list().to_owned(),
        name => name,
    }
}

/// What a relay's operator calls themselves: somebody else's text, made harmless for the window.
#[must_use]
pub(crate) fn operator_name(name: &str) -> String {
    harmless_start(name, LONGEST_NAME)
}

/// Characters of a stranger's name that the window shows.
const LONGEST_NAME: usize = 60;

/// Settings: a list that a pointer named, and the servers it was accepted for.
#[must_use]
pub(crate) fn list_accepted(servers: &[String]) -> String {
    texts::list_accepted(&servers.join(list_comma()))
}

/// How a relay stands.
#[must_use]
pub fn standing(standing: Standing, now: u64) -> String {
    let from_now = |at| super::from_now(at, now);
    match standing {
        Standing::FormerGuard { until } => texts::standing_former_guard(&from_now(until)),
        Standing::Guard {
            since,
            in_use: true,
        } => texts::standing_guard(&super::day(since)),
        Standing::Guard {
            since,
            in_use: false,
        } => texts::standing_guard_waiting(&super::day(since)),
        Standing::KeptBack => texts::standing_kept_back().to_owned(),
        Standing::SetAside { until, why } => match why {
            SetAsideWhy::NotReachedFrom(_) => texts::standing_not_reached(&from_now(until)),
            SetAsideWhy::Strikes => texts::standing_strikes(&from_now(until)),
        },
        Standing::Usable {
            worked_at: Some(at),
        } => texts::standing_worked(&from_now(at)),
        Standing::Usable { worked_at: None } => texts::standing_usable().to_owned(),
    }
}

/// New guards were asked for too often.
#[must_use]
pub(crate) fn new_guard_refused(refused: NewGuardRefused) -> UserMessage {
    match refused {
        NewGuardRefused::NobodyLeft => texts::new_guard_nobody_left(),
        NewGuardRefused::TooSoon { .. } => texts::new_guard_refused(),
    }
}

/// Name of a display system.
pub(crate) const X11: &str = "X11";
/// Name of a display system.
pub(crate) const WAYLAND: &str = "Wayland";
/// Name of a renderer.
pub(crate) const WGPU: &str = "GPU";
/// Name of a renderer.
pub(crate) const OPENGL: &str = "OpenGL";

/// How the chosen server stands.
#[must_use]
pub(crate) fn server_standing(standing: ServerStanding<'_>) -> String {
    match standing {
        ServerStanding::LacksRelays => texts::relays_missing().what,
        ServerStanding::Failed(why) => super::trouble(why).what,
        ServerStanding::Passed => texts::server_passed().to_owned(),
        ServerStanding::Untried => texts::server_untried().to_owned(),
    }
}
