//! The total of a folder store on the disk, so that a server knows at its start what the store holds, before it has
//! counted.
//!
//! It stands in the file `total` in the store's folder, as one line: `cloakroom total 1 BYTES`. The number is never less
//! than what the store holds: before uploads pass it, one that is a step higher is written. A server that stops writes the
//! exact number. One that is killed leaves a number that is too large by a step at most; the count mends it. Receipts and
//! the marks of removed files are not waited for, so they can pass the number until the next upload.
//!
//! A file that is missing or damaged is no error: the store is unknown then until it is counted.

use std::{fs, io, path::Path};

use super::quota::Held;
use crate::disk::private;

/// Reads the total in the folder `root`. Blocking.
pub(super) fn read(root: &Path) -> Held {
    let text = fs::read_to_string(root.join(FILE_NAME)).ok();
    text.and_then(|text| parse(&text))
        .map_or(Held::Unknown, Held::AtMost)
}

/// Replaces the total in the folder `root`. Blocking.
pub(super) fn write(root: &Path, bytes: u64) -> io::Result<()> {
    let text = format!("{START}{bytes}\n");
    private::replace(&root.join(FILE_NAME), text.as_bytes())
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.strip_prefix(START)?.strip_suffix('\n')?;
    let bytes = digits.parse().ok()?;
    // One number has one text: neither `+1` nor `01`.
    (digits == u64::to_string(&bytes)).then_some(bytes)
}

const FILE_NAME: &str = "total";
const START: &str = "cloakroom total 1 ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Held::Unknown);
        for bytes in [0, 1, 10 << 30, u64::MAX] {
            write(folder.path(), bytes).unwrap();
            assert_eq!(read(folder.path()), Held::AtMost(bytes));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_total_is_none() {
        for text in [
            "",
            "cloakroom total 1 123",
            "cloakroom total 1 \n",
            "cloakroom total 1 -1\n",
            "cloakroom total 1 +1\n",
            "cloakroom total 1 01\n",
            "cloakroom total 1 18446744073709551616\n",
            "cloakroom total 2 123\n",
            "cloakroom total 1 123\n\n",
            "\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
