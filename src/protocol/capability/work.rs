//! Work that a server asks for an upload: it costs a sender some seconds and a flood its profit, and tells nobody apart.
//!
//! A number `n` is enough when SHA-256("cloakroom work v1" ‖ the server's key ‖ the blob's digest ‖ n as u64) begins
//! with so many zero bits.

use sha2::{Digest as _, Sha256};

use crate::protocol::digest::Digest;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::size_class::SizeClass;

/// The zero bits asked for blobs of each size class.
pub type WorkBits = [u8; 8];

/// The most bits that a client looks for: beyond it a server asks for hours.
pub const MAX_WORK_BITS: u8 = 32;

/// The bits asked for a blob of `blob_len` bytes: those of the smallest class that is at least as long. A length beyond
/// the classes counts as the largest.
#[must_use]
pub fn bits_for(bits: &WorkBits, blob_len: u64) -> u8 {
    let fits = |class: &SizeClass| class.blob_len() as u64 >= blob_len;
    let class = SizeClass::ALL.iter().position(fits);
    let [.., largest] = *bits;
    class
        .and_then(|class| bits.get(class).copied())
        .unwrap_or(largest)
}

/// Whether `n` is enough work for a blob with this digest at the server with this key.
#[must_use]
pub fn work_is_enough(server: &Ed25519Public, blob: &Digest, n: u64, bits: u8) -> bool {
    leading_zeros(&start(server, blob), n) >= u32::from(bits)
}

/// A search for enough work, which can be stopped and continued.
pub struct WorkSearch {
    start: Sha256,
    bits: u8,
    next: u64,
}

impl WorkSearch {
    /// A search that has not begun.
    #[must_use]
    pub fn new(server: &Ed25519Public, blob: &Digest, bits: u8) -> Self {
        Self {
            start: start(server, blob),
            bits,
            next: 0,
        }
    }

    /// Tries `count` more numbers; the first that is enough, or `None` when none of them is.
    pub fn run(&mut self, count: u64) -> Option<u64> {
        let end = self.next.saturating_add(count);
        while self.next < end {
            let n = self.next;
            self.next += 1;
            if leading_zeros(&self.start, n) >= u32::from(self.bits) {
                return Some(n);
            }
        }
        None
    }

    /// How many numbers were tried.
    #[must_use]
    pub const fn tried(&self) -> u64 {
        self.next
    }

    /// How likely it was to have come by now, in thousandths: an estimate for a progress bar that never reaches 1,000.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a fraction between 0 and 1, times a thousand"
    )]
    pub fn likelihood_permille(&self) -> u16 {
        let expected = 2_f64.powi(i32::from(self.bits));
        let found_by_now = -(-(self.next as f64) / expected).exp_m1();
        ((found_by_now * 1_000.0) as u16).min(999)
    }
}

/// What is the same for every `n`.
fn start(server: &Ed25519Public, blob: &Digest) -> Sha256 {
    Sha256::new()
        .chain_update(b"cloakroom work v1")
        .chain_update(server.as_bytes())
        .chain_update(blob.as_bytes())
}

fn leading_zeros(start: &Sha256, n: u64) -> u32 {
    let hash = start.clone().chain_update(n.to_le_bytes()).finalize();
    let mut zeros = 0;
    for byte in hash {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Ed25519Public {
        Ed25519Public::from_hex("b32a74b3de569ef8e48ab8c6bfa1f533c06d5d643725c9a269c1e0f25364cbe2")
            .unwrap()
    }

    fn blob() -> Digest {
        Digest::from_hex("a1f9e99727ca0d507d7df39120c0b432477031ec27ea2ff4d491d1538c2f32a4")
            .unwrap()
    }

    /// Made by another implementation (Python's hashlib): the first `n` with that many zero bits.
    const FIRST: [(u64, u8); 9] = [
        (0, 0),
        (1, 2),
        (2, 3),
        (18, 5),
        (144, 6),
        (151, 7),
        (298, 10),
        (1_491, 12),
        (12_673, 13),
    ];

    #[test]
    fn the_first_number_that_is_enough_is_found() {
        for (n, bits) in FIRST {
            assert_eq!(
                WorkSearch::new(&server(), &blob(), bits).run(20_000),
                Some(n)
            );
            assert!(work_is_enough(&server(), &blob(), n, bits));
            assert!(!work_is_enough(&server(), &blob(), n, bits + 1));
        }
        assert!(work_is_enough(&server(), &blob(), 2_202_163, 20));
    }

    #[test]
    fn work_is_for_one_server_and_one_blob() {
        let other = crate::protocol::keys::Identity::from_seed([7; 32]).public();
        assert!(!work_is_enough(&other, &blob(), 12_673, 13));
        assert!(!work_is_enough(
            &server(),
            &Digest::of(b"other"),
            12_673,
            13
        ));
    }

    #[test]
    fn a_search_continues_where_it_stopped() {
        let mut search = WorkSearch::new(&server(), &blob(), 12);
        let mut likelihoods = Vec::new();
        let found = (0..).find_map(|step| {
            assert_eq!(search.tried(), step * 100);
            likelihoods.push(search.likelihood_permille());
            search.run(100)
        });
        assert!(likelihoods.is_sorted());
        assert_eq!((likelihoods[0], likelihoods[14]), (0, 289));
        assert_eq!(found, Some(1_491));
    }

    #[test]
    fn lengths_between_the_classes_count_as_the_next_one() {
        let bits = [10, 11, 12, 13, 14, 15, 16, 17];
        assert_eq!(bits_for(&bits, 1), 10);
        assert_eq!(bits_for(&bits, 65_536), 10);
        assert_eq!(bits_for(&bits, 65_537), 11);
        assert_eq!(bits_for(&bits, 10_000_000), 17);
        assert_eq!(bits_for(&bits, 10_223_616), 17);
    }
}
