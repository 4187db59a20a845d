//! The network that a file server keeps: relays join it, are looked at hourly, and stand in a list that the server signs.
//!
//! What is decided, [`crate::protocol::network`] decides; this room acts on it.
//!
//! * `keep`: the register, in the folder of the store or in a bucket, where several servers keep it together. A list is handed
//!   out only after it was kept there.
//! * `probe`: requests through relays, which prove them and look whether they answer.
//! * [`command`]: what the operator asks of it.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub mod command;
mod keep;
mod probe;

use keep::RegisterKeeper;
pub use keep::{KeepError, OpenNetworkError};
use probe::Prober;

use crate::protocol::address::ServerAddress;
use crate::protocol::capability::{AccessWord, JoinWord};
use crate::protocol::file_api::{FileAnswer, SignedList, refusal};
use crate::protocol::keys::Identity;
use crate::protocol::network::{
    Admitted, Issue, JoinAnswer, JoinRefused, JoinRule, JoinStep, ListSigner, NetworkRules,
    NoInvitation, PendingProof, ProofOutcome, RegisterSeal, RelayRegister, RelayRequest,
    RoundOutcome, SignedAnnouncement, address_response,
};
use crate::protocol::onion::v4::{RequestHead, Response};
use crate::protocol::relay_list::{ListRefused, RelayDescriptor};
use crate::server::relay_mirror::RelayMirror;
use crate::server::store::BlobStore;
use crate::server::store::location::StoreLocation;
use crate::wire::admission::{Admission, Caller};
use crate::wire::clock::{self, Clock};
use crate::wire::random;

/// The network that a server keeps, as its operator wants it.
pub struct NetworkConfig {
    /// The network's name, 1 to 40 bytes.
    pub name: String,
    /// Whether a relay that joins is listed at once.
    pub joining: JoinRule,
    /// Whether relays with addresses that are not on the public internet may join.
    pub allow_private: bool,
    /// Who signs the list. One that is signed elsewhere is the file that the settings name.
    pub signer: ListSigner,
}

/// The network of a running server.
pub(crate) struct RelayNetwork {
    server: ServerAddress,
    register: Mutex<RelayRegister>,
    /// The register has changed since it was last looked at to be kept.
    has_changed: AtomicBool,
    keeper: tokio::sync::Mutex<RegisterKeeper>,
    handed_out: RwLock<Option<HandedOut>>,
    /// The list that is signed elsewhere.
    mirror: Option<Arc<RelayMirror>>,
    /// The list of that file that was taken or refused last.
    offered: Mutex<Option<SignedList>>,
    prober: Prober,
    /// Changes after everything that may have changed the register or the list.
    settled: watch::Sender<()>,
    failed: Mutex<VecDeque<FailedProof>>,
    clock: Clock,
    admission: Admission,
}

/// A list that was signed and kept, and so may be handed out.
struct HandedOut {
    signed: SignedList,
    expires: u64,
}

/// A relay that did not join because its proof failed.
#[derive(Clone)]
pub(crate) struct FailedProof {
    pub(crate) relay: RelayDescriptor,
    pub(crate) why: String,
    /// Unix seconds.
    pub(crate) at: u64,
}

/// What a network needs of its server.
pub(crate) struct NetworkServer<'a> {
    pub(crate) address: &'a ServerAddress,
    pub(crate) access_word: Option<&'a AccessWord>,
    /// The server's identity.
    pub(crate) identity: &'a Identity,
    pub(crate) location: &'a StoreLocation,
    pub(crate) store: &'a Arc<BlobStore>,
    /// How long one question to the store may take.
    pub(crate) store_timeout: Duration,
    /// Where the register of a network is that was kept in a folder before it moved to a bucket, if there is one.
    pub(crate) moved_register: PathBuf,
    pub(crate) clock: &'a Clock,
    pub(crate) admission: &'a Admission,
    /// Whether the operator says that the clock is right.
    pub(crate) accept_clock: bool,
    /// The file with the list that is signed elsewhere.
    pub(crate) relay_list: Option<PathBuf>,
}

/// Number of relays of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayCounts {
    /// Relays in the list that answered when they were last looked at.
    pub answering: usize,
    /// Relays in the list.
    pub listed: usize,
}

impl RelayNetwork {
    /// Opens the network that the server keeps, or begins one.
    ///
    /// # Errors
    /// [`OpenNetworkError`].
    pub(crate) async fn open(
        config: NetworkConfig,
        server: NetworkServer<'_>,
    ) -> Result<Arc<Self>, OpenNetworkError> {
        let rules = NetworkRules {
            server: server.address.clone(),
            signer: config.signer,
            name: config.name,
            access_word: server.access_word.cloned(),
            joining: config.joining,
            allow_private: config.allow_private,
        };
        let now = (server.clock)();
        let (keeper, mut register) = match server.location.folder() {
            Some(folder) => RegisterKeeper::in_folder(folder, rules, now).await?,
            None => {
                let store = Arc::clone(server.store);
                let seal = RegisterSeal::of(server.identity);
                let (patience, moved) = (server.store_timeout, &server.moved_register);
                RegisterKeeper::in_bucket(store, seal, rules, patience, moved, now).await?
            }
        };
        if server.accept_clock {
            register.accept_clock(now);
        }
        let network = Self {
            server: server.address.clone(),
            register: Mutex::new(register),
            has_changed: AtomicBool::new(true),
            keeper: tokio::sync::Mutex::new(keeper),
            handed_out: RwLock::new(None),
            mirror: server.relay_list.map(RelayMirror::new).map(Arc::new),
            offered: Mutex::default(),
            prober: Prober::new(server.address.clone()),
            settled: watch::Sender::new(()),
            failed: Mutex::default(),
            clock: Arc::clone(server.clock),
            admission: server.admission.clone(),
        };
        network.take_list().await;
        network.settle().await.map_err(OpenNetworkError::Write)?;
        Ok(Arc::new(network))
    }

    /// Answers a request of a relay.
    pub(crate) async fn answer(
        &self,
        caller: &Caller,
        head: &RequestHead,
        body: Vec<u8>,
    ) -> Response {
        match RelayRequest::parse(head, body) {
            Ok(RelayRequest::Address) => address_response(caller.ip().to_canonical()),
            Ok(RelayRequest::Join { word, body }) => {
                match self.join(word.as_ref(), &body, caller.address()).await {
                    Ok(answer) => answer.to_response(),
                    Err(code) => FileAnswer::Refused(code).into_response().0,
                }
            }
            Err(error) => FileAnswer::Refused(refusal(error)).into_response().0,
        }
    }

    /// Takes the announcement of a relay, and proves it where that is needed.
    ///
    /// # Errors
    /// An HTTP status: 400 for what is no announcement, 500 when it could not be kept.
    async fn join(
        &self,
        word: Option<&JoinWord>,
        body: &[u8],
        source: IpAddr,
    ) -> Result<JoinAnswer, u16> {
        let announcement = SignedAnnouncement::parse(body)
            .and_then(|signed| signed.verify(&self.server.key))
            .map_err(|_why| 400_u16)?;
        let now = (self.clock)();
        let step = self
            .register
            .lock()
            .on_announcement(announcement, word, source, now);
        let admitted = match step {
            Ok(JoinStep::Known(admitted)) => {
                self.has_changed.store(true, Ordering::SeqCst);
                Ok(admitted)
            }
            Ok(JoinStep::Prove(proof)) => self.prove(proof).await,
            Err(why) => Err(why),
        };
        match admitted {
            Ok(admitted) => match self.settle().await {
                Ok(()) => Ok(JoinAnswer::Admitted(admitted)),
                Err(_unwritable) => Err(500),
            },
            Err(why) => Ok(JoinAnswer::Refused(why)),
        }
    }

    async fn prove(&self, proof: PendingProof) -> Result<Admitted, JoinRefused> {
        let outcome = match self.prober.prove(&proof).await {
            Ok(()) => ProofOutcome::Passed,
            Err(why) => {
                tracing::warn!("a relay that wants to join was not proved: {why}");
                self.note_failure(FailedProof {
                    relay: proof.relay(),
                    why: why.to_string(),
                    at: (self.clock)(),
                });
                ProofOutcome::Failed
            }
        };
        let now = (self.clock)();
        self.change(|register| register.on_proof(proof, outcome, now))
    }

    /// Changes the register, which is kept with the next [`Self::settle`].
    fn change<T>(&self, change: impl FnOnce(&mut RelayRegister) -> T) -> T {
        let mut register = self.register.lock();
        self.has_changed.store(true, Ordering::SeqCst);
        change(&mut register)
    }

    fn note_failure(&self, failure: FailedProof) {
        let mut failed = self.failed.lock();
        failed.retain(|earlier| earlier.relay.key != failure.relay.key);
        if failed.len() >= MAX_FAILED {
            failed.pop_front();
        }
        failed.push_back(failure);
    }

    /// Whether an upload with this word is taken.
    pub(crate) fn lets_upload(&self, word: Option<&AccessWord>) -> bool {
        let now = (self.clock)();
        self.register.lock().lets_upload(word, now)
    }

    /// The answer to `GET /relays` at `now` (unix seconds); `None` while there is no list that anybody could use.
    pub(crate) fn list(&self, now: u64) -> Option<SignedList> {
        let handed_out = self.handed_out.read();
        let list = handed_out.as_ref().filter(|list| now < list.expires)?;
        Some(list.signed.clone())
    }

    /// Number of relays in the list, and of those that answered when they were last looked at.
    pub(crate) fn counts(&self) -> RelayCounts {
        let register = self.register.lock();
        RelayCounts {
            answering: register.answering(),
            listed: register.listed_count(),
        }
    }

    /// Looks at the relays hourly and signs what is due, until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.keep_up() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(clock::STEP) => {}
            }
        }
    }

    /// Does what is due now.
    async fn keep_up(&self) {
        let now = (self.clock)();
        self.take_list().await;
        let round = self.register.lock().begin_round(now, &mut random::system());
        let Some(round) = round else {
            self.settle().await.ok();
            return;
        };
        let mut answered = BTreeSet::new();
        for looks in round.looks().chunks(LOOKS_AT_ONCE) {
            let asked = looks.iter().map(|look| self.prober.answers(look));
            let answers = futures_util::future::join_all(asked).await;
            let looked = looks.iter().zip(answers);
            answered.extend(looked.filter_map(|(look, answers)| answers.then_some(look.relay.key)));
        }
        let outcome = self.change(|register| register.finish_round(&round, &answered, now));
        if outcome == RoundOutcome::ServerCutOff {
            tracing::warn!(
                "no relay of the network answers this server; that is held against none of them"
            );
        }
        self.settle().await.ok();
    }

    /// Takes the list that is signed elsewhere, when its file has another one than before.
    async fn take_list(&self) {
        let Some(mirror) = &self.mirror else {
            return;
        };
        let now = (self.clock)();
        let Some(list) = RelayMirror::current(Arc::clone(mirror), now).await else {
            return;
        };
        if self.offered.lock().as_ref() == Some(&list) {
            return;
        }
        let taken = self.change(|register| register.take_list(&list, now));
        if let Err(why) = taken {
            tracing::warn!("the relay list of the network is not handed out: {why}");
            // One that is dated ahead is good later.
            if why == ListRefused::NotYet {
                return;
            }
        }
        *self.offered.lock() = Some(list);
    }

    /// Takes over what other servers of the network decided, signs a new list if one is due, keeps the register if it has changed,
    /// and hands the list out.
    ///
    /// # Errors
    /// [`KeepError`]: it could not be kept, and the list that is handed out is the one before.
    async fn settle(&self) -> Result<(), KeepError> {
        let mut keeper = self.keeper.lock().await;
        let others = keeper.read_others().await?;
        let now = (self.clock)();
        let (form, list, hosts) = {
            let mut register = self.register.lock();
            for other in others {
                register.merge(other);
            }
            let issue = register.issue(now);
            keeper.note(issue == Issue::ClockBehind);
            let is_handed_out = self.handed_out.read().is_some();
            let ended = matches!(issue, Issue::TooFew { .. }) && is_handed_out;
            let changed = self.has_changed.swap(false, Ordering::SeqCst);
            let form = keeper.form(&register, changed || issue == Issue::New || ended);
            let list = register.signed_list(now).cloned();
            let parsed = register.relay_list(now);
            let hosts = parsed.map_or_else(Vec::new, |list| {
                list.relays.iter().map(|relay| relay.host).collect()
            });
            (form, list.zip(parsed.map(|list| list.expires)), hosts)
        };
        if let Some(form) = form {
            keeper.keep(form).await?;
        }
        let may_hand_out = list
            .as_ref()
            .is_none_or(|(signed, _)| keeper.may_hand_out(signed));
        if may_hand_out {
            *self.handed_out.write() = list.map(|(signed, expires)| HandedOut { signed, expires });
        }
        self.admission.set_listed(hosts);
        self.settled.send_replace(());
        Ok(())
    }

    /// Whether people can use the network: a request went over three relays of the list that is handed out, and came back.
    ///
    /// # Errors
    /// [`NoInvitation`].
    async fn try_paths(&self) -> Result<(), NoInvitation> {
        for _ in 0..PATHS_TRIED {
            let path = {
                let register = self.register.lock();
                register.draw_path((self.clock)(), &mut random::system())?
            };
            if self.prober.comes_back(&path).await {
                return Ok(());
            }
        }
        Err(NoInvitation::NothingCameBack)
    }
}

/// The most failed proofs that the operator is shown.
const MAX_FAILED: usize = 16;
const LOOKS_AT_ONCE: usize = 16;
/// How many paths are drawn until a request over one comes back.
const PATHS_TRIED: usize = 3;
