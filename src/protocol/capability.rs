//! What whoever uploaded a blob can show later: the owner's token, and the hash the server keeps of it.

/// SHA-256 of an owner's token: what the server is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerHash([u8; 32]);

impl OwnerHash {
    /// From 64 lower-case hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        data_encoding::HEXLOWER
            .decode(text.as_bytes())
            .ok()?
            .try_into()
            .ok()
            .map(Self)
    }

    /// 64 lower-case hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
