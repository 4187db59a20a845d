//! Text as it arrives from other programs: its encoding, and characters that show nothing.

use thiserror::Error;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
use zeroize::Zeroizing;

/// Bytes that are neither UTF-8 nor, behind a byte order mark, UTF-16.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("this is not text in UTF-8 or, with its byte order mark, UTF-16")]
pub struct NotText;

/// Decodes a file or standard input that another program wrote: UTF-8, with or without a byte order mark, or UTF-16 with
/// one, as Windows PowerShell 5.1 writes it. The byte order mark is left out.
///
/// # Errors
/// [`NotText`].
pub fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, NotText> {
    let utf_16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(NotText);
        }
        char::decode_utf16(pairs.iter().copied().map(unit))
            .collect::<Result<String, _>>()
            .map_err(|_lone_surrogate| NotText)
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes)?,
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => core::str::from_utf8(rest)
            .map_err(|_not_utf8| NotText)?
            .to_owned(),
    };
    Ok(Zeroizing::new(text))
}

/// Whether a character has the general category Cf of Unicode: it shows nothing and changes how others look.
#[must_use]
pub(crate) fn is_format(c: char) -> bool {
    c.general_category() == GeneralCategory::Format
}

/// Whether a character shows nothing of its own and may be dropped from a word: a format character, the combining
/// grapheme joiner, or a variation selector.
#[must_use]
pub(crate) fn is_invisible(c: char) -> bool {
    is_format(c)
        || matches!(c, '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodings_of_other_programs_are_read() {
        for bytes in [
            &b"\xc3\xa4b"[..],
            b"\xef\xbb\xbf\xc3\xa4b",
            b"\xff\xfe\xe4\0b\0",
            b"\xfe\xff\0\xe4\0b",
        ] {
            assert_eq!(decode(bytes).as_deref().map(String::as_str), Ok("äb"));
        }
        assert_eq!(decode(b"").as_deref().map(String::as_str), Ok(""));
        for bytes in [
            &b"\xe4b"[..],
            b"\xff\xfe\xe4",
            b"\xff\xfe\0\xd8",
            b"\xfe\xff\xd8\0",
            b"\xef\xbb\xbf\xff",
        ] {
            assert_eq!(decode(bytes).err(), Some(NotText), "{bytes:?}");
        }
    }

    #[test]
    fn characters_that_show_nothing_are_told_from_those_that_do() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2060}',
            '\u{2069}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in ['a', ' ', '\n', '\u{301}', '\u{3000}', '中', '\u{fffd}'] {
            assert!(!is_invisible(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn text_comes_back_from_every_encoding(text in "\\PC*") {
            prop_assume!(!text.starts_with('\u{feff}'));
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in [text.clone().into_bytes(), [b"\xff\xfe", &little[..]].concat(), [b"\xfe\xff", &big[..]].concat()] {
                let decoded = decode(&bytes).unwrap();
                prop_assert_eq!(decoded.as_str(), text.as_str());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            drop(decode(&bytes));
        }
    }
}
