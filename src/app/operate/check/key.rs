//! Whether key files are there, whole, and nobody else's to read.

use std::path::Path;

use super::Report;
use crate::disk::key_file::{self, KeyFileError};
use crate::protocol::keys::Identity;

/// The identity in `path`, when it can be used. One that is missing is made at the first start, so that is no failure,
/// unless it must be there.
pub(super) fn key(
    report: &mut Report,
    part: &'static str,
    path: &Path,
    must_be_there: bool,
) -> Option<Identity> {
    match key_file::load(path) {
        Ok(key) => {
            report.ok(part, format!("{} can be used", path.display()));
            Some(key)
        }
        Err(KeyFileError::Missing { .. }) if !must_be_there => {
            report.skipped(
                part,
                format!("{} is not there yet", path.display()),
                "the first start makes it; back it up then",
            );
            None
        }
        Err(error) => {
            let text = error.to_string();
            // The error says what to do behind its semicolon.
            let (what, next) = text.split_once("; ").unwrap_or((&text, ""));
            let next = if next.is_empty() {
                "put the backup in its place, or correct its name"
            } else {
                next
            };
            report.failed(part, what, next);
            None
        }
    }
}

/// Warns of a configuration that other users can read though it holds a secret.
#[cfg(unix)]
pub(super) fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// Only unix has modes to judge by.
#[cfg(not(unix))]
pub(super) fn is_exposed(_path: &Path) -> bool {
    false
}
