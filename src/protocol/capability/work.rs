//! Work that a server asks for an upload: it costs a sender some seconds and a flood its profit, and tells nobody apart.
//!
//! A number `n` is enough when SHA-256("cloakroom work v2" ‖ the server's key ‖ the 16 bytes of the id ‖ n as u64,
//! little-endian) begins with so many zero bits. The id follows from expiry hour, owner and blob, so a proof is good for
//! one stored file at one server.

use core::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::OwnedId;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::size_class::SizeClass;

/// The work that a server asks for the smallest blobs: 14, 16, 18, 20 or 22 zero bits. Larger blobs need up to seven
/// more.
///
/// There are few steps and one number for all sizes, so that a server that asks everybody for something else can tell
/// few people apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkBase(u8);

impl WorkBase {
    /// The numbers there are. 0, which `GET /info` may say as well, is no work at all.
    pub const ALL: [Self; 5] = [Self(14), Self(16), Self(18), Self(20), Self(22)];

    /// The base with so many bits; `None` for a number that is no base.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|base| u64::from(base.0) == bits)
    }

    /// The zero bits asked for the smallest blobs.
    #[must_use]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// The zero bits asked for a blob of `blob_len` bytes: by the smallest class that is at least as long. A length
    /// beyond the classes counts as the largest.
    #[must_use]
    pub fn bits_for(self, blob_len: u64) -> u8 {
        let classes = SizeClass::ALL.iter().zip(CLASS_ADDS);
        let fits =
            |(class, add): (&SizeClass, u8)| (class.blob_len() as u64 >= blob_len).then_some(add);
        let [.., largest] = CLASS_ADDS;
        self.0 + classes.into_iter().find_map(fits).unwrap_or(largest)
    }
}

/// The work that a server says it asks for, as `work_bits` of `GET /info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkAsked {
    /// Uploads need so much.
    Base(WorkBase),
    /// Uploads need none.
    #[default]
    None,
    /// It asks in a way that this version does not know: a number that is no base, or the eight numbers of version 0.1.
    Unknown,
}

impl WorkAsked {
    /// Whether the server asks for nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl Serialize for WorkAsked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Base(base) => base.bits(),
            Self::None => 0,
            Self::Unknown => UNKNOWN,
        })
    }
}

impl<'de> Deserialize<'de> for WorkAsked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyWork)
    }
}

/// Reads any JSON value, and keeps nothing of one that is no number.
struct AnyWork;

impl<'de> Visitor<'de> for AnyWork {
    type Value = WorkAsked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the work that a server asks for")
    }

    fn visit_u64<E>(self, bits: u64) -> Result<WorkAsked, E> {
        Ok(match (bits, WorkBase::from_bits(bits)) {
            (0, _) => WorkAsked::None,
            (_, Some(base)) => WorkAsked::Base(base),
            (_, None) => WorkAsked::Unknown,
        })
    }

    fn visit_unit<E>(self) -> Result<WorkAsked, E> {
        Ok(WorkAsked::None)
    }

    fn visit_bool<E>(self, _other: bool) -> Result<WorkAsked, E> {
        Ok(WorkAsked::Unknown)
    }

    fn visit_i64<E>(self, _negative: i64) -> Result<WorkAsked, E> {
        Ok(WorkAsked::Unknown)
    }

    fn visit_f64<E>(self, _other: f64) -> Result<WorkAsked, E> {
        Ok(WorkAsked::Unknown)
    }

    fn visit_str<E>(self, _other: &str) -> Result<WorkAsked, E> {
        Ok(WorkAsked::Unknown)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<WorkAsked, A::Error> {
        while numbers.next_element::<IgnoredAny>()?.is_some() {}
        Ok(WorkAsked::Unknown)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<WorkAsked, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(WorkAsked::Unknown)
    }
}

/// Whether `n` is `bits` of work for storing the file with this id at the server with this key.
#[must_use]
pub fn work_is_enough(server: &Ed25519Public, id: &OwnedId, n: u64, bits: u8) -> bool {
    leading_zeros(&prefix(server, id), n) >= u32::from(bits)
}

/// A search for enough work, which can be stopped and continued.
pub struct WorkSearch {
    prefix: Sha256,
    bits: u8,
    next: u64,
    tried: u64,
}

impl WorkSearch {
    /// A search that has not begun. It goes up from `first`, which is to be drawn at random: the first number from 0 on
    /// that is enough would tell how many bits were asked for.
    #[must_use]
    pub fn new(server: &Ed25519Public, id: &OwnedId, bits: u8, first: u64) -> Self {
        Self {
            prefix: prefix(server, id),
            bits,
            next: first,
            tried: 0,
        }
    }

    /// Tries `count` more numbers; the first that is enough, or `None` when none of them is.
    pub fn run(&mut self, count: u64) -> Option<u64> {
        for _ in 0..count {
            let n = self.next;
            self.next = n.wrapping_add(1);
            self.tried += 1;
            if leading_zeros(&self.prefix, n) >= u32::from(self.bits) {
                return Some(n);
            }
        }
        None
    }

    /// How many numbers were tried.
    #[must_use]
    pub const fn tried(&self) -> u64 {
        self.tried
    }

    /// How likely it was to have come by now, in thousandths: an estimate for a progress bar that never reaches 1,000.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a fraction between 0 and 1, times a thousand"
    )]
    pub(crate) fn likelihood_permille(&self) -> u16 {
        let expected = 2_f64.powi(i32::from(self.bits));
        let found_by_now = -(-(self.tried as f64) / expected).exp_m1();
        ((found_by_now * 1_000.0) as u16).min(999)
    }
}

/// The hash of everything that stands before `n`.
fn prefix(server: &Ed25519Public, id: &OwnedId) -> Sha256 {
    Sha256::new()
        .chain_update(b"cloakroom work v2")
        .chain_update(server.as_bytes())
        .chain_update(id.as_bytes())
}

fn leading_zeros(prefix: &Sha256, n: u64) -> u32 {
    let hash = prefix.clone().chain_update(n.to_le_bytes()).finalize();
    let mut zeros = 0;
    for byte in hash {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros
}

/// The bits that each size class asks for beyond the base.
const CLASS_ADDS: [u8; 8] = [0, 2, 4, 5, 6, 6, 7, 7];
/// A number that is no base.
const UNKNOWN: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::protocol::capability::{OwnerHash, OwnerToken};
    use crate::protocol::digest::Digest;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/networks.json")).unwrap()
    }

    struct Published {
        server: Ed25519Public,
        owner: OwnerHash,
        blob: Digest,
        hour: u32,
    }

    impl Published {
        fn new() -> Self {
            let work = &vectors()["work"];
            let text = |key: &str| work[key].as_str().unwrap();
            let token = OwnerToken::from_hex(text("owner_token")).unwrap();
            assert_eq!(token.hash().to_hex(), text("x_owner"));
            let len = usize::try_from(work["blob"]["len"].as_u64().unwrap()).unwrap();
            let seed = work["blob"]["seed"].as_str().unwrap();
            let blob: Vec<u8> = (0_u32..)
                .flat_map(|at| {
                    Sha256::new()
                        .chain_update(seed)
                        .chain_update(at.to_le_bytes())
                        .finalize()
                })
                .take(len)
                .collect();
            Self {
                server: Ed25519Public::from_hex(text("server")).unwrap(),
                owner: token.hash(),
                blob: Digest::of(&blob),
                hour: work["expires_hour"].as_u64().unwrap().try_into().unwrap(),
            }
        }

        fn id(&self, hour: u32) -> OwnedId {
            OwnedId::new(hour, &self.owner, &self.blob)
        }
    }

    #[test]
    fn published_work() {
        let published = Published::new();
        let work = &vectors()["work"];
        let id = published.id(published.hour);
        assert_eq!(id.file_id().as_str(), work["id"].as_str().unwrap());
        let bytes = data_encoding::HEXLOWER.encode(id.as_bytes());
        assert_eq!(bytes, work["id_bytes"].as_str().unwrap());
        let base = WorkBase::from_bits(work["base"].as_u64().unwrap()).unwrap();
        let n = work["first_number"].as_u64().unwrap();
        let enough = |id: &OwnedId, n| work_is_enough(&published.server, id, n, base.bits());
        assert!(enough(&id, n) && !enough(&id, work["not_enough"].as_u64().unwrap()));
        assert!(!enough(&published.id(published.hour + 1), n));
        let other = crate::protocol::keys::Identity::from_seed([7; 32]).public();
        assert!(!work_is_enough(&other, &id, n, base.bits()));
        let mut search = WorkSearch::new(&published.server, &id, base.bits(), n - 20);
        assert_eq!((search.run(100), search.tried()), (Some(n), 21));
        let bases: Vec<u64> = serde_json::from_value(work["bases"].clone()).unwrap();
        let ours = WorkBase::ALL.map(|base| u64::from(base.bits()));
        assert_eq!(bases, [&[0][..], &ours].concat());
        let adds: [u8; 8] = serde_json::from_value(work["class_adds"].clone()).unwrap();
        assert_eq!(adds, CLASS_ADDS);
    }

    #[test]
    fn a_search_continues_where_it_stopped_and_goes_on_after_the_last_number() {
        let published = Published::new();
        let id = published.id(published.hour);
        let search = |first| WorkSearch::new(&published.server, &id, 12, first);
        let whole = search(u64::MAX - 50).run(1_000_000).unwrap();
        let mut parts = search(u64::MAX - 50);
        let mut likelihoods = Vec::new();
        let found = (0..).find_map(|step| {
            assert_eq!(parts.tried(), step * 100);
            likelihoods.push(parts.likelihood_permille());
            parts.run(100)
        });
        assert_eq!(found, Some(whole));
        assert!(likelihoods.is_sorted() && likelihoods[0] == 0);
        assert!(work_is_enough(&published.server, &id, whole, 12));
        assert!(whole < u64::MAX - 50, "none of the last fifty is enough");
    }

    #[test]
    fn lengths_between_the_classes_count_as_the_next_one() {
        let base = WorkBase::from_bits(14).unwrap();
        assert_eq!(base.bits_for(1), 14);
        assert_eq!(base.bits_for(65_536), 14);
        assert_eq!(base.bits_for(65_537), 16);
        assert_eq!(base.bits_for(10_000_000), 21);
        assert_eq!(base.bits_for(10_223_616), 21);
    }

    #[test]
    fn what_is_no_base_is_known_as_something_else() {
        let read = |json: &str| serde_json::from_str::<WorkAsked>(json).unwrap();
        let base = WorkAsked::Base(WorkBase::from_bits(18).unwrap());
        assert_eq!(read("18"), base);
        assert_eq!(
            (read("0"), read("null")),
            (WorkAsked::None, WorkAsked::None)
        );
        for other in [
            "17",
            "24",
            "-14",
            "18.5",
            "\"18\"",
            "true",
            "{\"a\":[1]}",
            "[16,17,18,18,19,19,20,20]",
        ] {
            assert_eq!(read(other), WorkAsked::Unknown, "{other}");
        }
        for asked in [base, WorkAsked::None, WorkAsked::Unknown] {
            assert_eq!(read(&serde_json::to_string(&asked).unwrap()), asked);
        }
    }
}
