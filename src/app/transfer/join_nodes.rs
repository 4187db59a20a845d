//! Joining a network of service nodes: Session's, or another of its kind. One of its seeds is contacted straight, and says
//! which nodes there are; over three of them a small file goes up, comes down and is deleted where that is possible. The
//! settings are changed by whoever called, with [`Joined::changes`].

use super::call::{Call, CallContext};
use super::join::{JoinChoice, JoinError, Joined, JoinedState};
use super::routed_server::{Route, RoutedServer};
use super::test_server;
use crate::app::client::Client;
use crate::app::error::AppError;
use crate::app::relays::{RelaySourceError, ServiceNodeNetwork};
use crate::app::settings::{Change, ServerChoice, ServerEntry, Settings};

/// Whether the person uses this network already, through its nodes.
#[must_use]
pub fn is_joined(network: &ServiceNodeNetwork, settings: &Settings) -> bool {
    settings.relays_of(&network.server) == Some(&network.source)
}

/// Joins a network of service nodes that the person agreed to. Contacts its seeds and its nodes.
///
/// # Errors
/// [`AppError::Join`] for a server that is used already, through other relays, unless they are to be replaced;
/// [`AppError::RelaySource`] for a file that cannot be kept; [`AppError::Proxy`] and [`AppError::Cancelled`].
pub async fn join(
    client: &Client,
    network: &ServiceNodeNetwork,
    choice: JoinChoice,
    context: &CallContext,
) -> Result<Joined, AppError> {
    let settings = client.settings();
    let known = settings
        .entry(&network.server)
        .or_else(|| settings.first_with(&network.server.key));
    if let Some(known) = known
        && known.relays.as_ref() != Some(&network.source)
        && !choice.replace
    {
        return Err(JoinError::OtherRelays(known.shown_name().to_owned()).into());
    }
    let name = match known {
        Some(known) => known.shown_name().to_owned(),
        None => settings.free_name(&network.shown_name(), &network.server),
    };
    let entry = ServerEntry {
        access_word: known.and_then(|known| known.access_word.clone()),
        ..ServerEntry::new(name.clone(), network.server.clone()).through(network.source.clone())
    };
    let replaced = known.map(|known| known.address.clone());
    let mut changes = vec![Change::JoinNetwork(entry, replaced)];
    if settings.chosen == ServerChoice::BuiltIn {
        let server = ServerChoice::Server(network.server.clone());
        changes.push(Change::ChosenServer(server));
    }
    client.relays().choose(client.program(), &network.source)?;
    let joined = |relays, state| Joined {
        changes: changes.clone(),
        name: name.clone(),
        relays,
        state,
    };
    let nodes = client
        .relays()
        .service_nodes(client.program(), network.source.clone(), context)
        .await;
    let nodes = match nodes {
        Ok(nodes) => nodes,
        // What is used already is not given up for what nobody has seen working.
        Err(error @ AppError::RelaySource(RelaySourceError::Seeds(_))) if known.is_none() => {
            return Ok(joined(0, JoinedState::NotNow(error)));
        }
        Err(error) => return Err(error),
    };
    let count = nodes.list.relays.len();
    let routed = RoutedServer::new(network.server.clone(), Route::Relays(nodes));
    let call = Call::new(client.program(), routed, context);
    match test_server::check(&call).await {
        Ok(checked) => Ok(joined(count, JoinedState::Works(checked))),
        Err(AppError::Cancelled) => Err(AppError::Cancelled),
        Err(error) => Ok(joined(count, JoinedState::OnlyReceives(error))),
    }
}
