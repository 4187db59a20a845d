//! A queue that is fair by address: addresses take turns, however many of their own each has waiting.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};

/// Waiting items, first come first served within an address, in turns between addresses.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    turns: VecDeque<IpAddr>,
    waiting: HashMap<IpAddr, VecDeque<T>>,
}

/// The decision about the item whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The item's address has no room: the next address has its turn, and this one keeps its place.
    Skip,
    /// Nobody has room: all wait.
    Stop,
    /// The item leaves the queue.
    Take,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            turns: VecDeque::new(),
            waiting: HashMap::new(),
        }
    }
}

impl<T: PartialEq> FairQueue<T> {
    /// Puts `item` behind the others of its address.
    pub(super) fn push(&mut self, address: IpAddr, item: T) {
        let items = self.waiting.entry(address).or_default();
        if items.is_empty() {
            self.turns.push_back(address);
        }
        items.push_back(item);
    }

    /// The next item that `decide` takes.
    pub(super) fn next(&mut self, mut decide: impl FnMut(IpAddr, &T) -> Verdict) -> Option<T> {
        for turn in 0..self.turns.len() {
            let address = *self.turns.get(turn)?;
            let items = self.waiting.get_mut(&address)?;
            match decide(address, items.front()?) {
                Verdict::Skip => {}
                Verdict::Stop => return None,
                Verdict::Take => {
                    let item = items.pop_front();
                    self.turns.remove(turn);
                    if items.is_empty() {
                        self.waiting.remove(&address);
                    } else {
                        self.turns.push_back(address);
                    }
                    return item;
                }
            }
        }
        None
    }

    /// Takes `item` of `address` out, if it waits here.
    pub(super) fn remove(&mut self, address: IpAddr, item: &T) {
        let Some(items) = self.waiting.get_mut(&address) else {
            return;
        };
        items.retain(|waiting| waiting != item);
        if items.is_empty() {
            self.waiting.remove(&address);
            self.turns.retain(|waiting| *waiting != address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn queue(items: &[(u8, u32)]) -> FairQueue<u32> {
        let mut queue = FairQueue::default();
        for &(last, item) in items {
            queue.push(addr(last), item);
        }
        queue
    }

    fn drained(mut queue: FairQueue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.next(|_, _| Verdict::Take)).collect()
    }

    #[test]
    fn addresses_take_turns() {
        let crowd = [(1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (3, 31)];
        assert_eq!(drained(queue(&crowd)), [10, 20, 30, 11, 31, 12]);
    }

    #[test]
    fn who_is_skipped_keeps_the_turn_and_a_stop_is_for_all() {
        let mut queue = queue(&[(1, 10), (2, 20), (3, 30)]);
        let decide = |full: u8| {
            move |address: IpAddr, _: &u32| {
                if address == addr(full) {
                    Verdict::Skip
                } else {
                    Verdict::Take
                }
            }
        };
        assert_eq!(queue.next(decide(1)), Some(20));
        assert_eq!(queue.next(|_, _| Verdict::Stop), None);
        assert_eq!(drained(queue), [10, 30]);
    }

    #[test]
    fn who_no_longer_waits_is_not_called() {
        let mut queue = queue(&[(1, 10), (2, 20), (1, 11)]);
        queue.remove(addr(1), &10);
        queue.remove(addr(2), &20);
        queue.remove(addr(9), &90);
        assert_eq!(drained(queue), [11]);
    }
}
