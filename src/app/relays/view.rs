//! What Settings and the command line show of each source of relays.

use super::problem::ListProblem;
use super::{AcceptedServer, RelaySet, RelaySource, Relays};
use crate::app::words::message::UserMessage;
use crate::disk::kept::UnreadFile;
use crate::protocol::relay_list::{NetworkKind, RelayList};

/// A source of relays and the state of its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceView {
    /// Where it is from.
    pub source: RelaySource,
    /// Network that the relays belong to.
    pub kind: NetworkKind,
    /// The list: name, relays, when it was issued and when it ends. Kept for showing even when it has ended.
    pub list: Option<RelayList>,
    /// Whether it can be used.
    pub state: ListState,
    /// When it was fetched, unix seconds; for a file there is no such time.
    pub fetched: Option<u64>,
    /// When a newer one was asked for, unix seconds.
    pub asked: Option<u64>,
    /// Why that failed, if it did; the list above stays in use.
    pub problem: Option<ListProblem>,
    /// Whether it is the person's choice for every server.
    pub chosen: bool,
    /// The servers that it was accepted for, when a pointer named it.
    pub servers: Vec<AcceptedServer>,
}

/// Whether a list can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListState {
    /// It has expired.
    Ended,
    /// The list is good.
    Good,
    /// The list is not on this computer, for this reason if there is one: a sentence in the language that is spoken.
    Missing(Option<String>),
}

impl Relays {
    /// The chosen source first, then those that were accepted from pointers or chosen before, at `now` (unix seconds).
    /// Reads files and nothing else.
    ///
    /// # Errors
    /// [`UnreadFile`]: which sources there are is not known.
    pub fn view(&self, chosen: &RelaySource, now: u64) -> Result<Vec<SourceView>, UnreadFile> {
        let mut views = Vec::new();
        match chosen {
            RelaySource::BuiltIn | RelaySource::Network(_) | RelaySource::Url(_) => {}
            RelaySource::File(path) => {
                let read = RelaySet::from_file(path.clone(), now);
                views.push(SourceView {
                    state: read.as_ref().map_or_else(
                        |error| ListState::Missing(Some(UserMessage::from(error).why)),
                        |_list| ListState::Good,
                    ),
                    list: read.ok().map(|set| set.list),
                    ..empty(chosen.clone())
                });
            }
            RelaySource::Session => views.push(self.session_view(now)?),
        }
        let kept = self.store.read()?;
        // Chosen in the settings, and not fetched yet or forgotten since.
        if let RelaySource::Url(source) = chosen
            && kept.find(source).is_none()
        {
            views.push(empty(chosen.clone()));
        }
        for list in &kept.lists {
            let Some(source) = list.source() else {
                continue;
            };
            let held = list.record.held(source.key());
            let is_chosen = matches!(chosen, RelaySource::Url(own) if *own == source);
            let view = SourceView {
                state: state(held.last(), now),
                list: held.last().cloned(),
                fetched: Some(list.record.fetched),
                asked: Some(list.record.asked),
                problem: list.record.problem(),
                chosen: is_chosen,
                servers: list.accepted_for().collect(),
                ..empty(RelaySource::Url(source))
            };
            if is_chosen {
                views.insert(0, view);
            } else {
                views.push(view);
            }
        }
        Ok(views)
    }

    fn session_view(&self, now: u64) -> Result<SourceView, UnreadFile> {
        let kept = self.store.read()?;
        let nodes = self.store.nodes()?;
        let list = nodes.as_ref().and_then(|nodes| nodes.usable(now).ok());
        Ok(SourceView {
            kind: NetworkKind::Session,
            state: state(list.as_ref(), now),
            list,
            fetched: nodes.map(|nodes| nodes.fetched()),
            asked: kept.session_asked,
            problem: kept.session_problem(),
            ..empty(RelaySource::Session)
        })
    }
}

fn state(list: Option<&RelayList>, now: u64) -> ListState {
    match list {
        Some(list) if now < list.expires => ListState::Good,
        Some(_) => ListState::Ended,
        None => ListState::Missing(None),
    }
}

/// The chosen source with nothing held of it.
const fn empty(source: RelaySource) -> SourceView {
    SourceView {
        source,
        kind: NetworkKind::Cloakroom,
        list: None,
        state: ListState::Missing(None),
        fetched: None,
        asked: None,
        problem: None,
        chosen: true,
        servers: Vec::new(),
    }
}
