//! Makes texts of strangers safe to show in the window, on a terminal, and to a screen reader.

use std::borrow::Cow;
use std::path::Path;

use crate::protocol::text::is_format;

/// Whether a character could deceive a person or move a terminal's cursor: control characters, line and paragraph
/// separators, and all that show nothing and change what others look like (direction of writing, zero width).
#[must_use]
pub(crate) fn deceives(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_format(c)
}

/// `text` on one line, with U+FFFD in place of every character that [`deceives`]. Joiners stay inside words of the
/// scripts that need them.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(deceives) {
        return text.into();
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let joins = is_joiner(c)
            && before.is_some_and(takes_joiner)
            && chars.peek().copied().is_some_and(takes_joiner);
        clean.push(if deceives(c) && !joins {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        });
        before = Some(c);
    }
    clean.into()
}

/// The last part of a path, with what could deceive the eye replaced.
#[must_use]
pub fn shown_name(path: &Path) -> String {
    let name = path
        .file_name()
        .map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    harmless(&name).into_owned()
}

/// [`harmless`], with `…` in place of what goes beyond `max_chars` characters.
#[must_use]
pub(crate) fn harmless_start(text: &str, max_chars: usize) -> String {
    let text = harmless(text);
    if text.chars().count() <= max_chars {
        return text.into_owned();
    }
    let kept = text.chars().take(max_chars.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// The joiners of Persian, Indic scripts and emoji.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a joiner beside this character can be part of a word.
pub(crate) fn takes_joiner(c: char) -> bool {
    !is_blank(c) && !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !is_format(c)
}

/// Letters and signs that show nothing, though their category does not say so.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{ffa0}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_reaches_a_terminal_but_what_it_shows() {
        let hostile =
            "a\u{1b}]0;PWNED\u{7}\u{9b}31m\r\nb\u{202e}c\u{200b}d\u{2028}e\u{7f}\u{e0041}f";
        assert_eq!(
            harmless(hostile),
            "a\u{fffd}]0;PWNED\u{fffd}\u{fffd}31m\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}\u{fffd}f"
        );
        let joined = "می\u{200c}خواهم 👩\u{200d}🚀";
        assert_eq!(harmless(joined), joined);
        assert_eq!(harmless("a\u{200d}b\u{200c}"), "a\u{fffd}b\u{fffd}");
        let usual = "Grüße, «ça va» 你好 👋 a\u{a0}b\u{202f}c";
        assert!(matches!(harmless(usual), Cow::Borrowed(text) if text == usual));
    }

    #[test]
    fn a_long_text_keeps_its_start() {
        assert_eq!(harmless_start("abcd", 4), "abcd");
        assert_eq!(harmless_start("ab\ncd", 4), "ab\u{fffd}…");
        assert_eq!(harmless_start("", 4), "");
    }

    #[test]
    fn a_name_cannot_turn_the_direction_of_writing() {
        assert_eq!(
            shown_name(Path::new("/tmp/gnp\u{202E}exe.png")),
            "gnp\u{FFFD}exe.png"
        );
        assert_eq!(shown_name(Path::new("/tmp/a\nb")), "a\u{FFFD}b");
        assert_eq!(shown_name(Path::new("/tmp/Grüße (1).pdf")), "Grüße (1).pdf");
    }
}
