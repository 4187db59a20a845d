//! Which keys people, relays and servers have: Ed25519 identities, their X25519 conversions, the agreement between them.
//!
//! Public keys are refused when another encoding of the same point exists or when the point is of small order, so that
//! one key has one text. Secrets are zeroised on drop and cannot be printed, cloned or compared.

use core::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use data_encoding::{Encoding, HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// An Ed25519 public key: canonical, on the curve, not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ed25519Public([u8; 32]);

impl Ed25519Public {
    /// Accepts the 32 bytes of a key.
    ///
    /// # Errors
    /// [`WeakKey`] when the bytes are no point, not its canonical encoding, or a point of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, WeakKey> {
        let point = CompressedEdwardsY(bytes).decompress().ok_or(WeakKey)?;
        if point.compress().to_bytes() != bytes || point.is_small_order() {
            return Err(WeakKey);
        }
        Ok(Self(bytes))
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`ParseKeyError`] when the text is no such key.
    pub fn from_hex(text: &str) -> Result<Self, ParseKeyError> {
        Ok(Self::from_bytes(array_from_hex(text)?)?)
    }

    /// Reads 64 hexadecimal digits in either case, as the layers of onion requests may have them.
    ///
    /// # Errors
    /// [`ParseKeyError`] when the text is no such key.
    pub(crate) fn from_any_hex(text: &str) -> Result<Self, ParseKeyError> {
        Ok(Self::from_bytes(array_from_any_hex(text)?)?)
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The X25519 key of the same identity, which is what onion layers are sealed to.
    #[must_use]
    pub fn to_x25519(&self) -> X25519Public {
        let point = CompressedEdwardsY(self.0)
            .decompress()
            .expect("from_bytes accepts only points on the curve");
        X25519Public(point.to_montgomery().to_bytes())
    }

    /// The identity whose X25519 key is `key`: y = (u − 1) / (u + 1), sign bit 0 (RFC 7748, section 4.1). Of the two points
    /// that convert to one key it is the one that operators who only know an X25519 key can be named by.
    ///
    /// # Errors
    /// [`WeakKey`] when no point on the curve, or one of small order, converts to `key`.
    pub(crate) fn from_x25519(key: &X25519Public) -> Result<Self, WeakKey> {
        let point = MontgomeryPoint(key.0).to_edwards(0).ok_or(WeakKey)?;
        Self::from_bytes(point.compress().to_bytes())
    }

    /// Whether `signature` over `message` was made by this identity (RFC 8032, with the strict checks).
    #[must_use]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.verify_strict(message, &Signature::from_bytes(signature))
                .is_ok()
        })
    }
}

/// As 64 lower-case hexadecimal digits.
impl Serialize for Ed25519Public {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Ed25519Public {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        Self::from_hex(&hex).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Ed25519Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_short(f, "Ed25519Public", &self.0)
    }
}

/// An X25519 public key in its one canonical encoding, so that a copy of a request cannot look like another one by the
/// spelling of its key. A key that agrees on nothing shows at [`X25519Secret::agree`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct X25519Public([u8; 32]);

impl X25519Public {
    /// Accepts the 32 bytes of a key: the little-endian number must be below 2^255 − 19. RFC 7748 (section 5) lets a
    /// larger one, and one with bit 255 set, stand for the same key.
    ///
    /// # Errors
    /// [`WeakKey`] when the encoding is not canonical.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Result<Self, WeakKey> {
        let [low, middle @ .., high] = &bytes;
        let at_least_p = *high == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *low >= 0xed;
        if *high > 0x7f || at_least_p {
            return Err(WeakKey);
        }
        Ok(Self(bytes))
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`ParseKeyError`] when the text is no such key.
    pub fn from_hex(text: &str) -> Result<Self, ParseKeyError> {
        Ok(Self::from_bytes(array_from_hex(text)?)?)
    }

    /// Reads 64 hexadecimal digits in either case, as the layers of onion requests may have them.
    ///
    /// # Errors
    /// [`ParseKeyError`] when the text is no such key.
    pub fn from_any_hex(text: &str) -> Result<Self, ParseKeyError> {
        Ok(Self::from_bytes(array_from_any_hex(text)?)?)
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl fmt::Debug for X25519Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_short(f, "X25519Public", &self.0)
    }
}

/// An X25519 secret key.
pub struct X25519Secret(StaticSecret);

impl X25519Secret {
    /// Draws a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self(StaticSecret::from(*bytes))
    }

    /// Takes the 32 bytes of a key.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let secret = Self(StaticSecret::from(bytes));
        bytes.zeroize();
        secret
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> X25519Public {
        X25519Public(PublicKey::from(&self.0).to_bytes())
    }

    /// The secret shared with the holder of `public` (RFC 7748 section 6.1).
    ///
    /// # Errors
    /// [`WeakKey`] when the result is all zeros, which is what a key of small order gives.
    pub fn agree(&self, public: &X25519Public) -> Result<SharedSecret, WeakKey> {
        let shared = self.0.diffie_hellman(&PublicKey::from(public.0));
        if shared.was_contributory() {
            Ok(SharedSecret(shared.to_bytes()))
        } else {
            Err(WeakKey)
        }
    }
}

/// What two X25519 keys agree on. Not yet a key of anything: derive one from it.
#[derive(ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// The 32 bytes of the secret.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The Ed25519 secret of a server, a relay or whoever signs a list.
pub struct Identity(SigningKey);

impl Identity {
    /// The identity that grows from a seed (RFC 8032 calls it the private key).
    #[must_use]
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let identity = Self(SigningKey::from_bytes(&seed));
        seed.zeroize();
        identity
    }

    /// Draws a new identity.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The seed, to be kept in a key file.
    #[must_use]
    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> Ed25519Public {
        Ed25519Public(self.0.verifying_key().to_bytes())
    }

    /// The X25519 secret of the same identity, which opens what was sealed to [`Ed25519Public::to_x25519`].
    #[must_use]
    pub fn x25519(&self) -> X25519Secret {
        let scalar = Zeroizing::new(self.0.to_scalar_bytes());
        X25519Secret(StaticSecret::from(*scalar))
    }

    /// Signs `message` (RFC 8032).
    #[must_use]
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The key could be forged, has another encoding, or agrees on nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is not a canonical key of full order")]
pub struct WeakKey;

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// Not 64 lower-case hexadecimal digits.
    #[error("a key is 64 lower-case hexadecimal digits")]
    NotHex,
    /// Such a key cannot be trusted.
    #[error(transparent)]
    Weak(#[from] WeakKey),
}

fn array_from_hex(text: &str) -> Result<[u8; 32], ParseKeyError> {
    decoded(&HEXLOWER, text)
}

fn array_from_any_hex(text: &str) -> Result<[u8; 32], ParseKeyError> {
    decoded(&HEXLOWER_PERMISSIVE, text)
}

fn decoded(digits: &Encoding, text: &str) -> Result<[u8; 32], ParseKeyError> {
    let mut bytes = [0; 32];
    // The length first: nothing is decoded that cannot be a key.
    if text.len() != 2 * bytes.len() {
        return Err(ParseKeyError::NotHex);
    }
    digits
        .decode_mut(text.as_bytes(), &mut bytes)
        .map_err(|_why| ParseKeyError::NotHex)?;
    Ok(bytes)
}

fn debug_short(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8; 32]) -> fmt::Result {
    let short: String = HEXLOWER.encode(bytes).chars().take(8).collect();
    write!(f, "{name}({short}…)")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn converted_halves_belong_together() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for _ in 0..8 {
            let identity = Identity::generate(&mut rng);
            let other = X25519Secret::generate(&mut rng);
            assert_eq!(identity.x25519().public(), identity.public().to_x25519());
            let here = identity.x25519().agree(&other.public()).unwrap();
            let there = other.agree(&identity.public().to_x25519()).unwrap();
            assert_eq!(here.as_bytes(), there.as_bytes());
        }
    }

    #[test]
    fn an_identity_is_found_by_its_x25519_key() {
        // Published by the operators of Session's file server; converted by an independent implementation.
        let x = X25519Public::from_hex(
            "09324794aa9c11948189762d198c618148e9136ac9582068180661208927ef34",
        )
        .unwrap();
        assert_eq!(
            Ed25519Public::from_x25519(&x).unwrap().to_hex(),
            "b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371"
        );
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        for _ in 0..8 {
            let key = X25519Secret::generate(&mut rng).public();
            assert_eq!(Ed25519Public::from_x25519(&key).unwrap().to_x25519(), key);
        }
        for small_order in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            let key = X25519Public::from_bytes(small_order).unwrap();
            assert_eq!(Ed25519Public::from_x25519(&key), Err(WeakKey));
        }
    }

    #[test]
    fn identity_survives_its_seed() {
        let identity = Identity::generate(&mut ChaCha20Rng::seed_from_u64(2));
        assert_eq!(
            Identity::from_seed(*identity.seed()).public(),
            identity.public()
        );
    }

    #[test]
    fn published_signature_is_made_and_verified() {
        // RFC 8032 section 7.1, test 1.
        let seed: [u8; 32] =
            array_from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
                .unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let identity = Identity::from_seed(seed);
        assert_eq!(identity.public().to_hex(), public);
        let mut signature = identity.sign(b"");
        assert!(
            HEXLOWER
                .encode(&signature)
                .starts_with("e5564300c360ac729086e2cc806e828a")
        );
        let public = Ed25519Public::from_hex(public).unwrap();
        assert!(public.verify(b"", &signature));
        assert!(!public.verify(b"x", &signature));
        signature[3] ^= 1;
        assert!(!public.verify(b"", &signature));
    }

    #[test]
    fn keys_of_small_order_and_other_encodings_are_refused() {
        for weak in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            // y = p + 3, a second encoding of y = 3.
            "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            // Small order in a second encoding: y = p + 1, and y = 1 with the sign of a zero set.
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0100000000000000000000000000000000000000000000000000000000000080",
        ] {
            assert_eq!(
                Ed25519Public::from_hex(weak),
                Err(ParseKeyError::Weak(WeakKey)),
                "{weak}"
            );
        }
    }

    #[test]
    fn the_published_servers_convert_to_their_published_keys() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/onion.json")).unwrap();
        let pairs = vectors["ed25519_to_x25519"].as_array().unwrap();
        assert_eq!(pairs.len(), 3);
        for pair in pairs {
            let key = Ed25519Public::from_hex(pair[0].as_str().unwrap()).unwrap();
            assert_eq!(key.to_x25519().to_hex(), pair[1].as_str().unwrap());
        }
    }

    #[test]
    fn agreement_with_a_useless_key_is_refused() {
        let secret = X25519Secret::generate(&mut ChaCha20Rng::seed_from_u64(3));
        for first in [0, 1] {
            let mut bytes = [0; 32];
            bytes[0] = first;
            let key = X25519Public::from_bytes(bytes).unwrap();
            assert!(secret.agree(&key).is_err());
        }
    }

    #[test]
    fn only_one_encoding_of_an_x25519_key_is_accepted() {
        let p = |low: u8, high: u8| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, high);
            X25519Public::from_bytes(bytes)
        };
        assert!(p(0xec, 0x7f).is_ok(), "2^255 − 20 is the largest one");
        for low in 0xed..=0xff {
            assert_eq!(p(low, 0x7f), Err(WeakKey), "2^255 − 19 and more");
        }
        let key = Identity::from_seed([1; 32]).public().to_x25519();
        let mut bytes = *key.as_bytes();
        bytes[31] |= 0x80;
        assert_eq!(X25519Public::from_bytes(bytes), Err(WeakKey));
        let text = HEXLOWER.encode(&bytes);
        let weak = Err(ParseKeyError::Weak(WeakKey));
        assert_eq!(X25519Public::from_hex(&text), weak);
        assert_eq!(X25519Public::from_any_hex(&text), weak);
    }

    #[test]
    fn layers_may_spell_a_key_in_either_case_and_nobody_else() {
        let key = Identity::from_seed([1; 32]).public();
        let (upper, x25519) = (key.to_hex().to_uppercase(), key.to_x25519());
        assert_eq!(Ed25519Public::from_any_hex(&upper), Ok(key));
        assert_eq!(Ed25519Public::from_any_hex(&key.to_hex()), Ok(key));
        assert_eq!(Ed25519Public::from_hex(&upper), Err(ParseKeyError::NotHex));
        let upper = x25519.to_hex().to_uppercase();
        assert_eq!(X25519Public::from_any_hex(&upper), Ok(x25519));
        assert_eq!(X25519Public::from_hex(&upper), Err(ParseKeyError::NotHex));
    }

    #[test]
    fn debug_shows_four_bytes() {
        let key = Ed25519Public::from_hex(
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        )
        .unwrap();
        assert_eq!(format!("{key:?}"), "Ed25519Public(d75a9801…)");
    }

    proptest! {
        #[test]
        fn hex_round_trips(seed in any::<[u8; 32]>()) {
            let key = Identity::from_seed(seed).public();
            prop_assert_eq!(Ed25519Public::from_hex(&key.to_hex()), Ok(key));
            let key = key.to_x25519();
            prop_assert_eq!(X25519Public::from_hex(&key.to_hex()), Ok(key));
        }

        #[test]
        fn no_bytes_and_no_text_panic(bytes in any::<[u8; 32]>(), text in ".*", message in any::<Vec<u8>>()) {
            if let Ok(key) = Ed25519Public::from_bytes(bytes) {
                prop_assert_eq!(*key.as_bytes(), bytes);
                prop_assert_eq!(key.to_x25519(), key.to_x25519());
                prop_assert!(!key.verify(&message, &[7; 64]));
            }
            prop_assert!(Ed25519Public::from_hex(&text).is_err());
            prop_assert!(X25519Public::from_hex(&text).is_err());
        }
    }
}
