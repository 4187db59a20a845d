//! What comes in over HTTP: onion requests; plain ones where the operator wants them; the operator's own health check.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue},
};

use super::files::{Answered, Files};
use crate::{
    protocol::{
        file_api::{FileAnswer, FileRequest, refusal},
        keys::X25519Secret,
        onion::{
            MAX_MESSAGE_LEN, ReplayMemory, SERVER_ENDPOINT, open_request,
            v4::{Headers, RequestHead},
        },
    },
    wire::{
        body::{self, Held, Limits},
        clock::Clock,
        listener::{Answer, answer},
        random,
        reserve::{Reservation, Reservations},
        web_guard::WebGuard,
    },
};

/// The routes of a server.
pub(super) struct Routes {
    files: Arc<Files>,
    secret: Arc<X25519Secret>,
    seen: Mutex<ReplayMemory>,
    guard: WebGuard,
    plain_http: bool,
    memory: Reservations,
    clock: Clock,
}

impl Routes {
    pub(super) fn new(
        files: Arc<Files>,
        secret: X25519Secret,
        guard: WebGuard,
        plain_http: bool,
        memory: Reservations,
        clock: Clock,
    ) -> Self {
        Self {
            files,
            secret: Arc::new(secret),
            seen: Mutex::new(ReplayMemory::new()),
            guard,
            plain_http,
            memory,
            clock,
        }
    }

    pub(super) async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Answer {
        if let Err(refused) = self.guard.check(request.headers()) {
            return answer(StatusCode::FORBIDDEN, refused.to_string());
        }
        match (request.method(), request.uri().path()) {
            (&Method::POST, SERVER_ENDPOINT) => self.onion(request).await,
            (&Method::GET, "/health") if peer.ip().is_loopback() => self.health().await,
            _ if self.plain_http => self.plain(request).await,
            _ => answer(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    async fn health(&self) -> Answer {
        if self.files.works().await {
            answer(StatusCode::OK, "ok")
        } else {
            answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "The store cannot be written and read",
            )
        }
    }

    /// What could be opened is answered with a sealed reply and status 200, whatever the reply says.
    async fn onion(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let held = match body::read_request(&head.headers, body, &ONION_LIMITS, &self.memory).await
        {
            Ok(held) => held,
            Err(error) => return answer(error.status(), error.to_string()),
        };
        let (bytes, held_for_request) = held.into_parts();
        let secret = Arc::clone(&self.secret);
        let Ok(Ok(opened)) =
            tokio::task::spawn_blocking(move || open_request(&secret, bytes)).await
        else {
            return answer(StatusCode::BAD_REQUEST, "Invalid onion request");
        };
        let now = (self.clock)();
        if !self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(opened.tag, now)
        {
            return answer(StatusCode::BAD_REQUEST, "Invalid onion request");
        }
        let Answered {
            answer: said,
            reservation,
        } = match opened.request {
            None => FileAnswer::Refused(400).into(),
            Some((head, body)) => match FileRequest::parse(&head, body) {
                Ok(request) => self.files.answer(request).await,
                Err(error) => FileAnswer::Refused(refusal(error)).into(),
            },
        };
        drop(held_for_request);
        let sealing = tokio::task::spawn_blocking(move || {
            let (response, is_blob) = said.into_response();
            opened.reply.seal(response, is_blob, &mut random::system())
        });
        match sealing.await {
            Ok(Ok(sealed)) => answer(StatusCode::OK, guarded(sealed, reservation)),
            Ok(Err(_)) | Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
        }
    }

    /// The same paths and answers without an onion around them.
    async fn plain(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let head = RequestHead {
            method: parts.method.as_str().to_owned(),
            endpoint: parts.uri.path().to_owned(),
            headers: text_headers(&parts.headers),
        };
        let mut held_for_request = None;
        let mut bytes = Vec::new();
        if parts.method == Method::POST && head.endpoint == "/file" {
            match body::read_request(
                &parts.headers,
                body,
                &Limits::of(self.files.max_blob()),
                &self.memory,
            )
            .await
            {
                Ok(held) => {
                    let (body, reservation) = held.into_parts();
                    bytes = body;
                    held_for_request = Some(reservation);
                }
                Err(error) => return answer(error.status(), error.to_string()),
            }
        }
        let Answered {
            answer: said,
            reservation,
        } = match FileRequest::parse(&head, bytes) {
            Ok(request) => self.files.answer(request).await,
            Err(error) => FileAnswer::Refused(refusal(error)).into(),
        };
        drop(held_for_request);
        let (response, _is_blob) = said.into_response();
        let status =
            StatusCode::from_u16(response.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut sent = answer(status, guarded(response.body, reservation));
        for (name, value) in response.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                sent.headers_mut().insert(name, value);
            }
        }
        sent
    }
}

/// Bytes that give their memory back when the last of them is sent.
fn guarded(bytes: Vec<u8>, reservation: Option<Reservation>) -> Bytes {
    match reservation {
        Some(reservation) => Held::new(bytes, reservation).into_bytes(),
        None => bytes.into(),
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

const ONION_LIMITS: Limits = Limits::of(MAX_MESSAGE_LEN as u64);
