//! How the name of a received file, which is hostile text, becomes one safe component of a path.
//!
//! A harmless name, in whatever script, is kept byte for byte.

use core::fmt;

use crate::app::words::harmless::{is_blank, is_joiner, takes_joiner};
use crate::protocol::pointer::shorten_name;
use crate::protocol::text::is_format;

/// The longest name that every common file system takes.
const MAX_LEN: usize = 255;
/// The longest name that every file system takes, with room for a number: an encrypting one (eCryptfs) takes 143 bytes.
const MAX_PORTABLE_LEN: usize = 143 - " (999)".len();
/// The most spaces that stay beside each other.
const MAX_GAP: usize = 3;
/// The most characters that [`SafeFileName::for_display`] gives.
const MAX_DISPLAY_CHARS: usize = 80;
/// The characters at the end that [`SafeFileName::for_display`] keeps.
const DISPLAY_TAIL_CHARS: usize = 24;

/// One component of a path: no separator, nothing invisible, no name with a meaning to a system, 1 to 255 bytes. Dots at
/// its start are there only where [`SafeFileName::sanitize_step`] made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SafeFileName(String);

/// What becomes of dots at the start of a name, which hide a file on many systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeadingDots {
    /// They go: a single file that arrives is not to be hidden.
    Drop,
    /// They stay: in a folder, `.gitignore` is where it belongs.
    Keep,
}

/// What several files that were shared together are called.
const NAMELESS_FOLDER: &str = "Files";

impl SafeFileName {
    /// Makes any text safe. What is safe already stays as it is.
    #[must_use]
    pub(crate) fn sanitize(name: &str) -> Self {
        Self::sanitize_with(name, LeadingDots::Drop)
    }

    /// The name of a received folder, of which the sender may have given none: several files together.
    #[must_use]
    pub(crate) fn of_folder(name: Option<&str>) -> Self {
        Self::sanitize(name.unwrap_or(NAMELESS_FOLDER))
    }

    /// Makes any step of a path in a folder safe. What is safe already stays as it is, and so do dots at its start.
    #[must_use]
    pub(crate) fn sanitize_step(step: &str) -> Self {
        Self::sanitize_with(step, LeadingDots::Keep)
    }

    fn sanitize_with(name: &str, dots: LeadingDots) -> Self {
        let mut safe = Self::pass(name, dots);
        if safe == name {
            return Self(safe);
        }
        // What one pass takes away can leave neighbours that must not be neighbours. Each pass shortens or changes
        // nothing, but for one underscore.
        loop {
            let next = Self::pass(&safe, dots);
            if next == safe {
                return Self(safe);
            }
            safe = next;
        }
    }

    fn pass(name: &str, dots: LeadingDots) -> String {
        let mapped = close_gaps(&map_characters(name));
        let trimmed = trim_end(match dots {
            LeadingDots::Drop => mapped.trim_start_matches('.'),
            LeadingDots::Keep => &mapped,
        });
        let named = if trimmed.is_empty() { "file" } else { trimmed };
        let unreserved = if is_reserved(named) {
            format!("_{named}")
        } else {
            named.to_owned()
        };
        let short = shorten_name(&unreserved, MAX_LEN);
        trim_end(&short).to_owned()
    }

    /// The name as it goes into a path.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for a screen: a long one loses its middle, never its end.
    #[must_use]
    pub(crate) fn for_display(&self) -> String {
        let count = self.0.chars().count();
        if count <= MAX_DISPLAY_CHARS {
            return self.0.clone();
        }
        let head = self
            .0
            .chars()
            .take(MAX_DISPLAY_CHARS - DISPLAY_TAIL_CHARS - 1);
        let tail = self.0.chars().skip(count - DISPLAY_TAIL_CHARS);
        head.chain(['…']).chain(tail).collect()
    }

    /// The name with a number before its ending, "report (1).pdf", still at most 255 bytes.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn numbered(&self, number: u32) -> Self {
        Self(number_before_extension(&self.0, number))
    }
}

impl fmt::Display for SafeFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_display())
    }
}

/// Puts ` (number)` before the ending of any name, shortening the rest where 255 bytes are not enough.
pub(crate) fn number_before_extension(name: &str, number: u32) -> String {
    let mark = format!(" ({number})");
    let cut = shorten_name(name, MAX_LEN - mark.len());
    // A cut may end in what no name should end in.
    let short = if cut.len() < name.len() {
        trim_end(&cut)
    } else {
        &cut
    };
    let at = short.rfind('.').filter(|at| *at > 0).unwrap_or(short.len());
    let (stem, extension) = short.split_at(at);
    format!("{stem}{mark}{extension}")
}

/// Names like `name` for a file system that refuses it, in the order in which they should be tried: without the
/// characters that Windows refuses and at most 137 bytes long; then also without characters that are not ASCII.
pub(crate) fn portable_names(name: &str, dots: LeadingDots) -> [SafeFileName; 2] {
    let replaced = |refused: fn(char) -> bool| {
        let name: String = name
            .chars()
            .map(|c| if refused(c) { '_' } else { c })
            .collect();
        let safe = SafeFileName::sanitize_with(&name, dots);
        // A cut may end in what no name should end in.
        SafeFileName::sanitize_with(&shorten_name(safe.as_str(), MAX_PORTABLE_LEN), dots)
    };
    [
        replaced(is_refused_by_windows),
        replaced(|c| is_refused_by_windows(c) || !c.is_ascii()),
    ]
}

fn map_characters(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut mapped = String::with_capacity(name.len());
    for (at, c) in chars.iter().copied().enumerate() {
        if is_joiner(c) {
            // Persian, Indic scripts and emoji need these inside a word; elsewhere they only hide something.
            let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
            let after = chars.get(at + 1).copied();
            if before.is_some_and(takes_joiner) && after.is_some_and(takes_joiner) {
                mapped.push(c);
            }
        } else if is_forbidden(c) {
            mapped.push('_');
        } else if !is_format(c) && !is_blank(c) {
            mapped.push(c);
        }
    }
    mapped
}

/// A wide gap pushes the ending of a name out of sight; a narrow one is a person's.
fn close_gaps(name: &str) -> String {
    let mut closed = String::with_capacity(name.len());
    let mut gap = 0;
    for c in name.chars() {
        gap = if c.is_whitespace() { gap + 1 } else { 0 };
        if gap <= MAX_GAP {
            closed.push(c);
        }
    }
    closed
}

fn trim_end(name: &str) -> &str {
    name.trim_end_matches(|c: char| c == '.' || c.is_whitespace() || is_joiner(c))
}

fn is_forbidden(c: char) -> bool {
    (cfg!(windows) && is_refused_by_windows(c))
        || matches!(c, '/' | '\\' | ':' | '\u{2028}' | '\u{2029}')
        || c.is_control()
}

/// Whether Windows, and a file system that is made for it (FAT, exFAT, NTFS), refuses the character in a name, beside
/// separators and controls.
fn is_refused_by_windows(c: char) -> bool {
    matches!(c, '*' | '?' | '"' | '<' | '>' | '|')
}

/// Whether Windows takes the name for a device, with whatever ending, or a folder for a setting of itself.
fn is_reserved(name: &str) -> bool {
    let lower = name.to_lowercase();
    if matches!(lower.as_str(), "desktop.ini" | "thumbs.db") {
        return true;
    }
    let base = lower.split('.').next().unwrap_or_default().trim_end();
    if matches!(base, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") {
        return true;
    }
    let numbered = base
        .strip_prefix("com")
        .or_else(|| base.strip_prefix("lpt"));
    numbered.is_some_and(|number| {
        let mut digits = number.chars();
        matches!(
            (digits.next(), digits.next()),
            (Some('0'..='9' | '¹' | '²' | '³'), None)
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn harmless_names_are_kept() {
        for name in [
            "report.pdf",
            "résumé (final) [2].pdf",
            "two  spaces, comma & more!.tar.gz",
            " begins with a space.txt",
            "ends in a tilde~",
            "-rf",
            "漢字かな交じり文.docx",
            "отчёт №5.xlsx",
            "تقرير نهائي.pdf",
            "می\u{200c}خواهم.txt",
            "👩\u{200d}👩\u{200d}👧 family.jpg",
            "ล็อกอิน.png",
            "a.b.c",
            "console.log",
            "com10.txt",
            "null",
            "aux_notes",
            "x",
        ] {
            assert_eq!(SafeFileName::sanitize(name).as_str(), name);
        }
    }

    #[test]
    fn hostile_names_become_one_component() {
        for (hostile, safe) in [
            ("", "file"),
            (".", "file"),
            ("..", "file"),
            ("...", "file"),
            (". .", "file"),
            ("   ", "file"),
            ("/", "_"),
            ("../../etc/passwd", "_.._etc_passwd"),
            (
                "..\\..\\Windows\\System32\\x.dll",
                "_.._Windows_System32_x.dll",
            ),
            ("/etc/cron.d/x", "_etc_cron.d_x"),
            ("C:\\x.exe", "C__x.exe"),
            ("C:x", "C_x"),
            ("\\\\server\\share\\x", "__server_share_x"),
            (
                "\\\\?\\C:\\x",
                if cfg!(windows) {
                    "____C__x"
                } else {
                    "__?_C__x"
                },
            ),
            ("x.txt:stream:$DATA", "x.txt_stream_$DATA"),
            ("a\0b.txt", "a_b.txt"),
            ("a\nb\r\u{1b}[2Jc", "a_b__[2Jc"),
            ("a\u{7f}\u{85}b", "a__b"),
            ("a\u{2028}b\u{2029}c", "a_b_c"),
            ("annexe\u{202e}fdp.exe", "annexefdp.exe"),
            ("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}.txt", "a.txt"),
            ("\u{feff}a\u{200b}b\u{ad}.txt", "ab.txt"),
            ("a\u{e0041}.txt", "a.txt"),
            (".\u{200b}./x", "_x"),
            ("\u{200d}.bashrc", "bashrc"),
            ("a\u{200d}b\u{200c}", "ab"),
            (".bashrc", "bashrc"),
            ("...hidden.txt", "hidden.txt"),
            ("x.txt.", "x.txt"),
            ("x.txt . . ", "x.txt"),
            ("x.exe\u{a0}", "x.exe"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Nul .tar.gz", "_Nul .tar.gz"),
            ("PRN.", "_PRN"),
            (".aux", "_aux"),
            ("COM1", "_COM1"),
            ("com0.log", "_com0.log"),
            ("LPT9.txt", "_LPT9.txt"),
            ("COM¹", "_COM¹"),
            ("lpt³.x", "_lpt³.x"),
            ("CONIN$", "_CONIN$"),
            ("Desktop.ini", "_Desktop.ini"),
        ] {
            assert_eq!(
                SafeFileName::sanitize(hostile).as_str(),
                safe,
                "{hostile:?}"
            );
        }
    }

    /// Names that broke other programs, as their advisories tell.
    #[test]
    fn names_of_published_advisories_are_disarmed() {
        let braille = format!("Books_A0UJKO.pdf{}.hta", "\u{2800}".repeat(26));
        let spaces = format!("invoice.pdf{}.exe", " ".repeat(120));
        for (hostile, safe) in [
            // CVE-2018-1002200 and its kin, "Zip Slip".
            (
                "../../../../root/.ssh/authorized_keys",
                "_.._.._.._root_.ssh_authorized_keys",
            ),
            // CVE-2025-27142, LocalSend: a path in the name of an upload.
            (
                "..\\..\\AppData\\Roaming\\Startup\\x.bat",
                "_.._AppData_Roaming_Startup_x.bat",
            ),
            // CVE-2025-8088, WinRAR: a path behind the name of a stream.
            (
                "cv.pdf:..\\..\\Startup\\x.lnk",
                "cv.pdf_.._.._Startup_x.lnk",
            ),
            // CVE-2025-27210, Node.js: a device's name in a path.
            ("CON/../x", "CON_.._x"),
            ("AUX.", "_AUX"),
            // CVE-2023-43616, croc: a hidden file that a shell runs.
            (".bashrc", "bashrc"),
            // CVE-2023-43620, croc: escape sequences for the receiver's terminal.
            ("a\u{1b}]0;x\u{7}\u{9b}31m.txt", "a_]0;x__31m.txt"),
            // CVE-2009-3376, Firefox: an ending written backwards.
            ("photo_\u{202e}gpj.exe", "photo_gpj.exe"),
            // CVE-2021-42574: isolates that change an order.
            ("a\u{2067}\u{2066}txt.exe\u{2069}\u{2069}", "atxt.exe"),
            // CVE-2024-43461, Windows: blank Braille before the ending.
            (&braille, "Books_A0UJKO.pdf.hta"),
            // An ending behind more spaces than a dialog is wide.
            (&spaces, "invoice.pdf   .exe"),
            ("a\u{3164}\u{115f}\u{ffa0}.exe", "a.exe"),
        ] {
            assert_eq!(
                SafeFileName::sanitize(hostile).as_str(),
                safe,
                "{hostile:?}"
            );
        }
    }

    #[test]
    fn a_joiner_left_alone_by_a_cut_goes_too() {
        let name = format!("{}\u{200c}é.aaaaaaaaaaa", "漢".repeat(80));
        let safe = SafeFileName::sanitize(&name);
        assert_eq!(SafeFileName::sanitize(safe.as_str()), safe);
    }

    #[test]
    fn long_names_keep_their_ending() {
        let name = SafeFileName::sanitize(&format!("{}.pdf", "漢".repeat(200)));
        assert_eq!(name.as_str(), format!("{}.pdf", "漢".repeat(83)));
        assert_eq!(
            SafeFileName::sanitize(&"x".repeat(300)).as_str(),
            "x".repeat(255)
        );
        let reserved = SafeFileName::sanitize(&format!("CON.{}", "x".repeat(300)));
        assert_eq!(reserved.as_str(), format!("_CON.{}", "x".repeat(250)));
        let spaced = SafeFileName::sanitize(&format!("{}{}", "x".repeat(254), " y".repeat(30)));
        assert_eq!(spaced.as_str(), "x".repeat(254));
    }

    #[test]
    fn numbers_stand_before_the_ending() {
        for (name, numbered) in [
            ("report.pdf", "report (2).pdf"),
            ("x.tar.gz", "x.tar (2).gz"),
            ("noending", "noending (2)"),
        ] {
            assert_eq!(SafeFileName::sanitize(name).numbered(2).as_str(), numbered);
        }
        let long = SafeFileName::sanitize(&format!("{}.pdf", "x".repeat(300))).numbered(999);
        assert_eq!(long.as_str().len(), 255);
        assert!(long.as_str().ends_with("x (999).pdf"));
        let spaced =
            SafeFileName::sanitize(&format!("a.{} {}", "x".repeat(249), "y".repeat(9))).numbered(1);
        assert_eq!(spaced.as_str(), format!("a (1).{}", "x".repeat(249)));
    }

    #[test]
    fn portable_names_keep_the_ending() {
        let long = format!("{}.pdf", "漢".repeat(80));
        let short = format!("{}.pdf", "漢".repeat(44));
        let ascii = format!("{}.pdf", "_".repeat(80));
        for (name, portable) in [
            ("what? a*b|c.txt", ["what_ a_b_c.txt"; 2]),
            ("C:\\x<1>.txt", ["C__x_1_.txt"; 2]),
            ("naïve?.txt", ["naïve_.txt", "na_ve_.txt"]),
            ("con?", ["con_"; 2]),
            ("AUX.txt", ["_AUX.txt"; 2]),
            ("ends in a dot.", ["ends in a dot"; 2]),
            (&long, [&short, &ascii]),
        ] {
            assert_eq!(
                portable_names(name, LeadingDots::Drop)
                    .each_ref()
                    .map(SafeFileName::as_str),
                portable,
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_long_name_on_the_screen_shows_its_end() {
        let name = SafeFileName::sanitize(&format!("{}.pdf.exe", "x".repeat(200)));
        assert_eq!(name.for_display().chars().count(), 80);
        assert!(name.for_display().ends_with("xxx.pdf.exe"));
        assert_eq!(SafeFileName::sanitize("short.txt").to_string(), "short.txt");
    }

    fn assert_safe(name: &str, dots: LeadingDots) -> Result<(), TestCaseError> {
        prop_assert!((1..=255).contains(&name.len()));
        prop_assert!(dots == LeadingDots::Keep || !name.starts_with('.'));
        prop_assert!(!name.ends_with(['.', ' ']));
        let hostile = |c: char| matches!(c, '/' | '\\' | ':' | '\u{202e}') || c.is_control();
        prop_assert!(!name.chars().any(hostile));
        prop_assert!(!is_reserved(name));
        let components: Vec<_> = std::path::Path::new(name).components().collect();
        prop_assert!(
            matches!(components[..], [std::path::Component::Normal(only)] if only == name)
        );
        Ok(())
    }

    fn assert_stays_safe(name: &str) -> Result<(), TestCaseError> {
        for dots in [LeadingDots::Drop, LeadingDots::Keep] {
            let once = SafeFileName::sanitize_with(name, dots);
            assert_safe(once.as_str(), dots)?;
            prop_assert_eq!(&SafeFileName::sanitize_with(once.as_str(), dots), &once);
            assert_safe(once.numbered(7).as_str(), dots)?;
            prop_assert!(once.for_display().chars().count() <= 80);
            for portable in portable_names(once.as_str(), dots) {
                assert_safe(portable.as_str(), dots)?;
                prop_assert!(portable.numbered(999).as_str().len() <= 143);
                prop_assert!(!portable.as_str().contains(['*', '?', '"', '<', '>', '|']));
            }
        }
        Ok(())
    }

    #[test]
    fn dots_at_the_start_of_a_step_stay() {
        for (step, safe) in [
            (".gitignore", ".gitignore"),
            ("..two", "..two"),
            (".", "file"),
            ("..", "file"),
            ("...", "file"),
            (". .", "file"),
            (".\u{200b}.", "file"),
            (".x:y\u{202e}.", ".x_y"),
            ("aux.c", "_aux.c"),
            (".aux", ".aux"),
        ] {
            assert_eq!(SafeFileName::sanitize_step(step).as_str(), safe, "{step:?}");
        }
        let portable = portable_names(".a?", LeadingDots::Keep);
        assert_eq!(portable.each_ref().map(SafeFileName::as_str), [".a_"; 2]);
    }

    /// A generated name that was not safe once.
    #[test]
    fn a_long_mixture_of_scripts_and_reserved_names_stays_safe() {
        let text = "con\\conconCOM1漢éCOM10. :concon漢conCOM1 COM1aconé漢Σconconé漢 :conéconCOM1 \u{591} :conaconලCOM1 \0漢aaaé®conAéCOM1a 漢acon\0conéCOM1 é:漢COM1concon®éconéconéconCOM1con\0 漢conéa℀COM1aACOM1con®Aconconconécon漢a¡𖭛\u{200c}é";
        assert_stays_safe(&format!("{text}.aaaaaaaaaaa")).unwrap();
    }

    proptest! {
        #[test]
        fn any_text_becomes_safe_and_stays(
            text in "(\\PC|[./\\\\: \u{200c}\u{200d}\u{202e}]|\\p{Cc}|con|NUL|COM1|é|漢){0,200}",
            ending in "(\\.[a-z]{0,20})?",
        ) {
            assert_stays_safe(&format!("{text}{ending}"))?;
        }
    }
}
