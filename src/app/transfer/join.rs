//! Joining a network by its invitation. [`JoinOffer::look`] says what joining would mean, and asks nobody. [`join`] contacts
//! the relays of the invitation and nobody else: over them the server hands on the network's signed list, and a small
//! file goes up, comes down and is deleted. The settings are changed by whoever called, with [`Joined::changes`].

use std::net::IpAddr;

use rand_core::CryptoRng;

use super::call::{Call, CallContext, ShownLog};
use super::routed_server::{Route, RoutedServer};
use super::test_server::{self, Checked};
use crate::app::client::Client;
use crate::app::error::{AppError, ServerRefusal};
use crate::app::relays::{NetworkId, RelaySource, RelaySourceError};
use crate::app::settings::{Change, ServerChoice, ServerEntry, Settings};
use crate::app::words::harmless::harmless_start;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::disclosure::ShownOutcome;
use crate::protocol::exchange::Failure;
use crate::protocol::invitation::{Invitation, InvitedRelay, Purpose};
use crate::protocol::ip::is_global;
use crate::protocol::network::draw_path;
use crate::protocol::path::{Allowance, DrawError, NoPath};

/// What an invitation says, and what joining by it would mean for this person.
pub struct JoinOffer {
    invitation: Invitation,
    /// The relays that may be contacted.
    relays: Vec<InvitedRelay>,
    /// Why the rules of paths allow no path among them.
    no_path: Option<NoPath>,
    meets: Meets,
    name: String,
}

/// What the settings have already of an invitation's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meets {
    /// Nothing.
    Nothing,
    /// The person is a member: joining renews the server's address, the access word and the first relays.
    Member(ServerAddress),
    /// The person uses its server already, through other relays.
    OtherRelays(ServerAddress),
}

/// How to join, where an invitation asks for a decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct JoinChoice {
    /// Use the relays of the invitation for a server that was used through others.
    pub replace: bool,
    /// Let rules of paths yield in this network.
    pub relax: bool,
    /// Fetch the list straight from the host that the invitation names, which then sees this computer's address, or the
    /// proxy's.
    pub ask_list_host: bool,
}

/// A network that was joined.
pub struct Joined {
    /// Changes that add the network to the settings.
    pub changes: Vec<Change>,
    /// What the network is called here.
    pub name: String,
    /// Number of relays in its list; 0 where it did not come.
    pub relays: usize,
    /// Whether it can be used now.
    pub state: JoinedState,
}

/// Whether a network that was joined can be used now.
pub enum JoinedState {
    /// A small file went up, came down and was deleted.
    Works(Checked),
    /// The list is here. A file could not be stored, for this reason; files can be received.
    OnlyReceives(AppError),
    /// No relay of the invitation answered, for this reason. The network's list is asked for with the first transfer. Only a
    /// network of which nothing was used before is joined so.
    NotNow(AppError),
}

/// Why a network was not joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The invitation is for whoever adds a relay, and has too few relays to use the network with.
    #[error("the invitation is for relays")]
    ForRelays,
    /// No path can be drawn among its relays unless rules yield.
    #[error(transparent)]
    NoPath(#[from] NoPath),
    /// The server is used already, through other relays, under this name.
    #[error("the server {0:?} is used through other relays")]
    OtherRelays(String),
    /// Fewer than three of its relays have addresses that may be contacted.
    #[error("its relays are not on the internet")]
    PrivateRelays,
    /// The server refused the access word of the invitation.
    #[error("the access word is wrong")]
    WrongAccessWord,
}

impl JoinOffer {
    /// What joining by this invitation would mean under these settings, at `now` (unix seconds). Asks nobody.
    ///
    /// # Errors
    /// [`JoinError::ForRelays`] and [`JoinError::PrivateRelays`].
    pub fn look(
        invitation: Invitation,
        settings: &Settings,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, JoinError> {
        let parts = invitation.parts();
        let host = parts.server.url.host();
        if parts.relays.len() < FEWEST_RELAYS || !parts.relays.iter().any(|relay| relay.serves) {
            return Err(JoinError::ForRelays);
        }
        let may_be_asked = |relay: &&InvitedRelay| is_global(relay.host) || is_in_own_network(host);
        let relays: Vec<_> = parts.relays.iter().filter(may_be_asked).cloned().collect();
        if relays.len() < FEWEST_RELAYS || !relays.iter().any(|relay| relay.serves) {
            return Err(JoinError::PrivateRelays);
        }
        let entries: Vec<_> = relays.iter().map(|relay| relay.describe(host)).collect();
        let allow = if entries.iter().all(|relay| relay.host.is_loopback()) {
            Allowance::ALL
        } else {
            Allowance::NONE
        };
        let no_path = match draw_path(entries, host, allow, now, rng) {
            Err(DrawError::NoPath(why)) => Some(why),
            // Nobody was asked yet, so no guard can be silent.
            Ok(_) | Err(DrawError::Blocked) => None,
        };
        let id = NetworkId::of(&invitation);
        let meets = match settings.member_of(&id) {
            Some(member) => Meets::Member(member.address.clone()),
            None => settings
                .entry(&parts.server)
                .or_else(|| settings.first_with(&parts.server.key))
                .map_or(Meets::Nothing, |known| {
                    Meets::OtherRelays(known.address.clone())
                }),
        };
        let name = match &meets {
            Meets::Member(known) | Meets::OtherRelays(known) => settings
                .entry(known)
                .map(|entry| entry.shown_name().to_owned()),
            Meets::Nothing => None,
        };
        let name = name.unwrap_or_else(|| {
            let said = harmless_start(&parts.name, LONGEST_NAME);
            let said = if said.is_empty() { host } else { said.as_str() };
            settings.free_name(said, &parts.server)
        });
        Ok(Self {
            relays,
            no_path,
            meets,
            name,
            invitation,
        })
    }

    /// What the network will be called here: what its maker calls it, harmless to show and unlike the names of others; or
    /// what the person calls its server already.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its server, by URL without scheme: to be shown beside the name, which its maker chose.
    #[must_use]
    pub fn host(&self) -> &str {
        self.invitation.parts().server.url.authority()
    }

    /// Five words: members who compare them find the same.
    #[must_use]
    pub fn words(&self) -> [&'static str; 5] {
        self.invitation.fingerprint().words()
    }

    /// What the operators of its relays call themselves, each name once.
    #[must_use]
    pub fn operators(&self) -> Vec<String> {
        let relays = self.invitation.parts().relays.iter();
        let mut names: Vec<_> = relays
            .map(|relay| harmless_start(&relay.operator, LONGEST_NAME))
            .filter(|name| !name.is_empty())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Number of relays that it names.
    #[must_use]
    pub fn relays(&self) -> usize {
        self.invitation.parts().relays.len()
    }

    /// Why no path can be drawn among its relays unless rules of paths yield.
    #[must_use]
    pub const fn no_path(&self) -> Option<&NoPath> {
        self.no_path.as_ref()
    }

    /// What the settings have of the network already.
    #[must_use]
    pub const fn meets(&self) -> &Meets {
        &self.meets
    }

    /// Whether server and relays are in the network of this computer and not on the internet.
    #[must_use]
    pub fn is_in_own_network(&self) -> bool {
        is_in_own_network(self.invitation.parts().server.url.host())
    }

    /// Whether it is for adding a relay: a person joins by it as anybody else does.
    #[must_use]
    pub const fn is_for_relays(&self) -> bool {
        matches!(self.invitation.parts().purpose, Purpose::AddRelay { .. })
    }

    /// Host that the list can also be fetched from.
    #[must_use]
    pub fn list_host(&self) -> Option<String> {
        let source = self.invitation.list_source()?;
        Some(source.host().to_owned())
    }

    /// Address of the network's server.
    #[must_use]
    pub const fn server(&self) -> &ServerAddress {
        &self.invitation.parts().server
    }

    fn access_word(&self) -> Option<&AccessWord> {
        match &self.invitation.parts().purpose {
            Purpose::AddRelay { .. } => None,
            Purpose::Use { access_word } => access_word.as_ref(),
        }
    }

    /// The changes of these settings that make the person a member.
    fn changes(&self, settings: &Settings, choice: JoinChoice) -> Result<Vec<Change>, JoinError> {
        let parts = self.invitation.parts();
        let replaced = match &self.meets {
            Meets::Nothing => None,
            Meets::Member(known) => Some(known.clone()),
            Meets::OtherRelays(known) if choice.replace => Some(known.clone()),
            Meets::OtherRelays(_) => return Err(JoinError::OtherRelays(self.name.clone())),
        };
        let known = replaced.as_ref().and_then(|known| settings.entry(known));
        let kept_word = known.and_then(|known| known.access_word.as_ref());
        let source = RelaySource::Network(NetworkId::of(&self.invitation));
        let entry = ServerEntry {
            access_word: self.access_word().or(kept_word).cloned(),
            ..ServerEntry::new(self.name.clone(), parts.server.clone()).through(source.clone())
        };
        let mut changes = vec![Change::JoinNetwork(entry, replaced)];
        if choice.relax {
            changes.push(Change::ShortList(source, true));
        }
        if settings.chosen == ServerChoice::BuiltIn {
            let server = ServerChoice::Server(parts.server.clone());
            changes.push(Change::ChosenServer(server));
        }
        Ok(changes)
    }
}

/// Joins the network of an invitation that the person agreed to. Contacts its relays and nobody else.
///
/// # Errors
/// [`AppError::Join`] and, where relays answered and the network's list did not come, [`AppError::Transfer`],
/// [`AppError::Server`] or [`AppError::RelaySource`]; [`AppError::Cancelled`]. What was known of the network stays.
pub async fn join(
    client: &Client,
    offer: &JoinOffer,
    choice: JoinChoice,
    context: &CallContext,
) -> Result<Joined, AppError> {
    if let Some(why) = &offer.no_path
        && !choice.relax
    {
        return Err(JoinError::NoPath(why.clone()).into());
    }
    let changes = offer.changes(client.settings(), choice)?;
    let mut settings = client.settings().clone();
    changes.iter().for_each(|change| settings.apply(change));
    let member = client.with_settings(settings);
    let id = NetworkId::of(&offer.invitation);
    let relays = member.relays();
    let replaced = relays.keep_first_relays(&id, offer.server(), &offer.relays)?;
    let ended = match join_kept(&member, offer, &id, choice, context).await {
        // What is used already is not given up for what nobody has seen working.
        Ok((_, JoinedState::NotNow(error))) if offer.meets != Meets::Nothing => Err(error),
        ended => ended,
    };
    match ended {
        Ok((relays, state)) => Ok(Joined {
            changes,
            name: offer.name.clone(),
            relays,
            state,
        }),
        Err(error) => {
            relays.put_back(&id, replaced)?;
            Err(error)
        }
    }
}

/// Fetches the list of the network, whose first relays are kept, and tries its server.
async fn join_kept(
    member: &Client,
    offer: &JoinOffer,
    id: &NetworkId,
    choice: JoinChoice,
    context: &CallContext,
) -> Result<(usize, JoinedState), AppError> {
    let (program, relays, server) = (member.program(), member.relays(), offer.server());
    let asked = if choice.ask_list_host
        && let Some(source) = offer.invitation.list_source()
    {
        let fetched = relays.fetch_network(program, id, &source, context).await;
        fetched.map_err(|error| (error, false))
    } else {
        let log = ShownLog::default();
        let asking = CallContext {
            log: log.clone(),
            ..context.clone()
        };
        let asked = relays.ask_over_first(program, id, server, &asking).await;
        let requests = log.requests();
        let mut tries = requests.iter().flat_map(|request| &request.attempts);
        let reached = tries.any(|attempt| match &attempt.outcome {
            ShownOutcome::Answered(_) => true,
            ShownOutcome::Failed(why) => !is_of_first_link(why),
            ShownOutcome::NoList | ShownOutcome::NoProxy | ShownOutcome::Sent => false,
        });
        context.log.extend(requests);
        asked.map_err(|error| (error, reached))
    };
    match asked {
        Ok(()) => {}
        Err((error, reached)) if !reached && may_be_the_network_here(&error) => {
            return Ok((0, JoinedState::NotNow(error)));
        }
        Err((error, _)) => return Err(error),
    }
    let Some(set) = relays.network_at_hand(id, program.now())? else {
        return Err(RelaySourceError::NotHere.into());
    };
    let count = set.list.relays.len();
    // The person agreed to the relays of the invitation, and to no others yet.
    let first = relays.first_relays(id, program.now())?;
    let first = first.unwrap_or(set);
    let routed = RoutedServer::new(server.clone(), Route::Relays(first));
    let call = Call::new(program, routed, context);
    Ok(match test_server::check(&call).await {
        Ok(checked) => (count, JoinedState::Works(checked)),
        Err(AppError::Cancelled) => return Err(AppError::Cancelled),
        Err(AppError::Server(ServerRefusal::AccessWord { given: true })) => {
            return Err(JoinError::WrongAccessWord.into());
        }
        Err(error) => (count, JoinedState::OnlyReceives(error)),
    })
}

/// Whether a failure can be one of the network that this computer is in, so that the invitation may be right.
fn may_be_the_network_here(error: &AppError) -> bool {
    match error {
        AppError::Proxy(_) => true,
        AppError::Transfer(why) => is_of_first_link(&why.exchange.failure),
        _ => false,
    }
}

/// Whether it failed between this computer and the first relay, as far as can be told.
const fn is_of_first_link(why: &Failure) -> bool {
    matches!(
        why,
        Failure::Blocked | Failure::Broken | Failure::FirstUnreachable | Failure::TimedOut
    )
}

/// Whether a server at this host is in the network of this computer, where its relays may be too.
fn is_in_own_network(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(addr) => !is_global(addr),
        Err(_name) => host == "localhost" || OWN_ENDINGS.iter().any(|own| host.ends_with(own)),
    }
}

/// Endings of names that no name on the internet has (RFC 6761, 6762, 8375, and ICANN's `internal`).
const OWN_ENDINGS: [&str; 4] = [".localhost", ".local", ".home.arpa", ".internal"];
/// Number of relays in a path.
const FEWEST_RELAYS: usize = 3;
/// Characters of a stranger's name that are shown.
const LONGEST_NAME: usize = 40;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;
    use crate::app::settings::Home;
    use crate::protocol::invitation::InvitationParts;
    use crate::protocol::keys::Identity;
    use crate::protocol::path::RejectReason;

    const NOW: u64 = 1_800_000_000;

    fn relay(seed: u8, host: [u8; 4], operator: &str) -> InvitedRelay {
        InvitedRelay {
            key: Identity::from_seed([seed; 32]).public(),
            host: host.into(),
            port: 8_790,
            operator: operator.to_owned(),
            serves: true,
        }
    }

    fn three_relays() -> Vec<InvitedRelay> {
        vec![
            relay(1, [203, 0, 114, 1], "Ann"),
            relay(2, [198, 51, 99, 1], "Ben"),
            relay(3, [192, 0, 3, 1], "Cem"),
        ]
    }

    fn invitation(host: &str, relays: Vec<InvitedRelay>) -> Invitation {
        let key = Identity::from_seed([7; 32]).public().to_hex();
        Invitation::new(InvitationParts {
            server: format!("http://{host}#p={key}").parse().unwrap(),
            list_key: Identity::from_seed([8; 32]).public(),
            relays,
            name: "Ann's friends".to_owned(),
            expires: NOW + 1,
            list_url: None,
            purpose: Purpose::Use { access_word: None },
        })
        .unwrap()
    }

    fn look(invitation: Invitation, settings: &Settings) -> Result<JoinOffer, JoinError> {
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        JoinOffer::look(invitation, settings, NOW, &mut rng)
    }

    #[test]
    fn what_an_invitation_says_is_shown_harmless_and_under_a_name_of_its_own() {
        let mut relays = three_relays();
        relays[0].operator = "A\u{202e}nn".to_owned();
        relays.push(relay(4, [198, 51, 98, 1], "Cem"));
        let mut settings = Settings::default();
        let key = Identity::from_seed([1; 32]).public().to_hex();
        for name in ["Ann's friends", "Ann's friends 2"] {
            let address = format!("http://{}.example#p={key}", settings.servers.len());
            settings
                .servers
                .push(ServerEntry::new(name, address.parse().unwrap()));
        }
        let offer = look(invitation("files.example:8787", relays), &settings).unwrap();
        assert_eq!(offer.name(), "Ann's friends 3");
        assert_eq!(offer.host(), "files.example:8787");
        let operators = offer.operators();
        assert_eq!(operators.len(), 3);
        assert!(operators.iter().all(|name| !name.contains('\u{202e}')));
        assert_eq!(offer.meets(), &Meets::Nothing);
        assert!(offer.no_path().is_none() && !offer.is_in_own_network());
    }

    #[test]
    fn relays_that_are_not_on_the_internet_are_asked_in_the_own_network_only() {
        let relays = || {
            let mut relays = three_relays();
            relays[2].host = [192, 168, 1, 1].into();
            relays
        };
        let settings = Settings::default();
        for host in ["files.example", "8.8.8.8", "localhost.example"] {
            let refused = look(invitation(host, relays()), &settings);
            assert_eq!(refused.err(), Some(JoinError::PrivateRelays), "{host}");
        }
        for host in ["192.168.1.2", "localhost", "nas.local", "[fd00::1]:80"] {
            let offer = look(invitation(host, relays()), &settings).unwrap();
            assert!(offer.is_in_own_network(), "{host}");
        }
        // Where three others are left, they do.
        let mut four = three_relays();
        four.push(relay(4, [10, 0, 0, 1], "Dora"));
        let offer = look(invitation("files.example", four), &settings).unwrap();
        assert_eq!((offer.relays(), offer.relays.len()), (4, 3));
    }

    #[test]
    fn a_rule_that_allows_no_path_is_named_and_yields_for_this_network_alone() {
        let mut relays = three_relays();
        for relay in &mut relays {
            relay.operator = "Ann".to_owned();
        }
        let offer = look(invitation("files.example", relays), &Settings::default()).unwrap();
        let why = offer.no_path().unwrap();
        let mut reasons = why.rejected.iter().flat_map(|rejection| &rejection.reasons);
        assert!(reasons.any(|reason| *reason == RejectReason::SameOperator));

        let choice = JoinChoice {
            relax: true,
            ..JoinChoice::default()
        };
        let mut settings = Settings::default();
        for change in offer.changes(&settings, choice).unwrap() {
            settings.apply(&change);
        }
        let network = settings.servers[0].network().unwrap();
        assert_eq!(settings.short_lists, [RelaySource::Network(network)]);
    }

    #[test]
    fn an_invitation_for_relays_lets_people_join_where_it_names_enough_relays() {
        let for_relays = |relays| {
            let parts = invitation("files.example", three_relays());
            let parts = parts.parts();
            Invitation::new(InvitationParts {
                server: parts.server.clone(),
                list_key: parts.list_key,
                relays,
                name: parts.name.clone(),
                expires: parts.expires,
                list_url: None,
                purpose: Purpose::AddRelay {
                    join_word: crate::protocol::capability::JoinWord::from_bytes([3; 16]),
                },
            })
            .unwrap()
        };
        let settings = Settings::default();
        let offer = look(for_relays(three_relays()), &settings).unwrap();
        assert!(offer.is_for_relays());
        let mut none_serves = three_relays();
        none_serves
            .iter_mut()
            .for_each(|relay| relay.serves = false);
        for relays in [Vec::new(), three_relays().split_off(1), none_serves] {
            let refused = look(for_relays(relays), &settings);
            assert_eq!(refused.err(), Some(JoinError::ForRelays));
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_and_nobody_asked_before_the_person_decided() {
        let folder = tempfile::tempdir().unwrap();
        let known = invitation("files.example", three_relays());
        let server = known.parts().server.clone();
        let by_hand = Settings {
            servers: vec![ServerEntry::new("by hand", server)],
            ..Settings::default()
        };
        let offer = look(known, &by_hand).unwrap();
        let client = Client::new(Home::in_folder(folder.path()), by_hand);
        let context = CallContext::default();
        let refused = join(&client, &offer, JoinChoice::default(), &context).await;
        let name = "by hand".to_owned();
        assert!(matches!(
            refused.err(),
            Some(AppError::Join(JoinError::OtherRelays(found))) if found == name
        ));
        assert!(context.log.requests().is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
