//! `cloak relays`: the relays of the network in use, and what `cloak networks` does with those of any.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{networks, open_client};
use crate::app::client::Client;
use crate::app::error::AppError;
use crate::app::relays::{
    AcceptedServer, ListState, RelaySource, RelaySourceError, SourceView, UseFor,
};
use crate::app::settings::{Change, ServerEntry, Settings};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::program::Program;
use crate::app::words::harmless::harmless_start;
use crate::app::words::message::UserMessage;
use crate::app::words::relay_sources::source_shows;
use crate::cli::CliError;
use crate::cli::args::{RelaysArgs, RelaysCommand};
use crate::cli::terminal::{self, print_json, print_line};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::{Allowance, RelayStanding, SetAsideWhy, Standing};
use crate::protocol::relay_list::RelayList;

pub(crate) async fn run(args: RelaysArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let client = open_client()?;
    let settings = client.settings();
    match args.command {
        None => show(&client, false),
        Some(RelaysCommand::Show { json }) => show(&client, json),
        Some(RelaysCommand::Add { line }) => {
            let server = in_use(settings)?;
            let source = RelaySource::Url(line);
            take(&client, &source, true, cancel).await?;
            networks::keep(&client, Change::Relays(server.address, Some(source)))
        }
        Some(RelaysCommand::Use { source }) => {
            let server = in_use(settings)?;
            replace(&client, &server, source, cancel).await
        }
        Some(RelaysCommand::Relax { source, off }) => {
            let source = source.map_or_else(|| source_in_use(settings), Ok)?;
            relax(&client, source, off)
        }
        Some(RelaysCommand::Remove { source }) => {
            let source = source.map_or_else(|| source_in_use(settings), Ok)?;
            if let RelaySource::Network(_) = source {
                return Err(of_network());
            }
            let users = settings.servers.iter();
            let users = users.filter(|server| server.relays.as_ref() == Some(&source));
            let changes: Vec<_> = users
                .map(|server| Change::Relays(server.address.clone(), None))
                .collect();
            networks::keep_all(&client, &changes)?;
            client.relays().forget(&source)?;
            terminal::note("removed");
            Ok(())
        }
    }
}

/// Lets rules of paths yield on the list of this source, or holds them again.
pub(super) fn relax(client: &Client, source: RelaySource, off: bool) -> Result<(), CliError> {
    networks::keep(client, Change::ShortList(source, !off))?;
    terminal::note(if off {
        "every rule of paths holds on that list"
    } else {
        "rules of paths may yield where that list is too short for them; --who-saw-what says which did"
    });
    Ok(())
}

/// Uses other relays for a server whose network was put together by hand.
///
/// # Errors
/// [`CliError::Usage`] for a network that was joined, whose relays are its own; those of [`take`].
pub(super) async fn replace(
    client: &Client,
    server: &ServerEntry,
    source: RelaySource,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    if server.network().is_some() {
        return Err(of_network());
    }
    take(client, &source, false, cancel).await?;
    networks::keep(client, Change::Relays(server.address.clone(), Some(source)))
}

/// Forgets the relays of a network that was put together by hand.
pub(super) fn forget(client: &Client, server: &ServerEntry) -> Result<(), CliError> {
    if server.network().is_some() {
        return Err(of_network());
    }
    let Some(source) = &server.relays else {
        return Err(CliError::Usage("that network has no relays".to_owned()));
    };
    networks::keep(client, Change::Relays(server.address.clone(), None))?;
    if !client
        .settings()
        .uses_elsewhere(source, Some(&server.address))
    {
        client.relays().forget(source)?;
    }
    terminal::note("removed; no relays lead there now");
    Ok(())
}

/// Prepares a source for being used by a network: a file is copied; a list by URL is fetched where it is not here yet, or
/// `anew`. What that shows to whom is said first.
///
/// # Errors
/// [`CliError::Usage`] for what is no source of a network's relays; those of fetching and reading.
pub(super) async fn take(
    client: &Client,
    source: &RelaySource,
    anew: bool,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    let (program, relays) = (client.program(), client.relays());
    if let RelaySource::BuiltIn | RelaySource::Network(_) = source {
        return Err(CliError::Usage(
            "those relays lead to their own server alone".to_owned(),
        ));
    }
    let chosen = if anew {
        Err(RelaySourceError::NotHere.into())
    } else {
        relays.choose(program, source)
    };
    match (chosen, source) {
        (
            Err(AppError::RelaySource(RelaySourceError::NotHere | RelaySourceError::Ended)),
            RelaySource::Url(line),
        ) => {
            say_shown(source, client.settings());
            // Its log is not told: whom it shows what was said above.
            let context = CallContext::new(cancel);
            let list = relays.add(program, line, UseFor::All, &context).await?;
            terminal::note(&format!(
                "{} relays of {} are in use from now on",
                list.relays.len(),
                name(&list)
            ));
            Ok(())
        }
        (chosen, source) => {
            chosen?;
            // Nothing is fetched of a list that is here.
            if !matches!(source, RelaySource::Url(_)) {
                say_shown(source, client.settings());
            }
            Ok(())
        }
    }
}

/// The relays of a network that was joined cannot be chosen.
fn of_network() -> CliError {
    CliError::Usage(
        "that network was joined by an invitation, and its relays are its own: `cloak networks relays` shows them"
            .to_owned(),
    )
}

fn in_use(settings: &Settings) -> Result<ServerEntry, CliError> {
    let server = settings.chosen_entry().cloned();
    let server = server.ok_or_else(|| {
        CliError::Usage(
            "no network is in use that relays could be chosen for: `cloak networks add ADDRESS --relays SOURCE` puts one together, `cloak networks use` chooses one"
                .to_owned(),
        )
    })?;
    if server.network().is_some() {
        return Err(of_network());
    }
    Ok(server)
}

fn source_in_use(settings: &Settings) -> Result<RelaySource, CliError> {
    let server = settings.chosen_entry();
    let source = server.and_then(|server| server.relays.clone());
    source.ok_or_else(|| {
        CliError::Usage("no relays are in use: name the source that you mean".to_owned())
    })
}

/// Says what a source shows to whom.
fn say_shown(source: &RelaySource, settings: &Settings) {
    for line in source_shows(source, settings.proxy.is_some()) {
        terminal::say(&line);
    }
}

/// The relays of the network in use, and the other lists that are kept.
fn show(client: &Client, json: bool) -> Result<(), CliError> {
    let (program, relays) = (client.program(), client.relays());
    let settings = client.settings();
    let in_words = |unread| AppError::from(RelaySourceError::from(unread));
    let now = program.now();
    let chosen = settings.chosen_entry();
    let source = chosen.and_then(|server| server.relays.as_ref());
    let own = source.map(|source| relays.view(source, now));
    let own = own.transpose().map_err(in_words)?;
    let kept = relays.kept_lists(now).map_err(in_words)?.into_iter();
    let others: Vec<_> = kept.filter(|view| Some(&view.source) != source).collect();
    if json {
        let own = own.iter().map(|view| object(program, view, true));
        let others = others.iter().map(|view| object(program, view, false));
        let sources: Vec<Value> = own.chain(others).collect();
        return Ok(print_json(&json!({ "sources": sources }))?);
    }
    match (&own, chosen) {
        (Some(view), _) => print_view(program, view, "in use")?,
        (None, None) => {
            print_line("in use: the built-in network's relays, for its own server only")?;
        }
        (None, Some(server)) => print_line(&format!(
            "in use: none; no relays lead to {}",
            settings.name_in_list(server)
        ))?,
    }
    for view in &others {
        let heading = if settings.uses_elsewhere(&view.source, None) {
            "of another network"
        } else if view.servers.is_empty() {
            "kept, not in use"
        } else {
            "accepted from a pointer"
        };
        print_view(program, view, heading)?;
    }
    Ok(())
}

pub(super) fn print_view(
    program: &Program,
    view: &SourceView,
    heading: &str,
) -> Result<(), CliError> {
    let now = program.now();
    print_line(&format!("{heading}: {}", source_name(&view.source)))?;
    for server in &view.servers {
        print_line(&match server {
            AcceptedServer::Address(address) => format!("  for       {address}"),
            AcceptedServer::Key(key) => {
                format!("  for       the server with the key {}", key.to_hex())
            }
        })?;
    }
    match &view.state {
        ListState::Good => {}
        ListState::Ended => print_line(match view.source {
            RelaySource::Network(_) => {
                "  state     expired; the next transfer asks for a newer one"
            }
            _ => "  state     expired; add its line again to fetch it anew",
        })?,
        ListState::Missing(None) => print_line("  state     not fetched yet")?,
        ListState::Missing(Some(why)) => print_line(&format!("  state     {why}"))?,
    }
    if let Some(list) = &view.list {
        print_line(&format!("  name      {}", name(list)))?;
        print_line(&format!("  relays    {}", list.relays.len()))?;
        print_line(&format!("  issued    {}", time(list.issued, now)))?;
        print_line(&format!("  expires   {}", time(list.expires, now)))?;
    }
    if yields(program, view) {
        print_line("  rules     may yield where the list is too short for them")?;
    }
    if let Some(fetched) = view.fetched {
        print_line(&format!("  fetched   {}", time(fetched, now)))?;
    }
    if let Some(asked) = view.asked {
        let outcome = view
            .problem
            .as_ref()
            .map_or_else(String::new, |problem| format!("; then {}", problem.detail));
        print_line(&format!("  asked     {}{outcome}", time(asked, now)))?;
    }
    for relay in standings(program, view).unwrap_or_default() {
        if let Some(words) = standing_words(relay.standing, now) {
            print_line(&format!("  relay     {}… {words}", short(&relay.relay)))?;
        }
    }
    Ok(())
}

fn yields(program: &Program, view: &SourceView) -> bool {
    let list = view.list.as_ref();
    list.is_some_and(|list| program.allowance(&view.source, list) != Allowance::NONE)
}

/// How each relay of the list stands. `None`, with a warning, when what is remembered of them cannot be read.
fn standings(program: &Program, view: &SourceView) -> Option<Vec<RelayStanding>> {
    let Some(list) = &view.list else {
        return Some(Vec::new());
    };
    match program.relay_standing(&view.source.id(), list) {
        Ok(standings) => Some(standings),
        Err(unread) => {
            let message = UserMessage::from(&AppError::RelayMemory(unread));
            terminal::print_message("warning", &message);
            None
        }
    }
}

/// A relay's standing for people; `None` where there is nothing to say.
fn standing_words(standing: Standing, now: u64) -> Option<String> {
    Some(match standing {
        Standing::Guard { since, in_use } => format!(
            "is a guard since {}{}",
            time(since, now),
            if in_use { ", in use" } else { "" }
        ),
        Standing::FormerGuard { until } => {
            format!("was a guard; not used until {}", time(until, now))
        }
        Standing::SetAside { until, why } => format!(
            "is set aside until {}: {}",
            time(until, now),
            match why {
                SetAsideWhy::NotReachedFrom(_) => "another relay could not reach it",
                SetAsideWhy::Strikes => "it failed three times",
            }
        ),
        Standing::KeptBack | Standing::Usable { .. } => return None,
    })
}

/// A relay and its standing for programs, in words that stay the same; `None` where there is nothing to say.
fn standing_object(relay: &RelayStanding) -> Option<Value> {
    let key = relay.relay.to_hex();
    Some(match relay.standing {
        Standing::Guard { since, in_use } => {
            json!({ "relay": key, "standing": "guard", "since": since, "in_use": in_use })
        }
        Standing::FormerGuard { until } => {
            json!({ "relay": key, "standing": "former-guard", "until": until })
        }
        Standing::SetAside { until, why } => {
            let reason = match why {
                SetAsideWhy::NotReachedFrom(_) => "not-reached",
                SetAsideWhy::Strikes => "strikes",
            };
            json!({ "relay": key, "standing": "set-aside", "until": until, "reason": reason })
        }
        Standing::KeptBack | Standing::Usable { .. } => return None,
    })
}

fn object(program: &Program, view: &SourceView, in_use: bool) -> Value {
    let standings: Option<Vec<Value>> =
        standings(program, view).map(|relays| relays.iter().filter_map(standing_object).collect());
    json!({
        "source": view.source.to_line(),
        "in_use": in_use,
        "servers": view.servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "state": match view.state {
            ListState::Ended => "expired",
            ListState::Good => "good",
            ListState::Missing(_) => "missing",
        },
        "name": view.list.as_ref().map(|list| &list.name),
        "relays": view.list.as_ref().map(|list| list.relays.len()),
        "issued": view.list.as_ref().map(|list| list.issued),
        "expires": view.list.as_ref().map(|list| list.expires),
        "rules_may_yield": yields(program, view),
        "fetched": view.fetched,
        "asked": view.asked,
        "problem": view.problem.as_ref().map(|problem| &problem.detail),
        "standings": standings,
    })
}

fn source_name(source: &RelaySource) -> String {
    match source {
        RelaySource::BuiltIn => "built-in".to_owned(),
        RelaySource::File(path) => path.display().to_string(),
        RelaySource::Network(network) => format!("the list that {} signs", network.list.to_hex()),
        RelaySource::ServiceNodes(path) => format!("service nodes by {}", path.display()),
        RelaySource::Session => "session (Session's service nodes)".to_owned(),
        RelaySource::Url(line) => line.to_string(),
    }
}

/// What its maker calls it: somebody else's text, made harmless for a terminal.
fn name(list: &RelayList) -> String {
    if list.name.is_empty() {
        "a list without a name".to_owned()
    } else {
        harmless_start(&list.name, LONGEST_NAME)
    }
}

fn short(key: &Ed25519Public) -> String {
    key.to_hex().chars().take(8).collect()
}

/// `2026-12-06T07:00:00Z, 14 days from now`.
fn time(unix_secs: u64, now: u64) -> String {
    let at = |secs| {
        i64::try_from(secs)
            .ok()
            .and_then(|secs| Timestamp::from_second(secs).ok())
    };
    let (Some(then), Some(today)) = (at(unix_secs), at(now)) else {
        return "unknown".to_owned();
    };
    let hours = i64::abs(then.as_second() - today.as_second()) / 3_600;
    let distance = match hours {
        0 => "less than an hour".to_owned(),
        1..48 => format!("{hours} h"),
        _ => format!("{} days", hours / 24),
    };
    let direction = if then > today { "from now" } else { "ago" };
    format!("{then}, {distance} {direction}")
}

/// Characters of a list's name that are shown.
const LONGEST_NAME: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keys::Identity;

    #[test]
    fn a_standing_has_words_for_people_and_others_for_programs() {
        let relay = Identity::from_seed([1; 32]).public();
        let key = relay.to_hex();
        let set_aside = |why| Standing::SetAside { until: 7, why };
        let (since, in_use, until) = (5, true, 7);
        let worked_at = Some(3);
        for (standing, words, object) in [
            (
                Standing::Guard { since, in_use },
                Some("is a guard since 1970-01-01T00:00:05Z"),
                Some(json!({ "relay": key, "standing": "guard", "since": 5, "in_use": true })),
            ),
            (
                Standing::FormerGuard { until },
                Some("was a guard; not used until 1970"),
                Some(json!({ "relay": key, "standing": "former-guard", "until": 7 })),
            ),
            (
                set_aside(SetAsideWhy::Strikes),
                Some("is set aside until 1970"),
                Some(
                    json!({ "relay": key, "standing": "set-aside", "until": 7, "reason": "strikes" }),
                ),
            ),
            (
                set_aside(SetAsideWhy::NotReachedFrom(relay)),
                Some("is set aside until 1970"),
                Some(
                    json!({ "relay": key, "standing": "set-aside", "until": 7, "reason": "not-reached" }),
                ),
            ),
            (Standing::KeptBack, None, None),
            (Standing::Usable { worked_at }, None, None),
        ] {
            let said = standing_words(standing, 9);
            assert_eq!(said.is_some(), words.is_some(), "{said:?}");
            assert!(
                said.unwrap_or_default()
                    .starts_with(words.unwrap_or_default())
            );
            assert_eq!(standing_object(&RelayStanding { relay, standing }), object);
        }
    }
}
