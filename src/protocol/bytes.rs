//! How bytes from outside are read: a cursor that hands out pieces and never panics.
//!
//! No other file indexes hostile bytes.
#![warn(clippy::string_slice, clippy::arithmetic_side_effects)]

/// A cursor over bytes that someone else wrote.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// The next `len_bytes` bytes. On failure nothing is taken.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub(crate) fn take(&mut self, len_bytes: usize) -> Result<&'a [u8], Truncated> {
        let (taken, left) = self.left.split_at_checked(len_bytes).ok_or(Truncated)?;
        self.left = left;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (taken, left) = self.left.split_first_chunk::<N>().ok_or(Truncated)?;
        self.left = left;
        Ok(*taken)
    }

    /// A cursor over the next `len_bytes` bytes alone.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub(crate) fn sub(&mut self, len_bytes: usize) -> Result<Self, Truncated> {
        self.take(len_bytes).map(Self::new)
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`Truncated`] when none is left.
    pub(crate) fn u8(&mut self) -> Result<u8, Truncated> {
        self.array().map(u8::from_le_bytes)
    }

    /// The next two bytes, little-endian.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub(crate) fn u16_le(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next four bytes, little-endian.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub(crate) fn u32_le(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next eight bytes, little-endian.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub fn u64_le(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes all bytes that are left; the reader is at its end afterwards.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.left)
    }

    /// Number of bytes that are left.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether nothing is left.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Insists that nothing is left.
    ///
    /// # Errors
    /// [`TrailingBytes`] when something is.
    pub(crate) fn expect_empty(&self) -> Result<(), TrailingBytes> {
        if self.left.is_empty() {
            Ok(())
        } else {
            Err(TrailingBytes)
        }
    }
}

/// The bytes end before the value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes end too early")]
pub struct Truncated;

/// Bytes follow where the value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes are left over")]
pub struct TrailingBytes;

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that panics has found something"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pieces_come_in_order() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 7, 8, 9]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16_le(), Ok(0x0302));
        assert_eq!(reader.u32_le(), Ok(4));
        assert_eq!(reader.u64_le(), Ok(5));
        assert_eq!(reader.take(1), Ok(&[6][..]));
        assert_eq!(reader.expect_empty(), Err(TrailingBytes));
        assert_eq!(reader.sub(1).unwrap().rest(), [7]);
        assert_eq!(reader.rest(), [8, 9]);
        assert_eq!(reader.expect_empty(), Ok(()));
        assert!(reader.is_empty());
    }

    #[test]
    fn what_is_not_there_takes_nothing() {
        let mut reader = Reader::new(&[1, 2]);
        assert_eq!(reader.take(3), Err(Truncated));
        assert_eq!(reader.u32_le(), Err(Truncated));
        assert_eq!(reader.take(usize::MAX), Err(Truncated));
        assert_eq!(reader.len(), 2);
        assert_eq!(reader.array(), Ok([1, 2]));
    }

    proptest! {
        #[test]
        fn any_walk_ends_without_panic(bytes in any::<Vec<u8>>(), steps in any::<Vec<usize>>()) {
            let mut reader = Reader::new(&bytes);
            let mut taken = 0;
            for step in steps {
                taken += match step % 5 {
                    0 => reader.take(step).map_or(0, <[u8]>::len),
                    1 => reader.u8().map_or(0, |_| 1),
                    2 => reader.u16_le().map_or(0, |_| 2),
                    3 => reader.u64_le().map_or(0, |_| 8),
                    _ => reader.sub(step % 7).map_or(0, |sub| sub.len()),
                };
            }
            prop_assert_eq!(taken + reader.len(), bytes.len());
        }
    }
}
