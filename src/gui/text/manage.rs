//! The words around a transfer: options of a share, a sender's file at the server, the relays in Settings.

use crate::app::manage::Downloads;
use crate::app::message::UserMessage;
use crate::gui::model::{KeepFor, Managed, RelaysSeen};
use crate::protocol::path::{SetAsideWhy, Standing};

/// The menu of a row.
pub const KEEP_LONGER: &str = "Keep longer";
/// The menu of a row.
pub const DOWNLOADS_SO_FAR: &str = "Downloads so far";
/// The menu of a row, and a question's answer.
pub const DELETE_FROM_SERVER: &str = "Delete from server";
/// A question's answer.
pub const KEEP_IT: &str = "Keep it";
/// Under the question.
pub const DELETE_BODY: &str = "Nobody can fetch it with this pointer afterwards. Copies that were fetched before stay with whoever fetched them.";
/// On a row.
pub const ASKING_SERVER: &str = "Asking the server";
/// On a row whose file is gone at the server.
pub const GONE: &str = "Deleted from the server";

/// Title of the question.
#[must_use]
pub fn delete_title(name: &str) -> String {
    format!("Delete {name} from the server?")
}

/// What asking the server came to.
#[must_use]
pub fn managed(done: Managed) -> String {
    match done {
        Managed::Deleted => "The server's copy is gone.".to_owned(),
        Managed::Extended {
            expires,
            later: true,
        } => format!("The server keeps it until {}.", super::day(expires)),
        Managed::Extended { expires, .. } => format!(
            "The server keeps it until {}, no longer than before.",
            super::day(expires)
        ),
        Managed::Status(downloads) => match downloads {
            Downloads::Counted {
                told,
                allowed: Some(allowed),
                ..
            } => format!("{told} of {allowed} downloads told of."),
            Downloads::Counted { told: 1, .. } => "1 download told of.".to_owned(),
            Downloads::Counted { told, .. } => format!("{told} downloads told of."),
            Downloads::NotCounted => "Its downloads are not counted.".to_owned(),
        },
    }
}

/// Share: opens the options.
pub const OPTIONS: &str = "Options";
/// Share: closes the options.
pub const HIDE_OPTIONS: &str = "Hide options";
/// Settings: title and explanation of a switch.
pub const LIST_IN_POINTER: (&str, &str) = (
    "Name the list in pointers",
    "Recipients without relays can then take it. Whoever reads the pointer sees which list you use.",
);
/// Share, options.
pub const KEEP_FOR: &str = "Keep for";
/// Share, options.
pub const USUAL_TIME: &str = "14 days";
/// Share, options.
pub const ONE_DAY: &str = "1 day";
/// Share, options.
pub const ONE_WEEK: &str = "7 days";
/// Share, options.
pub const COUNT_DOWNLOADS: &str = "Count downloads";
/// Share, options.
pub const COUNT_NO: &str = "No";
/// Share, options.
pub const COUNT_YES: &str = "Yes";
/// Share, options.
pub const COUNT_ONCE: &str = "1 only";
/// Share, options.
pub const COUNT_FIVE: &str = "5 only";
/// Share, under the options.
pub const COUNT_ABOUT: &str = "A count is a courtesy: a recipient may fetch without telling.";

/// Under the zone: how long a server keeps the next files.
#[must_use]
pub fn kept_for(keep: KeepFor) -> String {
    let time = match keep {
        KeepFor::Usual => USUAL_TIME,
        KeepFor::Day => ONE_DAY,
        KeepFor::Week => ONE_WEEK,
    };
    format!("kept {time}")
}

/// Receive: title and explanation of a switch.
pub const TELL_SENDER: (&str, &str) = (
    "The sender is told when you have the file",
    "They asked for it. They learn that it was fetched, not by whom.",
);
/// Receive.
pub const USE_SENDERS_LIST: &str = "Use the sender's list";
/// Receive.
pub const ADD_RELAY_LIST: &str = "Add relay list";

/// Receive: what taking the sender's list shows to whom.
#[must_use]
pub fn senders_list_about(host: &str) -> String {
    format!("{host} sees this computer's address once. The list is used for this server only.")
}

/// Settings: title and explanation of a switch.
pub const DIRECT_SWITCH: (&str, &str) = (
    "Without relays",
    "This server sees this computer's address with every transfer.",
);
/// Settings.
pub const PROXY: &str = "SOCKS5 proxy";
/// Settings: the field for a proxy.
pub const PROXY_HINT: &str = "socks5://127.0.0.1:9050";
/// Settings: what a proxy does.
pub const PROXY_ABOUT: &str = "The first relay then sees the proxy's address instead of this computer's. For Tor, or where the network lets nothing else out.";
/// Settings: use the proxy that was typed.
pub const USE_PROXY: &str = "Use proxy";
/// Settings: go out straight again.
pub const FORGET_PROXY: &str = "Stop using the proxy";
/// Settings: the field for the line of a relay list.
pub const RELAY_LINE: &str = "Add a relay list";
/// Settings.
pub const RELAY_LINE_HINT: &str = "https://host/relays.json#k=…";
/// Settings.
pub const RELAY_LINE_ABOUT: &str = "It is fetched straight from its host, which sees this computer's address once. Whoever signs it chooses your relays.";
/// Settings.
pub const SESSION_NETWORK: &str = "Session's service nodes";
/// Settings.
pub const SESSION_ABOUT: &str = "Other people's computers, run for the Session messenger. One of its three seeds sees this computer's address, at most once a day. Large files may time out.";
/// Settings.
pub const NEW_GUARD: &str = "New guard";
/// Settings.
pub const SHOW_RELAYS: &str = "Show relays";
/// Settings.
pub const HIDE_RELAYS: &str = "Hide relays";
/// Settings.
pub const ASKING_RELAYS: &str = "Asking…";
/// Settings.
pub const LIST_ENDED: &str = "The list has expired, and no newer one came.";
/// Settings.
pub const LIST_MISSING: &str = "The list was not fetched yet.";

/// Until when a list is good, and how old it is.
#[must_use]
pub fn list_age(seen: &RelaysSeen, now: u64) -> String {
    let mut parts = Vec::new();
    if let Some(fetched) = seen.fetched {
        parts.push(format!("fetched {}", super::from_now(fetched, now)));
    }
    if let Some(expires) = seen.expires {
        let word = if expires > now { "ends" } else { "ended" };
        parts.push(format!("{word} {}", super::from_now(expires, now)));
    }
    parts.join("  ·  ")
}

/// How a relay stands.
#[must_use]
pub fn standing(standing: Standing, now: u64) -> String {
    match standing {
        Standing::FormerGuard { until } => {
            format!("was a guard; at rest, {}", super::from_now(until, now))
        }
        Standing::Guard {
            since,
            in_use: true,
        } => format!("guard since {}", super::day(since)),
        Standing::Guard {
            since,
            in_use: false,
        } => format!("guard since {}, waiting", super::day(since)),
        Standing::KeptBack => "kept back as a later guard".to_owned(),
        Standing::SetAside { until, why } => {
            let why = match why {
                SetAsideWhy::NotReachedFrom(_) => "another relay could not reach it",
                SetAsideWhy::Strikes => "it failed three times",
            };
            format!("set aside, back {}: {why}", super::from_now(until, now))
        }
        Standing::Usable {
            worked_at: Some(at),
        } => format!("worked {}", super::from_now(at, now)),
        Standing::Usable { worked_at: None } => "usable".to_owned(),
    }
}

/// New guards were asked for too often.
#[must_use]
pub fn new_guard_refused(why: &str) -> UserMessage {
    UserMessage {
        what: "The guard stays.".to_owned(),
        why: format!("{}.", why.trim_end_matches('.')),
        next: "Try again tomorrow: many guards in a day show you to many.".to_owned(),
    }
}
