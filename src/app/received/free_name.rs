//! How something that is saved gets a name: the one it should have, or one like it, and never one that is taken.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;

use super::file_name::{SafeFileName, number_before_extension};
use crate::disk::io_reason::IoReason;

/// The highest number that is tried beside a name that is taken.
pub(super) const MAX_NUMBER: u32 = 999;

/// Why something got no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoName {
    /// The name and the 999 numbered ones are taken.
    NoneFree,
    /// The system refuses the name, and all that are like it.
    Refused(IoReason),
}

/// The numbers from which names in one folder are free, so that a thousand files of one name do not try each number a
/// thousand times. By names in lower case: for many file systems those are one.
#[derive(Default)]
pub(super) struct FreeNumbers(HashMap<String, u32>);

/// Takes the first name that the system lets be taken: `name`, then it with a number, "report (1).pdf"; where the file
/// system refuses the name itself, each of `others` in the same way. `take` makes or moves something there and fails with
/// [`io::ErrorKind::AlreadyExists`] when anything has the name. Returns the name and what `take` gave.
///
/// # Errors
/// [`NoName`]; nothing was taken.
pub(super) fn take_name<T>(
    name: &OsStr,
    others: impl FnOnce() -> [SafeFileName; 2],
    numbers: &mut FreeNumbers,
    mut take: impl FnMut(&OsStr) -> io::Result<T>,
) -> Result<(OsString, T), NoName> {
    let first = match take_numbered(name, numbers, &mut take) {
        Ok(taken) => return Ok(taken),
        Err(error) => why_no_other(error)?,
    };
    for other in others() {
        match take_numbered(other.as_str().as_ref(), numbers, &mut take) {
            Ok(taken) => return Ok(taken),
            Err(error) => match why_no_other(error) {
                Ok(_refused_too) => {}
                Err(NoName::NoneFree) => return Err(NoName::NoneFree),
                Err(NoName::Refused(_)) => break,
            },
        }
    }
    Err(NoName::Refused(first))
}

/// The reason for which a name was refused, if another one may be taken.
fn why_no_other(error: io::Error) -> Result<IoReason, NoName> {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Err(NoName::NoneFree);
    }
    let reason = IoReason::from(error);
    if reason.may_be_about_the_name() {
        Ok(reason)
    } else {
        Err(NoName::Refused(reason))
    }
}

/// Takes the name, with a number where it is taken.
fn take_numbered<T>(
    name: &OsStr,
    numbers: &mut FreeNumbers,
    take: &mut impl FnMut(&OsStr) -> io::Result<T>,
) -> io::Result<(OsString, T)> {
    match take(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        taken => return Ok((name.to_owned(), taken?)),
    }
    let free = numbers
        .0
        .entry(name.to_string_lossy().to_lowercase())
        .or_insert(1);
    while *free <= MAX_NUMBER {
        let name = numbered(name, *free);
        *free += 1;
        match take(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            taken => return Ok((name, taken?)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A path that a person typed may be no Unicode; it is numbered at its end then.
fn numbered(name: &OsStr, number: u32) -> OsString {
    match name.to_str() {
        Some(name) => number_before_extension(name, number).into(),
        None => {
            let mut name = name.to_owned();
            name.push(format!(" ({number})"));
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::file_name::{LeadingDots, portable_names};
    use super::*;

    /// Takes names in a folder of a file system that refuses some of them, for the reason that `error` gives, and that
    /// keeps one file for names that differ by case.
    struct Folder {
        there: Vec<String>,
        error: fn() -> io::Error,
        refused: fn(&str) -> bool,
        tried: usize,
    }

    impl Folder {
        fn new(error: fn() -> io::Error, refused: fn(&str) -> bool) -> Self {
            Self {
                there: Vec::new(),
                error,
                refused,
                tried: 0,
            }
        }

        fn take(&mut self, name: &str, numbers: &mut FreeNumbers) -> Result<String, NoName> {
            let others = || portable_names(name, LeadingDots::Drop);
            let taken = take_name(name.as_ref(), others, numbers, |name| {
                self.tried += 1;
                let name = name.to_str().unwrap();
                if (self.refused)(name) {
                    return Err((self.error)());
                }
                let key = name.to_lowercase();
                if self.there.contains(&key) {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.there.push(key);
                Ok(())
            });
            taken.map(|(name, ())| name.into_string().unwrap())
        }
    }

    fn none(_name: &str) -> bool {
        false
    }

    fn invalid() -> io::Error {
        io::ErrorKind::InvalidInput.into()
    }

    #[test]
    fn a_name_that_the_file_system_refuses_becomes_one_that_it_takes() {
        let too_long: fn() -> io::Error = || io::ErrorKind::InvalidFilename.into();
        let missing: fn() -> io::Error = || io::ErrorKind::NotFound.into();
        let long = format!("{}.pdf", "漢".repeat(60));
        let short = format!("{}.pdf", "漢".repeat(44));
        let reserved: fn(&str) -> bool = |name| name.contains(['?', '*', '|', '"']);
        for (name, error, refused, expected) in [
            (
                "what? \"a*b\".pdf",
                invalid as fn() -> io::Error,
                reserved,
                "what_ _a_b_.pdf",
            ),
            ("a|b.pdf", missing, reserved, "a_b.pdf"),
            (&*long, too_long, |name| name.len() > 143, &*short),
            ("é?.pdf", invalid, |name| !name.is_ascii(), "__.pdf"),
        ] {
            let taken = Folder::new(error, refused).take(name, &mut FreeNumbers::default());
            assert_eq!(taken.as_deref(), Ok(expected));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn characters_that_the_file_system_cannot_write_are_replaced() {
        let not_representable = || io::Error::from_raw_os_error(84);
        let mut folder = Folder::new(not_representable, |name| !name.is_ascii());
        let taken = folder.take("漢.pdf", &mut FreeNumbers::default());
        assert_eq!(taken.as_deref(), Ok("_.pdf"));
    }

    #[test]
    fn what_is_not_about_the_name_is_not_tried_under_another() {
        let denied: fn() -> io::Error = || io::ErrorKind::PermissionDenied.into();
        let mut folder = Folder::new(denied, |name| name.contains('?'));
        let taken = folder.take("a?.txt", &mut FreeNumbers::default());
        assert_eq!(taken, Err(NoName::Refused(denied().into())));
        assert_eq!(folder.tried, 1);
    }

    #[test]
    fn names_that_differ_by_case_get_numbers_where_they_are_one() {
        let mut folder = Folder::new(invalid, none);
        let mut numbers = FreeNumbers::default();
        for (name, taken) in [
            ("Makefile", "Makefile"),
            ("makefile", "makefile (1)"),
            ("MAKEFILE", "MAKEFILE (2)"),
            ("makefile (1)", "makefile (1) (1)"),
        ] {
            assert_eq!(folder.take(name, &mut numbers).as_deref(), Ok(taken));
        }
    }

    #[test]
    fn a_thousand_of_one_name_are_named_without_trying_each_number_for_each() {
        let mut folder = Folder::new(invalid, none);
        let mut numbers = FreeNumbers::default();
        for _ in 0..=MAX_NUMBER {
            folder.take("a.txt", &mut numbers).unwrap();
        }
        assert_eq!(folder.take("A.txt", &mut numbers), Err(NoName::NoneFree));
        assert!(folder.tried < 2_100, "{}", folder.tried);
    }
}
