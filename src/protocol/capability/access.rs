//! The access word: one shared secret for all uploaders, so that it cannot tell them apart.

use core::fmt;

use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::protocol::word_list::words_of;

/// An operator's access word. Compared in constant time; its `Debug` shows nothing of it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct AccessWord(String);

impl AccessWord {
    /// Takes 1 to 64 printable ASCII characters that neither begin nor end with a space, which is what every kind of
    /// header carries unchanged.
    ///
    /// # Errors
    /// [`InvalidAccessWord`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidAccessWord> {
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if (1..=MAX_LEN).contains(&text.len()) && printable && text.trim_matches(' ') == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAccessWord)
        }
    }

    /// Draws five words of the list that people read to each other, 64 bits, with hyphens between them.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut drawn = [0; 32];
        rng.fill_bytes(&mut drawn);
        let words = words_of(&drawn);
        drawn.zeroize();
        Self(words.join("-"))
    }

    /// The word, for a header or for settings.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Hashed, so that not even the length is compared byte by byte.
    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl PartialEq for AccessWord {
    fn eq(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.hash(), other.hash());
        let same = ours.ct_eq(&theirs).into();
        ours.zeroize();
        theirs.zeroize();
        same
    }
}

impl Eq for AccessWord {}

impl fmt::Debug for AccessWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessWord(…)")
    }
}

/// The text is no access word.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "an access word is 1 to 64 letters, digits and signs of plain ASCII, with no space at its ends"
)]
pub struct InvalidAccessWord;

const MAX_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn words_have_1_to_64_plain_characters() {
        let longest = "x".repeat(64);
        for good in ["x", "open sesame", "\"\\~!", longest.as_str()] {
            assert_eq!(
                AccessWord::parse(good).map(|word| word.as_str().to_owned()),
                Ok(good.to_owned())
            );
        }
        let too_long = "x".repeat(65);
        for bad in [
            "",
            " ",
            " x",
            "x ",
            "a\nb",
            "a\tb",
            "grün",
            "x\u{7f}",
            too_long.as_str(),
        ] {
            assert_eq!(AccessWord::parse(bad), Err(InvalidAccessWord), "{bad:?}");
        }
    }

    #[test]
    fn a_drawn_word_is_one_that_every_header_carries() {
        let rng = &mut rand_chacha::ChaCha20Rng::seed_from_u64(4);
        let drawn: Vec<_> = (0..200).map(|_| AccessWord::generate(rng)).collect();
        for word in &drawn {
            assert_eq!(word.as_str().split('-').count(), 5);
            assert_eq!(AccessWord::parse(word.as_str()).as_ref(), Ok(word));
        }
        assert_ne!(drawn[0], drawn[1]);
    }

    #[test]
    fn it_shows_nothing_of_itself() {
        let word = AccessWord::parse("sesame").unwrap();
        assert_eq!(format!("{word:?}"), "AccessWord(…)");
        assert_eq!(word, AccessWord::parse("sesame").unwrap());
        assert_ne!(word, AccessWord::parse("Sesame").unwrap());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            if let Ok(word) = AccessWord::parse(&text) {
                prop_assert_eq!(word.as_str(), text);
            }
        }
    }
}
