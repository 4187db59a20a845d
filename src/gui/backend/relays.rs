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
use crate::protocol::path::RelayMemory;
use crate::protocol::pointer::Pointer;
use crate::protocol::relay_list::{ListSource, RelayDescriptor};

impl App {
    /// Does what the window wishes of relay lists, and returns how they stand then. What the request shows to whom is said
    /// before it is made, so nothing of it is logged.
    pub(crate) async fn ask_relays(
        &self,
        wish: RelayWish,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<RelaysKnown, UserMessage> {
        let client = self.client(settings);
        let (program, relays) = (client.program(), client.relays());
        let mut chosen = client.settings().relays.clone();
        let mut list = None;
        match wish {
            RelayWish::Look => {}
            RelayWish::Forget(source) => {
                in_words(relays.forget(&source))?;
            }
            RelayWish::Accept(pointer) => {
                let pointer = in_words(Pointer::find(pointer.as_str()).map_err(AppError::from))?;
                if let Some(offer) = RelayOffer::of(&pointer) {
                    in_words(relays.accept(program, &offer, context).await)?;
                }
            }
            RelayWish::Add(line) => {
                let source = in_words(line.parse::<ListSource>().map_err(AppError::from))?;
                let added = relays.add(program, &source, UseFor::All, context);
                let added = in_words(added.await)?;
                list = Some(ShownRelayList {
                    source: RelaySource::Url(source.clone()),
                    name: text::list_name(&added.name),
                    relays: added.relays.len(),
                });
                chosen = RelaySource::Url(source);
            }
            RelayWish::NewGuard => {
                let lists = in_words(views(&client, &chosen))?;
                let list = lists.into_iter().find(|view| view.chosen);
                if let Some(list) = list.and_then(|view| view.list) {
                    program
                        .new_guards(&chosen, &list)
                        .map_err(|error| match error {
                            NewGuardsError::Memory(unread) => {
                                UserMessage::from(&AppError::RelayMemory(unread))
                            }
                            NewGuardsError::Refused(why) => text::new_guard_refused(why),
                        })?;
                }
            }
            RelayWish::Session => {
                list = Some(ShownRelayList {
                    source: RelaySource::Session,
                    name: text::session_network().to_owned(),
                    relays: 0,
                });
                chosen = RelaySource::Session;
            }
        }
        let views = in_words(views(&client, &chosen))?;
        let (own, others): (Vec<_>, Vec<_>) = views.into_iter().partition(|view| view.chosen);
        Ok(RelaysKnown {
            list,
            seen: own.into_iter().next().map(|view| seen(&client, view)),
            others: others
                .into_iter()
                .filter_map(|view| other(&client, view))
                .collect(),
        })
    }

    /// What is kept of a list that is no file.
    pub(crate) fn held_list(&self, source: &RelaySource) -> Option<ShownRelayList> {
        // What cannot be read is told where relays are needed or shown.
        let views = views(&self.client, source).unwrap_or_default();
        let chosen = views.into_iter().find(|view| view.chosen);
        let list = chosen.and_then(|view| view.list)?;
        Some(ShownRelayList {
            source: source.clone(),
            name: match source {
                RelaySource::Session => text::session_network().to_owned(),
                _ => text::list_name(&list.name),
            },
            relays: list.relays.len(),
        })
    }
}

/// The lists of `chosen` and those that are kept beside it.
fn views(client: &Client, chosen: &RelaySource) -> Result<Vec<SourceView>, AppError> {
    let views = client.relays().view(chosen, client.program().now());
    Ok(views.map_err(RelaySourceError::from)?)
}

/// A list that is kept beside the chosen one.
fn other(client: &Client, view: SourceView) -> Option<OtherList> {
    if !matches!(view.source, RelaySource::Url(_)) {
        return None;
    }
    let list = view.list.as_ref();
    let list = ShownRelayList {
        source: view.source.clone(),
        name: text::list_name(list.map_or("", |list| &list.name)),
        relays: list.map_or(0, |list| list.relays.len()),
    };
    let servers = view
        .servers
        .iter()
        .map(|server| server_name(server, client.settings()))
        .collect();
    let mut seen = seen(client, view);
    seen.relays.clear();
    Some(OtherList {
        list,
        servers,
        seen,
    })
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
