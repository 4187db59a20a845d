//! Carries out what a relay's [`Membership`] decides: announces the relay to the server of its network, fetches the list, and
//! keeps both in a file.
//!
//! Requests go straight to the server, since the address of a relay is no secret, and are sealed to the server's key.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Client;

use super::RunningRelay;
use super::config::RelaySettings;
use crate::disk::private;
use crate::protocol::address::ServerAddress;
use crate::protocol::file_api::{FileRequest, SignedList, read_signed_list};
use crate::protocol::keys::Identity;
use crate::protocol::network::{
    JoinAnswer, ListOutcome, MemberStep, Membership, RelayDetails, RelayRequest, read_address,
};
use crate::protocol::onion::v4::{RequestHead, Response};
use crate::protocol::relay_list::{ListRefused, Serves};
use crate::wire::clock::{self, Clock};
use crate::wire::http_client;
use crate::wire::sealed_request::{AskError, SealedRoute, ask};

/// A relay that belongs to a network, or wants to.
pub struct JoinedRelay {
    membership: Membership,
    server: AskedServer,
    file: PathBuf,
    clock: Clock,
    /// Whether the server is asked from which address it sees this relay, because the operator has not said it.
    learns_host: bool,
}

/// What the operator is told.
#[derive(Debug)]
pub enum JoinEvent {
    /// The server sees this relay at another address than before.
    AddressChanged(IpAddr),
    /// The server answered an announcement, and not as it did before.
    Answered(JoinAnswer),
    /// The state could not be kept; a later start may need the invitation again.
    Keep(io::Error),
    /// The relay forwards to the relays of the network's list, so many, and did not before.
    List(usize),
    /// The list has ended, and no newer one could be had.
    ListEnded,
    /// The server gave a list that cannot be used.
    ListRefused(ListRefused),
    /// The server does not answer, or not as one that keeps this network.
    NoAnswer(String),
}

impl JoinedRelay {
    /// The relay's place in its network, kept beside the key that the settings name.
    ///
    /// # Errors
    /// An error of the system: the file cannot be written.
    pub async fn begin(
        membership: Membership,
        settings: &RelaySettings,
        clock: Clock,
    ) -> io::Result<Self> {
        let listen = settings.listen.ip();
        // From where others reach it, so that the server sees what it announces.
        let local = (!listen.is_unspecified()).then_some(listen);
        let joining = Self {
            server: AskedServer::new(membership.server().clone(), local),
            membership,
            file: settings.join_file(),
            clock,
            learns_host: local.is_none() && settings.public_host.is_none(),
        };
        joining.keep().await?;
        Ok(joining)
    }

    /// The network's server.
    #[must_use]
    pub const fn server(&self) -> &ServerAddress {
        self.membership.server()
    }

    /// The network's name. A stranger's text.
    #[must_use]
    pub fn name(&self) -> &str {
        self.membership.name()
    }

    /// Whether the server has to say at which address the relay is reached, before it starts.
    pub(crate) const fn learns_host(&self) -> bool {
        self.learns_host
    }

    /// Asks the server from which address it sees this relay, until it answers.
    pub(crate) async fn learn_host(&self, mut tell: impl FnMut(JoinEvent)) -> IpAddr {
        let mut said = String::new();
        loop {
            match self.server.seen_address().await {
                Ok(address) => return address,
                Err(why) => {
                    let why = why.to_string();
                    if why != said {
                        said.clone_from(&why);
                        tell(JoinEvent::NoAnswer(why));
                    }
                }
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Keeps the relay in its network, for as long as this runs.
    pub async fn run(
        mut self,
        relay: &RunningRelay,
        identity: &Identity,
        mut tell: impl FnMut(JoinEvent),
    ) {
        let mut details = self.details_of(relay);
        let mut told = ToldOperator::default();
        let mut forwards_to = None;
        let mut waiting = relay.waiting_requests();
        let mut going_on = Vec::new();
        loop {
            let now = (self.clock)();
            let relays = self.membership.relays(now);
            if forwards_to.as_ref() != Some(&relays) {
                relay.set_relays(relays.clone());
                if self.membership.has_list(now) {
                    tell(JoinEvent::List(relays.len()));
                } else if relays.is_empty() && forwards_to.is_some() {
                    tell(JoinEvent::ListEnded);
                }
                forwards_to = Some(relays);
            }
            // The list that they waited for is in use now.
            going_on.clear();
            match self
                .membership
                .next(&details, identity, now.saturating_mul(1_000))
            {
                MemberStep::Announce(announcement) => {
                    let answer = self.server.announce(&announcement.request).await;
                    let now = (self.clock)();
                    let answered = answer.as_ref().ok().copied();
                    self.membership.on_announced(announcement, answered, now);
                    if matches!(answered, Some(JoinAnswer::Admitted(_))) {
                        self.keep_or_tell(&mut tell).await;
                    }
                    told.answer(answer, &mut tell);
                }
                MemberStep::FetchList => {
                    self.fetch(&mut told, &mut tell).await;
                    if self.learns_host
                        && let Ok(host) = self.server.seen_address().await
                        && host != details.host
                    {
                        details.host = host;
                        tell(JoinEvent::AddressChanged(host));
                    }
                }
                MemberStep::Wait { secs } => tokio::select! {
                    () = tokio::time::sleep(clock::STEP.min(Duration::from_secs(secs))) => {}
                    Some(request) = waiting.recv() => {
                        going_on.push(request);
                        going_on.extend(std::iter::from_fn(|| waiting.try_recv().ok()));
                        if self.membership.may_ask_for_request((self.clock)()) {
                            self.fetch(&mut told, &mut tell).await;
                        }
                    }
                },
            }
        }
    }

    async fn fetch(&mut self, told: &mut ToldOperator, tell: &mut impl FnMut(JoinEvent)) {
        let fetched = self.server.list().await;
        let now = (self.clock)();
        let list = match fetched {
            Ok(list) => list,
            Err(why) => {
                self.membership.on_no_list(now);
                told.no_answer(&why, tell);
                return;
            }
        };
        let list = list
            .as_ref()
            .map(|list| (list.list.as_str(), list.signature.as_str()));
        match self.membership.on_list(list, now) {
            ListOutcome::None | ListOutcome::Same => {}
            ListOutcome::New => self.keep_or_tell(tell).await,
            ListOutcome::Refused(why) => tell(JoinEvent::ListRefused(why)),
        }
    }

    /// What the relay says of itself in this network: of the hosts that it serves, only that of the network's server.
    fn details_of(&self, relay: &RunningRelay) -> RelayDetails {
        let relay = relay.descriptor();
        let host = self.server().url.host();
        RelayDetails {
            host: relay.host,
            port: relay.port,
            operator: relay.operator.clone(),
            serves: if relay.serves.includes(host) {
                Serves::Hosts(vec![host.to_owned()])
            } else {
                Serves::None
            },
        }
    }

    async fn keep_or_tell(&self, tell: &mut impl FnMut(JoinEvent)) {
        if let Err(error) = self.keep().await {
            tell(JoinEvent::Keep(error));
        }
    }

    async fn keep(&self) -> io::Result<()> {
        let (file, bytes) = (self.file.clone(), self.membership.to_bytes());
        let writing = tokio::task::spawn_blocking(move || private::replace(&file, &bytes));
        writing.await.map_err(io::Error::other)?
    }
}

/// What the operator was told last, so that nothing is told twice in a row.
#[derive(Default)]
struct ToldOperator {
    answer: Option<JoinAnswer>,
    no_answer: Option<String>,
}

impl ToldOperator {
    fn answer(
        &mut self,
        answer: Result<JoinAnswer, NotAnswered>,
        tell: &mut impl FnMut(JoinEvent),
    ) {
        match answer {
            Ok(answer) => {
                self.no_answer = None;
                // A refusal is told each hour: somebody has to do something about it.
                let is_settled = matches!(answer, JoinAnswer::Admitted(_));
                if self.answer != Some(answer) || !is_settled {
                    self.answer = Some(answer);
                    tell(JoinEvent::Answered(answer));
                }
            }
            Err(why) => self.no_answer(&why, tell),
        }
    }

    fn no_answer(&mut self, why: &NotAnswered, tell: &mut impl FnMut(JoinEvent)) {
        let why = why.to_string();
        if self.no_answer.as_ref() != Some(&why) {
            self.no_answer = Some(why.clone());
            tell(JoinEvent::NoAnswer(why));
        }
    }
}

/// The server of a network, as its relays ask it.
struct AskedServer {
    address: ServerAddress,
    client: Option<Client>,
}

impl AskedServer {
    fn new(address: ServerAddress, local: Option<IpAddr>) -> Self {
        let client = http_client::to_server(&address, local);
        Self { address, client }
    }

    async fn announce(&self, request: &RelayRequest) -> Result<JoinAnswer, NotAnswered> {
        let response = self.ask(&request.head(), request.body()).await?;
        JoinAnswer::read(&response).ok_or(NotAnswered::Status(response.code))
    }

    async fn seen_address(&self) -> Result<IpAddr, NotAnswered> {
        let request = RelayRequest::Address;
        let response = self.ask(&request.head(), request.body()).await?;
        read_address(&response).ok_or(NotAnswered::Status(response.code))
    }

    /// The list and its signature; `None` while there is none.
    async fn list(&self) -> Result<Option<SignedList>, NotAnswered> {
        let response = self.ask(&FileRequest::RelayList.head(), &[]).await?;
        if response.code == 404 {
            return Ok(None);
        }
        match read_signed_list(&response) {
            Ok(list) => Ok(Some(list)),
            Err(_unread) => Err(NotAnswered::Status(response.code)),
        }
    }

    async fn ask(&self, head: &RequestHead, body: &[u8]) -> Result<Response, NotAnswered> {
        let client = self.client.as_ref().ok_or(AskError::NoClient)?;
        Ok(ask(
            client,
            SealedRoute::Straight,
            &self.address,
            head,
            body,
            LIMIT,
        )
        .await?)
    }
}

/// Why the server of a network did not answer.
#[derive(Debug, thiserror::Error)]
enum NotAnswered {
    /// No answer came.
    #[error("the server of the network does not answer: {0}")]
    Ask(#[from] AskError),
    /// It answers, but not as a server that keeps this network.
    #[error("the server of the network answers with the status {0}")]
    Status(u16),
}

/// Longer than the server needs for a proof.
const LIMIT: Duration = Duration::from_secs(75);
const ASK_AGAIN: Duration = Duration::from_secs(60);
