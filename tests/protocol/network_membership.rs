//! A relay's side of a network, on virtual time: when it announces itself, when it fetches the list, what it keeps.

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::capability::JoinWord;
use cloakroom::protocol::invitation::{Invitation, InvitationParts, InvitedRelay, Purpose};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::network::{
    Admitted, JoinAnswer, JoinRefused, ListOutcome, MemberStep, Membership, NotForRelays,
    PendingAnnouncement, RelayDetails, RelayRequest, RenewRefused, SignedAnnouncement,
    StoredMembershipError,
};
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList, Serves, sign};

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const START: u64 = 1_790_002_800;
const HOST: &str = "files.example.org";
const LISTED: Option<JoinAnswer> = Some(JoinAnswer::Admitted(Admitted::Listed));
const REMOVED: Option<JoinAnswer> = Some(JoinAnswer::Refused(JoinRefused::Removed));

fn identity(seed: u8) -> Identity {
    Identity::from_seed([seed; 32])
}

fn invitation_with(purpose: Purpose, list_key: u8, expires: u64) -> Invitation {
    Invitation::new(InvitationParts {
        server: ServerAddress {
            url: format!("http://{HOST}:8787").parse().unwrap(),
            key: identity(200).public(),
        },
        list_key: identity(list_key).public(),
        relays: vec![InvitedRelay {
            key: identity(50).public(),
            host: [9, 9, 9, 9].into(),
            port: 443,
            operator: "Ann".to_owned(),
            serves: true,
        }],
        name: "Ann's friends".to_owned(),
        expires,
        list_url: None,
        purpose,
    })
    .unwrap()
}

fn for_relays(word: u8, list_key: u8) -> Invitation {
    let join_word = JoinWord::from_bytes([word; 16]);
    invitation_with(Purpose::AddRelay { join_word }, list_key, START + 7 * DAY)
}

fn details(last: u8) -> RelayDetails {
    RelayDetails {
        host: [8, 8, 8, last].into(),
        port: 8_790,
        operator: "Ben".to_owned(),
        serves: Serves::None,
    }
}

fn list(issued: u64) -> (String, String) {
    let relays = (1..=3).map(|seed| RelayDescriptor {
        key: identity(seed).public(),
        host: [8, 8, 8, seed].into(),
        port: 443,
        operator: String::new(),
        serves: Serves::Any,
    });
    let list = RelayList::join("", issued, issued + 14 * DAY, relays.collect()).unwrap();
    let text = list.to_json();
    let signature = sign(&identity(201), text.as_bytes());
    (text, signature)
}

/// A relay on virtual time.
struct Member {
    membership: Membership,
    details: RelayDetails,
    now: u64,
}

impl Member {
    fn new() -> Self {
        Self {
            membership: Membership::join(for_relays(7, 201)).unwrap(),
            details: details(1),
            now: START,
        }
    }

    fn step(&self) -> MemberStep {
        let now_ms = self.now * 1_000;
        self.membership.next(&self.details, &identity(1), now_ms)
    }

    fn wait(&self) -> u64 {
        match self.step() {
            MemberStep::Wait { secs } => secs,
            MemberStep::Announce(_) => panic!("it announces itself"),
            MemberStep::FetchList => panic!("it fetches the list"),
        }
    }

    fn announcement(&self) -> PendingAnnouncement {
        match self.step() {
            MemberStep::Announce(announcement) => announcement,
            MemberStep::Wait { secs } => panic!("it waits for {secs} seconds"),
            MemberStep::FetchList => panic!("it fetches the list"),
        }
    }

    fn announce(&mut self, answer: Option<JoinAnswer>) -> u64 {
        let announcement = self.announcement();
        let at_ms = at_ms(&announcement);
        self.membership.on_announced(announcement, answer, self.now);
        at_ms
    }

    fn fetch(&mut self, list: Option<&(String, String)>) -> ListOutcome {
        assert!(matches!(self.step(), MemberStep::FetchList));
        let list = list.map(|(text, signature)| (text.as_str(), signature.as_str()));
        self.membership.on_list(list, self.now)
    }

    fn forwards_to(&self) -> usize {
        self.membership.relays(self.now).len()
    }
}

fn at_ms(announcement: &PendingAnnouncement) -> u64 {
    let RelayRequest::Join { word, body } = &announcement.request else {
        panic!("no announcement");
    };
    assert!(word.is_some());
    let signed = SignedAnnouncement::parse(body).unwrap();
    let read = signed.verify(&identity(200).public()).unwrap();
    assert_eq!(*read.key(), identity(1).public());
    read.at_ms()
}

#[test]
fn a_relay_announces_itself_every_six_hours_while_it_is_listed_and_hourly_while_it_is_not() {
    for (answer, pause) in [
        (LISTED, 6 * HOUR),
        (REMOVED, HOUR),
        (Some(JoinAnswer::Admitted(Admitted::Waiting)), HOUR),
        (Some(JoinAnswer::Refused(JoinRefused::TooSoon)), MINUTE),
    ] {
        let mut member = Member::new();
        member.fetch(Some(&list(START)));
        member.announce(answer);
        for _ in 0..3 {
            let until = member.now + pause;
            while member.now < until {
                let wait = member.wait();
                member.now += wait.min(until - member.now);
                if matches!(member.step(), MemberStep::FetchList) {
                    member.fetch(Some(&list(START)));
                }
            }
            member.announce(answer);
        }
    }
}

#[test]
fn a_relay_that_changed_announces_itself_at_once_but_not_twice_a_minute() {
    let mut member = Member::new();
    member.fetch(None);
    member.announce(LISTED);
    member.details = details(2);
    assert_eq!(member.wait(), MINUTE);
    member.now += MINUTE;
    member.fetch(Some(&list(START)));
    member.announce(REMOVED);
    assert_eq!(member.wait(), HOUR, "the answer is known");
    member.now += 10;
    member.details = details(3);
    assert_eq!(member.wait(), MINUTE - 10);
}

#[test]
fn while_the_server_is_away_it_is_asked_again_less_and_less_often() {
    let mut member = Member::new();
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        while matches!(member.step(), MemberStep::FetchList) {
            member.membership.on_no_list(member.now);
        }
        member.announce(None);
        let until = member.now + minutes * MINUTE;
        while member.now < until {
            let wait = member.wait();
            member.now += wait;
            if matches!(member.step(), MemberStep::FetchList) {
                member.membership.on_no_list(member.now);
            }
        }
        assert_eq!(member.now, until);
    }
    // A clock that was set back does not silence a relay.
    member.now -= 30 * DAY;
    member.membership.on_no_list(member.now);
    member.announce(LISTED);
}

#[test]
fn the_list_is_fetched_hourly_and_every_minute_while_a_listed_relay_has_none() {
    let mut member = Member::new();
    assert_eq!(member.forwards_to(), 1, "those of the invitation");
    assert_eq!(member.fetch(None), ListOutcome::None);
    member.announce(LISTED);
    for _ in 0..3 {
        assert_eq!(member.wait(), MINUTE);
        member.now += MINUTE;
        assert_eq!(member.fetch(None), ListOutcome::None);
    }
    member.now += MINUTE;
    assert_eq!(member.fetch(Some(&list(START))), ListOutcome::New);
    assert_eq!(member.forwards_to(), 3);
    assert_eq!(member.wait(), HOUR);
    member.now += HOUR;
    assert_eq!(member.fetch(Some(&list(START))), ListOutcome::Same);
    // Without a newer list it forwards for fourteen days, and to nobody afterwards.
    member.now = START + 14 * DAY - 1;
    assert_eq!(member.forwards_to(), 3);
    member.now += 1;
    assert_eq!(member.forwards_to(), 0);
    assert_eq!(member.fetch(Some(&list(member.now))), ListOutcome::New);
    member.now += HOUR;
    let older = list(START + 2 * HOUR);
    assert!(matches!(
        member.fetch(Some(&older)),
        ListOutcome::Refused(_)
    ));
    let (text, _) = list(member.now);
    let unsigned = (text, "0".repeat(128));
    member.now += HOUR;
    assert!(matches!(
        member.fetch(Some(&unsigned)),
        ListOutcome::Refused(_)
    ));
    assert_eq!(member.forwards_to(), 3);
}

/// Anybody can send requests that name relays which nobody knows.
#[test]
fn requests_have_the_list_asked_for_a_few_times_a_minute() {
    let mut member = Member::new();
    let mut asked = |now: u64| {
        let asks = (0..100).map(|_| member.membership.may_ask_for_request(now));
        asks.filter(|may| *may).count()
    };
    assert_eq!(asked(START), 6);
    assert_eq!(asked(START + MINUTE - 1), 0);
    assert_eq!(asked(START + MINUTE), 6);
    // A clock that was set back does not silence a relay.
    assert_eq!(asked(START - DAY), 6);
}

#[test]
fn announcements_are_later_than_the_last_one_that_was_taken() {
    let mut member = Member::new();
    member.fetch(None);
    let first = member.announce(LISTED);
    assert_eq!(first, START * 1_000);
    member.now -= DAY;
    member.fetch(Some(&list(member.now)));
    assert_eq!(member.announce(REMOVED), first + 1);
    member.now -= DAY;
    member.membership.on_no_list(member.now);
    assert_eq!(member.announce(None), first + 1, "that one was not taken");
}

#[test]
fn what_a_relay_keeps_survives_a_restart_and_the_end_of_its_invitation() {
    let mut member = Member::new();
    member.fetch(Some(&list(START)));
    let first = member.announce(LISTED);
    let bytes = member.membership.to_bytes();
    member.membership = Membership::from_bytes(&bytes).unwrap();
    assert_eq!(*member.membership.to_bytes(), *bytes);
    assert_eq!(member.membership.name(), "Ann's friends");
    assert_eq!(member.forwards_to(), 3);
    member.now += 8 * DAY;
    member.fetch(Some(&list(START)));
    assert!(member.announce(LISTED) > first);

    let read = |bytes: &[u8]| Membership::from_bytes(bytes).err();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let newer = text.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(read(newer.as_bytes()), Some(StoredMembershipError::Newer));
    for bad in [&b""[..], b"{}", &bytes[..bytes.len() - 2]] {
        assert_eq!(read(bad), Some(StoredMembershipError::Malformed));
    }
}

#[test]
fn a_newer_invitation_to_the_same_network_replaces_the_words_and_no_other_does() {
    let mut membership = Membership::join(for_relays(7, 201)).unwrap();
    membership.renew(for_relays(8, 201)).unwrap();
    let step = membership.next(&details(1), &identity(1), START * 1_000);
    assert!(matches!(step, MemberStep::FetchList));
    membership.on_no_list(START);
    let step = membership.next(&details(1), &identity(1), START * 1_000);
    let MemberStep::Announce(announcement) = step else {
        panic!("it does not announce itself");
    };
    let RelayRequest::Join { word, .. } = announcement.request else {
        panic!("no announcement");
    };
    assert_eq!(word, Some(JoinWord::from_bytes([8; 16])));
    let other = membership.renew(for_relays(8, 202));
    assert_eq!(other, Err(RenewRefused::OtherNetwork));
}

#[test]
fn an_invitation_for_people_lets_no_relay_join() {
    let relays = for_relays(7, 201).parts().relays.clone();
    let mut parts = InvitationParts {
        server: for_relays(7, 201).parts().server.clone(),
        list_key: identity(201).public(),
        relays,
        name: "Ann's friends".to_owned(),
        expires: START,
        list_url: None,
        purpose: Purpose::Use { access_word: None },
    };
    for seed in 51..=52 {
        parts.relays.push(InvitedRelay {
            key: identity(seed).public(),
            ..parts.relays[0].clone()
        });
    }
    let invitation = Invitation::new(parts).unwrap();
    assert_eq!(Membership::join(invitation).err(), Some(NotForRelays));
}
