//! Relay lists for the window's worker: adding, accepting and forgetting one, and how its relays stand.

use super::{App, in_words};
use crate::app::client::Client;
use crate::app::error::AppError;
use crate::app::relays::{
    AcceptedServer, ListState, RelayOffer, RelaySource, RelaySourceError, SourceView, UseFor,
};
use crate::app::settings::Settings;
use crate::app::transfer::call::CallContext;
use crate::app::transfer::program::{NewGuardsError, is_rehearsal};
use crate::app::words::message::UserMessage;
use crate::gui::model::{OtherList, RelaySeen, RelayWish, RelaysKnown, RelaysSeen, ShownRelayList};
use crate::gui::text;
use crate::protocol::address::ServerAddress;
use crate::protocol::path::RelayMemory;
use crate::protocol::pointer::Pointer;
use crate::protocol::relay_list::{ListSource, RelayDescriptor, RelayList};

impl App {
    /// Does what the window wishes of relay lists, and returns how those of `network` stand then. What the request shows to
    /// whom is said before it is made, so nothing of it is logged.
    pub(crate) async fn ask_relays(
        &self,
        wish: RelayWish,
        network: Option<&ServerAddress>,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<RelaysKnown, UserMessage> {
        let client = self.client(settings);
        let (program, relays) = (client.program(), client.relays());
        let mut source = network.and_then(|server| settings.relays_of(server).cloned());
        let mut list = None;
        match wish {
            RelayWish::Look => {}
            RelayWish::Forget(forgotten) => {
                if !settings.uses_elsewhere(&forgotten, None) {
                    in_words(relays.forget(&forgotten))?;
                }
            }
            RelayWish::Accept(pointer) => {
                let pointer = in_words(Pointer::find(pointer.as_str()).map_err(AppError::from))?;
                if let Some(offer) = RelayOffer::of(&pointer) {
                    in_words(relays.accept(program, &offer, context).await)?;
                }
            }
            RelayWish::Add(line) => {
                let line = in_words(line.parse::<ListSource>().map_err(AppError::from))?;
                let added = relays.add(program, &line, UseFor::All, context);
                let added = in_words(added.await)?;
                let added_from = RelaySource::Url(line);
                list = Some(shown_list(&added_from, Some(&added)));
                source = Some(added_from);
            }
            RelayWish::NewGuard => {
                let view = source.as_ref().map(|source| view(&client, source));
                let view = in_words(view.transpose())?;
                if let Some((source, list)) = view.and_then(|view| Some((view.source, view.list?)))
                {
                    program
                        .new_guards(&source, &list)
                        .map_err(|error| match error {
                            NewGuardsError::Memory(unread) => {
                                UserMessage::from(&AppError::RelayMemory(unread))
                            }
                            NewGuardsError::Refused(why) => text::new_guard_refused(why),
                        })?;
                }
            }
            RelayWish::Session => {
                list = Some(shown_list(&RelaySource::Session, None));
                source = Some(RelaySource::Session);
            }
        }
        let own = source.as_ref().map(|source| view(&client, source));
        let own = in_words(own.transpose())?;
        let kept = relays.kept_lists(program.now());
        let kept = in_words(kept.map_err(|unread| RelaySourceError::from(unread).into()))?;
        let is_other = |view: &SourceView| {
            Some(&view.source) != source.as_ref() && !settings.uses_elsewhere(&view.source, None)
        };
        Ok(RelaysKnown {
            list,
            seen: own.map(|view| seen(&client, view)),
            others: kept
                .into_iter()
                .filter(is_other)
                .map(|view| other(&client, view))
                .collect(),
        })
    }

    /// What is kept of a list; an error where a file was chosen that cannot be read.
    pub(crate) fn held_list(
        &self,
        source: &RelaySource,
    ) -> Option<Result<ShownRelayList, UserMessage>> {
        if let RelaySource::File(_) = source {
            let set = self.client.relays().kept(source, self.program().now());
            return Some(in_words(set).map(|set| {
                let list = set.map(|set| set.list);
                shown_list(source, list.as_ref())
            }));
        }
        // What cannot be read is told where relays are needed or shown.
        let list = view(&self.client, source).ok()?.list?;
        Some(Ok(shown_list(source, Some(&list))))
    }
}

/// A source, as the window shows it.
pub(super) fn shown_list(source: &RelaySource, list: Option<&RelayList>) -> ShownRelayList {
    ShownRelayList {
        source: source.clone(),
        name: match source {
            RelaySource::Session => text::session_network().to_owned(),
            RelaySource::ServiceNodes(_) => text::service_nodes().to_owned(),
            _ => text::list_name(list.map_or("", |list| &list.name)),
        },
        relays: list.map_or(0, |list| list.relays.len()),
    }
}

/// A source and its state.
fn view(client: &Client, source: &RelaySource) -> Result<SourceView, AppError> {
    let view = client.relays().view(source, client.program().now());
    Ok(view.map_err(RelaySourceError::from)?)
}

/// A list that no network uses.
fn other(client: &Client, view: SourceView) -> OtherList {
    let list = shown_list(&view.source, view.list.as_ref());
    let servers = view
        .servers
        .iter()
        .map(|server| server_name(server, client.settings()))
        .collect();
    let mut seen = seen(client, view);
    seen.relays.clear();
    OtherList {
        list,
        servers,
        seen,
    }
}

fn seen(client: &Client, view: SourceView) -> RelaysSeen {
    let mut trouble = match (&view.state, view.problem) {
        (ListState::Ended, _) => Some(text::list_ended().to_owned()),
        (ListState::Missing(why), _) => why
            .clone()
            .or_else(|| Some(text::list_missing().to_owned())),
        (ListState::Good, problem) => {
            problem.map(|problem| text::list_problem(problem.kind).to_owned())
        }
    };
    let relays = view.list.as_ref().map_or_else(Vec::new, |list| {
        let stored = client.program().relay_standing(&view.source.id(), list);
        let standing = stored.unwrap_or_else(|unread| {
            let message = UserMessage::from(&AppError::RelayMemory(unread));
            trouble.get_or_insert(message.why);
            RelayMemory::new().standing(list, client.program().now())
        });
        let relays = list.relays.iter().zip(standing);
        relays
            .map(|(relay, stands)| RelaySeen {
                name: listens_at(relay),
                operator: text::operator_name(&relay.operator),
                standing: stands.standing,
            })
            .collect()
    });
    let list = view.list.as_ref();
    RelaysSeen {
        rehearsal: list.is_some_and(|list| is_rehearsal(&view.source, list)),
        issued: view.list.as_ref().map(|list| list.issued),
        asked: view.asked,
        expires: view.list.map(|list| list.expires),
        fetched: view.fetched,
        trouble,
        relays,
    }
}

/// The name of a server that the settings know, else its host, or the beginning of its key where no more is known.
fn server_name(server: &AcceptedServer, settings: &Settings) -> String {
    let known = match server {
        AcceptedServer::Address(address) => settings.entry(address),
        AcceptedServer::Key(key) => settings.first_with(key),
    };
    match (known, server) {
        (Some(entry), _) => settings.name_in_list(entry).to_owned(),
        (None, AcceptedServer::Address(address)) => address.url.authority().to_owned(),
        (None, AcceptedServer::Key(key)) => {
            format!("{}…", key.to_hex().chars().take(8).collect::<String>())
        }
    }
}

fn listens_at(relay: &RelayDescriptor) -> String {
    std::net::SocketAddr::new(relay.host, relay.port).to_string()
}
