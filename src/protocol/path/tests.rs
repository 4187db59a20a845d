//! The rules one by one, and the ones that must hold whatever happens.

use core::net::IpAddr;
use std::collections::BTreeMap;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::protocol::keys::Identity;
use crate::protocol::relay_list::{RelayList, Serves};

const NOW: u64 = 1_000_000;
const HOST: &str = "files.example";

fn key(seed: u8) -> Ed25519Public {
    Identity::from_seed([seed; 32]).public()
}

fn list(count: u8) -> RelayList {
    let relays = (1..=count).map(|seed| RelayDescriptor {
        key: key(seed),
        host: IpAddr::from([10, 0, seed, 1]),
        port: 22_021,
        operator: String::new(),
        serves: Serves::Any,
    });
    RelayList {
        name: String::new(),
        issued: 0,
        expires: 1,
        relays: relays.collect(),
    }
}

/// One client with its list.
struct TestClient {
    list: RelayList,
    memory: RelayMemory,
    allow: Allowance,
    rng: ChaCha20Rng,
}

impl TestClient {
    fn new(list: RelayList) -> Self {
        Self {
            list,
            memory: RelayMemory::new(),
            allow: Allowance::NONE,
            rng: ChaCha20Rng::seed_from_u64(7),
        }
    }

    fn of(count: u8) -> Self {
        Self::new(list(count))
    }

    fn draw(&mut self, now: u64) -> Result<DrawnPath, DrawError> {
        self.draw_without(&[], now)
    }

    fn draw_without(&mut self, failed: &[Ed25519Public], now: u64) -> Result<DrawnPath, DrawError> {
        let drawing = Drawing {
            failed,
            ..Drawing::first(&self.list, HOST, self.allow)
        };
        drawing.draw(&mut self.memory, now, &mut self.rng)
    }

    fn hops(&mut self, now: u64) -> Hops {
        let hops = self.draw(now).unwrap().path.hops();
        self.learn(Learned::Used { hops, at: now });
        hops
    }

    fn learn(&mut self, learned: Learned) {
        self.memory.learn(&learned, &self.list);
    }

    fn works(&mut self, now: u64) -> Hops {
        let hops = self.hops(now);
        self.learn(Learned::Worked { hops, at: now });
        hops
    }

    fn fails(&mut self, fault: impl Fn(&Hops) -> Fault, now: u64) -> Hops {
        let hops = self.hops(now);
        let fault = fault(&hops);
        self.learn(Learned::Failed {
            hops,
            at: now,
            fault,
        });
        hops
    }

    fn guards(&self, now: u64) -> Vec<Ed25519Public> {
        self.memory.guards_in_use(&self.list, now)
    }

    fn standing(&self, key: Ed25519Public, now: u64) -> Standing {
        let all = self.memory.standing(&self.list, now);
        all.iter().find(|one| one.relay == key).unwrap().standing
    }

    /// The guard in use with this number is dropped: it fails until it is.
    fn drop_guard(&mut self, number: usize, now: u64) -> Ed25519Public {
        let guard = self.guards(now)[number];
        for _ in 0..6 {
            let others: Vec<_> = self.list.relays.iter().map(|relay| relay.key).collect();
            let mut others = others.into_iter().filter(|key| *key != guard);
            let hops = Hops {
                guard,
                middle: others.next().unwrap(),
                last: others.next().unwrap(),
            };
            self.learn(Learned::Failed {
                hops,
                at: now,
                fault: Fault::Answered,
            });
        }
        assert!(!self.guards(now).contains(&guard));
        guard
    }
}

#[test]
fn guards_stay_and_every_pair_of_the_others_is_as_likely() {
    let mut client = TestClient::of(12);
    let mut pairs: BTreeMap<_, u32> = BTreeMap::new();
    let mut guards: BTreeMap<_, u32> = BTreeMap::new();
    for _ in 0..8_400 {
        let drawn = client.draw(NOW).unwrap();
        assert!(drawn.relaxed.is_empty());
        let hops = drawn.path.hops();
        *guards.entry(hops.guard).or_default() += 1;
        *pairs.entry((hops.middle, hops.last)).or_default() += 1;
    }
    assert_eq!(guards.len(), 2);
    // Twelve less two guards and three kept back: seven, in 42 ordered pairs; 74.7 is passed once in a thousand.
    assert_eq!(pairs.len(), 42);
    assert!(chi_square(pairs.values(), 200.0) < 74.7, "{pairs:?}");
    assert!(chi_square(guards.values(), 4_200.0) < 10.8, "{guards:?}");
}

fn chi_square<'a>(counts: impl Iterator<Item = &'a u32>, expected: f64) -> f64 {
    counts
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum()
}

#[test]
fn every_relay_is_as_likely_to_become_a_guard() {
    let mut guards: BTreeMap<_, u32> = BTreeMap::new();
    for seed in 0..2_400 {
        let mut client = TestClient::of(12);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        client.draw(NOW).unwrap();
        for guard in client.guards(NOW) {
            *guards.entry(guard).or_default() += 1;
        }
    }
    // 11 degrees of freedom; 31.3 is passed once in a thousand.
    assert_eq!(guards.len(), 12);
    assert!(chi_square(guards.values(), 400.0) < 31.3, "{guards:?}");
}

#[test]
fn a_relay_that_worked_within_the_hour_is_twice_as_likely_and_on_a_retry_the_only_one() {
    let mut client = TestClient::of(12);
    let good = client.works(NOW);
    let mut lasts = 0;
    for _ in 0..3_000 {
        let last = client.draw(NOW + 60).unwrap().path.last.key;
        lasts += u32::from([good.middle, good.last].contains(&last));
    }
    // Eight may stand, two of them count double: 4 of 10.
    assert!((1_100..1_300).contains(&lasts), "{lasts}");
    let drawing = Drawing {
        guards_tried: &[good.guard],
        ..Drawing::first(&client.list, HOST, Allowance::NONE)
    };
    for _ in 0..50 {
        let drawn = drawing
            .draw(&mut client.memory, NOW + 60, &mut client.rng)
            .unwrap();
        assert!([good.middle, good.last].contains(&drawn.path.last.key));
        assert_eq!(drawn.path.guard.key, good.guard, "same guard first");
    }
    assert!(!client.memory.worked_lately(&good.last, NOW + 3_600));
}

#[test]
fn only_a_relay_that_serves_the_host_is_last_and_one_that_alone_does_is_no_guard() {
    for seed in 0..40 {
        let mut relays = list(6);
        for relay in &mut relays.relays {
            relay.serves = Serves::None;
        }
        relays.relays[3].serves = Serves::Hosts(vec![HOST.to_owned()]);
        let mut client = TestClient::new(relays);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        for _ in 0..5 {
            assert_eq!(client.hops(NOW).last, key(4));
        }
        let none = Drawing::first(&client.list, "other.example", Allowance::ALL)
            .draw(&mut client.memory, NOW, &mut client.rng)
            .unwrap_err();
        let DrawError::NoPath(none) = none else {
            panic!("nobody serves it");
        };
        assert_eq!((none.place, none.rejected.len()), (Place::Last, 6));
        let count = |reason| {
            none.rejected
                .iter()
                .filter(|one| one.reason == reason)
                .count()
        };
        assert_eq!(
            (
                count(RejectReason::NotServing),
                count(RejectReason::IsGuard)
            ),
            (5, 1)
        );
    }
}

#[test]
fn a_path_that_is_to_be_unlike_another_has_another_last_relay_or_else_another_middle() {
    let unlike = |client: &mut TestClient, hops| {
        let drawing = Drawing {
            unlike: Some(hops),
            ..Drawing::first(&client.list, HOST, client.allow)
        };
        let drawn = drawing.draw(&mut client.memory, NOW, &mut client.rng);
        drawn.unwrap().path.hops()
    };
    for count in [4, 6, 9] {
        let mut client = TestClient::of(count);
        for _ in 0..40 {
            let before = client.works(NOW);
            assert_ne!(unlike(&mut client, before).last, before.last, "{count}");
        }
    }
    // One relay alone serves the host.
    let mut relays = list(9);
    for relay in &mut relays.relays {
        relay.serves = Serves::None;
    }
    relays.relays[3].serves = Serves::Any;
    let mut client = TestClient::new(relays);
    for _ in 0..40 {
        let before = client.works(NOW);
        let after = unlike(&mut client, before);
        assert!(after.last == before.last && after.middle != before.middle);
    }
    // Three relays and the same guard: the other two change places.
    let mut client = TestClient::of(3);
    let before = client.works(NOW);
    let after = unlike(&mut client, before);
    assert_eq!((after.middle, after.last), (before.last, before.middle));
}

/// Makes a relay like others.
type Alike<'a> = dyn Fn(&mut RelayDescriptor) + 'a;

#[test]
fn one_network_or_operator_stands_once_unless_the_list_has_no_other_path() {
    let near = |relay: &mut RelayDescriptor| relay.host = IpAddr::from([192, 0, 2, 7]);
    let near_v6 = |relay: &mut RelayDescriptor| relay.host = "2001:db8:1:ffff::1".parse().unwrap();
    let owned = |relay: &mut RelayDescriptor| relay.operator = "one".to_owned();
    let cases: [(&Alike<'_>, RejectReason, Relaxed); 3] = [
        (&near, RejectReason::SameNetwork, Relaxed::SameNetwork),
        (&near_v6, RejectReason::SameNetwork, Relaxed::SameNetwork),
        (&owned, RejectReason::SameOperator, Relaxed::SameOperator),
    ];
    for (alike, reason, relaxed) in cases {
        let mut all = list(9);
        all.relays.iter_mut().for_each(alike);
        let mut client = TestClient::new(all);
        let Err(DrawError::NoPath(none)) = client.draw(NOW) else {
            panic!("they all share something");
        };
        assert!(none.rejected.iter().any(|one| one.reason == reason));
        client.allow.share = true;
        for _ in 0..20 {
            assert_eq!(client.draw(NOW).unwrap().relaxed, [relaxed]);
        }
        // Of nine only four share: the rule holds, allowed or not.
        let mut some = list(9);
        some.relays.iter_mut().take(4).for_each(alike);
        let mut client = TestClient::new(some);
        client.allow.share = true;
        for _ in 0..200 {
            let drawn = client.draw(NOW).unwrap();
            assert!(drawn.relaxed.is_empty());
            let shared = drawn
                .path
                .relays()
                .into_iter()
                .filter(|relay| client.list.relays.iter().take(4).any(|one| one == *relay));
            assert!(shared.count() <= 1);
        }
    }
}

#[test]
fn three_strikes_set_aside_and_fade() {
    let mut client = TestClient::of(20);
    let bad = client.works(NOW).last;
    for strike in 0..3 {
        assert!(matches!(client.standing(bad, NOW), Standing::Usable { .. }));
        client.fails(|_| Fault::Relay(bad), NOW + strike);
    }
    let until = NOW + 48 * HOUR_SECS;
    let why = SetAsideWhy::Strikes;
    assert_eq!(
        client.standing(bad, NOW + 9),
        Standing::SetAside { until, why }
    );
    for _ in 0..200 {
        assert!(
            client
                .draw(NOW + 9)
                .unwrap()
                .path
                .relays()
                .iter()
                .all(|relay| relay.key != bad)
        );
    }
    assert!(matches!(
        client.standing(bad, until),
        Standing::Usable { .. }
    ));
}

#[test]
fn one_relays_word_is_one_strike() {
    let mut client = TestClient::of(20);
    let victim = client.works(NOW).last;
    let gone = |by| {
        move |_: &Hops| Fault::Gone {
            relay: victim,
            by: Some(by),
        }
    };
    let struck = |client: &TestClient| client.memory.struck_until(&victim, NOW).is_some();
    let liars: Vec<_> = client.list.relays.iter().map(|relay| relay.key).collect();
    for _ in 0..4 {
        client.fails(gone(liars[0]), NOW);
    }
    client.fails(gone(liars[1]), NOW);
    assert!(!struck(&client));
    client.fails(gone(liars[2]), NOW);
    assert!(struck(&client));
}

#[test]
fn a_relay_said_to_be_gone_is_aside_for_an_hour_on_this_guard_only() {
    let mut client = TestClient::of(30);
    let victim = client.works(NOW).last;
    let hops = client.fails(
        |_| Fault::Gone {
            relay: victim,
            by: None,
        },
        NOW,
    );
    let why = SetAsideWhy::NotReachedFrom(hops.guard);
    let until = NOW + HOUR_SECS;
    assert_eq!(
        client.standing(victim, NOW),
        Standing::SetAside { until, why }
    );
    let mut seen = 0;
    for _ in 0..2_000 {
        let path = client.draw(NOW + 1).unwrap().path;
        let stands = [path.middle.key, path.last.key].contains(&victim);
        assert!(!stands || path.guard.key != hops.guard);
        seen += u32::from(stands);
    }
    assert!(seen > 0, "the other guard takes it");
    assert!(!client.memory.is_aside_on(&hops.guard, &victim, until));
}

#[test]
fn a_guard_goes_when_more_than_half_of_its_last_ten_failed() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let guard = client.guards(NOW)[0];
    let hops = Hops {
        guard,
        middle: client.memory.reserve[0],
        last: client.memory.reserve[1],
    };
    for at in 0..40 {
        // Five of any ten: exactly half is not more than half.
        client.learn(if at % 2 == 0 {
            Learned::Worked { hops, at: NOW }
        } else {
            Learned::Failed {
                hops,
                at: NOW,
                fault: Fault::Answered,
            }
        });
    }
    assert!(client.guards(NOW).contains(&guard));
    client.learn(Learned::Failed {
        hops,
        at: NOW,
        fault: Fault::Answered,
    });
    client.learn(Learned::Failed {
        hops,
        at: NOW,
        fault: Fault::Answered,
    });
    assert!(!client.guards(NOW).contains(&guard));
    let until = NOW + GUARD_SECS;
    assert_eq!(client.standing(guard, NOW), Standing::FormerGuard { until });
    let kept_back = client.memory.reserve.clone();
    client.works(NOW);
    assert_eq!(
        client.guards(NOW)[1],
        kept_back[0],
        "who was kept back takes its place"
    );
    for at in (NOW..until).step_by(9_000) {
        let path = client.draw(at).unwrap().path;
        assert!(path.relays().iter().all(|relay| relay.key != guard));
    }
}

#[test]
fn a_guard_that_sets_a_tenth_of_the_list_aside_goes_and_its_word_with_it() {
    let mut client = TestClient::of(40);
    client.works(NOW);
    let guard = client.guards(NOW)[0];
    let victims: Vec<_> = client.list.relays.iter().map(|relay| relay.key).collect();
    let victims: Vec<_> = victims
        .into_iter()
        .filter(|key| !client.memory.is_or_was_guard(key, NOW))
        .filter(|key| !client.memory.reserve.contains(key))
        .take(5)
        .collect();
    for (said, victim) in victims.iter().enumerate() {
        assert!(
            client.guards(NOW).contains(&guard),
            "{said} of 40 are no tenth"
        );
        let hops = Hops {
            guard,
            middle: *victim,
            last: client.memory.reserve[0],
        };
        // Works as often as it fails, so that only what it sets aside tells.
        client.learn(Learned::Worked { hops, at: NOW });
        client.learn(Learned::Failed {
            hops,
            at: NOW,
            fault: Fault::Gone {
                relay: *victim,
                by: Some(guard),
            },
        });
    }
    assert!(!client.guards(NOW).contains(&guard));
    for victim in &victims {
        assert!(matches!(
            client.standing(*victim, NOW),
            Standing::Usable { .. }
        ));
        let strikes = client
            .memory
            .records
            .get(victim)
            .map_or(0, |record| record.strikes.len());
        assert_eq!(strikes, 0, "what it set aside is back");
    }
}

#[test]
fn two_dead_relays_on_a_list_of_ten_do_not_make_their_guard_suspect() {
    let mut client = TestClient::of(10);
    let hops = client.works(NOW);
    for relay in [hops.middle, hops.last] {
        client.learn(Learned::Failed {
            hops,
            at: NOW,
            fault: Fault::Gone { relay, by: None },
        });
    }
    assert!(client.guards(NOW).contains(&hops.guard));
}

#[test]
fn at_most_three_relays_become_guards_in_a_day() {
    let mut client = TestClient::of(40);
    client.works(NOW);
    client.drop_guard(0, NOW);
    client.works(NOW);
    assert_eq!(client.guards(NOW).len(), 2, "the third of this day");
    client.drop_guard(0, NOW);
    client.works(NOW + 3_600);
    assert_eq!(client.guards(NOW).len(), 1);
    client.drop_guard(0, NOW);
    assert_eq!(client.draw(NOW + 3_600), Err(DrawError::Blocked));
    client.works(NOW + DAY_SECS);
    assert_eq!(client.guards(NOW + DAY_SECS).len(), 2);
}

#[test]
fn a_computer_without_network_loses_no_guard() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let guards = client.guards(NOW);
    for at in (NOW..NOW + 40_000).step_by(60) {
        for fault in [Fault::GuardUnreachable, Fault::Silent, Fault::Silent] {
            let Ok(drawn) = client.draw(at) else {
                continue;
            };
            let hops = drawn.path.hops();
            client.learn(Learned::Used { hops, at });
            client.learn(Learned::Failed { hops, at, fault });
        }
    }
    assert_eq!(client.guards(NOW + 50_000), guards);
    client.works(NOW + 50_000);
    assert_eq!(client.guards(NOW + 50_000), guards);
    assert!(guards.iter().all(|guard| matches!(
        client.standing(*guard, NOW + 50_000),
        Standing::Guard { in_use: true, .. }
    )));
}

#[test]
fn a_silent_guard_is_dropped_once_another_answers() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let bad = client.guards(NOW)[0];
    let (mut at, mut silent) = (NOW, 0);
    while client.guards(at).contains(&bad) {
        // The sixth counts once another answers, and one more may come before that.
        assert!(silent <= 7 && at < NOW + 14_400, "six failures are enough");
        let hops = client.hops(at);
        if hops.guard == bad {
            silent += 1;
            client.learn(Learned::Failed {
                hops,
                at,
                fault: Fault::Silent,
            });
        } else {
            client.learn(Learned::Worked { hops, at });
        }
        at += 60;
    }
    assert!(client.memory.is_barred(&bad, at));
}

#[test]
fn a_guard_that_breaks_connections_is_dropped_though_nobody_else_answers() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let bad = client.guards(NOW)[0];
    let hops = Hops {
        guard: bad,
        middle: client.memory.reserve[0],
        last: client.memory.reserve[1],
    };
    for at in NOW..NOW + 6 {
        assert!(client.guards(at).contains(&bad));
        let fault = Fault::Broken;
        client.learn(Learned::Failed { hops, at, fault });
    }
    assert!(client.memory.is_barred(&bad, NOW + 6));
}

#[test]
fn a_guard_over_which_two_tries_hang_yields_and_comes_back() {
    for fault in [Fault::Broken, Fault::Silent] {
        let mut client = TestClient::of(20);
        client.works(NOW);
        let guards = client.guards(NOW);
        let hang = |client: &mut TestClient, at| {
            let hops = loop {
                let hops = client.hops(at);
                if hops.guard == guards[0] {
                    break hops;
                }
            };
            client.learn(Learned::Failed { hops, at, fault });
        };
        hang(&mut client, NOW);
        hang(&mut client, NOW + 100);
        for _ in 0..50 {
            assert_eq!(client.draw(NOW + 699).unwrap().path.guard.key, guards[1]);
        }
        assert_eq!(client.guards(NOW + 700), guards);
        // Once is no reason, nor is twice in a long time or with an answer between.
        hang(&mut client, NOW + 1_000);
        client.works(NOW + 1_001);
        hang(&mut client, NOW + 1_002);
        hang(&mut client, NOW + 1_700);
        let drawn: Vec<_> = (0..50)
            .map(|_| client.draw(NOW + 1_701).unwrap().path.guard.key)
            .collect();
        assert!(drawn.contains(&guards[0]));
    }
}

#[test]
fn a_guard_that_cannot_be_reached_yields_and_comes_back() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let guards = client.guards(NOW);
    let hops = loop {
        let hops = client.hops(NOW);
        if hops.guard == guards[0] {
            break hops;
        }
    };
    client.learn(Learned::Failed {
        hops,
        at: NOW,
        fault: Fault::GuardUnreachable,
    });
    for _ in 0..50 {
        assert_eq!(client.draw(NOW + 599).unwrap().path.guard.key, guards[1]);
    }
    let later: Vec<_> = (0..50)
        .map(|_| client.draw(NOW + 600).unwrap().path.guard.key)
        .collect();
    assert!(later.contains(&guards[0]));
    assert_eq!(client.guards(NOW + 600), guards);
}

#[test]
fn ten_days_are_enough_for_a_guard_where_others_are_left() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let first = client.guards(NOW);
    let end = NOW + GUARD_SECS;
    client.works(end - 1);
    assert_eq!(client.guards(end - 1), first);
    // One at a time.
    client.works(end);
    client.works(end);
    let second = client.guards(end);
    assert!(second.len() == 2 && second.iter().all(|guard| !first.contains(guard)));
    for at in (end..end + GUARD_SECS - 2).step_by(9_000) {
        let drawn = client.draw(at).unwrap();
        assert!(
            drawn.relaxed.is_empty(),
            "who became a guard stood nowhere else: {drawn:?}"
        );
        let hops = drawn.path.hops();
        assert!(!first.contains(&hops.middle) && !first.contains(&hops.last));
    }
    // On five relays nobody could take the places.
    let mut small = TestClient::of(5);
    small.works(NOW);
    let guards = small.guards(NOW);
    assert_eq!(guards.len(), 2);
    for at in (NOW..NOW + 3 * GUARD_SECS).step_by(90_000) {
        small.works(at);
        assert_eq!(small.guards(at), guards);
    }
}

#[test]
fn fewer_than_five_usable_relays_have_one_guard() {
    for (count, guards) in [(3, 1), (4, 1), (5, 2), (8, 2)] {
        let mut client = TestClient::of(count);
        client.works(NOW);
        assert_eq!(client.guards(NOW).len(), guards, "{count} relays");
    }
    let mut client = TestClient::of(5);
    let bad = client.works(NOW).last;
    let guards = client.guards(NOW);
    for _ in 0..3 {
        client.fails(|_| Fault::Relay(bad), NOW);
    }
    assert_eq!(client.guards(NOW), guards[..1]);
}

#[test]
fn new_guards_on_the_persons_word_are_others() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let first = client.guards(NOW);
    client
        .memory
        .forget_guards(&client.list.clone(), client.allow, NOW)
        .unwrap();
    client.works(NOW);
    // Two became guards before, so one may today.
    let second = client.guards(NOW);
    assert!(second.len() == 1 && !first.contains(&second[0]));
    let again = client
        .memory
        .forget_guards(&client.list.clone(), client.allow, NOW);
    let again_at = NOW + DAY_SECS;
    assert_eq!(again, Err(NewGuardRefused::TooSoon { again_at }));
    assert_eq!(client.guards(NOW), second);
}

#[test]
fn who_was_middle_or_last_lately_becomes_no_guard_unless_allowed() {
    let mut client = TestClient::of(5);
    for _ in 0..20 {
        client.works(NOW);
    }
    let guards = client.guards(NOW);
    client.drop_guard(0, NOW);
    let later = NOW + DAY_SECS;
    assert_eq!(client.works(later).guard, guards[1]);
    assert_eq!(client.guards(later), guards[1..]);
    let list = client.list.clone();
    let refused = client.memory.forget_guards(&list, client.allow, later);
    assert_eq!(refused, Err(NewGuardRefused::NobodyLeft));

    // The last one goes too: one that was dropped returns before anybody who could know the server is asked.
    client.drop_guard(0, later);
    let drawn = client.draw(later).unwrap();
    assert!(guards.contains(&drawn.path.guard.key));
    assert_eq!(drawn.relaxed, [Relaxed::GuardReturned]);

    let mut newcomer = TestClient::of(5);
    for relay in &newcomer.list.relays {
        let record = newcomer.memory.records.entry(relay.key).or_default();
        record.stood = Some(later);
    }
    let Err(DrawError::NoPath(no_path)) = newcomer.draw(later) else {
        panic!("a path");
    };
    let mut reasons = no_path.rejected.iter().map(|one| one.reason);
    assert!(
        no_path.place == Place::Guard && reasons.all(|why| why == RejectReason::StoodElsewhere)
    );
    newcomer.allow = Allowance::ALL;
    let drawn = newcomer.draw(later).unwrap();
    assert_eq!(drawn.relaxed, [Relaxed::GuardStoodElsewhere]);
    newcomer.memory.guards.clear();
    newcomer.allow = Allowance::NONE;
    // Ten days after they last stood there they may.
    let free = later + GUARD_SECS;
    assert!(newcomer.draw(free).unwrap().relaxed.is_empty());
}

#[test]
fn a_wrong_clock_costs_no_guard_and_keeps_none_for_ever() {
    let wrong_by = 20 * 365 * DAY_SECS;
    let right = NOW + 2 * wrong_by;
    for wrong in [right + wrong_by, right - wrong_by, 5] {
        let mut client = TestClient::of(20);
        client.works(right - 3_600);
        let dropped = client.drop_guard(0, right - 3_600);
        client.works(right);
        let guards = client.guards(right);
        let stood = client.fails(|_| Fault::Answered, right).last;

        // The clock is wrong for some requests, and set right in the midst of one.
        client.works(wrong);
        assert_eq!(client.guards(wrong), guards, "{wrong}");
        let hops = client.hops(right + 60);
        client.learn(Learned::Worked { hops, at: wrong });
        let later = right + 120;
        client.works(later);
        assert_eq!(client.guards(later), guards, "{wrong}");
        assert!(client.memory.is_or_was_guard(&dropped, later));
        assert!(client.memory.is_barred(&dropped, later));
        assert!(client.memory.stood_lately(&stood, later));
        for guard in &guards {
            let Standing::Guard { since, .. } = client.standing(*guard, later) else {
                panic!("a guard");
            };
            assert!(since <= later, "{wrong}: {since}");
        }

        for day in 1..14 {
            client.works(later + day * DAY_SECS);
        }
        let over = later + 14 * DAY_SECS;
        let left = client.guards(over);
        assert!(left.iter().all(|guard| !guards.contains(guard)), "{wrong}");
        assert!(!client.memory.is_barred(&dropped, over), "{wrong}");
    }
}

#[test]
fn a_guard_whose_time_is_over_stays_until_another_may_follow() {
    let mut client = TestClient::of(12);
    client.works(NOW);
    let over = NOW + GUARD_SECS;
    for relay in client.list.relays.clone() {
        if !client.guards(NOW).contains(&relay.key) {
            client.memory.records.entry(relay.key).or_default().stood = Some(over - 1);
        }
    }
    let guards = client.guards(NOW);
    client.draw(over).unwrap();
    assert_eq!(client.guards(over), guards);
    client.allow = Allowance::ALL;
    client.draw(over).unwrap();
    assert_ne!(client.guards(over), guards);
}

#[test]
fn former_guards_stand_elsewhere_only_when_allowed_and_needed() {
    let mut client = TestClient::of(5);
    client.works(NOW);
    let [one, other] = client.guards(NOW)[..] else {
        panic!("five relays have two guards");
    };
    let free: Vec<_> = client
        .list
        .relays
        .iter()
        .map(|relay| relay.key)
        .filter(|key| *key != one && *key != other)
        .collect();
    // Two of three that are left have failed in this transfer.
    client.allow = Allowance::NONE;
    let drawn = client.draw_without(&free[..2], NOW).unwrap();
    assert_eq!(
        drawn.relaxed,
        [Relaxed::SetAside],
        "what failed is tried again"
    );
    client.allow.former_guards = true;
    let drawn = client.draw_without(&free[..2], NOW).unwrap();
    let hops = drawn.path.hops();
    assert_eq!(hops.last, free[2]);
    assert!([one, other].contains(&hops.middle) && hops.middle != hops.guard);
    assert_eq!(drawn.relaxed, [Relaxed::GuardIsMiddle]);
    // Both guards are needed for the two places now, so a new one is drawn.
    let drawn = client.draw_without(&free, NOW);
    assert!(drawn.is_ok());
}

#[test]
fn what_is_stored_comes_back() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let bad = client.fails(
        |hops| Fault::Gone {
            relay: hops.last,
            by: Some(hops.middle),
        },
        NOW,
    );
    client.fails(|_| Fault::Relay(bad.last), NOW);
    client.drop_guard(0, NOW);
    client.works(NOW + 1);
    for fault in [Fault::Broken, Fault::GuardUnreachable, Fault::Silent] {
        client.fails(|_| fault, NOW + 2);
    }
    assert_eq!(client.memory.doubts.len(), 3);
    let json = client.memory.to_json();
    let text = serde_json::to_string(&json).unwrap();
    let back = RelayMemory::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(back, client.memory);
    let newer = serde_json::json!({"version": 2, "anything": []});
    assert_eq!(RelayMemory::from_json(&newer), Err(StoredError::Newer));
    for wrong in [
        serde_json::json!({}),
        serde_json::json!([1]),
        serde_json::json!({"version": 1, "guards": []}),
    ] {
        assert_eq!(RelayMemory::from_json(&wrong), Err(StoredError::Malformed));
    }
}

/// The first relays of a list are hostile. As guard or last they behave; as middle behind an honest guard they make
/// this of every request, if anything. Over a month of 30 clients: how many of their transfers went over a hostile
/// guard, and how many tries failed.
fn simulate(attack: Option<fn(&Hops) -> Fault>) -> (u32, u32) {
    let (relays, hostile, clients, days, a_day) = (20, 6, 30, 30, 30);
    let (mut exposed, mut failed) = (0, 0);
    for seed in 0..clients {
        let mut client = TestClient::of(relays);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        let bad: Vec<_> = (1..=hostile).map(key).collect();
        for number in 0..days * a_day {
            let now = NOW + number * DAY_SECS / a_day;
            let (mut guards_tried, mut tried, mut answered) = (vec![], vec![], false);
            for _ in 0..5 {
                let drawing = Drawing {
                    answered,
                    guards_tried: &guards_tried,
                    tried: &tried,
                    ..Drawing::first(&client.list, HOST, client.allow)
                };
                let drawn = drawing.draw(&mut client.memory, now, &mut client.rng);
                let hops = drawn.unwrap().path.hops();
                client.learn(Learned::Used { hops, at: now });
                let lies = !bad.contains(&hops.guard) && bad.contains(&hops.middle);
                let Some(attack) = attack.filter(|_| lies) else {
                    client.learn(Learned::Worked { hops, at: now });
                    exposed += u32::from(bad.contains(&hops.guard));
                    break;
                };
                client.learn(Learned::Failed {
                    hops,
                    at: now,
                    fault: attack(&hops),
                });
                failed += 1;
                answered = true;
                guards_tried.push(hops.guard);
                tried.extend([hops.middle, hops.last]);
            }
        }
    }
    (exposed, failed)
}

#[test]
fn middles_that_lie_do_not_raise_the_share_of_transfers_over_hostile_guards() {
    let (at_rest, _) = simulate(None);
    let attacks: [fn(&Hops) -> Fault; 2] = [
        |hops| Fault::Relay(hops.middle),
        |hops| Fault::Gone {
            relay: hops.last,
            by: Some(hops.middle),
        },
    ];
    for attack in attacks {
        let (exposed, failed) = simulate(Some(attack));
        assert!(exposed <= at_rest + at_rest / 20, "{exposed} of {at_rest}");
        assert!(failed > 100, "they did lie: {failed}");
    }
    // The same lies without a key to them count against the guards, which shows that the simulation would see it.
    let (exposed, _) = simulate(Some(|_| Fault::Answered));
    assert!(exposed > at_rest + at_rest / 4, "{exposed} of {at_rest}");
}

/// Who was guard, middle or last, and when.
#[derive(Default)]
struct Diary {
    guard: BTreeMap<Ed25519Public, u64>,
    elsewhere: BTreeMap<Ed25519Public, u64>,
}

impl Diary {
    /// Checks that no relay saw both ends of this client within ten days, but where the path says so.
    fn note(&mut self, drawn: &DrawnPath, at: u64) {
        let hops = drawn.path.hops();
        let lately = |book: &BTreeMap<_, u64>, key| {
            book.get(&key).is_some_and(|then| at < then + GUARD_SECS)
        };
        let told = |rule| drawn.relaxed.contains(&rule);
        assert_eq!(
            lately(&self.elsewhere, hops.guard),
            told(Relaxed::GuardStoodElsewhere)
        );
        assert!(!lately(&self.guard, hops.middle) || told(Relaxed::GuardIsMiddle));
        assert!(!lately(&self.guard, hops.last) || told(Relaxed::GuardIsLast));
        self.guard.insert(hops.guard, at);
        self.elsewhere.insert(hops.middle, at);
        self.elsewhere.insert(hops.last, at);
    }
}

proptest! {
    /// Whatever tries teach over two months: three relays are enough for a path, nobody is locked out of a short
    /// list, and what a path does not follow is told.
    #[test]
    fn nobody_is_locked_out_of_a_short_list(count in 3..8_u8, allowed: bool, seed: u64) {
        let mut client = TestClient::of(count);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        if allowed {
            client.allow = Allowance::ALL;
        }
        let mut random = ChaCha20Rng::seed_from_u64(!seed);
        let mut diary = Diary::default();
        let mut now = NOW;
        for _ in 0..300 {
            now += u64::from(random.next_u32() % 40_000);
            let drawn = client.draw(now);
            prop_assert!(drawn.is_ok(), "{drawn:?} at {now}");
            let drawn = drawn.unwrap();
            diary.note(&drawn, now);
            let hops = drawn.path.hops();
            prop_assert!(hops.guard != hops.middle && hops.middle != hops.last && hops.guard != hops.last);
            client.learn(Learned::Used { hops, at: now });
            let fault = match random.next_u32() % 10 {
                0 => Fault::Answered,
                1 => Fault::GuardUnreachable,
                2 => Fault::Silent,
                3 => Fault::Relay(hops.last),
                4 => Fault::Link(hops.middle, hops.last),
                5 => Fault::Gone { relay: hops.last, by: None },
                6 => Fault::Gone { relay: hops.middle, by: Some(hops.guard) },
                7 => Fault::Broken,
                8 => {
                    client.learn(Learned::Reached { hops, at: now });
                    client.learn(Learned::Belied { relay: hops.last, at: now });
                    continue;
                }
                _ => {
                    client.learn(Learned::Worked { hops, at: now });
                    continue;
                }
            };
            client.learn(Learned::Failed { hops, at: now, fault });
        }
    }

    #[test]
    fn a_list_that_is_too_short_is_an_error_and_never_a_panic(count in 0..3_u8, seed: u64) {
        let mut client = TestClient::of(count);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        client.allow = Allowance::ALL;
        let Err(DrawError::NoPath(none)) = client.draw(NOW) else {
            panic!("a path has three relays");
        };
        prop_assert_eq!(none.rejected.len(), usize::from(count));
    }
}
