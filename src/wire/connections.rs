//! The open connections of a listener, and the one of them that makes room for a newcomer. It has no sockets: a cancelled
//! token tells whoever holds a connection to close it.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use tokio_util::sync::CancellationToken;

use super::holder::Holder;

/// The open connections of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    slots: usize,
    next: u64,
    open: HashMap<u64, TrackedConnection>,
    by_address: HashMap<IpAddr, Address>,
    by_site: HashMap<IpAddr, usize>,
    /// Of addresses that are not listed.
    unlisted: usize,
}

#[derive(Debug)]
struct TrackedConnection {
    kind: LimitClass,
    /// Place among the connections that make room, while the next head is waited for; none while a request runs.
    waits: Option<WaitingConnection>,
    close: CancellationToken,
}

/// The limits that a connection falls under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitClass {
    /// No limit but the slots: the built-in network, or a trusted proxy, whose clients are counted by request.
    Exempt,
    /// A listed relay, which may hold so many.
    Listed(Holder, usize),
    /// Anybody else.
    Unlisted {
        holder: Holder,
        /// Whether there are listed relays: all others together then have half of the slots.
        beside_listed: bool,
    },
}

impl LimitClass {
    const fn holder(self) -> Option<Holder> {
        match self {
            Self::Exempt => None,
            Self::Listed(holder, _) | Self::Unlisted { holder, .. } => Some(holder),
        }
    }
}

/// A connection whose next head is waited for. Those that have not said a word make room first, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WaitingConnection {
    has_spoken: bool,
    /// A number that only rises.
    since: u64,
    id: u64,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct Address {
    open: usize,
    headless: BTreeSet<WaitingConnection>,
}

impl Connections {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            slots,
            next: 0,
            open: HashMap::new(),
            by_address: HashMap::new(),
            by_site: HashMap::new(),
            unlisted: 0,
        }
    }

    /// Takes a connection in; another may be closed for it. None when there is no room that another could make.
    pub(super) fn open(&mut self, kind: LimitClass) -> Option<(u64, CancellationToken)> {
        // The narrowest limit comes first: an address with too many connections gives up one of its own before anybody
        // else loses one.
        match kind {
            LimitClass::Exempt => {}
            LimitClass::Listed(holder, most) => {
                if self.of_address(holder.address) >= most {
                    self.close_oldest_of(holder.address)?;
                }
            }
            LimitClass::Unlisted {
                holder,
                beside_listed,
            } => {
                if self.of_address(holder.address) >= PER_ADDRESS {
                    self.close_oldest_of(holder.address)?;
                }
                let of_site = self.by_site.get(&holder.site).copied().unwrap_or(0);
                if of_site >= PER_SITE {
                    self.close_one(|of| of.site == holder.site)?;
                }
                if beside_listed && self.unlisted >= self.slots.div_ceil(2) {
                    self.close_one(|_any| true)?;
                }
            }
        }
        if self.open.len() >= self.slots {
            self.close_one(|_any| true)?;
        }
        let id = self.count();
        let close = CancellationToken::new();
        let waits = WaitingConnection {
            has_spoken: false,
            since: id,
            id,
        };
        if let Some(holder) = kind.holder() {
            let address = self.by_address.entry(holder.address).or_default();
            address.open += 1;
            address.headless.insert(waits);
            *self.by_site.entry(holder.site).or_default() += 1;
        }
        self.unlisted += usize::from(matches!(kind, LimitClass::Unlisted { .. }));
        self.open.insert(
            id,
            TrackedConnection {
                kind,
                waits: Some(waits),
                close: close.clone(),
            },
        );
        Some((id, close))
    }

    /// A first byte has come.
    pub(super) fn speaks(&mut self, id: u64) {
        self.set_waits(id, |waits| {
            waits.map(|waits| WaitingConnection {
                has_spoken: true,
                ..waits
            })
        });
    }

    /// A whole head has come: a request runs.
    pub(super) fn runs(&mut self, id: u64) {
        self.set_waits(id, |_waits| None);
    }

    /// The request's answer has been sent: the next head is waited for.
    pub(super) fn waits(&mut self, id: u64) {
        let since = self.count();
        self.set_waits(id, |_ran| {
            Some(WaitingConnection {
                has_spoken: true,
                since,
                id,
            })
        });
    }

    fn set_waits(
        &mut self,
        id: u64,
        change: impl FnOnce(Option<WaitingConnection>) -> Option<WaitingConnection>,
    ) {
        let Some(connection) = self.open.get_mut(&id) else {
            return;
        };
        let waited = connection.waits;
        connection.waits = change(waited);
        if let Some(holder) = connection.kind.holder()
            && let Some(address) = self.by_address.get_mut(&holder.address)
        {
            if let Some(waited) = waited {
                address.headless.remove(&waited);
            }
            address.headless.extend(connection.waits);
        }
    }

    /// The connection is over.
    pub(super) fn close(&mut self, id: u64) {
        let Some(connection) = self.open.remove(&id) else {
            return;
        };
        connection.close.cancel();
        self.unlisted -= usize::from(matches!(connection.kind, LimitClass::Unlisted { .. }));
        let Some(holder) = connection.kind.holder() else {
            return;
        };
        if let Some(address) = self.by_address.get_mut(&holder.address) {
            address.open -= 1;
            if let Some(waits) = &connection.waits {
                address.headless.remove(waits);
            }
            if address.open == 0 {
                self.by_address.remove(&holder.address);
            }
        }
        if let Some(of_site) = self.by_site.get_mut(&holder.site) {
            *of_site -= 1;
            if *of_site == 0 {
                self.by_site.remove(&holder.site);
            }
        }
    }

    /// Closes the first headless connection of the address that holds most, where there is one.
    pub(super) fn make_room(&mut self) {
        self.close_one(|_any| true);
    }

    fn of_address(&self, address: IpAddr) -> usize {
        self.by_address.get(&address).map_or(0, |of| of.open)
    }

    fn close_oldest_of(&mut self, address: IpAddr) -> Option<()> {
        let first = self.by_address.get(&address)?.headless.first()?;
        self.close(first.id);
        Some(())
    }

    fn close_one(&mut self, among: impl Fn(Holder) -> bool) -> Option<()> {
        let (_, first) = self
            .by_address
            .iter()
            .filter(|(address, _)| among(Holder::of(**address)))
            .filter_map(|(_, of)| Some((of.open, of.headless.first()?)))
            .max_by_key(|&(open, first)| (open, Reverse(first)))?;
        self.close(first.id);
        Some(())
    }

    fn count(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Connections of one IPv4 address or IPv6 /64.
const PER_ADDRESS: usize = 64;
/// Connections of one IPv6 /48.
const PER_SITE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> LimitClass {
        LimitClass::Unlisted {
            holder: Holder::of(text.parse().unwrap()),
            beside_listed: false,
        }
    }

    fn open(connections: &mut Connections, text: &str) -> Option<(u64, CancellationToken)> {
        connections.open(kind(text))
    }

    #[test]
    fn the_oldest_headless_connection_of_an_address_makes_room_for_its_next() {
        let mut connections = Connections::new(1_000);
        let mut held: Vec<_> = (0..PER_ADDRESS)
            .map(|_| open(&mut connections, "192.0.2.1").unwrap())
            .collect();
        // The first is no longer headless.
        connections.runs(held[0].0);
        let other = open(&mut connections, "192.0.2.2").unwrap();
        held.push(open(&mut connections, "192.0.2.1").unwrap());
        let closed: Vec<_> = held.iter().map(|(_, close)| close.is_cancelled()).collect();
        assert_eq!(closed.iter().filter(|closed| **closed).count(), 1);
        assert!(closed[1], "the oldest headless one");
        assert!(!other.1.is_cancelled());

        for (id, _) in &held {
            connections.runs(*id);
        }
        assert!(
            open(&mut connections, "192.0.2.1").is_none(),
            "none is headless"
        );
        connections.waits(held[2].0);
        assert!(open(&mut connections, "192.0.2.1").is_some());
        assert!(held[2].1.is_cancelled());
    }

    #[test]
    fn those_that_say_nothing_make_room_before_those_that_have_begun_to_speak() {
        let mut connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| open(&mut connections, "192.0.2.1").unwrap());
        connections.speaks(first.0);
        connections.speaks(second.0);
        let newest = open(&mut connections, "192.0.2.1").unwrap();
        assert!(third.1.is_cancelled());
        connections.speaks(newest.0);
        open(&mut connections, "192.0.2.1").unwrap();
        assert!(first.1.is_cancelled() && !second.1.is_cancelled());
    }

    #[test]
    fn an_ipv6_site_has_no_more_than_four_addresses() {
        let mut connections = Connections::new(10_000);
        let mut opened = Vec::new();
        for number in 0..PER_SITE * 2 {
            let address = format!("2001:db8:0:{number:x}::1");
            opened.push(open(&mut connections, &address).unwrap());
        }
        let closed = opened.iter().filter(|(_, close)| close.is_cancelled());
        assert_eq!(closed.count(), PER_SITE);
    }

    #[test]
    fn where_all_slots_are_taken_who_holds_most_makes_room() {
        let mut connections = Connections::new(50);
        let honest = open(&mut connections, "192.0.2.1").unwrap();
        let crowd: Vec<_> = (0..49)
            .map(|number| open(&mut connections, &format!("192.0.2.{}", 2 + number % 4)).unwrap())
            .collect();
        // 13 of the first, 12 of the others.
        let newcomer = open(&mut connections, "192.0.2.9").unwrap();
        assert!(!honest.1.is_cancelled() && !newcomer.1.is_cancelled());
        assert!(crowd[0].1.is_cancelled());
        for (id, _) in crowd.iter().chain([&honest, &newcomer]) {
            connections.runs(*id);
        }
        assert!(open(&mut connections, "192.0.2.9").is_none());
        connections.close(honest.0);
        assert!(open(&mut connections, "192.0.2.9").is_some());
        assert_eq!(connections.open.len(), 50);
    }

    #[test]
    fn a_listed_relay_has_its_share_and_strangers_leave_half() {
        let mut connections = Connections::new(80);
        let listed = LimitClass::Listed(Holder::of("192.0.2.1".parse().unwrap()), 20);
        let stranger = |last: usize| {
            let addr = IpAddr::from([198, 51, 100, u8::try_from(last).unwrap()]);
            LimitClass::Unlisted {
                holder: Holder::of(addr),
                beside_listed: true,
            }
        };
        let crowd: Vec<_> = (0..60)
            .map(|last| connections.open(stranger(last)).unwrap())
            .collect();
        assert_eq!(connections.unlisted, 40);
        for (id, _) in &crowd {
            connections.runs(*id);
        }
        assert!(connections.open(stranger(99)).is_none());
        let relay: Vec<_> = (0..20).map(|_| connections.open(listed).unwrap()).collect();
        for (id, _) in &relay {
            connections.runs(*id);
        }
        assert!(connections.open(listed).is_none());
        assert!(connections.open(LimitClass::Exempt).is_some());
    }

    #[test]
    fn nothing_is_left_of_connections_that_are_over() {
        let mut connections = Connections::new(10);
        let (id, close) = open(&mut connections, "192.0.2.1").unwrap();
        connections.runs(id);
        connections.waits(id);
        connections.close(id);
        connections.close(id);
        assert!(close.is_cancelled());
        assert!(connections.open.is_empty() && connections.by_address.is_empty());
        assert!(connections.by_site.is_empty() && connections.unlisted == 0);
    }
}
