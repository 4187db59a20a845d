//! The list that keeps itself, on virtual time: who joins and how, who leaves, when a list is signed, what floods and wrong
//! clocks do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::capability::{AccessWord, JoinWord};
use cloakroom::protocol::file_api::SignedList;
use cloakroom::protocol::invitation::{Invitation, Purpose};
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::network::{
    Admitted, AnnouncementError, ApproveError, InviteRefused, Issue, JoinRefused, JoinRule,
    JoinStep, ListSigner, LookRound, NetworkRules, NoAccessWord, NoInvitation, PendingProof,
    ProofOutcome, ProofRoute, RelayDetails, RelayRegister, RelayState, RoundOutcome,
    SignedAnnouncement, StoredRegisterError, next_at_ms,
};
use cloakroom::protocol::path::{Allowance, Drawing, RelayMemory};
use cloakroom::protocol::relay_list::{
    HeldList, ListRefused, OfferOutcome, RelayDescriptor, RelayList, Serves, sign,
};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;

pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 24 * HOUR;
/// A whole hour.
pub(super) const START: u64 = 1_790_002_800;
const HOST: &str = "files.example.org";

pub(super) fn server() -> Identity {
    Identity::from_seed([200; 32])
}

pub(super) fn list_key() -> Identity {
    Identity::from_seed([201; 32])
}

pub(super) fn rules() -> NetworkRules {
    NetworkRules {
        server: ServerAddress {
            url: format!("http://{HOST}:8787").parse().unwrap(),
            key: server().public(),
        },
        signer: ListSigner::Here(list_key()),
        name: "Ann's friends".to_owned(),
        access_word: None,
        joining: JoinRule::Open,
        allow_private: false,
    }
}

pub(super) fn relay(number: u8) -> Identity {
    Identity::from_seed([number; 32])
}

pub(super) fn key(number: u8) -> Ed25519Public {
    relay(number).public()
}

/// Each relay in a part of the internet of its own.
pub(super) fn details(number: u8) -> RelayDetails {
    RelayDetails {
        host: IpAddr::from([8, 8, number, 1]),
        port: 8_790,
        operator: format!("operator {number}"),
        serves: Serves::Hosts(vec![HOST.to_owned()]),
    }
}

/// Where a proof comes from: nobody asks twice within a minute.
pub(super) fn source(number: u8) -> IpAddr {
    details(number).host
}

/// A network on virtual time.
pub(super) struct Network {
    pub(super) register: RelayRegister,
    pub(super) now: u64,
    pub(super) rng: ChaCha20Rng,
}

impl Network {
    pub(super) fn new(rules: NetworkRules) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        Self {
            register: RelayRegister::new(rules, START, &mut rng),
            now: START,
            rng,
        }
    }

    /// A network with the relays 1 to `count`, all listed and the list signed.
    pub(super) fn with(count: u8) -> Self {
        let mut network = Self::new(rules());
        for number in 1..=count {
            assert_eq!(network.join(number), Ok(Admitted::Listed));
            if number % 8 == 0 {
                network.now += DAY;
            }
        }
        network.now += HOUR;
        network.register.issue(network.now);
        network
    }

    pub(super) fn word(&self) -> JoinWord {
        self.register.join_word().clone()
    }

    pub(super) fn announce_with(
        &mut self,
        number: u8,
        details: &RelayDetails,
        at_ms: u64,
        word: Option<&JoinWord>,
    ) -> Result<JoinStep, JoinRefused> {
        self.announce_from(source(number), number, details, at_ms, word)
    }

    pub(super) fn announce_from(
        &mut self,
        source: IpAddr,
        number: u8,
        details: &RelayDetails,
        at_ms: u64,
        word: Option<&JoinWord>,
    ) -> Result<JoinStep, JoinRefused> {
        let signed = SignedAnnouncement::sign(details, at_ms, &server().public(), &relay(number));
        let announcement = signed.verify(&server().public()).unwrap();
        self.register
            .on_announcement(announcement, word, source, self.now)
    }

    pub(super) fn announce(
        &mut self,
        number: u8,
        details: &RelayDetails,
    ) -> Result<JoinStep, JoinRefused> {
        let word = self.word();
        self.announce_with(number, details, self.now * 1_000, Some(&word))
    }

    pub(super) fn pending(&mut self, number: u8, details: &RelayDetails) -> PendingProof {
        match self.announce(number, details).unwrap() {
            JoinStep::Prove(proof) => proof,
            JoinStep::Known(place) => panic!("{number} is {place:?} without a proof"),
        }
    }

    pub(super) fn prove(
        &mut self,
        number: u8,
        details: &RelayDetails,
    ) -> Result<Admitted, JoinRefused> {
        match self.announce(number, details)? {
            JoinStep::Known(place) => Ok(place),
            JoinStep::Prove(proof) => self
                .register
                .on_proof(proof, ProofOutcome::Passed, self.now),
        }
    }

    pub(super) fn join(&mut self, number: u8) -> Result<Admitted, JoinRefused> {
        self.prove(number, &details(number))
    }

    /// One hour passes, and all relays but those of `silent` answer.
    pub(super) fn hour(&mut self, silent: &[u8]) -> RoundOutcome {
        self.now += HOUR;
        let round = self.round();
        self.finish(&round, silent)
    }

    pub(super) fn finish(&mut self, round: &LookRound, silent: &[u8]) -> RoundOutcome {
        let silent: Vec<_> = silent.iter().map(|number| key(*number)).collect();
        let answered = round.looks().iter().map(|look| look.relay.key);
        let answered: BTreeSet<_> = answered.filter(|key| !silent.contains(key)).collect();
        self.register.finish_round(round, &answered, self.now)
    }

    pub(super) fn round(&mut self) -> LookRound {
        self.register.begin_round(self.now, &mut self.rng).unwrap()
    }

    pub(super) fn hours(&mut self, count: u64, silent: &[u8]) {
        for _ in 0..count {
            self.hour(silent);
        }
    }

    pub(super) fn issue(&mut self) -> Issue {
        self.register.issue(self.now)
    }

    pub(super) fn list(&self) -> RelayList {
        self.register.relay_list(self.now).unwrap().clone()
    }

    pub(super) fn listed(&self) -> BTreeSet<Ed25519Public> {
        self.list().relays.iter().map(|relay| relay.key).collect()
    }

    pub(super) fn state(&self, number: u8) -> Option<RelayState> {
        let relays = self.register.relays();
        let found = relays.iter().find(|view| view.key == key(number));
        found.map(|view| view.state)
    }

    pub(super) fn restart(&mut self) {
        let bytes = self.register.to_bytes();
        self.register = RelayRegister::from_bytes(rules(), &bytes).unwrap();
    }
}

pub(super) fn keys(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<Ed25519Public> {
    numbers.into_iter().map(key).collect()
}

#[test]
fn a_published_announcement_is_made_and_verified() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/networks.json")).unwrap();
    let vector = &vectors["join_entry"];
    let unhex = |text: &Value| {
        data_encoding::HEXLOWER
            .decode(text.as_str().unwrap().as_bytes())
            .unwrap()
    };
    let server = Ed25519Public::from_hex(vector["server"].as_str().unwrap()).unwrap();
    let identity = Identity::from_seed(unhex(&vector["relay_seed"]).try_into().unwrap());
    let details = RelayDetails {
        host: [203, 0, 113, 1].into(),
        port: 8_790,
        operator: "Ben".to_owned(),
        serves: Serves::Hosts(vec![HOST.to_owned()]),
    };
    let signed = SignedAnnouncement::sign(&details, 1_790_000_000_123, &server, &identity);
    let body: Value = serde_json::from_str(&signed.to_json()).unwrap();
    assert_eq!(body["entry"], vector["entry"]);
    assert_eq!(body["signature"], vector["sig"]);
    let read = SignedAnnouncement::parse(signed.to_json().as_bytes()).unwrap();
    let announcement = read.verify(&server).unwrap();
    assert_eq!(*announcement.key(), identity.public());
    assert_eq!(*announcement.details(), details);
    assert_eq!(announcement.at_ms(), 1_790_000_000_123);
}

#[test]
fn nobody_announces_another_relay_or_to_another_server() {
    let signed = SignedAnnouncement::sign(&details(1), 1, &server().public(), &relay(1));
    assert!(signed.verify(&server().public()).is_ok());
    let other_server = signed.verify(&key(9));
    assert_eq!(other_server, Err(AnnouncementError::WronglySigned));

    // The key of relay 2 at an address of relay 1, signed by relay 1.
    let stolen = signed.to_json().replace(&key(1).to_hex(), &key(2).to_hex());
    let stolen = SignedAnnouncement::parse(stolen.as_bytes()).unwrap();
    let verified = stolen.verify(&server().public());
    assert_eq!(verified, Err(AnnouncementError::WronglySigned));
}

#[test]
fn bodies_that_are_no_announcements_are_named() {
    let good = SignedAnnouncement::sign(&details(1), 1, &server().public(), &relay(1)).to_json();
    let error = |body: &str| {
        SignedAnnouncement::parse(body.as_bytes())
            .and_then(|signed| signed.verify(&server().public()))
            .unwrap_err()
    };
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        error(&good.replace(from, to))
    };
    assert!(matches!(error(""), AnnouncementError::Malformed(_)));
    assert!(matches!(error("{}"), AnnouncementError::Malformed(_)));
    for (from, to) in [
        ("8790", "0"),
        ("8.8.1.1", "files.example.org"),
        ("operator 1", &"o".repeat(65)),
        (r#"[\"files.example.org\"]"#, r#"\"all\""#),
        (&key(1).to_hex(), &"0".repeat(64)),
    ] {
        assert!(
            matches!(with(from, to), AnnouncementError::Field(_)),
            "{to}"
        );
    }
    let spaced = with(r#"\"port\":"#, r#"\"port\": "#);
    assert_eq!(spaced, AnnouncementError::NotCanonical);
    let unknown = with(r#",\"at\""#, r#",\"more\":1,\"at\""#);
    assert!(matches!(unknown, AnnouncementError::Malformed(_)));
    let long = with("files.example.org", &"a".repeat(1_024));
    assert_eq!(long, AnnouncementError::TooLong);
    let short_signature = good.replace(r#""signature":""#, r#""signature":"00"#);
    assert!(matches!(
        error(&short_signature),
        AnnouncementError::Field(_)
    ));
}

#[test]
fn announcements_are_later_than_the_last_one_whatever_the_clock_says() {
    assert_eq!(next_at_ms(None, 5), 5);
    assert_eq!(next_at_ms(Some(3), 5), 5);
    assert_eq!(next_at_ms(Some(5), 5), 6);
    assert_eq!(next_at_ms(Some(9), 5), 10);
}

#[test]
fn the_third_relay_makes_the_first_list_and_clients_take_it() {
    let mut network = Network::new(rules());
    for number in 1..=2 {
        assert_eq!(network.join(number), Ok(Admitted::Listed));
        let relays = number.into();
        assert_eq!(network.issue(), Issue::TooFew { relays });
        assert!(network.register.signed_list(network.now).is_none());
    }
    network.join(3).unwrap();
    network.now += 59 * 60;
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.issue(), Issue::Unchanged);
    let list = network.list();
    assert_eq!((list.issued, list.expires), (START, START + 14 * DAY));
    assert_eq!(list.name, "Ann's friends");
    assert_eq!(network.listed(), keys(1..=3));

    let signed = network.register.signed_list(network.now).unwrap();
    let mut held = HeldList::new(list_key().public());
    let offered = held.offer(signed.list.as_bytes(), Some(&signed.signature), network.now);
    assert_eq!(offered, Ok(OfferOutcome::New));
    assert_eq!(held.usable(network.now), Some(&list));
}

#[test]
fn a_list_is_signed_daily_and_lasts_fourteen_days() {
    let mut network = Network::with(3);
    let first = network.list().issued;
    network.now = first + DAY - 1;
    assert_eq!(network.issue(), Issue::Unchanged);
    network.now = first + DAY;
    assert_eq!(network.issue(), Issue::New);
    let issued = network.list().issued;
    assert_eq!(issued, first + DAY);
    assert!(
        network
            .register
            .signed_list(issued + 14 * DAY - 1)
            .is_some()
    );
    assert!(network.register.signed_list(issued + 14 * DAY).is_none());
}

#[test]
fn two_changes_within_an_hour_make_no_two_lists_of_one_date() {
    let mut network = Network::with(3);
    let first = network.list();
    network.join(4).unwrap();
    network.now += 600;
    assert_eq!(network.issue(), Issue::NextHour { secs: 3_000 });
    assert_eq!(network.list(), first);
    network.now += 3_000;
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.listed(), keys(1..=4));
}

#[test]
fn a_list_names_only_the_network_s_own_host() {
    let mut network = Network::new(rules());
    let serves = [
        Serves::Any,
        Serves::Hosts(vec!["other.example".to_owned(), HOST.to_uppercase()]),
        Serves::Hosts(vec!["other.example".to_owned()]),
    ];
    for (number, serves) in (1..).zip(serves) {
        let details = RelayDetails {
            serves,
            ..details(number)
        };
        network.prove(number, &details).unwrap();
    }
    network.issue();
    let list = network.list();
    let serves = |number| list.find(&key(number)).unwrap().serves.clone();
    let ours = Serves::Hosts(vec![HOST.to_owned()]);
    assert_eq!(serves(1), ours);
    assert_eq!(serves(2), ours);
    assert_eq!(serves(3), Serves::None);
}

#[test]
fn joining_takes_the_join_word_and_staying_does_not() {
    let mut network = Network::new(rules());
    let wrong = JoinWord::from_bytes([0; 16]);
    for word in [None, Some(&wrong)] {
        let refused = network.announce_with(1, &details(1), network.now * 1_000, word);
        assert_eq!(refused.unwrap_err(), JoinRefused::WrongWord);
    }
    network.join(1).unwrap();
    network.now += HOUR;
    let known = network.announce_with(1, &details(1), network.now * 1_000, None);
    assert!(matches!(known, Ok(JoinStep::Known(Admitted::Listed))));
}

#[test]
fn an_old_join_word_is_good_for_seven_days() {
    let mut network = Network::new(rules());
    let old = network.word();
    network
        .register
        .new_join_word(network.now, &mut network.rng);
    assert_ne!(network.word(), old);
    network.restart();
    let mut with_old = |number, now| {
        network.now = now;
        network
            .announce_with(number, &details(number), now * 1_000, Some(&old))
            .map(drop)
    };
    assert_eq!(with_old(1, START + 7 * DAY - 1), Ok(()));
    assert_eq!(with_old(2, START + 7 * DAY), Err(JoinRefused::WrongWord));
}

#[test]
fn a_relay_that_fails_its_proof_is_not_listed_and_one_that_lies_about_its_address_stays_where_it_was()
 {
    let mut network = Network::new(rules());
    let proof = network.pending(1, &details(1));
    assert_eq!(proof.relay(), details(1).describe(key(1)));
    assert_eq!(*proof.route(), ProofRoute::Alone);
    let failed = network
        .register
        .on_proof(proof, ProofOutcome::Failed, network.now);
    assert_eq!(failed, Err(JoinRefused::ProofFailed));
    assert!(network.register.relays().is_empty());

    let mut network = Network::with(3);
    network.now += HOUR;
    let elsewhere = RelayDetails {
        host: [9, 9, 9, 9].into(),
        ..details(1)
    };
    let proof = network.pending(1, &elsewhere);
    let failed = network
        .register
        .on_proof(proof, ProofOutcome::Failed, network.now);
    assert_eq!(failed, Err(JoinRefused::ProofFailed));
    network.issue();
    assert_eq!(network.list().find(&key(1)).unwrap().host, details(1).host);
}

#[test]
fn a_change_of_address_is_proved_and_listed_and_an_old_announcement_does_not_undo_it() {
    let mut network = Network::with(3);
    network.now += HOUR;
    let moved = RelayDetails {
        host: [9, 9, 9, 9].into(),
        port: 443,
        ..details(1)
    };
    assert_eq!(network.prove(1, &moved), Ok(Admitted::Listed));
    assert_eq!(network.issue(), Issue::New);
    let listed = network.list().find(&key(1)).unwrap().clone();
    assert_eq!((listed.host, listed.port), (moved.host, 443));

    for at_ms in [START * 1_000, network.now * 1_000] {
        let stale = network.announce_with(1, &details(1), at_ms, None);
        assert_eq!(stale.unwrap_err(), JoinRefused::Stale);
    }
}

#[test]
fn another_name_of_the_operator_needs_no_proof() {
    let mut network = Network::with(3);
    network.now += HOUR;
    let renamed = RelayDetails {
        operator: "Ben".to_owned(),
        ..details(1)
    };
    let step = network.announce(1, &renamed);
    assert!(matches!(step, Ok(JoinStep::Known(Admitted::Listed))));
    network.issue();
    assert_eq!(network.list().find(&key(1)).unwrap().operator, "Ben");
}

#[test]
fn a_relay_that_does_not_serve_is_proved_before_one_that_does_and_waits_for_it() {
    let silent_host = RelayDetails {
        serves: Serves::None,
        ..details(1)
    };
    let mut network = Network::new(rules());
    let alone = network.announce(1, &silent_host);
    assert_eq!(alone.unwrap_err(), JoinRefused::NoneServes);
    network.join(2).unwrap();
    let proof = network.pending(1, &silent_host);
    let last = details(2).describe(key(2));
    assert_eq!(*proof.route(), ProofRoute::Before(Box::new(last)));
}

#[test]
fn a_relay_that_joins_twice_stands_once() {
    let mut network = Network::new(rules());
    let first = network.pending(1, &details(1));
    network.now += 60;
    let second = network.pending(1, &details(1));
    let now = network.now;
    let mut passes = |proof| network.register.on_proof(proof, ProofOutcome::Passed, now);
    assert_eq!(passes(second), Ok(Admitted::Listed));
    assert_eq!(passes(first), Err(JoinRefused::Stale));
    assert_eq!(network.register.relays().len(), 1);
}

#[test]
fn one_address_has_one_relay_and_its_newest_key() {
    let mut network = Network::with(3);
    let beside = RelayDetails {
        port: 8_791,
        ..details(1)
    };
    let taken = network.announce(9, &beside);
    assert_eq!(taken.unwrap_err(), JoinRefused::AddressTaken);

    // The operator lost the key: another one answers at the very same place.
    network.now += HOUR;
    assert_eq!(network.prove(9, &details(1)), Ok(Admitted::Listed));
    network.issue();
    assert_eq!(network.listed(), keys([2, 3, 9]));
}

#[test]
fn one_member_with_one_address_takes_no_places_of_others() {
    let mut network = Network::with(3);
    network.now += DAY;
    for number in 100..=150 {
        network.now += 60;
        assert_eq!(network.prove(number, &details(50)), Ok(Admitted::Listed));
    }
    for number in 4..=10 {
        assert_eq!(network.join(number), Ok(Admitted::Listed));
    }
    // The day's places are gone. One address has one place in the queue, too.
    for number in 160..=210 {
        network.now += 60;
        assert_eq!(network.prove(number, &details(51)), Ok(Admitted::Waiting));
        let beside = RelayDetails {
            port: u16::from(number),
            ..details(51)
        };
        let taken = network.announce(number + 1, &beside);
        assert_eq!(taken.unwrap_err(), JoinRefused::AddressTaken);
    }
    for number in 11..=40 {
        assert_eq!(network.join(number), Ok(Admitted::Waiting));
    }
    let known = network.register.relays();
    let in_queue = known
        .iter()
        .filter(|view| view.state == RelayState::Waiting);
    assert_eq!(in_queue.count(), 31);
}

#[test]
fn no_more_than_four_relays_of_one_part_of_the_internet_wait() {
    let mut network = Network::new(NetworkRules {
        joining: JoinRule::Ask,
        ..rules()
    });
    let near = |number| RelayDetails {
        host: [9, 9, 9, number].into(),
        ..details(number)
    };
    for number in 1..=4 {
        let placed = network.prove(number, &near(number));
        assert_eq!(placed, Ok(Admitted::Waiting));
    }
    let fifth = network.prove(5, &near(5));
    assert_eq!(fifth, Err(JoinRefused::SubnetFull));
}

#[test]
fn a_relay_whose_place_another_took_comes_back_without_a_word() {
    let mut network = Network::with(3);
    network.now += HOUR;
    assert_eq!(network.prove(9, &details(1)), Ok(Admitted::Listed));
    assert_eq!(network.state(1), Some(RelayState::Silent));
    network.hours(60, &[1, 9]);
    network.issue();
    assert_eq!(network.listed(), keys([2, 3, 9]), "one relay at an address");
    network.restart();
    let back = network.announce_with(1, &details(20), network.now * 1_000, None);
    let Ok(JoinStep::Prove(proof)) = back else {
        panic!("{back:?}");
    };
    let placed = network
        .register
        .on_proof(proof, ProofOutcome::Passed, network.now);
    assert_eq!(placed, Ok(Admitted::Listed));
}

#[test]
fn no_relay_that_answers_is_thrown_out_by_an_approval() {
    let mut network = Network::with(8);
    network.now -= DAY;
    network.now += HOUR;
    assert_eq!(network.prove(9, &details(50)), Ok(Admitted::Waiting));
    network.now += DAY;
    // Relay 1 moves to the place where relay 9 was proved, then answers there.
    let proof = network.pending(1, &details(50));
    let now = network.now;
    let moved = network.register.on_proof(proof, ProofOutcome::Passed, now);
    assert_eq!(moved, Ok(Admitted::Listed));
    assert_eq!(network.state(9), None, "it cannot answer there any more");

    // One that was taken out is approved after another has come to its place.
    network.register.remove(&key(2), network.now);
    assert_eq!(network.prove(3, &details(2)), Ok(Admitted::Listed));
    assert_eq!(
        network.register.approve(&key(2), network.now),
        Err(ApproveError::NoPlace(JoinRefused::AddressTaken))
    );
    assert_eq!(network.state(3), Some(RelayState::Answering));
}

#[test]
fn a_new_key_at_the_address_of_a_removed_relay_waits() {
    let mut network = Network::with(4);
    network.register.remove(&key(4), network.now);
    network.now += HOUR;
    assert_eq!(network.prove(9, &details(4)), Ok(Admitted::Waiting));
    let beside = RelayDetails {
        port: 8_791,
        ..details(4)
    };
    assert_eq!(
        network.prove(10, &beside),
        Err(JoinRefused::AddressTaken),
        "one at an address waits"
    );
    assert_eq!(network.state(9), Some(RelayState::Waiting));
}

#[test]
fn two_relays_that_are_proved_at_once_do_not_share_an_address() {
    let mut network = Network::with(3);
    let here = |port| RelayDetails {
        host: [9, 9, 9, 9].into(),
        port,
        ..details(8)
    };
    let (one, other) = (network.pending(8, &here(1)), network.pending(9, &here(2)));
    let now = network.now;
    let mut passes = |proof| network.register.on_proof(proof, ProofOutcome::Passed, now);
    assert_eq!(passes(one), Ok(Admitted::Listed));
    assert_eq!(passes(other), Err(JoinRefused::AddressTaken));
}

#[test]
fn addresses_that_are_not_public_are_refused_unless_the_operator_allows_them() {
    let at = |host: &str| RelayDetails {
        host: host.parse().unwrap(),
        ..details(1)
    };
    let mut network = Network::new(rules());
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "::ffff:8.8.8.8",
        "0.0.0.0",
        "224.0.0.1",
    ] {
        let refused = network.announce(1, &at(host));
        assert_eq!(refused.unwrap_err(), JoinRefused::NotPublic, "{host}");
    }
    let mut network = Network::new(NetworkRules {
        allow_private: true,
        ..rules()
    });
    for host in ["0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1"] {
        let refused = network.announce(1, &at(host));
        assert_eq!(refused.unwrap_err(), JoinRefused::NotPublic, "{host}");
    }
    assert_eq!(network.prove(1, &at("127.0.0.1")), Ok(Admitted::Listed));
}

#[test]
fn four_relays_of_one_part_of_the_internet_are_listed_and_no_fifth() {
    let near = |number: u8| RelayDetails {
        host: [9, 9, 9, number].into(),
        ..details(number)
    };
    let mut network = Network::new(rules());
    for number in 1..=4 {
        assert_eq!(network.prove(number, &near(number)), Ok(Admitted::Listed));
    }
    let fifth = network.announce(5, &near(5));
    assert_eq!(fifth.unwrap_err(), JoinRefused::SubnetFull);
    // One of the four moves within its part.
    network.now += HOUR;
    let moved = RelayDetails {
        host: [9, 9, 9, 200].into(),
        ..near(1)
    };
    assert_eq!(network.prove(1, &moved), Ok(Admitted::Listed));
}

#[test]
fn one_source_has_one_proof_a_minute() {
    let mut network = Network::new(rules());
    drop(network.pending(1, &details(1)));
    let again = network.announce(1, &details(1));
    assert_eq!(again.unwrap_err(), JoinRefused::TooSoon);
    // Another source is not held up by it.
    drop(network.pending(2, &details(2)));
    network.now += 60;
    drop(network.pending(1, &details(1)));
    // Nor is anybody by a clock that was set back.
    network.now -= DAY;
    drop(network.pending(1, &details(1)));
}

#[test]
fn no_more_than_sixty_four_newcomers_are_proved_within_a_minute_and_known_relays_beside_them() {
    let mut network = Network::with(3);
    for number in 10..74 {
        drop(network.pending(number, &details(number)));
    }
    let more = network.announce(74, &details(74));
    assert_eq!(more.unwrap_err(), JoinRefused::TooSoon);
    drop(network.pending(1, &details(80)));
}

#[test]
fn a_flood_from_one_source_or_subnet_keeps_nobody_else_out() {
    let mut network = Network::with(3);
    network.now += HOUR;
    let (word, at_ms) = (network.word(), network.now * 1_000);
    let refused = |network: &mut Network, source: [u8; 4], number: u8| {
        let at = RelayDetails {
            port: 1,
            ..details(1)
        };
        let source = IpAddr::from(source);
        let step = network.announce_from(source, number, &at, at_ms, Some(&word));
        step.unwrap_err()
    };
    // Ten are looked at, although none of them can join.
    for number in 100..110 {
        let why = refused(&mut network, [9, 9, 9, 1], number);
        assert_eq!(why, JoinRefused::AddressTaken);
    }
    let why = refused(&mut network, [9, 9, 9, 1], 110);
    assert_eq!(why, JoinRefused::TooSoon);
    let near = |number: u8| RelayDetails {
        host: [9, 9, number, 1].into(),
        ..details(number)
    };
    let mut announce = |source: [u8; 4], number: u8, details: &RelayDetails| {
        let step = network.announce_from(source.into(), number, details, at_ms, Some(&word));
        step.map(drop)
    };
    // The relays of one subnet are proved by fours.
    for last in 2..=5 {
        assert_eq!(announce([9, 9, 9, last], last + 50, &near(last)), Ok(()));
    }
    let too_soon = Err(JoinRefused::TooSoon);
    assert_eq!(announce([9, 9, 9, 6], 56, &near(6)), too_soon);
    assert_eq!(announce([9, 9, 8, 1], 57, &near(7)), Ok(()));
    for _ in 0..40 {
        announce([9, 9, 9, 7], 58, &near(8)).unwrap_err();
    }
    // Relays of the network are looked at whatever comes from the address that they announce themselves from.
    assert_eq!(announce([9, 9, 9, 1], 1, &details(1)), Ok(()));
    assert_eq!(announce([9, 9, 9, 1], 2, &near(9)), Ok(()));
}

#[test]
fn a_relay_that_announces_itself_again_and_again_is_told_to_wait() {
    let mut network = Network::with(3);
    network.now += HOUR;
    let mut known = |more: u64| {
        let at_ms = network.now * 1_000 + more;
        network.announce_with(1, &details(1), at_ms, None).map(drop)
    };
    for more in 0..4 {
        assert_eq!(known(more), Ok(()));
    }
    assert_eq!(known(4), Err(JoinRefused::TooSoon));
    network.now += 60;
    assert_eq!(network.join(1), Ok(Admitted::Listed));
}

#[test]
fn one_member_who_fills_the_list_gets_eight_relays_a_day_and_the_rest_waits() {
    let mut network = Network::new(rules());
    for number in 1..=8 {
        assert_eq!(network.join(number), Ok(Admitted::Listed));
    }
    for number in 9..=40 {
        assert_eq!(network.join(number), Ok(Admitted::Waiting));
    }
    assert_eq!(network.join(41), Err(JoinRefused::Full));
    assert_eq!(network.state(9), Some(RelayState::Waiting));
    assert_eq!(network.register.approve(&key(9), network.now), Ok(()));
    network.now += HOUR;
    network.issue();
    assert_eq!(network.listed(), keys(1..=9));
    // Those that wait stay in the queue; the next day has eight places for others.
    network.now += DAY;
    network.restart();
    assert_eq!(network.join(10), Ok(Admitted::Waiting));
    assert_eq!(network.join(41), Ok(Admitted::Listed));
}

#[test]
fn a_list_has_at_most_two_hundred_relays_and_fits_an_answer() {
    let long = |number: u8| RelayDetails {
        operator: "\"".repeat(64),
        ..details(number)
    };
    let mut network = Network::new(rules());
    let mut listed = 0;
    for number in 1..=199 {
        if number % 8 == 1 {
            network.now += DAY;
        }
        match network.prove(number, &long(number)) {
            Ok(Admitted::Listed) => listed += 1,
            other => {
                assert_eq!(other, Err(JoinRefused::Full), "{number}");
                break;
            }
        }
    }
    assert!((100..199).contains(&listed), "{listed}");
    assert_eq!(network.issue(), Issue::New);
    let signed = network.register.signed_list(network.now).unwrap();
    let mut held = HeldList::new(list_key().public());
    let offered = held.offer(signed.list.as_bytes(), Some(&signed.signature), network.now);
    assert_eq!(offered, Ok(OfferOutcome::New));

    let short = |number: u8| RelayDetails {
        operator: String::new(),
        ..details(number)
    };
    let mut network = Network::new(rules());
    for number in 0..=200 {
        if number % 8 == 0 {
            network.now += DAY;
        }
        // Seeds 200 and 201 belong to the server here.
        let number = if number < 200 { number } else { 255 };
        let joined = network.prove(number, &short(number));
        if number == 255 {
            assert_eq!(joined, Err(JoinRefused::Full));
        } else {
            assert_eq!(joined, Ok(Admitted::Listed), "{number}");
        }
    }
}

#[test]
fn with_approval_every_relay_waits() {
    let mut network = Network::new(NetworkRules {
        joining: JoinRule::Ask,
        ..rules()
    });
    for number in 1..=3 {
        assert_eq!(network.join(number), Ok(Admitted::Waiting));
    }
    assert_eq!(network.issue(), Issue::TooFew { relays: 0 });
    for number in 1..=3 {
        network.register.approve(&key(number), network.now).unwrap();
    }
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(
        network.register.approve(&key(9), network.now),
        Err(ApproveError::Unknown)
    );
    network.register.block(&key(9));
    assert_eq!(
        network.register.approve(&key(9), network.now),
        Err(ApproveError::Blocked)
    );
}

#[test]
fn a_relay_that_is_silent_for_48_hours_leaves_the_list_and_comes_back_by_itself() {
    let mut network = Network::with(5);
    network.hours(47, &[5]);
    assert_eq!(network.state(5), Some(RelayState::Missing { hours: 47 }));
    assert_eq!(network.register.answering(), 4);
    network.issue();
    assert_eq!(network.listed(), keys(1..=5));
    network.hour(&[5]);
    assert_eq!(network.state(5), Some(RelayState::Silent));
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.listed(), keys(1..=4));

    // It needs a proof, no word, and counts as no newcomer.
    network.now += 100 * DAY;
    let step = network.announce_with(5, &details(5), network.now * 1_000, None);
    let proof = match step {
        Ok(JoinStep::Prove(proof)) => proof,
        other => panic!("{other:?}"),
    };
    let now = network.now;
    let back = network.register.on_proof(proof, ProofOutcome::Passed, now);
    assert_eq!(back, Ok(Admitted::Listed));
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.listed(), keys(1..=5));
}

#[test]
fn one_answer_within_48_hours_is_enough_to_stay() {
    let mut network = Network::with(5);
    for _ in 0..3 {
        network.hours(47, &[5]);
        network.hour(&[]);
    }
    network.issue();
    assert_eq!(network.listed(), keys(1..=5));
}

#[test]
fn the_last_three_stay_in_the_list_and_the_operator_sees_which_are_silent() {
    let mut network = Network::with(4);
    network.hours(48, &[4]);
    network.hours(48, &[3, 4]);
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.listed(), keys(1..=3));
    assert_eq!(network.state(3), Some(RelayState::KeptSilent));
    assert_eq!(network.state(4), Some(RelayState::Silent));
    network.hour(&[]);
    assert_eq!(network.state(3), Some(RelayState::Answering));
}

#[test]
fn a_server_that_is_cut_off_drops_nobody() {
    let mut network = Network::with(4);
    for _ in 0..100 {
        assert_eq!(network.hour(&[1, 2, 3, 4]), RoundOutcome::ServerCutOff);
    }
    network.issue();
    assert_eq!(network.listed(), keys(1..=4));
    assert_eq!(network.hour(&[4]), RoundOutcome::Counted);
}

#[test]
fn two_relays_that_were_silent_at_one_address_do_not_both_come_back() {
    let beside = RelayDetails {
        port: 8_791,
        ..details(3)
    };
    let mut network = Network::with(3);
    network.hours(48, &[3]);
    assert_eq!(network.state(3), Some(RelayState::KeptSilent));
    // It is looked at while another relay comes to its address.
    network.now += HOUR;
    let round = network.round();
    assert_eq!(network.prove(9, &beside), Ok(Admitted::Listed));
    network.finish(&round, &[]);
    network.issue();
    assert_eq!(network.listed(), keys([1, 2, 9]));
    assert_eq!(network.state(3), Some(RelayState::Silent));
    // Both are silent; the one that is looked at answers while the other is proved.
    network.hours(48, &[9]);
    network.now += HOUR;
    let round = network.round();
    assert_eq!(network.join(3), Ok(Admitted::Listed));
    network.finish(&round, &[]);
    network.issue();
    assert_eq!(network.listed(), keys(1..=3));
}

#[test]
fn a_server_that_was_off_for_200_days_forgets_nobody() {
    let mut network = Network::new(NetworkRules {
        joining: JoinRule::Ask,
        ..rules()
    });
    for number in 1..=5 {
        network.join(number).unwrap();
        if number < 5 {
            network.register.approve(&key(number), network.now).unwrap();
        }
    }
    network.hours(48, &[4]);
    network.now += 200 * DAY;
    network.hours(24, &[4]);
    assert_eq!(network.state(4), Some(RelayState::Silent));
    assert_eq!(network.state(5), Some(RelayState::Waiting));
    // Nor does one that reaches nobody for a year.
    for _ in 0..366 * 24 {
        assert_eq!(network.hour(&[1, 2, 3, 4]), RoundOutcome::ServerCutOff);
    }
    assert_eq!(network.state(5), Some(RelayState::Waiting));
    // While it looks, those that nobody sees are forgotten.
    network.hours(30 * 24, &[4]);
    assert_eq!(network.state(5), None);
    network.hours(151 * 24, &[4]);
    assert_eq!(network.state(4), None);
}

#[test]
fn a_look_goes_through_another_relay_that_answers_where_there_are_three() {
    let mut network = Network::with(2);
    network.now += HOUR;
    let straight = network.round();
    assert!(straight.looks().iter().all(|look| look.through.is_none()));

    let mut network = Network::with(4);
    network.hour(&[4]);
    let mut ways = BTreeSet::new();
    for _ in 0..20 {
        network.now += HOUR;
        let round = network.round();
        assert_eq!(round.looks().len(), 4);
        for look in round.looks() {
            let through = look.through.as_ref().unwrap().key;
            assert!(through != look.relay.key && through != key(4));
            ways.insert((look.relay.key, through));
        }
    }
    assert_eq!(ways.len(), 3 * 2 + 3, "every way is drawn");
}

#[test]
fn looks_are_due_once_an_hour_also_after_a_restart_and_a_clock_that_went_back() {
    let mut network = Network::with(3);
    network.hour(&[]);
    network.restart();
    network.now += HOUR - 1;
    let early = network.register.begin_round(network.now, &mut network.rng);
    assert!(early.is_none());
    network.now -= DAY;
    drop(network.round());
}

#[test]
fn a_relay_that_moves_while_it_is_looked_at_is_not_judged_by_its_old_address() {
    let mut network = Network::with(3);
    network.hours(47, &[3]);
    network.now += HOUR;
    let round = network.round();
    let moved = RelayDetails {
        host: [9, 9, 9, 9].into(),
        ..details(3)
    };
    network.prove(3, &moved).unwrap();
    let answered = keys(1..=2);
    network
        .register
        .finish_round(&round, &answered, network.now);
    assert_eq!(network.state(3), Some(RelayState::Answering));
}

#[test]
fn after_20_and_100_days_away_the_same_relays_have_a_new_list_at_once() {
    for days in [20, 100] {
        let mut network = Network::with(4);
        // One was missed shortly before the server went away.
        network.hours(2, &[4]);
        network.issue();
        network.now += days * DAY;
        network.restart();
        assert!(network.register.signed_list(network.now).is_none());
        network.hour(&[4]);
        assert_eq!(network.issue(), Issue::New);
        assert_eq!(network.listed(), keys(1..=4), "{days}");
    }
}

#[test]
fn a_clock_that_is_behind_signs_nothing_until_the_operator_accepts_it() {
    let mut network = Network::with(3);
    let newest = network.list();
    network.join(4).unwrap();
    network.now -= 2 * DAY;
    assert_eq!(network.issue(), Issue::ClockBehind);
    assert_eq!(network.list(), newest);
    network.restart();
    assert_eq!(network.issue(), Issue::ClockBehind);
    // Clients can hold a list that is dated an hour ahead: the next one is dated later.
    network.register.accept_clock(network.now);
    assert_eq!(network.issue(), Issue::NextHour { secs: 2 * HOUR });
    network.now += 2 * HOUR;
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.list().issued, network.now);
    // A clock that is right has nothing to accept.
    network.register.accept_clock(network.now);
    assert_eq!(network.issue(), Issue::Unchanged);
}

#[test]
fn a_clock_that_was_ahead_leaves_the_list_that_clients_take() {
    let mut network = Network::with(3);
    let right = network.list();
    for days in [20, 1] {
        network.now += days * DAY;
        assert_eq!(network.issue(), Issue::New);
    }
    network.now = right.issued + HOUR;
    for _ in 0..2 {
        assert_eq!(network.issue(), Issue::ClockBehind);
        assert_eq!(network.list(), right);
        network.restart();
    }
    network.register.accept_clock(network.now);
    assert_eq!(network.issue(), Issue::Unchanged);
    assert_eq!(network.list(), right);
    network.join(4).unwrap();
    assert_eq!(network.issue(), Issue::NextHour { secs: 2 * HOUR });
    network.now += 2 * HOUR;
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.list().issued, network.now);
}

#[test]
fn a_relay_that_was_taken_out_does_not_come_back_with_an_earlier_list() {
    for block in [false, true] {
        let mut network = Network::with(4);
        network.now += 2 * DAY;
        network.issue();
        if block {
            network.register.block(&key(4));
        } else {
            network.register.remove(&key(4), network.now);
        }
        network.now += HOUR;
        assert_eq!(network.issue(), Issue::New);
        network.now -= DAY;
        assert_eq!(network.listed(), keys(1..=3));
    }
}

#[test]
fn a_relay_that_announced_itself_while_the_clocks_were_ahead_is_heard_when_they_are_right() {
    let mut network = Network::with(3);
    network.now += 30 * DAY;
    network.join(1).unwrap();
    network.now -= 30 * DAY;
    assert_eq!(network.join(1), Ok(Admitted::Listed));
    let again = network.announce(1, &details(1));
    assert_eq!(again.unwrap_err(), JoinRefused::Stale);
}

#[test]
fn a_relay_whose_clock_is_far_ahead_is_told_so() {
    let mut network = Network::new(rules());
    let word = network.word();
    let latest = (network.now + HOUR) * 1_000;
    let ahead = network.announce_with(1, &details(1), latest + 1, Some(&word));
    assert_eq!(ahead.unwrap_err(), JoinRefused::ClockAhead);
    let near = network.announce_with(1, &details(1), latest, Some(&word));
    assert!(near.is_ok());
    let behind = network.announce_with(2, &details(2), 0, Some(&word));
    assert!(behind.is_ok(), "a clock that is behind harms nobody");
}

#[test]
fn a_removed_relay_is_told_so_until_it_is_approved() {
    let mut network = Network::with(4);
    assert!(network.register.remove(&key(4), network.now));
    assert!(!network.register.remove(&key(9), network.now));
    network.now += HOUR;
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.listed(), keys(1..=3));
    assert_eq!(network.state(4), Some(RelayState::Removed));
    let refused = network.announce_with(4, &details(4), network.now * 1_000, None);
    assert_eq!(refused.unwrap_err(), JoinRefused::Removed);
    network.restart();
    network.register.approve(&key(4), network.now).unwrap();
    network.now += HOUR;
    network.issue();
    assert_eq!(network.listed(), keys(1..=4));
}

#[test]
fn a_blocked_relay_stays_out_whatever_word_it_has() {
    let mut network = Network::with(4);
    network.register.block(&key(4));
    network.register.block(&key(9));
    network.now += HOUR;
    network.restart();
    network.issue();
    assert_eq!(network.listed(), keys(1..=3));
    for number in [4, 9] {
        assert_eq!(network.state(number), Some(RelayState::Blocked));
        assert_eq!(network.join(number), Err(JoinRefused::Blocked));
    }
}

#[test]
fn a_new_key_at_the_address_of_a_blocked_relay_waits() {
    let mut network = Network::with(4);
    network.register.block(&key(4));
    network.register.block(&key(4));
    network.now += HOUR;
    network.restart();
    let view = network.register.relays();
    let blocked = view.iter().find(|view| view.key == key(4)).unwrap();
    assert_eq!(blocked.relay, Some(details(4).describe(key(4))));
    assert_eq!(network.prove(9, &details(4)), Ok(Admitted::Waiting));
    assert_eq!(network.join(5), Ok(Admitted::Listed));
}

#[test]
fn a_relay_that_is_taken_out_while_it_is_proved_stays_out() {
    let mut network = Network::with(3);
    network.now += HOUR;
    let proof = network.pending(9, &details(9));
    network.register.block(&key(9));
    let refused = network
        .register
        .on_proof(proof, ProofOutcome::Passed, network.now);
    assert_eq!(refused, Err(JoinRefused::Blocked));
}

#[test]
fn no_list_is_handed_on_whose_relay_was_taken_out_of_the_last_three() {
    let mut network = Network::with(3);
    assert!(network.register.is_needed(&key(1)));
    network.register.remove(&key(1), network.now);
    assert_eq!(network.issue(), Issue::TooFew { relays: 2 });
    assert!(network.register.signed_list(network.now).is_none());
    network.join(4).unwrap();
    // Its date would be that of the list before it.
    assert!(matches!(network.issue(), Issue::NextHour { .. }));
    network.now += HOUR;
    assert_eq!(network.issue(), Issue::New);
    assert_eq!(network.listed(), keys(2..=4));

    let mut network = Network::with(4);
    assert!(!network.register.is_needed(&key(1)));
    network.hours(48, &[4]);
    assert!(
        !network.register.is_needed(&key(1)),
        "the silent one takes its place"
    );
}

#[test]
fn invitations_name_relays_that_answer_and_serve_first() {
    let mut network = Network::with(2);
    let expires = START + 30 * DAY;
    let word = network.word();
    let for_relays = || Purpose::AddRelay {
        join_word: word.clone(),
    };
    let for_friends = || Purpose::Use { access_word: None };
    let invite = |network: &mut Network, purpose| {
        network.issue();
        network
            .register
            .invite(purpose, expires, network.now, &mut network.rng)
    };
    let early = invite(&mut network, for_friends()).err();
    assert_eq!(early, Some(InviteRefused::TooFew { relays: 2 }.into()));
    let for_third = invite(&mut network, for_relays()).unwrap();
    assert_eq!(for_third.parts().relays.len(), 2);

    let not_serving = RelayDetails {
        serves: Serves::None,
        ..details(3)
    };
    network.prove(3, &not_serving).unwrap();
    let made = invite(&mut network, for_friends()).unwrap();
    let found = Invitation::find(made.to_text().as_str(), network.now).unwrap();
    let relays = &found.parts().relays;
    assert_eq!(relays.len(), 3);
    assert_eq!((relays[2].key, relays[2].serves), (key(3), false));
    assert_eq!(found.parts().list_key, list_key().public());
    assert_eq!(found.parts().name, "Ann's friends");

    for number in 4..=12 {
        network.now += DAY;
        network.join(number).unwrap();
    }
    network.hour(&[4]);
    for _ in 0..20 {
        let made = invite(&mut network, for_friends()).unwrap();
        let relays = &made.parts().relays;
        assert!(relays.len() <= 8 && relays.iter().all(|relay| relay.key != key(4)));
    }
}

/// Relays forward by the signed list: one that is not in it, or stands there at another address, is no part of a path.
#[test]
fn an_invitation_names_only_relays_of_the_signed_list() {
    let mut network = Network::new(rules());
    let invite = |network: &mut Network| {
        let purpose = Purpose::Use { access_word: None };
        network.issue();
        network
            .register
            .invite(purpose, START + DAY, network.now, &mut network.rng)
    };
    let of_ann = |number: u8| RelayDetails {
        operator: "Ann".to_owned(),
        ..details(number)
    };
    network.join(1).unwrap();
    network.prove(2, &of_ann(2)).unwrap();
    network.prove(3, &of_ann(3)).unwrap();
    assert_eq!(
        invite(&mut network).err(),
        Some(InviteRefused::NoPath.into())
    );
    network.join(4).unwrap();
    assert_eq!(invite(&mut network).err(), Some(NoInvitation::NextList));
    network.now += HOUR;
    assert_eq!(invite(&mut network).unwrap().parts().relays.len(), 4);

    let round = network.round();
    assert!(round.looks().iter().all(|look| look.through.is_some()));
    let moved = RelayDetails {
        host: [9, 9, 9, 1].into(),
        ..details(4)
    };
    network.now += 60;
    network.prove(4, &moved).unwrap();
    assert_eq!(invite(&mut network).err(), Some(NoInvitation::NextList));
    network.finish(&round, &[]);
    network.now += HOUR;
    // Nobody could look at it through a relay that does not know where it is.
    for look in network.round().looks() {
        assert_eq!(look.through.is_none(), look.relay.key == key(4));
    }
    assert_eq!(invite(&mut network).unwrap().parts().relays.len(), 4);
}

#[test]
fn a_new_access_word_replaces_the_old_one_within_seven_days_and_the_settings_replace_both() {
    let word = |text: &str| AccessWord::parse(text).unwrap();
    let asking = |text: &str| NetworkRules {
        access_word: Some(word(text)),
        ..rules()
    };
    let mut open = Network::new(rules());
    let refused = open.register.new_access_word(open.now, &mut open.rng);
    assert_eq!(refused, Err(NoAccessWord));
    assert!(open.register.lets_upload(None, open.now));
    assert!(open.register.lets_upload(Some(&word("any")), open.now));

    let mut network = Network::new(asking("sesame"));
    let drawn = network
        .register
        .new_access_word(network.now, &mut network.rng)
        .unwrap()
        .clone();
    let lets =
        |register: &RelayRegister, text: &str, now| register.lets_upload(Some(&word(text)), now);
    let again = |register: &RelayRegister, rules| {
        RelayRegister::from_bytes(rules, &register.to_bytes()).unwrap()
    };
    for register in [
        again(&network.register, asking("sesame")),
        again(&network.register, asking(drawn.as_str())),
    ] {
        assert_eq!(register.access_word(), Some(&drawn));
        assert!(!register.lets_upload(None, START));
        assert!(!lets(&register, "other", START));
        for (text, days, good) in [
            (drawn.as_str(), 0, true),
            (drawn.as_str(), 100, true),
            ("sesame", 6, true),
            ("sesame", 7, false),
        ] {
            assert_eq!(
                lets(&register, text, START + days * DAY),
                good,
                "{text} {days}"
            );
        }
    }
    // Whoever writes another word into the settings means that one, and at once.
    let changed = again(&network.register, asking("third"));
    assert_eq!(changed.access_word(), Some(&word("third")));
    assert!(lets(&changed, "third", START) && !lets(&changed, drawn.as_str(), START));
    assert!(!lets(&changed, "sesame", START));
    let open = again(&network.register, rules());
    assert!(open.lets_upload(None, START) && open.access_word().is_none());
}

#[test]
fn a_list_that_is_signed_elsewhere_is_taken_as_members_take_it() {
    let elsewhere = || NetworkRules {
        signer: ListSigner::Elsewhere(list_key().public()),
        ..rules()
    };
    let signed_by = |key: &Identity, register: &RelayRegister, issued: u64| {
        let list = RelayList::join("by hand", issued, issued + 90 * DAY, register.entries());
        let list = list.unwrap().to_json();
        let signature = sign(key, list.as_bytes());
        SignedList { list, signature }
    };
    let invite = |network: &mut Network| {
        let purpose = Purpose::Use { access_word: None };
        network
            .register
            .invite(purpose, START + DAY, network.now, &mut network.rng)
    };
    let mut network = Network::new(elsewhere());
    for number in 1..=3 {
        network.join(number).unwrap();
    }
    assert_eq!(network.issue(), Issue::Elsewhere);
    assert!(network.register.signed_list(network.now).is_none());
    assert_eq!(invite(&mut network).err(), Some(NoInvitation::NextList));

    let first = signed_by(&list_key(), &network.register, START);
    let forged = signed_by(&relay(9), &network.register, START);
    let refused = network.register.take_list(&forged, START);
    assert_eq!(refused, Err(ListRefused::WronglySigned));
    let taken = network.register.take_list(&first, START);
    assert_eq!(taken, Ok(OfferOutcome::New));
    assert_eq!(network.register.signed_list(START), Some(&first));
    let invitation = invite(&mut network).unwrap();
    assert_eq!(invitation.parts().list_key, list_key().public());
    assert_eq!(invitation.parts().relays.len(), 3);

    // A fourth relay is nowhere before its operator signs a list with it, which is kept, and nothing older comes after it.
    network.join(4).unwrap();
    assert_eq!(invite(&mut network).unwrap().parts().relays.len(), 3);
    let second = signed_by(&list_key(), &network.register, START + 60);
    assert!(second.list.contains(&key(4).to_hex()));
    let taken = network.register.take_list(&second, START + 60);
    assert_eq!(taken, Ok(OfferOutcome::New));
    let bytes = network.register.to_bytes();
    network.register = RelayRegister::from_bytes(elsewhere(), &bytes).unwrap();
    assert_eq!(network.register.signed_list(START), Some(&second));
    let back = network.register.take_list(&first, START + 60);
    assert_eq!(back, Err(ListRefused::Older));
    let same = network.register.take_list(&second, START + 60);
    assert_eq!(same, Ok(OfferOutcome::Same));
    assert_eq!(invite(&mut network).unwrap().parts().relays.len(), 4);
    // It ends when it says so.
    assert!(
        network
            .register
            .signed_list(START + 60 + 90 * DAY)
            .is_none()
    );
}

/// The relays of an invitation as a list, which is what its recipient begins with.
fn invited(invitation: &Invitation) -> RelayList {
    let relays = invitation.parts().relays.iter();
    let relays = relays.map(|relay| RelayDescriptor {
        key: relay.key,
        host: relay.host,
        port: relay.port,
        operator: relay.operator.clone(),
        serves: if relay.serves {
            Serves::Any
        } else {
            Serves::None
        },
    });
    RelayList {
        name: String::new(),
        issued: 0,
        expires: u64::MAX,
        relays: relays.collect(),
    }
}

#[test]
fn no_invitation_is_made_before_its_relays_make_a_path() {
    let mut network = Network::new(rules());
    let invite = |network: &mut Network| {
        let purpose = Purpose::Use { access_word: None };
        network.issue();
        network
            .register
            .invite(purpose, START + DAY, network.now, &mut network.rng)
    };
    let of_ann = |number: u8| RelayDetails {
        operator: "Ann".to_owned(),
        ..details(number)
    };
    for number in 1..=3 {
        network.prove(number, &of_ann(number)).unwrap();
    }
    assert_eq!(
        invite(&mut network).err(),
        Some(InviteRefused::NoPath.into())
    );
    network.join(4).unwrap();
    assert_eq!(
        invite(&mut network).err(),
        Some(InviteRefused::NoPath.into())
    );
    // Many relays of one operator do not push the two others out of the invitation.
    for number in 5..=20 {
        network.now += DAY;
        network.prove(number, &of_ann(number)).unwrap();
    }
    network.now += DAY;
    network.join(21).unwrap();
    for _ in 0..20 {
        let invitation = invite(&mut network).unwrap();
        let list = invited(&invitation);
        assert_eq!(list.relays.len(), 8);
        let drawing = Drawing::first(&list, HOST, Allowance::NONE);
        let mut memory = RelayMemory::new();
        assert!(
            drawing
                .draw(&mut memory, network.now, &mut network.rng)
                .is_ok()
        );
    }

    let mut network = Network::new(rules());
    network.join(1).unwrap();
    for number in 2..=4 {
        let serves_nobody = RelayDetails {
            serves: Serves::None,
            ..details(number)
        };
        network.prove(number, &serves_nobody).unwrap();
    }
    assert!(invite(&mut network).is_ok());
    network.register.remove(&key(1), network.now);
    assert_eq!(
        invite(&mut network).err(),
        Some(InviteRefused::NoneServes.into())
    );
}

#[test]
fn the_register_survives_a_restart_and_names_what_it_cannot_read() {
    let mut network = Network::with(5);
    network.hours(48, &[5]);
    network.register.remove(&key(4), network.now);
    network.register.block(&key(9));
    network
        .register
        .new_join_word(network.now, &mut network.rng);
    network.issue();
    let bytes = network.register.to_bytes();
    let before = (network.register.relays(), network.list(), network.word());
    network.restart();
    let after = (network.register.relays(), network.list(), network.word());
    assert_eq!(after, before);
    assert_eq!(*network.register.to_bytes(), *bytes);
    assert_eq!(network.issue(), Issue::Unchanged);

    let read = |bytes: &[u8]| RelayRegister::from_bytes(rules(), bytes).map(drop);
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let newer = text.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(read(newer.as_bytes()), Err(StoredRegisterError::Newer));
    for bad in [&b""[..], b"{}", &bytes[..bytes.len() - 2]] {
        assert_eq!(read(bad), Err(StoredRegisterError::Malformed));
    }
    let elsewhere = NetworkRules {
        server: ServerAddress {
            key: key(77),
            ..rules().server
        },
        ..rules()
    };
    let other = RelayRegister::from_bytes(elsewhere, &bytes).map(drop);
    assert_eq!(other, Err(StoredRegisterError::OtherServer));
}

#[test]
fn a_new_list_key_signs_a_new_list() {
    let mut network = Network::with(3);
    let bytes = network.register.to_bytes();
    let other = Identity::from_seed([99; 32]);
    let rules = NetworkRules {
        signer: ListSigner::Here(Identity::from_seed([99; 32])),
        ..rules()
    };
    network.register = RelayRegister::from_bytes(rules, &bytes).unwrap();
    assert!(network.register.signed_list(network.now).is_none());
    network.now += HOUR;
    assert_eq!(network.issue(), Issue::New);
    let signed = network.register.signed_list(network.now).unwrap();
    let mut held = HeldList::new(other.public());
    let offered = held.offer(signed.list.as_bytes(), Some(&signed.signature), network.now);
    assert_eq!(offered, Ok(OfferOutcome::New));
}

/// What may happen to a network.
#[derive(Clone, Copy, Debug)]
enum Happening {
    AcceptClock,
    Announce { number: u8, at: u8, passes: bool },
    Block(u8),
    Clock { hours: i8 },
    Hour { silent: u8 },
    Remove(u8),
    Approve(u8),
    Restart,
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let number = 1_u8..12;
    prop_oneof![
        6 => (number.clone(), 1_u8..14, any::<bool>())
            .prop_map(|(number, at, passes)| Happening::Announce { number, at, passes }),
        1 => Just(Happening::AcceptClock),
        1 => number.clone().prop_map(Happening::Block),
        2 => (-50_i8..100).prop_map(|hours| Happening::Clock { hours }),
        4 => number.clone().prop_map(|silent| Happening::Hour { silent }),
        1 => number.clone().prop_map(Happening::Remove),
        1 => number.prop_map(Happening::Approve),
        1 => Just(Happening::Restart),
    ]
}

proptest! {
    // Each case is many steps, and each step signs or checks something.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens in whatever order: what is handed on is signed, new lists are dated later than all before them, addresses and keys stand once, and
    /// nobody stands in a list who was taken out when it was signed.
    #[test]
    fn every_list_is_one_that_clients_take(happenings in proptest::collection::vec(any_happening(), 0..80)) {
        let mut network = Network::new(rules());
        let mut handed_on: BTreeMap<u64, RelayList> = BTreeMap::new();
        for happening in happenings {
            match happening {
                Happening::AcceptClock => {
                    network.register.accept_clock(network.now);
                    // Nobody whose clock is right has taken those that are dated later.
                    handed_on.retain(|issued, _| *issued <= network.now + HOUR);
                }
                Happening::Announce { number, at, passes } => {
                    let outcome = if passes { ProofOutcome::Passed } else { ProofOutcome::Failed };
                    let details = RelayDetails { port: 8_790 + u16::from(number % 2), ..details(at) };
                    if let Ok(JoinStep::Prove(proof)) = network.announce(number, &details) {
                        let placed = network.register.on_proof(proof, outcome, network.now);
                        prop_assert!(passes || placed == Err(JoinRefused::ProofFailed));
                    }
                }
                Happening::Block(number) => network.register.block(&key(number)),
                Happening::Clock { hours } => {
                    network.now = network.now.saturating_add_signed(i64::from(hours) * 3_600);
                }
                Happening::Hour { silent } => {
                    network.now += HOUR;
                    if let Some(round) = network.register.begin_round(network.now, &mut network.rng) {
                        network.finish(&round, &[silent, silent + 1]);
                    }
                }
                Happening::Remove(number) => {
                    network.register.remove(&key(number), network.now);
                }
                Happening::Approve(number) => {
                    network.register.approve(&key(number), network.now).ok();
                }
                Happening::Restart => network.restart(),
            }
            let issue = network.issue();
            let Some(signed) = network.register.signed_list(network.now) else {
                prop_assert!(issue != Issue::New && issue != Issue::Unchanged);
                continue;
            };
            let list = network.list();
            let text = (signed.list.clone(), signed.signature.clone());
            let mut held = HeldList::new(list_key().public());
            let offered = held.offer(text.0.as_bytes(), Some(&text.1), network.now.max(list.issued));
            prop_assert_eq!(offered, Ok(OfferOutcome::New));
            let newest = handed_on.last_key_value().map(|(issued, _)| *issued);
            prop_assert!(issue != Issue::New || newest.is_none_or(|newest| list.issued > newest));
            let same_date = handed_on.entry(list.issued).or_insert_with(|| list.clone());
            prop_assert_eq!(&*same_date, &list);
            let hosts: BTreeSet<_> = list.relays.iter().map(|relay| relay.host).collect();
            prop_assert_eq!(hosts.len(), list.relays.len());
            if issue == Issue::New {
                for view in network.register.relays() {
                    let out = matches!(view.state, RelayState::Blocked | RelayState::Removed | RelayState::Waiting);
                    prop_assert!(!out || list.find(&view.key).is_none());
                }
            }
        }
    }

    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200), position in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        drop(SignedAnnouncement::parse(&body));
        let mut near = SignedAnnouncement::sign(&details(1), 1, &server().public(), &relay(1)).to_json().into_bytes();
        let at = position.index(near.len());
        near[at] = byte;
        if let Ok(signed) = SignedAnnouncement::parse(&near) {
            drop(signed.verify(&server().public()));
        }
        drop(RelayRegister::from_bytes(rules(), &body));
        let mut network = Network::with(5);
        network.register.remove(&key(5), network.now);
        network.register.block(&key(9));
        network.issue();
        let mut stored = network.register.to_bytes().to_vec();
        let at = position.index(stored.len());
        stored[at] = byte;
        if let Ok(mut register) = RelayRegister::from_bytes(rules(), &stored) {
            register.begin_round(network.now, &mut network.rng);
            register.issue(network.now);
        }
    }
}
