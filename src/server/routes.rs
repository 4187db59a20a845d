//! The HTTP routes: onion requests, plain ones where the operator allows them, and the health check.

use std::sync::Arc;

use futures_util::StreamExt as _;
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue},
};
use parking_lot::Mutex;

use super::files::{Answered, Download, Files, IncomingRequest};
use super::keys::Keys;
use super::operate::stats::{Counter, Stats};
use super::store::PIECE_LEN;
use crate::{
    protocol::{
        file_api::{FileAnswer, FileRequest, refusal},
        network::RelayRequest,
        onion::{
            MAX_MESSAGE_LEN, ReplayCheck, ReplayMemory, SERVER_ENDPOINT, ServerReply,
            open_request_by,
            v4::{BLOB_ANSWER_OVERHEAD, Headers, RequestHead, Response},
        },
    },
    wire::{
        admission::Caller,
        body::{self, BodyLimits, BufferedBody, ReadBodyError},
        clock::Clock,
        listener::{HttpResponse, MAX_BUFFERED_LEN, answer, answer_pieces},
        random,
        reserve::Reservation,
        web_guard::WebGuard,
    },
};

/// The routes of a server.
pub(super) struct Routes {
    pub(super) files: Arc<Files>,
    pub(super) keys: Arc<Keys>,
    pub(super) seen: Mutex<ReplayMemory>,
    pub(super) guard: WebGuard,
    pub(super) plain_http: bool,
    pub(super) clock: Clock,
    pub(super) stats: Arc<Stats>,
}

impl Routes {
    pub(super) async fn answer(&self, caller: &Caller, request: Request<Incoming>) -> HttpResponse {
        if let Err(refused) = self.guard.check(request.headers()) {
            return answer(StatusCode::FORBIDDEN, refused.to_string());
        }
        match (request.method(), request.uri().path()) {
            (&Method::POST, SERVER_ENDPOINT) => self.onion(caller, request).await,
            (&Method::GET, "/health") if caller.ip().is_loopback() => self.health().await,
            _ if self.plain_http => self.plain(caller, request).await,
            _ => answer(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    async fn health(&self) -> HttpResponse {
        if self.files.works().await {
            answer(StatusCode::OK, "ok")
        } else {
            answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "The store cannot be written and read",
            )
        }
    }

    /// Answers an onion request. A request that could be opened gets a sealed reply and status 200, whatever the reply
    /// says.
    async fn onion(&self, caller: &Caller, request: Request<Incoming>) -> HttpResponse {
        let (head, body) = request.into_parts();
        let held = match body::read_request(&head.headers, body, &ONION_LIMITS, caller).await {
            Ok(held) => held,
            Err(error) => return answer(error.status(), error.to_string()),
        };
        let (bytes, reservation) = held.into_parts();
        let now = (self.clock)();
        let keys = Arc::clone(&self.keys);
        // Off the runtime's threads: a request has up to 10 MiB to be opened.
        let opening = tokio::task::spawn_blocking(move || {
            let (publics, secrets): (Vec<_>, Vec<_>) = keys.good(now).into_iter().unzip();
            let opened = open_request_by(&secrets, bytes).ok()?;
            Some((*publics.get(opened.key)?, opened))
        });
        let Ok(Some((key, opened))) = opening.await else {
            return self.invalid();
        };
        // Only what could be opened is remembered, so that noise does not fill the memory; and before it is answered, so that
        // of two copies at the same moment one is refused.
        let remembered = self.seen.lock().insert(opened.tag, caller.address(), now);
        match remembered {
            ReplayCheck::Fresh => {}
            ReplayCheck::NoRoom => {
                let busy = ReadBodyError::Busy;
                return answer(busy.status(), busy.to_string());
            }
            // Refused like what cannot be opened: whoever sends a copy learns nothing from it.
            ReplayCheck::Seen => return self.invalid(),
        }
        let reply = Arc::new(opened.reply);
        let answered = match opened.request {
            None => Answered::Said(FileAnswer::Refused(400)),
            Some((head, body)) if RelayRequest::is_meant_by(&head) => {
                let response = match self.files.relay_lists.network() {
                    Some(network) => network.answer(caller, &head, body).await,
                    None => FileAnswer::Refused(404).into_response().0,
                };
                return sealed(&reply, response, false);
            }
            Some((head, body)) => match FileRequest::parse(&head, body) {
                Ok(request) => {
                    let asked = IncomingRequest {
                        request,
                        key,
                        reservation: Some(reservation),
                    };
                    self.files.answer(asked).await
                }
                Err(error) => Answered::Said(FileAnswer::Refused(refusal(error))),
            },
        };
        let said = match answered {
            Answered::Blob(download) => match self.seal_blob(caller, &reply, download).await {
                Ok(answer) => return answer,
                Err(code) => FileAnswer::Refused(code),
            },
            Answered::Said(said) => said,
        };
        let (response, is_blob) = said.into_response();
        sealed(&reply, response, is_blob)
    }

    /// The blob in one buffer: read to where it lies in the answer, sealed there, sent from there.
    async fn seal_blob(
        &self,
        caller: &Caller,
        reply: &Arc<ServerReply>,
        download: Download,
    ) -> Result<HttpResponse, u16> {
        let len_bytes = download.found.len();
        let reservation = caller
            .reserve(len_bytes + ANSWER_OVERHEAD)
            .await
            .map_err(|_full| 503_u16)?;
        let len = usize::try_from(len_bytes).map_err(|_too_long| 500_u16)?;
        let begun = reply
            .begin_blob(&download.headers(), len)
            .map_err(|_too_long| 500_u16)?;
        let begun = download
            .found
            .read_into(begun)
            .await
            .map_err(|_fault| 500_u16)?;
        let reply = Arc::clone(reply);
        let sealing =
            tokio::task::spawn_blocking(move || reply.seal_blob(begun, &mut random::system()));
        let sealed = sealing.await.map_err(|_panicked| 500_u16)?;
        self.count_download(len_bytes);
        Ok(answer(
            StatusCode::OK,
            BufferedBody::new(sealed, reservation).into_bytes(),
        ))
    }

    /// Answers plain requests on the paths of onion requests; a blob is sent as it is read.
    async fn plain(&self, caller: &Caller, request: Request<Incoming>) -> HttpResponse {
        let (parts, body) = request.into_parts();
        let head = RequestHead {
            method: parts.method.as_str().to_owned(),
            endpoint: parts.uri.path().to_owned(),
            headers: text_headers(&parts.headers),
        };
        let mut reservation = None;
        let mut bytes = Vec::new();
        if parts.method == Method::POST && head.endpoint == "/file" {
            let limits = BodyLimits::of(self.files.max_blob());
            match body::read_request(&parts.headers, body, &limits, caller).await {
                Ok(held) => {
                    let (body, held) = held.into_parts();
                    bytes = body;
                    reservation = Some(held);
                }
                Err(error) => return plain_response(FileAnswer::Refused(error.status().as_u16())),
            }
        }
        let answered = match FileRequest::parse(&head, bytes) {
            Ok(request) => {
                let asked = IncomingRequest {
                    request,
                    key: self.keys.own(),
                    reservation,
                };
                self.files.answer(asked).await
            }
            Err(error) => Answered::Said(FileAnswer::Refused(refusal(error))),
        };
        match answered {
            Answered::Blob(download) => match caller.reserve(PIECES_LEN).await {
                Ok(reservation) => self.send_pieces(download, reservation),
                Err(_full) => plain_response(FileAnswer::Refused(503)),
            },
            Answered::Said(answer) => plain_response(answer),
        }
    }

    fn send_pieces(&self, download: Download, reservation: Reservation) -> HttpResponse {
        let headers = download.headers();
        let len_bytes = download.found.len();
        self.count_download(len_bytes);
        let pieces = download.found.pieces().inspect(move |_piece| {
            // Held for as long as pieces are read.
            let _held = &reservation;
        });
        let mut sent = answer_pieces(pieces, len_bytes);
        put_headers(&mut sent, headers);
        sent
    }

    fn count_download(&self, len_bytes: u64) {
        self.stats.add(Counter::Downloads, 1);
        self.stats.add(Counter::DownloadBytes, len_bytes);
    }

    fn invalid(&self) -> HttpResponse {
        self.stats.add(Counter::Invalid, 1);
        answer(StatusCode::BAD_REQUEST, "Invalid onion request")
    }
}

fn sealed(reply: &ServerReply, response: Response, is_blob: bool) -> HttpResponse {
    match reply.seal(response, is_blob, &mut random::system()) {
        Ok(sealed) => answer(StatusCode::OK, sealed),
        Err(_too_long) => answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
    }
}

/// A file answer as an ordinary HTTP response, not sealed.
fn plain_response(said: FileAnswer) -> HttpResponse {
    let (mut response, _is_blob) = said.into_response();
    let status = StatusCode::from_u16(response.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut sent = answer(status, core::mem::take(&mut *response.body));
    put_headers(&mut sent, response.headers);
    sent
}

fn put_headers(answer: &mut HttpResponse, headers: Headers) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
}

fn text_headers(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

/// What a plain download holds: pieces that wait to be sent, one over that, one that is read.
const PIECES_LEN: u64 = MAX_BUFFERED_LEN as u64 + 2 * PIECE_LEN;
const ONION_LIMITS: BodyLimits = BodyLimits::of(MAX_MESSAGE_LEN as u64);
/// What a sealed answer weighs over its blob: its frame, and the larger of the two ciphers' nonce and tag.
const ANSWER_OVERHEAD: u64 = BLOB_ANSWER_OVERHEAD as u64 + 40;
