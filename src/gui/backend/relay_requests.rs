//! The use cases around a transfer, as the window needs them: a sender's files at the server, and the relays.

use tokio_util::sync::CancellationToken;

use super::{App, in_words};
use crate::app::error::AppError;
use crate::app::relays::{
    ListState, RelayOffer, RelaySource, RelaySourceError, SourceView, UseFor,
};
use crate::app::transfer::manage;
use crate::app::transfer::session::{NewGuardsError, is_rehearsal};
use crate::app::words::message::UserMessage;
use crate::app::words::who_saw_what::RequestShown;
use crate::gui::model::{
    KeepFor, ManageAction, Managed, OtherList, PointerText, Preferences, RelayList, RelayOrigin,
    RelaySeen, RelayWish, RelaysKnown, RelaysSeen,
};
use crate::gui::text;
use crate::protocol::address::ServerAddress;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::RelayMemory;
use crate::protocol::pointer::Pointer;
use crate::protocol::relay_list::{ListSource, RelayDescriptor};

impl App {
    pub(crate) async fn manage_now(
        &self,
        what: ManageAction,
        pointer: PointerText,
        preferences: &Preferences,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Managed, AppError> {
        let pointer = Pointer::find(pointer.as_str())?;
        let network = self.source(preferences, &pointer, shown, cancel).await?;
        let session = self.session();
        Ok(match what {
            ManageAction::Delete => {
                manage::delete(session, &network, &pointer, shown, cancel).await?;
                Managed::Deleted
            }
            ManageAction::Extend | ManageAction::ExtendFor(_) => {
                let keep = match what {
                    ManageAction::ExtendFor(days) => KeepFor::Days(days),
                    _ => KeepFor::Usual,
                };
                let done =
                    manage::extend(session, &network, &pointer, keep.secs(), shown, cancel).await?;
                Managed::Extended {
                    expires: done.expires,
                    later: done.later,
                    by_server_clock: done.by_server_clock,
                }
            }
            ManageAction::Status => {
                let status = manage::status(session, &network, &pointer, shown, cancel).await?;
                Managed::Status(status.downloads)
            }
        })
    }

    pub(crate) async fn ask_relays(
        &self,
        wish: RelayWish,
        preferences: &Preferences,
        cancel: &CancellationToken,
    ) -> Result<RelaysKnown, UserMessage> {
        let (session, relays) = (self.session(), self.known_relays());
        // No transfer: who sees the address is said before it is asked for.
        let shown = &mut Vec::new();
        let chosen = Self::relay_source(preferences);
        let mut chosen = chosen;
        let mut list = None;
        match wish {
            RelayWish::Look => {}
            RelayWish::Forget(origin) => {
                in_words(relays.forget(&Self::source_of(&origin)))?;
            }
            RelayWish::Accept(pointer) => {
                let pointer = in_words(Pointer::find(pointer.as_str()).map_err(AppError::from))?;
                if let Some(offer) = RelayOffer::of(&pointer) {
                    in_words(relays.accept(session, &offer, shown, cancel).await)?;
                }
            }
            RelayWish::Add(line) => {
                let source = in_words(line.parse::<ListSource>().map_err(AppError::from))?;
                let added = relays.add(session, &source, UseFor::All, shown, cancel);
                let added = in_words(added.await)?;
                list = Some(RelayList {
                    origin: RelayOrigin::Line(source.to_string()),
                    name: text::list_name(&added.name),
                    relays: added.relays.len(),
                });
                chosen = RelaySource::Url(source);
            }
            RelayWish::NewGuard => {
                let lists = in_words(self.views(&chosen))?;
                let list = lists.into_iter().find(|view| view.chosen);
                if let Some(list) = list.and_then(|view| view.list) {
                    session
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
                list = Some(RelayList {
                    origin: RelayOrigin::Session,
                    name: text::session_network().to_owned(),
                    relays: 0,
                });
                chosen = RelaySource::Session;
            }
        }
        let views = in_words(self.views(&chosen))?;
        let (own, others): (Vec<_>, Vec<_>) = views.into_iter().partition(|view| view.chosen);
        Ok(RelaysKnown {
            list,
            seen: own.into_iter().next().map(|view| self.seen(view)),
            others: others
                .into_iter()
                .filter_map(|view| self.other(view, preferences))
                .collect(),
        })
    }

    /// A chosen list of which nothing was read yet.
    pub(crate) fn named_list(source: &RelaySource) -> Option<RelayList> {
        let (origin, name) = match source {
            RelaySource::BuiltIn => return None,
            RelaySource::File(path) => (RelayOrigin::File(path.clone()), text::relays_title()),
            RelaySource::Session => (RelayOrigin::Session, text::session_network()),
            RelaySource::Url(line) => (RelayOrigin::Line(line.to_string()), text::relays_title()),
        };
        Some(RelayList {
            origin,
            name: name.to_owned(),
            relays: 0,
        })
    }

    /// What is kept of a list that is no file.
    pub(crate) fn held_list(&self, source: &RelaySource) -> Option<RelayList> {
        let named = Self::named_list(source)?;
        let list = self.chosen_view(source).and_then(|view| view.list);
        Some(match list {
            Some(list) => RelayList {
                name: match named.origin {
                    RelayOrigin::Session => named.name,
                    RelayOrigin::File(_) | RelayOrigin::Line(_) => text::list_name(&list.name),
                },
                relays: list.relays.len(),
                origin: named.origin,
            },
            None => named,
        })
    }

    fn views(&self, chosen: &RelaySource) -> Result<Vec<SourceView>, AppError> {
        let views = self.known_relays().view(chosen, self.session().now());
        Ok(views.map_err(RelaySourceError::from)?)
    }

    fn chosen_view(&self, source: &RelaySource) -> Option<SourceView> {
        // What cannot be read is told where relays are needed or shown.
        let views = self.views(source).unwrap_or_default();
        views.into_iter().find(|view| view.chosen)
    }

    /// A list that is kept beside the chosen one.
    fn other(&self, view: SourceView, preferences: &Preferences) -> Option<OtherList> {
        let RelaySource::Url(line) = &view.source else {
            return None;
        };
        let list = view.list.as_ref();
        let list = RelayList {
            origin: RelayOrigin::Line(line.to_string()),
            name: text::list_name(list.map_or("", |list| &list.name)),
            relays: list.map_or(0, |list| list.relays.len()),
        };
        let servers = view
            .servers
            .iter()
            .map(|key| server_name(key, preferences))
            .collect();
        let mut seen = self.seen(view);
        seen.relays.clear();
        Some(OtherList {
            list,
            servers,
            seen,
        })
    }

    fn seen(&self, view: SourceView) -> RelaysSeen {
        let mut trouble = match (&view.state, view.problem) {
            (ListState::Ended, _) => Some(text::list_ended().to_owned()),
            (ListState::Missing(why), _) => why
                .clone()
                .or_else(|| Some(text::list_missing().to_owned())),
            (ListState::Good, problem) => problem,
        };
        let relays = view.list.as_ref().map_or_else(Vec::new, |list| {
            let stored = self.session().relay_standing(&view.source.id(), list);
            let standing = stored.unwrap_or_else(|unread| {
                let message = UserMessage::from(&AppError::RelayMemory(unread));
                trouble.get_or_insert(message.why);
                RelayMemory::new().standing(list, self.session().now())
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
}

/// The name of a server that the settings know, else the beginning of its key.
fn server_name(key: &Ed25519Public, preferences: &Preferences) -> String {
    let known = preferences.servers.iter().find(|server| {
        let address = server.address.parse::<ServerAddress>();
        address.is_ok_and(|address| address.key == *key)
    });
    known.map_or_else(
        || format!("{}…", key.to_hex().chars().take(8).collect::<String>()),
        |server| server.name.clone(),
    )
}

fn listens_at(relay: &RelayDescriptor) -> String {
    std::net::SocketAddr::new(relay.host, relay.port).to_string()
}
