//! `cloak networks`: the networks that this person uses. One is a file server with the relays that lead there.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{open_client, relays};
use crate::app::client::Client;
use crate::app::error::{AppError, CannotInvite};
use crate::app::relays::{ListState, ManyGone, NetworkView, RelaySource, RelaySourceError};
use crate::app::settings::{Change, ServerChoice, ServerEntry, Settings};
use crate::cli::CliError;
use crate::cli::args::{NetworksArgs, NetworksCommand};
use crate::cli::terminal::{self, date, print_json, print_line};
use crate::protocol::address::ServerAddress;
use crate::protocol::bech32m::SecretText;

pub(crate) async fn run(args: NetworksArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let client = open_client()?;
    let Some(command) = args.command else {
        return show(&client, args.json);
    };
    let settings = client.settings();
    match command {
        NetworksCommand::Add {
            address,
            name,
            relays,
            direct,
        } => {
            let entry = ServerEntry {
                direct,
                ..ServerEntry::new(name.unwrap_or_default().trim(), address)
            };
            add(&client, entry, relays, cancel).await
        }
        NetworksCommand::Invite {
            name,
            expires,
            without_access_word,
        } => {
            let server = named_or_chosen(settings, name.as_deref())?;
            let (relays, program) = (client.relays(), client.program());
            let invitation = relays.invite(program, &server, !without_access_word, expires)?;
            if server.access_word.is_some() && !without_access_word {
                terminal::note("the invitation holds the access word");
            }
            Ok(print_line(invitation.to_text().as_str())?)
        }
        NetworksCommand::Leave { name } => leave(&client, &name),
        NetworksCommand::Relax { name, off } => {
            let server = named_or_chosen(settings, name.as_deref())?;
            let source = server.relays.ok_or_else(no_relays)?;
            relays::relax(&client, source, off)
        }
        NetworksCommand::Relays {
            name,
            accept,
            r#use,
            forget,
        } => {
            let server = named_or_chosen(settings, name.as_deref())?;
            match r#use {
                Some(source) => relays::replace(&client, &server, source, cancel).await,
                None if forget => relays::forget(&client, &server),
                None => show_relays(&client, &server, accept),
            }
        }
        NetworksCommand::Rename { name, new_name } => {
            let server = named(settings, &name)?;
            let new_name = new_name.trim();
            if new_name.is_empty() {
                return Err(CliError::Usage("a network needs a name".to_owned()));
            }
            let free = settings.free_name(new_name, &server.address);
            keep(&client, Change::ServerName(server.address, free.clone()))?;
            Ok(print_line(&free)?)
        }
        NetworksCommand::Use { name } => {
            let choice = match find(settings, &name)? {
                NamedNetwork::BuiltIn => ServerChoice::BuiltIn,
                NamedNetwork::Server(server) => ServerChoice::Server(server.address),
            };
            keep(&client, Change::ChosenServer(choice))
        }
    }
}

/// A network of this person.
pub(super) enum NamedNetwork {
    /// The one inside the program.
    BuiltIn,
    /// The one of this server.
    Server(Box<ServerEntry>),
}

/// The network with this name, or with this host or address.
///
/// # Errors
/// [`CliError::Usage`] when there is none, or more than one.
pub(super) fn find(settings: &Settings, name: &str) -> Result<NamedNetwork, CliError> {
    if name == BUILT_IN {
        return Ok(NamedNetwork::BuiltIn);
    }
    let by = |is_meant: &dyn Fn(&ServerEntry) -> bool| -> Vec<&ServerEntry> {
        let servers = settings.servers.iter();
        servers.filter(|server| is_meant(server)).collect()
    };
    let ways = [
        by(&|server| settings.name_in_list(server) == name),
        by(&|server| server.address.to_string() == name),
        by(&|server| server.address.url.authority() == name || server.shown_name() == name),
    ];
    match ways
        .iter()
        .find(|found| !found.is_empty())
        .map(Vec::as_slice)
    {
        Some([one]) => Ok(NamedNetwork::Server(Box::new((*one).clone()))),
        Some(_) => Err(CliError::Usage(format!(
            "several networks are meant by {name:?}: give the server's whole address"
        ))),
        None => Err(CliError::Usage(format!(
            "there is no network {name:?}: `cloak networks` lists yours"
        ))),
    }
}

/// An invitation to the network of a server, without its access word, to stand beside a pointer.
pub(super) fn invitation_of(
    client: &Client,
    server: &ServerAddress,
) -> Result<SecretText, CliError> {
    let entry = client.settings().entry(server);
    let entry = entry.ok_or(AppError::NoInvitation(CannotInvite::Unsigned))?;
    let (relays, program) = (client.relays(), client.program());
    let invitation = relays.invite(program, entry, false, GOOD_FOR_SECS)?;
    Ok(invitation.to_text())
}

fn named(settings: &Settings, name: &str) -> Result<ServerEntry, CliError> {
    match find(settings, name)? {
        NamedNetwork::Server(server) => Ok(*server),
        NamedNetwork::BuiltIn => Err(CliError::Usage(
            "that is the network inside this program: nobody joins or leaves it".to_owned(),
        )),
    }
}

fn named_or_chosen(settings: &Settings, name: Option<&str>) -> Result<ServerEntry, CliError> {
    match (name, settings.chosen_entry()) {
        (Some(name), _) => named(settings, name),
        (None, Some(chosen)) => Ok(chosen.clone()),
        (None, None) => Err(CliError::Usage(
            "no network is in use, since new files stay on this computer: name one of those that `cloak networks` lists"
                .to_owned(),
        )),
    }
}

fn no_relays() -> CliError {
    CliError::Usage(
        "that network has no relays: `cloak networks relays --use` chooses some".to_owned(),
    )
}

/// Puts a network together by hand.
async fn add(
    client: &Client,
    entry: ServerEntry,
    relays: Option<RelaySource>,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    let settings = client.settings();
    if let Some(known) = settings.entry(&entry.address) {
        return Err(CliError::Usage(format!(
            "that server is one of yours already, as {}",
            settings.name_in_list(known)
        )));
    }
    let address = entry.address.clone();
    let name = entry.shown_name().to_owned();
    let entry = match &relays {
        None => entry,
        Some(source) => {
            relays::take(client, source, false, cancel).await?;
            entry.through(source.clone())
        }
    };
    let lacks_relays = entry.lacks_relays();
    let name = settings.free_name(&name, &address);
    let mut changes = vec![Change::AddServer(ServerEntry {
        name: name.clone(),
        ..entry
    })];
    if settings.chosen == ServerChoice::BuiltIn {
        changes.push(Change::ChosenServer(ServerChoice::Server(address)));
    }
    keep_all(client, &changes)?;
    if changes.len() > 1 {
        terminal::note("new files go there from now on");
    }
    if lacks_relays {
        terminal::note("no relays lead there yet: `cloak networks relays --use` chooses some");
    }
    Ok(print_line(&name)?)
}

/// Makes a change in the settings, and keeps it.
pub(super) fn keep(client: &Client, change: Change) -> Result<(), CliError> {
    keep_all(client, &[change])
}

/// Makes changes in the settings, and keeps them.
pub(super) fn keep_all(client: &Client, changes: &[Change]) -> Result<(), CliError> {
    let mut settings = client.settings().clone();
    changes.iter().for_each(|change| settings.apply(change));
    let kept = settings.save_changes(changes, client.program().home());
    Ok(kept.map_err(AppError::from)?)
}

fn leave(client: &Client, name: &str) -> Result<(), CliError> {
    let server = named(client.settings(), name)?;
    keep(client, Change::RemoveServer(server.address))?;
    terminal::note("left; what you shared there can be managed as before, until it expires");
    Ok(())
}

/// The relays of a network and, of one that was joined, a newer list that waits; `None` of a network without any.
fn view(client: &Client, server: &ServerEntry) -> Result<Option<NetworkView>, CliError> {
    let (relays, now) = (client.relays(), client.program().now());
    let view = match &server.relays {
        None => return Ok(None),
        Some(RelaySource::Network(network)) => relays.view_network(network, now),
        Some(source) => relays.view(source, now).map(|source| NetworkView {
            source,
            waiting: None,
        }),
    };
    let view = view.map_err(|unread| AppError::from(RelaySourceError::from(unread)))?;
    Ok(Some(view))
}

fn show(client: &Client, json: bool) -> Result<(), CliError> {
    let settings = client.settings();
    if json {
        let mut networks = vec![json!({
            "name": BUILT_IN,
            "in_use": settings.chosen == ServerChoice::BuiltIn,
        })];
        for server in &settings.servers {
            networks.push(object(client, server)?);
        }
        return Ok(print_json(&json!({ "networks": networks }))?);
    }
    let mark = |in_use: bool| if in_use { "*" } else { " " };
    print_line(&format!(
        "{} {BUILT_IN}: inside this program, for practice",
        mark(settings.chosen == ServerChoice::BuiltIn)
    ))?;
    for server in &settings.servers {
        let in_use = settings.chosen_server() == Some(&server.address);
        print_line(&format!(
            "{} {}: {}, {}",
            mark(in_use),
            settings.name_in_list(server),
            server.address.url,
            relays_in_words(client, server)?
        ))?;
    }
    if settings.servers.is_empty() {
        terminal::note("`cloak join` joins a network by an invitation");
    }
    Ok(())
}

fn relays_in_words(client: &Client, server: &ServerEntry) -> Result<String, CliError> {
    if server.direct {
        return Ok("without relays".to_owned());
    }
    let Some(view) = view(client, server)? else {
        return Ok("needs relays".to_owned());
    };
    let count = view
        .source
        .list
        .as_ref()
        .map_or(0, |list| list.relays.len());
    let until = view.source.list.as_ref().map(|list| date(list.expires));
    let mut words = match (&view.source.state, until) {
        (ListState::Good, Some(until)) if view.source.ends_soon(client.program().now()) => {
            format!("{count} relays until {until} only: no newer list came")
        }
        (ListState::Good, Some(until)) => format!("{count} relays until {until}"),
        (ListState::Ended, Some(until)) if server.network().is_some() => {
            format!(
                "{count} relays, a list that ended {until}: the next transfer asks for a newer one"
            )
        }
        (ListState::Ended, Some(until)) => {
            format!("{count} relays, a list that ended {until}")
        }
        (ListState::Missing(Some(why)), _) => why.clone(),
        _ => "the relay list comes with the first transfer".to_owned(),
    };
    if let Some(waiting) = &view.waiting {
        words += &format!(
            "; a newer list of {} relays waits until you look at it: `cloak networks relays`",
            waiting.relays.len()
        );
    }
    Ok(words)
}

fn object(client: &Client, server: &ServerEntry) -> Result<Value, CliError> {
    let settings = client.settings();
    let view = view(client, server)?;
    let list = view.as_ref().and_then(|view| view.source.list.as_ref());
    Ok(json!({
        "name": settings.name_in_list(server),
        "server": server.address.to_string(),
        "in_use": settings.chosen_server() == Some(&server.address),
        "joined": server.network().is_some(),
        "direct": server.direct,
        "access_word": server.access_word.is_some(),
        "source": server.relays.as_ref().map(RelaySource::to_line),
        "relays": list.map(|list| list.relays.len()),
        "list_expires": list.map(|list| list.expires),
        "list_problem": view
            .as_ref()
            .and_then(|view| view.source.problem.as_ref())
            .map(|problem| &problem.detail),
        "list_waits": view.as_ref().is_some_and(|view| view.waiting.is_some()),
        "rules_may_yield": server
            .relays
            .as_ref()
            .is_some_and(|source| settings.short_lists.contains(source)),
    }))
}

fn show_relays(client: &Client, server: &ServerEntry, accept: bool) -> Result<(), CliError> {
    let (program, relays) = (client.program(), client.relays());
    if accept {
        let network = server.network();
        let network = network.ok_or_else(|| {
            CliError::Usage("only a network that was joined has a list that waits".to_owned())
        })?;
        relays
            .accept_waiting(&network, program.now())
            .map_err(|error| match error {
                RelaySourceError::NotHere => CliError::Usage("no newer list waits".to_owned()),
                error => AppError::from(error).into(),
            })?;
        terminal::note("the newest list is in use");
    }
    let view = view(client, server)?.ok_or_else(no_relays)?;
    relays::print_view(program, &view.source, "network")?;
    if let (Some(ManyGone { gone, before }), Some(newer)) = (view.many_gone(), &view.waiting) {
        print_line(&format!(
            "  waiting   a newer list of {} relays lacks {gone} of these {before}: ask whoever runs the network, then use it with --accept",
            newer.relays.len(),
        ))?;
    }
    Ok(())
}

/// What the network inside the program is called.
const BUILT_IN: &str = "built-in";
/// How long an invitation beside a pointer is good: 30 days.
const GOOD_FOR_SECS: u64 = 30 * 24 * 3_600;
