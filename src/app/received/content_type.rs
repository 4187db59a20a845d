//! What a received file is by its first bytes, whether its name says so too, and whether opening it could run code.
//!
//! A warning must be right: where a format has many honest names, nothing is said. Decisions are pure; only [`examine`]
//! reads a file.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use infer::MatcherType;

/// What a name or its content is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Files packed into one.
    Archive,
    /// Written for printing or an office program.
    Document,
    /// Sound or moving pictures.
    Media,
    /// A still picture.
    Picture,
    /// What a system runs.
    Program,
    /// Text that an interpreter runs.
    Script,
    /// Text for people.
    Text,
    /// What a browser shows and may run.
    WebPage,
}

/// What the first bytes are, as closely as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A program for Java or Android.
    JavaProgram,
    /// A program for Linux.
    LinuxProgram,
    /// A program for macOS.
    MacProgram,
    /// A program for Windows or DOS.
    WindowsProgram,
    /// A script that names its interpreter in its first line.
    Script,
    /// A Windows shortcut, which starts what it points to.
    Shortcut,
    /// HTML, or a drawing that can hold scripts.
    WebPage,
    /// Files packed into one.
    Archive,
    /// Written for printing or an office program.
    Document,
    /// Sound or moving pictures.
    Media,
    /// A still picture.
    Picture,
}

/// A name that says one thing and a content that is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What the ending of the name says.
    pub name_says: Family,
    /// What the content is.
    pub content_is: Content,
}

/// Findings about a received file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Its name misleads.
    pub disagreement: Option<Disagreement>,
    /// Opening it could run code: ask first.
    pub could_run: bool,
}

/// The system that a file would be opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux and the BSDs.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// The system that this program runs on.
    #[must_use]
    pub(crate) const fn here() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// What there is to say about the file at `path`, as it is now. Blocking.
///
/// # Errors
/// When it is no ordinary file, or cannot be read.
pub fn examine(path: &Path) -> io::Result<Findings> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut start = Vec::with_capacity(START_LEN);
    File::open(path)?
        .take(START_LEN as u64)
        .read_to_end(&mut start)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(find(&name, &start, System::here()))
}

/// What there is to say about a file of this name that begins with these bytes.
#[must_use]
pub fn find(name: &str, start: &[u8], system: System) -> Findings {
    let extension = extension(name);
    let name_says = family(&extension);
    let content = content(start.get(..START_LEN).unwrap_or(start));
    let disagreement = name_says
        .zip(content)
        .filter(|(name_says, content)| disagree(*name_says, *content, &extension))
        .map(|(name_says, content_is)| Disagreement {
            name_says,
            content_is,
        });
    let content_runs = match content {
        Some(
            Content::JavaProgram
            | Content::LinuxProgram
            | Content::MacProgram
            | Content::WindowsProgram
            | Content::Shortcut,
        ) => true,
        // Under a name of text it is opened as text.
        Some(Content::Script) => name_says != Some(Family::Text),
        Some(Content::WebPage) => disagreement.is_some(),
        _ => false,
    };
    Findings {
        disagreement,
        could_run: content_runs || runs_by_name(&extension, system),
    }
}

/// Number of bytes at the start of a file that are examined.
const START_LEN: usize = 8_192;

/// The file name extension, in lower case, without the dot; empty when there is none.
fn extension(name: &str) -> String {
    name.rsplit_once('.')
        .map(|(_, ending)| ending.to_lowercase())
        .unwrap_or_default()
}

/// The family that a file name extension stands for; `None` for one that is not in the table.
fn family(extension: &str) -> Option<Family> {
    let family = match extension {
        "7z" | "bz2" | "gz" | "rar" | "tar" | "tgz" | "xz" | "zip" | "zst" => Family::Archive,
        "doc" | "docx" | "epub" | "odp" | "ods" | "odt" | "pdf" | "ppt" | "pptx" | "rtf"
        | "xls" | "xlsx" => Family::Document,
        "aac" | "avi" | "flac" | "m4a" | "m4v" | "mkv" | "mov" | "mp3" | "mp4" | "mpeg" | "mpg"
        | "oga" | "ogg" | "ogv" | "opus" | "wav" | "webm" | "wma" | "wmv" => Family::Media,
        "arw" | "avif" | "bmp" | "cr2" | "dng" | "gif" | "heic" | "heif" | "ico" | "jpe"
        | "jpeg" | "jpg" | "jxl" | "nef" | "png" | "tif" | "tiff" | "webp" => Family::Picture,
        "apk" | "appimage" | "bin" | "com" | "dll" | "elf" | "exe" | "jar" | "lnk" | "msi"
        | "o" | "run" | "scr" | "so" | "sys" => Family::Program,
        "bash" | "bat" | "cmd" | "js" | "pl" | "ps1" | "py" | "rb" | "sh" | "vbs" => Family::Script,
        "csv" | "ini" | "json" | "log" | "md" | "toml" | "txt" | "yaml" | "yml" => Family::Text,
        "htm" | "html" | "mht" | "mhtml" | "svg" | "xht" | "xhtml" => Family::WebPage,
        _ => return None,
    };
    Some(family)
}

/// What the bytes are; none for what is harmless or not known.
fn content(start: &[u8]) -> Option<Content> {
    program(start).or_else(|| {
        if start.starts_with(b"#!") {
            return Some(Content::Script);
        }
        if is_web_page(start) {
            return Some(Content::WebPage);
        }
        let known = infer::get(start)?;
        match known.matcher_type() {
            MatcherType::Archive => archive(known.extension()),
            MatcherType::Audio | MatcherType::Video => Some(Content::Media),
            MatcherType::Book | MatcherType::Doc => Some(Content::Document),
            MatcherType::Image => Some(Content::Picture),
            MatcherType::App | MatcherType::Custom | MatcherType::Font | MatcherType::Text => None,
        }
    })
}

/// Some of what infer counts as archives is something else to people.
fn archive(extension: &str) -> Option<Content> {
    match extension {
        "pdf" | "rtf" => Some(Content::Document),
        "7z" | "bz2" | "gz" | "rar" | "tar" | "xz" | "zip" | "zst" => Some(Content::Archive),
        _ => None,
    }
}

fn program(start: &[u8]) -> Option<Content> {
    match start {
        [0x7f, b'E', b'L', b'F', ..] => Some(Content::LinuxProgram),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => {
            Some(Content::MacProgram)
        }
        // Several machines' programs in one, and Java's classes, begin alike; after that comes a small count, or a
        // version of 45 and more.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, count, ..] if *count < 40 => Some(Content::MacProgram),
        [0xca, 0xfe, 0xba, 0xbe, ..] | [b'd', b'e', b'x', b'\n', ..] => Some(Content::JavaProgram),
        [0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, ..] => Some(Content::Shortcut),
        [b'M', b'Z', ..] if is_windows_program(start) => Some(Content::WindowsProgram),
        _ => None,
    }
}

/// A text can begin with "MZ"; it has no zero bytes in what would be the header.
fn is_windows_program(start: &[u8]) -> bool {
    start.get(..64).is_some_and(|header| header.contains(&0))
}

fn is_web_page(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = text.trim_ascii_start();
    let head = text.get(..1_024).unwrap_or(text).to_ascii_lowercase();
    let tag = |tag: &[u8]| head.windows(tag.len()).any(|window| window == tag);
    match head.as_slice() {
        [b'<', b'?', b'x', b'm', b'l', ..] | [b'<', b'!', b'-', b'-', ..] => {
            tag(b"<html") || tag(b"<svg") || tag(b"<script")
        }
        text => {
            let tags: [&[u8]; 7] = [
                b"<!doctype html",
                b"<body",
                b"<head",
                b"<html",
                b"<iframe",
                b"<script",
                b"<svg",
            ];
            tags.iter().any(|tag| text.starts_with(tag))
        }
    }
}

/// Whether a name of this family must not have that content.
fn disagree(name_says: Family, content: Content, extension: &str) -> bool {
    use Family as F;
    match content {
        Content::JavaProgram
        | Content::LinuxProgram
        | Content::MacProgram
        | Content::WindowsProgram => !matches!(name_says, F::Program),
        Content::Shortcut => extension != "lnk",
        Content::Script => {
            matches!(name_says, F::Archive | F::Document | F::Media | F::Picture)
        }
        Content::WebPage => matches!(name_says, F::Archive | F::Document | F::Media | F::Picture),
        // Documents and programs of many kinds are archives inside.
        Content::Archive => matches!(name_says, F::Media | F::Picture | F::Text | F::WebPage),
        Content::Document => matches!(
            name_says,
            F::Archive | F::Media | F::Picture | F::Text | F::WebPage
        ),
        Content::Media => matches!(name_says, F::Archive | F::Document | F::WebPage),
        Content::Picture => matches!(
            name_says,
            F::Archive | F::Document | F::Media | F::Text | F::WebPage
        ),
    }
}

/// Whether opening a file of this ending runs what is in it, or what it points to.
fn runs_by_name(extension: &str, system: System) -> bool {
    let here = match system {
        System::Linux => RUNS_ON_LINUX,
        System::MacOs => RUNS_ON_MAC_OS,
        System::Windows => RUNS_ON_WINDOWS,
    };
    [RUNS_EVERYWHERE, here]
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
        .any(|ending| ending == extension)
}

/// Endings of files that run when they are opened: Java; office documents with macros.
const RUNS_EVERYWHERE: &str = "\
    jar jnlp docm dotm potm ppam ppsm pptm sldm xla xlam xlsb xlsm xltm";

/// Endings of files that run when they are opened: programs, packages, scripts and launchers of Linux.
const RUNS_ON_LINUX: &str = "\
    appimage bash bin csh deb desktop elf flatpak flatpakref flatpakrepo ksh out pl py rb rpm run sh snap so zsh";

/// Endings of files that run when they are opened: programs, packages, scripts, links and profiles of macOS.
const RUNS_ON_MAC_OS: &str = "\
    action app applescript bash bundle command csh definition dmg dylib fileloc iso inetloc kext ksh mobileconfig \
    mpkg osax out pkg pl plugin prefpane py rb saver scpt scptd sh terminal tool url webloc workflow xip zsh";

/// Endings of files that run when they are opened: programs, packages, scripts, links and disk images of Windows.
const RUNS_ON_WINDOWS: &str = "\
    ade adp app application appref-ms appx appxbundle asp bas bat bgi cdxml chm cmd cnt com cpl crt desklink \
    diagcab diagcfg diagpkg dll drv exe gadget grp hlp hpj hta htc img inf ins iso isp its job js jse ksh \
    library-ms lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msi msix msixbundle \
    msp mst ocx ops osd pcd pif pl plg prf prg printerexport ps1 ps1xml ps2 psc1 psd1 psm1 pst py pyc pyw pyz rdp \
    reg scf scr sct search-ms searchconnector-ms settingcontent-ms shb shs slk sys theme themepack url vb vbe vbp \
    vbs vhd vhdx vsmacros vsw webpnp website ws wsc wsf wsh xbap xll xnk";

#[cfg(test)]
mod tests {
    use super::*;

    const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const PDF: &[u8] = b"%PDF-1.7\n";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0";

    fn pe() -> Vec<u8> {
        let mut bytes = b"MZ\x90\0\x03\0\0\0".to_vec();
        bytes.resize(256, 0);
        bytes
    }

    fn disagreement(name: &str, start: &[u8]) -> Option<Content> {
        find(name, start, System::Linux)
            .disagreement
            .map(|found| found.content_is)
    }

    #[test]
    fn a_picture_that_is_a_program_a_script_or_a_page_is_named() {
        let pe = pe();
        for (start, is) in [
            (ELF, Content::LinuxProgram),
            (&pe, Content::WindowsProgram),
            (b"\xcf\xfa\xed\xfe\x07\0\0\x01", Content::MacProgram),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", Content::MacProgram),
            (b"\xca\xfe\xba\xbe\0\0\0\x41", Content::JavaProgram),
            (b"dex\n035\0", Content::JavaProgram),
            (b"#!/bin/sh\nrm -rf ~\n", Content::Script),
            (b"\xef\xbb\xbf\n <!DOCTYPE html><script>", Content::WebPage),
            (b"<?xml version=\"1.0\"?>\n<svg xmlns", Content::WebPage),
            (b"<!-- --><script>alert(1)</script>", Content::WebPage),
            (b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0", Content::Shortcut),
            (PDF, Content::Document),
            (ZIP, Content::Archive),
        ] {
            for name in ["photo.jpg", "photo.jpg.PNG", "a.b.webp"] {
                assert_eq!(disagreement(name, start), Some(is), "{name} {is:?}");
            }
            assert_eq!(
                disagreement("photo", start),
                None,
                "a bare name says nothing"
            );
        }
    }

    #[test]
    fn honest_names_are_left_alone() {
        let pe = pe();
        for (name, start) in [
            ("a.jpg", JPEG),
            ("a.jpeg", JPEG),
            // A picture under the ending of another one opens all the same.
            ("a.png", JPEG),
            ("a.pdf", PDF),
            ("a.zip", ZIP),
            ("a.docx", ZIP),
            ("a.odt", ZIP),
            ("a.jar", ZIP),
            ("a.exe", &pe),
            ("a.dll", &pe),
            ("a.sh", b"#!/bin/sh\n"),
            ("notes.txt", b"#!/bin/sh\n"),
            ("notes.txt", b"MZ is how a program for DOS begins, and here is more text so that 64 bytes are there."),
            ("page.html", b"<html><head>"),
            ("page.md", b"<html> is a tag"),
            ("drawing.svg", b"<svg xmlns"),
            ("feed.jpg.xml", b"<?xml version=\"1.0\"?><rss>"),
            ("data.bin", PNG),
            ("a.jpg", b""),
            ("a.mp3", b"ID3\x04\0\0\0\0\0\0"),
            ("notes.txt", b"\xff\xfe<\0h\0"),
        ] {
            assert_eq!(disagreement(name, start), None, "{name}");
        }
    }

    #[test]
    fn what_could_run_depends_on_name_content_and_system() {
        use System::{Linux, MacOs, Windows};
        for (name, start, systems) in [
            ("setup.exe", &b""[..], &[Windows][..]),
            ("photo.jpg.SCR", b"", &[Windows]),
            ("invoice.pdf.lnk", b"", &[Windows]),
            ("query.search-ms", b"", &[Windows]),
            ("a.iso", b"", &[MacOs, Windows]),
            ("run.command", b"", &[MacOs]),
            ("link.fileloc", b"", &[MacOs]),
            ("start.desktop", b"", &[Linux]),
            ("tool.AppImage", b"", &[Linux]),
            ("setup.py", b"", &[Linux, MacOs, Windows]),
            ("tool.jar", b"", &[Linux, MacOs, Windows]),
            ("letter.docm", b"", &[Linux, MacOs, Windows]),
            ("tool", ELF, &[Linux, MacOs, Windows]),
            ("photo.jpg", ELF, &[Linux, MacOs, Windows]),
            ("photo.jpg", b"<html>", &[Linux, MacOs, Windows]),
            ("tool", b"#!/bin/sh", &[Linux, MacOs, Windows]),
            ("notes.txt", b"#!/bin/sh", &[]),
            ("page.html", b"<html>", &[]),
            ("photo.jpg", JPEG, &[]),
            ("a.pdf", PDF, &[]),
            ("a.zip", ZIP, &[]),
            ("exe", b"", &[]),
            ("notes", b"", &[]),
        ] {
            for system in [Linux, MacOs, Windows] {
                assert_eq!(
                    find(name, start, system).could_run,
                    systems.contains(&system),
                    "{name} on {system:?}"
                );
            }
        }
    }

    #[test]
    fn a_file_is_examined_as_it_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.jpg");
        fs::write(&path, [ELF, &vec![0; 100_000]].concat()).unwrap();
        let findings = examine(&path).unwrap();
        assert!(findings.could_run);
        assert_eq!(
            findings.disagreement,
            Some(Disagreement {
                name_says: Family::Picture,
                content_is: Content::LinuxProgram
            })
        );
        assert!(examine(folder.path()).is_err());
        assert!(examine(&folder.path().join("none")).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_and_no_name_trouble_it(name in "\\PC{0,40}", start: Vec<u8>) {
            for system in [System::Linux, System::MacOs, System::Windows] {
                let findings = find(&name, &start, system);
                proptest::prop_assert!(findings.could_run || findings.disagreement.is_none_or(|found| found.content_is != Content::Shortcut));
            }
        }
    }
}
