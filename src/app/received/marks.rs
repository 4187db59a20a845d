//! Marks a received file as one from the internet, where the system knows a mark that says just that.
//!
//! - **Windows**: the stream `Zone.Identifier` with zone 3, and without the lines that would name the source. Explorer,
//!   SmartScreen and Office ask before they run or edit such a file.
//! - **macOS**: the attribute `com.apple.quarantine`, with this program's name and no entry in the database of sources.
//!   Gatekeeper asks at the first opening.
//! - **Linux and the others**: nothing. The one attribute there is, `user.xdg.origin.url`, holds the address that a file
//!   came from: it would tell whoever gets the disk, or a copy of the file, which server was used; and nothing asks
//!   before opening because of it. What stands in for a mark is that a saved file is never executable.

use std::io;
use std::path::Path;

/// Marks the file. Called while it still has its temporary name, so that it is never seen without the mark.
///
/// # Errors
/// What the system says, as on a file system that holds no such marks.
pub(crate) fn from_the_internet(file: &Path) -> io::Result<()> {
    set(file)
}

#[cfg(windows)]
fn set(file: &Path) -> io::Result<()> {
    let mut stream = file.as_os_str().to_owned();
    stream.push(":Zone.Identifier");
    std::fs::write(stream, ZONE_IDENTIFIER)
}

#[cfg(target_os = "macos")]
fn set(file: &Path) -> io::Result<()> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    xattr::set(file, "com.apple.quarantine", quarantine(now).as_bytes())
}

#[cfg(not(any(windows, target_os = "macos")))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the other systems have something that can fail"
)]
const fn set(_file: &Path) -> io::Result<()> {
    Ok(())
}

/// Zone 3 is the internet. `ReferrerUrl` and `HostUrl`, which browsers add, would name the server.
#[cfg(any(windows, test))]
const ZONE_IDENTIFIER: &str = "[ZoneTransfer]\r\nZoneId=3\r\n";

/// Flags (0x0081: downloaded, ask the person), time in hex, program, and no id of a database entry.
#[cfg(any(target_os = "macos", test))]
fn quarantine(unix_secs: u64) -> String {
    format!("0081;{unix_secs:08x};Cloakroom;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_say_internet_and_name_no_source() {
        assert_eq!(ZONE_IDENTIFIER, "[ZoneTransfer]\r\nZoneId=3\r\n");
        assert_eq!(quarantine(0x6566_7788), "0081;65667788;Cloakroom;");
        assert_eq!(quarantine(1), "0081;00000001;Cloakroom;");
        for mark in [ZONE_IDENTIFIER, &quarantine(1)] {
            assert!(!mark.contains("http") && !mark.contains("Url"));
        }
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn without_an_honest_mark_a_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, b"x").unwrap();
        from_the_internet(&file).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"x");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(windows)]
    #[test]
    fn a_saved_file_is_in_the_internet_zone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, b"x").unwrap();
        from_the_internet(&file).unwrap();
        let stream = folder.path().join("a.txt:Zone.Identifier");
        assert_eq!(std::fs::read_to_string(stream).unwrap(), ZONE_IDENTIFIER);
        assert_eq!(std::fs::read(&file).unwrap(), b"x");
    }

    #[cfg(target_os = "macos")]
    #[test]
    fn a_saved_file_is_in_quarantine() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, b"x").unwrap();
        from_the_internet(&file).unwrap();
        let mark = xattr::get(&file, "com.apple.quarantine").unwrap().unwrap();
        assert!(mark.starts_with(b"0081;"));
    }
}
