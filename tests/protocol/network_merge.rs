//! One network, kept by several servers of a bucket: what each of them decided becomes one register, in whatever order they
//! hear of each other.

use std::collections::BTreeSet;

use cloakroom::protocol::capability::{AccessWord, JoinWord};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::network::{
    Admitted, Issue, JoinRefused, JoinStep, ListSigner, NetworkRules, OpenRegisterError,
    ProofOutcome, RegisterSeal, RelayDetails, RelayRegister, RelayState, StoredRegisterError,
};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::network_register::{DAY, HOUR, Network, START, details, key, keys, rules, server};

fn seal() -> RegisterSeal {
    RegisterSeal::of(&server())
}

/// The register as the other servers read it.
fn handed_on(register: &RelayRegister) -> RelayRegister {
    let sealed = seal().seal(register);
    seal().open(&rules(), &sealed.name, &sealed.bytes).unwrap()
}

/// All that other servers read of the register.
fn content(register: &RelayRegister) -> String {
    let bytes = handed_on(register).to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Two servers of one network hear of each other.
fn meet(one: &mut Network, other: &mut Network) {
    let (ours, theirs) = (handed_on(&one.register), handed_on(&other.register));
    one.register.merge(theirs);
    other.register.merge(ours);
    assert_eq!(content(&one.register), content(&other.register));
}

/// A second server, which has read what the first one wrote.
fn another(network: &Network) -> Network {
    Network {
        register: handed_on(&network.register).with_rules(rules()),
        now: network.now,
        rng: ChaCha20Rng::seed_from_u64(2),
    }
}

#[test]
fn relays_that_joined_at_either_server_stand_in_one_list() {
    let mut one = Network::with(3);
    let mut other = another(&one);
    one.join(4).unwrap();
    other.join(5).unwrap();
    meet(&mut one, &mut other);
    for server in [&mut one, &mut other] {
        server.now += HOUR;
        assert_eq!(server.issue(), Issue::New);
        assert_eq!(server.listed(), keys(1..=5));
    }
    // Servers that know the same sign the same.
    let signed = |server: &Network| server.register.signed_list(server.now).cloned();
    assert_eq!(signed(&one), signed(&other));
}

#[test]
fn of_two_lists_of_one_date_the_one_with_the_smaller_hash_counts_everywhere() {
    let mut one = Network::with(3);
    let mut other = another(&one);
    one.join(4).unwrap();
    other.join(5).unwrap();
    for server in [&mut one, &mut other] {
        server.now += HOUR;
        assert_eq!(server.issue(), Issue::New);
    }
    let lists = [&one, &other].map(|server| {
        let signed = server.register.signed_list(server.now).unwrap();
        (
            *Digest::of(signed.list.as_bytes()).as_bytes(),
            signed.clone(),
        )
    });
    meet(&mut one, &mut other);
    let smaller = lists.iter().min_by_key(|list| list.0).unwrap();
    for server in [&mut one, &mut other] {
        // What is missing in it comes with the next hour.
        assert!(matches!(server.issue(), Issue::NextHour { .. }));
        let signed = server.register.signed_list(server.now).unwrap();
        assert_eq!(*signed, smaller.1);
        server.now += HOUR;
        assert_eq!(server.issue(), Issue::New);
        assert_eq!(server.listed(), keys(1..=5));
    }
}

#[test]
fn what_the_operator_decided_last_counts_at_whichever_server() {
    let mut one = Network::with(5);
    let mut other = another(&one);
    one.register.remove(&key(5), one.now);
    other.register.block(&key(4));
    meet(&mut one, &mut other);
    for server in [&one, &other] {
        assert_eq!(server.state(5), Some(RelayState::Removed));
        assert_eq!(server.state(4), Some(RelayState::Blocked));
    }
    assert!(matches!(other.join(5), Err(JoinRefused::Removed)));
    other.register.approve(&key(5), other.now).unwrap();
    meet(&mut one, &mut other);
    assert_eq!(one.state(5), Some(RelayState::Answering));
    // A server that was away brings nothing back.
    let mut late = Network::with(5);
    late.now = one.now;
    meet(&mut one, &mut late);
    assert_eq!(one.state(4), Some(RelayState::Blocked));
}

#[test]
fn a_relay_that_one_server_reaches_stays_and_one_that_none_reaches_leaves_after_48_hours() {
    let mut one = Network::with(5);
    let mut other = another(&one);
    for hour in 1..=48 {
        // Relay 4 answers the second server alone, relay 5 nobody.
        one.hour(&[4, 5]);
        other.hour(&[5]);
        meet(&mut one, &mut other);
        let expected = if hour == 48 {
            RelayState::Silent
        } else {
            RelayState::Missing { hours: hour }
        };
        assert_eq!(one.state(5), Some(expected));
    }
    assert_ne!(one.state(4), Some(RelayState::Silent));
    for server in [&mut one, &mut other] {
        server.now += HOUR;
        server.issue();
        assert_eq!(server.listed(), keys(1..=4));
    }
}

#[test]
fn of_two_relays_that_were_proved_at_one_place_the_one_that_answered_last_is_listed() {
    let mut one = Network::with(3);
    let mut other = another(&one);
    one.prove(4, &details(4)).unwrap();
    other.now += 60;
    other.prove(5, &details(4)).unwrap();
    meet(&mut one, &mut other);
    for server in [&mut one, &mut other] {
        server.now += HOUR;
        assert_eq!(server.issue(), Issue::New);
        assert_eq!(server.listed(), keys([1, 2, 3, 5]));
        // Nobody looks at the other one any more.
        server.hours(48, &[]);
        assert_eq!(server.state(4), Some(RelayState::Silent));
        assert_eq!(server.state(5), Some(RelayState::Answering));
    }
}

#[test]
fn words_that_either_server_drew_are_good_at_both_for_seven_days() {
    let mut one = Network::new(rules());
    let mut other = Network {
        register: RelayRegister::new(rules(), START + 5, &mut ChaCha20Rng::seed_from_u64(9)),
        ..Network::new(rules())
    };
    let (first, second) = (one.word(), other.word());
    assert!(first != second);
    meet(&mut one, &mut other);
    // Both began at once: the word that was drawn last is current.
    assert!(one.word() == second && other.word() == second);
    let drawn = one
        .register
        .new_join_word(one.now + 10, &mut one.rng)
        .clone();
    meet(&mut one, &mut other);
    assert!(other.word() == drawn);
    let lets_in = |server: &mut Network, number: u8, word: &JoinWord| {
        server.now += 60;
        let at_ms = server.now * 1_000;
        let step = server.announce_with(number, &details(number), at_ms, Some(word));
        !matches!(step, Err(JoinRefused::WrongWord))
    };
    for (number, word) in [(1, &first), (2, &second), (3, &drawn)] {
        assert!(lets_in(&mut one, number, word));
        assert!(lets_in(&mut other, number, word));
    }
    one.now += 7 * DAY;
    assert!(!lets_in(&mut one, 4, &first));
    assert!(!lets_in(&mut one, 5, &second));
    assert!(lets_in(&mut one, 6, &drawn));
}

#[test]
fn an_access_word_that_one_server_drew_is_asked_by_the_other() {
    let asked = AccessWord::parse("open sesame").unwrap();
    let rules = || NetworkRules {
        access_word: Some(asked.clone()),
        ..rules()
    };
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut one = RelayRegister::new(rules(), START, &mut rng);
    let sealed = seal().seal(&one);
    let open = |name: &str, bytes: &[u8]| seal().open(&rules(), name, bytes).unwrap();
    let mut other = open(&sealed.name, &sealed.bytes).with_rules(rules());
    let drawn = one.new_access_word(START, &mut rng).unwrap().clone();
    let sealed = seal().seal(&one);
    other.merge(open(&sealed.name, &sealed.bytes));
    assert_eq!(other.access_word(), Some(&drawn));
    assert!(other.lets_upload(Some(&drawn), START));
    assert!(other.lets_upload(Some(&asked), START + 7 * DAY - 1));
    assert!(!other.lets_upload(Some(&asked), START + 7 * DAY));
}

#[test]
fn the_operators_word_about_the_clock_reaches_the_other_server() {
    let mut one = Network::with(3);
    one.now += 40 * DAY;
    one.hours(1, &[]);
    assert_eq!(one.issue(), Issue::New);
    let mut other = another(&one);
    for server in [&mut one, &mut other] {
        server.now -= 40 * DAY;
        server.join(4).unwrap();
        assert_eq!(server.issue(), Issue::ClockBehind);
    }
    one.register.accept_clock(one.now);
    meet(&mut one, &mut other);
    for server in [&mut one, &mut other] {
        server.now += 2 * HOUR;
        assert_eq!(server.issue(), Issue::New);
        assert_eq!(server.listed(), keys(1..=4));
    }
}

#[test]
fn only_servers_with_the_same_keys_read_each_other() {
    let network = Network::with(3);
    let sealed = seal().seal(&network.register);
    let word = network.word().to_hex().to_string();
    for secret in [&*word, &key(1).to_hex()] {
        let secret = secret.as_bytes();
        assert!(!sealed.bytes.windows(secret.len()).any(|at| at == secret));
    }
    assert_eq!(sealed, seal().seal(&handed_on(&network.register)));

    let other_server = RegisterSeal::of(&Identity::from_seed([9; 32]));
    let opened = other_server.open(&rules(), &sealed.name, &sealed.bytes);
    assert_eq!(opened.err(), Some(OpenRegisterError::NotOurs));
    let other_list = NetworkRules {
        signer: ListSigner::Here(Identity::from_seed([9; 32])),
        ..rules()
    };
    let opened = seal().open(&other_list, &sealed.name, &sealed.bytes);
    let refused = OpenRegisterError::Stored(StoredRegisterError::OtherListKey);
    assert_eq!(opened.err(), Some(refused));

    // Whoever keeps the bucket changes nothing, and puts nothing in another's place.
    let mut changed = sealed.clone();
    changed.bytes[7] ^= 1;
    let opened = seal().open(&rules(), &changed.name, &changed.bytes);
    assert_eq!(opened.err(), Some(OpenRegisterError::NotOurs));
    let others = seal().seal(&Network::with(4).register);
    for name in [&*others.name, "", "x", &"0".repeat(64)] {
        let opened = seal().open(&rules(), name, &sealed.bytes);
        assert_eq!(opened.err(), Some(OpenRegisterError::NotOurs), "{name}");
    }
}

/// Something that happens at one server, or between two.
#[derive(Clone, Debug)]
enum Happening {
    Announce { number: u8, at: u8 },
    Approve(u8),
    Block(u8),
    Hour { silent: u8 },
    Meet(usize),
    NewWord,
    Pass { minutes: u8 },
    Remove(u8),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let number = 1_u8..12;
    prop_oneof![
        6 => (number.clone(), 1_u8..14).prop_map(|(number, at)| Happening::Announce { number, at }),
        1 => number.clone().prop_map(Happening::Approve),
        1 => number.clone().prop_map(Happening::Block),
        4 => number.clone().prop_map(|silent| Happening::Hour { silent }),
        2 => (0_usize..3).prop_map(Happening::Meet),
        1 => Just(Happening::NewWord),
        2 => (1_u8..200).prop_map(|minutes| Happening::Pass { minutes }),
        1 => number.prop_map(Happening::Remove),
    ]
}

fn happen(servers: &mut [Network; 3], at: usize, happening: &Happening) {
    let server = &mut servers[at];
    match *happening {
        Happening::Announce { number, at } => {
            let details = RelayDetails {
                port: 8_790 + u16::from(number % 2),
                ..details(at)
            };
            if let Ok(JoinStep::Prove(proof)) = server.announce(number, &details) {
                let passed = ProofOutcome::Passed;
                server.register.on_proof(proof, passed, server.now).ok();
            }
        }
        Happening::Approve(number) => {
            server.register.approve(&key(number), server.now).ok();
        }
        Happening::Block(number) => server.register.block(&key(number)),
        Happening::Hour { silent } => {
            server.now += HOUR;
            if let Some(round) = server.register.begin_round(server.now, &mut server.rng) {
                server.finish(&round, &[silent, silent + 1]);
            }
        }
        Happening::Meet(other) => {
            let theirs = handed_on(&servers[other].register);
            let now = servers[other].now;
            let server = &mut servers[at];
            server.register.merge(theirs);
            // Their clocks show about the same.
            server.now = server.now.max(now);
        }
        Happening::NewWord => {
            server.register.new_join_word(server.now, &mut server.rng);
        }
        Happening::Pass { minutes } => server.now += u64::from(minutes) * 60,
        Happening::Remove(number) => {
            server.register.remove(&key(number), server.now);
        }
    }
    servers[at].register.issue(servers[at].now);
}

proptest! {
    // Each case is many steps, and each step signs or checks something.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happened at three servers, in whatever order they then hear of each other: they end with the same.
    #[test]
    fn merging_knows_no_order(happenings in proptest::collection::vec((0_usize..3, any_happening()), 0..60)) {
        let mut servers = [Network::new(rules()), Network::new(rules()), Network::new(rules())];
        for (at, happening) in &happenings {
            happen(&mut servers, *at, happening);
        }
        let merged = |order: &[usize]| {
            let mut register = handed_on(&servers[order[0]].register);
            for at in &order[1..] {
                register.merge(handed_on(&servers[*at].register));
            }
            content(&register)
        };
        prop_assert_eq!(merged(&[0, 1]), merged(&[1, 0]));
        let all = merged(&[0, 1, 2, 0, 1, 2]);
        for order in [[2, 1, 0, 2, 1, 0], [1, 0, 2, 2, 0, 1], [0, 2, 1, 1, 2, 0]] {
            prop_assert_eq!(&merged(&order), &all);
        }

        // Nobody whom an operator took out is in it, and no address stands twice.
        let mut register = handed_on(&servers[0].register).with_rules(rules());
        for server in &servers[1..] {
            register.merge(handed_on(&server.register));
        }
        let now = servers.iter().map(|server| server.now).max().unwrap() + 2 * HOUR;
        if register.issue(now) == Issue::New {
            let list = register.relay_list(now).unwrap();
            let hosts: BTreeSet<_> = list.relays.iter().map(|relay| relay.host).collect();
            prop_assert_eq!(hosts.len(), list.relays.len());
            for view in register.relays() {
                let out = matches!(view.state, RelayState::Blocked | RelayState::Removed | RelayState::Waiting);
                prop_assert!(!out || list.find(&view.key).is_none());
            }
        }
    }
}

#[test]
fn eight_newcomers_a_day_are_counted_over_all_servers() {
    let mut one = Network::with(3);
    let mut other = another(&one);
    for number in 4..=6 {
        one.join(number).unwrap();
        other.join(number + 3).unwrap();
        one.now += 60;
        other.now += 90;
    }
    meet(&mut one, &mut other);
    let joined = (10..14).filter(|number| {
        one.now += 60;
        one.join(*number) == Ok(Admitted::Listed)
    });
    // Three and six came within the day.
    assert_eq!(joined.count(), 0);
}
