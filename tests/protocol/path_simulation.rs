//! Simulated people draw paths for months: how many ever meet hostile relays at both ends, and how many transfers get
//! through.
//!
//! Every person has a world of their own: a list of relays, some of them hostile, that come and go, and whatever else a
//! [`Setting`] says. Only the path rules are real here; what a try comes to is decided by who is there and who sabotages.
//! Seeds are fixed, so that a run can be repeated. The tables are printed by
//! `cargo test --release --test protocol path_simulation -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;

use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::path::{
    Allowance, DrawError, Drawing, Fault, GUARD_SECS, Hops, Learned, RelayMemory,
};
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList, Serves};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// What hostile relays do at one place of a path, unless hostile relays hold both its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sabotage {
    /// Fails under its own key.
    Errs,
    /// Says that the next relay cannot be reached.
    Lies,
    /// Answers plainly, so that whoever is before it puts its own key to that.
    Plain,
    /// Refuses the connection of whoever is before it; a guard breaks that of the client.
    Refuses,
    /// Lets nothing come back.
    Silent,
}

/// A place of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Guard,
    Middle,
    Last,
    Anywhere,
}

/// Hostile relays that join a list.
#[derive(Clone, Copy, Debug)]
struct Joining {
    /// The day on which they join.
    day: u64,
    count: usize,
    /// After so many days they leave, and as many join under new keys; 0 for never.
    renewed_days: u64,
}

/// What a simulated person lives through.
#[derive(Clone, Debug)]
struct Setting {
    relays: usize,
    /// How likely each relay is to be hostile, in percent.
    hostile: usize,
    days: u64,
    transfers_a_day: u64,
    /// How long a relay stays on the list, in days, on average; 0 for always. Another one takes its place.
    life_days: f64,
    /// The share of time for which an honest relay cannot be reached.
    down: f64,
    /// How long it cannot be reached each time, in hours, on average.
    down_hours: f64,
    /// Number of relays, from the first of the list on, that are dead from the start.
    dead: usize,
    /// The share of transfers during which this computer is offline.
    offline: f64,
    /// The share of transfers before which this computer loses its network for three minutes, in which three others fail.
    cut_off: f64,
    /// The share of days on which the list lacks one of its relays.
    gaps: f64,
    sabotage: Option<(At, Sabotage)>,
    joining: Option<Joining>,
    /// Number of relays in each /24; 1 for networks of their own.
    in_network: usize,
    /// Number of relays of each named operator; 1 for none that is named.
    of_operator: usize,
    /// Of so many relays in a row one serves the host; 1 for every one.
    serving: usize,
    /// The number of relays that the list has after each quarter of the days; empty for always the same.
    sizes: Vec<usize>,
    /// By so many days the clock jumps forward and then back, again and again.
    clock_jumps_days: u64,
    allow: Allowance,
}

impl Setting {
    /// The setting of the tables: a fifth hostile, relays that stay for three months, honest ones down for a fiftieth of
    /// the time.
    fn of(relays: usize) -> Self {
        Self {
            relays,
            hostile: 20,
            days: 90,
            transfers_a_day: 10,
            life_days: 90.0,
            down: 0.02,
            down_hours: 6.0,
            dead: 0,
            offline: 0.0,
            cut_off: 0.0,
            gaps: 0.0,
            sabotage: None,
            joining: None,
            in_network: 1,
            of_operator: 1,
            serving: 1,
            sizes: Vec::new(),
            clock_jumps_days: 0,
            allow: Allowance::NONE,
        }
    }
}

/// What became of everybody in a setting.
#[derive(Clone, Debug, Default)]
struct Outcome {
    people: u32,
    transfers: u32,
    through: u32,
    blocked: u32,
    without_path: u32,
    tries: u32,
    /// Transfers whose last try had a hostile guard.
    over_hostile_guard: u32,
    /// The same on the last day.
    over_hostile_guard_at_the_end: u32,
    transfers_at_the_end: u32,
    /// Transfers of which any try had both ends hostile.
    both_ends: u32,
    /// People of whom any transfer had.
    people_ever_both: u32,
    /// Different guards of all people.
    guards_met: u32,
    /// How often a relay was asked as a guard for the first time in ten days that stood elsewhere within them.
    stood_then_guard: u32,
    /// How often a relay stood elsewhere, on a day, that was asked as a guard within ten days before.
    guard_then_stood: u32,
    relaxed: BTreeMap<String, u32>,
}

impl Outcome {
    fn percent(part: u32, of: u32) -> f64 {
        100.0 * f64::from(part) / f64::from(of.max(1))
    }

    fn through(&self) -> f64 {
        Self::percent(self.through, self.transfers)
    }

    fn hostile_guard(&self) -> f64 {
        Self::percent(self.over_hostile_guard, self.transfers)
    }

    fn both_ends(&self) -> f64 {
        Self::percent(self.both_ends, self.transfers)
    }

    fn ever_both(&self) -> f64 {
        Self::percent(self.people_ever_both, self.people)
    }

    fn guards_met(&self) -> f64 {
        f64::from(self.guards_met) / f64::from(self.people)
    }

    /// How many tries broke a rule, in percent.
    fn yielded(&self) -> f64 {
        Self::percent(self.relaxed.values().sum(), self.tries)
    }

    /// Transfers of the last day over a hostile guard, in percent.
    fn hostile_guard_at_the_end(&self) -> f64 {
        Self::percent(
            self.over_hostile_guard_at_the_end,
            self.transfers_at_the_end,
        )
    }

    /// Nobody becomes a guard who stood elsewhere within ten days, or the other way round.
    fn check_ends(&self, name: &str) {
        let ends = (self.stood_then_guard, self.guard_then_stood);
        assert_eq!(ends, (0, 0), "{name}: {self:?}");
    }

    #[expect(
        clippy::print_stdout,
        reason = "the figures of a run, for whoever reads them"
    )]
    fn print(&self, name: &str) {
        println!(
            "{name:44} guard {:5.1} (end {:5.1})  both {:4.2}  ever {:4.0}  met {:4.1}  stood {:4.2}/{:5.1}  through {:6.2}  \
             tries {:4.2}  none {:5.2}  blocked {:5.2}  {:?}",
            self.hostile_guard(),
            Self::percent(
                self.over_hostile_guard_at_the_end,
                self.transfers_at_the_end
            ),
            self.both_ends(),
            self.ever_both(),
            self.guards_met(),
            f64::from(self.stood_then_guard) / f64::from(self.people),
            f64::from(self.guard_then_stood) / f64::from(self.people),
            self.through(),
            f64::from(self.tries) / f64::from(self.transfers.max(1)),
            Self::percent(self.without_path, self.transfers),
            Self::percent(self.blocked, self.transfers),
            self.relaxed
        );
    }
}

/// What came of a try.
enum Came {
    Answer,
    Failure(Fault),
    /// The last relay says something of the server.
    LastSays,
}

struct Relay {
    key: Ed25519Public,
    hostile: bool,
    dead: bool,
    up: bool,
    /// When it goes down or comes up next.
    turns_at: f64,
    leaves_at: f64,
}

/// One person, and the relays there are for them.
struct Person<'a> {
    setting: &'a Setting,
    rng: ChaCha8Rng,
    relays: Vec<Relay>,
    next_key: usize,
    list: RelayList,
    memory: RelayMemory,
    now: u64,
    /// By so much the clock of this computer is ahead, in seconds.
    ahead: u64,
    joined_at: Option<u64>,
    guard_at: BTreeMap<[u8; 32], u64>,
    stood_at: BTreeMap<[u8; 32], u64>,
    ever_both: bool,
    /// A relay that the list lacks today.
    missing: Option<Ed25519Public>,
    today: u64,
    outcome: Outcome,
}

impl<'a> Person<'a> {
    fn new(setting: &'a Setting, seed: u64) -> Self {
        let mut person = Self {
            setting,
            rng: ChaCha8Rng::seed_from_u64(seed),
            relays: Vec::new(),
            next_key: 0,
            list: RelayList {
                name: String::new(),
                issued: 0,
                expires: u64::MAX,
                relays: Vec::new(),
            },
            memory: RelayMemory::new(),
            now: START,
            ahead: 0,
            joined_at: None,
            guard_at: BTreeMap::new(),
            stood_at: BTreeMap::new(),
            ever_both: false,
            missing: None,
            today: 0,
            outcome: Outcome {
                people: 1,
                ..Outcome::default()
            },
        };
        person.next_key = person.below(keys().len());
        for at in 0..setting.relays {
            let hostile = person.below(100) < setting.hostile;
            person.add(hostile, at < setting.dead);
        }
        person.write_list();
        person
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.next_u32() as usize % limit
    }

    /// A time that passes on average within `mean_secs`, exponentially distributed.
    fn passes(&mut self, mean_secs: f64) -> f64 {
        -mean_secs * (1.0 - self.unit()).ln()
    }

    fn add(&mut self, hostile: bool, dead: bool) {
        let key = keys()[self.next_key % keys().len()];
        self.next_key += 1;
        let now = seconds(self.now - self.ahead);
        let leaves_at = if self.setting.life_days > 0.0 && !dead {
            now + self.passes(self.setting.life_days * DAY)
        } else {
            f64::INFINITY
        };
        let up = self.unit() >= self.setting.down || hostile;
        let turns_at = now + self.until_turn(hostile, up);
        self.relays.push(Relay {
            key,
            hostile,
            dead,
            up,
            turns_at,
            leaves_at,
        });
    }

    /// How long a relay that is up or down stays so, in seconds.
    fn until_turn(&mut self, hostile: bool, up: bool) -> f64 {
        let Setting {
            down, down_hours, ..
        } = *self.setting;
        if hostile || down == 0.0 {
            return f64::INFINITY;
        }
        let hours = if up {
            down_hours * (1.0 - down) / down
        } else {
            down_hours
        };
        self.passes(hours * 3_600.0)
    }

    fn write_list(&mut self) {
        let setting = self.setting;
        let entry = |(at, relay): (usize, &Relay)| {
            let place = |many: usize| u16::try_from(at / many).unwrap().to_be_bytes();
            let [high, low] = place(setting.in_network);
            RelayDescriptor {
                key: relay.key,
                host: IpAddr::from([10, high, low, u8::try_from(at % 200).unwrap()]),
                port: 22_021,
                operator: if setting.of_operator > 1 {
                    format!("operator {}", at / setting.of_operator)
                } else {
                    String::new()
                },
                serves: if at.is_multiple_of(setting.serving) {
                    Serves::Any
                } else {
                    Serves::None
                },
            }
        };
        let all = self.relays.iter().enumerate().map(entry);
        self.list.relays = all
            .filter(|relay| Some(relay.key) != self.missing)
            .collect();
    }

    /// Lets relays come, go, fail and return until now.
    fn pass(&mut self, day: u64) {
        let now = seconds(self.now - self.ahead);
        let mut changed = false;
        for at in 0..self.relays.len() {
            while self.relays[at].turns_at <= now {
                let up = !self.relays[at].up;
                let secs = self.until_turn(self.relays[at].hostile, up);
                self.relays[at].up = up;
                self.relays[at].turns_at += secs;
            }
            if self.relays[at].leaves_at <= now {
                let hostile = self.below(100) < self.setting.hostile;
                self.add(hostile, false);
                self.relays.swap_remove(at);
                changed = true;
            }
        }
        changed |= self.join(day);
        if self.setting.gaps > 0.0 && day != self.today {
            self.today = day;
            let lacks = self.unit() < self.setting.gaps;
            let at = self.below(self.relays.len());
            self.missing = lacks.then(|| self.relays[at].key);
            changed = true;
        }
        let quarter = usize::try_from(day * 4 / self.setting.days).unwrap();
        if let Some(&size) = self.setting.sizes.get(quarter) {
            changed |= size != self.relays.len();
            self.relays.truncate(size);
            while self.relays.len() < size {
                let hostile = self.below(100) < self.setting.hostile;
                self.add(hostile, false);
            }
        }
        if changed {
            self.write_list();
        }
    }

    /// Hostile relays join at the end of the list.
    fn join(&mut self, day: u64) -> bool {
        let Some(joining) = self.setting.joining else {
            return false;
        };
        let is_due = day >= joining.day
            && self
                .joined_at
                .is_none_or(|then| joining.renewed_days > 0 && day >= then + joining.renewed_days);
        if is_due {
            self.relays.truncate(self.setting.relays);
            for _ in 0..joining.count {
                self.add(true, false);
            }
            self.joined_at = Some(day);
        }
        is_due
    }

    fn relay(&self, key: &Ed25519Public) -> &Relay {
        self.relays.iter().find(|relay| relay.key == *key).unwrap()
    }

    /// What becomes of a try.
    fn attempt(&self, hops: &Hops, offline: bool) -> Came {
        let [guard, middle, last] =
            [hops.guard, hops.middle, hops.last].map(|key| self.relay(&key));
        let is_up = |relay: &Relay| relay.up && !relay.dead;
        if offline || !is_up(guard) {
            return Came::Failure(Fault::GuardUnreachable);
        }
        let gone = |relay: &Relay, by: &Relay| {
            Came::Failure(Fault::Gone {
                relay: relay.key,
                by: Some(by.key),
            })
        };
        let link = |one: &Relay, other: &Relay| Came::Failure(Fault::Link(one.key, other.key));
        let wanted = guard.hostile && last.hostile;
        let sabotage = |at, relay: &Relay| {
            let (place, manner) = self.setting.sabotage?;
            let is_there = place == at || place == At::Anywhere;
            (is_there && relay.hostile && !wanted).then_some(manner)
        };
        match sabotage(At::Guard, guard) {
            Some(Sabotage::Errs) => return link(guard, middle),
            Some(Sabotage::Lies) => return gone(middle, guard),
            Some(Sabotage::Plain) => return Came::Failure(Fault::Answered),
            Some(Sabotage::Refuses) => return Came::Failure(Fault::Broken),
            Some(Sabotage::Silent) => return Came::Failure(Fault::Silent),
            None if !is_up(middle) => return gone(middle, guard),
            None => {}
        }
        match sabotage(At::Middle, middle) {
            Some(Sabotage::Errs) => return link(middle, last),
            Some(Sabotage::Lies) => return gone(last, middle),
            Some(Sabotage::Plain) => return link(guard, middle),
            Some(Sabotage::Refuses) => return gone(middle, guard),
            Some(Sabotage::Silent) => return Came::Failure(Fault::Silent),
            None if !is_up(last) => return gone(last, middle),
            None => {}
        }
        match sabotage(At::Last, last) {
            Some(Sabotage::Errs | Sabotage::Lies) => Came::LastSays,
            Some(Sabotage::Plain) => link(middle, last),
            Some(Sabotage::Refuses) => gone(last, middle),
            Some(Sabotage::Silent) => Came::Failure(Fault::Silent),
            None => Came::Answer,
        }
    }

    /// One transfer: up to five tries, as the machine of a request makes them.
    fn transfer(&mut self, last_day: bool, offline: bool) {
        let (mut failed, mut guards_tried, mut tried) = (Vec::new(), Vec::new(), Vec::new());
        let (mut reached, mut both, mut hostile_guard) = (false, false, false);
        let mut belied = Vec::new();
        let mut through = false;
        for _ in 0..5 {
            let drawing = Drawing {
                reached,
                failed: &failed,
                guards_tried: &guards_tried,
                tried: &tried,
                ..Drawing::first(&self.list, HOST, self.setting.allow)
            };
            let drawn = match drawing.draw(&mut self.memory, self.now, &mut self.rng) {
                Ok(drawn) => drawn,
                Err(DrawError::Blocked) => {
                    self.outcome.blocked += u32::from(!offline);
                    break;
                }
                Err(DrawError::NoPath(_)) => {
                    self.outcome.without_path += u32::from(!offline);
                    break;
                }
            };
            for rule in &drawn.relaxed {
                *self.outcome.relaxed.entry(format!("{rule:?}")).or_default() += 1;
            }
            let hops = drawn.path.hops();
            let at = self.now;
            self.memory.learn(&Learned::Used { hops, at }, &self.list);
            if !offline {
                self.note(&hops);
                self.outcome.tries += 1;
            }
            hostile_guard = self.relay(&hops.guard).hostile;
            both |= hostile_guard && self.relay(&hops.last).hostile && !offline;
            let came = self.attempt(&hops, offline);
            self.now += match came {
                Came::Failure(Fault::Silent) => 60,
                Came::Failure(Fault::GuardUnreachable) => 10,
                _ => 1,
            };
            let at = self.now;
            let fault = match came {
                Came::Answer => {
                    self.memory.learn(&Learned::Worked { hops, at }, &self.list);
                    for learned in &belied {
                        self.memory.learn(learned, &self.list);
                    }
                    through = true;
                    break;
                }
                Came::LastSays => {
                    let relay = hops.last;
                    self.memory
                        .learn(&Learned::Reached { hops, at }, &self.list);
                    belied.push(Learned::Belied { relay, at });
                    None
                }
                Came::Failure(fault) => {
                    let learned = Learned::Failed { hops, at, fault };
                    self.memory.learn(&learned, &self.list);
                    Some(fault)
                }
            };
            reached |= fault != Some(Fault::GuardUnreachable);
            failed.extend(match fault {
                Some(Fault::GuardUnreachable) => Some(hops.guard),
                Some(Fault::Gone { relay, .. }) => Some(relay),
                _ => None,
            });
            guards_tried.push(hops.guard);
            tried.extend([hops.middle, hops.last]);
        }
        if offline {
            return;
        }
        let outcome = &mut self.outcome;
        outcome.transfers += 1;
        outcome.through += u32::from(through);
        outcome.over_hostile_guard += u32::from(hostile_guard);
        outcome.over_hostile_guard_at_the_end += u32::from(hostile_guard && last_day);
        outcome.transfers_at_the_end += u32::from(last_day);
        outcome.both_ends += u32::from(both);
        self.ever_both |= both;
    }

    /// The network of this computer is gone for three minutes: a connection breaks, and nobody can be reached.
    fn cut_off(&mut self) {
        let drawing = Drawing::first(&self.list, HOST, self.setting.allow);
        if let Ok(drawn) = drawing.draw(&mut self.memory, self.now, &mut self.rng) {
            let (hops, at) = (drawn.path.hops(), self.now);
            self.memory.learn(&Learned::Used { hops, at }, &self.list);
            self.note(&hops);
            let fault = Fault::Broken;
            self.memory
                .learn(&Learned::Failed { hops, at, fault }, &self.list);
        }
        for _ in 0..3 {
            self.transfer(false, true);
            self.now += 20;
        }
    }

    /// Takes note of where relays stand.
    fn note(&mut self, hops: &Hops) {
        let now = self.now - self.ahead;
        let lately = |book: &BTreeMap<_, u64>, key: &Ed25519Public| {
            book.get(key.as_bytes())
                .is_some_and(|then| now < then + GUARD_SECS)
        };
        let outcome = &mut self.outcome;
        if !lately(&self.guard_at, &hops.guard) {
            outcome.stood_then_guard += u32::from(lately(&self.stood_at, &hops.guard));
        }
        for key in [hops.middle, hops.last] {
            let today = self.stood_at.get(key.as_bytes());
            if today.is_none_or(|then| then / 86_400 < now / 86_400) {
                outcome.guard_then_stood += u32::from(lately(&self.guard_at, &key));
            }
            self.stood_at.insert(*key.as_bytes(), now);
        }
        self.guard_at.insert(*hops.guard.as_bytes(), now);
    }

    fn live(mut self) -> Outcome {
        let every = 86_400 / self.setting.transfers_a_day;
        let mut due = START;
        for number in 0..self.setting.days * self.setting.transfers_a_day {
            let day = number / self.setting.transfers_a_day;
            due += every;
            let jumps = self.setting.clock_jumps_days;
            self.ahead = if (day / 7) % 2 == 1 {
                jumps * 86_400
            } else {
                0
            };
            self.now = due + self.ahead + u64::from(self.rng.next_u32()) % (every / 2);
            self.pass(day);
            if self.unit() < self.setting.cut_off {
                self.cut_off();
            }
            let offline = self.unit() < self.setting.offline;
            self.transfer(day + 1 == self.setting.days, offline);
        }
        self.outcome.guards_met = u32::try_from(self.guard_at.len()).unwrap();
        self.outcome.people_ever_both = u32::from(self.ever_both);
        self.outcome
    }
}

/// So many people in one setting.
fn simulate(setting: &Setting, people: u64, seed: u64) -> Outcome {
    let mut all = Outcome::default();
    for number in 0..people {
        let one = Person::new(setting, seed * 1_000_000 + number).live();
        all.people += one.people;
        all.transfers += one.transfers;
        all.through += one.through;
        all.blocked += one.blocked;
        all.without_path += one.without_path;
        all.tries += one.tries;
        all.over_hostile_guard += one.over_hostile_guard;
        all.over_hostile_guard_at_the_end += one.over_hostile_guard_at_the_end;
        all.transfers_at_the_end += one.transfers_at_the_end;
        all.both_ends += one.both_ends;
        all.people_ever_both += one.people_ever_both;
        all.guards_met += one.guards_met;
        all.stood_then_guard += one.stood_then_guard;
        all.guard_then_stood += one.guard_then_stood;
        for (rule, times) in one.relaxed {
            *all.relaxed.entry(rule).or_default() += times;
        }
    }
    all
}

/// Keys of relays: enough for one person's months.
fn keys() -> &'static [Ed25519Public] {
    static KEYS: OnceLock<Vec<Ed25519Public>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = |number: u32| {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&number.to_be_bytes());
            Identity::from_seed(seed).public()
        };
        (0..4_000).map(key).collect()
    })
}

#[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
fn seconds(time: u64) -> f64 {
    time as f64
}

const START: u64 = 1_800_000_000;
const HOST: &str = "files.example";
const DAY: f64 = 86_400.0;

/// Simulates, prints and checks the promise that holds wherever the person allowed nothing.
fn run(name: &str, setting: &Setting, people: u64) -> Outcome {
    let outcome = simulate(setting, people, 1);
    outcome.print(name);
    outcome.check_ends(name);
    outcome
}

#[test]
fn on_long_lists_few_relays_become_guards() {
    for relays in [20, 40] {
        let outcome = run(&format!("{relays} relays"), &Setting::of(relays), 30);
        assert!(outcome.guards_met() < 6.0, "{outcome:?}");
        assert!(outcome.ever_both() < 90.0, "{outcome:?}");
        assert!(outcome.through() > 99.9, "{outcome:?}");
        assert!(outcome.yielded() < 0.01, "{outcome:?}");
    }
}

#[test]
fn on_short_lists_transfers_get_through_as_far_as_three_relays_are_there() {
    let bounds = [
        (3, 95.0),
        (4, 98.0),
        (5, 99.7),
        (6, 99.9),
        (8, 99.9),
        (12, 99.9),
    ];
    for (relays, through) in bounds {
        let outcome = run(&format!("{relays} relays"), &Setting::of(relays), 30);
        assert!(outcome.through() > through, "{relays}: {outcome:?}");
        let rules_hold = relays < 12 || outcome.yielded() < 0.01;
        assert!(rules_hold, "{relays}: {outcome:?}");
    }
}

#[test]
fn any_one_relay_of_a_list_may_be_dead() {
    for relays in [4, 5, 6, 7, 8, 12] {
        let setting = Setting {
            life_days: 0.0,
            down: 0.0,
            dead: 1,
            days: 30,
            ..Setting::of(relays)
        };
        let outcome = run(&format!("{relays} relays, one dead"), &setting, 20);
        assert_eq!(outcome.through, outcome.transfers, "{relays}: {outcome:?}");
    }
}

#[test]
fn hostile_relays_that_join_become_guards_of_few() {
    let joining = |count, renewed_days| Joining {
        day: 29,
        count,
        renewed_days,
    };
    // As many as there are, nine times as many; under new keys every three days and daily.
    let cases = [
        (joining(20, 0), 25.0),
        (joining(180, 0), 45.0),
        (joining(20, 3), 5.0),
        (joining(20, 1), 5.0),
    ];
    for (joining, bound) in cases {
        let at_day = |days| Setting {
            hostile: 0,
            days,
            joining: Some(joining),
            ..Setting::of(20)
        };
        let next_day = run(&format!("{joining:?}, next day"), &at_day(31), 10);
        assert_eq!(next_day.over_hostile_guard, 0, "{joining:?}");
        let month_later = run(&format!("{joining:?}, a month later"), &at_day(60), 10);
        assert!(
            month_later.hostile_guard_at_the_end() <= bound,
            "{joining:?}: {month_later:?}"
        );
    }
}

/// For each list and place, of all manners: how many people ever have hostile relays at both ends, and how many transfers
/// get through, in percent.
#[test]
fn sabotage_brings_hostile_relays_to_both_ends_of_few() {
    let bounds = [
        (6, At::Guard, 30.0, 97.0),
        (6, At::Middle, 40.0, 97.0),
        (6, At::Last, 40.0, 96.0),
        (6, At::Anywhere, 30.0, 91.0),
        (20, At::Guard, 50.0, 99.8),
        (20, At::Middle, 67.0, 99.9),
        (20, At::Last, 57.0, 99.9),
        (20, At::Anywhere, 50.0, 99.5),
    ];
    for (relays, at, ever, through) in bounds {
        for manner in MANNERS {
            let setting = Setting {
                sabotage: Some((at, manner)),
                days: 30,
                ..Setting::of(relays)
            };
            let name = format!("{relays} relays, {at:?} {manner:?}");
            let outcome = run(&name, &setting, 30);
            assert!(outcome.ever_both() <= ever, "{name}: {outcome:?}");
            assert!(outcome.through() >= through, "{name}: {outcome:?}");
        }
    }
}

/// Plain errors of a last relay, to which honest middles put their keys: with fifty transfers a day there are many.
#[test]
fn a_last_relay_that_fails_plainly_has_no_honest_one_set_aside() {
    let setting = Setting {
        transfers_a_day: 50,
        days: 20,
        sabotage: Some((At::Last, Sabotage::Plain)),
        ..Setting::of(20)
    };
    let outcome = run("20 relays, Last Plain, 50 a day", &setting, 20);
    assert!(outcome.both_ends() < 5.0, "{outcome:?}");
    assert!(outcome.through() > 99.9, "{outcome:?}");
    assert!(outcome.yielded() < 0.01, "{outcome:?}");
}

#[test]
fn a_network_that_is_gone_for_minutes_and_a_list_with_gaps_cost_no_guards() {
    for relays in [8, 20] {
        for (cut_off, gaps) in [(0.1, 0.0), (0.0, 0.5)] {
            let setting = Setting {
                cut_off,
                gaps,
                ..Setting::of(relays)
            };
            let name = format!("{relays} relays, cut off {cut_off}, gaps {gaps}");
            let outcome = run(&name, &setting, 15);
            assert!(outcome.guards_met() < 6.5, "{name}: {outcome:?}");
            assert!(outcome.through() > 99.8, "{name}: {outcome:?}");
        }
    }
}

#[test]
fn a_computer_that_is_often_offline_meets_no_more_guards() {
    for relays in [6, 20] {
        let online = run(
            &format!("{relays} relays, online"),
            &Setting::of(relays),
            15,
        );
        let setting = Setting {
            offline: 0.3,
            ..Setting::of(relays)
        };
        let offline = run(&format!("{relays} relays, often offline"), &setting, 15);
        assert!(
            offline.guards_met() < online.guards_met() + 1.0,
            "{offline:?}"
        );
        assert!(offline.through() > 99.8, "{offline:?}");
    }
}

#[test]
fn shared_networks_and_operators_and_few_that_serve_leave_paths() {
    for relays in [12, 20] {
        let base = Setting::of(relays);
        let settings = [
            (
                "two in each network",
                Setting {
                    in_network: 2,
                    ..base.clone()
                },
            ),
            (
                "three of each operator",
                Setting {
                    of_operator: 3,
                    ..base.clone()
                },
            ),
            (
                "every third serves the host",
                Setting {
                    serving: 3,
                    ..base.clone()
                },
            ),
        ];
        for (name, setting) in settings {
            let name = format!("{relays} relays, {name}");
            let outcome = run(&name, &setting, 10);
            assert!(outcome.through() > 99.5, "{name}: {outcome:?}");
        }
    }
}

#[test]
fn a_clock_that_jumps_and_a_list_that_grows_and_shrinks_cost_little() {
    let jumps = Setting {
        clock_jumps_days: 30,
        ..Setting::of(12)
    };
    // A jump ahead counts as a day, so that ten days can be nine.
    let outcome = simulate(&jumps, 15, 1);
    outcome.print("12 relays, the clock jumps");
    assert!(outcome.stood_then_guard < 10, "{outcome:?}");
    assert!(
        outcome.through() > 99.8 && outcome.guards_met() < 6.5,
        "{outcome:?}"
    );
    let bounds = [
        ([3, 6, 4, 5], 98.0),
        ([6, 3, 5, 4], 94.5),
        ([12, 5, 4, 12], 97.0),
    ];
    for (sizes, through) in bounds {
        let setting = Setting {
            sizes: sizes.to_vec(),
            ..Setting::of(sizes[0])
        };
        let outcome = run(&format!("{sizes:?} relays"), &setting, 20);
        assert!(outcome.through() > through, "{sizes:?}: {outcome:?}");
    }
}

/// The figures of every setting, for whoever changes a rule: minutes.
#[test]
#[ignore = "prints tables, and checks nothing that others do not"]
fn tables() {
    let all = |relays, change: &dyn Fn(&mut Setting), name: &str| {
        let mut setting = Setting::of(relays);
        change(&mut setting);
        let people = if relays > 100 { 20 } else { 400 };
        simulate(&setting, people, 2).print(&format!("{relays} relays{name}"));
    };
    for relays in [3, 4, 5, 6, 8, 12, 20, 40, 200] {
        all(relays, &|_| {}, "");
        all(relays, &|of| of.allow = Allowance::ALL, ", all allowed");
        all(relays, &|of| of.hostile = 10, ", a tenth hostile");
        all(relays, &|of| of.hostile = 30, ", three tenths hostile");
        all(
            relays,
            &|of| (of.life_days, of.down) = (60.0, 0.05),
            ", harsh",
        );
        all(relays, &|of| of.dead = 1, ", one dead");
        all(relays, &|of| of.offline = 0.3, ", often offline");
    }
    for (count, renewed_days) in [(20, 0), (180, 0), (20, 3), (20, 1)] {
        let joining = Joining {
            day: 29,
            count,
            renewed_days,
        };
        for days in [31, 60] {
            let change = |of: &mut Setting| {
                (of.hostile, of.days, of.joining) = (0, days, Some(joining));
            };
            all(20, &change, &format!(", {joining:?}, day {days}"));
        }
    }
    for relays in [6, 12, 20] {
        all(relays, &|of| of.in_network = 2, ", two in each network");
        all(relays, &|of| of.of_operator = 3, ", three of each operator");
        all(
            relays,
            &|of| of.serving = 3,
            ", every third serves the host",
        );
        all(relays, &|of| of.clock_jumps_days = 30, ", the clock jumps");
    }
    for sizes in [[3, 6, 4, 5], [6, 3, 5, 4], [12, 5, 4, 12]] {
        all(
            sizes[0],
            &|of| of.sizes = sizes.to_vec(),
            &format!(", {sizes:?}"),
        );
    }
    for relays in [6, 12, 20, 40] {
        for at in PLACES {
            for manner in MANNERS {
                let name = format!(", {at:?} {manner:?}");
                all(relays, &|of| of.sabotage = Some((at, manner)), &name);
            }
        }
    }
    for transfers_a_day in [2, 50] {
        for manner in MANNERS {
            let name = format!(", Last {manner:?}, {transfers_a_day} a day");
            let change = |of: &mut Setting| {
                of.transfers_a_day = transfers_a_day;
                of.days = 30;
                of.sabotage = Some((At::Last, manner));
            };
            all(20, &change, &name);
        }
    }
    for relays in [5, 8, 20] {
        all(relays, &|of| of.cut_off = 0.1, ", cut off");
        all(relays, &|of| of.gaps = 0.5, ", gaps");
    }
}

const PLACES: [At; 4] = [At::Guard, At::Middle, At::Last, At::Anywhere];
const MANNERS: [Sabotage; 5] = [
    Sabotage::Errs,
    Sabotage::Lies,
    Sabotage::Plain,
    Sabotage::Refuses,
    Sabotage::Silent,
];
