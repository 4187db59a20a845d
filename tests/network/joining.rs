//! Relays that join a network, die, move and come back, and strangers that lie, flood and try to fill the list.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;

use cloakroom::protocol::capability::JoinWord;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::network::{
    Admitted, InviteRefused, JoinAnswer, JoinRefused, JoinRule, ListSigner, NoInvitation,
    RelayDetails, SignedAnnouncement,
};
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList, Serves, sign};
use cloakroom::relay::{Relay, RelayConfig};
use cloakroom::server::network::command::{NetworkAnswer, NetworkCommand};

use super::world::{HOUR, START, World, details_of, identity, key, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn relays_join_one_after_the_other_and_the_server_signs_their_list() {
    let world = World::start(JoinRule::Open).await;
    assert_eq!(
        world.friends().await.err(),
        Some(InviteRefused::TooFew { relays: 0 }.into())
    );
    assert!(world.list().await.is_none());

    let first = world.join(1).await;
    // It serves nobody: the request that proves it goes on to the first one.
    let second = world
        .join_with(2, |config| {
            config.settings.serves = Some(Serves::None);
            config.settings.allow_private = false;
        })
        .await;
    assert_eq!(
        world.friends().await.err(),
        Some(InviteRefused::TooFew { relays: 2 }.into())
    );
    assert!(world.list().await.is_none());
    let third = world.join(3).await;
    // Relays that have no list yet ask for it every minute.
    world.pass(60);
    let mut relays = vec![first, second, third];
    for relay in &relays {
        relay.has_list_of(3).await;
    }
    let (list, _) = world.list().await.unwrap();
    assert_eq!(list.name, "Ann's friends");
    let friends = world.friends().await.unwrap();
    assert_eq!(friends.parts().relays.len(), 3);
    assert_eq!(friends.parts().list_key, identity(201).public());

    // An invitation is for a network that works: a request went over three relays.
    let network = world.server.network().unwrap();
    let first = network.first_invitation().await.unwrap();
    assert!(first.starts_with("cloakin1"));

    // Further relays stand in the list of the next hour.
    for seed in 4..=5 {
        relays.push(world.join(seed).await);
    }
    assert_eq!(world.listed().await, 3);
    world.hand_out_list_of(5, &relays).await;
    let counts = world.server.gauges().relays().unwrap();
    assert_eq!((counts.listed, counts.answering), (5, 5));
    let (list, _) = world.list().await.unwrap();
    let second = list.find(&identity(2).public()).unwrap();
    assert_eq!(second.serves, Serves::None);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_invitation_for_people_while_no_request_comes_back() {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=3 {
        relays.push(world.join(seed).await);
    }
    let lost = relays.pop().unwrap();
    let port = lost.running.addr().port();
    lost.die().await;
    let refused = world.friends().await.err();
    assert_eq!(refused, Some(NoInvitation::NothingCameBack));
    // Relays are invited all the same.
    assert_eq!(world.invitation().parts().relays.len(), 3);
    let back = world.relay(3, 3, |config| config.settings.listen.set_port(port));
    relays.push(back.await);
    let network = world.server.network().unwrap();
    network.first_invitation().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_its_operator_signs_is_handed_out_as_soon_as_it_is_there() {
    let key = identity(202);
    let signed = tempfile::tempdir().unwrap();
    let file = signed.path().join("relays.json");
    let world = World::start_with(JoinRule::Open, |config| {
        let network = config.network.as_mut().unwrap();
        network.signer = ListSigner::Elsewhere(key.public());
        config.settings.relay_list = Some(file.clone());
    })
    .await;
    let mut relays = Vec::new();
    for seed in 1..=3 {
        relays.push(world.join(seed).await);
    }
    assert_eq!(world.friends().await.err(), Some(NoInvitation::NextList));
    let NetworkAnswer::Entries { entries } = world.command(NetworkCommand::Entries).await else {
        panic!("no entries");
    };
    let entries = entries
        .iter()
        .map(|entry| RelayDescriptor::parse(entry).unwrap());
    let now = world.now.load(Ordering::SeqCst);
    let list = RelayList::join("by hand", now, now + 90 * 24 * HOUR, entries.collect()).unwrap();
    let list = list.to_json();
    let hand_over = |signer: &Identity| {
        // The signature first: what is there is never a new list with the signature of the old one.
        fs::write(
            file.with_extension("json.sig"),
            sign(signer, list.as_bytes()),
        )
        .unwrap();
        fs::write(&file, &list).unwrap();
    };
    // Somebody else's is handed out to nobody.
    hand_over(&identity(99));
    world.pass(60);
    assert_eq!(world.listed().await, 0);
    hand_over(&key);
    let invitation = world.friends_when_ready().await;
    assert_eq!(invitation.parts().list_key, key.public());
    let (_, served) = world.list().await.unwrap();
    assert_eq!(served.list, list);
    // Relays that have no list yet ask for it every minute.
    world.pass(60);
    for relay in &relays {
        relay.has_list_of(3).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_died_leaves_after_48_hours_and_comes_back_by_itself() {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=5 {
        relays.push(world.join(seed).await);
    }
    world.hand_out_list_of(5, &relays).await;
    let dead = relays.pop().unwrap();
    let dead_key = dead.key.clone();
    dead.die().await;
    let mut hours = 0;
    while hours < 48 {
        world.pass(HOUR);
        hours += 1;
        let expected = if hours == 48 {
            ("silent".to_owned(), None)
        } else {
            ("missing".to_owned(), Some(hours.to_string()))
        };
        wait_for("the hourly look", || async {
            let states = world.states().await;
            let found = &states[&dead_key];
            (found.state.clone(), found.detail.clone()) == expected
        })
        .await;
        assert!(hours == 48 || world.listed().await == 5, "{hours}");
    }
    wait_for("the list without it", || async {
        world.listed().await == 4
    })
    .await;
    for seed in 1..=4 {
        assert_eq!(world.state(seed).await.as_deref(), Some("answering"));
    }
    // It needs no invitation.
    let back = world.relay(5, 5, |_config| ()).await;
    back.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
    world.pass(HOUR);
    wait_for("the list with it", || async { world.listed().await == 5 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_moves_is_listed_where_it_is_now_also_after_the_server_was_away() {
    let mut world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=4 {
        relays.push(world.join(seed).await);
    }
    world.hand_out_list_of(4, &relays).await;
    relays.pop().unwrap().die().await;
    world.pass(60);
    let moved = world.relay(4, 44, |_config| ()).await;
    moved.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
    world.pass(HOUR);
    let here = IpAddr::from([127, 0, 44, 1]);
    wait_for("the list with the new address", || async {
        let (list, _) = world.list().await.unwrap();
        list.find(&identity(4).public()).unwrap().host == here
    })
    .await;

    // The server was off for twenty days: the same relays, and a newer list at once.
    let (before, signed) = world.list().await.unwrap();
    world.server.stop().await;
    world.now.fetch_add(20 * 24 * HOUR, Ordering::SeqCst);
    let unchanged = |_config: &mut _| ();
    let started = World::serve(world.folder.path(), &world.now, JoinRule::Open, unchanged);
    world.server = started.await;
    wait_for("a newer list", || async { world.list().await.is_some() }).await;
    let (after, newer) = world.list().await.unwrap();
    assert_eq!(after.relays, before.relays);
    assert!(after.issued > before.issued && newer != signed);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_lists_a_relay_that_is_not_where_it_says_or_not_who_it_says() {
    let world = World::start(JoinRule::Open).await;
    let honest = world.join(1).await;
    let word = world.join_word();
    let before = world.states().await;

    // Its own key at the address of another relay.
    world.pass(60);
    let lie = world.announce_as(90, &details_of(&honest), 0).await;
    assert_eq!(lie, JoinAnswer::Refused(JoinRefused::ProofFailed));
    // The key of another relay at its own address: that relay has not signed it.
    let mine = RelayDetails {
        host: [127, 0, 90, 1].into(),
        ..details_of(&honest)
    };
    let at_ms = (START + 2 * HOUR) * 1_000;
    let signed = SignedAnnouncement::sign(&mine, at_ms, &world.address().key, &identity(90));
    let stolen = signed.to_json().replace(&key(90), &key(1));
    assert_eq!(world.announce(Some(word.clone()), &stolen).await.code, 400);
    // A relay of the network that says it is at an address where nobody is, or another relay.
    world.pass(60);
    let elsewhere = world.announce_as(1, &mine, 0).await;
    assert_eq!(elsewhere, JoinAnswer::Refused(JoinRefused::ProofFailed));
    assert_eq!(world.states().await, before);
    // Its operator can see whom the server has refused and why.
    let report = world.report().await;
    assert_eq!(report.failed.len(), 2);
    assert!(report.failed.iter().all(|relay| relay.detail.is_some()));

    // Without the word nothing is tried.
    let signed = SignedAnnouncement::sign(&mine, at_ms, &world.address().key, &identity(91));
    for word in [None, Some(JoinWord::from_bytes([0; 16]))] {
        let response = world.announce(word, &signed.to_json()).await;
        let refused = JoinAnswer::Refused(JoinRefused::WrongWord);
        assert_eq!(JoinAnswer::read(&response), Some(refused));
    }
    for body in ["", "{}", "nonsense"] {
        assert_eq!(world.announce(Some(word.clone()), body).await.code, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_joins_twice_stands_once_and_a_flood_keeps_nobody_out() {
    let world = World::start(JoinRule::Open).await;
    let known = world.join(1).await;
    world.pass(60);
    let listen = SocketAddr::from(([127, 0, 2, 1], 0));
    let mut config = RelayConfig::new(listen, identity(2));
    config.settings.allow_private = true;
    config.network_host = Some("127.0.0.1".to_owned());
    let relay = Relay::start(config).await.unwrap();
    let twice = RelayDetails {
        host: relay.descriptor().host,
        port: relay.descriptor().port,
        operator: String::new(),
        serves: Serves::Hosts(vec!["127.0.0.1".to_owned()]),
    };
    let (one, other) = tokio::join!(
        world.announce_as(2, &twice, 0),
        world.announce_as(2, &twice, 1)
    );
    let listed = JoinAnswer::Admitted(Admitted::Listed);
    assert!(one == listed || other == listed, "{one:?} {other:?}");
    assert_eq!(world.states().await.len(), 2);

    // All that strangers announce from this address within a minute comes to ten announcements and one proof.
    world.pass(60);
    let nowhere = |last: u8| RelayDetails {
        host: [127, 0, 100 + last, 1].into(),
        ..twice.clone()
    };
    let mut looked_at = 0;
    for last in 0..30 {
        let answer = world.announce_as(100 + last, &nowhere(last), 0).await;
        if answer != JoinAnswer::Refused(JoinRefused::TooSoon) {
            assert_eq!(answer, JoinAnswer::Refused(JoinRefused::ProofFailed));
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 1);
    // A relay of the network is heard from the same address.
    let answer = world.announce_as(1, &details_of(&known), 5).await;
    assert_eq!(answer, listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_who_fills_the_list_gets_eight_relays_a_day() {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=8 {
        relays.push(world.join(seed).await);
    }
    world.pass(60);
    let ninth = world.relay(9, 9, |_config| ()).await;
    ninth
        .answered(JoinAnswer::Admitted(Admitted::Waiting))
        .await;
    assert_eq!(world.state(9).await.as_deref(), Some("waiting"));
    // Four of one part of the internet.
    world.pass(24 * HOUR);
    for last in 2..=4 {
        world.pass(60);
        let near = world
            .relay(20 + last, 1, |config| {
                config.settings.listen = SocketAddr::from(([127, 0, 1, last], 0));
            })
            .await;
        near.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
        relays.push(near);
    }
    world.pass(60);
    let fifth = world
        .relay(30, 1, |config| {
            config.settings.listen = SocketAddr::from(([127, 0, 1, 5], 0));
        })
        .await;
    fifth
        .answered(JoinAnswer::Refused(JoinRefused::SubnetFull))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_decides_and_the_relay_is_told() {
    let world = World::start(JoinRule::Ask).await;
    let mut relays = Vec::new();
    for seed in 1..=4 {
        world.pass(60);
        let relay = world.relay(seed, seed, |_config| ()).await;
        relay
            .answered(JoinAnswer::Admitted(Admitted::Waiting))
            .await;
        let key = relay.key.clone();
        let approved = world.command(NetworkCommand::Approve { key }).await;
        assert_eq!(
            approved,
            NetworkAnswer::Done {
                listed: seed.into()
            }
        );
        relays.push(relay);
    }
    world.hand_out_list_of(4, &relays).await;
    let key = relays[3].key.clone();
    let removed = world
        .command(NetworkCommand::Remove { key: key.clone() })
        .await;
    assert_eq!(removed, NetworkAnswer::Done { listed: 3 });
    world.pass(6 * HOUR);
    relays[3]
        .answered(JoinAnswer::Refused(JoinRefused::Removed))
        .await;
    wait_for("the list without it", || async {
        world.listed().await == 3
    })
    .await;
    // It goes on trying, and is told when it is in again.
    let approved = world
        .command(NetworkCommand::Approve { key: key.clone() })
        .await;
    assert_eq!(approved, NetworkAnswer::Done { listed: 4 });
    relays[3].events.lock().unwrap().clear();
    world.pass(HOUR);
    relays[3]
        .answered(JoinAnswer::Admitted(Admitted::Listed))
        .await;
    let blocked = world
        .command(NetworkCommand::Block { key: key.clone() })
        .await;
    assert_eq!(blocked, NetworkAnswer::Done { listed: 3 });
    world.pass(6 * HOUR);
    relays[3]
        .answered(JoinAnswer::Refused(JoinRefused::Blocked))
        .await;
    let unknown = NetworkCommand::Remove {
        key: "00".to_owned(),
    };
    assert_eq!(world.command(unknown).await, NetworkAnswer::Unknown);

    // The word of an old invitation is good for seven days more.
    let old = world.join_word();
    let drawn = world.command(NetworkCommand::NewJoinWord).await;
    assert_eq!(drawn, NetworkAnswer::Done { listed: 3 });
    assert_ne!(world.join_word(), old);
    world.pass(7 * 24 * HOUR);
    let signed = SignedAnnouncement::sign(
        &details_of(&relays[0]),
        (world.now.load(Ordering::SeqCst)) * 1_000,
        &world.address().key,
        &identity(99),
    );
    let response = world.announce(Some(old), &signed.to_json()).await;
    let refused = JoinAnswer::Refused(JoinRefused::WrongWord);
    assert_eq!(JoinAnswer::read(&response), Some(refused));
}
