//! How much memory may be promised to bodies at once: a bounded account from which bodies reserve before they are read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A bounded account of bytes; clones share it.
#[derive(Clone, Debug)]
pub struct Reservations {
    account: Arc<Account>,
}

#[derive(Debug)]
struct Account {
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl Reservations {
    /// An account of `limit_bytes`.
    #[must_use]
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            account: Arc::new(Account {
                limit_bytes,
                used_bytes: AtomicU64::new(0),
            }),
        }
    }

    /// Takes `len_bytes` from the account until the returned guard is dropped.
    ///
    /// # Errors
    /// [`Full`] when less than that is left; nothing is taken then.
    pub fn reserve(&self, len_bytes: u64) -> Result<Reservation, Full> {
        let mut reservation = Reservation {
            account: Arc::clone(&self.account),
            len_bytes: 0,
        };
        reservation.grow(len_bytes)?;
        Ok(reservation)
    }

    /// The bytes reserved right now.
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.account.used_bytes.load(Ordering::Acquire)
    }
}

/// Bytes taken from a [`Reservations`] account; given back on drop. It travels with the bytes that it stands for.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<Account>,
    len_bytes: u64,
}

impl Reservation {
    /// Takes `more_bytes` in addition.
    ///
    /// # Errors
    /// [`Full`] when less than that is left; what was held stays held.
    pub fn grow(&mut self, more_bytes: u64) -> Result<(), Full> {
        let limit = self.account.limit_bytes;
        self.account
            .used_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(more_bytes).filter(|&sum| sum <= limit)
            })
            .map_err(|_used| Full)?;
        self.len_bytes += more_bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account
            .used_bytes
            .fetch_sub(self.len_bytes, Ordering::AcqRel);
    }
}

/// The account has not that much left; what arrived should be tried again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much memory is reserved already")]
pub struct Full;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let account = Reservations::new(10);
        let mut first = account.reserve(6).unwrap();
        assert_eq!(account.reserve(5).unwrap_err(), Full);
        assert_eq!(first.grow(5), Err(Full));
        first.grow(4).unwrap();
        assert_eq!(account.reserved_bytes(), 10);
        drop(first);
        assert_eq!(account.reserved_bytes(), 0);
        assert_eq!(account.reserve(u64::MAX).unwrap_err(), Full);
    }
}
