//! Who is blamed: relays with another certificate or without the key of theirs, and bytes or errors that somebody on a
//! link changed or made up. Every party here is a real one; on each link stands one who may change what crosses it
//! (see `network/between.rs`).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cloakroom::protocol::address::{FileId, ServerAddress, ServerUrl};
use cloakroom::protocol::file_api::FileRequest;
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::onion::{GUARD_ENDPOINT, HopCipher, ReplyError};
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::server::{RunningServer, Server, ServerConfig};
use cloakroom::wire::listener::{self, ListenConfig, Listening, answer};
use cloakroom::wire::tls;
use hyper::StatusCode;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, version::TLS13};

use crate::network::between::{self, Between, Crossing};
use crate::support::relays::{loopback, sealed_through};

/// What somebody on a link does to what crosses it.
type Mischief = Box<dyn Fn(Crossing<'_>) + Send>;

struct Network {
    _server: RunningServer,
    relays: Vec<RunningRelay>,
    _between: Vec<Between>,
    _folder: tempfile::TempDir,
    known: Vec<RelayDescriptor>,
    server: ServerAddress,
    /// On each link; honest when there is none.
    mischief: [Arc<Mutex<Option<Mischief>>>; 4],
}

impl Network {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = ServerConfig::new(loopback(), folder.path().join("store"), identity(9));
        let running = Server::start(config).await.unwrap();
        let mischief: [Arc<Mutex<Option<Mischief>>>; 4] = Default::default();
        let hook = |link: usize| -> between::Hook {
            let mischief = Arc::clone(&mischief[link]);
            Arc::new(move |crossing| {
                if let Some(mischief) = &*mischief.lock().unwrap() {
                    mischief(crossing);
                }
            })
        };
        let (mut relays, mut between, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for link in 0..3 {
            let seed = u8::try_from(link).unwrap() + 1;
            let mut config = RelayConfig::new(loopback(), identity(seed));
            config.settings.allow_private = true;
            let relay = Relay::start(config).await.unwrap();
            let one = Between::relay(&identity(seed), relay.addr(), hook(link)).await;
            let mut entry: RelayDescriptor = relay.descriptor().clone();
            entry.port = one.addr().port();
            known.push(entry);
            relays.push(relay);
            between.push(one);
        }
        let last = Between::server(running.addr(), hook(3)).await;
        let url = ServerUrl::parse(&format!("http://{}", last.addr())).unwrap();
        between.push(last);
        let network = Self {
            _server: running,
            relays,
            _between: between,
            _folder: folder,
            known,
            server: ServerAddress {
                url,
                key: identity(9).public(),
            },
            mischief,
        };
        network.tell(&network.known);
        network
    }

    fn tell(&self, known: &[RelayDescriptor]) {
        for relay in &self.relays {
            relay.set_relays(known.to_vec());
        }
    }

    /// What comes of a request while somebody on a link does this.
    async fn ask(&self, link: usize, mischief: impl Fn(Crossing<'_>) + Send + 'static) -> Came {
        *self.mischief[link].lock().unwrap() = Some(Box::new(mischief));
        let came = self.ask_honestly().await;
        *self.mischief[link].lock().unwrap() = None;
        came
    }

    async fn ask_honestly(&self) -> Came {
        let keys: Vec<Ed25519Public> = self.known.iter().map(|relay| relay.key).collect();
        let request = FileRequest::Download(FileId::parse("nothing").unwrap());
        let built = sealed_through(&keys, &self.server, &request, HopCipher::XChaCha20, true);
        let guard = SocketAddr::new(self.known[0].host, self.known[0].port);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::pinned_client_config(&keys[0]).unwrap())
            .no_proxy()
            .build()
            .unwrap();
        let url = format!("https://{guard}{GUARD_ENDPOINT}");
        let response = match client.post(url).body(built.body).send().await {
            Ok(response) => response,
            Err(error) => return Came::NoConnection(error.is_connect()),
        };
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap().to_vec();
        if status != 200 {
            return Came::Plain(status, String::from_utf8_lossy(&body).into_owned());
        }
        match built.reply.open(body) {
            Ok(opened) => Came::Answer(opened.response.code),
            Err(error) => Came::Blame(error),
        }
    }
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    /// The server's answer.
    Answer(u16),
    /// Opened by its layer's key, or refused at a layer.
    Blame(ReplyError),
    /// Unauthenticated words.
    Plain(u16, String),
    /// No connection to the guard; whether it failed before anything was sent.
    NoConnection(bool),
}

fn relay(hop: usize, status: u16, text: impl Into<String>) -> Came {
    Came::Blame(ReplyError::Relay {
        hop,
        status,
        text: text.into(),
    })
}

fn identity(seed: u8) -> Identity {
    Identity::from_seed([seed; 32])
}

#[tokio::test]
async fn a_changed_answer_is_refused_at_the_layer_of_whoever_sent_it() {
    let network = Network::start().await;
    assert_eq!(network.ask_honestly().await, Came::Answer(404));
    for link in 0..4 {
        for at in [0, 40, 900] {
            let change = move |crossing: Crossing<'_>| {
                if let Crossing::Back(_status, body) = crossing {
                    body[at] ^= 1;
                }
            };
            let blame = Came::Blame(ReplyError::Unauthentic { layer: link });
            assert_eq!(
                network.ask(link, change).await,
                blame,
                "byte {at} on link {link}"
            );
        }
        let cut = |crossing: Crossing<'_>| {
            if let Crossing::Back(_status, body) = crossing {
                body.truncate(100);
            }
        };
        let blame = Came::Blame(ReplyError::Unauthentic { layer: link });
        assert_eq!(network.ask(link, cut).await, blame, "cut on link {link}");
    }
}

#[tokio::test]
async fn a_changed_request_is_refused_by_the_party_it_was_for() {
    let network = Network::start().await;
    let change = |crossing: Crossing<'_>| {
        if let Crossing::There(body) = crossing {
            body[100] ^= 1;
        }
    };
    assert_eq!(
        network.ask(0, change).await,
        Came::Plain(400, "Invalid ciphertext".to_owned())
    );
    for link in 1..3 {
        assert_eq!(
            network.ask(link, change).await,
            relay(link - 1, 400, "Invalid ciphertext"),
            "the relay before says so, under its own key"
        );
    }
    let came = network.ask(3, change).await;
    assert!(
        matches!(
            came,
            Came::Blame(ReplyError::Relay {
                hop: 2,
                status: 400,
                ..
            })
        ),
        "the last relay speaks for the server: {came:?}"
    );
}

#[tokio::test]
async fn a_repeated_answer_of_another_request_is_refused() {
    let network = Network::start().await;
    for link in 0..4 {
        let kept: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
        let swap = {
            let kept = Arc::clone(&kept);
            move |crossing: Crossing<'_>| {
                if let Crossing::Back(_status, body) = crossing {
                    let now = body.clone();
                    if let Some(before) = kept.lock().unwrap().replace(now) {
                        *body = before;
                    }
                }
            }
        };
        assert_eq!(network.ask(link, swap.clone()).await, Came::Answer(404));
        let blame = Came::Blame(ReplyError::Unauthentic { layer: link });
        assert_eq!(network.ask(link, swap).await, blame);
    }
}

#[tokio::test]
async fn a_forged_error_is_nobodys_but_its_senders() {
    let network = Network::start().await;
    let keys: Vec<String> = network
        .known
        .iter()
        .map(|relay| relay.key.to_hex())
        .collect();
    for (status, text) in [
        (404, "Not found".to_owned()),
        (413, "Request body too large".to_owned()),
        (502, format!("Next node not found: {}", keys[1])),
        (
            502,
            format!("Next node is currently unreachable: {}", keys[2]),
        ),
        (503, "Server busy, try again later".to_owned()),
    ] {
        let forge = {
            let text = text.clone();
            move |crossing: Crossing<'_>| {
                if let Crossing::Back(given, body) = crossing {
                    *given = status;
                    *body = text.clone().into_bytes();
                }
            }
        };
        // The guard's own plain words vouch for nothing, and nothing of them is taken for the server's.
        assert_eq!(
            network.ask(0, forge.clone()).await,
            Came::Plain(status, text.clone())
        );
        for link in 1..4 {
            // Said by the relay before under its key: it is about the party behind that link, whomever the words name.
            assert_eq!(
                network.ask(link, forge.clone()).await,
                relay(link - 1, status, text.clone())
            );
        }
    }
    // With status 200, as a sealed failure has it, but without the key of any layer.
    for link in 0..4 {
        let forge = |crossing: Crossing<'_>| {
            if let Crossing::Back(_status, body) = crossing {
                body.fill(0);
                body[24] = 1;
            }
        };
        let blame = Came::Blame(ReplyError::Unauthentic { layer: link });
        assert_eq!(network.ask(link, forge).await, blame, "link {link}");
    }
}

#[tokio::test]
async fn a_relay_with_another_certificate_or_without_its_key_is_not_spoken_to() {
    let mut network = Network::start().await;
    let honest = network.known.clone();
    for place in 0..3 {
        let seed = u8::try_from(place).unwrap() + 1;
        let swapped = tls::relay_server_config(&identity(8)).unwrap();
        for (how, config) in [("swapped", swapped), ("copied", copied_certificate(seed))] {
            let impostor = impostor(config).await;
            network.known = honest.clone();
            network.known[place].port = impostor.addr().port();
            // A relay keeps its connections; those to the honest one must not hide the impostor.
            network.tell(&[]);
            network.tell(&network.known);
            let came = network.ask_honestly().await;
            if place == 0 {
                assert_eq!(came, Came::NoConnection(true), "{how}");
            } else {
                let words = format!(
                    "Next node is currently unreachable: {}",
                    honest[place].key.to_hex()
                );
                assert_eq!(came, relay(place - 1, 502, words), "{how} at {place}");
            }
        }
    }
}

/// Who answers everything, for whoever takes this certificate.
async fn impostor(config: rustls::ServerConfig) -> Listening {
    let config = ListenConfig::new(loopback()).with_tls(config);
    listener::listen(config, |_peer, _request| {
        std::future::ready(answer(StatusCode::OK, "mine"))
    })
    .await
    .unwrap()
}

/// The certificate of relay `seed`, as it shows it to everybody, with a key of somebody else.
fn copied_certificate(seed: u8) -> rustls::ServerConfig {
    let provider = tls::provider();
    let key = |seed: u8| {
        let prefix = data_encoding::HEXLOWER
            .decode(b"302e020100300506032b657004220420")
            .unwrap();
        let der = [prefix.as_slice(), &[seed; 32]].concat();
        (PrivatePkcs8KeyDer::from(der.clone()), der)
    };
    let (_, der) = key(seed);
    let theirs = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(der),
        &rcgen::PKCS_ED25519,
    )
    .unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .self_signed(&theirs)
        .unwrap();
    let (mine, _) = key(77);
    let signer = provider
        .key_provider
        .load_private_key(PrivateKeyDer::Pkcs8(mine))
        .unwrap();
    let shown = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer));
    rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(shown)))
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
