//! Chooses the relay list for a server: the list of its network, or one that a pointer named and the person accepted. A list
//! is from the server of a network that was joined ([`networks`]), a file, a signed list by URL, or service nodes
//! ([`service_nodes`]). A network's relays are used for its server only.
//!
//! A list in a file is copied when it is chosen, so that nothing depends on where the file was.
//!
//! A list by URL is fetched straight from its host when it is added, and that host then sees this computer's address;
//! afterwards it comes through file servers that mirror it (`refresh`). One that a pointer names is used for that
//! pointer's server only: accepting it is no choice about anything else. The relays of a person's own network come first
//! where they serve its server.

use std::path::{Path, PathBuf};

use tracing::debug;

use super::error::AppError;
use crate::app::settings::{Home, Settings};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::program::Program;
use crate::app::words::who_saw_what::{Asked, RequestShown};
use crate::disk::kept::Kept;
use crate::disk::private;
use crate::net::relay_source::{self, FetchError, FetchedList};
use crate::net::seed::Seed;
use crate::protocol::address::ServerAddress;
use crate::protocol::disclosure::ShownOutcome;
use crate::protocol::pointer::Pointer;
use crate::protocol::relay_list::{HeldList, ListSource, NetworkKind, RelayList};
use crate::wire::random;

pub mod list_file;
pub(in crate::app) mod networks;
pub(in crate::app) mod problem;
pub(super) mod refresh;
pub(in crate::app) mod service_nodes;
pub(in crate::app) mod set;
pub(in crate::app) mod store;
mod view;
pub(in crate::app) mod waiting;

pub use networks::NetworkView;
pub use problem::{ListProblem, ListProblemKind};
pub use service_nodes::{ServiceNodeFileError, ServiceNodeNetwork};
pub use set::{NetworkId, RelayOffer, RelaySet, RelaySource, RelaySourceError, UseFor};
pub use store::AcceptedServer;
pub use view::{ListState, SourceView};
pub use waiting::{ManyGone, NewerListWaits};

use networks::KeptNetworks;
use store::{AskedSeeds, RelayFiles};

impl RelaySet {
    /// The relays of a list in a file, good at `now` (unix seconds). Blocking, small.
    ///
    /// # Errors
    /// [`AppError::RelayFile`] and [`AppError::RelayList`].
    pub(crate) fn from_file(path: PathBuf, now: u64) -> Result<Self, AppError> {
        Ok(Self {
            list: list_file::read(&path, now)?,
            kind: NetworkKind::Cloakroom,
            source: RelaySource::File(path),
        })
    }
}

/// The relays of this person, as their data folder keeps them.
pub struct Relays {
    store: RelayFiles,
    networks: Kept<KeptNetworks>,
    seeds: Vec<Seed>,
}

impl Relays {
    /// The relays kept in `home`.
    #[must_use]
    pub fn of(home: &Home) -> Self {
        Self::with_seeds(home, Seed::main_network())
    }

    /// These relays, with other seeds than those of Session's main network.
    #[must_use]
    pub fn with_seeds(home: &Home, seeds: Vec<Seed>) -> Self {
        Self {
            store: RelayFiles::of(home),
            networks: networks::file_of(home),
            seeds,
        }
    }

    /// The relays for `server`: those of `instead`, which one command names in place of what the settings say; else those of
    /// the server's network, else those that were accepted for this server. `None` without any. Only nodes of Session's
    /// network, and the list of a network whose own has ended, may have to be fetched first.
    ///
    /// # Errors
    /// [`AppError`] when the source gives none and nothing was accepted for this server.
    pub async fn for_server(
        &self,
        program: &Program,
        instead: Option<&RelaySource>,
        server: &ServerAddress,
        context: &CallContext,
    ) -> Result<Option<RelaySet>, AppError> {
        if program.is_builtin(server) {
            return Ok(None);
        }
        let own = match self.source_for(program.settings(), instead, server) {
            None => Ok(None),
            Some(RelaySource::Network(network)) => {
                let relays = self.of_network(program, &network, server, context).await;
                return relays.map(Some);
            }
            Some(source @ (RelaySource::ServiceNodes(_) | RelaySource::Session)) => {
                let nodes = self.service_nodes(program, source, context);
                nodes.await.map(Some)
            }
            Some(RelaySource::File(path)) if instead.is_some() => {
                RelaySet::from_file(path, program.now()).map(Some)
            }
            Some(kept) => self.kept(&kept, program.now()),
        };
        self.or_accepted(own, program, server)
    }

    /// Returns the relays for `server` as far as they are on this computer: nobody is asked. `None` for Session's nodes,
    /// too, which serve every server and can be asked for, and for a network whose list has ended.
    ///
    /// # Errors
    /// As [`Relays::for_server`].
    pub(crate) fn at_hand(
        &self,
        program: &Program,
        instead: Option<&RelaySource>,
        server: &ServerAddress,
    ) -> Result<Option<RelaySet>, AppError> {
        if program.is_builtin(server) {
            return Ok(None);
        }
        let own = match self.source_for(program.settings(), instead, server) {
            None => Ok(None),
            Some(RelaySource::Network(network)) => {
                return Ok(self.network_at_hand(&network, program.now())?);
            }
            Some(RelaySource::ServiceNodes(_) | RelaySource::Session) => return Ok(None),
            Some(kept) => self.kept(&kept, program.now()),
        };
        self.or_accepted(own, program, server)
    }

    /// Chooses the source of relays for a server: `instead`, else the source of its network. A network that was left still
    /// gives its relays, so that files shared there can be managed.
    fn source_for(
        &self,
        settings: &Settings,
        instead: Option<&RelaySource>,
        server: &ServerAddress,
    ) -> Option<RelaySource> {
        if let Some(instead) = instead {
            return Some(instead.clone());
        }
        match settings.entry(server) {
            Some(entry) => entry.relays.clone(),
            None => self.network_left(server).map(RelaySource::Network),
        }
    }

    /// The relays of a source, as they are on this computer; `None` for a source that has none here.
    ///
    /// # Errors
    /// [`AppError`] as using the source would end.
    pub(crate) fn kept(
        &self,
        source: &RelaySource,
        now: u64,
    ) -> Result<Option<RelaySet>, AppError> {
        match source {
            RelaySource::BuiltIn | RelaySource::ServiceNodes(_) | RelaySource::Session => Ok(None),
            RelaySource::File(path) => self.copied_for_good(path, now).map(Some),
            RelaySource::Network(network) => Ok(self.network_at_hand(network, now)?),
            RelaySource::Url(source) => Ok(Some(self.held(source, now)?)),
        }
    }

    /// The list that was chosen in a file: its copy, or the file itself where the copy is good no more, or was never made by
    /// an older version. Reads files and nothing else.
    fn copied(&self, path: &Path, now: u64) -> Result<RelayList, AppError> {
        let copy = self.store.copy_of(&RelaySource::File(path.to_owned()));
        list_file::read(&copy, now).or_else(|error| match list_file::read(path, now) {
            // That the copy has ended, or is damaged, is what the person must know; else why the file cannot be read.
            Err(_) if copy.exists() => Err(error),
            list => list,
        })
    }

    /// As [`Relays::copied`], and the file is copied where its list is used in place of the copy.
    fn copied_for_good(&self, path: &Path, now: u64) -> Result<RelaySet, AppError> {
        let source = RelaySource::File(path.to_owned());
        let list = match list_file::read(&self.store.copy_of(&source), now) {
            Ok(list) => list,
            Err(_no_copy) => {
                let list = self.copied(path, now)?;
                if self.copy_list(path, now).is_err() {
                    debug!("a relay list could not be copied");
                }
                list
            }
        };
        Ok(RelaySet {
            list,
            kind: NetworkKind::Cloakroom,
            source,
        })
    }

    /// Copies a list out of a file, so that it is used wherever the file goes, and reads it.
    fn copy_list(&self, path: &Path, now: u64) -> Result<RelayList, AppError> {
        let list = list_file::read(path, now)?;
        let copy = self.store.copy_of(&RelaySource::File(path.to_owned()));
        private::write(&copy, list.to_compact_json().as_bytes()).map_err(RelaySourceError::from)?;
        Ok(list)
    }

    /// Returns the network's own relays if they serve the server, else those of the list that the person accepted for it.
    fn or_accepted(
        &self,
        own: Result<Option<RelaySet>, AppError>,
        program: &Program,
        server: &ServerAddress,
    ) -> Result<Option<RelaySet>, AppError> {
        if let Ok(Some(set)) = &own
            && set.serves(server.url.host())
        {
            return own;
        }
        if matches!(own, Err(AppError::Cancelled)) {
            return own;
        }
        let kept = match self.store.read() {
            Ok(kept) => kept,
            Err(unread) => return own.and(Err(RelaySourceError::from(unread).into())),
        };
        let accepted = kept.accepted_for(server, program.settings());
        match accepted.map(|source| self.held(&source, program.now())) {
            Some(Ok(set)) => Ok(Some(set)),
            // What was accepted has ended; without own relays that is what the person must know.
            Some(Err(error)) if matches!(own, Ok(None)) => Err(error.into()),
            _ => own,
        }
    }

    /// Whether there are relays for `server`, or may be, as far as can be told without any network.
    #[must_use]
    pub(crate) fn has_relays(
        &self,
        settings: &Settings,
        instead: Option<&RelaySource>,
        server: &ServerAddress,
    ) -> bool {
        self.source_for(settings, instead, server).is_some()
            || !self
                .store
                .read()
                .is_ok_and(|kept| kept.accepted_for(server, settings).is_none())
    }

    /// Fetches a list straight from its host, which then sees this computer's address (or the proxy's), and keeps it. What is held
    /// already goes on serving when the new one is refused.
    ///
    /// # Errors
    /// [`AppError::RelaySource`] and [`AppError::Cancelled`].
    pub async fn add(
        &self,
        program: &Program,
        source: &ListSource,
        use_for: UseFor,
        context: &CallContext,
    ) -> Result<RelayList, AppError> {
        // Before its host is asked.
        self.last_good(source)?;
        let fetched = fetch(program, source, context).await?;
        let now = program.now();
        let mut held = self.last_good(source)?;
        held.offer(&fetched.list, fetched.signature.as_deref(), now)
            .map_err(RelaySourceError::from)?;
        let list = held.usable(now).ok_or(RelaySourceError::Ended)?.clone();
        self.store.change(|kept| {
            let entry = kept.entry(source);
            entry.record.keep(&held, now);
            entry.record.asked = now;
            entry.record.set_problem(None);
            if let UseFor::Server(server) = use_for {
                kept.accept(source, &server);
            }
        })?;
        Ok(list)
    }

    /// Takes the list that a pointer offers, for that pointer's server. One that is here and good is not fetched again.
    ///
    /// # Errors
    /// As [`Relays::add`].
    pub(crate) async fn accept(
        &self,
        program: &Program,
        offer: &RelayOffer,
        context: &CallContext,
    ) -> Result<RelayList, AppError> {
        let Ok(set) = self.held(&offer.list, program.now()) else {
            let use_for = UseFor::Server(offer.server.clone());
            return self.add(program, &offer.list, use_for, context).await;
        };
        self.store
            .change(|kept| kept.accept(&offer.list, &offer.server))?;
        Ok(set.list)
    }

    /// Prepares a source for being chosen without fetching anything: a file that is a good list is copied, a list by URL has
    /// to be here. The settings that name it are the caller's.
    ///
    /// # Errors
    /// [`AppError`] as using it would end.
    pub(crate) fn choose(&self, program: &Program, source: &RelaySource) -> Result<(), AppError> {
        match source {
            RelaySource::BuiltIn | RelaySource::Network(_) | RelaySource::Session => Ok(()),
            RelaySource::ServiceNodes(path) => {
                Ok(self.copy_service_nodes(path).map(|_network| ())?)
            }
            RelaySource::File(path) => self.copy_list(path, program.now()).map(|_list| ()),
            RelaySource::Url(source) => Ok(self.held(source, program.now()).map(|_set| ())?),
        }
    }

    /// Forgets what was fetched from a source. The settings that name it are the caller's.
    ///
    /// # Errors
    /// [`AppError::RelaySource`].
    pub(crate) fn forget(&self, source: &RelaySource) -> Result<(), AppError> {
        let done = match source {
            RelaySource::BuiltIn => Ok(()),
            RelaySource::File(_) | RelaySource::ServiceNodes(_) | RelaySource::Session => {
                let forgotten = self.store.forget_copy(source);
                forgotten.map_err(RelaySourceError::from)
            }
            RelaySource::Network(network) => self.forget_network(network),
            RelaySource::Url(source) => self.store.change(|kept| kept.forget(source)),
        };
        Ok(done?)
    }

    /// The last good list of a source, which may have ended.
    fn last_good(&self, source: &ListSource) -> Result<HeldList, RelaySourceError> {
        let kept = self.store.read()?;
        Ok(kept.find(source).map_or_else(
            || HeldList::new(*source.key()),
            |list| list.record.held(source.key()),
        ))
    }

    fn held(&self, source: &ListSource, now: u64) -> Result<RelaySet, RelaySourceError> {
        let held = self.last_good(source)?;
        match (held.usable(now), held.last()) {
            (Some(list), _) => Ok(RelaySet {
                list: list.clone(),
                kind: NetworkKind::Cloakroom,
                source: RelaySource::Url(source.clone()),
            }),
            (None, Some(_)) => Err(RelaySourceError::Ended),
            (None, None) => Err(RelaySourceError::NotHere),
        }
    }

    /// Copies a file that describes service nodes, so that it is used wherever the file goes, and reads it.
    fn copy_service_nodes(&self, path: &Path) -> Result<ServiceNodeNetwork, RelaySourceError> {
        let network = ServiceNodeNetwork::read(path)?;
        let text = std::fs::read(path)?;
        private::write(&self.store.copy_of(&network.source), &text)?;
        Ok(network)
    }

    /// The seeds of a network of service nodes: those of the file's copy, or of the file where there is none.
    fn seeds_of(&self, source: &RelaySource) -> Result<Vec<Seed>, RelaySourceError> {
        let RelaySource::ServiceNodes(path) = source else {
            return Ok(self.seeds.clone());
        };
        let copy = ServiceNodeNetwork::read(&self.store.copy_of(source));
        let network = copy.or_else(|_no_copy| ServiceNodeNetwork::read(path))?;
        Ok(network.seeds)
    }

    /// The service nodes of a network, asked for again once a day; those of the last time serve for two weeks.
    ///
    /// # Errors
    /// [`AppError::RelaySource`], [`AppError::Proxy`] and [`AppError::Cancelled`].
    pub(in crate::app) async fn service_nodes(
        &self,
        program: &Program,
        source: RelaySource,
        context: &CallContext,
    ) -> Result<RelaySet, AppError> {
        let now = program.now();
        let kept = self.store.nodes(&source).read();
        let kept = kept.map_err(RelaySourceError::from)?;
        let known = self.store.read().map_err(RelaySourceError::from)?;
        let usable = kept
            .as_ref()
            .and_then(|nodes| nodes.usable(now).ok())
            .filter(|list| now < list.expires);
        let asked = kept
            .as_ref()
            .map(|nodes| nodes.fetched())
            .max(known.seeds.get(&source.id()).map(|seeds| seeds.asked));
        let today = asked
            .and_then(|asked| now.checked_sub(asked))
            .is_some_and(|age| age < DAY_SECS);
        let list = match usable {
            Some(list) if today => list,
            usable => match self.fetch_nodes(&source, program, context).await {
                Ok(list) => list,
                Err(AppError::RelaySource(why @ RelaySourceError::Seeds(_))) => {
                    debug!("the service nodes could not be fetched");
                    usable.ok_or(why)?
                }
                Err(error) => return Err(error),
            },
        };
        Ok(RelaySet {
            list,
            kind: NetworkKind::Session,
            source,
        })
    }

    async fn fetch_nodes(
        &self,
        source: &RelaySource,
        program: &Program,
        context: &CallContext,
    ) -> Result<RelayList, AppError> {
        let (proxy, now) = (program.proxy()?, program.now());
        let seeds = self.seeds_of(source)?;
        let mut asked = Vec::new();
        let fetched = relay_source::fetch_session_nodes(
            &seeds,
            proxy,
            now,
            &mut random::system(),
            &mut asked,
            &context.cancel,
        )
        .await;
        let last = asked.len();
        let tries = (1..).zip(asked).map(|(number, url)| {
            let outcome = match &fetched {
                Err(FetchError::Proxy(_)) => ShownOutcome::NoProxy,
                // Another was asked after it, so this one gave no list.
                _ if number < last => ShownOutcome::NoList,
                ended => outcome(ended),
            };
            (url, outcome)
        });
        context.log.extend(RequestShown::straight(
            Asked::SessionNodes,
            tries,
            proxy,
            now,
        ));
        if fetched != Err(FetchError::Cancelled) {
            let problem = fetched
                .as_ref()
                .err()
                .map(|why| ListProblem::new(problem_kind(why), why));
            let noted = self.store.change(|kept| {
                kept.seeds
                    .insert(source.id(), AskedSeeds::new(now, problem));
            });
            // A disk that does not take it costs a question more.
            if noted
                .and_then(|()| {
                    fetched
                        .as_ref()
                        .map_or(Ok(()), |nodes| self.store.keep_nodes(source, nodes))
                })
                .is_err()
            {
                debug!("the service nodes could not be kept");
            }
        }
        let nodes = fetched.and_then(|nodes| Ok(nodes.usable(now)?));
        nodes.map_err(|why| match why {
            FetchError::Cancelled => AppError::Cancelled,
            FetchError::Proxy(failure) => AppError::Proxy(failure),
            why => RelaySourceError::Seeds(why).into(),
        })
    }
}

/// Fetches a list and its signature straight from its host, which then sees this computer's address (or the proxy's). Nothing of them is
/// checked or kept.
///
/// # Errors
/// [`AppError::RelaySource`] and [`AppError::Cancelled`].
pub async fn fetch(
    program: &Program,
    source: &ListSource,
    context: &CallContext,
) -> Result<FetchedList, AppError> {
    let (proxy, now) = (program.proxy()?, program.now());
    let fetched = relay_source::fetch_list(source, proxy, &context.cancel).await;
    let asked = [(source.url().to_owned(), outcome(&fetched))];
    context
        .log
        .extend(RequestShown::straight(Asked::ListHost, asked, proxy, now));
    fetched.map_err(|why| match why {
        FetchError::Cancelled => AppError::Cancelled,
        FetchError::Proxy(failure) => AppError::Proxy(failure),
        why => RelaySourceError::Fetch {
            host: source.host().to_owned(),
            why,
        }
        .into(),
    })
}

/// Sorts the reason why a relay list could not be fetched into a kind that people are told in words.
const fn problem_kind(why: &FetchError) -> ListProblemKind {
    match why {
        FetchError::Nodes(_)
        | FetchError::Redirected
        | FetchError::Status(_)
        | FetchError::TooLarge => ListProblemKind::NoList,
        FetchError::Broken
        | FetchError::Cancelled
        | FetchError::Proxy(_)
        | FetchError::TimedOut
        | FetchError::Unreachable => ListProblemKind::NoAnswer,
    }
}

/// What came of asking for a list, for who saw what.
const fn outcome<T>(fetched: &Result<T, FetchError>) -> ShownOutcome {
    match fetched {
        Ok(_) => ShownOutcome::Answered(200),
        Err(FetchError::Cancelled) => ShownOutcome::Sent,
        Err(FetchError::Proxy(_)) => ShownOutcome::NoProxy,
        Err(FetchError::Status(code)) => ShownOutcome::Answered(*code),
        Err(_) => ShownOutcome::NoList,
    }
}

/// The relays for what a pointer names, or its offer when they do not reach its server.
///
/// # Errors
/// `relays`' own, and [`AppError::RelaysOffered`].
pub(crate) fn or_offer(
    relays: Result<Option<RelaySet>, AppError>,
    pointer: &Pointer,
) -> Result<Option<RelaySet>, AppError> {
    match (relays, RelayOffer::of(pointer)) {
        (Ok(Some(set)), Some(offer)) if !set.serves(pointer.server.url.host()) => {
            Err(AppError::RelaysOffered(Box::new(offer)))
        }
        (Ok(set), _) => Ok(set),
        (Err(error), _) => Err(with_offer(error, pointer)),
    }
}

/// Tells a recipient without relays what the pointer offers. A pointer that names relays is of no built-in network.
#[must_use]
pub(crate) fn with_offer(error: AppError, pointer: &Pointer) -> AppError {
    match (error, RelayOffer::of(pointer)) {
        (
            AppError::ForeignBuiltIn
            | AppError::NoRelays
            | AppError::RelaySource(RelaySourceError::Ended | RelaySourceError::NotHere),
            Some(offer),
        ) => AppError::RelaysOffered(Box::new(offer)),
        (error, _) => error,
    }
}

const DAY_SECS: u64 = 24 * 3_600;
