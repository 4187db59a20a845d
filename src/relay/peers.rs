//! How many requests each address has here at once: one alone must not take all the memory.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

/// The requests under way, by the address they came from.
#[derive(Clone, Default)]
pub(super) struct Peers {
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Peers {
    /// A place for one request, unless this address has its share already.
    pub(super) fn enter(&self, addr: IpAddr) -> Option<Place> {
        let addr = one_holder(addr);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(addr).or_default();
        if *count >= MAX_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Place {
            peers: self.clone(),
            addr,
        })
    }
}

/// One request's place, left on drop.
pub(super) struct Place {
    peers: Peers,
    addr: IpAddr,
}

impl Place {
    /// Joins the place to an answer, so that it is left when the last byte has been sent.
    pub(super) fn kept_with(self, answer: Bytes) -> Bytes {
        struct Kept(
            Bytes,
            #[expect(dead_code, reason = "held for its drop")] Place,
        );

        impl AsRef<[u8]> for Kept {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Bytes::from_owner(Kept(answer, self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self
            .peers
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.addr) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.addr);
            }
        }
    }
}

/// What counts as one address: an IPv4 one however it is written, and a /64, which is the least that one holder of IPv6
/// addresses has.
fn one_holder(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) => Ipv6Addr::from_bits(addr.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

const MAX_PER_ADDRESS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_eight_places() {
        let peers = Peers::default();
        let mut places: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|_| peers.enter(addr("192.0.2.1")).unwrap())
            .collect();
        assert!(peers.enter(addr("192.0.2.1")).is_none());
        assert!(peers.enter(addr("::ffff:192.0.2.1")).is_none());
        assert!(peers.enter(addr("192.0.2.2")).is_some());
        places.pop();
        assert!(peers.enter(addr("192.0.2.1")).is_some());
        drop(places);
        assert!(peers.held.lock().unwrap().is_empty());
    }

    #[test]
    fn whoever_has_a_network_of_ipv6_addresses_has_no_more() {
        let peers = Peers::default();
        let places: Vec<_> = (1..=MAX_PER_ADDRESS)
            .map(|last| peers.enter(addr(&format!("2001:db8::{last}"))).unwrap())
            .collect();
        assert!(peers.enter(addr("2001:db8::ffff:1")).is_none());
        assert!(peers.enter(addr("2001:db8:0:1::1")).is_some());
        drop(places);
    }

    #[test]
    fn a_place_is_left_when_its_answer_has_been_sent() {
        let peers = Peers::default();
        let mut answers: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|_| {
                peers
                    .enter(addr("192.0.2.1"))
                    .unwrap()
                    .kept_with(Bytes::from_static(b"x"))
            })
            .collect();
        assert!(peers.enter(addr("192.0.2.1")).is_none());
        answers.pop();
        assert!(peers.enter(addr("192.0.2.1")).is_some());
    }
}
