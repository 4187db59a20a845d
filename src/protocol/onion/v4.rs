//! The v4 request and answer: a bencoded list of a JSON head and a body.
//!
//! `l<len>:<head><len>:<body>e`; a request without a body leaves the second string out, an answer never does.
//! Spaces after the head's JSON are legal everywhere and bring a message to the length it must have.

use core::fmt;
use core::ops::Range;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::protocol::bytes::Reader;
use crate::protocol::json::{self, JsonError, Scalar, Text, TextLimits};

/// Bytes of an answer without a blob, before sealing.
pub const ANSWER_LEN: usize = 1_536;

/// Bytes an answer with a blob has more than the blob, before sealing.
pub const BLOB_ANSWER_OVERHEAD: usize = 320;

/// The most bytes of JSON in the head of a request or an answer, without the spaces after it.
pub const MAX_HEAD_JSON_LEN: usize = 16_384;

/// The most headers of a request or an answer.
pub const MAX_HEADERS: usize = 32;

/// Headers in the order they are sent, names in lower case on the way back.
pub type Headers = Vec<(String, String)>;

/// Method, endpoint and headers of a request; the body travels beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path at the server, starting with `/`.
    pub endpoint: String,
    /// In the order they are sent.
    pub headers: Headers,
}

/// The answer of a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The inner status: the one that decides.
    pub code: u16,
    /// Names in lower case.
    pub headers: Headers,
    /// Never absent, may be empty; gone from memory with the answer.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Bytes that are no v4 message.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a v4 message")]
pub struct V4Error;

/// A message cannot be brought to the length it must have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the message does not fit its constant length")]
pub struct FillError;

#[derive(Serialize)]
struct RequestOut<'a> {
    method: &'a str,
    endpoint: &'a str,
    headers: HeadersOut<'a>,
}

#[derive(Serialize)]
struct AnswerOut<'a> {
    code: u16,
    headers: HeadersOut<'a>,
}

struct HeadersOut<'a>(&'a Headers);

impl Serialize for HeadersOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Deserialize)]
struct RequestIn {
    method: String,
    endpoint: String,
    #[serde(default)]
    headers: HeadersIn,
}

#[derive(Deserialize)]
struct AnswerIn {
    code: u16,
    #[serde(default)]
    headers: HeadersIn,
}

/// At most [`MAX_HEADERS`] headers whose values are texts or numbers. Of a repeated name the last value counts.
#[derive(Default)]
struct HeadersIn(Headers);

impl<'de> Deserialize<'de> for HeadersIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfHeaders;
        impl<'de> Visitor<'de> for OfHeaders {
            type Value = HeadersIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MAX_HEADERS} headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeadersIn, A::Error> {
                let mut headers = Headers::new();
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, Scalar<'de>>()? {
                    let value = match value {
                        Scalar::Text(text) => text.into_owned(),
                        Scalar::Number(number) => number.to_string(),
                        Scalar::Null | Scalar::Other => {
                            return Err(A::Error::custom("a header is neither text nor number"));
                        }
                    };
                    if let Some((_, earlier)) = headers.iter_mut().find(|(known, _)| *known == name)
                    {
                        *earlier = value;
                    } else if headers.len() < MAX_HEADERS {
                        headers.push((name.into_owned(), value));
                    } else {
                        return Err(A::Error::custom("too many headers"));
                    }
                }
                Ok(HeadersIn(headers))
            }
        }

        deserializer.deserialize_map(OfHeaders)
    }
}

/// Reads the JSON of a head; the spaces that fill a message up to its length do not count.
fn read_head<'a, T: Deserialize<'a>>(head: &'a [u8]) -> Result<T, JsonError> {
    let len = head
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |last| last + 1);
    json::parse(
        head.get(..len).unwrap_or_default(),
        TextLimits::of(MAX_HEAD_JSON_LEN),
    )
}

/// The two ends of an encoded message; the body goes between them without being copied first.
pub(super) struct Framed {
    pub(super) before: Vec<u8>,
    pub(super) after: &'static [u8],
}

/// Frames a request so that `before + body + after` is exactly `total` bytes.
pub(super) fn frame_request(
    head: &RequestHead,
    body_len: usize,
    total: usize,
) -> Result<Framed, FillError> {
    let json = RequestOut {
        method: &head.method,
        endpoint: &head.endpoint,
        headers: HeadersOut(&head.headers),
    };
    let json = serde_json::to_vec(&json).expect("strings serialise");
    frame(json, (body_len > 0).then_some(body_len), total)
}

/// Encodes an answer: 1,536 bytes, `blob + 320` for a blob, `65,536 + 320` for JSON that is too long for the first.
/// `front` and `back` bytes are left free around it.
///
/// # Errors
/// [`FillError`] when the body is JSON longer than a class-0 blob.
pub(super) fn encode_answer(
    response: Response,
    is_blob: bool,
    front: usize,
    back: usize,
) -> Result<Vec<u8>, FillError> {
    let json = serde_json::to_vec(&AnswerOut {
        code: response.code,
        headers: HeadersOut(&response.headers),
    })
    .expect("strings serialise");
    let mut body = response.body;
    if is_blob {
        let total = body
            .len()
            .checked_add(BLOB_ANSWER_OVERHEAD)
            .ok_or(FillError)?;
        let framed = frame(json, Some(body.len()), total)?;
        return Ok(assemble(&framed, &body, front, back));
    }
    for total in [ANSWER_LEN, SMALLEST_BLOB + BLOB_ANSWER_OVERHEAD] {
        // Where the digits of a length skip the value that is needed, one space after the body's JSON shifts it.
        for spaces in 0..2 {
            let room = body.len() + spaces;
            if let Ok(framed) = frame(json.clone(), Some(room), total) {
                body.resize(room, b' ');
                return Ok(assemble(&framed, &body, front, back));
            }
        }
    }
    Err(FillError)
}

/// The beginning of an answer with a blob, up to where the blob goes, in a buffer with room for the whole of it and for
/// `overhead` bytes of sealing, `front` of them before it.
pub(super) fn begin_blob_answer(
    headers: &Headers,
    blob_len: usize,
    front: usize,
    overhead: usize,
) -> Result<Vec<u8>, FillError> {
    let json = serde_json::to_vec(&AnswerOut {
        code: 200,
        headers: HeadersOut(headers),
    })
    .expect("strings serialise");
    let total = blob_len
        .checked_add(BLOB_ANSWER_OVERHEAD)
        .ok_or(FillError)?;
    let framed = frame(json, Some(blob_len), total)?;
    let mut out = Vec::with_capacity(total + overhead);
    out.resize(front, 0);
    out.extend_from_slice(&framed.before);
    Ok(out)
}

fn assemble(framed: &Framed, body: &[u8], front: usize, back: usize) -> Vec<u8> {
    let mut out =
        Vec::with_capacity(front + framed.before.len() + body.len() + framed.after.len() + back);
    out.resize(front, 0);
    out.extend_from_slice(&framed.before);
    out.extend_from_slice(body);
    out.extend_from_slice(framed.after);
    out.resize(out.len() + back, 0);
    out
}

fn frame(mut json: Vec<u8>, body_len: Option<usize>, total: usize) -> Result<Framed, FillError> {
    let body_prefix = body_len.map(|len| format!("{len}:")).unwrap_or_default();
    let fixed = 1 + 1 + body_prefix.len() + body_len.unwrap_or(0) + 1;
    let head_room = total.checked_sub(fixed).ok_or(FillError)?;
    let json_len = fill_len(head_room)
        .filter(|len| *len >= json.len())
        .ok_or(FillError)?;
    json.resize(json_len, b' ');
    let mut before = format!("l{json_len}:").into_bytes();
    before.extend_from_slice(&json);
    before.extend_from_slice(body_prefix.as_bytes());
    Ok(Framed { before, after: END })
}

/// The length whose own digits and itself together are `room`.
fn fill_len(room: usize) -> Option<usize> {
    (1..=8)
        .filter_map(|digits: usize| {
            room.checked_sub(digits)
                .filter(|len| len.to_string().len() == digits)
        })
        .next()
}

/// Finds the two strings of the message at `range`; the second is empty when it is absent.
fn split(
    buffer: &[u8],
    range: Range<usize>,
) -> Result<(Range<usize>, Option<Range<usize>>), V4Error> {
    let bytes = buffer.get(range.clone()).ok_or(V4Error)?;
    let mut reader = Reader::new(bytes);
    let mut at = range.start + 1;
    if reader.u8().map_err(|_short| V4Error)? != b'l' {
        return Err(V4Error);
    }
    let mut strings = Vec::with_capacity(2);
    loop {
        let mut len: usize = 0;
        let mut digits = 0;
        loop {
            let byte = reader.u8().map_err(|_short| V4Error)?;
            at += 1;
            match byte {
                b'0'..=b'9' if digits < 8 => {
                    len = len * 10 + usize::from(byte - b'0');
                    digits += 1;
                }
                b':' if digits > 0 => break,
                b'e' if digits == 0 => {
                    reader.expect_empty().map_err(|_trailing| V4Error)?;
                    let mut found = strings.into_iter();
                    return Ok((found.next().ok_or(V4Error)?, found.next()));
                }
                _ => return Err(V4Error),
            }
        }
        if strings.len() == 2 {
            return Err(V4Error);
        }
        reader.take(len).map_err(|_short| V4Error)?;
        strings.push(at..at + len);
        at += len;
    }
}

/// Decodes the request at `range`; the body is cut out of the buffer without a second copy of it, and nothing else of
/// the message stays in it.
///
/// # Errors
/// [`V4Error`] for anything that is not exactly one v4 request with an endpoint that starts with `/`, at most
/// [`MAX_HEADERS`] headers and a head of at most [`MAX_HEAD_JSON_LEN`] bytes.
pub fn decode_request(
    mut buffer: Vec<u8>,
    range: Range<usize>,
) -> Result<(RequestHead, Vec<u8>), V4Error> {
    let (head, body) = split(&buffer, range)?;
    let head = buffer.get(head).ok_or(V4Error)?;
    let json: RequestIn = read_head(head).map_err(|_why| V4Error)?;
    if !json.endpoint.starts_with('/') {
        return Err(V4Error);
    }
    let head = RequestHead {
        method: json.method,
        endpoint: json.endpoint,
        headers: json.headers.0,
    };
    keep(&mut buffer, body.unwrap_or(0..0));
    Ok((head, buffer))
}

/// Decodes the answer at `range`, as [`decode_request`] does.
///
/// # Errors
/// [`V4Error`] for anything that is not exactly one v4 answer.
pub fn decode_answer(
    buffer: impl Into<Zeroizing<Vec<u8>>>,
    range: Range<usize>,
) -> Result<Response, V4Error> {
    let mut buffer = buffer.into();
    let (head, body) = split(&buffer, range)?;
    let head = buffer.get(head).ok_or(V4Error)?;
    let json: AnswerIn = read_head(head).map_err(|_why| V4Error)?;
    let mut headers = json.headers.0;
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    keep(&mut buffer, body.ok_or(V4Error)?);
    Ok(Response {
        code: json.code,
        headers,
        body: buffer,
    })
}

/// Cuts `buffer` down to `range`; what was around it is overwritten.
pub(super) fn keep(buffer: &mut Vec<u8>, range: Range<usize>) {
    let range = range.start.min(buffer.len())..range.end.min(buffer.len());
    let len = range.len();
    if !range.is_empty() {
        buffer.copy_within(range, 0);
    }
    if let Some(rest) = buffer.get_mut(len..) {
        rest.zeroize();
    }
    buffer.truncate(len);
}

/// What ends every message.
pub(super) const END: &[u8] = b"e";
const SMALLEST_BLOB: usize = 65_536;
