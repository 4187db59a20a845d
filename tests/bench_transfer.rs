//! How long a share and a get of the largest file take through three relays on loopback, what of it is the bare
//! cryptography of all parties, and how much memory the client takes.
//!
//! `cargo bench --bench transfer`; `ROUNDS=9` sets how often (default 5). Nothing here is a gate.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run ends")]
#![expect(clippy::print_stdout, reason = "its figures are for people")]

#[allow(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::fs;
use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cloakroom::app::received::save::SaveTo;
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::{get, share};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::keys::X25519Secret;
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::onion::hop_cipher::HopKey;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::seal::{ContentKind, UnverifiedBlob, seal};
use cloakroom::protocol::size_class::{MAX_CONTENT_LEN, SizeClass};
use cloakroom::wire::random;
use support::{Network, cloak, peak_kib, said, with_input};

fn main() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5);
    println!(
        "{} profile, medians of {rounds}, {MAX_CONTENT_LEN} bytes sent as {}",
        if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        },
        LARGEST.blob_len()
    );
    let content = support::content(usize::try_from(MAX_CONTENT_LEN).unwrap());

    let bare = bare(&content, rounds);
    println!("\nbare cryptography of all parties, one thread");
    println!(
        "  one blob seal (its SHA-256 not counted) {}",
        ms(bare.seal)
    );
    println!(
        "  one blob open                           {}",
        ms(bare.open)
    );
    println!(
        "  one SHA-256                             {}",
        ms(bare.digest)
    );
    println!(
        "  one layer seal                          {}",
        ms(bare.layer_seal)
    );
    println!(
        "  one layer open                          {}",
        ms(bare.layer_open)
    );
    let layers = 4 * (bare.layer_seal + bare.layer_open);
    let for_share = bare.seal + 2 * bare.digest + layers;
    let for_get = bare.open + bare.digest + layers;
    println!(
        "  a share: one seal, two SHA-256, four layers   {}",
        ms(for_share)
    );
    println!(
        "  a get: one open, one SHA-256, four layers     {}",
        ms(for_get)
    );

    println!("\nthe built-in network, all in this process");
    let (share, get) = in_process(&content, rounds);
    report("share", share, for_share);
    report("get", get, for_get);

    println!("\none serve, three relay, share and get, each a process");
    let network = Network::start();
    let large = network.file("large.bin", &content);
    let empty = network.file("empty.bin", b"");
    let (share, get, whole_share, whole_get) = by_processes(&network, &large, rounds);
    report("share", share, for_share);
    report("get", get, for_get);
    println!(
        "  from start to end of the process: share {}, get {}",
        ms(whole_share),
        ms(whole_get)
    );

    println!("\npeak memory of the client process");
    let of_share = |file| peak(sharing(&network, file), "");
    let of_get = |file| peak(getting(&network), &network.pointer_to(file));
    show_peaks("share", of_share(&empty), of_share(&large));
    show_peaks("get", of_get(&empty), of_get(&large));
}

struct Bare {
    seal: Duration,
    open: Duration,
    digest: Duration,
    layer_seal: Duration,
    layer_open: Duration,
}

fn bare(content: &[u8], rounds: usize) -> Bare {
    let rng = &mut random::system();
    let sealed = seal(ContentKind::File, None, None, content, rng).unwrap();
    let blob = sealed.blob.into_bytes();
    let digest = median(rounds, || timed(|| Digest::of(&blob)));
    let seal = median(rounds, || {
        timed(|| {
            seal(
                ContentKind::File,
                None,
                None,
                content,
                &mut random::system(),
            )
            .unwrap()
        })
    });
    let open = median(rounds, || {
        let blob = UnverifiedBlob::new(blob.clone())
            .verify(&sealed.digest)
            .unwrap();
        timed(|| blob.open(&sealed.key).unwrap())
    });
    let (client, relay) = (X25519Secret::generate(rng), X25519Secret::generate(rng));
    let key = HopKey::derive(
        HopCipher::XChaCha20,
        &client.agree(&relay.public()).unwrap(),
        &client.public(),
        &relay.public(),
    );
    let mut layer = blob.clone();
    layer.resize(blob.len() + HopCipher::XChaCha20.overhead(), 0);
    let (mut seals, mut opens) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        seals.push(timed(|| key.seal_in_place(&mut layer, rng)));
        let whole = 0..layer.len();
        opens.push(timed(|| key.open_in_place(&mut layer, whole).unwrap()));
    }
    Bare {
        seal: seal.saturating_sub(digest),
        open,
        digest,
        layer_seal: middle(seals),
        layer_open: middle(opens),
    }
}

/// The medians of a share and of a get.
fn in_process(content: &[u8], rounds: usize) -> (Duration, Duration) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large.bin");
        fs::write(&file, content).unwrap();
        let program = Program::new(Home::in_folder(folder.path()), Settings::default());
        let network = program.builtin_server().await.unwrap();
        let call = Call::new(&program, network, &CallContext::default());
        let (mut shares, mut gets) = (Vec::new(), Vec::new());
        // The first round asks the server what it takes, and is not counted.
        for round in 0..=rounds {
            let request = share::ShareRequest::new(vec![file.clone()]);
            let shared = share::share(&call, request).await.unwrap();
            let pointer = Pointer::find(shared.pointer.to_text().as_str()).unwrap();
            let to = SaveTo::Path(folder.path().join("copy.bin"));
            let request = get::GetRequest {
                pointer,
                target: to.prepare(&[]).unwrap(),
                tell_sender: false,
                choice: get::Choice::All,
            };
            let fetched = get::get(&call, request).await.unwrap();
            fs::remove_file(fetched.path).unwrap();
            if round > 0 {
                shares.push(shared.took);
                gets.push(fetched.took);
            }
        }
        (middle(shares), middle(gets))
    })
}

/// The medians of a share and of a get as they count themselves, and of their whole processes.
fn by_processes(
    network: &Network,
    file: &Path,
    rounds: usize,
) -> (Duration, Duration, Duration, Duration) {
    let [mut shares, mut gets, mut whole_shares, mut whole_gets] = [const { Vec::new() }; 4];
    network.pointer_to(file);
    for _ in 0..rounds {
        let mut share = sharing(network, file);
        share.arg("--json");
        let started = Instant::now();
        let output = share.output().unwrap();
        whole_shares.push(started.elapsed());
        assert!(output.status.success(), "{}", said(&output));
        let shared: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        shares.push(seconds(&shared));

        let mut get = getting(network);
        get.arg("--json");
        let started = Instant::now();
        let output = with_input(get, shared["pointer"].as_str().unwrap());
        whole_gets.push(started.elapsed());
        assert!(output.status.success(), "{}", said(&output));
        gets.push(seconds(&serde_json::from_slice(&output.stdout).unwrap()));
    }
    (
        middle(shares),
        middle(gets),
        middle(whole_shares),
        middle(whole_gets),
    )
}

fn seconds(object: &serde_json::Value) -> Duration {
    Duration::from_secs_f64(object["seconds"].as_f64().unwrap())
}

fn sharing(network: &Network, file: &Path) -> Command {
    let mut share = cloak(network.home());
    share
        .arg("share")
        .arg(file)
        .args(["--server", &network.server.first_line, "--relays"])
        .arg(network.list());
    share
}

fn getting(network: &Network) -> Command {
    let folder = network.home().join("received");
    fs::create_dir_all(&folder).unwrap();
    let mut get = cloak(network.home());
    get.args(["get", "-", "--out"])
        .arg(folder)
        .arg("--relays")
        .arg(network.list());
    get
}

/// The peak of a process in KiB, where the system tells it while the process runs (Linux).
fn peak(mut command: Command, input: &str) -> Option<u64> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let mut peak = None;
    // The high-water mark only rises, so the last look before the end has nearly all of it.
    let ended = loop {
        peak = peak.max(peak_kib(child.id()));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(ended.success(), "{said}");
    peak
}

fn show_peaks(what: &str, empty: Option<u64>, large: Option<u64>) {
    let (Some(empty), Some(large)) = (empty, large) else {
        println!("  {what:<6} not known on this system");
        return;
    };
    let mib = |kib: u64| format!("{:.1} MiB", Duration::from_secs(kib).as_secs_f64() / 1024.0);
    println!(
        "  {what:<6} {} with 10 MB, {} with an empty file: {} more",
        mib(large),
        mib(empty),
        mib(large.saturating_sub(empty))
    );
}

fn report(what: &str, took: Duration, bare: Duration) {
    println!(
        "  {what:<6} {}  = {:.2} times the bare cryptography",
        ms(took),
        took.as_secs_f64() / bare.as_secs_f64()
    );
}

fn ms(time: Duration) -> String {
    format!("{:>8.1} ms", time.as_secs_f64() * 1_000.0)
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    let made = black_box(work());
    let took = started.elapsed();
    drop(made);
    took
}

fn median(rounds: usize, round: impl FnMut() -> Duration) -> Duration {
    middle(std::iter::repeat_with(round).take(rounds).collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

const LARGEST: SizeClass = SizeClass::ALL[7];
