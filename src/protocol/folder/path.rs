//! The path of an entry in a folder, as the format has it: the same rules for whoever sends and whoever receives.

use core::cmp::Ordering;

use thiserror::Error;

/// The longest path, in bytes.
pub const MAX_PATH_LEN: usize = 1_024;
/// The most steps of a path.
pub const MAX_STEPS: usize = 100;
/// The longest step, in bytes.
pub const MAX_STEP_LEN: usize = 255;

/// Checks that `path` is one that a folder may have: steps with single slashes between.
///
/// It says nothing of what this system makes of it: `CON`, `C:/x` and `b:c` are paths, and so are two that differ only by
/// case. Never join a whole path to a folder: make each step safe first (drive letters, `:`, names of devices).
///
/// # Errors
/// [`PathError`].
pub fn check_path(path: &str) -> Result<(), PathError> {
    if !(1..=MAX_PATH_LEN).contains(&path.len()) {
        return Err(PathError::Length);
    }
    if path
        .bytes()
        .any(|byte| matches!(byte, 0..=0x1f | b'\\' | 0x7f))
    {
        return Err(PathError::Character);
    }
    for (at, step) in path.split('/').enumerate() {
        if at >= MAX_STEPS || step.len() > MAX_STEP_LEN {
            return Err(PathError::Length);
        }
        if matches!(step, "" | "." | "..") {
            return Err(PathError::Step);
        }
    }
    Ok(())
}

/// The order of entries: step by step, each by its bytes. So `a/x` stands before `a-b`.
#[must_use]
pub fn compare_paths(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}

/// Whether `path` lies in the folder `outer`, at any depth.
pub(super) fn lies_in(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Why a text is no path of an entry.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PathError {
    /// It has a backslash, U+0000 to U+001F or U+007F.
    #[error("a path has a character that no name may have")]
    Character,
    /// It is empty or longer than 1,024 bytes, has more than 100 steps, or a step is longer than 255 bytes.
    #[error("a path is empty or too long")]
    Length,
    /// A step is empty, `.` or `..`: the path is absolute, climbs, or ends in a slash.
    #[error("a path climbs, is absolute or has an empty step")]
    Step,
}
