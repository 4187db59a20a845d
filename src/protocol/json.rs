//! Reads JSON that strangers wrote, without ever building a tree of values.
//!
//! A tree takes up to 150 bytes of heap for each byte of text. Here the length is checked before anything is parsed, the
//! text goes straight into typed structs, strings without escapes are borrowed from it, and members that nobody asked
//! for are skipped.
#![warn(clippy::string_slice, clippy::arithmetic_side_effects)]

use core::fmt::{self, Write as _};
use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Number;

/// Why a text is not the JSON that was expected. Its words can hold pieces of the text.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct JsonError(String);

impl JsonError {
    /// Longest error text in characters.
    pub(crate) const MAX_CHARS: usize = 200;

    fn new(why: &impl fmt::Display) -> Self {
        let mut words = Excerpt {
            text: String::new(),
            room: Self::MAX_CHARS,
        };
        // Full is no failure: the rest is left out.
        write!(words, "{why}").ok();
        Self(words.text)
    }
}

/// Takes the first characters that are written to it.
struct Excerpt {
    text: String,
    room: usize,
}

impl fmt::Write for Excerpt {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for c in more.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

/// The most bytes that a text, and each string in it, may have.
#[derive(Clone, Copy)]
pub(crate) struct TextLimits {
    /// Bytes of the whole text.
    pub(crate) text: usize,
    /// Bytes between the quotes of one string, names of members included.
    pub(crate) string: usize,
}

impl TextLimits {
    /// Limits for a text of at most `len` bytes, whose strings may be as long as that.
    pub(crate) const fn of(len: usize) -> Self {
        Self {
            text: len,
            string: len,
        }
    }
}

/// Parses `bytes` as one JSON object of type `T`. Recursion is limited by serde_json to 128 levels.
///
/// # Errors
/// [`JsonError`] when a limit is passed, the bytes are not UTF-8 or the JSON is not a `T`.
pub(crate) fn parse<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    limits: TextLimits,
) -> Result<T, JsonError> {
    serde_json::from_str(checked(bytes, limits)?).map_err(|why| JsonError::new(&why))
}

/// Gives each member of the JSON object `bytes` to `take`, in the order of the text; of a name that is repeated, all.
///
/// # Errors
/// [`JsonError`] as for [`parse`]; members before the fault have been given then.
pub(crate) fn members<'a>(
    bytes: &'a [u8],
    limits: TextLimits,
    take: impl FnMut(&str, Scalar<'a>),
) -> Result<(), JsonError> {
    struct Members<F>(F);
    impl<'de, F: FnMut(&str, Scalar<'de>)> Visitor<'de> for Members<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
            read_members(map, self.0)
        }
    }

    let text = checked(bytes, limits)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer
        .deserialize_map(Members(take))
        .and_then(|()| deserializer.end())
        .map_err(|why| JsonError::new(&why))
}

/// Gives each member of `map` to `take`, like [`members`].
pub(crate) fn read_members<'de, A: MapAccess<'de>>(
    mut map: A,
    mut take: impl FnMut(&str, Scalar<'de>),
) -> Result<(), A::Error> {
    while let Some((name, value)) = map.next_entry::<Text<'de>, Scalar<'de>>()? {
        take(&name.0, value);
    }
    Ok(())
}

fn checked(bytes: &[u8], limits: TextLimits) -> Result<&str, JsonError> {
    if bytes.len() > limits.text {
        return Err(JsonError::new(&format_args!(
            "it is longer than {} bytes",
            limits.text
        )));
    }
    // All that is read here is an object. A parser that expects one repeats any other text whole in its error.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(JsonError::new(&"it is not an object"));
    }
    if limits.string < limits.text && longest_string(bytes) > limits.string {
        return Err(JsonError::new(&format_args!(
            "a text in it is longer than {} bytes",
            limits.string
        )));
    }
    str::from_utf8(bytes).map_err(|why| JsonError::new(&why))
}

/// The most bytes between two quotes, in a text that is JSON or not.
fn longest_string(bytes: &[u8]) -> usize {
    let mut longest = 0;
    let mut len: Option<usize> = None;
    let mut escaped = false;
    for byte in bytes {
        len = match (len, byte) {
            (None, b'"') => Some(0),
            (None, _) => None,
            (Some(len), b'"') if !escaped => {
                longest = longest.max(len);
                None
            }
            (Some(len), _) => Some(len.saturating_add(1)),
        };
        escaped = len.is_some() && *byte == b'\\' && !escaped;
    }
    longest.max(len.unwrap_or(0))
}

/// A JSON value with what can be used of it; arrays and objects are skipped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Number(Number),
    Text(Cow<'a, str>),
    /// A boolean, an array or an object.
    Other,
}

impl Scalar<'_> {
    /// The text, if it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Number(_) | Self::Other => None,
        }
    }

    /// The number, if it is a whole one from 0 to 2^64 − 1.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            Self::Null | Self::Text(_) | Self::Other => None,
        }
    }

    /// The number, if it is a whole one from −2^63 to 2^63 − 1.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            Self::Null | Self::Text(_) | Self::Other => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Number::from_f64(number).map_or(Scalar::Other, Scalar::Number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// A string, borrowed from the JSON where that has no escapes in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl<'de> Visitor<'de> for OfText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(OfText)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(json: &str) -> Result<Vec<(String, Scalar<'_>)>, JsonError> {
        let mut found = Vec::new();
        members(json.as_bytes(), TextLimits::of(100), |name, value| {
            found.push((name.to_owned(), value));
        })?;
        Ok(found)
    }

    #[test]
    fn members_come_in_order_and_repeated_ones_each_time() {
        let text = |text: &str| Scalar::Text(Cow::Owned(text.to_owned()));
        assert_eq!(
            all(r#" {"b":1,"a":"x","b":-2.5,"c\u0061":"\n","d":[{"e":[]}],"f":null,"g":true} "#),
            Ok(vec![
                ("b".to_owned(), Scalar::Number(1.into())),
                ("a".to_owned(), text("x")),
                (
                    "b".to_owned(),
                    Scalar::Number(Number::from_f64(-2.5).unwrap())
                ),
                ("ca".to_owned(), text("\n")),
                ("d".to_owned(), Scalar::Other),
                ("f".to_owned(), Scalar::Null),
                ("g".to_owned(), Scalar::Other),
            ])
        );
    }

    #[test]
    fn what_is_no_object_or_too_long_is_refused() {
        for bad in ["", "[]", "1", "{", "{} x", "{\"a\":}", "{\"a\":\"\n\"}"] {
            assert!(all(bad).is_err(), "{bad}");
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
        assert!(all(&long).is_err());
        assert!(members(b"{\"a\":\"\xff\"}", TextLimits::of(100), |_, _| ()).is_err());
    }

    #[test]
    fn the_longest_string_is_found_whatever_is_escaped_in_it() {
        for (json, len) in [
            (r#"{"a":"bc"}"#, 2),
            (r#"["\"\"\"", "x"]"#, 6),
            (r#"["\\", "xyz"]"#, 3),
            (r#"["never closed"#, 12),
            (r#"[1, 2]"#, 0),
            (r#"\"abc"#, 3),
        ] {
            assert_eq!(longest_string(json.as_bytes()), len, "{json}");
        }
    }

    #[test]
    fn an_error_repeats_no_more_than_two_hundred_characters_of_the_text() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        let json = format!("{{\"{}\":1}}", "é".repeat(300));
        let why = parse::<Empty>(json.as_bytes(), TextLimits::of(1_000)).unwrap_err();
        assert_eq!(why.to_string().chars().count(), JsonError::MAX_CHARS);
        let limits = TextLimits {
            text: 1_000,
            string: 100,
        };
        let why = parse::<Empty>(json.as_bytes(), limits).unwrap_err();
        assert_eq!(why.to_string(), "a text in it is longer than 100 bytes");
    }
}
