//! A relay under more than it can hold: a process of its own, 200 requests of 10 MB at once, each answered with 10 MB.
//! It says who has to come again, its memory stays under the bound stated here, no request passes twice, and it serves
//! on.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use cloakroom::protocol::address::{ServerAddress, ServerUrl};
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::onion::v4::RequestHead;
use cloakroom::protocol::onion::{
    Built, GUARD_ENDPOINT, HopCipher, MAX_MESSAGE_LEN, OnionRoute, build,
};
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::protocol::size_class::SizeClass;
use cloakroom::wire::admission::{Admission, Rules};
use cloakroom::wire::body::{self, BodyLimits};
use cloakroom::wire::listener::{self, ListenConfig, answer};
use cloakroom::wire::{random, tls};
use hyper::StatusCode;

use crate::support::{Process, cloak, peak_kib};

/// What bodies may take in the relay.
const MAX_MEMORY_MIB: u64 = 128;
/// What it may take beside them: 1 MiB for the buffers of each connection, and 32 MiB for the program.
const BESIDE_MIB: u64 = REQUESTS as u64 + 32;

const REQUESTS: usize = 200;
/// Each of them is sent so often that there are as many as that.
const DIFFERENT: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_large_requests_at_once_stay_under_the_bound_and_it_serves_on() {
    let passed = Arc::new(AtomicUsize::new(0));
    let server = server(Arc::clone(&passed)).await;
    let folder = tempfile::tempdir().unwrap();
    let mut relay = cloak(folder.path());
    relay
        .args([
            "relay",
            "--listen",
            "127.0.0.1:0",
            "--allow-private",
            "--max-memory",
        ])
        .arg(format!("{MAX_MEMORY_MIB} MiB"))
        .arg("--key")
        .arg(folder.path().join("relay.key"));
    let relay = Process::start(relay);
    let entry = RelayDescriptor::parse(&relay.first_line).unwrap();
    let url = format!(
        "https://{}{GUARD_ENDPOINT}",
        SocketAddr::new(entry.host, entry.port)
    );
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::pinned_client_config(&entry.key).unwrap())
        .no_proxy()
        .http1_only()
        .build()
        .unwrap();

    let bodies: Vec<Bytes> = (0..DIFFERENT)
        .map(|_| request(entry.key, &server).body.into())
        .collect();
    let asking: Vec<_> = bodies
        .iter()
        .cycle()
        .take(REQUESTS)
        .map(|body| {
            let (client, url, body) = (client.clone(), url.clone(), body.clone());
            tokio::spawn(async move {
                // Who is told to come again may be cut off before the whole request was sent.
                let mut response = client.post(url).body(body).send().await.ok()?;
                let mut len = 0;
                while let Some(chunk) = response.chunk().await.unwrap() {
                    len += chunk.len();
                }
                Some((response.status().as_u16(), len))
            })
        })
        .collect();
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    let mut cut_off = 0;
    for asked in asking {
        let Some((status, len)) = asked.await.unwrap() else {
            cut_off += 1;
            continue;
        };
        assert_eq!(status == 200, len > ANSWER_LEN, "{status} with {len} bytes");
        *answers.entry(status).or_default() += 1;
    }
    let peak = peak_kib(relay.id()).unwrap() / 1_024;
    println!("{answers:?}, {cut_off} cut off; peak {peak} MiB");
    assert!(
        answers
            .keys()
            .all(|status| [200, 400, 503].contains(status)),
        "{answers:?}"
    );
    let served = answers.get(&200).copied().unwrap_or(0);
    assert!(
        served > 0 && answers.get(&503).copied().unwrap_or(0) + cut_off > 0,
        "{answers:?}"
    );
    assert_eq!(
        passed.load(Ordering::SeqCst),
        served,
        "what was seen before never passes"
    );
    assert!(served <= DIFFERENT);
    assert!(peak <= MAX_MEMORY_MIB + BESIDE_MIB, "{peak} MiB");

    for _ in 0..3 {
        let response = client
            .post(&url)
            .body(request(entry.key, &server).body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "it serves on");
        assert!(response.bytes().await.unwrap().len() > ANSWER_LEN);
    }
    let peak = peak_kib(relay.id()).unwrap() / 1_024;
    assert!(peak <= MAX_MEMORY_MIB + BESIDE_MIB, "{peak} MiB");
}

/// An upload of the largest class by way of this relay alone.
fn request(relay: Ed25519Public, server: &ServerAddress) -> Built {
    let route = OnionRoute {
        relays: &[relay],
        server,
        cipher: HopCipher::XChaCha20,
        sealed_return: true,
    };
    let head = RequestHead {
        method: "POST".to_owned(),
        endpoint: "/file".to_owned(),
        headers: Vec::new(),
    };
    let blob = vec![0; SizeClass::ALL[7].blob_len()];
    build(&route, &head, &blob, &mut random::system()).unwrap()
}

/// One who reads every request and answers it with the longest answer a server gives.
async fn server(passed: Arc<AtomicUsize>) -> ServerAddress {
    let long = Bytes::from(vec![b'x'; ANSWER_LEN]);
    let config = ListenConfig {
        admission: Admission::new(Rules {
            max_memory: 4 << 30,
            limit_addresses: false,
            ..Rules::default()
        }),
        ..ListenConfig::new("127.0.0.1:0".parse().unwrap())
    };
    let listening = listener::listen(
        config,
        move |caller, request: hyper::Request<hyper::body::Incoming>| {
            let (passed, long) = (Arc::clone(&passed), long.clone());
            async move {
                let (head, body) = request.into_parts();
                let limits = BodyLimits::of(MAX_MESSAGE_LEN as u64);
                body::read_request(&head.headers, body, &limits, &caller)
                    .await
                    .unwrap();
                passed.fetch_add(1, Ordering::SeqCst);
                answer(StatusCode::OK, long)
            }
        },
    )
    .await
    .unwrap();
    let url = ServerUrl::parse(&format!("http://{}", listening.addr())).unwrap();
    // For as long as the test runs.
    Box::leak(Box::new(listening));
    ServerAddress {
        url,
        key: Identity::from_seed([9; 32]).public(),
    }
}

const ANSWER_LEN: usize = 10_000_360;
