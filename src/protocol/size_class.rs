//! Which of the eight constant sizes a blob has: all that relays and servers learn about the length of a file.

/// One of the eight constant sizes, from the smallest (0) to the largest (7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeClass(u8);

/// Bytes of a blob that are not content: commitment, nonce, header frame and tag.
pub(crate) const FRAME_LEN: usize = 1088;

/// The longest content that one blob carries.
pub const MAX_CONTENT_LEN: u64 = 9_998_912;

/// The length of the largest blob, in bytes.
pub(crate) const LARGEST_BLOB_LEN: usize = 10_000_000;

const BLOB_LENS: [usize; 8] = [
    65_536,
    393_216,
    1_048_576,
    2_097_152,
    3_670_016,
    5_242_880,
    7_864_320,
    LARGEST_BLOB_LEN,
];

impl SizeClass {
    /// All classes, smallest first.
    pub const ALL: [Self; 8] = [
        Self(0),
        Self(1),
        Self(2),
        Self(3),
        Self(4),
        Self(5),
        Self(6),
        Self(7),
    ];

    /// The smallest class that carries `len_bytes` of content; `None` above [`MAX_CONTENT_LEN`].
    #[must_use]
    pub fn for_content_len(len_bytes: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.capacity() as u64 >= len_bytes)
    }

    /// The class whose blobs are exactly `len_bytes` long; `None` for every other length.
    #[must_use]
    pub(crate) fn from_blob_len(len_bytes: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.blob_len() as u64 == len_bytes)
    }

    /// The length of every blob of this class.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a class is made only with a number that the table has"
    )]
    pub fn blob_len(self) -> usize {
        BLOB_LENS[usize::from(self.0)]
    }

    /// The longest content that a blob of this class carries.
    #[must_use]
    pub fn capacity(self) -> usize {
        self.blob_len() - FRAME_LEN
    }

    /// The number of the class, 0 to 7.
    #[must_use]
    pub fn index(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_capacities() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/cloakroom.json")).unwrap();
        let rows: Vec<[usize; 2]> = serde_json::from_value(vectors["capacity"].clone()).unwrap();
        let ours: Vec<_> = SizeClass::ALL
            .iter()
            .map(|class| [class.blob_len(), class.capacity()])
            .collect();
        assert_eq!(ours, rows);
    }

    #[test]
    fn content_goes_into_the_smallest_class_that_holds_it() {
        assert_eq!(SizeClass::for_content_len(0), Some(SizeClass(0)));
        for class in SizeClass::ALL {
            let capacity = class.capacity() as u64;
            assert_eq!(SizeClass::for_content_len(capacity), Some(class));
            let next = SizeClass::ALL.get(usize::from(class.index()) + 1).copied();
            assert_eq!(SizeClass::for_content_len(capacity + 1), next);
        }
        assert_eq!(
            SizeClass::for_content_len(MAX_CONTENT_LEN).map(SizeClass::index),
            Some(7)
        );
        assert_eq!(SizeClass::for_content_len(u64::MAX), None);
    }

    #[test]
    fn only_exact_lengths_are_blobs() {
        for class in SizeClass::ALL {
            let len = class.blob_len() as u64;
            assert_eq!(SizeClass::from_blob_len(len), Some(class));
            assert_eq!(SizeClass::from_blob_len(len - 1), None);
            assert_eq!(SizeClass::from_blob_len(len + 1), None);
        }
    }
}
