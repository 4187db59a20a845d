//! How pointers, invitations and headers are written as CBOR: maps with ascending integer keys, in the one deterministic
//! encoding of RFC 8949 section 4.2.
//!
//! Reading a small map is in two steps: [`read_map`] takes it apart, then the caller writes what it understood with
//! [`MapWriter`] and compares, so that only the one encoding is ever accepted. What may be large (lists of parts, manifests
//! of folders, records of transfers) is read by [`StrictReader`], which takes no memory and accepts only that encoding.

use core::convert::Infallible;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::bytes::Reader;

/// Writes one map; keys must come in ascending order.
pub(super) struct MapWriter {
    entries: u64,
    body: Encoder<Body>,
}

/// Room for the largest pointer.
const ROOM: usize = 1024;
/// Length of the longest beginning of a value: a byte, and eight of a number.
const MAX_HEAD_LEN: usize = 9;

struct Body(Zeroizing<Vec<u8>>);

impl MapWriter {
    pub(super) fn new() -> Self {
        Self::with_room(ROOM)
    }

    /// For a map of up to `len_bytes` bytes, so that a growing buffer leaves no copy of a key behind.
    pub(super) fn with_room(len_bytes: usize) -> Self {
        let room = len_bytes.saturating_add(MAX_HEAD_LEN);
        Self {
            entries: 0,
            body: Encoder::new(Body(Zeroizing::new(Vec::with_capacity(room)))),
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

    pub(super) fn array(&mut self, key: u64, value: ArrayWriter) {
        let value = value.finish();
        self.entry(key, |_| Ok(()));
        self.body.writer_mut().0.extend_from_slice(&value);
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        let Body(mut whole) = self.body.into_writer();
        let mut head = Vec::with_capacity(MAX_HEAD_LEN);
        written(Encoder::new(&mut head).map(self.entries));
        whole.splice(0..0, head);
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

/// Writes one array.
pub(super) struct ArrayWriter {
    items: u64,
    body: Encoder<Body>,
}

impl ArrayWriter {
    pub(super) fn new() -> Self {
        Self {
            items: 0,
            body: Encoder::new(Body(Zeroizing::new(Vec::with_capacity(ROOM)))),
        }
    }

    pub(super) fn uint(&mut self, value: u64) {
        self.items += 1;
        written(self.body.u64(value));
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.items += 1;
        written(self.body.bytes(value));
    }

    pub(super) fn text(&mut self, value: &str) {
        self.items += 1;
        written(self.body.str(value));
    }

    pub(super) fn array(&mut self, value: Self) {
        self.items += 1;
        self.body.writer_mut().0.extend_from_slice(&value.finish());
    }

    fn finish(self) -> Zeroizing<Vec<u8>> {
        let body = self.body.into_writer();
        let mut whole = Zeroizing::new(Vec::with_capacity(ROOM));
        written(Encoder::new(&mut *whole).array(self.items));
        whole.extend_from_slice(&body.0);
        whole
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

/// A value of a map or an array, borrowed from its bytes.
#[derive(Clone, Copy)]
pub(super) enum CborValue<'a> {
    /// The bytes of an array inside it.
    Array(&'a [u8]),
    Bytes(&'a [u8]),
    /// The bytes of a map inside it.
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
        entries.push((key, read_value(&mut decoder)?));
    }
    if decoder.position() == bytes.len() {
        Ok(entries)
    } else {
        Err(NotAMap)
    }
}

/// Reads values one after the other, each in the one deterministic encoding. Takes no memory, however large or hostile
/// the bytes are.
#[derive(Clone)]
pub(super) struct StrictReader<'a>(Reader<'a>);

/// The bytes are not the one deterministic encoding of what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotStrict;

/// The major types of RFC 8949, section 3.1, that are read.
const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const MAP: u8 = 5;

impl<'a> StrictReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(Reader::new(bytes))
    }

    /// Number of bytes that are left.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn uint(&mut self) -> Result<u64, NotStrict> {
        self.head(UINT)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], NotStrict> {
        let len = self.head(BYTES)?;
        self.take(len)
    }

    /// Like [`StrictReader::bytes`], as an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], NotStrict> {
        self.bytes()?.try_into().or(Err(NotStrict))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, NotStrict> {
        let len = self.head(TEXT)?;
        str::from_utf8(self.take(len)?).or(Err(NotStrict))
    }

    /// Whether a text comes next, to tell it from bytes.
    pub(super) fn is_text_next(&self) -> bool {
        let first = self.0.clone().u8();
        first.is_ok_and(|first| first >> 5 == TEXT)
    }

    /// Enters a map; its keys come from [`MapKeys::next`], each followed by reading its value.
    pub(super) fn map(&mut self) -> Result<MapKeys, NotStrict> {
        Ok(MapKeys {
            left: self.head(MAP)?,
            last: None,
        })
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], NotStrict> {
        let len = usize::try_from(len).or(Err(NotStrict))?;
        self.0.take(len).or(Err(NotStrict))
    }

    /// The number in the beginning of a value, which must be of type `major` and in its shortest form.
    fn head(&mut self, major: u8) -> Result<u64, NotStrict> {
        let first = self.0.u8().or(Err(NotStrict))?;
        if first >> 5 != major {
            return Err(NotStrict);
        }
        let (number, least) = match first & 0x1f {
            small @ 0..=23 => (Ok(u64::from(small)), 0),
            24 => (self.0.u8().map(u64::from), 24),
            25 => (
                self.0.array().map(|bytes| u16::from_be_bytes(bytes).into()),
                1 << 8,
            ),
            26 => (
                self.0.array().map(|bytes| u32::from_be_bytes(bytes).into()),
                1 << 16,
            ),
            27 => (self.0.array().map(u64::from_be_bytes), 1 << 32),
            _ => return Err(NotStrict),
        };
        number
            .ok()
            .filter(|number| *number >= least)
            .ok_or(NotStrict)
    }
}

/// The keys of a map that [`StrictReader::map`] entered.
pub(super) struct MapKeys {
    left: u64,
    last: Option<u64>,
}

impl MapKeys {
    /// The next key, higher than the one before; `None` at the end of the map.
    pub(super) fn next(&mut self, reader: &mut StrictReader<'_>) -> Result<Option<u64>, NotStrict> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        let key = reader.uint()?;
        if self.last.is_some_and(|last| last >= key) {
            return Err(NotStrict);
        }
        (self.left, self.last) = (left, Some(key));
        Ok(Some(key))
    }
}

/// The bytes are not one array of known length and nothing after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAnArray;

impl From<minicbor::decode::Error> for NotAnArray {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// Takes an array apart.
pub(super) fn read_array(bytes: &[u8]) -> Result<Vec<CborValue<'_>>, NotAnArray> {
    let mut decoder = Decoder::new(bytes);
    let count = decoder.array()?.ok_or(NotAnArray)?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read_value(&mut decoder)?);
    }
    if decoder.position() == bytes.len() {
        Ok(items)
    } else {
        Err(NotAnArray)
    }
}

fn read_value<'a>(decoder: &mut Decoder<'a>) -> Result<CborValue<'a>, minicbor::decode::Error> {
    let whole = |decoder: &mut Decoder<'a>| {
        let start = decoder.position();
        decoder.skip()?;
        let inner = decoder.input().get(start..decoder.position());
        Ok::<_, minicbor::decode::Error>(inner.unwrap_or_default())
    };
    Ok(match decoder.datatype()? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => CborValue::Uint(decoder.u64()?),
        Type::Bytes => CborValue::Bytes(decoder.bytes()?),
        Type::String => CborValue::Text(decoder.str()?),
        Type::Array => CborValue::Array(whole(decoder)?),
        Type::Map => CborValue::Map(whole(decoder)?),
        _ => {
            decoder.skip()?;
            CborValue::Other
        }
    })
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

    #[test]
    fn a_strict_reader_reads_what_is_written() {
        let long = "x".repeat(70_000);
        let mut map = MapWriter::with_room(80_000);
        map.uint(0, u64::MAX);
        map.bytes(1, &[7; 300]);
        map.text(1 << 40, &long);
        let bytes = map.finish();
        let mut reader = StrictReader::new(&bytes);
        let mut keys = reader.map().unwrap();
        assert_eq!(keys.next(&mut reader), Ok(Some(0)));
        assert_eq!(reader.uint(), Ok(u64::MAX));
        assert_eq!(keys.next(&mut reader), Ok(Some(1)));
        assert!(!reader.is_text_next());
        assert_eq!(reader.bytes(), Ok(&[7; 300][..]));
        assert_eq!(keys.next(&mut reader), Ok(Some(1 << 40)));
        assert!(reader.is_text_next());
        assert_eq!(reader.text(), Ok(long.as_str()));
        assert_eq!(keys.next(&mut reader), Ok(None));
        assert!(reader.is_empty());
    }

    #[test]
    fn a_strict_reader_refuses_every_longer_form() {
        for bad in [
            &[0x18, 23][..],
            &[0x19, 0, 255],
            &[0x1a, 0, 0, 255, 255],
            &[0x1b, 0, 0, 0, 0, 255, 255, 255, 255],
            &[0x1c],
            &[0x1f],
            &[0x20],
            &[0x18],
            &[],
        ] {
            assert_eq!(StrictReader::new(bad).uint(), Err(NotStrict), "{bad:?}");
        }
        let cut = StrictReader::new(&[0x5b, 255, 255, 255, 255, 255, 255, 255, 255]).bytes();
        assert_eq!(cut, Err(NotStrict));
        assert_eq!(StrictReader::new(&[0x61, 0xff]).text(), Err(NotStrict));
        let mut reader = StrictReader::new(&[0xa2, 1, 1]);
        let mut keys = reader.map().unwrap();
        assert_eq!(keys.next(&mut reader), Ok(Some(1)));
        assert_eq!(keys.next(&mut reader), Err(NotStrict));
    }

    #[test]
    fn an_array_is_written_and_read_inside_a_map() {
        let mut inner = ArrayWriter::new();
        inner.bytes(&[7]);
        let mut array = ArrayWriter::new();
        array.uint(500);
        array.text("é");
        array.array(inner);
        let mut map = MapWriter::new();
        map.array(3, array);
        let bytes = map.finish();
        assert_eq!(
            **bytes,
            [
                0xa1, 3, 0x83, 0x19, 1, 0xf4, 0x62, 0xc3, 0xa9, 0x81, 0x41, 7
            ]
        );
        let map = read_map(&bytes).unwrap();
        let [(3, CborValue::Array(array))] = map[..] else {
            panic!("no array");
        };
        let items = read_array(array).unwrap();
        let [
            CborValue::Uint(500),
            CborValue::Text("é"),
            CborValue::Array(inner),
        ] = items[..]
        else {
            panic!("other items");
        };
        assert!(matches!(
            read_array(inner).unwrap()[..],
            [CborValue::Bytes([7])]
        ));
        for bad in [
            &[0x81, 0, 0][..],
            &[0x81],
            &[0x9f, 0xff],
            &[0xa0],
            &[0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
            &[],
        ] {
            assert!(read_array(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_strict_reader_accepts_one_form_of_a_number(number in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..10)) {
            let mut written = Vec::new();
            Encoder::new(&mut written).u64(number).unwrap();
            prop_assert_eq!(StrictReader::new(&written).uint(), Ok(number));
            let mut reader = StrictReader::new(&bytes);
            if let Ok(read) = reader.uint() {
                let mut written = Vec::new();
                Encoder::new(&mut written).u64(read).unwrap();
                prop_assert_eq!(&bytes[..bytes.len() - reader.len()], &written[..]);
            }
        }

        #[test]
        fn no_bytes_panic(mut bytes in any::<Vec<u8>>(), count in 0_u8..24) {
            drop(read_map(&bytes));
            drop(read_array(&bytes));
            bytes.insert(0, 0xa0 | count);
            drop(read_map(&bytes));
        }
    }
}
