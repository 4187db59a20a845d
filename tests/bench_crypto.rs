//! How long the protocol's own work takes: seal and open of each size class, and an onion of the largest one.
//!
//! `cargo bench --bench crypto`
#![expect(clippy::unwrap_used, reason = "a bench that cannot run ends")]

use std::hint::black_box;

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::file_api::{FileRequest, Upload};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::{Built, HopCipher, OnionRoute, build, peel};
use cloakroom::protocol::seal::{ContentKind, UnverifiedBlob, seal};
use cloakroom::protocol::size_class::SizeClass;
use cloakroom::wire::random;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

criterion_group!(benches, seal_and_open, onion);
criterion_main!(benches);

fn seal_and_open(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("blob");
    group.sample_size(10);
    for class in SizeClass::ALL {
        let content = vec![7; class.capacity()];
        let sealed = || {
            seal(
                ContentKind::File,
                Some("a.bin"),
                None,
                &content,
                &mut random::system(),
            )
            .unwrap()
        };
        group.throughput(Throughput::Bytes(class.blob_len() as u64));
        // Sealing includes the digest, verifying is the digest.
        group.bench_function(format!("seal class {}", class.index()), |bench| {
            bench.iter(sealed);
        });
        let known = sealed();
        let bytes = known.blob.into_bytes();
        group.bench_function(
            format!("verify and open class {}", class.index()),
            |bench| {
                bench.iter_batched(
                    || bytes.clone(),
                    |bytes| {
                        UnverifiedBlob::new(bytes)
                            .verify(&known.digest)
                            .unwrap()
                            .open(&known.key)
                            .unwrap()
                    },
                    BatchSize::PerIteration,
                );
            },
        );
    }
    group.finish();
}

fn onion(criterion: &mut Criterion) {
    let rng = &mut random::system();
    let identities: Vec<_> = (0..4).map(|_| Identity::generate(rng)).collect();
    let relays: Vec<_> = identities[..3].iter().map(Identity::public).collect();
    let server = ServerAddress {
        url: "http://files.example".parse().unwrap(),
        key: identities[3].public(),
    };
    let largest = SizeClass::ALL[7];
    let upload = FileRequest::Upload(Upload::new(vec![7; largest.blob_len()]));
    let mut group = criterion.benchmark_group("onion of 10 MB");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(largest.blob_len() as u64));
    for cipher in [HopCipher::XChaCha20, HopCipher::AesGcm] {
        let built = || -> Built {
            let route = OnionRoute {
                relays: &relays,
                server: &server,
                cipher,
                sealed_return: true,
            };
            build(&route, &upload.head(), upload.body(), &mut random::system()).unwrap()
        };
        group.bench_function(format!("build, {cipher:?}"), |bench| {
            bench.iter_with_large_drop(|| black_box(built()));
        });
        let body = built().body;
        let guard = identities[0].x25519();
        group.bench_function(format!("peel one layer, {cipher:?}"), |bench| {
            bench.iter_batched(
                || body.clone(),
                |body| peel(&guard, body).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}
