//! Why the system refused something, kept with the words that the system has for it.

use core::fmt;
use std::io;

/// The reason of an [`io::Error`], small enough to be copied. The standard library has no kind for some reasons, such as
/// an input/output error of a disk; the system's own number tells those apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IoReason {
    kind: io::ErrorKind,
    os_error: Option<i32>,
}

impl IoReason {
    /// Whether this program, or the system, has as many files open as it may have.
    #[must_use]
    pub(crate) fn is_too_many_files(self) -> bool {
        // EMFILE and ENFILE; ERROR_TOO_MANY_OPEN_FILES.
        let numbers: &[i32] = if cfg!(windows) { &[4] } else { &[24, 23] };
        self.os_error
            .is_some_and(|number| numbers.contains(&number))
    }

    /// Whether a file system says this of a name that it cannot hold: too long for it, or with a character that it has no
    /// place for. Each says so in its own way, and some say it of other things, too.
    #[must_use]
    pub(crate) fn may_be_about_the_name(self) -> bool {
        use io::ErrorKind::{InvalidFilename, InvalidInput, NotFound};
        // EILSEQ, of which the standard library has no kind.
        let not_representable = if cfg!(any(target_os = "linux", target_os = "android")) {
            Some(84)
        } else if cfg!(target_vendor = "apple") {
            Some(92)
        } else {
            None
        };
        // Shares of Windows say `NotFound` of a name that they refuse.
        matches!(self.kind, InvalidFilename | InvalidInput | NotFound)
            || (self.os_error.is_some() && self.os_error == not_representable)
    }

    /// The standard library's kind.
    #[must_use]
    pub(crate) const fn kind(self) -> io::ErrorKind {
        self.kind
    }
}

impl From<io::Error> for IoReason {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&io::Error> for IoReason {
    fn from(error: &io::Error) -> Self {
        Self {
            kind: error.kind(),
            os_error: error.raw_os_error(),
        }
    }
}

impl From<io::ErrorKind> for IoReason {
    fn from(kind: io::ErrorKind) -> Self {
        Self {
            kind,
            os_error: None,
        }
    }
}

/// The system's words without its number, such as `No space left on device`.
impl fmt::Display for IoReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(number) = self.os_error else {
            return self.kind.fmt(f);
        };
        let words = io::Error::from_raw_os_error(number).to_string();
        let bare = words
            .split_once(" (os error")
            .map_or(&*words, |(bare, _)| bare);
        f.write_str(bare)
    }
}

impl fmt::Debug for IoReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_without_a_name_keeps_the_systems_words() {
        assert_eq!(
            IoReason::from(io::ErrorKind::NotFound).to_string(),
            io::ErrorKind::NotFound.to_string()
        );
        #[cfg(target_os = "linux")]
        for (number, words) in [
            (5, "Input/output error"),
            (24, "Too many open files"),
            (123, "No medium found"),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(IoReason::from(error).to_string(), words);
        }
    }
}
