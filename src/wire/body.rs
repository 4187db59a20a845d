//! The one reader of bodies: it checks limit, memory, silence and pace, and takes a broken stream for an error.

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, StatusCode, header::CONTENT_LENGTH};

use super::{
    pace::{Pace, PaceLimits, TooSlow},
    reserve::{Reservation, Reservations},
};

/// What a body may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body taken.
    pub max_bytes: u64,
    /// The slowest that it may come.
    pub pace: PaceLimits,
}

impl Limits {
    /// The usual pace.
    #[must_use]
    pub const fn of(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            pace: PaceLimits::USUAL,
        }
    }
}

/// A whole body and the memory reserved for it.
#[derive(Debug)]
pub struct Held {
    bytes: Vec<u8>,
    reservation: Reservation,
}

impl Held {
    /// The bytes, and the reservation to keep for as long as they live.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Reservation) {
        (self.bytes, self.reservation)
    }

    /// Joins bytes with the reservation that stands for them.
    #[must_use]
    pub fn new(bytes: Vec<u8>, reservation: Reservation) -> Self {
        Self { bytes, reservation }
    }

    /// The bytes as a response's body; the reservation ends when the last of them has been sent.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a request's body, whose `Content-Length` must say how long it is.
///
/// # Errors
/// [`ReadBodyError`]; [`ReadBodyError::status`] is the answer to give. What was sent in vain is read away by [`drain`].
pub async fn read_request<B>(
    headers: &HeaderMap,
    body: B,
    limits: &Limits,
    memory: &Reservations,
) -> Result<Held, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let admitted = match content_length(headers) {
        Ok(Some(len)) if len > limits.max_bytes => Err(ReadBodyError::TooLarge),
        Ok(Some(len)) => memory
            .reserve(len)
            .map(|held| (len, held))
            .map_err(|_full| ReadBodyError::Busy),
        Ok(None) => Err(ReadBodyError::LengthMissing),
        Err(error) => Err(error),
    };
    match admitted {
        Ok((len, reservation)) => read(body, Some(len), reservation, limits).await,
        Err(error) => {
            drain(body).await;
            Err(error)
        }
    }
}

/// Reads a response's body, whose length may be unknown.
///
/// # Errors
/// [`ReadBodyError`]; never [`ReadBodyError::LengthMissing`].
pub async fn read_response<B>(
    headers: &HeaderMap,
    body: B,
    limits: &Limits,
    memory: &Reservations,
) -> Result<Held, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let len = content_length(headers)?;
    if len.is_some_and(|len| len > limits.max_bytes) {
        return Err(ReadBodyError::TooLarge);
    }
    let reservation = memory
        .reserve(len.unwrap_or(0))
        .map_err(|_full| ReadBodyError::Busy)?;
    read(body, len, reservation, limits).await
}

async fn read<B>(
    mut body: B,
    expected: Option<u64>,
    mut reservation: Reservation,
    limits: &Limits,
) -> Result<Held, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let capacity =
        usize::try_from(expected.unwrap_or(0)).map_err(|_too_long| ReadBodyError::TooLarge)?;
    let mut bytes = Vec::with_capacity(capacity);
    let mut reserved = expected.unwrap_or(0);
    let mut pace = Pace::new(
        &limits.pace,
        expected.unwrap_or(limits.max_bytes),
        Instant::now(),
    );
    while let Some(frame) = pace.watch(body.frame()).await? {
        let Ok(mut data) = frame.map_err(|_broken| ReadBodyError::Broken)?.into_data() else {
            continue;
        };
        let len = bytes.len() as u64 + data.len() as u64;
        if len > expected.unwrap_or(limits.max_bytes) {
            return Err(ReadBodyError::TooLarge);
        }
        if len > reserved {
            // Of unknown length: grow in steps, so that a small answer does not cost the whole limit.
            let step = len
                .max(reserved.saturating_mul(2))
                .min(limits.max_bytes.max(len));
            reservation
                .grow(step - reserved)
                .map_err(|_full| ReadBodyError::Busy)?;
            reserved = step;
            bytes.reserve_exact(
                usize::try_from(step - bytes.len() as u64)
                    .map_err(|_too_long| ReadBodyError::TooLarge)?,
            );
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            bytes.extend_from_slice(chunk);
            let taken = chunk.len();
            data.advance(taken);
        }
        pace.moved(len);
    }
    if expected.is_some_and(|expected| expected != bytes.len() as u64) {
        return Err(ReadBodyError::Broken);
    }
    Ok(Held { bytes, reservation })
}

/// Reads and forgets what still comes, for a moment: a sender who is refused should see the answer and not a broken
/// connection.
pub async fn drain<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left: usize = 16 * 1024 * 1024;
    let reading = async {
        // For as long as something comes.
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(DRAIN_IDLE, body.frame()).await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    drop(tokio::time::timeout(DRAIN_LIMIT, reading).await);
}

const DRAIN_IDLE: Duration = Duration::from_secs(3);
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// The `Content-Length`, when there is one.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, ReadBodyError> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let text = first
        .to_str()
        .map_err(|_not_text| ReadBodyError::BadLength)?;
    if values.any(|other| other != first)
        || text.is_empty()
        || !text.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(ReadBodyError::BadLength);
    }
    text.parse()
        .map(Some)
        .map_err(|_overflow| ReadBodyError::TooLarge)
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadBodyError {
    /// `Content-Length` is no number, or says two things.
    #[error("Bad content length")]
    BadLength,
    /// The stream ended before the body did.
    #[error("Body cut off")]
    Broken,
    /// No memory left to promise.
    #[error("Server busy, try again later")]
    Busy,
    /// No `Content-Length`.
    #[error("Length required")]
    LengthMissing,
    /// Nothing came for too long, or too little.
    #[error("Body too slow")]
    Slow,
    /// Longer than the limit.
    #[error("Request body too large")]
    TooLarge,
}

impl From<TooSlow> for ReadBodyError {
    fn from(_slow: TooSlow) -> Self {
        Self::Slow
    }
}

impl ReadBodyError {
    /// The status that answers it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadLength | Self::Broken => StatusCode::BAD_REQUEST,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::LengthMissing => StatusCode::LENGTH_REQUIRED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    const LIMITS: Limits = Limits::of(100);

    fn headers(length: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, length.parse().unwrap());
        headers
    }

    fn of(len: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![7; len]))
    }

    #[tokio::test]
    async fn a_body_of_its_length_is_read_and_its_memory_is_given_back_with_the_bytes() {
        let memory = Reservations::new(100);
        let held = read_request(&headers("100"), of(100), &LIMITS, &memory)
            .await
            .unwrap();
        assert_eq!(memory.reserved_bytes(), 100);
        let error = read_request(&headers("1"), of(1), &LIMITS, &memory)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Busy);
        let bytes = held.into_bytes();
        assert_eq!(bytes.len(), 100);
        assert_eq!(memory.reserved_bytes(), 100);
        drop(bytes);
        assert_eq!(memory.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn lengths_are_judged_before_the_first_byte() {
        let memory = Reservations::new(1000);
        for (length, body, error) in [
            ("101", 101, ReadBodyError::TooLarge),
            ("99999999999999999999999", 5, ReadBodyError::TooLarge),
            ("-1", 5, ReadBodyError::BadLength),
            ("+5", 5, ReadBodyError::BadLength),
            ("6", 5, ReadBodyError::Broken),
            ("4", 5, ReadBodyError::TooLarge),
        ] {
            assert_eq!(
                read_request(&headers(length), of(body), &LIMITS, &memory)
                    .await
                    .unwrap_err(),
                error,
                "{length}"
            );
        }
        let error = read_request(&HeaderMap::new(), of(5), &LIMITS, &memory)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::LengthMissing);
        assert_eq!(memory.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn an_answer_of_unknown_length_stops_at_the_limit() {
        let memory = Reservations::new(1000);
        let held = read_response(&HeaderMap::new(), of(100), &LIMITS, &memory)
            .await
            .unwrap();
        assert_eq!(held.as_ref().len(), 100);
        let error = read_response(&HeaderMap::new(), of(101), &LIMITS, &memory)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::TooLarge);
    }

    #[tokio::test]
    async fn a_broken_stream_is_no_end() {
        let frames = futures_util::stream::iter([
            Ok(Frame::data(Bytes::from_static(b"half"))),
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        ]);
        let memory = Reservations::new(1000);
        let error = read_response(&HeaderMap::new(), StreamBody::new(frames), &LIMITS, &memory)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Broken);
        assert_eq!(memory.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn silence_is_cut() {
        let limits = Limits {
            pace: PaceLimits {
                first: Duration::from_millis(1),
                ..PaceLimits::USUAL
            },
            ..LIMITS
        };
        let frames = futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
        let memory = Reservations::new(1000);
        let error = read_request(&headers("5"), StreamBody::new(frames), &limits, &memory)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Slow);
    }

    #[tokio::test]
    async fn a_trickle_is_cut() {
        let limits = Limits {
            pace: PaceLimits {
                window: Duration::from_millis(20),
                window_bytes: 1 << 20,
                ..PaceLimits::USUAL
            },
            ..Limits::of(1 << 30)
        };
        let trickle = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((
                Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"x"))),
                (),
            ))
        });
        let memory = Reservations::new(1 << 30);
        let body = StreamBody::new(Box::pin(trickle));
        let error = read_request(&headers("1000000"), body, &limits, &memory)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Slow);
        assert_eq!(memory.reserved_bytes(), 0);
    }
}
