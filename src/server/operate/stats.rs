//! How much a server did: totals since its start, with nothing in them that tells one request or person from another.

use std::sync::atomic::{AtomicU64, Ordering};

/// The running totals of a server; shared by all that counts.
#[derive(Debug, Default)]
pub struct Stats {
    counters: [AtomicU64; Counter::ALL.len()],
}

/// An event that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Files deleted by their owners.
    Deletions,
    /// Blobs sent.
    Downloads,
    /// Bytes of blobs sent.
    DownloadBytes,
    /// Files whose expiry was extended.
    Extensions,
    /// Requests that were no request of ours: not sealed to this server, repeated, or unreadable.
    Invalid,
    /// Download receipts taken.
    Receipts,
    /// Requests refused with 503, 507 or for want of access word or work.
    Refusals,
    /// Requests that failed because the store did.
    StoreFaults,
    /// Blobs removed because they expired.
    Swept,
    /// Blobs stored.
    Uploads,
    /// Bytes of blobs stored.
    UploadBytes,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Self; 11] = [
        Self::Deletions,
        Self::Downloads,
        Self::DownloadBytes,
        Self::Extensions,
        Self::Invalid,
        Self::Receipts,
        Self::Refusals,
        Self::StoreFaults,
        Self::Swept,
        Self::Uploads,
        Self::UploadBytes,
    ];

    /// Its name in snake case.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deletions => "deletions",
            Self::Downloads => "downloads",
            Self::DownloadBytes => "download_bytes",
            Self::Extensions => "extensions",
            Self::Invalid => "invalid",
            Self::Receipts => "receipts",
            Self::Refusals => "refusals",
            Self::StoreFaults => "store_faults",
            Self::Swept => "swept",
            Self::Uploads => "uploads",
            Self::UploadBytes => "upload_bytes",
        }
    }
}

impl Stats {
    /// The total of `what` since the start.
    #[must_use]
    pub fn total(&self, what: Counter) -> u64 {
        self.counter(what)
            .map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    pub(crate) fn add(&self, what: Counter, number: u64) {
        if let Some(counter) = self.counter(what) {
            counter.fetch_add(number, Ordering::Relaxed);
        }
    }

    fn counter(&self, what: Counter) -> Option<&AtomicU64> {
        self.counters.get(what as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_has_its_own_place_and_name() {
        let stats = Stats::default();
        for (number, what) in (1..).zip(Counter::ALL) {
            stats.add(what, number);
        }
        for (number, what) in (1..).zip(Counter::ALL) {
            assert_eq!(stats.total(what), number, "{}", what.name());
        }
    }
}
