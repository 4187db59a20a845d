//! The join word: whoever has it may add a relay to a network.

use core::fmt;

use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// A network's join word, 16 random bytes. Compared in constant time; its `Debug` shows nothing of it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct JoinWord([u8; 16]);

impl JoinWord {
    /// Draws a new word.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut word = Self([0; 16]);
        rng.fill_bytes(&mut word.0);
        word
    }

    /// Takes the 16 bytes of a word.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 16]) -> Self {
        let word = Self(bytes);
        bytes.zeroize();
        word
    }

    /// Reads 32 lower-case hexadecimal digits, as the header `X-Join` has them; `None` for any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(HEXLOWER.decode(text.as_bytes()).ok()?);
        <[u8; 16]>::try_from(bytes.as_slice())
            .ok()
            .map(Self::from_bytes)
    }

    /// The 16 bytes of the word.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The word as 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&self.0))
    }
}

impl PartialEq for JoinWord {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for JoinWord {}

impl fmt::Debug for JoinWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinWord(…)")
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn a_word_comes_back_from_its_hex_and_differs_from_others() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (word, other) = (JoinWord::generate(&mut rng), JoinWord::generate(&mut rng));
        assert_eq!(JoinWord::from_hex(&word.to_hex()).as_ref(), Some(&word));
        assert_ne!(word, other);
        for bad in ["", "00", &"0".repeat(31), &"A".repeat(32), &"0".repeat(34)] {
            assert_eq!(JoinWord::from_hex(bad), None, "{bad}");
        }
        assert_eq!(format!("{word:?}"), "JoinWord(…)");
    }
}
