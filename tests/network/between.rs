//! Somebody who stands on a link and sees, and may change, every body that crosses it.
//!
//! Links to relays are TLS under the relay's own key, so whoever stands there must hold that key: each of these shows
//! the relay's certificate to the party before, takes the HTTP body out, hands it to a hook, and passes it on to the
//! real relay over a connection of its own. On the last link, plain HTTP to the server, no key is needed. What the hook
//! gets is exactly the body that the party before posted, and on the way back exactly the body that the party behind
//! answered; TLS records and HTTP headers are not part of it.

use std::net::SocketAddr;
use std::sync::Arc;

use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::MAX_MESSAGE_LEN;
use cloakroom::wire::admission::Caller;
use cloakroom::wire::body::{self, BodyLimits};
use cloakroom::wire::listener::{self, HttpResponse, ListenConfig, Listening, answer};
use cloakroom::wire::tls;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use crate::support::relays::loopback;

/// What crosses a link.
pub(crate) enum Crossing<'a> {
    /// A request, on its way to the server.
    There(&'a mut Vec<u8>),
    /// An answer with its HTTP status, on its way to the client.
    Back(&'a mut u16, &'a mut Vec<u8>),
}

/// Sees every body, and may change it.
pub(crate) type Hook = Arc<dyn Fn(Crossing<'_>) + Send + Sync>;

/// One who stands on a link until dropped.
pub(crate) struct Between {
    listening: Listening,
}

impl Between {
    /// In front of the relay at `behind`, with its key.
    pub(crate) async fn relay(identity: &Identity, behind: SocketAddr, hook: Hook) -> Self {
        let client = client()
            .tls_backend_preconfigured(tls::pinned_client_config(&identity.public()).unwrap())
            .build()
            .unwrap();
        let config =
            ListenConfig::new(loopback()).with_tls(tls::relay_server_config(identity).unwrap());
        Self::start(config, client, format!("https://{behind}"), hook).await
    }

    /// In front of the server at `behind`.
    pub(crate) async fn server(behind: SocketAddr, hook: Hook) -> Self {
        tls::provider();
        let config = ListenConfig::new(loopback());
        Self::start(
            config,
            client().build().unwrap(),
            format!("http://{behind}"),
            hook,
        )
        .await
    }

    async fn start(
        config: ListenConfig,
        client: reqwest::Client,
        behind: String,
        hook: Hook,
    ) -> Self {
        let behind: Arc<str> = behind.into();
        let listening = listener::listen(config, move |caller, request| {
            let (client, behind, hook) = (client.clone(), Arc::clone(&behind), Arc::clone(&hook));
            async move { pass(&caller, request, &client, &behind, &hook).await }
        })
        .await
        .unwrap();
        Self { listening }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }
}

async fn pass(
    caller: &Caller,
    request: Request<Incoming>,
    client: &reqwest::Client,
    behind: &str,
    hook: &Hook,
) -> HttpResponse {
    let limits = BodyLimits::of(MAX_MESSAGE_LEN as u64 + 1_024);
    let (head, body) = request.into_parts();
    let held = body::read_request(&head.headers, body, &limits, caller)
        .await
        .unwrap();
    let (mut body, _reservation) = held.into_parts();
    hook(Crossing::There(&mut body));
    let url = format!("{behind}{}", head.uri.path());
    let response = client.post(url).body(body).send().await.unwrap();
    let mut status = response.status().as_u16();
    let mut body = response.bytes().await.unwrap().to_vec();
    hook(Crossing::Back(&mut status, &mut body));
    answer(StatusCode::from_u16(status).unwrap(), body)
}

fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .retry(reqwest::retry::never())
}
