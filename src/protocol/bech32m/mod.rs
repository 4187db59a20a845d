//! The one word of text that a value of this program travels as: Bech32m (BIP 350), at most 1,023 characters, around a
//! CBOR map.
//!
//! `find` looks for such a word in pasted text and names its damage. What the maps mean is for the modules of the values to
//! say: [`super::pointer`] (`cloak1…`) and [`super::invitation`] (`cloakin1…`).
#![warn(clippy::string_slice, clippy::arithmetic_side_effects)]

use bech32::{Bech32m, Hrp};
use zeroize::Zeroizing;

mod find;

pub(super) use find::{find, find_preferred};

/// Beginning of the URI of a pointer or an invitation: `cloakroom:cloak1…`, `cloakroom:cloakin1…`.
pub const URI_START: &str = "cloakroom:";

/// What follows `start` in `text`, if `text` begins with it, in either case.
pub(super) fn after<'a>(text: &'a [u8], start: &str) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start.as_bytes()).then_some(rest)
}
/// The most characters of a word, its prefix included.
const MAX_WORD_LEN: usize = 1023;
const CHECKSUM_LEN: usize = 6;

/// Text that is a secret: it cannot be printed, cloned or compared, and is zeroised on drop.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text, for the clipboard or standard output, never for a log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A value that travels as one word.
pub(super) trait Bech32mWord: Sized {
    /// Why a whole word is no such value.
    type Invalid: Copy;

    /// The human-readable part and the separator: `cloak1`.
    const PREFIX: &'static str;

    /// The fewest bytes of each entry that every map has, key and value together. These entries have the keys 0, 1, 2, … in
    /// this order.
    const MIN_ENTRY_LENS: &'static [usize];

    /// Whether a value with this head (major type and argument of RFC 8949, section 3) may be that of `key`.
    fn may_stand(key: u64, major: u8, argument: u64) -> bool;

    /// Reads the bytes that the word holds, which must be in their one encoding.
    fn decode(payload: &[u8]) -> Result<Self, DecodeError<Self::Invalid>>;
}

/// Why the bytes of a whole word are no value of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecodeError<Invalid> {
    /// They say something that no value of this kind says.
    Invalid(Invalid),
    /// They are no map, or not in their one encoding.
    Malformed(Malformed),
    /// They say something that this version does not know.
    Newer,
}

/// Why bytes are no map of a known form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// They are not a CBOR map with ascending integer keys.
    NotAMap,
    /// They are, and another encoding says the same.
    NotCanonical,
}

/// Why no word of a kind came out of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FindError<Invalid> {
    /// A character was changed, left out or added.
    Changed,
    /// At least so many characters are missing at the end.
    CutOff { missing: usize },
    /// The word is whole, and what it holds is refused.
    Decode(DecodeError<Invalid>),
    /// Nothing in the text looks like such a word.
    NotFound,
    /// The text is longer than 64 KiB.
    TooLong,
}

/// The most bytes that fit into a word with this prefix: five bits each character.
pub(super) const fn max_payload_len(prefix: &str) -> usize {
    MAX_WORD_LEN
        .saturating_sub(prefix.len())
        .saturating_sub(CHECKSUM_LEN)
        .saturating_mul(5)
        / 8
}

/// The word around a payload; `None` when it would be longer than 1,023 characters.
pub(super) fn word(prefix: &str, payload: &[u8]) -> Option<SecretText> {
    if payload.len() > max_payload_len(prefix) {
        return None;
    }
    let hrp = Hrp::parse_unchecked(prefix.strip_suffix('1')?);
    let mut text = Zeroizing::new(String::with_capacity(MAX_WORD_LEN));
    bech32::encode_lower_to_fmt::<Bech32m, _>(&mut *text, hrp, payload).ok()?;
    Some(SecretText(text))
}

/// The URI of a word.
pub(super) fn uri(word: &SecretText) -> SecretText {
    let len = URI_START.len().saturating_add(word.as_str().len());
    let mut uri = Zeroizing::new(String::with_capacity(len));
    uri.push_str(URI_START);
    uri.push_str(word.as_str());
    SecretText(uri)
}
