//! Lists of files as programs hand them over: by a drop, on the clipboard, as pasted text (`text/uri-list`, RFC 2483).
//!
//! One entry that names no file of this computer never costs the others: it is kept apart, to be named.

use std::path::PathBuf;

use crate::app::words::harmless::harmless;

/// What such a list names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriList {
    /// Files and folders of this computer, whether they are there or not.
    pub files: Vec<PathBuf>,
    /// Everything else, as it can be shown: links, places in a network, what a program has not saved yet.
    pub elsewhere: Vec<String>,
}

/// What happens above the window.
#[derive(Debug, PartialEq, Eq)]
pub enum DropNews {
    /// These files hang over the window.
    Hovering(UriList),
    /// The files no longer hang over the window.
    Left,
    /// These files were dropped.
    Dropped(UriList),
    /// Something was dropped whose source did not say what it is.
    Lost,
}

/// Longest text, in characters, that is shown of an entry.
const SHOWN: usize = 80;

impl From<Vec<PathBuf>> for UriList {
    fn from(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            elsewhere: Vec::new(),
        }
    }
}

impl UriList {
    /// Reads a list. `host` is the name of this computer, which file managers may write before a path.
    #[must_use]
    pub(crate) fn read(bytes: &[u8], host: &[u8]) -> Self {
        let mut list = Self::default();
        for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") || HEADS.contains(&line) {
                continue;
            }
            match local_path(line, host) {
                Some(path) => list.files.push(path),
                None => list.elsewhere.push(shown(line)),
            }
        }
        list
    }

    /// Reads pasted text. None if it is no list of files: not every line names one, or something with an address.
    #[must_use]
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let list = Self::read(text.as_bytes(), &this_host());
        let addresses = list.elsewhere.iter().all(|entry| has_scheme(entry));
        (!list.files.is_empty() && addresses).then_some(list)
    }

    /// Whether the list names nothing.
    #[must_use]
    pub(crate) const fn is_empty(&self) -> bool {
        self.files.is_empty() && self.elsewhere.is_empty()
    }
}

/// What GNOME's file manager writes above its list of files.
const HEADS: [&[u8]; 4] = [
    b"copy",
    b"cut",
    b"x-special/gnome-copied-files",
    b"x-special/nautilus-clipboard",
];

/// An entry as it can be shown.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown = harmless(&text).into_owned();
    if let Some((at, _)) = shown.char_indices().nth(SHOWN) {
        shown.truncate(at);
        shown.push('…');
    }
    shown
}

/// Begins as an address does (RFC 3986, section 3.1) and goes on with two slashes.
fn has_scheme(entry: &str) -> bool {
    entry.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    })
}

/// The rest of a `file:` address (RFC 8089) of this computer, its path still encoded; none for other addresses.
#[cfg(unix)]
fn encoded_path<'a>(line: &'a [u8], host: &[u8]) -> Option<&'a [u8]> {
    let (scheme, rest) = line.split_at_checked(b"file:".len())?;
    if !scheme.eq_ignore_ascii_case(b"file:") {
        return None;
    }
    let Some(named) = rest.strip_prefix(b"//") else {
        return rest.starts_with(b"/").then_some(rest);
    };
    let slash = named.iter().position(|byte| *byte == b'/')?;
    let (named, path) = named.split_at_checked(slash)?;
    let here = named.is_empty()
        || named.eq_ignore_ascii_case(b"localhost")
        || !host.is_empty() && named.eq_ignore_ascii_case(host);
    here.then_some(path)
}

/// The path that an entry names; paths are bytes here, whatever their encoding.
#[cfg(unix)]
fn local_path(line: &[u8], host: &[u8]) -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let path = match encoded_path(line, host) {
        Some(encoded) => percent_encoding::percent_decode(encoded).collect(),
        None if line.starts_with(b"/") => line.to_vec(),
        None => return None,
    };
    (!path.contains(&0)).then(|| PathBuf::from(OsString::from_vec(path)))
}

/// The path that an entry names.
#[cfg(not(unix))]
fn local_path(line: &[u8], _host: &[u8]) -> Option<PathBuf> {
    let line = std::str::from_utf8(line).ok()?;
    if line
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"))
    {
        return url::Url::parse(line).ok()?.to_file_path().ok();
    }
    let path = PathBuf::from(line);
    path.is_absolute().then_some(path)
}

/// The name of this computer, as file managers write it.
#[must_use]
pub(crate) fn this_host() -> Vec<u8> {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_bytes().to_vec();
    #[cfg(not(unix))]
    Vec::new()
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn path(bytes: &[u8]) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(bytes))
    }

    #[test]
    fn each_form_of_a_local_address_names_its_path() {
        for (line, expected) in [
            ("file:///a/b.txt", "/a/b.txt"),
            ("file:/a/b.txt", "/a/b.txt"),
            ("FILE:///a/b.txt", "/a/b.txt"),
            ("file://localhost/a/b.txt", "/a/b.txt"),
            ("file://desk/a/b.txt", "/a/b.txt"),
            ("file://Desk/a/b.txt", "/a/b.txt"),
            ("file:///a/100%25%20%23%3F.txt", "/a/100% #?.txt"),
            ("file:///a/50%.txt", "/a/50%.txt"),
            ("file:///a/file://b", "/a/file://b"),
            ("/a/b c.txt", "/a/b c.txt"),
        ] {
            let list = UriList::read(line.as_bytes(), b"desk");
            assert_eq!(list.files, [PathBuf::from(expected)], "{line}");
            assert!(list.elsewhere.is_empty(), "{line}");
        }
    }

    #[test]
    fn a_name_need_not_be_utf_8() {
        let list = UriList::read(b"file:///a/bad%FF.txt\r\nfile:///a/raw\xfe.txt\r\n", b"");
        assert_eq!(
            list.files,
            [path(b"/a/bad\xff.txt"), path(b"/a/raw\xfe.txt")]
        );
    }

    #[test]
    fn what_is_no_local_file_is_named_and_costs_the_others_nothing() {
        let list = UriList::read(
            b"# a comment\r\nfile:///a\r\n\r\nhttps://example.org/x\nsmb://nas/y\r\nfile://other/z\r\n\
              file:///nul%00\r\nmailto:a@example.org\r\nfile:///b\0",
            b"desk",
        );
        assert_eq!(list.files, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(
            list.elsewhere,
            [
                "https://example.org/x",
                "smb://nas/y",
                "file://other/z",
                "file:///nul%00",
                "mailto:a@example.org"
            ]
        );
    }

    #[test]
    fn what_is_shown_of_an_address_is_short_and_cannot_turn_the_direction_of_writing() {
        let list = UriList::read(
            format!("https://x/\u{202E}{}", "a".repeat(500)).as_bytes(),
            b"",
        );
        let [shown] = list.elsewhere.as_slice() else {
            panic!("one entry");
        };
        assert_eq!(shown.chars().count(), SHOWN + 1);
        assert!(!shown.contains('\u{202E}'));
    }

    #[test]
    fn text_is_a_list_only_if_each_line_is_a_file_or_an_address() {
        let files = |text: &str| UriList::from_text(text).map(|list| list.files.len());
        assert_eq!(files("copy\nfile:///a\nfile:///b"), Some(2));
        assert_eq!(files("/home/ada/a.txt"), Some(1));
        assert_eq!(files("file:///a\nhttps://example.org"), Some(1));
        assert_eq!(files("https://example.org"), None);
        assert_eq!(files("see /a\n/b"), None);
        assert_eq!(files(""), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, host: Vec<u8>) {
            let list = UriList::read(&bytes, &host);
            proptest::prop_assert!(list.files.iter().all(|path| path.is_absolute()));
        }
    }
}
