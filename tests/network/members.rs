//! People who join a network by its invitation: whom that contacts, what they can do then, and what becomes of their relay list
//! when they were away.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cloakroom::app::client::{Client, Destination};
use cloakroom::app::error::{AppError, FailedExchange, ServerRefusal};
use cloakroom::app::received::save::SaveTo;
use cloakroom::app::relays::{
    ListState, ManyGone, NetworkId, NewerListWaits, RelaySource, RelaySourceError, Relays,
};
use cloakroom::app::settings::{Change, Home, ServerChoice, ServerEntry, Settings};
use cloakroom::app::transfer::call::CallContext;
use cloakroom::app::transfer::get::{self, Choice, GetRequest};
use cloakroom::app::transfer::join::{
    JoinChoice, JoinError, JoinOffer, Joined, JoinedState, Meets, join,
};
use cloakroom::app::transfer::manage;
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::share::{self, ShareRequest};
use cloakroom::app::words::message::{Remedy, UserMessage};
use cloakroom::app::words::who_saw_what::RequestShown;
use cloakroom::protocol::capability::AccessWord;
use cloakroom::protocol::invitation::{Invitation, InvitationParts, Purpose};
use cloakroom::protocol::keys::Ed25519Public;
use cloakroom::protocol::network::JoinRule;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::ListRefused;
use cloakroom::server::network::command::{NetworkAnswer, NetworkCommand};
use cloakroom::wire::random;
use tempfile::TempDir;

use super::world::{HOUR, Member, START, World, identity, key, wait_for};

/// Somebody with a folder of settings and data.
struct Person {
    folder: TempDir,
    client: Client,
    context: CallContext,
}

impl Person {
    fn new(world: &World) -> Self {
        Self::with(world, Settings::default())
    }

    fn with(world: &World, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::in_folder(folder.path());
        let clock = Arc::clone(&world.now);
        let clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let client = Client::of(Program::with_clock(home, settings, clock));
        Self {
            folder,
            client,
            context: CallContext::default(),
        }
    }

    fn offer(&self, invitation: Invitation) -> Result<JoinOffer, JoinError> {
        let settings = self.client.program().settings();
        let now = self.client.program().now();
        JoinOffer::look(invitation, settings, now, &mut random::system())
    }

    /// Joins, and goes by the changed settings from then on.
    async fn join(&mut self, invitation: Invitation) -> Result<Joined, AppError> {
        self.join_as(invitation, JoinChoice::default()).await
    }

    async fn join_as(
        &mut self,
        invitation: Invitation,
        choice: JoinChoice,
    ) -> Result<Joined, AppError> {
        let offer = self.offer(invitation)?;
        let joined = join(&self.client, &offer, choice, &self.context).await?;
        let mut settings = self.settings().clone();
        let changes = joined.changes.iter();
        changes.for_each(|change| settings.apply(change));
        self.client = self.client.with_settings(settings);
        Ok(joined)
    }

    fn settings(&self) -> &Settings {
        self.client.program().settings()
    }

    async fn share(&self, content: &[u8]) -> Result<Pointer, AppError> {
        let file = self.folder.path().join("photo.jpg");
        fs::write(&file, content).unwrap();
        let call = self.client.call(Destination::Chosen, &self.context).await?;
        let shared = share::share(&call, ShareRequest::new(vec![file])).await?;
        Ok(shared.pointer)
    }

    async fn get(&self, pointer: Pointer) -> Result<Vec<u8>, AppError> {
        let source = Destination::SourceOf(&pointer);
        let call = self.client.call(source, &self.context).await?;
        let request = GetRequest {
            pointer,
            target: SaveTo::Folder(self.folder.path().to_owned())
                .prepare(&[])
                .unwrap(),
            tell_sender: false,
            choice: Choice::All,
        };
        let fetched = get::get(&call, request).await?;
        Ok(fs::read(fetched.path).unwrap())
    }

    /// The relays that were asked, each once, and whether all requests went over three.
    fn asked(&self) -> Vec<Ed25519Public> {
        let requests: Vec<RequestShown> = self.context.log.requests();
        let tries = requests.iter().flat_map(|request| &request.attempts);
        let mut keys: Vec<_> = tries
            .flat_map(|attempt| {
                let path = attempt
                    .path
                    .as_ref()
                    .expect("every request goes over relays");
                path.relays().map(|relay| relay.key)
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn list(&self) -> (ListState, usize, Option<usize>) {
        let network = network();
        let now = self.client.program().now();
        let relays = Relays::of(self.client.program().home());
        let view = relays.view_network(&network, now).unwrap();
        let count = view.source.list.map_or(0, |list| list.relays.len());
        let waiting = view.waiting.map(|list| list.relays.len());
        (view.source.state, count, waiting)
    }
}

fn network() -> NetworkId {
    NetworkId {
        server: identity(200).public(),
        list: identity(201).public(),
    }
}

/// A network with relays of these seeds, which all have the list.
async fn network_of(seeds: std::ops::RangeInclusive<u8>) -> (World, Vec<Member>) {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in seeds {
        relays.push(world.join(seed).await);
    }
    world.hand_out_list_of(relays.len(), &relays).await;
    (world, relays)
}

/// An invitation that says something else than the server's.
fn changed(invitation: &Invitation, change: impl FnOnce(&mut InvitationParts)) -> Invitation {
    let parts = invitation.parts();
    let mut changed = InvitationParts {
        server: parts.server.clone(),
        list_key: parts.list_key,
        relays: parts.relays.clone(),
        name: parts.name.clone(),
        expires: parts.expires,
        list_url: None,
        purpose: Purpose::Use { access_word: None },
    };
    change(&mut changed);
    Invitation::new(changed).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friend_joins_shares_and_invites_a_friend_who_receives() {
    let (world, _relays) = network_of(1..=5).await;
    let mut friend = Person::new(&world);
    let invitation = world.friends().await.unwrap();
    let invited: Vec<_> = invitation.parts().relays.iter().map(|it| it.key).collect();
    let offer = friend.offer(world.friends().await.unwrap()).unwrap();
    assert_eq!(offer.name(), "Ann's friends");
    assert_eq!(offer.meets(), &Meets::Nothing);
    assert!(offer.is_in_own_network() && friend.asked().is_empty());

    let joined = friend.join(invitation).await.unwrap();
    assert!(matches!(joined.state, JoinedState::Works(_)));
    assert_eq!(joined.relays, 5);
    let (name, server) = ("Ann's friends", world.address());
    let entry = friend.settings().servers.first().unwrap();
    assert_eq!((entry.name.as_str(), &entry.address), (name, server));
    assert_eq!(
        friend.settings().chosen,
        ServerChoice::Server(server.clone())
    );
    // Nobody but the relays of the invitation was contacted for it.
    let asked = friend.asked();
    assert!(asked.len() >= 3 && asked.iter().all(|key| invited.contains(key)));

    let pointer = friend.share(b"a photo").await.unwrap();
    let relays = Relays::of(friend.client.program().home());
    let onward = relays
        .invite(
            friend.client.program(),
            &friend.settings().servers[0],
            false,
            HOUR,
        )
        .unwrap();
    let paste = format!(
        "Look:\n{}\n{}\n",
        onward.to_text().as_str(),
        pointer.to_text().as_str()
    );
    let mut other = Person::new(&world);
    let pointer = Pointer::find(&paste).unwrap();
    let refused = other.get(Pointer::find(&paste).unwrap()).await.unwrap_err();
    assert!(matches!(refused, AppError::ForeignBuiltIn), "{refused}");
    let now = other.client.program().now();
    let joined = other.join(Invitation::find(&paste, now).unwrap()).await;
    assert!(matches!(joined.unwrap().state, JoinedState::Works(_)));
    assert_eq!(other.get(pointer).await.unwrap(), b"a photo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friend_joins_and_shares_the_moment_there_is_an_invitation() {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=3 {
        relays.push(world.join(seed).await);
    }
    // No time passes: the first two asked for the list before there was one.
    let mut friend = Person::new(&world);
    let joined = friend.join(world.friends().await.unwrap()).await.unwrap();
    assert!(matches!(joined.state, JoinedState::Works(_)));
    let pointer = friend.share(b"a photo").await.unwrap();
    assert_eq!(friend.get(pointer).await.unwrap(), b"a photo");

    // Two more come: the list has them from the next hour on, and so has an invitation. Whoever has that list goes over them
    // at once.
    for seed in 4..=5 {
        relays.push(world.join(seed).await);
    }
    let early = world.friends().await.unwrap();
    assert_eq!(early.parts().relays.len(), 3);
    world.pass(HOUR);
    wait_for("the list of five", || async { world.listed().await == 5 }).await;
    let mut other = Person::new(&world);
    let invitation = world.friends().await.unwrap();
    assert_eq!(invitation.parts().relays.len(), 5);
    let joined = other.join(invitation).await.unwrap();
    assert!(matches!(joined.state, JoinedState::Works(_)));
    other.share(b"a photo").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_renews_a_membership_and_never_takes_a_servers_relays_by_itself() {
    let (world, _relays) = network_of(1..=3).await;
    let server = world.address().clone();
    let by_hand = Settings {
        servers: vec![ServerEntry::new("by hand", server.clone()).through(RelaySource::Session)],
        chosen: ServerChoice::Server(server.clone()),
        ..Settings::default()
    };
    let mut friend = Person::with(&world, by_hand.clone());
    let refused = friend
        .join(world.friends().await.unwrap())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&refused, AppError::Join(JoinError::OtherRelays(name)) if name == "by hand"),
        "{refused}"
    );
    assert_eq!(friend.settings(), &by_hand);
    assert!(friend.asked().is_empty());
    let choice = JoinChoice {
        replace: true,
        ..JoinChoice::default()
    };
    let invitation = world.friends().await.unwrap();
    friend.join_as(invitation, choice).await.unwrap();
    let [entry] = &friend.settings().servers[..] else {
        panic!("one server");
    };
    assert_eq!(entry.name, "by hand");
    assert_eq!(entry.relays, Some(RelaySource::Network(network())));

    // A later invitation has the access word; what the person called the network stays.
    let word = AccessWord::parse("sesame").ok();
    let renewed = changed(&world.friends().await.unwrap(), |parts| {
        parts.name = "Other".to_owned();
        parts.purpose = Purpose::Use {
            access_word: word.clone(),
        };
    });
    assert_eq!(
        friend.offer(renewed).unwrap().meets(),
        &Meets::Member(server)
    );
    let renewed = changed(&world.friends().await.unwrap(), |parts| {
        parts.purpose = Purpose::Use {
            access_word: word.clone(),
        };
    });
    friend.join(renewed).await.unwrap();
    friend.join(world.friends().await.unwrap()).await.unwrap();
    let [entry] = &friend.settings().servers[..] else {
        panic!("one server");
    };
    assert_eq!(
        (entry.name.as_str(), &entry.access_word),
        ("by hand", &word)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_hands_on_under_another_key_is_refused_and_leaves_nothing() {
    let (world, _relays) = network_of(1..=3).await;
    let mut friend = Person::new(&world);
    let forged = changed(&world.friends().await.unwrap(), |parts| {
        parts.list_key = identity(77).public();
    });
    let refused = friend.join(forged).await.err().unwrap();
    let wrongly = RelaySourceError::Refused(ListRefused::WronglySigned);
    assert!(
        matches!(&refused, AppError::RelaySource(why) if *why == wrongly),
        "{refused}"
    );
    assert_eq!(friend.settings(), &Settings::default());
    let kept = fs::read_to_string(friend.folder.path().join("network-lists.json")).unwrap();
    assert!(!kept.contains("first_relays"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_access_word_is_refused_and_a_missing_one_lets_receive() {
    let word = AccessWord::parse("sesame").unwrap();
    let world = World::start_with(JoinRule::Open, |config| {
        config.settings.access_word = Some(word.clone());
    })
    .await;
    let mut relays = Vec::new();
    for seed in 1..=3 {
        relays.push(world.join(seed).await);
    }
    world.hand_out_list_of(3, &relays).await;
    let invitation = world.friends().await.unwrap();
    let with = |word: Option<&str>| {
        changed(&invitation, |parts| {
            let access_word = word.and_then(|word| AccessWord::parse(word).ok());
            parts.purpose = Purpose::Use { access_word };
        })
    };
    let mut friend = Person::new(&world);
    let refused = friend.join(with(Some("other"))).await.err().unwrap();
    assert!(
        matches!(refused, AppError::Join(JoinError::WrongAccessWord)),
        "{refused}"
    );
    let joined = friend.join(with(None)).await.unwrap();
    assert!(matches!(
        joined.state,
        JoinedState::OnlyReceives(AppError::Server(ServerRefusal::AccessWord { given: false }))
    ));
    let joined = friend.join(with(Some("sesame"))).await.unwrap();
    assert!(matches!(joined.state, JoinedState::Works(_)));

    // The operator draws another word: members have seven days to get an invitation with it.
    let drawn = world.command(NetworkCommand::NewAccessWord).await;
    let NetworkAnswer::AccessWord { word: drawn } = drawn else {
        panic!("{drawn:?}");
    };
    friend.share(b"a photo").await.unwrap();
    for _day in 0..7 {
        world.pass(24 * HOUR);
        wait_for("the list of the day", || async {
            let now = world.now.load(Ordering::SeqCst);
            let list = world.list().await;
            list.is_some_and(|(list, _)| list.issued + 24 * HOUR > now)
        })
        .await;
    }
    let refused = friend.share(b"a photo").await.err().unwrap();
    let needs_word = ServerRefusal::AccessWord { given: true };
    assert!(matches!(refused, AppError::Server(why) if why == needs_word));
    let invitation = world.friends().await.unwrap();
    let Purpose::Use { access_word } = &invitation.parts().purpose else {
        panic!("an invitation for relays");
    };
    assert_eq!(access_word, &AccessWord::parse(&drawn).ok());
    friend
        .join(Invitation::find(invitation.to_text().as_str(), START).unwrap())
        .await
        .unwrap();
    friend.share(b"a photo").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_whose_relays_do_not_answer_is_saved_and_asked_with_the_first_transfer() {
    let (world, mut relays) = network_of(1..=3).await;
    let invitation = world.friends().await.unwrap();
    let mut ports = Vec::new();
    for (seed, relay) in (1..).zip(relays.drain(..)) {
        ports.push((seed, relay.running.addr().port()));
        relay.die().await;
    }
    let mut friend = Person::new(&world);
    let joined = friend.join(invitation).await.unwrap();
    assert!(matches!(joined.state, JoinedState::NotNow(_)));
    assert_eq!(friend.list(), (ListState::Missing(None), 0, None));
    let failed = friend.share(b"too early").await.err().unwrap();
    assert_eq!(waits(&failed), None, "{failed}");

    for (seed, port) in ports {
        let back = world.relay(seed, seed, |config| config.settings.listen.set_port(port));
        relays.push(back.await);
    }
    // Guards that were silent are tried again after a while.
    world.pass(HOUR);
    friend.share(b"a photo").await.unwrap();
    assert_eq!(friend.list(), (ListState::Good, 3, None));
}

/// Whoever knows the two keys of a network can make an invitation to it.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_does_not_work_takes_nothing_from_a_member() {
    let (world, _relays) = network_of(1..=3).await;
    let mut friend = Person::new(&world);
    friend.join(world.friends().await.unwrap()).await.unwrap();
    let settings = friend.settings().clone();
    let file = friend.folder.path().join("network-lists.json");
    let kept = fs::read(&file).unwrap();
    let dead = changed(&world.friends().await.unwrap(), |parts| {
        let key = parts.server.key.to_hex();
        parts.server = format!("http://127.0.0.1:9#p={key}").parse().unwrap();
        for (seed, relay) in (50..).zip(&mut parts.relays) {
            relay.key = identity(seed).public();
            relay.port = 9;
        }
    });
    let refused = friend.join(dead).await.err().unwrap();
    assert!(matches!(refused, AppError::Transfer(_)), "{refused}");
    assert_eq!(friend.settings(), &settings);
    assert_eq!(fs::read(&file).unwrap(), kept);
    friend.share(b"a photo").await.unwrap();
}

/// The newer list that an error names.
fn waits(error: &AppError) -> Option<&NewerListWaits> {
    match error {
        AppError::Transfer(FailedExchange { waits, .. }) => waits.as_deref(),
        other => panic!("{other}"),
    }
}

/// Relays that stayed in the network do not pass requests on to those that left it.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_over_an_older_list_names_the_newer_one_that_waits() {
    let (world, mut relays) = network_of(1..=5).await;
    let mut friend = Person::new(&world);
    friend.join(world.friends().await.unwrap()).await.unwrap();
    let pointer = || async { friend.share(b"a photo").await.unwrap() };
    let (first, second) = (pointer().await, pointer().await);

    for key in [key(1), key(2), key(3)] {
        world.command(NetworkCommand::Remove { key }).await;
    }
    relays.push(world.join(6).await);
    let gone: Vec<_> = relays.drain(..3).collect();
    world.pass(HOUR);
    wait_for("the list without them", || async {
        world.listed().await == 3
    })
    .await;
    world.pass(HOUR);
    for relay in &relays {
        relay.has_list_of(3).await;
    }
    // An invitation of today leads to the newer list, which is no reason to use it.
    let joined = friend.join(world.friends_when_ready().await).await.unwrap();
    assert!(matches!(joined.state, JoinedState::Works(_)));
    assert_eq!(friend.list(), (ListState::Good, 5, Some(3)));
    for relay in gone {
        relay.die().await;
    }

    let expected = NewerListWaits {
        network: "Ann's friends".to_owned(),
        lacks: ManyGone { gone: 3, before: 5 },
    };
    let failed = friend.share(b"a photo").await.err().unwrap();
    assert_eq!(waits(&failed), Some(&expected), "{failed}");
    let message = UserMessage::from(&failed);
    assert!(message.why.contains("Ann's friends"), "{message:?}");
    assert_eq!(message.remedy, Remedy::NewerList);
    let source = Destination::SourceOf(&first);
    let call = friend.client.call(source, &friend.context).await.unwrap();
    let ended = [
        manage::status(&call, &first).await.map(|_status| ()),
        manage::extend(&call, &first, None)
            .await
            .map(|_extended| ()),
        manage::delete(&call, &first).await.map(|_deleted| ()),
        friend.get(second).await.map(|_content| ()),
    ];
    for ended in ended {
        let failed = ended.unwrap_err();
        assert_eq!(waits(&failed), Some(&expected), "{failed}");
    }

    // Whoever accepts it gets through again. Guards that were silent are tried again after a while.
    let relays = Relays::of(friend.client.program().home());
    let now = friend.client.program().now();
    relays.accept_waiting(&network(), now).unwrap();
    world.pass(HOUR);
    friend.get(first).await.unwrap();
    friend.share(b"a photo").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_ended_is_renewed_over_its_own_relays() {
    let (world, relays) = network_of(1..=5).await;
    let mut friend = Person::new(&world);
    friend.join(world.friends().await.unwrap()).await.unwrap();
    let later = world.join(6).await;
    let days = 20;
    for _day in 0..days {
        world.pass(24 * HOUR);
        wait_for("the list of the day", || async {
            let now = world.now.load(Ordering::SeqCst);
            let list = world.list().await;
            list.is_some_and(|(list, _)| list.issued + 24 * HOUR > now)
        })
        .await;
    }
    for relay in &relays {
        relay.has_list_of(6).await;
    }
    drop(later);
    assert_eq!(friend.list(), (ListState::Ended, 5, None));
    friend.share(b"a photo").await.unwrap();
    assert_eq!(friend.list(), (ListState::Good, 6, None));
    assert!(world.now.load(Ordering::SeqCst) > START + days * 24 * HOUR);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_away_for_100_days_is_led_to_the_newer_list() {
    let (world, _relays) = network_of(1..=3).await;
    let mut friend = Person::new(&world);
    friend.join(world.friends().await.unwrap()).await.unwrap();
    world.pass(100 * 24 * HOUR);
    world.friends_when_ready().await;
    assert_eq!(friend.list(), (ListState::Ended, 3, None));
    friend.share(b"a photo").await.unwrap();
    assert_eq!(friend.list(), (ListState::Good, 3, None));
}

/// Whoever has the key of a server can hand out its older lists; whoever has its name only is another server.
#[tokio::test(flavor = "multi_thread")]
async fn neither_an_older_list_nor_another_server_at_its_address_takes_anything_from_a_member() {
    let (mut world, mut relays) = network_of(1..=3).await;
    let (_, older) = world.list().await.unwrap();
    relays.push(world.join(4).await);
    world.hand_out_list_of(4, &relays).await;
    let mut friend = Person::new(&world);
    friend.join(world.friends().await.unwrap()).await.unwrap();
    let again = world.friends().await.unwrap();
    let settings = friend.settings().clone();
    let newest = (ListState::Good, 4, None);
    assert_eq!(friend.list(), newest);

    let file = world.folder.path().join("older.json");
    fs::write(&file, &older.list).unwrap();
    fs::write(file.with_extension("json.sig"), &older.signature).unwrap();
    world = world
        .replace_server(|config| {
            config.network = None;
            config.settings.relay_list = Some(file);
        })
        .await;
    let (_, handed_out) = world.list().await.unwrap();
    assert_eq!(handed_out, older);
    let joined = friend.join(again).await.unwrap();
    assert!(matches!(joined.state, JoinedState::Works(_)));
    assert_eq!(
        (friend.settings(), friend.list()),
        (&settings, newest.clone())
    );
    friend.share(b"a photo").await.unwrap();

    let _world = world
        .replace_server(|config| {
            config.network = None;
            config.key = identity(210);
        })
        .await;
    let failed = friend.share(b"for the other one").await.err().unwrap();
    assert!(matches!(failed, AppError::Transfer(_)), "{failed}");
    assert_eq!((friend.settings(), friend.list()), (&settings, newest));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shared_is_managed_after_its_network_was_left() {
    let (world, _relays) = network_of(1..=3).await;
    let mut friend = Person::new(&world);
    friend.join(world.friends().await.unwrap()).await.unwrap();
    let pointer = friend.share(b"a photo").await.unwrap();
    let mut settings = friend.settings().clone();
    settings.apply(&Change::RemoveServer(world.address().clone()));
    assert_eq!(settings, Settings::default());
    friend.client = friend.client.with_settings(settings);
    assert_eq!(friend.get(pointer).await.unwrap(), b"a photo");
}
