//! What each party is shown, try by try and in sums.

use core::net::IpAddr;

use super::*;
use crate::protocol::keys::Identity;
use crate::protocol::relay_list::{RelayDescriptor, Serves};

fn attempt(relays: bool, names_file: bool) -> AttemptShown {
    let relay = |seed: u8| RelayDescriptor {
        key: Identity::from_seed([seed; 32]).public(),
        host: IpAddr::from([10, 0, seed, 1]),
        port: 22_021,
        operator: String::new(),
        serves: Serves::Any,
    };
    AttemptShown {
        at: 7,
        path: relays.then(|| RelayPath {
            guard: relay(1),
            middle: relay(2),
            last: relay(3),
        }),
        proxy: None,
        end: End::Server,
        relaxed: vec![],
        same_bytes_back: false,
        server: "http://files.example".parse().unwrap(),
        names_file,
        sent: vec![2_560, 2_314, 2_068, 1_906],
        answered: vec![1_699],
        outcome: ShownOutcome::Failed(Failure::TimedOut),
    }
}

fn who(parties: &[PartyShown], fact: &Fact) -> Vec<Role> {
    let saw = parties.iter().filter(|party| party.shown.contains(fact));
    saw.map(|party| party.role).collect()
}

#[test]
fn each_fact_is_shown_to_whom_it_must_be_and_to_nobody_else() {
    let parties = attempt(true, true).parties();
    let server = Fact::Server("files.example".to_owned());
    assert_eq!(who(&parties, &Fact::ClientAddress), [Role::Guard]);
    assert_eq!(who(&parties, &server), [Role::Last]);
    assert_eq!(who(&parties, &Fact::FileId), [Role::Server]);
    assert_eq!(who(&parties, &Fact::Content), []);
    assert!(
        parties
            .iter()
            .all(|party| party.hidden.contains(&Fact::Content))
    );
    let middle = Fact::Sizes {
        request: 2_314,
        answer: None,
    };
    assert_eq!(who(&parties, &middle), [Role::Middle]);
}

#[test]
fn over_many_tries_each_party_has_sums_in_place_of_sizes_and_times() {
    let tries: Vec<_> = (0..300)
        .map(|at| AttemptShown {
            at,
            ..attempt(true, true)
        })
        .collect();
    let all: ShownTotals = tries.iter().collect();
    let (first, rest) = tries.split_at(100);
    let mut in_two: ShownTotals = first.iter().collect();
    in_two.append(rest.iter().collect());
    assert_eq!(in_two, all);
    assert_eq!((all.tries(), all.parties().len()), (300, 4));
    let (guard, middle) = (&all.parties()[0], &all.parties()[1]);
    assert_eq!((guard.tries, guard.sent_bytes), (300, 300 * 2_560));
    assert_eq!(guard.answered_bytes, 300 * 1_699);
    assert_eq!((middle.sent_bytes, middle.answered_bytes), (300 * 2_314, 0));
}

#[test]
fn sums_take_no_more_memory_the_more_paths_there_were() {
    let mut totals = ShownTotals::default();
    for at in 0..=u8::MAX {
        let mut one = attempt(true, true);
        if let Some(path) = &mut one.path {
            // The same middle relay every time, between others.
            path.guard.port = u16::from(at);
            path.last.port = u16::from(at);
        }
        totals.add(&one);
    }
    let middle = totals.parties().iter().find(|total| total.tries == 256);
    assert_eq!(middle.map(|total| total.shown.len()), Some(0));
    for total in totals.parties() {
        assert!(total.shown.len() < 3, "{total:?}");
    }
}

#[test]
fn a_request_that_names_no_file_shows_none_and_hides_none() {
    for relays in [true, false] {
        for party in attempt(relays, false).parties() {
            assert!(!party.shown.contains(&Fact::FileId), "{party:?}");
            assert!(!party.hidden.contains(&Fact::FileId), "{party:?}");
        }
    }
}

#[test]
fn behind_a_proxy_only_the_proxy_sees_the_clients_address() {
    let proxy = Some("127.0.0.1:9050".to_owned());
    let through = AttemptShown {
        proxy: proxy.clone(),
        ..attempt(true, true)
    };
    let parties = through.parties();
    assert_eq!(who(&parties, &Fact::ClientAddress), [Role::Proxy]);
    assert_eq!(who(&parties, &Fact::ProxyAddress), [Role::Guard]);
    let guard = Fact::NextRelay("10.0.1.1:22021".to_owned());
    assert_eq!(who(&parties, &guard), [Role::Proxy]);
    assert!(parties[1].hidden.contains(&Fact::ClientAddress));
    let links_both = |attempt: &AttemptShown| -> Vec<bool> {
        let totals = ShownTotals::from_iter([attempt]);
        let parties = totals.parties().iter();
        parties.map(PartyTotal::links_both_ends).collect()
    };
    assert!(!links_both(&through).contains(&true));

    let direct = AttemptShown {
        proxy,
        ..attempt(false, true)
    };
    let parties = direct.parties();
    assert_eq!(who(&parties, &Fact::ClientAddress), [Role::Proxy]);
    assert_eq!(who(&parties, &Fact::FileId), [Role::Server]);
    assert_eq!(direct.notes(), [Note::DirectByProxy]);
    assert_eq!(links_both(&direct), [true, false]);

    let saw = |outcome| {
        let attempt = AttemptShown {
            outcome,
            ..through.clone()
        };
        attempt
            .parties()
            .iter()
            .map(|party| party.saw)
            .collect::<Vec<_>>()
    };
    use Saw::{Certainly, Nothing, Perhaps};
    assert_eq!(
        saw(ShownOutcome::NoProxy),
        [Perhaps, Nothing, Nothing, Nothing, Nothing]
    );
    assert_eq!(
        saw(ShownOutcome::Failed(Failure::FirstUnreachable)),
        [Certainly, Perhaps, Nothing, Nothing, Nothing]
    );
}

#[test]
fn whoever_gives_a_list_sees_the_address_and_no_transfer() {
    for (end, role) in [(End::ListHost, Role::ListHost), (End::Seed, Role::Seed)] {
        for proxy in [None, Some("127.0.0.1:9050".to_owned())] {
            let asked = AttemptShown {
                end,
                proxy: proxy.clone(),
                outcome: ShownOutcome::Answered(200),
                ..attempt(false, false)
            };
            let parties = asked.parties();
            let sees = if proxy.is_some() { Role::Proxy } else { role };
            assert_eq!(who(&parties, &Fact::ClientAddress), [sees]);
            assert_eq!(who(&parties, &Fact::RelayList), [role]);
            assert!(who(&parties, &Fact::Transfer).is_empty());
            assert!(
                parties
                    .iter()
                    .all(|party| party.hidden.contains(&Fact::Transfer))
            );
            assert_eq!(asked.notes(), [Note::Straight]);
        }
    }
}

#[test]
fn a_try_that_failed_says_how_far_it_came() {
    use Saw::{Certainly, Nothing, Perhaps};
    let saw = |outcome| {
        let attempt = AttemptShown {
            outcome,
            ..attempt(true, true)
        };
        let parties = attempt.parties();
        parties.iter().map(|party| party.saw).collect::<Vec<_>>()
    };
    let middle = attempt(true, true).path.unwrap().middle.key;
    for (outcome, expected) in [
        (ShownOutcome::Answered(404), [Certainly; 4]),
        (ShownOutcome::Sent, [Perhaps; 4]),
        (
            ShownOutcome::Failed(Failure::FirstUnreachable),
            [Perhaps, Nothing, Nothing, Nothing],
        ),
        (
            ShownOutcome::Failed(Failure::RelayUnreachable(middle)),
            [Certainly, Perhaps, Perhaps, Perhaps],
        ),
        (
            ShownOutcome::Failed(Failure::Relay {
                hop: 1,
                status: 503,
            }),
            [Certainly, Certainly, Perhaps, Perhaps],
        ),
        (
            ShownOutcome::Failed(Failure::ServerUnreachable),
            [Certainly, Certainly, Certainly, Perhaps],
        ),
        (
            ShownOutcome::Failed(Failure::TimedOut),
            [Certainly, Perhaps, Perhaps, Perhaps],
        ),
    ] {
        assert_eq!(saw(outcome.clone()), expected, "{outcome:?}");
    }
}

#[test]
fn retries_add_up_for_each_party() {
    let first = attempt(true, true);
    let mut second = AttemptShown {
        at: 9,
        outcome: ShownOutcome::Answered(200),
        ..attempt(true, true)
    };
    // The relay that was last is the middle now, and the other way round.
    let path = second.path.as_mut().unwrap();
    core::mem::swap(&mut path.middle, &mut path.last);
    let totals = ShownTotals::from_iter([&first, &second]);
    let totals = totals.parties();
    assert_eq!(totals.len(), 4);
    assert!(
        totals
            .iter()
            .all(|total| total.tries == 2 && total.saw == Saw::Certainly)
    );
    assert_eq!(totals[1].roles, [Role::Middle, Role::Last]);
    assert_eq!(totals[0].sent_bytes, 2 * 2_560);
    assert!(totals.iter().all(|total| !total.links_both_ends()));
    let direct = ShownTotals::from_iter([&attempt(false, true)]);
    let direct = direct.parties();
    assert!(direct[0].links_both_ends());
}

#[test]
fn what_a_try_gave_up_is_named() {
    let relaxed = AttemptShown {
        relaxed: vec![Relaxed::SameNetwork],
        same_bytes_back: true,
        ..attempt(true, true)
    };
    assert_eq!(
        relaxed.notes(),
        [Note::Relaxed(Relaxed::SameNetwork), Note::SameBytesBack]
    );
    assert_eq!(attempt(false, true).notes(), [Note::Direct]);
    assert_eq!(attempt(true, true).notes(), []);
}

#[test]
fn without_relays_the_server_sees_the_client() {
    let parties = attempt(false, true).parties();
    assert_eq!(who(&parties, &Fact::ClientAddress), [Role::Server]);
}
