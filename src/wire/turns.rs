//! Turns of requests with a body: each address has a number of them at once; beyond, requests wait.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use tokio::sync::Notify;

use super::{
    fair_queue::{FairQueue, Verdict},
    holder::Holder,
    reserve::SMALL_LEN,
};

/// The requests that have their turn, and those that wait for it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    next: u64,
    by_address: HashMap<IpAddr, Running>,
    by_site: HashMap<IpAddr, Running>,
    requests: HashMap<u64, Request>,
    /// Apart, so that large ones do not stand before small ones of their address.
    small: FairQueue<u64>,
    large: FairQueue<u64>,
}

#[derive(Debug)]
struct Request {
    holder: Holder,
    share: TurnLimits,
    is_large: bool,
    runs: bool,
    woken: Arc<Notify>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Running {
    all: usize,
    large: usize,
}

/// The number of requests that an address and its site may have at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TurnLimits {
    address: usize,
    site: usize,
}

impl TurnLimits {
    /// Of an address that is not listed.
    pub(super) const USUAL: Self = Self {
        address: PER_ADDRESS,
        site: PER_SITE,
    };

    /// Of listed relays, which have so many slots.
    pub(super) const fn of_slots(slots: usize) -> Self {
        Self {
            address: slots,
            site: slots,
        }
    }
}

impl Turns {
    /// Lets a request with a body of `len_bytes` wait for its turn, which it may have at once: see [`Self::runs`].
    pub(super) fn ask(
        &mut self,
        holder: Holder,
        share: TurnLimits,
        len_bytes: u64,
    ) -> (u64, Arc<Notify>) {
        self.next += 1;
        let (id, woken) = (self.next, Arc::new(Notify::new()));
        let is_large = len_bytes > SMALL_LEN;
        self.requests.insert(
            id,
            Request {
                holder,
                share,
                is_large,
                runs: false,
                woken: Arc::clone(&woken),
            },
        );
        self.queue(is_large).push(holder.address, id);
        self.call();
        (id, woken)
    }

    /// Whether it has its turn.
    pub(super) fn runs(&self, id: u64) -> bool {
        self.requests.get(&id).is_some_and(|request| request.runs)
    }

    /// The request is over, or waits no longer.
    pub(super) fn leave(&mut self, id: u64) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        let Holder { address, site } = request.holder;
        if !request.runs {
            self.queue(request.is_large).remove(address, &id);
            return;
        }
        for (running, key) in [(&mut self.by_address, address), (&mut self.by_site, site)] {
            if let Some(of) = running.get_mut(&key) {
                of.all -= 1;
                of.large -= usize::from(request.is_large);
                if of.all == 0 {
                    running.remove(&key);
                }
            }
        }
        self.call();
    }

    /// Gives turns to all who may have one.
    fn call(&mut self) {
        for is_large in [false, true] {
            loop {
                let (requests, by_address, by_site) =
                    (&self.requests, &self.by_address, &self.by_site);
                let queue = if is_large {
                    &mut self.large
                } else {
                    &mut self.small
                };
                let next = queue.next(|_, id| match requests.get(id) {
                    Some(request) if !request.has_room(by_address, by_site) => Verdict::Skip,
                    _ => Verdict::Take,
                });
                let Some(next) = next else { break };
                let Some(request) = self.requests.get_mut(&next) else {
                    continue;
                };
                request.runs = true;
                request.woken.notify_one();
                let Holder { address, site } = request.holder;
                for of in [
                    self.by_address.entry(address).or_default(),
                    self.by_site.entry(site).or_default(),
                ] {
                    of.all += 1;
                    of.large += usize::from(is_large);
                }
            }
        }
    }

    fn queue(&mut self, is_large: bool) -> &mut FairQueue<u64> {
        if is_large {
            &mut self.large
        } else {
            &mut self.small
        }
    }
}

impl Request {
    fn has_room(
        &self,
        by_address: &HashMap<IpAddr, Running>,
        by_site: &HashMap<IpAddr, Running>,
    ) -> bool {
        [
            (by_address, self.holder.address, self.share.address),
            (by_site, self.holder.site, self.share.site),
        ]
        .into_iter()
        .all(|(running, key, most)| {
            let of = running.get(&key).copied().unwrap_or_default();
            // A quarter is kept for small ones.
            of.all < most && (!self.is_large || of.large < most - most / 4)
        })
    }
}

/// Requests with a body of one IPv4 address or IPv6 /64.
const PER_ADDRESS: usize = 16;
/// Requests with a body of one IPv6 /48.
const PER_SITE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(text: &str) -> Holder {
        Holder::of(text.parse().unwrap())
    }

    fn ask(turns: &mut Turns, text: &str, len_bytes: u64) -> u64 {
        turns.ask(holder(text), TurnLimits::USUAL, len_bytes).0
    }

    #[test]
    fn an_address_has_sixteen_requests_and_the_others_wait_their_turn() {
        let mut turns = Turns::default();
        let asked: Vec<_> = (0..18).map(|_| ask(&mut turns, "192.0.2.1", 10)).collect();
        let other = ask(&mut turns, "192.0.2.2", 10);
        let running = |turns: &Turns| asked.iter().filter(|id| turns.runs(**id)).count();
        assert_eq!(running(&turns), 16);
        assert!(turns.runs(other), "another address does not wait for it");
        turns.leave(asked[16]);
        assert_eq!(running(&turns), 16);
        turns.leave(asked[3]);
        assert!(turns.runs(asked[17]));
    }

    #[test]
    fn large_requests_leave_four_of_the_sixteen_to_small_ones() {
        let mut turns = Turns::default();
        let large: Vec<_> = (0..20)
            .map(|_| ask(&mut turns, "192.0.2.1", 10 << 20))
            .collect();
        assert_eq!(large.iter().filter(|id| turns.runs(**id)).count(), 12);
        let small: Vec<_> = (0..5).map(|_| ask(&mut turns, "192.0.2.1", 10)).collect();
        assert_eq!(small.iter().filter(|id| turns.runs(**id)).count(), 4);
    }

    #[test]
    fn an_ipv6_site_has_sixty_four_and_a_listed_relay_what_it_is_given() {
        let mut turns = Turns::default();
        let asked: Vec<_> = (0..100)
            .map(|number| ask(&mut turns, &format!("2001:db8:0:{number:x}::1"), 10))
            .collect();
        assert_eq!(asked.iter().filter(|id| turns.runs(**id)).count(), 64);
        let relay = holder("192.0.2.1");
        let asked: Vec<_> = (0..100)
            .map(|_| turns.ask(relay, TurnLimits::of_slots(90), 10).0)
            .collect();
        assert_eq!(asked.iter().filter(|id| turns.runs(**id)).count(), 90);
    }

    #[test]
    fn nothing_is_left_of_requests_that_are_over() {
        let mut turns = Turns::default();
        let asked: Vec<_> = (0..40)
            .map(|number| ask(&mut turns, "2001:db8::1", number * 10_000))
            .collect();
        for id in asked.into_iter().rev() {
            turns.leave(id);
        }
        assert!(turns.requests.is_empty());
        assert!(turns.by_address.is_empty() && turns.by_site.is_empty());
    }
}
