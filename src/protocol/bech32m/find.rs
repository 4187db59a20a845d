//! How a word is found in pasted text, and how its damage is told apart.
//!
//! The text is read three times: as it is; with line breaks joined, where quote marks, characters that show nothing and
//! the soft breaks of quoted-printable text (RFC 2045, section 6.7) are dropped; and with all spaces joined. Each time the
//! word ends by itself, where its map ends and six characters of checksum follow; so whatever was joined behind it does
//! no harm.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::Fe32IterExt as _;
use bech32::{Bech32m, Fe32};
use zeroize::Zeroizing;

use super::super::bytes::{Reader, Truncated};
use super::super::text::is_invisible;
use super::{
    Bech32mWord, CHECKSUM_LEN, DecodeError, FindError, MAX_WORD_LEN, Malformed, max_payload_len,
    word,
};

const MAX_TEXT_LEN: usize = 64 * 1024;
/// Tried in each of the three readings.
const MAX_CANDIDATES: usize = 16;
/// Stands for every character that can be no part of a word.
const STOP: u8 = 0;
/// A joined piece so long, or with a digit in it, is a piece of a word and not of the prose around it.
const MIN_PIECE_LEN: usize = 16;
/// Number of letters and digits that, behind a character no word has, are taken for the rest of a word.
const MIN_TAIL_LEN: usize = 12;

/// The first whole word of the kind `W` in a text that a person pasted: inside prose, quoted, broken over lines, in capitals,
/// as a URI.
pub(in crate::protocol) fn find<W: Bech32mWord>(text: &str) -> Result<W, FindError<W::Invalid>> {
    find_preferred(text, |_value| true)
}

/// Like [`find`], for the first word whose value is preferred. Where none is, it is the first of the others.
pub(in crate::protocol) fn find_preferred<W: Bech32mWord>(
    text: &str,
    is_preferred: impl Fn(&W) -> bool,
) -> Result<W, FindError<W::Invalid>> {
    if text.len() > MAX_TEXT_LEN {
        return Err(FindError::TooLong);
    }
    let mut other: Option<W> = None;
    let mut worst: Option<Damage<W::Invalid>> = None;
    for joining in [Joining::Nothing, Joining::Lines, Joining::Spaces] {
        let line = FoldedText::of(text, joining);
        for at in line.candidates(W::PREFIX).take(MAX_CANDIDATES) {
            match line.examine(at) {
                Ok(value) if is_preferred(&value) => return Ok(value),
                Ok(value) => other = other.or(Some(value)),
                Err(damage) => worst = damage.or_worse(worst),
            }
        }
    }
    other.ok_or_else(|| worst.map_or(FindError::NotFound, |damage| damage.error))
}

#[derive(Clone, Copy, PartialEq)]
enum Joining {
    Nothing,
    Lines,
    Spaces,
}

/// Why a candidate is no word. Of several candidates, the person is told about the one most like a word.
#[derive(Clone, Copy)]
struct Damage<Invalid> {
    error: FindError<Invalid>,
    len: usize,
}

impl<Invalid: Copy> Damage<Invalid> {
    fn or_worse(self, other: Option<Self>) -> Option<Self> {
        let weight = |damage: &Self| {
            (
                !matches!(damage.error, FindError::NotFound),
                matches!(damage.error, FindError::Decode(_)),
                damage.len,
            )
        };
        other
            .filter(|other| weight(other) >= weight(&self))
            .or(Some(self))
    }
}

/// The text in lower case, one byte a character, with some of it left out.
struct FoldedText {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether something was left out before the byte.
    joints: Vec<bool>,
}

impl FoldedText {
    fn of(text: &str, joining: Joining) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        let mut joints = Vec::with_capacity(text.len());
        let (mut gap, mut line_break) = (false, false);
        for (at, c) in text.char_indices() {
            if joining != Joining::Nothing && (is_invisible(c) || is_soft_break(text, at)) {
                continue;
            }
            if c.is_whitespace() || c == '>' {
                gap = true;
                line_break |= matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
                continue;
            }
            let joined =
                gap && (joining == Joining::Spaces || (joining == Joining::Lines && line_break));
            if gap && !joined {
                bytes.push(STOP);
                joints.push(false);
            }
            bytes.push(
                u8::try_from(c)
                    .ok()
                    .filter(u8::is_ascii_graphic)
                    .map_or(STOP, |c| c.to_ascii_lowercase()),
            );
            joints.push(joined);
            (gap, line_break) = (false, false);
        }
        Self { bytes, joints }
    }

    /// Where the prefix of a word begins.
    fn candidates(&self, prefix: &'static str) -> impl Iterator<Item = usize> {
        self.bytes
            .windows(prefix.len())
            .enumerate()
            .filter(move |(_, window)| *window == prefix.as_bytes())
            .map(|(at, _)| at)
    }

    fn examine<W: Bech32mWord>(&self, at: usize) -> Result<W, Damage<W::Invalid>> {
        let (prefix_joints, joints) = self
            .joints
            .get(at..)
            .and_then(|j| j.split_at_checked(W::PREFIX.len()))
            .unwrap_or_default();
        let behind = self
            .bytes
            .get(at.saturating_add(W::PREFIX.len())..)
            .unwrap_or_default();
        let len = behind
            .iter()
            .take_while(|byte| symbol(**byte).is_some())
            .take(MAX_WORD_LEN.saturating_sub(W::PREFIX.len()))
            .count();
        let (run, tail) = behind.split_at_checked(len).unwrap_or_default();
        let error = match read::<W>(run) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };

        // Not a word. Say why from what surely belongs to it.
        let joints = joints.get(..len).unwrap_or_default();
        let sure = sure_len(run, joints);
        let error = if sure < len {
            read::<W>(run.get(..sure).unwrap_or_default())
                .err()
                .unwrap_or(error)
        } else {
            error
        };
        // "… the cloak 1 of 2 …" is prose: a prefix that came about by joining counts where enough of a word follows it.
        let torn_prefix = prefix_joints.iter().skip(1).any(|joint| *joint);
        if torn_prefix && sure < MIN_PIECE_LEN {
            return Err(Damage {
                error: FindError::NotFound,
                len: 0,
            });
        }
        // What ends the run is a character that no word has, and the rest of the word stands behind it: nothing is missing, one
        // was changed. Asking the sender for a missing end would be the wrong advice.
        let replaced = sure == len
            && tail
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count()
                >= MIN_TAIL_LEN;
        let cut = matches!(error, FindError::CutOff { .. });
        let error = if cut && replaced {
            FindError::Changed
        } else {
            error
        };
        Err(Damage { error, len: sure })
    }
}

/// How much of `run` is one piece, and joined pieces that do not look like prose.
fn sure_len(run: &[u8], joints: &[bool]) -> usize {
    let mut starts: Vec<usize> = joints
        .iter()
        .enumerate()
        .filter(|(_, joint)| **joint)
        .map(|(at, _)| at)
        .collect();
    starts.push(run.len());
    starts
        .windows(2)
        .find(|ends| {
            let piece = ends
                .first()
                .zip(ends.last())
                .and_then(|(start, end)| run.get(*start..*end))
                .unwrap_or_default();
            piece.len() < MIN_PIECE_LEN && !piece.iter().any(u8::is_ascii_digit)
        })
        .or(Some(&[run.len()][..]))
        .and_then(|ends| ends.first().copied())
        .unwrap_or_default()
}

/// Reads the word whose characters behind the prefix begin `run`.
fn read<W: Bech32mWord>(run: &[u8]) -> Result<W, FindError<W::Invalid>> {
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(
        run.iter()
            .filter_map(|byte| symbol(*byte))
            .fes_to_bytes()
            .collect(),
    );
    let max_len = max_payload_len(W::PREFIX);
    let len = match extent::<W>(&bytes) {
        Extent::Whole { len } => len,
        Extent::Cut { len } => return Err(cut_off(run, len, max_len)),
        // Nothing was changed on the way: its maker wrote it so, perhaps with a number of characters that no bytes make.
        Extent::Garbled if is_intact(W::PREFIX, run) => {
            let payload = bytes.get(..payload_len(run)).unwrap_or_default();
            let why = W::decode(payload).err();
            let why = why.unwrap_or(DecodeError::Malformed(Malformed::NotAMap));
            return Err(FindError::Decode(why));
        }
        Extent::Garbled => return Err(FindError::Changed),
    };
    let payload = bytes.get(..len).unwrap_or_default();
    let Some(run) = run.get(..word_len(len)) else {
        return Err(cut_off(run, len, max_len));
    };
    if !is_intact(W::PREFIX, run) {
        return Err(FindError::Changed);
    }
    let value = W::decode(payload).map_err(FindError::Decode)?;
    let again = word(W::PREFIX, payload)
        .is_some_and(|word| word.as_str().strip_prefix(W::PREFIX).map(str::as_bytes) == Some(run));
    if again {
        Ok(value)
    } else {
        Err(FindError::Decode(DecodeError::Malformed(
            Malformed::NotCanonical,
        )))
    }
}

fn cut_off<Invalid>(run: &[u8], payload_len: usize, max_len: usize) -> FindError<Invalid> {
    if payload_len > max_len {
        return FindError::Changed;
    }
    FindError::CutOff {
        missing: word_len(payload_len).saturating_sub(run.len()).max(1),
    }
}

/// Number of characters behind the prefix of a word with a payload of so many bytes.
fn word_len(payload_len: usize) -> usize {
    payload_len
        .saturating_mul(8)
        .div_ceil(5)
        .saturating_add(CHECKSUM_LEN)
}

/// Number of bytes in a whole word that has `run` behind its prefix.
fn payload_len(run: &[u8]) -> usize {
    run.len().saturating_sub(CHECKSUM_LEN).saturating_mul(5) / 8
}

/// Whether the checksum is right (BIP 350, not the older one).
fn is_intact(prefix: &str, run: &[u8]) -> bool {
    let whole = Zeroizing::new([prefix.as_bytes(), run].concat());
    core::str::from_utf8(&whole).is_ok_and(|word| CheckedHrpstring::new::<Bech32m>(word).is_ok())
}

fn symbol(byte: u8) -> Option<Fe32> {
    Fe32::from_char(char::from(byte)).ok()
}

/// Whether a `=` stands here directly before a line break.
fn is_soft_break(text: &str, at: usize) -> bool {
    text.get(at..)
        .and_then(|rest| rest.strip_prefix('='))
        .is_some_and(|rest| rest.starts_with(['\n', '\r']))
}

/// How far the map at the beginning of some bytes reaches.
#[derive(Debug, PartialEq)]
enum Extent {
    Whole {
        len: usize,
    },
    /// The bytes end before the map does, which has at least so many.
    Cut {
        len: usize,
    },
    Garbled,
}

/// What stops the walk through a map.
enum FindStop {
    /// At least this number of bytes is missing.
    Cut(usize),
    Garbled,
}

impl From<Truncated> for FindStop {
    fn from(_: Truncated) -> Self {
        Self::Cut(1)
    }
}

fn extent<W: Bech32mWord>(bytes: &[u8]) -> Extent {
    let fewest = W::MIN_ENTRY_LENS.len();
    let mut reader = Reader::new(bytes);
    let count = match head(&mut reader) {
        Ok((5, count @ ..=24)) if (fewest..).contains(&length(count)) => length(count),
        Ok(_) | Err(FindStop::Garbled) => return Extent::Garbled,
        Err(FindStop::Cut(_)) => {
            return Extent::Cut {
                len: W::MIN_ENTRY_LENS.iter().sum::<usize>().saturating_add(1),
            };
        }
    };
    let min_from = |index: usize| -> usize {
        (index..count)
            .map(|index| W::MIN_ENTRY_LENS.get(index).copied().unwrap_or(2))
            .sum()
    };
    let mut last_key = None;
    for index in 0..count {
        let start = bytes.len().saturating_sub(reader.len());
        match entry::<W>(&mut reader, index, &mut last_key) {
            Ok(()) => {}
            Err(FindStop::Garbled) => return Extent::Garbled,
            Err(FindStop::Cut(missing)) => {
                let by_kind = start.saturating_add(min_from(index));
                let by_item = bytes
                    .len()
                    .saturating_add(missing)
                    .saturating_add(min_from(index.saturating_add(1)));
                return Extent::Cut {
                    len: by_kind.max(by_item),
                };
            }
        }
    }
    Extent::Whole {
        len: bytes.len().saturating_sub(reader.len()),
    }
}

/// Walks over a key and its value. Entries that are always there must have their form.
fn entry<W: Bech32mWord>(
    reader: &mut Reader<'_>,
    index: usize,
    last_key: &mut Option<u64>,
) -> Result<(), FindStop> {
    let (0, key) = head(reader)? else {
        return Err(FindStop::Garbled);
    };
    let expected = if index < W::MIN_ENTRY_LENS.len() {
        usize::try_from(key) == Ok(index)
    } else {
        Some(key) > *last_key
    };
    if !expected {
        return Err(FindStop::Garbled);
    }
    *last_key = Some(key);
    let max_len = max_payload_len(W::PREFIX);
    // Values that are still to come, in place of a recursion: nesting costs no stack.
    let mut values = 1_usize;
    let mut first = true;
    while let Some(left) = values.checked_sub(1) {
        values = left;
        let (major, argument) = head(reader).map_err(|stop| stop.and(left))?;
        if first && !W::may_stand(key, major, argument) {
            return Err(FindStop::Garbled);
        }
        first = false;
        let argument = length(argument);
        match major {
            2 | 3 if argument > max_len => return Err(FindStop::Garbled),
            2 | 3 => {
                let missing = argument.saturating_sub(reader.len());
                reader
                    .take(argument)
                    .map_err(|Truncated| FindStop::Cut(missing).and(left))?;
            }
            4 | 5 if argument > max_len => return Err(FindStop::Garbled),
            4 => values = values.saturating_add(argument),
            5 => values = values.saturating_add(argument).saturating_add(argument),
            6 => values = values.saturating_add(1),
            _ => {}
        }
    }
    Ok(())
}

impl FindStop {
    fn and(self, more: usize) -> Self {
        match self {
            Self::Cut(missing) => Self::Cut(missing.saturating_add(more)),
            Self::Garbled => Self::Garbled,
        }
    }
}

/// The major type and the argument of the next item (RFC 8949 section 3).
fn head(reader: &mut Reader<'_>) -> Result<(u8, u64), FindStop> {
    let first = reader.u8()?;
    let argument = match first & 0x1f {
        small @ 0..=23 => u64::from(small),
        24 => u64::from(reader.u8()?),
        25 => u64::from(u16::from_be_bytes(reader.array()?)),
        26 => u64::from(u32::from_be_bytes(reader.array()?)),
        27 => u64::from_be_bytes(reader.array()?),
        _ => return Err(FindStop::Garbled),
    };
    Ok((first >> 5, argument))
}

/// A number from outside as a length; what does not fit is longer than everything.
fn length(argument: u64) -> usize {
    usize::try_from(argument).unwrap_or(usize::MAX)
}
