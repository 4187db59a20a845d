//! What Prometheus may know: totals that change once an hour, so that they tell nobody when something happened.
//!
//! Nothing in them is about one request: no time, no size, no address. They are off unless the operator asks for them,
//! and then only on loopback.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
};
use parking_lot::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::protocol::capability::expiry::HOUR_SECS;
use crate::server::network::RelayCounts;
use crate::server::store::Held;
use crate::wire::{
    admission::{Admission, Rules},
    clock::Clock,
    listener::{self, HttpResponse, ListenConfig, ListenError, Listening, answer},
    web_guard::WebGuard,
};

/// What a server has counted since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    /// What the store holds now. While that is unknown, its bytes are left out.
    pub store: Held,
    /// What the store may hold, in bytes.
    pub store_limit_bytes: u64,
    /// The relays of the network that the server keeps.
    pub relays: Option<RelayCounts>,
    /// Everything else, by name; each only rises.
    pub counters: Vec<(&'static str, u64)>,
}

impl Totals {
    /// As Prometheus reads them.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut number = |name: &str, kind: &str, help: &str, value: u64| {
            // Writing to a text cannot fail.
            writeln!(
                text,
                "# HELP cloakroom_{name} {help}\n# TYPE cloakroom_{name} {kind}\ncloakroom_{name} {value}"
            )
            .ok();
        };
        if let Some(bytes) = self.store.bytes() {
            number(
                "store_bytes",
                "gauge",
                "What the store held when this hour began, at most, unless it was counted.",
                bytes,
            );
        }
        number(
            "store_counted",
            "gauge",
            "1 when the server had counted what the store holds, 0 while it was counting.",
            u64::from(self.store.is_counted()),
        );
        number(
            "store_limit_bytes",
            "gauge",
            "What the store may hold.",
            self.store_limit_bytes,
        );
        if let Some(relays) = self.relays {
            let count = |relays: usize| u64::try_from(relays).unwrap_or(u64::MAX);
            number(
                "relays_listed",
                "gauge",
                "Relays in the list of the network when this hour began.",
                count(relays.listed),
            );
            number(
                "relays_answering",
                "gauge",
                "Those of them that answered when they were last looked at.",
                count(relays.answering),
            );
        }
        for (name, value) in &self.counters {
            let help = format!(
                "{} from the start of the server to the beginning of this hour.",
                name.replace('_', " ")
            );
            number(&format!("{name}_total"), "counter", &help, *value);
        }
        text
    }
}

/// The totals at a port of loopback, until [`Self::stop`] or drop.
#[derive(Debug)]
pub(crate) struct Metrics {
    listening: Listening,
    _hours: DropGuard,
}

impl Metrics {
    /// Serves what `count` says at the beginning of each hour; before the first one, what it says now.
    ///
    /// # Errors
    /// [`ListenError`].
    pub(crate) async fn start(
        addr: SocketAddr,
        clock: Clock,
        count: impl Fn() -> Totals + Send + Sync + 'static,
    ) -> Result<Self, ListenError> {
        let bound = listener::bind(addr).await?;
        let guard = WebGuard::new(bound.addr(), None);
        let shown = Arc::new(Mutex::new(count().text()));
        let stop = CancellationToken::new();
        tokio::spawn(each_hour(Arc::clone(&shown), clock, count, stop.clone()));
        let config = ListenConfig {
            admission: Admission::new(Rules {
                max_connections: 8,
                ..Rules::default()
            }),
            ..ListenConfig::new(bound.addr())
        };
        let listening = bound.serve(config, move |_caller, request| {
            let page = page(&request, &guard, &shown);
            async { page }
        });
        Ok(Self {
            listening,
            _hours: stop.drop_guard(),
        })
    }

    /// Where they are.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }

    /// Stops serving.
    pub(crate) async fn stop(self) {
        self.listening.stop().await;
    }
}

async fn each_hour(
    shown: Arc<Mutex<String>>,
    clock: Clock,
    count: impl Fn() -> Totals,
    stop: CancellationToken,
) {
    loop {
        let left = HOUR_SECS - clock() % HOUR_SECS;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(left)) => {}
        }
        *shown.lock() = count().text();
    }
}

fn page(request: &Request<Incoming>, guard: &WebGuard, shown: &Mutex<String>) -> HttpResponse {
    if let Err(refused) = guard.check(request.headers()) {
        return answer(StatusCode::FORBIDDEN, refused.to_string());
    }
    if request.method() != Method::GET || request.uri().path() != "/metrics" {
        return answer(StatusCode::NOT_FOUND, "Not found");
    }
    let text = shown.lock().clone();
    let mut page = answer(StatusCode::OK, text);
    page.headers_mut().insert(CONTENT_TYPE, PROMETHEUS);
    page
}

const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    async fn ask(addr: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = format!("{head} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn counting(store: Held) -> Totals {
        Totals {
            store,
            store_limit_bytes: 100,
            relays: None,
            counters: Vec::new(),
        }
    }

    #[test]
    fn a_store_that_is_being_counted_is_not_called_empty() {
        let text = counting(Held::Unknown).text();
        assert!(!text.contains("store_bytes "), "{text}");
        assert!(text.contains("\ncloakroom_store_counted 0\n"), "{text}");
        let text = counting(Held::AtMost(70)).text();
        assert!(text.contains("\ncloakroom_store_bytes 70\n"), "{text}");
        assert!(text.contains("\ncloakroom_store_counted 0\n"), "{text}");
    }

    #[tokio::test]
    async fn totals_change_only_when_an_hour_begins() {
        // Three more uploads each time it is asked.
        let uploads = AtomicU64::new(0);
        let count = move || Totals {
            store: Held::Counted(70),
            store_limit_bytes: 100,
            relays: Some(RelayCounts {
                answering: 4,
                listed: 5,
            }),
            counters: vec![("uploads", uploads.fetch_add(3, Ordering::SeqCst))],
        };
        // A second before the hour, and an hour before the next.
        let asked = AtomicU64::new(0);
        let clock: Clock = Arc::new(move || match asked.fetch_add(1, Ordering::SeqCst) {
            0 => 1_800_003_599,
            _ => 1_800_003_600,
        });
        let metrics = Metrics::start("127.0.0.1:0".parse().unwrap(), clock, count)
            .await
            .unwrap();
        let page = async || {
            let page = ask(metrics.addr(), "GET /metrics").await;
            assert!(page.starts_with("HTTP/1.1 200"), "{page}");
            page
        };
        let shows = |page: &str, line: &str| page.lines().any(|shown| shown == line);
        let mut first = page().await;
        for line in [
            "cloakroom_store_bytes 70",
            "cloakroom_store_counted 1",
            "cloakroom_store_limit_bytes 100",
            "cloakroom_relays_listed 5",
            "cloakroom_relays_answering 4",
        ] {
            assert!(shows(&first, line), "{first}");
        }
        let hour_began = async {
            while shows(&first, "cloakroom_uploads_total 0") {
                tokio::task::yield_now().await;
                first = page().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), hour_began)
            .await
            .expect("the hour begins");
        for _ in 0..10 {
            assert!(shows(&page().await, "cloakroom_uploads_total 3"));
        }
        metrics.stop().await;
    }

    #[tokio::test]
    async fn there_is_nothing_else_and_nothing_for_web_pages() {
        let at = "127.0.0.1:0".parse().unwrap();
        let metrics = Metrics::start(at, crate::wire::clock::system(), || counting(Held::Unknown))
            .await
            .unwrap();
        for head in ["GET /", "POST /metrics", "GET /metrics/x"] {
            let answer = ask(metrics.addr(), head).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{head}: {answer}");
        }
        let mut stream = TcpStream::connect(metrics.addr()).await.unwrap();
        let rebound = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
        stream.write_all(rebound.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
}
