//! How many announcements are looked at within a minute, so that nobody keeps the server busy and nobody keeps others out.
//!
//! A relay that the network knows has its own share, whoever sends its announcement: only its key can use it up. Newcomers
//! share by the address that sends, and by the /24 or /48 around it.

use core::net::IpAddr;
use std::collections::{BTreeMap, VecDeque};

use crate::protocol::ip::subnet;
use crate::protocol::keys::Ed25519Public;

/// What began within the last minute. In memory only.
#[derive(Default)]
pub(super) struct JoinRates {
    announced: LastMinute<Announcer>,
    proved: LastMinute<Announcer>,
}

/// Whose share an announcement uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Announcer {
    /// All newcomers together.
    Newcomers,
    /// A relay that the network knows.
    Relay(Ed25519Public),
    /// An address that announces a newcomer: an IPv4 address, or the first address of an IPv6 /64.
    Source(IpAddr),
    /// The part of the internet around such an address.
    Subnet((bool, u128)),
}

/// Who sends an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A relay that the network knows, by its signature.
    Known(Ed25519Public),
    /// A newcomer, by the address that it was sent from.
    Newcomer(IpAddr),
}

impl JoinRates {
    /// Counts an announcement at `now` (unix seconds); `false` when the sender has had its share of this minute.
    pub(super) fn may_announce(&mut self, sender: Sender, now: u64) -> bool {
        match sender {
            Sender::Known(relay) => {
                let relay = (Announcer::Relay(relay), MAX_OF_RELAY);
                self.announced.allow(&[relay], now)
            }
            Sender::Newcomer(source) => {
                let source_share = (Announcer::Source(source), MAX_OF_SOURCE);
                let subnet = (Announcer::Subnet(subnet(source)), MAX_OF_SUBNET);
                self.announced.allow(&[source_share, subnet], now)
            }
        }
    }

    /// Counts a proof that begins at `now` (unix seconds); `false` when the sender has had its share of this minute.
    pub(super) fn may_prove(&mut self, sender: Sender, now: u64) -> bool {
        match sender {
            Sender::Known(relay) => self.proved.allow(&[(Announcer::Relay(relay), 1)], now),
            Sender::Newcomer(source) => {
                let shares = [
                    (Announcer::Source(source), 1),
                    (Announcer::Subnet(subnet(source)), MAX_PROOFS_OF_SUBNET),
                    (Announcer::Newcomers, MAX_PROOFS),
                ];
                self.proved.allow(&shares, now)
            }
        }
    }
}

/// The times of events within the last minute, in unix seconds.
struct LastMinute<K>(BTreeMap<K, VecDeque<u64>>);

impl<K> Default for LastMinute<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Copy + Ord> LastMinute<K> {
    /// Counts an event for each of `shares`, unless one of them has had as many as it may.
    fn allow(&mut self, shares: &[(K, usize)], now: u64) -> bool {
        self.0.retain(|_, times| {
            // A time that lies ahead was noted before the clock was set back.
            times.retain(|at| *at <= now && now - *at < MINUTE_SECS);
            !times.is_empty()
        });
        let has_room = |(key, most): &(K, usize)| {
            let times = self.0.get(key);
            times.map_or(self.0.len() < MAX_KEPT, |times| times.len() < *most)
        };
        if !shares.iter().all(has_room) {
            return false;
        }
        for (key, _) in shares {
            self.0.entry(*key).or_default().push_back(now);
        }
        true
    }
}

const MINUTE_SECS: u64 = 60;
/// Announcements of one relay that the network knows.
const MAX_OF_RELAY: usize = 4;
/// Announcements of newcomers from one address.
const MAX_OF_SOURCE: usize = 10;
/// Announcements of newcomers from one /24 or /48.
const MAX_OF_SUBNET: usize = 40;
/// Proofs of newcomers from one /24 or /48.
const MAX_PROOFS_OF_SUBNET: usize = 4;
/// Proofs of newcomers, whoever asks for them. Relays that the network knows are not among them.
const MAX_PROOFS: usize = 64;
/// The most shares that are remembered.
const MAX_KEPT: usize = 4_096;
