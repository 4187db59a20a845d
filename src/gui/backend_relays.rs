//! The use cases around a transfer, as the window needs them: a sender's files at the server, and the relays.

use tokio_util::sync::CancellationToken;

use super::backend::{App, in_words};
use super::model::{
    Manage, Managed, PointerText, Preferences, RelayList, RelayOrigin, RelaySeen, RelayWish,
    RelaysKnown, RelaysSeen,
};
use super::text;
use crate::app::error::AppError;
use crate::app::manage;
use crate::app::message::UserMessage;
use crate::app::relays::{ListState, RelayOffer, RelaySource, SourceView, UseFor};
use crate::protocol::pointer::Pointer;
use crate::protocol::relay_list::{ListSource, RelayDescriptor};

impl App {
    pub(super) async fn manage_now(
        &self,
        what: Manage,
        pointer: PointerText,
        preferences: &Preferences,
        cancel: &CancellationToken,
    ) -> Result<Managed, AppError> {
        let pointer = Pointer::find(pointer.as_str())?;
        let network = self.source(preferences, &pointer.server).await?;
        let session = self.session();
        Ok(match what {
            Manage::Delete => {
                manage::delete(session, &network, &pointer, cancel).await?;
                Managed::Deleted
            }
            Manage::Extend => {
                let done = manage::extend(session, &network, &pointer, None, cancel).await?;
                Managed::Extended {
                    expires: done.outcome.expires,
                    later: done.outcome.later,
                }
            }
            Manage::Status => {
                let done = manage::status(session, &network, &pointer, cancel).await?;
                Managed::Status(done.outcome.downloads)
            }
        })
    }

    pub(super) async fn ask_relays(
        &self,
        wish: RelayWish,
        preferences: &Preferences,
        cancel: &CancellationToken,
    ) -> Result<RelaysKnown, UserMessage> {
        let (session, relays) = (self.session(), self.known_relays());
        let chosen = Self::relay_source(preferences);
        let mut known = RelaysKnown {
            list: None,
            seen: None,
        };
        match wish {
            RelayWish::Look => {}
            RelayWish::Accept(pointer) => {
                let pointer = in_words(Pointer::find(pointer.as_str()).map_err(AppError::from))?;
                if let Some(offer) = RelayOffer::of(&pointer) {
                    in_words(relays.accept(session, &offer, cancel).await)?;
                }
            }
            RelayWish::Add(line) => {
                let source = in_words(line.parse::<ListSource>().map_err(AppError::from))?;
                let list = in_words(relays.add(session, &source, UseFor::All, cancel).await)?;
                known.list = Some(RelayList {
                    origin: RelayOrigin::Line(source.to_string()),
                    name: list.name,
                    relays: list.relays.len(),
                });
                known.seen = self.seen(&RelaySource::Url(source));
                return Ok(known);
            }
            RelayWish::NewGuard => {
                let lists = relays.view(&chosen, session.now());
                let list = lists.into_iter().find(|view| view.chosen);
                if let Some(list) = list.and_then(|view| view.list) {
                    session
                        .new_guards(&chosen.id(), &list)
                        .map_err(|_refused| text::new_guard_refused())?;
                }
            }
            RelayWish::Session => {
                known.list = Some(RelayList {
                    origin: RelayOrigin::Session,
                    name: text::session_network().to_owned(),
                    relays: 0,
                });
                known.seen = self.seen(&RelaySource::Session);
                return Ok(known);
            }
        }
        known.seen = self.seen(&chosen);
        Ok(known)
    }

    /// A chosen list of which nothing was read yet.
    pub(super) fn named_list(source: &RelaySource) -> Option<RelayList> {
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
    pub(super) fn held_list(&self, source: &RelaySource) -> Option<RelayList> {
        let named = Self::named_list(source)?;
        let list = self.chosen_view(source).and_then(|view| view.list);
        Some(match list {
            Some(list) => RelayList {
                name: match named.origin {
                    RelayOrigin::Session => named.name,
                    RelayOrigin::File(_) | RelayOrigin::Line(_) => list.name,
                },
                relays: list.relays.len(),
                origin: named.origin,
            },
            None => named,
        })
    }

    fn chosen_view(&self, source: &RelaySource) -> Option<SourceView> {
        let views = self.known_relays().view(source, self.session().now());
        views.into_iter().find(|view| view.chosen)
    }

    fn seen(&self, source: &RelaySource) -> Option<RelaysSeen> {
        let view = self.chosen_view(source)?;
        let trouble = match (&view.state, view.problem) {
            (ListState::Ended, _) => Some(text::list_ended().to_owned()),
            (ListState::Missing(why), _) => why
                .clone()
                .or_else(|| Some(text::list_missing().to_owned())),
            (ListState::Good, problem) => problem,
        };
        let relays = view.list.as_ref().map_or_else(Vec::new, |list| {
            let standing = self.session().relay_standing(&source.id(), list);
            let relays = list.relays.iter().zip(standing);
            relays
                .map(|(relay, stands)| RelaySeen {
                    name: listens_at(relay),
                    operator: relay.operator.clone(),
                    standing: stands.standing,
                })
                .collect()
        });
        Some(RelaysSeen {
            expires: view.list.map(|list| list.expires),
            fetched: view.fetched,
            trouble,
            relays,
        })
    }
}

fn listens_at(relay: &RelayDescriptor) -> String {
    std::net::SocketAddr::new(relay.host, relay.port).to_string()
}
