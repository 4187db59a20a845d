//! What the operator asks of the network of a running server, through its control socket.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FailedProof, RelayNetwork};
use crate::protocol::invitation::{InvalidInvitation, Purpose};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::network::{InviteRefused, NoInvitation, RelayState, RelayView};
use crate::protocol::relay_list::RelayDescriptor;
use crate::wire::random;

/// Command of an operator about the relays of a network. Keys are 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum NetworkCommand {
    /// List a relay that waits or was removed.
    Approve {
        /// Key of the relay.
        key: String,
    },
    /// Take a relay out for good.
    Block {
        /// Key of the relay.
        key: String,
    },
    /// Report the entries of the relays that a list would name now, for whoever signs it elsewhere.
    Entries,
    /// Make an invitation.
    Invite {
        /// Whom it is for.
        to: Invited,
        /// Seconds for which it is good; the default of its kind when absent.
        #[serde(default)]
        valid_secs: Option<u64>,
    },
    /// Draw a new word for uploads; those before it end after seven days.
    NewAccessWord,
    /// Draw a new join word; those before it end after seven days.
    NewJoinWord,
    /// Report all relays that the network knows.
    Relays,
    /// Take a relay out until it is approved.
    Remove {
        /// Key of the relay.
        key: String,
    },
}

/// Whom an invitation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invited {
    /// People, with the access word of the server if it asks for one.
    Friends,
    /// People, without the access word.
    FriendsWithoutAccessWord,
    /// Relays.
    Relays,
}

/// Response to a [`NetworkCommand`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum NetworkAnswer {
    /// The word that uploads must have from now on.
    AccessWord {
        /// The word: a secret.
        word: String,
    },
    /// It is done and kept.
    Done {
        /// Relays that are in the list now.
        listed: usize,
    },
    /// The entries of the relays that a list would name now, as relays print them.
    Entries {
        /// A line of JSON for each.
        entries: Vec<String>,
    },
    /// It could not be kept: the store cannot be written.
    Failed,
    /// An invitation.
    Invitation {
        /// The word, `cloakin1…`: a secret.
        word: String,
    },
    /// It is not done, for this reason.
    Refused {
        /// A sentence.
        why: String,
    },
    /// All relays that the network knows.
    Relays(NetworkReport),
    /// No relay has this key.
    Unknown,
}

/// The relays of a network, as its operator sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkReport {
    /// Relays that joined, wait or were taken out, in the order of their keys.
    pub relays: Vec<RelayReport>,
    /// Relays that were refused since the server started because their proof failed.
    pub failed: Vec<RelayReport>,
}

/// A relay as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayReport {
    /// Key of the relay, 64 hexadecimal digits.
    pub key: String,
    /// Address and port; absent for one that was blocked before it joined.
    pub address: Option<String>,
    /// Name of its operator; empty means unnamed. A stranger's text.
    pub operator: String,
    /// `answering`, `missing`, `kept`, `silent`, `waiting`, `removed`, `blocked` or `failed`.
    pub state: String,
    /// Hours without an answer, for one that is missing; why the proof failed.
    pub detail: Option<String>,
    /// When it last answered or was tried, in unix seconds.
    pub at: Option<u64>,
}

impl RelayReport {
    fn of(view: &RelayView) -> Self {
        let (state, detail) = match view.state {
            RelayState::Answering => ("answering", None),
            RelayState::Blocked => ("blocked", None),
            RelayState::KeptSilent => ("kept", None),
            RelayState::Missing { hours } => ("missing", Some(hours.to_string())),
            RelayState::Removed => ("removed", None),
            RelayState::Silent => ("silent", None),
            RelayState::Waiting => ("waiting", None),
        };
        let relay = view.relay.as_ref();
        Self {
            key: view.key.to_hex(),
            address: relay.map(|relay| SocketAddr::new(relay.host, relay.port).to_string()),
            operator: relay.map_or_else(String::new, |relay| relay.operator.clone()),
            state: state.to_owned(),
            detail,
            at: view.answered,
        }
    }

    fn of_failed(failed: &FailedProof) -> Self {
        let relay = &failed.relay;
        let addr = SocketAddr::new(relay.host, relay.port);
        Self {
            key: relay.key.to_hex(),
            address: Some(addr.to_string()),
            operator: relay.operator.clone(),
            state: "failed".to_owned(),
            detail: Some(failed.why.clone()),
            at: Some(failed.at),
        }
    }
}

/// The network of a running server, for its operator.
#[derive(Clone)]
pub struct NetworkOperator(Arc<RelayNetwork>);

impl fmt::Debug for NetworkOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkOperator(…)")
    }
}

impl NetworkOperator {
    pub(crate) const fn of(network: Arc<RelayNetwork>) -> Self {
        Self(network)
    }

    /// Carries out a command.
    pub async fn handle(&self, command: &NetworkCommand) -> NetworkAnswer {
        // Other servers of the network may have decided something since.
        self.0.settle().await.ok();
        let now = (self.0.clock)();
        match command {
            NetworkCommand::Approve { key } => match read_key(key) {
                Some(key) => {
                    let approved = self.0.change(|register| register.approve(&key, now));
                    match approved {
                        Ok(()) => self.done().await,
                        Err(why) => refused(&why),
                    }
                }
                None => NetworkAnswer::Unknown,
            },
            NetworkCommand::Block { key } => match read_key(key) {
                Some(key) => {
                    self.0.change(|register| register.block(&key));
                    self.done().await
                }
                None => NetworkAnswer::Unknown,
            },
            NetworkCommand::Entries => {
                let entries = self.0.register.lock().entries();
                NetworkAnswer::Entries {
                    entries: entries.iter().map(RelayDescriptor::to_json).collect(),
                }
            }
            NetworkCommand::Invite { to, valid_secs } => {
                match self.invite(*to, *valid_secs).await {
                    Ok(word) => NetworkAnswer::Invitation { word },
                    Err(why) => refused(&why),
                }
            }
            NetworkCommand::NewAccessWord => {
                let drawn = self.0.change(|register| {
                    let word = register.new_access_word(now, &mut random::system());
                    word.map(|word| word.as_str().to_owned())
                });
                match (drawn, self.0.settle().await) {
                    (Err(why), _) => refused(&why),
                    (Ok(word), Ok(())) => NetworkAnswer::AccessWord { word },
                    (Ok(_), Err(_said)) => NetworkAnswer::Failed,
                }
            }
            NetworkCommand::NewJoinWord => {
                self.0.change(|register| {
                    register.new_join_word(now, &mut random::system());
                });
                self.done().await
            }
            NetworkCommand::Relays => {
                let relays = self.0.register.lock().relays();
                let failed = self.0.failed.lock();
                NetworkAnswer::Relays(NetworkReport {
                    relays: relays.iter().map(RelayReport::of).collect(),
                    failed: failed.iter().map(RelayReport::of_failed).collect(),
                })
            }
            NetworkCommand::Remove { key } => {
                let known = read_key(key)
                    .is_some_and(|key| self.0.change(|register| register.remove(&key, now)));
                if known {
                    self.done().await
                } else {
                    NetworkAnswer::Unknown
                }
            }
        }
    }

    /// An invitation, `cloakin1…`: for people good for 30 days, for relays for seven, unless `valid_secs` says otherwise. One
    /// for people is made after a request over three relays came back.
    ///
    /// # Errors
    /// [`NoInvitation`], above all while too few relays have joined for people to use the network.
    pub async fn invite(
        &self,
        to: Invited,
        valid_secs: Option<u64>,
    ) -> Result<String, NoInvitation> {
        let access_word = match to {
            Invited::Friends => self.0.register.lock().access_word().cloned(),
            Invited::FriendsWithoutAccessWord => None,
            Invited::Relays => return self.invite_relay(valid_secs),
        };
        self.0.try_paths().await?;
        self.invitation(
            Purpose::Use { access_word },
            valid_secs.unwrap_or(FRIENDS_SECS),
        )
    }

    /// An invitation for relays, `cloakin1…`, good for seven days unless `valid_secs` says otherwise.
    ///
    /// # Errors
    /// [`NoInvitation`]: the name of the network or the server's URL is too long.
    pub fn invite_relay(&self, valid_secs: Option<u64>) -> Result<String, NoInvitation> {
        let join_word = self.0.register.lock().join_word().clone();
        self.invitation(
            Purpose::AddRelay { join_word },
            valid_secs.unwrap_or(RELAYS_SECS),
        )
    }

    fn invitation(&self, purpose: Purpose, valid_secs: u64) -> Result<String, NoInvitation> {
        let now = (self.0.clock)();
        let register = self.0.register.lock();
        let expires = now.saturating_add(valid_secs);
        let invitation = register.invite(purpose, expires, now, &mut random::system())?;
        Ok(invitation.to_text().as_str().to_owned())
    }

    /// The first invitation for people, as soon as they can use the network.
    ///
    /// # Errors
    /// [`InvalidInvitation`]: there will be none, whoever joins.
    pub async fn first_invitation(&self) -> Result<String, InvalidInvitation> {
        let mut settled = self.0.settled.subscribe();
        loop {
            match self.invite(Invited::Friends, None).await {
                Ok(word) => return Ok(word),
                Err(NoInvitation::Refused(InviteRefused::Invalid(why))) => return Err(why),
                Err(_not_yet) => {}
            }
            if settled.changed().await.is_err() {
                // The network has ended.
                return std::future::pending().await;
            }
        }
    }

    async fn done(&self) -> NetworkAnswer {
        match self.0.settle().await {
            Ok(()) => NetworkAnswer::Done {
                listed: self.0.counts().listed,
            },
            Err(_said) => NetworkAnswer::Failed,
        }
    }
}

fn refused(why: &impl ToString) -> NetworkAnswer {
    NetworkAnswer::Refused {
        why: why.to_string(),
    }
}

fn read_key(text: &str) -> Option<Ed25519Public> {
    Ed25519Public::from_hex(text).ok()
}

/// How long an invitation for people is good: 30 days.
const FRIENDS_SECS: u64 = 30 * 24 * 3_600;
/// How long an invitation for relays is good: 7 days.
const RELAYS_SECS: u64 = 7 * 24 * 3_600;
