//! What is not shared of what a person named: how much it is, and the first few of it.

use crate::disk::io_reason::IoReason;

/// How many of the things that were left out are kept by name.
const MAX_NAMED: usize = 100;

/// What was left out of a share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    count: u64,
    first: Vec<LeftOutEntry>,
}

/// One thing that was left out: a file, a folder with everything in it, or something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutEntry {
    /// Its path in the folder, with single slashes between. Parts of it that are no text are replaced.
    pub path: String,
    /// Why it was left out.
    pub why: WhyLeftOut,
}

/// Why something was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// It is a link.
    Link,
    /// Its name or path cannot be in a folder that is shared: it is no UTF-8, has a backslash or a control character, or is
    /// too long.
    Name,
    /// It is neither a file nor a folder.
    NotAFile,
    /// The system would not let it be read.
    Unreadable(IoReason),
}

impl LeftOut {
    /// How many things were left out. A folder counts once, whatever is in it.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, at most 100, in the order of their paths.
    #[must_use]
    pub fn first(&self) -> &[LeftOutEntry] {
        &self.first
    }

    pub(super) fn add(&mut self, path: String, why: WhyLeftOut) {
        self.count += 1;
        if self.first.len() < MAX_NAMED {
            self.first.push(LeftOutEntry { path, why });
        }
    }
}
