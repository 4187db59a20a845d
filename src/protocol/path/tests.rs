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

fn hops([guard, middle, last]: [Ed25519Public; 3]) -> Hops {
    Hops {
        guard,
        middle,
        last,
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

    /// Works until both guards in use have answered.
    fn settles(&mut self, now: u64) {
        for _ in 0..20 {
            self.works(now);
        }
    }

    /// Relays that stand in the middle or at the end.
    fn outside(&self) -> Vec<Ed25519Public> {
        self.memory.sample(&self.list, NOW).outside
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

    /// A try over these relays, from guard to last, fails.
    fn fails_over(&mut self, relays: [Ed25519Public; 3], fault: Fault, at: u64) {
        let hops = hops(relays);
        self.learn(Learned::Failed { hops, at, fault });
    }

    fn strikes(&self, key: Ed25519Public) -> usize {
        self.memory.record(&key).strikes.len()
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
    // Twelve less a sample of four: eight, in 56 ordered pairs; 93.2 is passed once in a thousand.
    assert_eq!(pairs.len(), 56);
    assert!(chi_square(pairs.values(), 150.0) < 93.2, "{pairs:?}");
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
fn a_relay_that_worked_within_the_hour_is_twice_as_likely_and_on_a_retry_the_untried_come_first() {
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
        tried: &[good.middle, good.last],
        ..Drawing::first(&client.list, HOST, Allowance::NONE)
    };
    for _ in 0..50 {
        let drawn = drawing
            .draw(&mut client.memory, NOW + 60, &mut client.rng)
            .unwrap();
        assert!(![good.middle, good.last].contains(&drawn.path.last.key));
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
                .filter(|one| one.reasons.contains(&reason))
                .count()
        };
        assert_eq!(
            (
                count(RejectReason::NotServing),
                count(RejectReason::OnThisPath)
            ),
            (6, 1),
            "every reason is told"
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
        assert!(
            none.rejected
                .iter()
                .any(|one| one.reasons.contains(&reason))
        );
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
fn one_neighbour_alone_has_nobody_set_aside() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guard = client.guards(NOW)[0];
    let [victim, liar, other, ..] = client.outside()[..] else {
        panic!("many stand outside");
    };
    for _ in 0..6 {
        client.fails_over([guard, liar, victim], Fault::Link(liar, victim), NOW);
    }
    assert_eq!(client.strikes(victim), 2);
    assert!(matches!(
        client.standing(victim, NOW),
        Standing::Usable { .. }
    ));
    client.fails_over([guard, other, victim], Fault::Link(other, victim), NOW);
    let until = NOW + 48 * HOUR_SECS;
    let why = SetAsideWhy::Strikes;
    assert_eq!(
        client.standing(victim, NOW),
        Standing::SetAside { until, why }
    );
    assert_eq!(
        (client.strikes(liar), client.strikes(other)),
        (0, 0),
        "one that is set aside explains what went wrong beside it"
    );
}

#[test]
fn one_relays_word_that_another_is_not_there_counts_once() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guard = client.guards(NOW)[0];
    let [victim, liar, ..] = client.outside()[..] else {
        panic!("many stand outside");
    };
    let by = Some(liar);
    for _ in 0..4 {
        let fault = Fault::Gone { relay: victim, by };
        client.fails_over([guard, liar, victim], fault, NOW);
    }
    assert_eq!((client.strikes(victim), client.strikes(liar)), (1, 2));
}

/// It answers honest middles with a plain error, to which they put their keys.
#[test]
fn a_last_relay_that_fails_plainly_is_set_aside_and_no_middle() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guard = client.guards(NOW)[0];
    let outside = client.outside();
    let (bad, honest) = outside.split_first().unwrap();
    for middle in honest.iter().take(3) {
        client.fails_over([guard, *middle, *bad], Fault::Link(*middle, *bad), NOW);
    }
    assert!(matches!(
        client.standing(*bad, NOW),
        Standing::SetAside { .. }
    ));
    for middle in honest.iter().take(3) {
        assert_eq!(client.strikes(*middle), 0);
    }
    assert_eq!(client.guards(NOW).len(), 2);
}

#[test]
fn a_middle_that_lies_does_not_go_free_by_working_as_last() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guard = client.guards(NOW)[0];
    let outside = client.outside();
    let (liar, honest) = outside.split_first().unwrap();
    for last in honest.iter().take(2) {
        client.fails_over([guard, *liar, *last], Fault::Link(*liar, *last), NOW);
    }
    for middle in honest {
        let hops = hops([guard, *middle, *liar]);
        client.learn(Learned::Worked { hops, at: NOW });
    }
    assert_eq!(client.strikes(*liar), 2);
    // An answer over the very hop ends the strikes of both.
    let hops = hops([guard, *liar, honest[0]]);
    client.learn(Learned::Worked { hops, at: NOW });
    assert_eq!(client.strikes(*liar), 1);
    assert_eq!(
        (client.strikes(honest[0]), client.strikes(honest[1])),
        (0, 1)
    );
}

#[test]
fn a_short_time_offline_is_one_strike_at_most_and_none_where_the_guards_answer_again() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guards = client.guards(NOW);
    let outside = client.outside();
    let over = |guard| [guard, outside[0], outside[1]];
    let offline = |client: &mut TestClient| {
        client.fails_over(over(guards[0]), Fault::Broken, NOW);
        for at in [NOW + 10, NOW + 60, NOW + 120] {
            client.fails_over(over(guards[0]), Fault::GuardUnreachable, at);
            client.fails_over(over(guards[1]), Fault::GuardUnreachable, at);
        }
    };
    offline(&mut client);
    let at = NOW + 180;
    let answers = |client: &mut TestClient, guard| {
        let hops = hops(over(guard));
        client.learn(Learned::Worked { hops, at });
    };
    answers(&mut client, guards[0]);
    assert_eq!(
        (client.strikes(guards[0]), client.strikes(guards[1])),
        (0, 0)
    );
    let failed = |client: &TestClient| {
        let tries = &client.memory.record(&guards[0]).tries;
        tries
            .iter()
            .filter(|one| **one != strikes::Try::Worked)
            .count()
    };
    assert_eq!(
        failed(&client),
        0,
        "the connection that broke was this computer's"
    );

    // A third one answers, which was not tried: they are struck once each.
    offline(&mut client);
    let third = client.memory.sample(&client.list, NOW).members[2];
    answers(&mut client, third);
    assert_eq!(
        (client.strikes(guards[0]), client.strikes(guards[1])),
        (1, 1)
    );
    assert_eq!(client.guards(at), guards);
}

/// So that it would answer only on paths that it likes.
#[test]
fn silence_costs_a_guard_though_it_answers_next() {
    for fault in [Fault::Silent, Fault::Broken] {
        let mut client = TestClient::of(20);
        client.settles(NOW);
        let guard = client.guards(NOW)[0];
        let outside = client.outside();
        let mut tries = 0;
        while client.guards(NOW).contains(&guard) {
            let at = NOW + tries;
            let middle = outside[usize::try_from(tries).unwrap() % 5];
            client.fails_over([guard, middle, outside[6]], fault, at);
            client.fails_over([guard, middle, outside[7]], fault, at);
            let hops = hops([guard, outside[8], outside[9]]);
            client.learn(Learned::Worked { hops, at });
            tries += 1;
            assert!(tries < 10, "{fault:?}: two of three tries fail");
        }
    }
}

/// They refuse connections from an honest guard.
#[test]
fn who_refuses_one_guard_is_not_rid_of_its_strikes_with_it() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guards = client.guards(NOW);
    let outside = client.outside();
    let refuse = |client: &mut TestClient, guard, bad| {
        let by = Some(guard);
        let fault = Fault::Gone { relay: bad, by };
        client.fails_over([guard, bad, outside[9]], fault, NOW);
    };
    for bad in &outside[..3] {
        refuse(&mut client, guards[0], *bad);
    }
    assert!(!client.guards(NOW).contains(&guards[0]));
    for bad in &outside[..3] {
        assert_eq!(client.strikes(*bad), 1);
        client.fails_over(
            [guards[1], outside[8], *bad],
            Fault::Link(outside[8], *bad),
            NOW,
        );
        refuse(&mut client, guards[1], *bad);
        assert!(matches!(
            client.standing(*bad, NOW),
            Standing::SetAside { .. }
        ));
    }
    assert!(
        client.guards(NOW).contains(&guards[1]),
        "what is known of them otherwise is not held against the next guard"
    );
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
    client.settles(NOW);
    let guard = client.guards(NOW)[0];
    let hops = Hops {
        guard,
        middle: client.outside()[0],
        last: client.outside()[1],
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
    let successor = client.guards(NOW)[1];
    assert_eq!(client.standing(successor, NOW), Standing::KeptBack);
    client.settles(NOW);
    assert!(
        matches!(client.standing(successor, NOW), Standing::Guard { .. }),
        "who was kept back takes its place"
    );
    for at in (NOW..until).step_by(9_000) {
        let path = client.draw(at).unwrap().path;
        assert!(path.relays().iter().all(|relay| relay.key != guard));
    }
}

#[test]
fn a_guard_that_sets_a_tenth_of_the_list_aside_goes() {
    let mut client = TestClient::of(40);
    client.settles(NOW);
    let guard = client.guards(NOW)[0];
    let victims = client.outside()[..5].to_vec();
    for (said, victim) in victims.iter().enumerate() {
        assert!(
            client.guards(NOW).contains(&guard),
            "{said} of 40 are no tenth"
        );
        let hops = Hops {
            guard,
            middle: *victim,
            last: client.outside()[6],
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
        assert_eq!(client.strikes(*victim), 1, "its word is no more than one");
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
fn at_most_three_relays_are_asked_as_new_guards_in_a_day() {
    let mut client = TestClient::of(40);
    client.settles(NOW);
    client.drop_guard(0, NOW);
    client.settles(NOW);
    assert_eq!(client.guards(NOW).len(), 2, "the third of this day");
    client.drop_guard(0, NOW);
    client.settles(NOW + 3_600);
    assert_eq!(client.guards(NOW + 3_600).len(), 1);
    client.drop_guard(0, NOW + 3_600);
    let returned = client.draw(NOW + 3_600).unwrap();
    assert_eq!(returned.relaxed, [Relaxed::GuardReturned]);
    // One guard that does not answer is no proof: dropped ones return.
    let mut tried = vec![returned.path.guard.key];
    while tried.len() < MAX_NEW_GUARDS {
        let drawing = Drawing {
            failed: &tried,
            guards_tried: &tried,
            ..Drawing::first(&client.list, HOST, client.allow)
        };
        let drawn = drawing.draw(&mut client.memory, NOW + 3_600, &mut client.rng);
        tried.push(drawn.unwrap().path.guard.key);
    }
    let drawing = Drawing {
        failed: &tried,
        guards_tried: &tried,
        ..Drawing::first(&client.list, HOST, client.allow)
    };
    let again = drawing.draw(&mut client.memory, NOW + 3_600, &mut client.rng);
    assert_eq!(again, Err(DrawError::Blocked));
    client.settles(NOW + DAY_SECS);
    assert_eq!(client.guards(NOW + DAY_SECS).len(), 2);
}

#[test]
fn a_computer_without_network_loses_no_guard() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
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
    assert!(client.memory.is_dropped(&bad, at));
}

#[test]
fn a_guard_that_breaks_connections_is_dropped_once_another_answers() {
    let mut client = TestClient::of(20);
    client.works(NOW);
    let bad = client.guards(NOW)[0];
    let hops = Hops {
        guard: bad,
        middle: client.outside()[0],
        last: client.outside()[1],
    };
    for at in NOW..NOW + 6 {
        assert!(client.guards(at).contains(&bad));
        let fault = Fault::Broken;
        client.learn(Learned::Failed { hops, at, fault });
    }
    assert!(
        client.guards(NOW + 6).contains(&bad),
        "it may be the network here"
    );
    let guard = client.guards(NOW)[1];
    let hops = Hops { guard, ..hops };
    let at = NOW + 7;
    client.learn(Learned::Worked { hops, at });
    assert!(client.memory.is_dropped(&bad, at));
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
fn guards_are_kept_for_as_long_as_they_work() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guards = client.guards(NOW);
    for at in (NOW..NOW + 300 * DAY_SECS).step_by(90_000) {
        client.works(at);
        assert_eq!(client.guards(at), guards);
    }
    // Also on a list that grows, whoever has a lower hash.
    client.list = list(60);
    let later = NOW + 301 * DAY_SECS;
    client.settles(later);
    assert_eq!(client.guards(later), guards);
}

#[test]
fn who_joins_a_list_is_no_guard_for_ten_days_unless_nobody_else_is_left() {
    for seed in 0..20 {
        let mut client = TestClient::of(12);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        client.settles(NOW);
        let old: Vec<_> = client.list.relays.iter().map(|relay| relay.key).collect();
        client.list = list(60);
        client.draw(NOW).unwrap();
        client.drop_guard(0, NOW);
        let day = NOW + DAY_SECS;
        client.settles(day);
        assert!(client.guards(day).iter().all(|guard| old.contains(guard)));
    }
    // Two of the old list were asked before, and left it; those that did not stand are new.
    let mut client = TestClient::of(6);
    client.settles(NOW);
    client.list = list(20);
    client.list.relays.drain(..6);
    let drawn = client.draw(NOW + 1).unwrap();
    assert_eq!(drawn.relaxed, [Relaxed::GuardIsNew]);
    let later = NOW + GUARD_SECS;
    client.draw(later).unwrap();
    assert!(client.draw(later + 1).unwrap().relaxed.is_empty());
}

#[test]
fn a_guard_that_leaves_the_list_and_returns_soon_is_one_again() {
    let mut client = TestClient::of(20);
    client.settles(NOW);
    let guards = client.guards(NOW);
    let whole = client.list.clone();
    client.list.relays.retain(|relay| relay.key != guards[0]);
    client.settles(NOW + DAY_SECS);
    assert!(!client.guards(NOW + DAY_SECS).contains(&guards[0]));
    client.list = whole;
    client.settles(NOW + 2 * DAY_SECS);
    assert_eq!(client.guards(NOW + 2 * DAY_SECS), guards);
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
    client.settles(NOW);
    let first = client.guards(NOW);
    client
        .memory
        .forget_guards(&client.list.clone(), client.allow, NOW)
        .unwrap();
    client.settles(NOW);
    // Two were asked before, so one may be today.
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
    client.settles(NOW);
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
    let stood = |one: &Rejection| one.reasons.contains(&RejectReason::StoodElsewhere);
    assert!(no_path.place == Place::Guard && no_path.rejected.iter().all(stood));
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
fn a_wrong_clock_costs_no_guard_and_nothing_lasts_for_ever() {
    let wrong_by = 20 * 365 * DAY_SECS;
    let right = NOW + 2 * wrong_by;
    for wrong in [right + wrong_by, right - wrong_by, 5, 0] {
        let mut client = TestClient::of(20);
        client.settles(right - 3_600);
        let dropped = client.drop_guard(0, right - 3_600);
        client.settles(right);
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
        assert!(client.memory.was_asked(&dropped, later));
        assert!(client.memory.is_dropped(&dropped, later));
        assert!(client.memory.has_stood_lately(&stood, later));
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
        assert_eq!(client.guards(over), guards, "{wrong}");
        assert!(!client.memory.is_dropped(&dropped, over), "{wrong}");
    }
}

#[test]
fn former_guards_stand_elsewhere_only_when_allowed_and_needed() {
    let mut client = TestClient::of(5);
    client.settles(NOW);
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
    let newer = serde_json::json!({"version": 3, "anything": []});
    assert_eq!(RelayMemory::from_json(&newer), Err(StoredError::Newer));
    for wrong in [
        serde_json::json!({}),
        serde_json::json!([1]),
        serde_json::json!({"version": 2, "guards": []}),
        serde_json::json!({"version": 2, "secret": "00", "guards": [], "relays": {}, "new_guards": []}),
        serde_json::json!({"version": 1, "relays": []}),
    ] {
        assert_eq!(RelayMemory::from_json(&wrong), Err(StoredError::Malformed));
    }
}

/// Guards stay, former ones stay away from the other end, and who stood there becomes no guard.
#[test]
fn of_a_memory_of_version_1_stays_who_saw_what() {
    let mut client = TestClient::of(20);
    let (kept, former, stood) = ([key(3), key(17)], key(5), key(9));
    let guard = |key: &Ed25519Public| {
        let aside: [u8; 0] = [];
        serde_json::json!({"relay": key.to_hex(), "since": NOW - 9, "used": NOW - 1, "tries": "+-", "aside": aside,
            "yields_until": 0})
    };
    let stored = serde_json::json!({
        "version": 1,
        "guards": kept.iter().map(guard).collect::<Vec<_>>(),
        "former": [{"relay": former.to_hex(), "served_until": NOW - 2, "barred_until": NOW + GUARD_SECS - 2}],
        "kept_back": [key(2).to_hex()],
        "relays": [{"relay": stood.to_hex(), "stood": NOW - 1, "worked": NOW - 1}],
        "new_guards": [NOW - 9, NOW - 8, NOW - 7],
    });
    client.memory = RelayMemory::from_json(&stored).unwrap();
    client.settles(NOW);
    assert_eq!(client.guards(NOW), kept);
    let (since, in_use) = (NOW - 9, true);
    assert_eq!(
        client.standing(key(3), NOW),
        Standing::Guard { since, in_use }
    );
    assert_eq!(client.memory.to_json()["version"], 2);
    assert_eq!(client.memory.new_guards_left(NOW), 0);
    let until = NOW - 2 + GUARD_SECS;
    assert_eq!(
        client.standing(former, NOW),
        Standing::FormerGuard { until }
    );
    assert!(client.memory.is_dropped(&former, until - 1));
    for at in (NOW..until).step_by(9_000) {
        let path = client.draw(at).unwrap().path;
        assert!(path.relays().iter().all(|relay| relay.key != former));
    }
    let stood_until = NOW - 1 + GUARD_SECS;
    assert!(client.memory.has_stood_lately(&stood, stood_until - 1));
    // A list too short for that has no path.
    client
        .list
        .relays
        .retain(|relay| [stood, former, key(3)].contains(&relay.key));
    assert!(client.draw(NOW).is_err());
}

/// The bytes that are stored, of which other versions of this program read.
#[test]
fn the_stored_form_is_pinned() {
    let stored = serde_json::json!({
        "version": 2,
        "secret": "07".repeat(32),
        "guards": [{"relay": key(1).to_hex(), "since": 5}],
        "relays": {
            key(1).to_hex(): {"in_sample": 1, "asked": 9, "worked": 9, "tries": ["worked", {"failed": [key(2).to_hex()]}],
                "asides": [{"relay": key(2).to_hex(), "at": 8, "by_guard": true}]},
            key(2).to_hex(): {"unlisted": 4, "stood": 9, "dropped": 3, "yields": 2,
                "strikes": [{"at": 7, "place": "middle", "with": key(3).to_hex(), "over": key(1).to_hex()},
                    {"at": 8, "place": "last"}]},
        },
        "new_guards": [5],
        "doubts": [{"hops": {"guard": key(1).to_hex(), "middle": key(2).to_hex(), "last": key(3).to_hex()}, "at": 9,
            "why": "silent"}],
    });
    let memory = RelayMemory::from_json(&stored).unwrap();
    assert_eq!(memory.to_json(), stored);
}

/// A list of one operator's relays in many networks, and of networks that many operators share.
#[test]
fn whether_a_list_has_a_path_that_shares_nothing_is_told_of_two_hundred_relays() {
    let with = |change: &dyn Fn(usize, &mut RelayDescriptor)| {
        let mut all = list(200);
        for (at, relay) in all.relays.iter_mut().enumerate() {
            change(at, relay);
        }
        rules::makes_a_path(&all, HOST)
    };
    let alike = |relay: &mut RelayDescriptor| relay.host = IpAddr::from([192, 0, 2, 7]);
    assert!(with(&|_, _| {}));
    assert!(!with(&|_, relay| relay.operator = "one".to_owned()));
    assert!(!with(&|at, relay| relay.operator = format!("{}", at % 2)));
    assert!(with(&|at, relay| relay.operator = format!("{}", at % 3)));
    assert!(!with(&|_, relay| alike(relay)));
    // One operator has a network of its own, and the only others share theirs.
    let split = |at: usize, relay: &mut RelayDescriptor| match at {
        0 => relay.operator = "other".to_owned(),
        1..100 => relay.operator = "one".to_owned(),
        _ => alike(relay),
    };
    assert!(with(&split));
    assert!(!with(&|at, relay| {
        split(at, relay);
        relay.serves = Serves::None;
    }));
    assert!(!with(&|at, relay| {
        if at > 0 {
            split(at, relay);
        } else {
            alike(relay);
        }
    }));
}

/// For another server the one that alone serves this one must not become guard.
#[test]
fn who_alone_serves_a_host_is_no_guard_for_requests_to_another() {
    for seed in 0..40 {
        let mut relays = list(9);
        relays.relays[3].serves = Serves::Hosts(vec![HOST.to_owned()]);
        for relay in &mut relays.relays[4..] {
            relay.serves = Serves::Hosts(vec!["other.example".to_owned()]);
        }
        for relay in &mut relays.relays[..3] {
            relay.serves = Serves::None;
        }
        let mut client = TestClient::new(relays);
        client.rng = ChaCha20Rng::seed_from_u64(seed);
        for _ in 0..10 {
            let other = Drawing::first(&client.list, "other.example", Allowance::NONE);
            let drawn = other
                .draw(&mut client.memory, NOW, &mut client.rng)
                .unwrap();
            let hops = drawn.path.hops();
            client.learn(Learned::Used { hops, at: NOW });
            client.learn(Learned::Worked { hops, at: NOW });
            assert_ne!(hops.guard, key(4));
        }
        assert_eq!(client.works(NOW).last, key(4));
    }
}

#[test]
fn a_clock_near_1970_keeps_both_guards() {
    for now in [0, 5, DAY_SECS] {
        let mut client = TestClient::of(12);
        client.settles(now);
        assert_eq!(client.guards(now).len(), 2, "{now}");
        assert!(client.draw(now).unwrap().relaxed.is_empty(), "{now}");
    }
}

#[test]
fn a_list_that_lacks_relays_for_a_day_makes_nobody_new() {
    let mut client = TestClient::of(12);
    client.settles(NOW);
    let whole = client.list.clone();
    let members = client.memory.sample(&whole, NOW).members;
    client.list.relays.truncate(6);
    client.settles(NOW + DAY_SECS);
    client.list = whole;
    client.settles(NOW + 2 * DAY_SECS);
    for key in members {
        assert!(client.memory.is_old(&key, NOW + 2 * DAY_SECS));
    }
}

/// Who stood can be a guard only ten days later: a short list cannot wait for that, and on a long one nobody is to come to
/// the front by joining.
#[test]
fn on_a_short_list_who_stood_comes_into_the_sample_after_a_newcomer() {
    for (count, always) in [(7, true), (12, false)] {
        let newcomer = key(count + 1);
        let comes_in = |seed| {
            let mut client = TestClient::of(count);
            client.rng = ChaCha20Rng::seed_from_u64(seed);
            client.settles(NOW);
            let sample = client.memory.sample(&client.list, NOW);
            let stood = |key| client.memory.has_stood_lately(key, NOW);
            assert!(sample.outside.iter().all(stood), "{count}");
            let left = sample.members[2];
            client.list = list(count + 1);
            client.list.relays.retain(|relay| relay.key != left);
            let sample = client.memory.sample(&client.list, NOW);
            sample.members.contains(&newcomer)
        };
        assert_eq!((0..20).all(comes_in), always, "{count}");
    }
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
