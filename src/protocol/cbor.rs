//! How pointers and headers are written as CBOR: maps with ascending integer keys, in the one deterministic encoding of
//! RFC 8949 section 4.2.
//!
//! Reading is in two steps: [`read_map`] takes a map apart, then the caller writes what it understood with
//! [`MapWriter`] and compares, so that only the one encoding is ever accepted.

use core::convert::Infallible;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

/// Writes one map; keys must come in ascending order.
pub(super) struct MapWriter {
    entries: u64,
    body: Encoder<Body>,
}

/// Room for the largest pointer, so that a growing buffer leaves no copy of a key behind.
const ROOM: usize = 1024;

struct Body(Zeroizing<Vec<u8>>);

impl MapWriter {
    pub(super) fn new() -> Self {
        Self {
            entries: 0,
            body: Encoder::new(Body(Zeroizing::new(Vec::with_capacity(ROOM)))),
        }
    }

    pub(super) fn uint(&mut self, key: u64, value: u64) {
        self.entry(key, |body| body.u64(value).map(drop));
    }

    pub(super) fn bytes(&mut self, key: u64, value: &[u8]) {
        self.entry(key, |body| body.bytes(value).map(drop));
    }

    pub(super) fn text(&mut self, key: u64, value: &str) {
        self.entry(key, |body| body.str(value).map(drop));
    }

    pub(super) fn map(&mut self, key: u64, value: Self) {
        let value = value.finish();
        self.entry(key, |_| Ok(()));
        self.body.writer_mut().0.extend_from_slice(&value);
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        let body = self.body.into_writer();
        let mut whole = Zeroizing::new(Vec::with_capacity(ROOM));
        written(Encoder::new(&mut *whole).map(self.entries));
        whole.extend_from_slice(&body.0);
        whole
    }

    fn entry(
        &mut self,
        key: u64,
        write: impl FnOnce(&mut Encoder<Body>) -> Result<(), minicbor::encode::Error<Infallible>>,
    ) {
        self.entries += 1;
        written(self.body.u64(key));
        written(write(&mut self.body));
    }
}

impl minicbor::encode::Write for Body {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn written<T>(result: Result<T, minicbor::encode::Error<Infallible>>) {
    result
        .map(drop)
        .expect("memory takes every byte, and numbers, bytes and text have no conditions");
}

/// A value of a map, borrowed from its bytes.
#[derive(Clone, Copy)]
pub(super) enum CborValue<'a> {
    Bytes(&'a [u8]),
    /// The bytes of a map inside the map.
    Map(&'a [u8]),
    /// Something that no version so far writes.
    Other,
    Text(&'a str),
    Uint(u64),
}

/// The bytes are not one map with ascending integer keys and nothing after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAMap;

impl From<minicbor::decode::Error> for NotAMap {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// Takes a map apart.
pub(super) fn read_map(bytes: &[u8]) -> Result<Vec<(u64, CborValue<'_>)>, NotAMap> {
    let mut decoder = Decoder::new(bytes);
    let count = decoder.map()?.ok_or(NotAMap)?;
    let mut entries: Vec<(u64, CborValue<'_>)> = Vec::new();
    for _ in 0..count {
        let key = decoder.u64()?;
        if entries.last().is_some_and(|(last, _)| *last >= key) {
            return Err(NotAMap);
        }
        let value = match decoder.datatype()? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => CborValue::Uint(decoder.u64()?),
            Type::Bytes => CborValue::Bytes(decoder.bytes()?),
            Type::String => CborValue::Text(decoder.str()?),
            Type::Map => {
                let start = decoder.position();
                decoder.skip()?;
                CborValue::Map(bytes.get(start..decoder.position()).ok_or(NotAMap)?)
            }
            _ => {
                decoder.skip()?;
                CborValue::Other
            }
        };
        entries.push((key, value));
    }
    if decoder.position() == bytes.len() {
        Ok(entries)
    } else {
        Err(NotAMap)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_map_is_written_in_its_shortest_form() {
        let mut inner = MapWriter::new();
        inner.uint(0, 65_536);
        let mut map = MapWriter::new();
        map.uint(0, 23);
        map.text(1, "é");
        map.bytes(2, &[1]);
        map.map(24, inner);
        assert_eq!(
            **map.finish(),
            [
                0xa4, 0, 0x17, 1, 0x62, 0xc3, 0xa9, 2, 0x41, 1, 0x18, 24, 0xa1, 0, 0x1a, 0, 1, 0, 0
            ]
        );
    }

    #[test]
    fn order_repetition_and_leftovers_are_refused() {
        for bad in [
            &[0xa2, 1, 0, 0, 0][..],
            &[0xa2, 0, 0, 0, 0],
            &[0xa0, 0],
            &[0xa1, 0],
            &[0xbf, 0xff],
            &[0x80],
            &[],
        ] {
            assert!(read_map(bad).is_err(), "{bad:?}");
        }
        assert!(
            read_map(&[0xa1, 0, 0xf6]).is_ok_and(|map| matches!(map[..], [(0, CborValue::Other)]))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in any::<Vec<u8>>(), count in 0_u8..24) {
            drop(read_map(&bytes));
            bytes.insert(0, 0xa0 | count);
            drop(read_map(&bytes));
        }
    }
}
