//! What somebody who watches every link of every path can tell from lengths and bytes: the size class of a file, and
//! nothing else.
//!
//! A file server and three relays run here as they do anywhere; on each of the four links stands a recorder (see
//! `network/between.rs`) that takes down every body that crosses it, in both directions: its length and its SHA-256.
//! 200 files of random length are stored and fetched, through servers with host names of 4 and of 253 characters, with
//! and without every optional header, and everything else that can be asked is asked too.
//!
//! On every link, so at the guard as well: exactly eight lengths of uploads and one of every other request; exactly
//! eight lengths of answers to downloads (an answer that is a list counts as the smallest) and one of every other
//! answer; and no two bodies that are equal, on one link or two.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use cloakroom::protocol::address::{FileId, ServerAddress, ServerUrl};
use cloakroom::protocol::capability::expiry::expiry_hour;
use cloakroom::protocol::capability::{AccessWord, DownloadReceipt, OwnedId, OwnerToken};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{
    self, Expiry, FileRequest, MAX_RECEIPTS, ReceiptTerms, Upload,
};
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::onion::v4::Response;
use cloakroom::protocol::onion::{GUARD_ENDPOINT, HopCipher, REQUEST_OVERHEAD};
use cloakroom::protocol::parts::{
    IdForm, Layout, PartListBuilder, PartPlan, PartsSecret, seal_part,
};
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList, Serves, sign};
use cloakroom::protocol::seal::{ContentKind, Sealed, seal};
use cloakroom::protocol::size_class::SizeClass;
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::server::{RunningServer, Server, ServerConfig};
use cloakroom::wire::resolve::Resolver;
use cloakroom::wire::{clock, random, tls};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::network::between::{Between, Crossing, Hook};
use crate::support::now;
use crate::support::relays::{introduce, loopback, sealed_through};

/// What a recorder takes down.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    /// 0 is the one between client and guard, 3 the one to the server.
    link: usize,
    /// Which request of the test it belongs to.
    number: usize,
    len: usize,
    sha256: String,
}

/// Everything that crossed.
#[derive(Clone, Default)]
struct Capture {
    there: Vec<Body>,
    back: Vec<Body>,
    /// What the requests were, by their number.
    asked: Vec<Asked>,
}

/// What a request was, as far as its lengths may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Stores a blob of this length; the answer is a small one.
    Upload(usize),
    /// Fetches a blob of this length.
    Download(usize),
    /// Asks for a list, which is answered like a blob of the smallest length.
    List,
    /// Anything else.
    Other,
}

/// A server that is known by two names, three relays, and a recorder on every link.
struct Recorded {
    _server: RunningServer,
    _relays: Vec<RunningRelay>,
    _recorders: Vec<Between>,
    _folder: tempfile::TempDir,
    names: [ServerAddress; 2],
    keys: Vec<Ed25519Public>,
    guard: SocketAddr,
    client: reqwest::Client,
    capture: Arc<Mutex<Capture>>,
}

impl Recorded {
    async fn start() -> Self {
        let names = ["a.io".to_owned(), long_name()];
        let capture: Arc<Mutex<Capture>> = Arc::default();
        let folder = tempfile::tempdir().unwrap();
        let key = Identity::from_seed([9; 32]);
        let server_key = key.public();
        let mut config = ServerConfig::new(loopback(), folder.path().join("store"), key);
        config.settings.max_total = 1 << 30;
        let list = folder.path().join("relays.json");
        config.settings.relay_list = Some(list.clone());
        let server = Server::start(config).await.unwrap();

        let resolver: Resolver =
            Arc::new(|_name| Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) }));
        let mut relays = Vec::new();
        let mut recorders = Vec::new();
        let mut known: Vec<RelayDescriptor> = Vec::new();
        for link in 0..3 {
            let identity = || Identity::from_seed([u8::try_from(link).unwrap() + 1; 32]);
            let mut config = RelayConfig::new(loopback(), identity());
            config.settings.serves = Some(Serves::Hosts(names.to_vec()));
            config.resolver = Arc::clone(&resolver);
            let relay = Relay::start(config).await.unwrap();
            let recorder = Between::relay(&identity(), relay.addr(), record(&capture, link)).await;
            let mut entry = relay.descriptor().clone();
            entry.port = recorder.addr().port();
            known.push(entry);
            relays.push(relay);
            recorders.push(recorder);
        }
        introduce(&relays, &known);
        let now = (clock::system())();
        let text = RelayList::join("all", now, now + 86_400, known.clone())
            .unwrap()
            .to_json();
        let signature = sign(&Identity::from_seed([5; 32]), text.as_bytes());
        std::fs::write(&list, text).unwrap();
        std::fs::write(folder.path().join("relays.json.sig"), signature).unwrap();
        let last = Between::server(server.addr(), record(&capture, 3)).await;
        let names = names.map(|name| ServerAddress {
            url: ServerUrl::parse(&format!("http://{name}:{}", last.addr().port())).unwrap(),
            key: server_key,
        });
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::pinned_client_config(&known[0].key).unwrap())
            .no_proxy()
            .build()
            .unwrap();
        let guard = recorders[0].addr();
        recorders.push(last);
        Self {
            _server: server,
            _relays: relays,
            _recorders: recorders,
            _folder: folder,
            names,
            keys: known.iter().map(|relay| relay.key).collect(),
            guard,
            client,
            capture,
        }
    }

    /// Sends one request as the application does and takes down what it was.
    async fn ask(&self, server: &ServerAddress, request: &FileRequest, asked: Asked) -> Response {
        self.ask_changed(server, request, asked, true, |_body| ())
            .await
    }

    async fn ask_changed(
        &self,
        server: &ServerAddress,
        request: &FileRequest,
        asked: Asked,
        sealed_return: bool,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Response {
        let cipher = HopCipher::XChaCha20;
        let mut built = sealed_through(&self.keys, server, request, cipher, sealed_return);
        change(&mut built.body);
        self.capture.lock().unwrap().asked.push(asked);
        let url = format!("https://{}{GUARD_ENDPOINT}", self.guard);
        let answer = self.client.post(url).body(built.body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.bytes().await.unwrap().to_vec();
        built.reply.open(body).unwrap().response
    }

    /// Whether the list was given; else the answer is a refusal like any other.
    async fn ask_for_a_list(&self, server: &ServerAddress, request: &FileRequest) -> bool {
        let given = self.ask(server, request, Asked::Other).await.code == 200;
        if given {
            *self.capture.lock().unwrap().asked.last_mut().unwrap() = Asked::List;
        }
        given
    }

    fn captured(&self) -> Capture {
        self.capture.lock().unwrap().clone()
    }
}

fn record(capture: &Arc<Mutex<Capture>>, link: usize) -> Hook {
    let capture = Arc::clone(capture);
    Arc::new(move |crossing| {
        let taken = |bytes: &[u8], number: usize| Body {
            link,
            number,
            len: bytes.len(),
            sha256: Digest::of(bytes).to_hex(),
        };
        let mut capture = capture.lock().unwrap();
        // One request is under way at a time.
        let number = capture.asked.len() - 1;
        match crossing {
            Crossing::There(body) => capture.there.push(taken(body, number)),
            Crossing::Back(_status, body) => capture.back.push(taken(body, number)),
        }
    })
}

/// Why what was captured tells more than it may.
fn judge(capture: &Capture) -> Result<(), String> {
    let count = capture.asked.len();
    for (way, bodies) in [("there", &capture.there), ("back", &capture.back)] {
        if bodies.len() != 4 * count {
            return Err(format!(
                "{} bodies {way} for {count} requests",
                bodies.len()
            ));
        }
        for link in 0..4 {
            let mut blobs: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            let mut others = BTreeSet::new();
            for body in bodies.iter().filter(|body| body.link == link) {
                match (capture.asked[body.number], way) {
                    (Asked::Upload(blob), "there") | (Asked::Download(blob), "back") => {
                        blobs.entry(blob).or_default().insert(body.len);
                    }
                    (Asked::List, "back") => {
                        blobs
                            .entry(SizeClass::ALL[0].blob_len())
                            .or_default()
                            .insert(body.len);
                    }
                    _ => {
                        others.insert(body.len);
                    }
                }
            }
            if link == 0 && way == "there" {
                let constant = blobs
                    .iter()
                    .all(|(blob, lens)| lens.iter().all(|len| *len == blob + REQUEST_OVERHEAD))
                    && others.iter().all(|len| *len == REQUEST_OVERHEAD);
                if !constant {
                    return Err(format!("the guard was sent {blobs:?} and {others:?}"));
                }
            }
            let lens: BTreeSet<usize> = blobs.values().flatten().copied().collect();
            if blobs.len() != 8 || lens.len() != 8 || blobs.values().any(|lens| lens.len() != 1) {
                return Err(format!(
                    "link {link}, {way}: blobs have the lengths {blobs:?}"
                ));
            }
            if others.len() != 1 || !lens.is_disjoint(&others) {
                return Err(format!(
                    "link {link}, {way}: all others have the lengths {others:?}"
                ));
            }
        }
    }
    let all: BTreeSet<&str> = capture
        .there
        .iter()
        .chain(&capture.back)
        .map(|body| body.sha256.as_str())
        .collect();
    if all.len() != 8 * count {
        return Err(format!(
            "{} of {} bodies are equal to another",
            8 * count - all.len(),
            8 * count
        ));
    }
    Ok(())
}

/// Which of the optional headers an upload has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Headers {
    /// All of them, as long as they can be.
    All,
    Drawn,
    None,
}

fn upload(
    blob: Vec<u8>,
    headers: Headers,
    owner: &OwnerToken,
    rng: &mut ChaCha20Rng,
) -> FileRequest {
    let mut with = || match headers {
        Headers::All => true,
        Headers::Drawn => rng.next_u32().is_multiple_of(2),
        Headers::None => false,
    };
    let [ttl, owned, receipts, access, work] = std::array::from_fn(|_| with());
    let mut draw = || u64::from(rng.next_u32());
    FileRequest::Upload(Upload {
        blob,
        expiry: ttl.then(|| match draw() % 2 {
            0 => Expiry::InSecs(3_600 + draw() % 200_000),
            _ => Expiry::AtHour(expiry_hour(now(), 3_600 + draw() % 200_000)),
        }),
        owner: owned.then(|| owner.hash()),
        receipts: receipts.then(|| ReceiptTerms {
            key: Identity::from_seed([7; 32]).public(),
            max_downloads: [None, Some(0), Some(3), Some(MAX_RECEIPTS)]
                [usize::try_from(draw() % 4).unwrap()],
        }),
        access: access.then(|| {
            let len = if headers == Headers::All {
                64
            } else {
                1 + usize::try_from(draw() % 64).unwrap()
            };
            AccessWord::parse(&"w".repeat(len)).unwrap()
        }),
        work: work.then(|| match headers {
            Headers::All => u64::MAX,
            Headers::Drawn | Headers::None => draw(),
        }),
    })
}

/// How many files of each class: the small ones most often. The first four of each class go to both servers with all
/// optional headers, and with none.
const FILES: [usize; 8] = [126, 20, 14, 12, 8, 8, 6, 6];

#[tokio::test(flavor = "multi_thread")]
async fn every_link_shows_eight_sizes_and_no_two_equal_bodies() {
    let network = Recorded::start().await;
    let rng = &mut ChaCha20Rng::seed_from_u64(200);
    let mut classes: Vec<SizeClass> = SizeClass::ALL
        .iter()
        .zip(FILES)
        .flat_map(|(class, count)| vec![*class; count])
        .collect();
    assert_eq!(classes.len(), 200);
    for at in (1..classes.len()).rev() {
        classes.swap(at, usize::try_from(rng.next_u32()).unwrap() % (at + 1));
    }
    let mut of_class = [0; 8];
    for (number, class) in classes.into_iter().enumerate() {
        let count = &mut of_class[usize::from(class.index())];
        let server = &network.names[*count % 2];
        let headers = match *count {
            0..2 => Headers::All,
            2..4 => Headers::None,
            _ => Headers::Drawn,
        };
        *count += 1;
        let least = class
            .index()
            .checked_sub(1)
            .map_or(0, |below| SizeClass::ALL[usize::from(below)].capacity() + 1);
        let len = least + usize::try_from(rng.next_u32()).unwrap() % (class.capacity() + 1 - least);
        let name = "n".repeat(1 + number);
        let name = (number % 3 > 0).then_some(name.as_str());
        let Sealed { blob, digest, .. } =
            seal(ContentKind::File, name, None, &vec![0; len], rng).unwrap();
        let blob = blob.into_bytes();
        let owner = OwnerToken::generate(rng);
        let request = upload(blob.clone(), headers, &owner, rng);
        let owned = matches!(&request, FileRequest::Upload(upload) if upload.owner.is_some());
        let answer = network
            .ask(server, &request, Asked::Upload(blob.len()))
            .await;
        let stored = file_api::read_uploaded(&answer, blob.len(), &digest).unwrap();

        let answer = network
            .ask(
                server,
                &FileRequest::Download(stored.id.clone()),
                Asked::Download(blob.len()),
            )
            .await;
        assert!(
            *file_api::read_found(answer).unwrap() == blob,
            "file {number} came back changed"
        );
        if number % 10 == 0 {
            everything_else(&network, server, stored.id, &owner, owned).await;
        }
    }
    let capture = network.captured();
    judge(&capture).unwrap();
    for link in 0..4 {
        for (way, bodies) in [("there", &capture.there), ("back", &capture.back)] {
            let lens: BTreeSet<usize> = bodies
                .iter()
                .filter(|body| body.link == link)
                .map(|body| body.len)
                .collect();
            println!("link {link} {way}: {lens:?}");
        }
    }

    // The judge is not blind: one byte more or less in one body of thousands, or one body met twice.
    for at in [0, capture.there.len() / 2, capture.there.len() - 1] {
        for (there, more) in [(true, true), (true, false), (false, true), (false, false)] {
            let mut changed = capture.clone();
            let body = if there {
                &mut changed.there[at]
            } else {
                &mut changed.back[at]
            };
            body.len = if more { body.len + 1 } else { body.len - 1 };
            judge(&changed).unwrap_err();
        }
        let mut repeated = capture.clone();
        repeated.back[at].sha256 = repeated.there[at].sha256.clone();
        judge(&repeated).unwrap_err();
    }
}

/// What goes in parts shows on each link the lengths that files show, and no other: whether a part is full or half
/// empty, and whatever the list holds. So of a whole its class and the number of its parts can be seen, of which
/// wholes from 10 MB to 10 GB have 39 pairs.
#[tokio::test(flavor = "multi_thread")]
async fn parts_and_lists_show_no_other_lengths_than_files() {
    let mut seen = BTreeSet::new();
    // Even on a log scale, finer than any two steps lie apart.
    for step in 0..=20_000_u32 {
        let len = 10_000_000.0 * 1_000_f64.powf(f64::from(step) / 20_000.0);
        // Below 10^10, so every digit before the point is kept.
        let len = format!("{len:.0}").parse().unwrap();
        match Layout::for_sending(len, IdForm::Packed, None).unwrap() {
            Layout::Parts(plan) => seen.insert((plan.class().index(), plan.parts())),
            Layout::OneBlob(class) => seen.insert((class.index(), 1)),
        };
    }
    assert_eq!(seen.len(), 39, "{seen:?}");

    let network = Recorded::start().await;
    let rng = &mut ChaCha20Rng::seed_from_u64(39);
    let server = &network.names[0];
    for class in SizeClass::ALL {
        // Parts that are full but for the last one, and, where a smaller class does not hold them, half empty ones.
        let full = class.capacity() as u64;
        let plans = [3 * full - 2, 3 * (full / 2 + 1)];
        let plans = plans.map(|len| PartPlan::new(len, 3).unwrap());
        for plan in plans.into_iter().filter(|plan| plan.class() == class) {
            let secret = PartsSecret::generate(rng);
            for index in [plan.index(0), plan.index(2)].into_iter().flatten() {
                let content = vec![1; plan.content_len(index)];
                let part = seal_part(&secret, &plan, index, &content, rng).unwrap();
                stored_and_fetched(&network, server, part.blob.into_bytes(), &part.digest, rng)
                    .await;
            }
        }
    }
    for parts in [2, 1_341, 1_342] {
        let plan = PartPlan::new(u64::from(parts) * 60_000, parts).unwrap();
        let secret = PartsSecret::generate(rng);
        let owner = OwnerToken::generate(rng).hash();
        let mut list = PartListBuilder::new(ContentKind::File, plan, secret, false).unwrap();
        for number in 0..parts {
            let digest = Digest::of(&number.to_le_bytes());
            let id = OwnedId::new(500_000, &owner, &digest).file_id();
            list.push(&digest, &id, None).unwrap();
        }
        let name = "n".repeat(usize::try_from(parts % 200 + 1).unwrap());
        let sealed = list.finish().unwrap().seal(Some(&name), None, rng).unwrap();
        let len = sealed.blob.as_bytes().len();
        assert_eq!(
            len > SizeClass::ALL[0].blob_len(),
            parts > 1_341,
            "{parts} parts"
        );
        stored_and_fetched(
            &network,
            server,
            sealed.blob.into_bytes(),
            &sealed.digest,
            rng,
        )
        .await;
    }
    network
        .ask(server, &FileRequest::ServerInfo, Asked::Other)
        .await;
    judge(&network.captured()).unwrap();
}

async fn stored_and_fetched(
    network: &Recorded,
    server: &ServerAddress,
    blob: Vec<u8>,
    digest: &Digest,
    rng: &mut ChaCha20Rng,
) {
    let len = blob.len();
    let request = upload(blob, Headers::Drawn, &OwnerToken::generate(rng), rng);
    let answer = network.ask(server, &request, Asked::Upload(len)).await;
    let stored = file_api::read_uploaded(&answer, len, digest).unwrap();
    let request = FileRequest::Download(stored.id);
    let answer = network.ask(server, &request, Asked::Download(len)).await;
    assert_eq!(Digest::of(&file_api::read_found(answer).unwrap()), *digest);
}

/// What else can be asked about a file and its server.
async fn everything_else(
    network: &Recorded,
    server: &ServerAddress,
    id: FileId,
    owner: &OwnerToken,
    owned: bool,
) {
    let token = || OwnerToken::from_bytes(*owner.as_bytes());
    let key = seal(ContentKind::File, None, None, b"", &mut random::system())
        .unwrap()
        .key;
    let unknown = FileId::parse("nothing").unwrap();
    let status = FileRequest::Status {
        id: id.clone(),
        token: token(),
    };
    let requests = [
        FileRequest::ServerInfo,
        FileRequest::FileInfo(id.clone()),
        FileRequest::FileInfo(unknown.clone()),
        FileRequest::Download(unknown.clone()),
        FileRequest::Receipt {
            id: id.clone(),
            receipt: DownloadReceipt::make(&key, &id, &mut random::system()),
        },
        FileRequest::Extend {
            id: id.clone(),
            expiry: Some(Expiry::InSecs(7_200)),
            token: Some(token()),
        },
        FileRequest::Extend {
            id: id.clone(),
            expiry: None,
            token: None,
        },
        FileRequest::Status {
            id: unknown.clone(),
            token: token(),
        },
        FileRequest::Delete {
            id: unknown,
            token: token(),
        },
        FileRequest::Delete {
            id: id.clone(),
            token: OwnerToken::from_bytes([0; 32]),
        },
    ];
    for request in &requests {
        network.ask(server, request, Asked::Other).await;
    }
    let told = network.ask_for_a_list(server, &status).await;
    assert_eq!(told, owned, "the owner is told, and nobody else");
    let listed = network.ask_for_a_list(server, &FileRequest::RelayList);
    assert!(listed.await);
    network
        .ask(
            server,
            &FileRequest::Delete { id, token: token() },
            Asked::Other,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_more_on_a_link_is_noticed() {
    for (sealed_return, more) in [(true, 0), (true, 1), (false, 0)] {
        let network = Recorded::start().await;
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let server = &network.names[0];
        for class in SizeClass::ALL {
            let Sealed { blob, digest, .. } = seal(
                ContentKind::File,
                None,
                None,
                &vec![0; class.capacity()],
                rng,
            )
            .unwrap();
            let blob = blob.into_bytes();
            let len = blob.len();
            let request = upload(blob, Headers::None, &OwnerToken::generate(rng), rng);
            let answer = network.ask(server, &request, Asked::Upload(len)).await;
            let stored = file_api::read_uploaded(&answer, len, &digest).unwrap();
            let request = FileRequest::Download(stored.id);
            // A space after the JSON of the outer layer: no party minds it.
            let change = |body: &mut Vec<u8>| body.resize(body.len() + more, b' ');
            network
                .ask_changed(
                    server,
                    &request,
                    Asked::Download(len),
                    sealed_return,
                    change,
                )
                .await;
        }
        let verdict = judge(&network.captured());
        match (sealed_return, more) {
            (true, 0) => verdict.unwrap(),
            (true, _) => assert!(verdict.unwrap_err().contains("the guard was sent")),
            (false, _) => assert!(verdict.unwrap_err().contains("equal to another")),
        }
    }
}

/// 253 characters, the longest that a name may have.
fn long_name() -> String {
    let name = [62, 62, 62, 61].map(|len| "x".repeat(len)).join(".") + ".y";
    assert_eq!(name.len(), 252);
    format!("{name}z")
}
