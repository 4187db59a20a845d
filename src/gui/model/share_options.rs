//! Options for the next shares, within the limits of their server.

use crate::protocol::file_api::MAX_RECEIPTS;

/// How long a server should keep a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepFor {
    /// For the server's default time.
    #[default]
    Usual,
    /// So many days.
    Days(u16),
}

impl KeepFor {
    /// The days that can be asked for, where the server allows them.
    pub(crate) const DAYS: [u16; 4] = [1, 7, 14, 30];

    /// Seconds to ask the server for; `None` for its default time.
    #[must_use]
    pub(crate) fn secs(self) -> Option<u64> {
        match self {
            Self::Usual => None,
            Self::Days(days) => Some(u64::from(days) * 24 * 3_600),
        }
    }

    /// Whether this is the server's default time, as far as that is known.
    #[must_use]
    pub(crate) fn is_usual(self, terms: Option<&Terms>) -> bool {
        match (self.secs(), terms) {
            (None, _) => true,
            (Some(secs), Some(terms)) => secs == terms.usual_secs,
            (Some(_), None) => false,
        }
    }

    /// Whether the server allows this time, as far as its limits are known.
    #[must_use]
    pub(crate) fn is_within(self, terms: Option<&Terms>) -> bool {
        match (self.secs(), terms) {
            (Some(secs), Some(terms)) => secs <= terms.max_secs,
            _ => true,
        }
    }
}

/// Limits that a server states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Longest content that it stores, in bytes.
    pub max_len: u64,
    /// How long it keeps files by default, in seconds.
    pub usual_secs: u64,
    /// How long it keeps files at most, in seconds.
    pub max_secs: u64,
    /// The bits of work that it asks for the smallest size, if it asks for any.
    pub work_bits: Option<u8>,
}

/// Whether downloads are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// Downloads are not counted.
    #[default]
    No,
    /// Downloads are counted.
    Yes,
    /// Downloads are counted, and after so many the server removes the file.
    Limit(u32),
}

impl Count {
    /// The limits that can be chosen.
    pub(crate) const LIMITS: [u32; 22] = [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        12,
        15,
        20,
        25,
        30,
        40,
        50,
        75,
        100,
        150,
        200,
        MAX_RECEIPTS,
    ];

    /// The limit one step above (1) or below (-1).
    #[must_use]
    pub(crate) fn stepped(limit: u32, step: i8) -> u32 {
        let mut limits = Self::LIMITS.into_iter();
        let next = if step > 0 {
            limits.find(|other| *other > limit)
        } else {
            limits.rev().find(|other| *other < limit)
        };
        next.unwrap_or(limit)
    }
}

/// What is chosen for the next shares; not kept between starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareOptions {
    /// How long the server should keep the file.
    pub keep: KeepFor,
    /// Whether downloads are counted, and how many are allowed.
    pub count: Count,
}
