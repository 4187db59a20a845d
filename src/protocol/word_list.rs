//! Words that people read to each other: the long list of the Electronic Frontier Foundation (CC BY 3.0 US) without the
//! four that have a hyphen, 7,772 words, none of which is the beginning of another.

use diceware_wordlists::EFF_LONG_WORDLIST;

/// Number of words.
const COUNT: u32 = 7_772;

/// Five words that stand for `digest`: each of its first five groups of four bytes (little-endian), modulo the number of
/// words, is the place of one.
pub(super) fn words_of(digest: &[u8; 32]) -> [&'static str; 5] {
    let (groups, _rest) = digest.as_chunks::<4>();
    let mut places = groups
        .iter()
        .map(|group| u32::from_le_bytes(*group) % COUNT);
    std::array::from_fn(|_| {
        let place = places.next().unwrap_or_default();
        let mut words = EFF_LONG_WORDLIST.iter().filter(|word| !word.contains('-'));
        let place = usize::try_from(place).unwrap_or_default();
        words.nth(place).copied().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_one_of_the_eff_without_hyphens() {
        let words: Vec<_> = EFF_LONG_WORDLIST
            .iter()
            .filter(|word| !word.contains('-'))
            .collect();
        assert_eq!(words.len(), usize::try_from(COUNT).unwrap());
        assert!(words.is_sorted());
        assert_eq!((*words[0], *words[7_771]), ("abacus", "zoom"));
        let is_beginning = |pair: &[&&str]| pair[1].starts_with(*pair[0]);
        assert!(!words.windows(2).any(is_beginning));
    }

    #[test]
    fn a_digest_has_five_words() {
        let mut digest = [0; 32];
        digest[4] = 1;
        digest[8..12].copy_from_slice(&7_771_u32.to_le_bytes());
        digest[12..16].copy_from_slice(&7_772_u32.to_le_bytes());
        assert_eq!(
            words_of(&digest)[..4],
            ["abacus", "abdomen", "zoom", "abacus"]
        );
    }
}
