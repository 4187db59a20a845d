//! Session's programs at our server and our relays: the forms in which they write a request, as they were seen to.

use std::net::SocketAddr;
use std::sync::Arc;

use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::relay::RunningRelay;
use cloakroom::wire::tls;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::server::serving::{HOUR, Plain, START, Serving, parse};
use crate::server::session_client::{Dialect, SessionAnswer, SessionRequest};
use crate::support::relays::{entries, three_relays};

const DAY: u64 = 24 * HOUR;
const ONION_PATH: &str = "/oxen/v4/lsrpc";
const GUARD_PATH: &str = "/onion_req/v2";
/// As libsession writes it.
const UPLOAD: &str = r#"{"endpoint":"/file","method":"POST","headers":{"Content-Disposition":"attachment","Content-Type":"application/octet-stream"}}"#;
const DESKTOP: Dialect = Dialect {
    cipher: HopCipher::AesGcm,
    upper_case_hex: false,
};
const LIBSESSION: Dialect = Dialect {
    cipher: HopCipher::XChaCha20,
    upper_case_hex: false,
};

/// A file server that also answers plain requests, and three relays.
struct Town {
    serving: Serving,
    relays: Vec<RunningRelay>,
    _folder: TempDir,
}

impl Town {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let serving = Serving::start(store, |config| config.settings.plain_http = true).await;
        Self {
            serving,
            relays: three_relays(|_| ()).await,
            _folder: folder,
        }
    }

    fn list(&self) -> Vec<RelayDescriptor> {
        entries(&self.relays)
    }

    fn request(&self, dialect: Dialect, meta: &str, body: Option<&[u8]>) -> SessionRequest {
        SessionRequest::in_dialect(dialect, self.serving.server.address(), meta, body)
    }

    /// Asks the server without relays.
    async fn ask(&self, meta: &str, body: Option<&[u8]>) -> SessionAnswer {
        let request = self.request(LIBSESSION, meta, body);
        let head = format!("Content-Length: {}\r\n", request.body.len());
        let answer = self.to_server(ONION_PATH, &head, &request.body).await;
        assert_eq!(answer.status, 200);
        request.open(answer.body)
    }

    async fn to_server(&self, path: &str, head: &str, body: &[u8]) -> Plain {
        let addr = self.serving.addr();
        let stream = TcpStream::connect(addr).await.unwrap();
        exchange(stream, addr, path, head, body).await
    }

    async fn to_guard(&self, head: &str, body: &[u8]) -> Plain {
        let guard = self.relays[0].descriptor();
        let addr = SocketAddr::new(guard.host, guard.port);
        let config = tls::pinned_client_config(&guard.key).unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(
                ServerName::IpAddress(guard.host.into()),
                TcpStream::connect(addr).await.unwrap(),
            )
            .await
            .unwrap();
        exchange(stream, addr, GUARD_PATH, head, body).await
    }
}

/// Posts `body` under a head that is written as it stands here.
async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    addr: SocketAddr,
    path: &str,
    head: &str,
    body: &[u8],
) -> Plain {
    let begin = format!("POST {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{head}\r\n");
    stream.write_all(begin.as_bytes()).await.unwrap();
    if head.contains("100-continue") {
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut said = [0; 25];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, expected);
    }
    // A refusal may come before everything was read, and the end of TLS may be missing.
    stream.write_all(body).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    parse(answer).unwrap()
}

/// What programs write between the first line of a request and its body; `BYTES` is the body's length.
const HEADS: [&str; 6] = [
    // Session Desktop at a guard.
    "User-Agent: WhatsApp\r\nAccept-Language: en-us\r\nContent-Length: BYTES\r\n",
    // A node of Session at a server.
    "User-Agent: Oxen Storage Server/2.8.0\r\nContent-Type: application/octet-stream\r\nContent-Length: BYTES\r\n",
    // libcurl, which such a node uses, for long bodies.
    "Accept: */*\r\nContent-Length: BYTES\r\nExpect: 100-continue\r\n",
    "content-length: BYTES\r\ncontent-type: application/octet-stream\r\n",
    "CONTENT-LENGTH:BYTES\r\nCONTENT-TYPE:application/json\r\n",
    "Content-Length:   BYTES  \r\n",
];

#[tokio::test]
async fn no_head_of_a_known_program_is_refused_by_relay_or_server() {
    let town = Town::start().await;
    for (number, head) in HEADS.into_iter().enumerate() {
        let blob = vec![u8::try_from(number).unwrap(); 700];
        for (dialect, by_relays) in [(DESKTOP, true), (LIBSESSION, true), (DESKTOP, false)] {
            let request = town.request(dialect, UPLOAD, Some(&blob));
            let request = if by_relays {
                request.through(&town.list(), dialect)
            } else {
                request
            };
            let head = head.replace("BYTES", &request.body.len().to_string());
            let answer = if by_relays {
                town.to_guard(&head, &request.body).await
            } else {
                town.to_server(ONION_PATH, &head, &request.body).await
            };
            assert_eq!(answer.status, 200, "{head}");
            let uploaded = request.open(answer.body);
            assert_eq!(uploaded.code, 200, "{head}");
            let uploaded = uploaded.json();
            let id = uploaded["id"].as_str().unwrap();
            let get = format!(r#"{{"endpoint":"/file/{id}","method":"GET"}}"#);
            assert_eq!(town.ask(&get, None).await.body, blob);
        }
    }
}

#[tokio::test]
async fn hex_is_read_in_either_case_in_every_layer() {
    let town = Town::start().await;
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        for upper_case_hex in [false, true] {
            let dialect = Dialect {
                cipher,
                upper_case_hex,
            };
            let request = town.request(dialect, UPLOAD, Some(b"content"));
            let request = request.through(&town.list(), dialect);
            let head = format!("Content-Length: {}\r\n", request.body.len());
            let answer = town.to_guard(&head, &request.body).await;
            assert_eq!(answer.status, 200, "{dialect:?}");
            assert_eq!(request.open(answer.body).code, 200, "{dialect:?}");
        }
    }
}

fn expires(answer: &SessionAnswer) -> u64 {
    expiry_in(&answer.json())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole seconds of this century"
)]
fn expiry_in(json: &Value) -> u64 {
    json["expires"].as_f64().unwrap() as u64
}

#[tokio::test]
async fn the_time_to_keep_a_file_is_a_number_or_its_digits_under_a_name_of_any_case() {
    let town = Town::start().await;
    let upload = |headers: &str| {
        format!(r#"{{"endpoint":"/file","method":"POST","headers":{{{headers}}}}}"#)
    };
    for (number, header) in [
        r#""X-FS-TTL":"259200""#,
        r#""X-FS-TTL":259200"#,
        r#""x-fs-ttl":"259200""#,
        r#""X-Fs-Ttl":"259200""#,
    ]
    .into_iter()
    .enumerate()
    {
        let blob = vec![u8::try_from(number).unwrap(); 700];
        let answer = town.ask(&upload(header), Some(&blob)).await;
        assert_eq!(answer.code, 200, "{header}");
        assert_eq!(expires(&answer), START + 3 * DAY, "{header}");
    }
    for header in [
        r#""X-FS-TTL":"""#,
        r#""X-FS-TTL":"-1""#,
        r#""X-FS-TTL":"+259200""#,
        r#""X-FS-TTL":"259200.0""#,
        r#""X-FS-TTL":"3 days""#,
        r#""X-FS-TTL":"59""#,
        r#""X-FS-TTL":"99999999999""#,
    ] {
        let answer = town.ask(&upload(header), Some(b"refused")).await;
        assert_eq!(answer.code, 400, "{header}");
        assert_eq!(answer.json()["status_code"], 400, "{header}");
    }
    // Without an onion, what HTTP leaves out around a value is left out.
    for header in [
        "X-FS-TTL: 259200",
        "x-fs-ttl:259200",
        "X-FS-TTL:   259200  ",
    ] {
        let head = format!("{header}\r\nContent-Length: 9\r\n");
        let answer = town.to_server("/file", &head, b"unwrapped").await;
        assert_eq!(answer.status, 200, "{header}");
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(expiry_in(&json), START + 3 * DAY, "{header}");
    }
}

/// They say who asks for the newest version of Session; nothing here asks who that is.
#[tokio::test]
async fn signatures_of_session_in_either_case_are_passed_over() {
    let town = Town::start().await;
    let (key, signature) = (format!("07{}", "aB".repeat(32)), "9F".repeat(64));
    let forms: [fn(&str) -> String; 3] = [str::to_owned, str::to_lowercase, str::to_uppercase];
    for form in forms {
        let (key, signature) = (form(&key), form(&signature));
        for names in [
            ["X-FS-Pubkey", "X-FS-Timestamp", "X-FS-Signature"],
            ["x-fs-pubkey", "x-fs-timestamp", "x-fs-signature"],
        ] {
            let [pubkey, timestamp, signed] = names;
            let meta = format!(
                r#"{{"endpoint":"/file","method":"POST","headers":{{"{pubkey}":"{key}","{timestamp}":"{START}","{signed}":"{signature}"}}}}"#
            );
            assert_eq!(town.ask(&meta, Some(b"content")).await.code, 200, "{meta}");
            let head = format!(
                "{pubkey}: {key}\r\n{timestamp}: {START}\r\n{signed}: {signature}\r\nContent-Length: 7\r\n"
            );
            let answer = town.to_server("/file", &head, b"content").await;
            assert_eq!(answer.status, 200, "{head}");
        }
    }
}

/// Every program of Session says how long a body is; one that does not is asked to, and nothing is kept of it.
#[tokio::test]
async fn a_body_of_unknown_length_is_refused_by_relay_and_server() {
    let town = Town::start().await;
    let chunks = b"7\r\ncontent\r\n0\r\n\r\n";
    for (head, body) in [
        ("Transfer-Encoding: chunked\r\n", &chunks[..]),
        ("User-Agent: WhatsApp\r\n", b""),
    ] {
        assert_eq!(town.to_guard(head, body).await.status, 411, "{head}");
        for path in [ONION_PATH, "/file"] {
            let answer = town.to_server(path, head, body).await;
            assert_eq!(answer.status, 411, "{path} {head}");
        }
    }
}
