//! Session's seeds: the computers that know the nodes of its network, and the certificates that they are known by.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// A computer that knows Session's nodes, recognised by its certificate alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// `https://host:port`.
    pub url: String,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

impl Seed {
    /// The three of Session's main network.
    #[must_use]
    pub(crate) fn main_network() -> Vec<Self> {
        MAIN_SEEDS
            .iter()
            .filter_map(|(url, fingerprint)| {
                let fingerprint = HEXLOWER.decode(fingerprint.as_bytes()).ok()?;
                Some(Self {
                    url: (*url).to_owned(),
                    fingerprint: fingerprint.try_into().ok()?,
                })
            })
            .collect()
    }

    /// Whether this certificate has this fingerprint (SHA-256).
    pub(super) fn is_certificate(fingerprint: &[u8; 32], certificate: &[u8]) -> bool {
        Sha256::digest(certificate).as_slice() == fingerprint
    }
}

const MAIN_SEEDS: [(&str, &str); 3] = [
    (
        "https://seed1.getsession.org:4443",
        "36ea0b253537988551ee856e4fd20d55011e9c8b27eaa2f34b8f32a0bdf04f2d",
    ),
    (
        "https://seed2.getsession.org:4443",
        "c5908dd4139acd96aedd1e45576597650809c8a5ea02af556d4853d45396e0e7",
    ),
    (
        "https://seed3.getsession.org:4443",
        "8a0af2c712342f22ce00e53c1601410ef8d84156aee0a9809c32f6f7efbe556e",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_seeds_are_pinned() {
        let seeds = Seed::main_network();
        assert_eq!(seeds.len(), 3);
        // As they are published: SHA-256 of the certificate.
        let published = [
            "36:EA:0B:25:35:37:98:85:51:EE:85:6E:4F:D2:0D:55:01:1E:9C:8B:27:EA:A2:F3:4B:8F:32:A0:BD:F0:4F:2D",
            "C5:90:8D:D4:13:9A:CD:96:AE:DD:1E:45:57:65:97:65:08:09:C8:A5:EA:02:AF:55:6D:48:53:D4:53:96:E0:E7",
            "8A:0A:F2:C7:12:34:2F:22:CE:00:E5:3C:16:01:41:0E:F8:D8:41:56:AE:E0:A9:80:9C:32:F6:F7:EF:BE:55:6E",
        ];
        for (number, (seed, published)) in seeds.iter().zip(published).enumerate() {
            let url = format!("https://seed{}.getsession.org:4443", number + 1);
            assert_eq!(seed.url, url);
            let bytes = seed.fingerprint.map(|byte| format!("{byte:02X}"));
            assert_eq!(bytes.join(":"), published);
        }
        assert!(!Seed::is_certificate(&seeds[0].fingerprint, b"another"));
        let certificate = b"some certificate";
        let right: [u8; 32] = Sha256::digest(certificate).into();
        assert!(Seed::is_certificate(&right, certificate));
        for byte in 0..32 {
            let mut wrong = right;
            wrong[byte] ^= 1;
            assert!(!Seed::is_certificate(&wrong, certificate), "{byte}");
        }
    }
}
