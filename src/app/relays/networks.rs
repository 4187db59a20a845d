//! The relay lists of networks that this person joined. The server of a network hands its list on over the network's own
//! relays, so nobody else learns that it is asked for.
//!
//! A list is asked for again with a transfer, when a third of its life is left. After it has ended it still serves for one
//! thing, fetching the newer one, for half a year; after that, or where none of its relays answers, the relays of the
//! invitation do. A newer list that lacks more than half of the relays waits until the person has looked at it.
//!
//! The lists are in `network-lists.json`. One stays there when its network is left: what was shared is managed over it.

use serde::{Deserialize, Serialize};
use tracing::debug;

use super::problem::{ListProblem, ListProblemKind};
use super::set::{NetworkId, RelaySet, RelaySource, RelaySourceError};
use super::store::ListRecord;
use super::{ListState, Relays, SourceView};
use crate::app::error::{AppError, CannotInvite, ServerRefusal};
use crate::app::settings::{Home, ServerEntry};
use crate::app::transfer::call::{Call, CallContext};
use crate::app::transfer::program::Program;
use crate::app::transfer::routed_server::{Route, RoutedServer};
use crate::disk::kept::{JsonRecord, Kept, UnreadFile};
use crate::protocol::address::ServerAddress;
use crate::protocol::file_api::{self, FileRequest, SignedList};
use crate::protocol::invitation::{Invitation, InvitedRelay};
use crate::protocol::network::MemberInvite;
use crate::protocol::relay_list::{
    HeldList, ListSource, NetworkKind, OfferOutcome, Refresh, RelayDescriptor, RelayList,
};
use crate::protocol::size_class::SizeClass;
use crate::wire::random;

/// Content of `network-lists.json`.
#[derive(Serialize, Deserialize)]
pub(in crate::app) struct KeptNetworks {
    version: u32,
    #[serde(default)]
    networks: Vec<KeptNetwork>,
}

/// A network that was joined, as the file holds it.
#[derive(Serialize, Deserialize)]
pub(in crate::app) struct KeptNetwork {
    /// Its [`NetworkId`].
    id: String,
    /// Address of its server.
    server: String,
    /// The relays of its invitation, each as the entry of a list.
    first_relays: Vec<String>,
    #[serde(flatten)]
    record: ListRecord,
    /// A newer list that waits for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingList>,
}

#[derive(Serialize, Deserialize)]
struct WaitingList {
    list: String,
    signature: String,
}

impl Default for KeptNetworks {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            networks: Vec::new(),
        }
    }
}

impl JsonRecord for KeptNetworks {
    const VERSION: u32 = 1;
}

/// Name of the file in the data folder.
pub(in crate::app) const FILE_NAME: &str = "network-lists.json";

pub(in crate::app) fn file_of(home: &Home) -> Kept<KeptNetworks> {
    Kept::in_file(home.data_dir.join(FILE_NAME))
}

impl KeptNetworks {
    fn find(&self, id: &NetworkId) -> Option<&KeptNetwork> {
        let id = id.to_string();
        self.networks.iter().find(|network| network.id == id)
    }

    fn find_mut(&mut self, id: &NetworkId) -> Option<&mut KeptNetwork> {
        let id = id.to_string();
        self.networks.iter_mut().find(|network| network.id == id)
    }
}

impl KeptNetwork {
    fn held(&self, id: &NetworkId) -> HeldList {
        self.record.held(&id.list)
    }

    /// Takes a list that its server handed on, or the reason why there is none.
    fn take(&mut self, id: &NetworkId, signed: Result<SignedList, ListProblem>, now: u64) {
        self.record.asked = now;
        let taken = signed.and_then(|signed| {
            let before = self.held(id);
            let mut held = before.clone();
            let outcome = held
                .offer(signed.list.as_bytes(), Some(&signed.signature), now)
                .map_err(|refused| ListProblem::new(ListProblemKind::Refused, &refused))?;
            let (gone, count) = held.last().map_or((0, 0), |newer| before.lacking(newer));
            if outcome == OfferOutcome::New && gone * 2 > count {
                self.waiting = Some(WaitingList {
                    list: signed.list,
                    signature: signed.signature,
                });
                let why = RelaySourceError::ManyGone {
                    before: count,
                    gone,
                };
                return Err(ListProblem::new(ListProblemKind::ManyGone, &why));
            }
            self.record.keep(&held, now);
            self.waiting = None;
            Ok(())
        });
        self.record.set_problem(taken.err());
    }

    /// The list that waits for the person, if it is still good at `now` (unix seconds).
    fn waiting(&self, id: &NetworkId, now: u64) -> Option<HeldList> {
        let waiting = self.waiting.as_ref()?;
        let mut held = self.held(id);
        let offered = held.offer(waiting.list.as_bytes(), Some(&waiting.signature), now);
        offered.is_ok().then_some(held)
    }

    /// The relays of the invitation as a list; `None` for fewer than three, which make no path.
    fn first_list(&self, now: u64) -> Option<RelayList> {
        let relays = self.first_relays.iter();
        let relays: Vec<_> = relays
            .filter_map(|entry| RelayDescriptor::parse(entry).ok())
            .collect();
        list_to_begin_with(relays, now)
    }

    /// The lists over which a newer one can be asked for, the best one first.
    fn ways_to_ask(&self, id: &NetworkId, now: u64) -> Vec<RelayList> {
        let held = self.held(id);
        let last = held
            .last()
            .filter(|list| now.saturating_sub(list.expires) < STILL_ASKS_SECS);
        last.cloned()
            .into_iter()
            .chain(self.first_list(now))
            .collect()
    }
}

/// The relays of an invitation as a list that lasts for this use; `None` for fewer than three.
fn list_to_begin_with(relays: Vec<RelayDescriptor>, now: u64) -> Option<RelayList> {
    RelayList::join("", now, now.saturating_add(DAY_SECS), relays).ok()
}

/// The address of a network's server and the relays to begin with, as they were before an invitation gave others; `None` of
/// a network that was not known.
pub(in crate::app) struct ReplacedRelays(Option<(String, Vec<String>)>);

/// The relay list of a network and its state, to be shown to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// The list and its state.
    pub source: SourceView,
    /// A newer list that waits for the person, since it lacks more than half of the relays.
    pub waiting: Option<RelayList>,
}

impl Relays {
    /// The relays of a network, which its server is asked for where none are here that are good.
    ///
    /// # Errors
    /// [`RelaySourceError`]; [`AppError::Transfer`] and others when the server is asked and gives no list.
    pub(super) async fn of_network(
        &self,
        program: &Program,
        id: &NetworkId,
        server: &ServerAddress,
        context: &CallContext,
    ) -> Result<RelaySet, AppError> {
        if let Some(set) = self.network_at_hand(id, program.now())? {
            return Ok(set);
        }
        let kept = self.networks.read().map_err(RelaySourceError::from)?;
        let ways = kept
            .as_ref()
            .and_then(|kept| kept.find(id))
            .map(|kept| kept.ways_to_ask(id, program.now()))
            .unwrap_or_default();
        let mut failed = AppError::from(RelaySourceError::NotHere);
        for list in ways {
            match self.ask_network(program, id, server, list, context).await {
                Ok(()) => break,
                Err(AppError::Cancelled) => return Err(AppError::Cancelled),
                Err(error) => failed = error,
            }
        }
        let now = program.now();
        if let Some(set) = self.network_at_hand(id, now)? {
            return Ok(set);
        }
        let kept = self.networks.read().map_err(RelaySourceError::from)?;
        let kept = kept.as_ref().and_then(|kept| kept.find(id));
        match kept.and_then(|kept| kept.waiting(id, now).map(|held| (kept, held))) {
            Some((kept, newer)) => {
                let newest = newer.last();
                let (gone, before) = newest.map_or((0, 0), |list| kept.held(id).lacking(list));
                Err(RelaySourceError::ManyGone { before, gone }.into())
            }
            None => Err(failed),
        }
    }

    /// The relays of a network, where its list is here and good at `now` (unix seconds).
    ///
    /// # Errors
    /// [`RelaySourceError::Unread`].
    pub(in crate::app) fn network_at_hand(
        &self,
        id: &NetworkId,
        now: u64,
    ) -> Result<Option<RelaySet>, RelaySourceError> {
        let kept = self.networks.read()?;
        let kept = kept.as_ref().and_then(|kept| kept.find(id));
        let list = kept.and_then(|kept| kept.held(id).usable(now).cloned());
        Ok(list.map(|list| RelaySet::of_network(*id, list)))
    }

    /// The network that this server belonged to, when it is no server of the settings any more.
    pub(super) fn network_left(&self, server: &ServerAddress) -> Option<NetworkId> {
        let kept = self.networks.read().ok()??;
        let address = server.to_string();
        let mut networks = kept.networks.iter();
        let left = networks.find(|network| network.server == address)?;
        left.id.parse().ok()
    }

    /// Whether it is time to ask the server of a network for a newer list.
    pub(super) fn network_refresh(&self, id: &NetworkId, now: u64) -> Refresh {
        // What cannot be read ends the transfer itself, where it is told.
        let kept = self.networks.read().ok().flatten();
        let kept = kept.as_ref().and_then(|kept| kept.find(id));
        kept.map_or(Refresh::NotYet, |kept| {
            kept.held(id).refresh_of_network(kept.record.asked, now)
        })
    }

    /// Asks the server of a network for its list, over the relays of `list`, and keeps what came.
    ///
    /// # Errors
    /// [`AppError::Transfer`] and others of a request, and [`RelaySourceError`] for what is no list or is refused.
    async fn ask_network(
        &self,
        program: &Program,
        id: &NetworkId,
        server: &ServerAddress,
        list: RelayList,
        context: &CallContext,
    ) -> Result<(), AppError> {
        let set = RelaySet::of_network(*id, list);
        let routed = RoutedServer::new(server.clone(), Route::Relays(set));
        let call = Call::new(program, routed, context);
        let signed = ask_for_list(&call).await?;
        self.take_checked(program, id, signed)
    }

    /// Keeps the list that the server of a network handed on, or the reason why there is none.
    pub(super) fn note_network(
        &self,
        id: &NetworkId,
        signed: Result<SignedList, ListProblem>,
        now: u64,
    ) {
        let noted = self.networks.change(|kept| {
            if let Some(kept) = kept.find_mut(id) {
                kept.take(id, signed, now);
            }
        });
        if noted.is_err() {
            debug!("what a server said of its network's list could not be kept");
        }
    }

    /// Keeps the relays of an invitation to a network whose server is at this address, with what is held of the network
    /// already. Returns what they replaced.
    ///
    /// # Errors
    /// [`RelaySourceError::Unread`] and [`RelaySourceError::Store`].
    pub(in crate::app) fn keep_first_relays(
        &self,
        id: &NetworkId,
        server: &ServerAddress,
        relays: &[InvitedRelay],
    ) -> Result<ReplacedRelays, RelaySourceError> {
        let host = server.url.host();
        let entries = relays.iter().map(|relay| relay.describe(host).to_json());
        let first_relays = entries.collect();
        let server = server.to_string();
        Ok(self.networks.change(|kept| {
            if let Some(known) = kept.find_mut(id) {
                let server = std::mem::replace(&mut known.server, server);
                let first_relays = std::mem::replace(&mut known.first_relays, first_relays);
                return ReplacedRelays(Some((server, first_relays)));
            }
            kept.networks.push(KeptNetwork {
                id: id.to_string(),
                server,
                first_relays,
                record: ListRecord::default(),
                waiting: None,
            });
            ReplacedRelays(None)
        })?)
    }

    /// Puts back what the relays of an invitation replaced, since the network was not joined by it.
    ///
    /// # Errors
    /// [`RelaySourceError::Unread`] and [`RelaySourceError::Store`].
    pub(in crate::app) fn put_back(
        &self,
        id: &NetworkId,
        replaced: ReplacedRelays,
    ) -> Result<(), RelaySourceError> {
        let Some((server, first_relays)) = replaced.0 else {
            return self.forget_network(id);
        };
        Ok(self.networks.change(|kept| {
            if let Some(known) = kept.find_mut(id) {
                (known.server, known.first_relays) = (server, first_relays);
            }
        })?)
    }

    /// Asks the server of a network for its list over the relays of its invitation, and keeps what came.
    ///
    /// # Errors
    /// [`RelaySourceError`]; [`AppError::Transfer`] and others of a request.
    pub(in crate::app) async fn ask_over_first(
        &self,
        program: &Program,
        id: &NetworkId,
        server: &ServerAddress,
        context: &CallContext,
    ) -> Result<(), AppError> {
        let set = self.first_relays(id, program.now())?;
        let set = set.ok_or(RelaySourceError::NotHere)?;
        self.ask_network(program, id, server, set.list, context)
            .await
    }

    /// The relays of a network's invitation; `None` for fewer than three.
    ///
    /// # Errors
    /// [`RelaySourceError::Unread`].
    pub(in crate::app) fn first_relays(
        &self,
        id: &NetworkId,
        now: u64,
    ) -> Result<Option<RelaySet>, RelaySourceError> {
        let kept = self.networks.read()?;
        let kept = kept.as_ref().and_then(|kept| kept.find(id));
        let list = kept.and_then(|kept| kept.first_list(now));
        Ok(list.map(|list| RelaySet::of_network(*id, list)))
    }

    /// Fetches the list of a network straight from a host that its invitation names, and keeps it. The host sees this
    /// computer's address, or the proxy's.
    ///
    /// # Errors
    /// [`RelaySourceError`], [`AppError::Proxy`] and [`AppError::Cancelled`].
    pub(in crate::app) async fn fetch_network(
        &self,
        program: &Program,
        id: &NetworkId,
        source: &ListSource,
        context: &CallContext,
    ) -> Result<(), AppError> {
        let fetched = super::fetch(program, source, context).await?;
        let signed = SignedList {
            list: String::from_utf8_lossy(&fetched.list).into_owned(),
            signature: fetched.signature.unwrap_or_default(),
        };
        self.take_checked(program, id, signed)
    }

    /// Keeps a list of a network that just came.
    ///
    /// # Errors
    /// [`RelaySourceError::Refused`] for what is none of this network.
    fn take_checked(
        &self,
        program: &Program,
        id: &NetworkId,
        signed: SignedList,
    ) -> Result<(), AppError> {
        let (bytes, signature) = (signed.list.as_bytes(), signed.signature.as_str());
        let mut held = HeldList::new(id.list);
        held.offer(bytes, Some(signature), program.now())
            .map_err(RelaySourceError::from)?;
        self.note_network(id, Ok(signed), program.now());
        Ok(())
    }

    /// Uses the newest list of a network, which waited since it lacks more than half of the relays.
    ///
    /// # Errors
    /// [`RelaySourceError::NotHere`] when none waits; [`RelaySourceError::Unread`] and [`RelaySourceError::Store`].
    pub fn accept_waiting(&self, id: &NetworkId, now: u64) -> Result<(), RelaySourceError> {
        let accepted = self.networks.change(|kept| {
            let kept = kept.find_mut(id)?;
            let held = kept.waiting(id, now)?;
            kept.record.keep(&held, now);
            kept.record.set_problem(None);
            kept.waiting = None;
            Some(())
        })?;
        accepted.ok_or(RelaySourceError::NotHere)
    }

    /// Forgets the list of a network that was left.
    ///
    /// # Errors
    /// [`RelaySourceError::Unread`] and [`RelaySourceError::Store`].
    pub(crate) fn forget_network(&self, id: &NetworkId) -> Result<(), RelaySourceError> {
        let id = id.to_string();
        Ok(self
            .networks
            .change(|kept| kept.networks.retain(|network| network.id != id))?)
    }

    /// An invitation to the network of a server, for somebody who is to use it; good for `good_for_secs` from now. It is made
    /// of the list that is here: nobody is asked.
    ///
    /// # Errors
    /// [`AppError::NoInvitation`] and [`AppError::Invite`]; [`AppError::RelaySource`] when what is kept of lists cannot be
    /// read.
    pub fn invite(
        &self,
        program: &Program,
        server: &ServerEntry,
        with_access_word: bool,
        good_for_secs: u64,
    ) -> Result<Invitation, AppError> {
        let now = program.now();
        let address = &server.address;
        let set = self.at_hand(program, None, address)?;
        let set = set.ok_or(AppError::NoInvitation(match server.network() {
            Some(_) => CannotInvite::ListEnded,
            None => CannotInvite::Unsigned,
        }))?;
        let list_key = match &set.source {
            RelaySource::Network(network) => network.list,
            RelaySource::Url(source) => *source.key(),
            RelaySource::BuiltIn
            | RelaySource::File(_)
            | RelaySource::ServiceNodes(_)
            | RelaySource::Session => {
                return Err(AppError::NoInvitation(CannotInvite::Unsigned));
            }
        };
        let access_word = server.access_word.clone();
        let invite = MemberInvite {
            server: address,
            list_key,
            relays: &set.list.relays,
            name: if set.list.name.trim().is_empty() {
                server.shown_name()
            } else {
                &set.list.name
            },
            access_word: access_word.filter(|_| with_access_word),
            expires: now.saturating_add(good_for_secs),
            allow: program.allowance(&set.source, &set.list),
        };
        Ok(invite.make(now, &mut random::system())?)
    }

    /// The relay list of a network and its state at `now` (unix seconds). Reads a file and nothing else.
    ///
    /// # Errors
    /// [`UnreadFile`].
    pub fn view_network(&self, id: &NetworkId, now: u64) -> Result<NetworkView, UnreadFile> {
        let kept = self.networks.read()?;
        let kept = kept.as_ref().and_then(|kept| kept.find(id));
        let held = kept.map(|kept| kept.held(id));
        let list = held.as_ref().and_then(HeldList::last).cloned();
        let state = match &list {
            Some(list) if now < list.expires => ListState::Good,
            Some(_) => ListState::Ended,
            None => ListState::Missing(None),
        };
        Ok(NetworkView {
            source: SourceView {
                source: RelaySource::Network(*id),
                kind: NetworkKind::Cloakroom,
                list,
                state,
                fetched: kept.map(|kept| kept.record.fetched),
                asked: kept.map(|kept| kept.record.asked),
                problem: kept.and_then(|kept| kept.record.problem()),
                servers: Vec::new(),
            },
            waiting: kept
                .and_then(|kept| kept.waiting(id, now))
                .and_then(|held| held.last().cloned()),
        })
    }
}

/// The list that the server of `call` hands on, unchecked.
///
/// # Errors
/// [`AppError::Transfer`] and others of a request; [`AppError::Server`] for an answer that holds none.
async fn ask_for_list(call: &Call) -> Result<SignedList, AppError> {
    let longest = SizeClass::ALL[0].blob_len();
    let answer = call.silent().run(&FileRequest::RelayList, longest).await?;
    Ok(file_api::read_signed_list(&answer).map_err(ServerRefusal::of_download)?)
}

/// For so long after its end a list still serves to ask for the newer one, in seconds: 180 days.
const STILL_ASKS_SECS: u64 = 180 * DAY_SECS;
const DAY_SECS: u64 = 24 * 3_600;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tempfile::TempDir;

    use super::*;
    use crate::app::settings::Settings;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{Serves, sign};

    const START: u64 = 1_800_000_000;

    /// A member of a network whose relays nobody runs.
    struct Member {
        _folder: TempDir,
        program: Program,
        relays: Relays,
        now: Arc<AtomicU64>,
        id: NetworkId,
        server: ServerAddress,
    }

    fn relay(seed: u8) -> RelayDescriptor {
        RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: [127, 0, 0, seed].into(),
            // Discard: nobody listens there.
            port: 9,
            operator: String::new(),
            serves: Serves::Any,
        }
    }

    /// The list of these relays that the network's key signed so many days after the start.
    fn list(seeds: &[u8], days: u64) -> SignedList {
        let issued = START + days * DAY_SECS;
        let relays = seeds.iter().map(|seed| relay(*seed)).collect();
        let list = RelayList::join("ours", issued, issued + 14 * DAY_SECS, relays).unwrap();
        let list = list.to_compact_json();
        SignedList {
            signature: sign(&Identity::from_seed([99; 32]), list.as_bytes()),
            list,
        }
    }

    impl Member {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let home = Home::in_folder(folder.path());
            let now = Arc::new(AtomicU64::new(START));
            let clock = Arc::clone(&now);
            let clock = Arc::new(move || clock.load(Ordering::SeqCst));
            let server = Identity::from_seed([98; 32]).public();
            let id = NetworkId {
                server,
                list: Identity::from_seed([99; 32]).public(),
            };
            let member = Self {
                relays: Relays::of(&home),
                program: Program::with_clock(home, Settings::default(), clock),
                _folder: folder,
                now,
                id,
                server: format!("http://127.0.0.1:9#p={}", server.to_hex())
                    .parse()
                    .unwrap(),
            };
            let host = member.server.url.host();
            let first: Vec<_> = [1, 2, 3]
                .map(|seed| InvitedRelay::of(&relay(seed), host))
                .into();
            let replaced = member
                .relays
                .keep_first_relays(&member.id, &member.server, &first);
            assert!(replaced.unwrap().0.is_none());
            member
        }

        fn on_day(&self, days: u64) {
            self.now.store(START + days * DAY_SECS, Ordering::SeqCst);
        }

        fn comes(&self, seeds: &[u8], days: u64) {
            let now = self.program.now();
            self.relays
                .note_network(&self.id, Ok(list(seeds, days)), now);
        }

        /// Number of relays in use and in the list that waits, and the problem that is told.
        fn seen(&self) -> (usize, Option<usize>, Option<ListProblemKind>) {
            let view = self.relays.view_network(&self.id, self.program.now());
            let NetworkView { source, waiting } = view.unwrap();
            (
                source.list.map_or(0, |list| list.relays.len()),
                waiting.map(|list| list.relays.len()),
                source.problem.map(|problem| problem.kind),
            )
        }

        async fn set(&self) -> Result<RelaySet, AppError> {
            let context = CallContext::default();
            let (program, id) = (&self.program, &self.id);
            self.relays
                .of_network(program, id, &self.server, &context)
                .await
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_list_that_lacks_more_than_half_of_the_relays_waits_for_the_person() {
        let member = Member::new();
        member.comes(&[1, 2, 3, 4, 5, 6], 0);
        member.on_day(1);
        // Half of them is no more than half.
        member.comes(&[1, 2, 3, 7, 8], 1);
        assert_eq!(member.seen(), (5, None, None));
        member.on_day(2);
        member.comes(&[1, 2, 9, 10], 2);
        let told = Some(ListProblemKind::ManyGone);
        assert_eq!(member.seen(), (5, Some(4), told));
        assert_eq!(member.set().await.unwrap().list.relays.len(), 5);

        // The one in use ends, and none of its relays answers.
        member.on_day(15);
        let refused = member.set().await.unwrap_err();
        let gone = RelaySourceError::ManyGone { before: 5, gone: 3 };
        assert!(
            matches!(&refused, AppError::RelaySource(why) if *why == gone),
            "{refused}"
        );
        let now = member.program.now();
        member.relays.accept_waiting(&member.id, now).unwrap();
        assert_eq!(member.seen(), (4, None, None));
        assert_eq!(member.set().await.unwrap().list.relays.len(), 4);
        let nothing = member.relays.accept_waiting(&member.id, now);
        assert_eq!(nothing, Err(RelaySourceError::NotHere));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_list_goes_neither_back_nor_under_another_key() {
        let member = Member::new();
        member.comes(&[1, 2, 3], 0);
        member.on_day(1);
        member.comes(&[1, 2, 3, 4], 1);
        let refused = Some(ListProblemKind::Refused);
        member.comes(&[1, 2, 3], 0);
        assert_eq!(member.seen(), (4, None, refused));
        let mut forged = list(&[5, 6, 7], 1);
        forged.signature = sign(&Identity::from_seed([1; 32]), forged.list.as_bytes());
        let now = member.program.now();
        member.relays.note_network(&member.id, Ok(forged), now);
        assert_eq!(member.seen(), (4, None, refused));
        // Another list of the same date.
        member.comes(&[1, 2, 3, 5], 1);
        assert_eq!(member.seen(), (4, None, refused));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_list_the_relays_of_the_invitation_are_asked() {
        let member = Member::new();
        assert_eq!(member.seen(), (0, None, None));
        assert!(matches!(member.set().await, Err(AppError::Transfer(_))));
    }
}
