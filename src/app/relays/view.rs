//! What Settings and the command line show of each source of relays.

use super::problem::ListProblem;
use super::store::{AskedSeeds, KeptList};
use super::{AcceptedServer, RelaySource, Relays};
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
    /// The servers that it was accepted for, when a pointer named it.
    pub servers: Vec<AcceptedServer>,
}

impl SourceView {
    /// Whether the list ends within three days after `now` (unix seconds): a newer one was asked for long before that, by
    /// whoever used it, and did not come. Service nodes are asked for anew every day.
    #[must_use]
    pub fn ends_soon(&self, now: u64) -> bool {
        let left = self
            .list
            .as_ref()
            .and_then(|list| list.expires.checked_sub(now));
        self.kind == NetworkKind::Cloakroom
            && left.is_some_and(|left| (1..SOON_SECS).contains(&left))
    }
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
    /// A source and the state of its list at `now` (unix seconds). Reads files and nothing else.
    ///
    /// # Errors
    /// [`UnreadFile`]: what is kept of the source is not known.
    pub fn view(&self, source: &RelaySource, now: u64) -> Result<SourceView, UnreadFile> {
        match source {
            RelaySource::BuiltIn => Ok(empty(source.clone())),
            RelaySource::File(path) => {
                let read = self.copied(path, now);
                Ok(SourceView {
                    state: read.as_ref().map_or_else(
                        |error| ListState::Missing(Some(UserMessage::from(error).why)),
                        |_list| ListState::Good,
                    ),
                    list: read.ok(),
                    ..empty(source.clone())
                })
            }
            RelaySource::Network(network) => Ok(self.view_network(network, now)?.source),
            RelaySource::ServiceNodes(_) | RelaySource::Session => {
                self.service_nodes_view(source, now)
            }
            RelaySource::Url(list) => {
                let kept = self.store.read()?;
                // One that was forgotten since is not here.
                let kept = kept.find(list).and_then(|kept| list_view(kept, now));
                Ok(kept.unwrap_or_else(|| empty(source.clone())))
            }
        }
    }

    /// The lists by URL that are kept, whether a network uses them, they were accepted from a pointer, or neither any more,
    /// at `now` (unix seconds). Reads a file and nothing else.
    ///
    /// # Errors
    /// [`UnreadFile`]: which lists there are is not known.
    pub fn kept_lists(&self, now: u64) -> Result<Vec<SourceView>, UnreadFile> {
        let kept = self.store.read()?;
        let views = kept.lists.iter().filter_map(|list| list_view(list, now));
        Ok(views.collect())
    }

    fn service_nodes_view(&self, source: &RelaySource, now: u64) -> Result<SourceView, UnreadFile> {
        let kept = self.store.read()?;
        let asked = kept.seeds.get(&source.id());
        let nodes = self.store.nodes(source).read()?;
        let list = nodes.as_ref().and_then(|nodes| nodes.usable(now).ok());
        Ok(SourceView {
            kind: NetworkKind::Session,
            state: state(list.as_ref(), now),
            list,
            fetched: nodes.map(|nodes| nodes.fetched()),
            asked: asked.map(|asked| asked.asked),
            problem: asked.and_then(AskedSeeds::problem),
            ..empty(source.clone())
        })
    }
}

/// A list by URL; `None` when somebody changed the file.
fn list_view(kept: &KeptList, now: u64) -> Option<SourceView> {
    let source = kept.source()?;
    let held = kept.record.held(source.key());
    Some(SourceView {
        state: state(held.last(), now),
        list: held.last().cloned(),
        fetched: Some(kept.record.fetched),
        asked: Some(kept.record.asked),
        problem: kept.record.problem(),
        servers: kept.accepted_for().collect(),
        ..empty(RelaySource::Url(source))
    })
}

fn state(list: Option<&RelayList>, now: u64) -> ListState {
    match list {
        Some(list) if now < list.expires => ListState::Good,
        Some(_) => ListState::Ended,
        None => ListState::Missing(None),
    }
}

/// A source with nothing held of it.
const fn empty(source: RelaySource) -> SourceView {
    SourceView {
        source,
        kind: NetworkKind::Cloakroom,
        list: None,
        state: ListState::Missing(None),
        fetched: None,
        asked: None,
        problem: None,
        servers: Vec::new(),
    }
}

/// The end of a list is said so long before: 3 days.
const SOON_SECS: u64 = 3 * 24 * 3_600;
