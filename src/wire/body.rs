//! The one reader of bodies: it checks limit, memory, silence and pace, and takes a broken stream for an error.

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, StatusCode, header::CONTENT_LENGTH};

use super::{
    admission::Caller,
    pace::{PaceLimits, PaceMeter, TooSlow},
    reserve::{Full, Reservation, next_step},
};

/// Limits for one body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The longest body taken.
    pub max_bytes: u64,
    /// The slowest that it may come.
    pub pace: PaceLimits,
}

impl BodyLimits {
    /// A limit of `max_bytes` at the usual pace.
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
pub struct BufferedBody {
    bytes: Vec<u8>,
    reservation: Reservation,
}

impl BufferedBody {
    /// The bytes, and the reservation to keep for as long as they live.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Reservation) {
        (self.bytes, self.reservation)
    }

    /// Joins bytes with the reservation that stands for them.
    #[must_use]
    pub(crate) fn new(bytes: Vec<u8>, reservation: Reservation) -> Self {
        Self { bytes, reservation }
    }

    /// The bytes as a response's body; the reservation ends when the last of them has been sent.
    #[must_use]
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for BufferedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a request's body, whose `Content-Length` must say how long it is, once the caller has its turn and there is
/// memory for it.
///
/// # Errors
/// [`ReadBodyError`]; [`ReadBodyError::status`] is the answer to give. What is sent in vain has been read away by
/// [`drain`], or nobody sends it any more.
pub async fn read_request<B>(
    headers: &HeaderMap,
    mut body: B,
    limits: &BodyLimits,
    caller: &Caller,
) -> Result<BufferedBody, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let read = async {
        let len = content_length(headers)?.ok_or(ReadBodyError::LengthMissing)?;
        if len > limits.max_bytes {
            return Err(ReadBodyError::TooLarge);
        }
        let reservation = caller.begin(len).await?;
        read(&mut body, Some(len), reservation, limits).await
    };
    let read = read.await;
    if let Err(error) = &read
        && !matches!(error, ReadBodyError::Broken | ReadBodyError::Slow)
    {
        caller.end_turn();
        drain(body).await;
    }
    read
}

/// Reads a response's body, whose length may be unknown, for the caller whose request it answers.
///
/// # Errors
/// [`ReadBodyError`]; never [`ReadBodyError::LengthMissing`].
pub(crate) async fn read_response<B>(
    headers: &HeaderMap,
    mut body: B,
    limits: &BodyLimits,
    caller: &Caller,
) -> Result<BufferedBody, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let len = content_length(headers)?;
    if len.is_some_and(|len| len > limits.max_bytes) {
        return Err(ReadBodyError::TooLarge);
    }
    let reservation = caller.begin_answer(len.unwrap_or(limits.max_bytes)).await?;
    read(&mut body, len, reservation, limits).await
}

async fn read<B>(
    body: &mut B,
    expected: Option<u64>,
    mut reservation: Reservation,
    limits: &BodyLimits,
) -> Result<BufferedBody, ReadBodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let most = expected.unwrap_or(limits.max_bytes);
    let mut bytes = Vec::with_capacity(in_memory(reservation.held_bytes())?);
    let mut pace = PaceMeter::new(&limits.pace, most, Instant::now());
    loop {
        let next = tokio::select! {
            biased;
            () = reservation.gives_up() => return Err(ReadBodyError::Busy),
            next = pace.watch(body.frame()) => next?,
        };
        let Some(frame) = next else { break };
        let Ok(mut data) = frame.map_err(|_broken| ReadBodyError::Broken)?.into_data() else {
            continue;
        };
        let len = bytes.len() as u64 + data.len() as u64;
        if len > most {
            return Err(ReadBodyError::TooLarge);
        }
        if len > reservation.held_bytes() {
            let step = next_step(len, most);
            // Whoever sends cannot help that nothing is read meanwhile.
            pace.forgive(reservation.grow(step).await?);
            bytes.reserve_exact(in_memory(step)? - bytes.len());
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
    reservation.finish()?;
    Ok(BufferedBody { bytes, reservation })
}

fn in_memory(len_bytes: u64) -> Result<usize, ReadBodyError> {
    usize::try_from(len_bytes).map_err(|_too_long| ReadBodyError::TooLarge)
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
    /// No memory came free in time, or others that have more needed it.
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

impl From<Full> for ReadBodyError {
    fn from(_full: Full) -> Self {
        Self::Busy
    }
}

impl From<TooSlow> for ReadBodyError {
    fn from(_slow: TooSlow) -> Self {
        Self::Slow
    }
}

impl ReadBodyError {
    /// The status that answers it.
    #[must_use]
    pub(crate) const fn status(self) -> StatusCode {
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
    use crate::wire::admission::{Admission, Rules};

    const LIMITS: BodyLimits = BodyLimits::of(100);

    fn headers(length: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, length.parse().unwrap());
        headers
    }

    /// Somebody who calls where there is so much memory, and who may have all of it.
    fn caller(max_memory: u64) -> (Admission, Caller) {
        let admission = Admission::new(Rules {
            max_memory,
            limit_addresses: false,
            patience: Duration::from_millis(50),
            ..Rules::default()
        });
        let caller = admission.caller([127, 0, 0, 1].into(), &HeaderMap::new());
        (admission, caller)
    }

    fn of(len: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![7; len]))
    }

    #[tokio::test]
    async fn a_body_of_its_length_is_read_and_its_memory_is_given_back_with_the_bytes() {
        let (memory, caller) = caller(400);
        let held = read_request(&headers("100"), of(100), &LIMITS, &caller)
            .await
            .unwrap();
        assert_eq!(memory.reserved_bytes(), 100);
        let error = read_request(&headers("1"), of(1), &LIMITS, &caller)
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
        let (memory, caller) = caller(4_000);
        for (length, body, error) in [
            ("101", 101, ReadBodyError::TooLarge),
            ("99999999999999999999999", 5, ReadBodyError::TooLarge),
            ("-1", 5, ReadBodyError::BadLength),
            ("+5", 5, ReadBodyError::BadLength),
            ("6", 5, ReadBodyError::Broken),
            ("4", 5, ReadBodyError::TooLarge),
        ] {
            assert_eq!(
                read_request(&headers(length), of(body), &LIMITS, &caller)
                    .await
                    .unwrap_err(),
                error,
                "{length}"
            );
        }
        let error = read_request(&HeaderMap::new(), of(5), &LIMITS, &caller)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::LengthMissing);
        assert_eq!(memory.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn an_answer_of_unknown_length_stops_at_the_limit() {
        let (_memory, caller) = caller(4_000);
        let held = read_response(&HeaderMap::new(), of(100), &LIMITS, &caller)
            .await
            .unwrap();
        assert_eq!(held.as_ref().len(), 100);
        let error = read_response(&HeaderMap::new(), of(101), &LIMITS, &caller)
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
        let (memory, caller) = caller(4_000);
        let error = read_response(&HeaderMap::new(), StreamBody::new(frames), &LIMITS, &caller)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Broken);
        assert_eq!(memory.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn silence_is_cut() {
        let limits = BodyLimits {
            pace: PaceLimits {
                first: Duration::from_millis(1),
                ..PaceLimits::USUAL
            },
            ..LIMITS
        };
        let frames = futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
        let (_memory, caller) = caller(4_000);
        let error = read_request(&headers("5"), StreamBody::new(frames), &limits, &caller)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Slow);
    }

    #[tokio::test]
    async fn a_trickle_is_cut() {
        let limits = BodyLimits {
            pace: PaceLimits {
                window: Duration::from_millis(20),
                window_bytes: 1 << 20,
                ..PaceLimits::USUAL
            },
            ..BodyLimits::of(1 << 30)
        };
        let trickle = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((
                Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"x"))),
                (),
            ))
        });
        let (memory, caller) = caller(1 << 30);
        let body = StreamBody::new(Box::pin(trickle));
        let error = read_request(&headers("1000000"), body, &limits, &caller)
            .await
            .unwrap_err();
        assert_eq!(error, ReadBodyError::Slow);
        assert_eq!(memory.reserved_bytes(), 0);
    }
}
