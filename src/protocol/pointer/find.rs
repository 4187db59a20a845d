//! How a pointer is found in pasted text, and how its damage is told apart.
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
use super::{FindPointerError, MAX_PAYLOAD_LEN, Pointer, word};

const MAX_TEXT_LEN: usize = 64 * 1024;
/// Tried in each of the three readings.
const MAX_CANDIDATES: usize = 16;
const PREFIX: &[u8] = b"cloak1";
const CHECKSUM_LEN: usize = 6;
/// The most characters behind [`PREFIX`].
const MAX_RUN_LEN: usize = 1017;
/// Stands for every character that can be no part of a word.
const STOP: u8 = 0;
/// A joined piece so long, or with a digit in it, is a piece of a pointer and not of the prose around it.
const MIN_PIECE_LEN: usize = 16;
/// Number of letters and digits that, behind a character no word has, are taken for the rest of a word.
const MIN_TAIL_LEN: usize = 12;

pub(super) fn find(text: &str) -> Result<Pointer, FindPointerError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(FindPointerError::TooLong);
    }
    let mut worst: Option<Damage> = None;
    for joining in [Joining::Nothing, Joining::Lines, Joining::Spaces] {
        let line = Joined::of(text, joining);
        for at in line.candidates().take(MAX_CANDIDATES) {
            match line.examine(at) {
                Ok(pointer) => return Ok(pointer),
                Err(damage) => worst = damage.or_worse(worst),
            }
        }
    }
    Err(worst.map_or(FindPointerError::NotFound, |damage| damage.error))
}

#[derive(Clone, Copy, PartialEq)]
enum Joining {
    Nothing,
    Lines,
    Spaces,
}

/// Why a candidate is no pointer. Of several candidates, the person is told about the one most like a pointer.
#[derive(Clone, Copy)]
struct Damage {
    error: FindPointerError,
    len: usize,
}

impl Damage {
    fn or_worse(self, other: Option<Self>) -> Option<Self> {
        let weight = |damage: &Self| {
            let whole = matches!(
                damage.error,
                FindPointerError::Newer | FindPointerError::Invalid(_)
            );
            (
                damage.error != FindPointerError::NotFound,
                whole,
                damage.len,
            )
        };
        other
            .filter(|other| weight(other) >= weight(&self))
            .or(Some(self))
    }
}

/// The text in lower case, one byte a character, with some of it left out.
struct Joined {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether something was left out before the byte.
    joints: Vec<bool>,
}

impl Joined {
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
    fn candidates(&self) -> impl Iterator<Item = usize> {
        self.bytes
            .windows(PREFIX.len())
            .enumerate()
            .filter(|(_, window)| *window == PREFIX)
            .map(|(at, _)| at)
    }

    fn examine(&self, at: usize) -> Result<Pointer, Damage> {
        let (prefix_joints, joints) = self
            .joints
            .get(at..)
            .and_then(|j| j.split_at_checked(PREFIX.len()))
            .unwrap_or_default();
        let behind = self
            .bytes
            .get(at.saturating_add(PREFIX.len())..)
            .unwrap_or_default();
        let len = behind
            .iter()
            .take_while(|byte| symbol(**byte).is_some())
            .take(MAX_RUN_LEN)
            .count();
        let (run, tail) = behind.split_at_checked(len).unwrap_or_default();
        let error = match read(run) {
            Ok(pointer) => return Ok(pointer),
            Err(error) => error,
        };

        // Not a pointer. Say why from what surely belongs to it.
        let joints = joints.get(..len).unwrap_or_default();
        let sure = sure_len(run, joints);
        let error = if sure < len {
            read(run.get(..sure).unwrap_or_default())
                .err()
                .unwrap_or(error)
        } else {
            error
        };
        // "… the cloak 1 of 2 …" is prose: a prefix that came about by joining counts where enough of a word follows it.
        let torn_prefix = prefix_joints.iter().skip(1).any(|joint| *joint);
        if torn_prefix && sure < MIN_PIECE_LEN {
            return Err(Damage {
                error: FindPointerError::NotFound,
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
        let cut = matches!(error, FindPointerError::CutOff { .. });
        let error = if cut && replaced {
            FindPointerError::Changed
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
fn read(run: &[u8]) -> Result<Pointer, FindPointerError> {
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(
        run.iter()
            .filter_map(|byte| symbol(*byte))
            .fes_to_bytes()
            .collect(),
    );
    let len = match extent(&bytes) {
        Extent::Whole { len } => len,
        Extent::Cut { len } => return Err(cut_off(run, len)),
        Extent::Garbled if is_intact(run) => {
            return Err(FindPointerError::Invalid("it is not a map of known form"));
        }
        Extent::Garbled => return Err(FindPointerError::Changed),
    };
    let payload = bytes.get(..len).unwrap_or_default();
    let Some(run) = run.get(..word_len(len)) else {
        return Err(cut_off(run, len));
    };
    if !is_intact(run) {
        return Err(FindPointerError::Changed);
    }
    let pointer = Pointer::decode(payload)?;
    let again = word(payload)
        .is_some_and(|word| word.as_str().as_bytes().strip_prefix(PREFIX) == Some(run));
    if again {
        Ok(pointer)
    } else {
        Err(FindPointerError::Invalid(
            "it is not in its one canonical form",
        ))
    }
}

fn cut_off(run: &[u8], payload_len: usize) -> FindPointerError {
    if payload_len > MAX_PAYLOAD_LEN {
        return FindPointerError::Changed;
    }
    FindPointerError::CutOff {
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

/// Whether the checksum is right (BIP 350, not the older one).
fn is_intact(run: &[u8]) -> bool {
    let whole = Zeroizing::new([PREFIX, run].concat());
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

/// The fewest bytes of each entry that is always there; of any other it is two.
const MIN_ENTRY_LENS: [usize; 6] = [10, 35, 3, 35, 35, 2];

fn extent(bytes: &[u8]) -> Extent {
    let mut reader = Reader::new(bytes);
    let count = match head(&mut reader) {
        Ok((5, count @ 6..=24)) => usize::try_from(count).unwrap_or(6),
        Ok(_) | Err(FindStop::Garbled) => return Extent::Garbled,
        Err(FindStop::Cut(_)) => {
            return Extent::Cut {
                len: MIN_ENTRY_LENS.iter().sum::<usize>().saturating_add(1),
            };
        }
    };
    let min_from = |index: usize| -> usize {
        (index..count)
            .map(|index| MIN_ENTRY_LENS.get(index).copied().unwrap_or(2))
            .sum()
    };
    let mut last_key = None;
    for index in 0..count {
        let start = bytes.len().saturating_sub(reader.len());
        match entry(&mut reader, index, &mut last_key) {
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
fn entry(
    reader: &mut Reader<'_>,
    index: usize,
    last_key: &mut Option<u64>,
) -> Result<(), FindStop> {
    let (0, key) = head(reader)? else {
        return Err(FindStop::Garbled);
    };
    let expected = if index < MIN_ENTRY_LENS.len() {
        usize::try_from(key) == Ok(index)
    } else {
        Some(key) > *last_key
    };
    if !expected {
        return Err(FindStop::Garbled);
    }
    *last_key = Some(key);
    // Values that are still to come, in place of a recursion: nesting costs no stack.
    let mut values = 1_usize;
    let mut first = true;
    while let Some(left) = values.checked_sub(1) {
        values = left;
        let (major, argument) = head(reader).map_err(|stop| stop.and(left))?;
        if first && !may_stand(key, major, argument) {
            return Err(FindStop::Garbled);
        }
        first = false;
        let argument = usize::try_from(argument).unwrap_or(usize::MAX);
        match major {
            2 | 3 if argument > MAX_PAYLOAD_LEN => return Err(FindStop::Garbled),
            2 | 3 => {
                let missing = argument.saturating_sub(reader.len());
                reader
                    .take(argument)
                    .map_err(|Truncated| FindStop::Cut(missing).and(left))?;
            }
            4 | 5 if argument > MAX_PAYLOAD_LEN => return Err(FindStop::Garbled),
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

/// Whether a value with this head may be that of the key.
fn may_stand(key: u64, major: u8, argument: u64) -> bool {
    match key {
        0 => major == 3 && (8..=280).contains(&argument),
        1 | 3 | 4 => (major, argument) == (2, 32),
        2 | 6 => major == 3 && (1..=64).contains(&argument),
        5 | 7 | 8 | 10 => major == 0,
        9 => major == 5,
        11 => major == 3,
        _ => true,
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
