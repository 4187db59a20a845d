//! What one running program remembers between transfers: its guard, what servers said of themselves, the built-in
//! network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::network::{Network, Route, Stage, Tell};
use crate::app::error::{AppError, ServerRefusal};
pub use crate::app::kept::remembered::NewGuardsError;
use crate::app::kept::remembered::{Batch, KeptInfo, KeptPath, Remembered};
use crate::app::operate::builtin::BuiltIn;
use crate::app::relays::set::{RelaySet, RelaySource};
use crate::app::settings::config::{Home, UnreadSettings};
use crate::app::words::who_saw_what::{self, Asked, RequestShown};
use crate::disk::kept::UnreadFile;
use crate::net::{self, DriveError, HttpTransport, Progress, SocksProxy};
use crate::protocol::address::ServerAddress;
use crate::protocol::disclosure::ShownOutcome;
use crate::protocol::file_api::{self, AnswerError, FileRequest, ServerInfo};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::onion::v4::Response;
use crate::protocol::path::{Allowance, Hops, MemoryKeeper, RelayStanding};
use crate::protocol::relay_list::RelayList;
use crate::protocol::transfer::{RequestMachine, TransferRoute};
use crate::wire::clock::{self, Clock};
use crate::wire::random;

/// One running program.
pub struct Session {
    home: Home,
    clock: Clock,
    builtin: tokio::sync::Mutex<Weak<BuiltIn>>,
    /// Holds the built-in network up for as long as the program runs, when it should.
    held: Mutex<Option<Arc<BuiltIn>>>,
    remembered: Remembered,
    way_out: Mutex<Result<Option<SocksProxy>, UnreadSettings>>,
    short_lists: Mutex<Vec<RelaySource>>,
}

impl Session {
    /// A session whose settings and data are in `home`.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            remembered: Remembered::new(home.data_dir.join("network.json")),
            home,
            clock: clock::system(),
            builtin: tokio::sync::Mutex::new(Weak::new()),
            held: Mutex::new(None),
            way_out: Mutex::new(Ok(None)),
            short_lists: Mutex::default(),
        }
    }

    /// Goes out through `proxy` from now on, or straight; what is under way is not touched. The built-in network is on
    /// this computer and is never reached through it.
    pub fn set_proxy(&self, proxy: Option<SocksProxy>) {
        *self.way_out() = Ok(proxy);
    }

    /// Sends nothing from now on, not even to the built-in network: what the settings say of the way out is unknown.
    pub fn forbid_sending(&self, unread: UnreadSettings) {
        *self.way_out() = Err(unread);
    }

    /// The proxy that connections to other computers go through.
    ///
    /// # Errors
    /// [`UnreadSettings`] after [`Session::forbid_sending`].
    pub fn proxy(&self) -> Result<Option<SocksProxy>, UnreadSettings> {
        self.way_out().clone()
    }

    fn way_out(&self) -> MutexGuard<'_, Result<Option<SocksProxy>, UnreadSettings>> {
        self.way_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the rules of paths yield on these lists from now on, where a list is too short for them.
    pub fn allow_short(&self, lists: Vec<RelaySource>) {
        *self
            .short_lists
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lists;
    }

    /// Which rules of paths may yield on a list from there: all of them in the built-in network and among relays of this
    /// computer alone, where it is a rehearsal, and where the person said so; else none.
    #[must_use]
    pub fn allowance(&self, source: &RelaySource, list: &RelayList) -> Allowance {
        let allowed = self
            .short_lists
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(source);
        if allowed || is_rehearsal(source, list) {
            Allowance::ALL
        } else {
            Allowance::NONE
        }
    }

    /// Where settings and data are.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// The clock that it goes by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// The present time, in unix seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// The built-in network, started when no process of this person runs it.
    ///
    /// # Errors
    /// [`AppError::BuiltIn`].
    pub async fn builtin_network(&self) -> Result<Network, AppError> {
        let mut known = self.builtin.lock().await;
        let running = match known.upgrade().filter(|running| running.is_alive()) {
            Some(running) => running,
            None => {
                let running = Arc::new(BuiltIn::start_or_join(&self.home.builtin_dir()).await?);
                *known = Arc::downgrade(&running);
                running
            }
        };
        drop(known);
        Ok(Network::built_in(
            running.server().clone(),
            running.relays().clone(),
            running,
        ))
    }

    /// Keeps the built-in network running until [`Session::close`], once a transfer needed it.
    pub fn hold_builtin(&self, network: &Network) {
        if let Some(running) = network.running() {
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        }
    }

    /// Ends the built-in network, if this process runs it: what runs is finished first.
    pub async fn close(&self) {
        let held = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(running) = held.and_then(Arc::into_inner) {
            running.stop().await;
        }
    }

    /// The way to `server`. `relays` is the person's own list, `direct` their word that this server may see their
    /// address.
    ///
    /// # Errors
    /// [`AppError::ForeignBuiltIn`], [`AppError::NoRelays`], [`AppError::BuiltIn`].
    pub async fn network_to(
        &self,
        server: &ServerAddress,
        relays: Option<RelaySet>,
        direct: bool,
    ) -> Result<Network, AppError> {
        match self.kind_of(server, relays.is_some() || direct) {
            ServerKind::Own => {
                let network = self.builtin_network().await?;
                Ok(if direct {
                    network.without_relays()
                } else {
                    network
                })
            }
            ServerKind::ForeignBuiltIn => Err(AppError::ForeignBuiltIn),
            ServerKind::Other if direct => Ok(Network::new(server.clone(), Route::Direct)),
            ServerKind::Other => {
                let relays = relays.ok_or(AppError::NoRelays)?;
                Ok(Network::new(server.clone(), Route::Relays(relays)))
            }
        }
    }

    /// The way to a server that the person named or keeps in their settings: on loopback or not, it is no stranger's
    /// built-in network.
    ///
    /// # Errors
    /// [`AppError::NoRelays`], [`AppError::BuiltIn`].
    pub async fn network_to_known(
        &self,
        server: &ServerAddress,
        relays: Option<RelaySet>,
        direct: bool,
    ) -> Result<Network, AppError> {
        match self.network_to(server, relays, direct).await {
            Err(AppError::ForeignBuiltIn) => Err(AppError::NoRelays),
            other => other,
        }
    }

    /// What a server is to this person; `has_way` when they chose relays or going straight there.
    #[must_use]
    pub fn kind_of(&self, server: &ServerAddress, has_way: bool) -> ServerKind {
        if BuiltIn::key_in(&self.home.builtin_dir()).is_some_and(|key| key == server.key) {
            ServerKind::Own
        } else if server.url.is_loopback() && !has_way {
            ServerKind::ForeignBuiltIn
        } else {
            ServerKind::Other
        }
    }

    /// What the server says of itself: asked at most once a day. `None` for a server that has no `GET /info`.
    ///
    /// # Errors
    /// [`AppError::Transfer`] and [`AppError::Cancelled`].
    pub async fn server_info(
        &self,
        network: &Network,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Option<ServerInfo>, AppError> {
        match self.fresh_info(network) {
            Some(kept) => Ok(kept.info),
            None => Ok(self.ask_info_anew(network, shown, cancel).await?.info),
        }
    }

    /// Returns the server's `/info` for an upload. A server that asks for work or an access word is asked anew, unless it
    /// was within ten minutes: by asking different people for different things it could tell their uploads apart.
    ///
    /// # Errors
    /// [`ServerRefusal::AsksDifferently`] when it says something else than before; [`AppError::Transfer`] and
    /// [`AppError::Cancelled`].
    pub async fn info_for_upload(
        &self,
        network: &Network,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Option<ServerInfo>, AppError> {
        let info = self.server_info(network, shown, cancel).await?;
        if !info.as_ref().is_some_and(ServerInfo::asks_something) {
            return Ok(info);
        }
        let confirmed = self.fresh_info(network).and_then(|kept| kept.confirmed);
        if confirmed.is_some_and(|at| is_younger(at, self.now(), CONFIRMED_SECS)) {
            return Ok(info);
        }
        let anew = self.ask_info_anew(network, shown, cancel).await?;
        if anew.agrees {
            Ok(anew.info)
        } else {
            Err(ServerRefusal::AsksDifferently.into())
        }
    }

    /// Returns the server's `/info` if it was asked within the last day.
    fn fresh_info(&self, network: &Network) -> Option<KeptInfo> {
        let kept = self.remembered.server(&network.server().key.to_hex())?;
        is_younger(kept.asked, self.now(), INFO_SECS).then_some(kept)
    }

    /// Asks the server what it says of itself, over another last relay than the last time where there is one, else over
    /// another middle, and in any case under fresh keys.
    pub(crate) async fn ask_info_anew(
        &self,
        network: &Network,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<InfoAnew, AppError> {
        let before = self.fresh_info(network);
        let unlike = before
            .as_ref()
            .and_then(|kept| kept.over.as_ref()?.to_hops());
        let request = &FileRequest::ServerInfo;
        let nobody = &Tell::nobody();
        let response = self
            .run_unlike(unlike, network, request, 0, nobody, shown, cancel)
            .await?;
        let info = match file_api::read_server_info(&response) {
            Ok(info) => Some(info),
            // Session's file server does not have the path.
            Err(AnswerError::Status(404)) => None,
            Err(AnswerError::Status(code)) => return Err(ServerRefusal::Status(code).into()),
            Err(AnswerError::OtherBytes | AnswerError::Unreadable) => {
                return Err(ServerRefusal::Nonsense.into());
            }
        };
        let now = self.now();
        let agrees = before.is_some_and(|before| match (&before.info, &info) {
            (None, None) => true,
            (Some(first), Some(second)) => {
                first.agrees_with(second, now.saturating_sub(before.asked))
            }
            _ => false,
        });
        let attempt = shown.last().and_then(|request| request.attempts.last());
        let path = attempt.and_then(|attempt| attempt.path.as_ref());
        let kept = KeptInfo {
            asked: now,
            info: info.clone(),
            over: path.map(|path| KeptPath::of(&path.hops())),
            confirmed: agrees.then_some(now),
        };
        self.remembered
            .keep_server(network.server().key.to_hex(), kept, INFO_SECS);
        Ok(InfoAnew { info, agrees })
    }

    /// What the server with this key said of itself, if that is remembered, however old it is; asks nobody.
    #[must_use]
    pub fn remembered_info(&self, server: &Ed25519Public) -> Option<ServerInfo> {
        self.remembered.server(&server.to_hex())?.info
    }

    /// The key of the built-in network's server, once there is one.
    #[must_use]
    pub fn builtin_key(&self) -> Option<Ed25519Public> {
        BuiltIn::key_in(&self.home.builtin_dir())
    }

    /// How the relays of a list stand with this person's programs, in the list's order. `source` names where the list
    /// is from.
    ///
    /// # Errors
    /// [`UnreadFile`].
    pub fn relay_standing(
        &self,
        source: &str,
        list: &RelayList,
    ) -> Result<Vec<RelayStanding>, UnreadFile> {
        let memory = self.remembered.look(source)?;
        Ok(memory.standing(list, self.now()))
    }

    /// The memory of the relays of one list, as the disk has it. `source` names where the list is from.
    ///
    /// # Errors
    /// [`UnreadFile`]: nothing may be sent over these relays then, since others would become first relays.
    pub fn relay_memory(&self, source: &str) -> Result<impl MemoryKeeper + use<'_>, UnreadFile> {
        self.remembered.keeper(source)
    }

    /// Holds back what the requests of one transfer teach about relays and servers, so that it is kept once, when the
    /// returned value is dropped. Guards are kept before they are used all the same.
    pub(in crate::app) fn remember_at_the_end(&self) -> Batch<'_> {
        self.remembered.batch()
    }

    /// Lets the guards in use go; new ones are drawn with the next request.
    ///
    /// # Errors
    /// [`NewGuardsError`].
    pub fn new_guards(&self, source: &RelaySource, list: &RelayList) -> Result<(), NewGuardsError> {
        let allow = self.allowance(source, list);
        self.remembered
            .forget_guards(&source.id(), list, allow, self.now())
    }

    /// Runs one request to its end. When the process that ran the built-in network ended meanwhile, this one takes
    /// over: ports and keys are the same.
    ///
    /// # Errors
    /// [`AppError::RelayMemory`], [`AppError::Transfer`] and [`AppError::Cancelled`].
    pub async fn run(
        &self,
        network: &Network,
        request: &FileRequest,
        expected_answer_len: usize,
        tell: &Tell,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Response, AppError> {
        self.run_unlike(
            None,
            network,
            request,
            expected_answer_len,
            tell,
            shown,
            cancel,
        )
        .await
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "those of `run`, and the path that this one is to differ from"
    )]
    async fn run_unlike(
        &self,
        unlike: Option<Hops>,
        network: &Network,
        request: &FileRequest,
        expected_answer_len: usize,
        tell: &Tell,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Response, AppError> {
        let first = self
            .run_once(
                unlike,
                network,
                request,
                expected_answer_len,
                tell,
                shown,
                cancel,
            )
            .await;
        if network.running().is_none_or(|running| running.is_alive())
            || !matches!(first, Err(AppError::Transfer(_)))
        {
            return first;
        }
        let taken_over = self.builtin_network().await?;
        self.run_once(
            unlike,
            &taken_over,
            request,
            expected_answer_len,
            tell,
            shown,
            cancel,
        )
        .await
    }

    #[expect(clippy::too_many_arguments, reason = "those of `run_unlike`")]
    async fn run_once(
        &self,
        unlike: Option<Hops>,
        network: &Network,
        request: &FileRequest,
        expected_answer_len: usize,
        tell: &Tell,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Response, AppError> {
        let rng = &mut random::system();
        let relays = match network.way() {
            Route::Direct => None,
            Route::Relays(set) => {
                let memory = self
                    .relay_memory(&set.source.id())
                    .map_err(AppError::RelayMemory)?;
                Some((set, memory, self.allowance(&set.source, &set.list)))
            }
        };
        let way = match &relays {
            None => TransferRoute::Direct,
            Some((RelaySet { list, kind, .. }, memory, allow)) => TransferRoute::Relays {
                list,
                kind: *kind,
                memory,
                allow: *allow,
            },
        };
        let transfer =
            RequestMachine::new(request, network.server(), way, expected_answer_len).unlike(unlike);
        let (moves, paths) = (tell.clone(), tell.clone());
        let progress = Progress::new(move |moved| moves.stage(Stage::Moved(moved)))
            .with_paths(move |path| paths.path(path));
        let proxy = self.proxy()?.filter(|_| !network.is_builtin());
        let driven = net::drive(
            transfer,
            &network.server().url,
            &HttpTransport::through(proxy.clone()),
            &progress,
            cancel,
            &self.clock,
            rng,
        )
        .await;
        let mut attempts = driven.shown;
        for attempt in &mut attempts {
            attempt.proxy = proxy.as_ref().map(who_saw_what::proxy_name);
        }
        if let (Err(DriveError::Proxy(_)), Some(last)) = (&driven.result, attempts.last_mut()) {
            last.outcome = ShownOutcome::NoProxy;
        }
        shown.push(RequestShown {
            asked: Asked::of(request),
            attempts,
        });
        driven.result.map_err(|error| {
            debug!("a request ended without an answer");
            error.into()
        })
    }
}

/// The `/info` that a server just gave.
pub(crate) struct InfoAnew {
    /// `None` for a server that has no `GET /info`.
    pub(crate) info: Option<ServerInfo>,
    /// Whether it had said the same within the last day.
    pub(crate) agrees: bool,
}

fn is_younger(at: u64, now: u64, secs: u64) -> bool {
    now.checked_sub(at).is_some_and(|age| age < secs)
}

/// Whether a list is of this computer's relays alone, so that there is nobody to hide from.
#[must_use]
pub fn is_rehearsal(source: &RelaySource, list: &RelayList) -> bool {
    *source == RelaySource::BuiltIn || list.relays.iter().all(|relay| relay.host.is_loopback())
}

/// What a server is to this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// The one of their built-in network.
    Own,
    /// One on loopback that is not theirs, and no way to it was chosen.
    ForeignBuiltIn,
    /// Any other.
    Other,
}

const INFO_SECS: u64 = 24 * 3_600;
/// How long it need not be asked again that a server says the same to everybody.
const CONFIRMED_SECS: u64 = 10 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{RelayDescriptor, Serves};

    #[test]
    fn rules_yield_on_this_computer_and_where_the_person_said_so() {
        let session = Session::new(Home::in_folder("/nowhere"));
        let list = |host: [u8; 4]| RelayList {
            name: String::new(),
            issued: 0,
            expires: 1,
            relays: vec![RelayDescriptor {
                key: Identity::from_seed([1; 32]).public(),
                host: host.into(),
                port: 22_021,
                operator: String::new(),
                serves: Serves::Any,
            }],
        };
        let (here, there) = (list([127, 0, 0, 1]), list([192, 0, 2, 1]));
        let [mine, other] =
            ["/lists/a.json", "/lists/b.json"].map(|path| RelaySource::File(path.into()));
        assert_eq!(session.allowance(&mine, &here), Allowance::ALL);
        assert_eq!(session.allowance(&mine, &there), Allowance::NONE);
        assert_eq!(
            session.allowance(&RelaySource::BuiltIn, &there),
            Allowance::ALL
        );
        session.allow_short(vec![mine.clone()]);
        assert_eq!(session.allowance(&mine, &there), Allowance::ALL);
        for source in [other, RelaySource::Session] {
            assert_eq!(session.allowance(&source, &there), Allowance::NONE);
        }
        session.allow_short(Vec::new());
        assert_eq!(session.allowance(&mine, &there), Allowance::NONE);
    }
}
