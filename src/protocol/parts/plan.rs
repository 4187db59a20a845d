//! Into how many parts a whole is cut, which bytes each carries, and in which size class all of them are sealed.

use core::ops::Range;

use thiserror::Error;

use crate::protocol::size_class::{MAX_CONTENT_LEN, SizeClass};

/// The most parts that a whole has.
pub const MAX_PARTS: u32 = 131_072;
/// The longest whole, in bytes, where its list fits into a blob.
pub const MAX_WHOLE_LEN: u64 = MAX_PARTS as u64 * MAX_CONTENT_LEN;
/// Bytes of an id of the length that Cloakroom's servers give to owners.
pub(super) const PACKED_ID_LEN: usize = 16;
/// Bytes of a digest in a list.
pub(super) const DIGEST_LEN: usize = 32;
/// More than the keys, the secret and the beginnings of all values of a list.
pub(super) const ROOM_FOR_THE_REST: usize = 80;
/// Numbers of parts have at most this many significant bits, so that few different numbers are seen.
const SIGNIFICANT_BITS: u32 = 3;

/// How content travels: in one blob, or in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// It fits into one blob, of this class.
    OneBlob(SizeClass),
    /// It is cut into parts, which a list names.
    Parts(PartPlan),
}

impl Layout {
    /// Decides how `len_bytes` of content are sent. `ids` is the form of the ids that the server gives, `mirror_ids` that of
    /// the mirror's, if there is one: they decide how many parts a list can name.
    ///
    /// # Errors
    /// [`TooLong`] names the longest content that can be sent this way.
    pub fn for_sending(
        len_bytes: u64,
        ids: IdForm,
        mirror_ids: Option<IdForm>,
    ) -> Result<Self, TooLong> {
        if let Some(class) = SizeClass::for_content_len(len_bytes) {
            return Ok(Self::OneBlob(class));
        }
        let fits = |parts: &u32| list_len(*parts, ids, mirror_ids) <= MAX_CONTENT_LEN;
        let least = u32::try_from(len_bytes.div_ceil(MAX_CONTENT_LEN));
        let parts = least.ok().and_then(padded_count).filter(fits);
        let too_long = || TooLong {
            max_len_bytes: u64::from(padded_counts_down().find(fits).unwrap_or(1))
                .saturating_mul(MAX_CONTENT_LEN),
        };
        let plan = PartPlan::new(len_bytes, parts.ok_or_else(too_long)?);
        plan.map(Self::Parts).map_err(|_uneven| too_long())
    }
}

/// How a list writes the ids that a server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// 16 bytes each: the ids that Cloakroom's servers give to owners, which are 22 characters.
    Packed,
    /// As text, because the server gives other ids.
    Text {
        /// The longest id, in characters.
        max_len: usize,
    },
}

/// The content is longer than any list of parts can name.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("more than {max_len_bytes} bytes cannot be sent")]
pub struct TooLong {
    /// The longest content that can be sent to this server, in bytes.
    pub max_len_bytes: u64,
}

/// The place of a part in its whole, counted from 0. Below [`MAX_PARTS`]; comes from a
/// [`PartPlan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartIndex(u32);

impl PartIndex {
    /// The part with this number in the state of a transfer, whose plan is checked there.
    pub(in crate::protocol) fn new(number: u64) -> Option<Self> {
        let number = u32::try_from(number).ok()?;
        (number < MAX_PARTS).then_some(Self(number))
    }

    /// The number, from 0.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How a whole is cut: every part but the last carries equally many bytes, the last one the rest, and all are sealed in one
/// size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    whole_len: u64,
    parts: u32,
    part_len: u64,
    class: SizeClass,
}

impl PartPlan {
    /// Cuts `whole_len` bytes into exactly `parts` parts, as a list says. Whoever sends asks [`Layout::for_sending`].
    ///
    /// # Errors
    /// [`PlanError`] when a list that says so must be refused.
    pub fn new(whole_len: u64, parts: u32) -> Result<Self, PlanError> {
        if !(2..=MAX_PARTS).contains(&parts) {
            return Err(PlanError::Count);
        }
        let part_len = whole_len.div_ceil(u64::from(parts));
        let class = SizeClass::for_content_len(part_len).ok_or(PlanError::Uneven)?;
        // Cannot overflow: a part is shorter than 10 MB here, and there are at most 131,072.
        if u64::from(parts - 1) * part_len >= whole_len {
            return Err(PlanError::Uneven);
        }
        if 2 * part_len <= class.capacity() as u64 {
            return Err(PlanError::MostlyPadding);
        }
        Ok(Self {
            whole_len,
            parts,
            part_len,
            class,
        })
    }

    /// Length of the whole, in bytes.
    #[must_use]
    pub const fn whole_len(&self) -> u64 {
        self.whole_len
    }

    /// The number of parts.
    #[must_use]
    pub const fn parts(&self) -> u32 {
        self.parts
    }

    /// The size class of every part, the last one too.
    #[must_use]
    pub const fn class(&self) -> SizeClass {
        self.class
    }

    /// The part with this number; `None` when there is none.
    #[must_use]
    pub fn index(&self, number: u32) -> Option<PartIndex> {
        (number < self.parts).then_some(PartIndex(number))
    }

    /// All parts, in the order in which they are sent and fetched.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = PartIndex> + use<> {
        (0..self.parts).map(PartIndex)
    }

    /// The bytes of the whole that a part carries; none for an index of a plan with more parts.
    #[must_use]
    pub fn range(&self, index: PartIndex) -> Range<u64> {
        let at = |number: u64| (number * self.part_len).min(self.whole_len);
        at(u64::from(index.0))..at(u64::from(index.0) + 1)
    }

    /// The number of bytes that a part carries.
    #[must_use]
    pub fn content_len(&self, index: PartIndex) -> usize {
        let range = self.range(index);
        // Below 10 MB, so it fits whatever the platform.
        usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
    }

    /// The parts that carry some of these bytes of the whole, ascending; none for an empty range.
    pub fn holding(&self, bytes: &Range<u64>) -> impl Iterator<Item = PartIndex> + use<> {
        let end = bytes.end.min(self.whole_len);
        let numbers = if bytes.start < end {
            bytes.start / self.part_len..end.div_ceil(self.part_len)
        } else {
            0..0
        };
        numbers.filter_map(|number| u32::try_from(number).ok().map(PartIndex))
    }
}

/// Why a whole cannot be cut into that many parts.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PlanError {
    /// Fewer than two parts, or more than [`MAX_PARTS`].
    #[error("no whole has so many parts")]
    Count,
    /// At most half of each part would be content.
    #[error("the parts would be mostly padding")]
    MostlyPadding,
    /// A part would be longer than the largest blob carries, or the last one would be empty.
    #[error("the length does not go into so many parts")]
    Uneven,
}

/// Some of the parts of one whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSet {
    parts: u32,
    words: Vec<u64>,
    count: u32,
}

impl PartSet {
    /// None of the parts of `plan`.
    #[must_use]
    pub fn none_of(plan: &PartPlan) -> Self {
        Self {
            parts: plan.parts,
            words: vec![0; plan.parts.div_ceil(u64::BITS) as usize],
            count: 0,
        }
    }

    /// Adds a part; whether it was not there before. One that the plan does not have is not added.
    pub fn insert(&mut self, index: PartIndex) -> bool {
        let (at, bit) = Self::bit(index);
        let word = self.words.get_mut(at).filter(|_| index.0 < self.parts);
        let Some(word) = word.filter(|word| **word & bit == 0) else {
            return false;
        };
        *word |= bit;
        self.count += 1;
        true
    }

    /// Whether a part is among them.
    #[must_use]
    pub fn contains(&self, index: PartIndex) -> bool {
        let (at, bit) = Self::bit(index);
        self.words.get(at).is_some_and(|word| word & bit != 0)
    }

    /// How many they are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    const fn bit(index: PartIndex) -> (usize, u64) {
        ((index.0 / u64::BITS) as usize, 1 << (index.0 % u64::BITS))
    }
}

/// The length of a list's content, in bytes: at most this where ids are text.
fn list_len(parts: u32, ids: IdForm, mirror_ids: Option<IdForm>) -> u64 {
    let parts = u64::from(parts);
    let ids_len = |form| match form {
        IdForm::Packed => PACKED_ID_LEN as u64 * parts,
        IdForm::Text { max_len } => (max_len as u64).saturating_add(1).saturating_mul(parts),
    };
    let mirror_len = mirror_ids.map_or(0, ids_len);
    ids_len(ids)
        .saturating_add(mirror_len)
        .saturating_add(DIGEST_LEN as u64 * parts)
        .saturating_add(ROOM_FOR_THE_REST as u64)
}

/// The smallest number of parts that is used and at least `least`; `None` above [`MAX_PARTS`].
fn padded_count(least: u32) -> Option<u32> {
    let bits = u32::BITS - least.leading_zeros();
    let step = 1_u32.checked_shl(bits.saturating_sub(SIGNIFICANT_BITS))?;
    let count = least.checked_next_multiple_of(step)?;
    (count <= MAX_PARTS).then_some(count)
}

/// The numbers of parts that are used, from the highest down to 2.
fn padded_counts_down() -> impl Iterator<Item = u32> {
    core::iter::successors(Some(MAX_PARTS), |count| {
        let below = count - 1;
        let bits = u32::BITS - below.leading_zeros();
        let step = 1 << bits.saturating_sub(SIGNIFICANT_BITS);
        let count = below / step * step;
        (count >= 2).then_some(count)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan_of(len: u64) -> PartPlan {
        match Layout::for_sending(len, IdForm::Packed, None) {
            Ok(Layout::Parts(plan)) => plan,
            other => panic!("{len}: {other:?}"),
        }
    }

    /// Everything that the format promises of a plan that is sent.
    fn check(len: u64) {
        let plan = plan_of(len);
        let parts = u64::from(plan.parts());
        let odd = plan.parts() >> plan.parts().trailing_zeros();
        assert!(
            odd < 8,
            "{len}: {parts} has more than three significant bits"
        );
        assert!(parts * plan.class().capacity() as u64 >= len, "{len}");
        let first = plan.index(0).unwrap();
        let part_len = plan.content_len(first) as u64;
        assert_eq!(part_len, len.div_ceil(parts));
        assert_eq!(SizeClass::for_content_len(part_len), Some(plan.class()));
        assert!((parts - 1) * part_len < len, "{len}");
        let fewer = padded_counts_down().find(|count| *count < plan.parts());
        assert!(
            fewer.is_none_or(|fewer| u64::from(fewer) * MAX_CONTENT_LEN < len),
            "{len}: fewer parts would do"
        );
        let last = plan.index(plan.parts() - 1).unwrap();
        assert_eq!(plan.range(last).end, len);
        assert_eq!(plan.index(plan.parts()), None);
    }

    #[test]
    fn lengths_around_every_step_are_cut_as_promised() {
        for count in padded_counts_down().chain([1]) {
            let full = u64::from(count) * MAX_CONTENT_LEN;
            for len in full - 2..=full + 2 {
                if (MAX_CONTENT_LEN + 1..=MAX_WHOLE_LEN).contains(&len) {
                    check(len);
                }
            }
        }
    }

    #[test]
    fn lengths_around_every_multiple_of_the_largest_blob_are_cut_as_promised() {
        for count in 1..u64::from(MAX_PARTS) {
            let full = count * MAX_CONTENT_LEN;
            for len in [full - 1, full, full + 1] {
                if len > MAX_CONTENT_LEN {
                    check(len);
                }
            }
        }
    }

    #[test]
    fn parts_from_10_mb_to_10_gb_have_39_sizes() {
        let mut sizes = std::collections::BTreeSet::new();
        // Every length at which the number of parts or the class changes.
        for count in padded_counts_down().filter(|count| *count < 2_000) {
            for class in SizeClass::ALL {
                let full = u64::from(count) * class.capacity() as u64;
                for len in [full, full + 1] {
                    if (10_000_000..=10_000_000_000).contains(&len) {
                        let plan = plan_of(len);
                        sizes.insert((plan.parts(), plan.class()));
                    }
                }
            }
        }
        assert_eq!(sizes.len(), 39, "{sizes:?}");
    }

    #[test]
    fn ids_as_text_and_a_mirror_lower_the_limit() {
        let text = IdForm::Text { max_len: 44 };
        let limit = |ids, mirror| Layout::for_sending(u64::MAX, ids, mirror).unwrap_err();
        assert_eq!(limit(IdForm::Packed, None).max_len_bytes, MAX_WHOLE_LEN);
        let packed_mirror = limit(IdForm::Packed, Some(IdForm::Packed));
        assert_eq!(packed_mirror.max_len_bytes, MAX_WHOLE_LEN);
        // 129,856 and 81,900 parts fit; the next lower numbers of three significant bits are these.
        assert_eq!(limit(text, None).max_len_bytes, 114_688 * MAX_CONTENT_LEN);
        assert_eq!(
            limit(text, Some(text)).max_len_bytes,
            65_536 * MAX_CONTENT_LEN + 16_384 * MAX_CONTENT_LEN
        );
        for ids in [IdForm::Packed, text] {
            let most = limit(ids, None).max_len_bytes;
            assert!(Layout::for_sending(most, ids, None).is_ok());
            assert!(Layout::for_sending(most + 1, ids, None).is_err());
        }
        let absurd = IdForm::Text {
            max_len: usize::MAX,
        };
        assert_eq!(limit(absurd, None).max_len_bytes, MAX_CONTENT_LEN);
    }

    #[test]
    fn plans_that_no_list_may_have_are_refused() {
        for (len, parts, error) in [
            (100, 0, PlanError::Count),
            (100, 1, PlanError::Count),
            (u64::MAX, MAX_PARTS + 1, PlanError::Count),
            (0, 2, PlanError::Uneven),
            (4, 3, PlanError::Uneven),
            (2 * MAX_CONTENT_LEN + 1, 2, PlanError::Uneven),
            (u64::MAX, MAX_PARTS, PlanError::Uneven),
            (64_448, 2, PlanError::MostlyPadding),
        ] {
            assert_eq!(PartPlan::new(len, parts), Err(error), "{len} in {parts}");
        }
        assert!(PartPlan::new(64_449, 2).is_ok());
    }

    #[test]
    fn a_set_has_each_part_once() {
        let plan = PartPlan::new(100_001, 2).unwrap();
        let many = PartPlan::new(10_000_000, 200).unwrap();
        let mut set = PartSet::none_of(&plan);
        let [first, last] = [0, 1].map(|number| plan.index(number).unwrap());
        assert!(set.insert(last) && !set.insert(last) && set.contains(last));
        assert!(!set.contains(first));
        for beyond in [2, 63, 64, 199] {
            let beyond = many.index(beyond).unwrap();
            assert!(!set.insert(beyond) && !set.contains(beyond));
        }
        assert_eq!(set.count(), 1);
    }

    proptest! {
        #[test]
        fn any_length_is_cut_as_promised(len in MAX_CONTENT_LEN + 1..=MAX_WHOLE_LEN) {
            check(len);
        }

        #[test]
        fn parts_are_the_whole_without_gaps(len in MAX_CONTENT_LEN + 1..3_000_000_000, start in any::<u64>(), count in 0..100_000_000_u64) {
            let plan = plan_of(len);
            let mut end = 0;
            for index in plan.indices() {
                let range = plan.range(index);
                prop_assert_eq!(range.start, end);
                prop_assert_eq!(plan.content_len(index) as u64, range.end - range.start);
                end = range.end;
            }
            prop_assert_eq!(end, len);

            let start = start % len;
            let bytes = start..(start + count).min(len);
            let touched = |index: &PartIndex| {
                let range = plan.range(*index);
                range.start.max(bytes.start) < range.end.min(bytes.end)
            };
            let holding: Vec<_> = plan.holding(&bytes).collect();
            prop_assert_eq!(holding, plan.indices().filter(touched).collect::<Vec<_>>());
        }

        #[test]
        fn any_plan_is_sound_or_refused(len in any::<u64>(), parts in any::<u32>(), small in 0..300_000_u64, few in 0..12_u32) {
            for (len, parts) in [(len, parts), (small, few), (len % MAX_WHOLE_LEN, parts % MAX_PARTS)] {
                let Ok(plan) = PartPlan::new(len, parts) else { continue };
                let last = plan.index(parts - 1).unwrap();
                prop_assert!(plan.content_len(last) > 0);
                prop_assert!(u64::from(parts) * plan.class().blob_len() as u64 <= len * 21 / 10 + 2_200 * u64::from(parts));
            }
        }
    }
}
