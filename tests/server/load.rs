//! Many slow people at once: memory stays within its limit, everybody gets an answer, and a stop finishes what runs.
#![cfg(target_os = "linux")]

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, FileRequest, Upload};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::onion::v4::Response;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::server::serving::{self, ask, plain, sealed, socket};
use crate::support::{self, Process, peak_kib, signal};

const PEOPLE: usize = 500;
const MEMORY_KIB: u64 = 64 * 1024;
/// The program itself, its threads and what its allocator keeps, set as in the service that is shipped.
const PROGRAM_KIB: u64 = 40 * 1024;

fn start(home: &Path) -> Process {
    // Beside the connections there are files.
    let mut serve = Command::new("bash");
    serve
        .args(["-c", "ulimit -n 4096; exec \"$@\"", "bash"])
        .arg(env!("CARGO_BIN_EXE_cloak"))
        .env("CLOAKROOM_HOME", home)
        .envs(service_environment())
        .args(["serve", "--listen", "127.0.0.1:0", "--plain-http"])
        .args(["--max-memory", &format!("{MEMORY_KIB} KiB"), "--store"])
        .arg(home.join("store"));
    Process::start(serve)
}

fn service_environment() -> Vec<(&'static str, &'static str)> {
    let unit = include_str!("../../packaging/server/cloakroom-server.service");
    let lines = unit.lines();
    let set: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("Environment=")?.split_once('='))
        .collect();
    assert!(!set.is_empty());
    set
}

async fn share(to: &ServerAddress, blob: &[u8]) -> String {
    let response = ask(to, &FileRequest::Upload(Upload::new(blob.to_vec()))).await;
    stored(&response, blob)
}

fn stored(response: &Response, blob: &[u8]) -> String {
    let at = file_api::read_uploaded(response, blob.len(), &Digest::of(blob)).unwrap();
    at.id.as_str().to_owned()
}

/// The address of one of many people: all of 127.0.0.0/8 is this machine.
fn home_of(person: usize) -> SocketAddr {
    let [high, low] = u16::try_from(person).unwrap().to_be_bytes();
    SocketAddr::from(([127, 1, high, low], 0))
}

async fn begin(to: &ServerAddress, path: &str, len: usize) -> TcpStream {
    begin_from(0, to, path, len).await
}

async fn begin_from(person: usize, to: &ServerAddress, path: &str, len: usize) -> TcpStream {
    let own = TcpSocket::new_v4().unwrap();
    own.bind(home_of(person)).unwrap();
    let mut stream = own.connect(socket(to)).await.unwrap();
    stream
        .write_all(head(path, to, len).as_bytes())
        .await
        .unwrap();
    stream
}

fn head(path: &str, to: &ServerAddress, len: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n",
        socket(to)
    )
}

/// A connection whose other side can send little before it is read.
async fn connect_slow(person: usize, to: &ServerAddress) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(home_of(person)).unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.connect(serving::socket(to)).await.unwrap()
}

/// The next bytes that come, at most `most`; none when it was closed.
async fn next(stream: &TcpStream, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => {
                bytes.truncate(read.unwrap_or(0));
                return bytes;
            }
        }
    }
}

/// How uploads are sent.
#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    Sealed,
}

#[tokio::test]
async fn five_hundred_slow_uploads_take_no_more_memory_than_allowed() {
    slow_uploads(Way::Sealed).await;
}

#[tokio::test]
async fn five_hundred_slow_plain_uploads_take_no_more_memory_than_allowed() {
    slow_uploads(Way::Plain).await;
}

#[expect(clippy::print_stderr, reason = "the figures of a run")]
async fn slow_uploads(way: Way) {
    let _crowd = serving::CROWDS.read().await;
    let home = tempfile::tempdir().unwrap();
    let server = start(home.path());
    let to: ServerAddress = server.first_line.parse().unwrap();
    // One of them is honest, and only slow.
    let content = support::content(5_242_880);
    let upload = FileRequest::Upload(Upload::new(content.clone()));
    let honest = sealed(&to, &upload, HopCipher::XChaCha20);
    let (path, body) = match way {
        Way::Plain => ("/file", &content),
        Way::Sealed => ("/oxen/v4/lsrpc", &honest.body),
    };
    let mut slow = begin(&to, path, body.len()).await;
    let mut pieces = body.chunks(body.len() / 9);
    slow.write_all(pieces.next().unwrap()).await.unwrap();
    // It is under way before the others.
    assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);

    let mut crowd = Vec::new();
    for person in 1..=PEOPLE {
        crowd.push(begin_from(person, &to, path, 10_002_000).await);
    }
    for _round in 0..4 {
        for stream in &mut crowd {
            stream.write_all(&[7; 1000]).await.ok();
        }
        slow.write_all(pieces.next().unwrap()).await.unwrap();
        assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);
        assert!(peak_kib(server.id()).unwrap() < MEMORY_KIB + PROGRAM_KIB);
    }
    let small = support::content(65_536);
    share(&to, &small).await;
    for piece in pieces {
        slow.write_all(piece).await.unwrap();
    }
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    let answer = serving::parse(answer).unwrap();
    match way {
        Way::Plain => assert_eq!(answer.status, 200),
        Way::Sealed => {
            let answer = honest.reply.open(answer.body).unwrap();
            stored(&answer.response, &content);
        }
    }

    // Whoever was not let in is told so; whoever was, and then fell silent, is cut.
    let (mut refused, mut cut) = (0, 0);
    let mut answers: FuturesUnordered<_> = crowd.iter().map(|one| next(one, 4096)).collect();
    let patience = Duration::from_secs(120);
    while let Ok(Some(answer)) = tokio::time::timeout(patience, answers.next()).await {
        match answer.get(..12) {
            Some(b"HTTP/1.1 503") => refused += 1,
            Some(b"HTTP/1.1 408") => cut += 1,
            _ => panic!("{}", String::from_utf8_lossy(&answer)),
        }
    }
    drop(answers);
    assert_eq!(refused + cut, PEOPLE, "everybody has an answer");
    assert!(refused > 0 && cut > 0, "{refused} refused, {cut} cut");
    let peak = peak_kib(server.id()).unwrap();
    eprintln!("uploads, {way:?}: {refused} of {PEOPLE} refused, {cut} cut, peak {peak} KiB");
    assert!(peak < MEMORY_KIB + PROGRAM_KIB, "{peak} KiB");

    // When they hang up, all of the memory is there again.
    drop(crowd);
    for _ in 0..3 {
        let upload = FileRequest::Upload(Upload::new(support::content(10_000_000)));
        let taken = async {
            // Not noticed yet that they hung up.
            while !serving::try_ask(&to, &upload)
                .await
                .is_ok_and(|response| response.code == 200)
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), taken)
            .await
            .expect("there is memory again");
    }
}

/// Slow downloads that a server has begun to answer.
#[derive(Default)]
struct Trickle {
    streams: Vec<(TcpStream, Vec<u8>)>,
    since: Option<Instant>,
}

impl Trickle {
    fn add(&mut self, stream: TcpStream, start: Vec<u8>) {
        self.since.get_or_insert_with(Instant::now);
        self.streams.push((stream, start));
    }

    /// A few bytes from each, after which the server has had no more memory than it may have.
    async fn round(&mut self, server: &Process, bytes: usize) {
        let mut left = Vec::new();
        for (stream, mut answer) in self.streams.drain(..) {
            let more = next(&stream, bytes).await;
            if more.is_empty() {
                // Rightly, when nothing was taken from it for long.
                let since = self.since.unwrap();
                assert!(since.elapsed() > Duration::from_secs(25), "cut too early");
                continue;
            }
            answer.extend_from_slice(&more);
            left.push((stream, answer));
        }
        self.streams = left;
        let peak = peak_kib(server.id()).unwrap();
        assert!(peak < MEMORY_KIB + PROGRAM_KIB, "{peak} KiB");
    }
}

#[tokio::test]
async fn five_hundred_slow_downloads_take_no_more_memory_than_allowed() {
    let _crowd = serving::CROWDS.read().await;
    let home = tempfile::tempdir().unwrap();
    let server = start(home.path());
    let to: ServerAddress = server.first_line.parse().unwrap();
    let content = support::content(10_000_000);
    let id = share(&to, &content).await;
    let download = || FileRequest::Download(id.parse_id());

    let mut crowd = Vec::new();
    for person in 0..PEOPLE {
        let built = sealed(&to, &download(), HopCipher::AesGcm);
        let mut stream = connect_slow(person, &to).await;
        let head = head("/oxen/v4/lsrpc", &to, built.body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&built.body).await.unwrap();
        crowd.push((stream, built.reply));
    }
    // Everybody has a first piece of an answer; who has a short one was told to try again later. One of the others is
    // slow and no more, and takes its answer to the end; the rest trickle.
    let (mut held, mut refused) = (Trickle::default(), 0);
    let mut honest = None;
    let hurry = Arc::new(AtomicBool::new(false));
    for (number, (mut stream, reply)) in crowd.into_iter().enumerate() {
        let mut start = next(&stream, 1024).await;
        let text = String::from_utf8_lossy(&start).to_lowercase();
        if text.contains("content-length: 10000") {
            if honest.is_some() {
                held.add(stream, start);
            } else {
                let taking = take_slowly(stream, start, Arc::clone(&hurry));
                honest = Some((tokio::spawn(taking), reply));
            }
        } else {
            stream.read_to_end(&mut start).await.unwrap();
            let answer = serving::parse(start).unwrap();
            let code = reply.open(answer.body).unwrap().response.code;
            assert_eq!(code, 503);
            refused += 1;
        }
        if number % 50 == 49 {
            held.round(&server, 1024).await;
        }
    }
    let holding = held.streams.len() + 1;
    assert!(refused > 0 && holding < 20, "{holding} held");
    for round in 1..=8 {
        held.round(&server, round * 512).await;
    }
    hurry.store(true, Ordering::SeqCst);
    let (taking, reply) = honest.expect("somebody is served");
    let answer = serving::parse(taking.await.unwrap()).unwrap();
    assert!(
        *reply.open(answer.body).unwrap().response.body == content,
        "slow, but whole"
    );
    let sealed_peak = peak_kib(server.id()).unwrap();
    drop(held);

    // Plain ones are sent as they are read: all of them at once.
    let mut crowd = Vec::new();
    for person in 0..PEOPLE {
        let mut stream = connect_slow(person, &to).await;
        let head = format!(
            "GET /file/{id} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            socket(&to)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        crowd.push(stream);
    }
    let mut held = Trickle::default();
    for stream in crowd {
        let start = next(&stream, 1024).await;
        if start.starts_with(b"HTTP/1.1 200") {
            held.add(stream, start);
        } else {
            assert!(start.starts_with(b"HTTP/1.1 503"));
        }
    }
    let served = held.streams.len();
    for round in 1..=8 {
        held.round(&server, round * 512).await;
    }
    for (mut stream, mut start) in held.streams.drain(..3) {
        stream.read_to_end(&mut start).await.unwrap();
        assert!(serving::parse(start).unwrap().body == content);
    }
    let peak = peak_kib(server.id()).unwrap();
    eprintln!(
        "downloads: {refused} of {PEOPLE} sealed ones refused, {served} plain ones served; peak {sealed_peak} KiB, then {peak} KiB"
    );
    assert!(served > PEOPLE / 2, "{served} served");
    assert!(peak < MEMORY_KIB + PROGRAM_KIB, "{peak} KiB");
    assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);
}

/// Takes an answer to its end, faster than is asked for and no more, until there is a hurry.
async fn take_slowly(
    mut stream: TcpStream,
    mut answer: Vec<u8>,
    hurry: Arc<AtomicBool>,
) -> Vec<u8> {
    let mut paces = tokio::time::interval(Duration::from_millis(200));
    while !hurry.load(Ordering::SeqCst) {
        paces.tick().await;
        answer.extend_from_slice(&next(&stream, 32 * 1024).await);
    }
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn one_request_may_not_be_too_large_and_must_say_how_large_it_is() {
    let home = tempfile::tempdir().unwrap();
    let server = start(home.path());
    let to: ServerAddress = server.first_line.parse().unwrap();
    for (path, len, status) in [
        ("/oxen/v4/lsrpc", "10485761", 413),
        ("/file", "10223617", 413),
        ("/file", "-1", 400),
        ("/file", "0", 413),
    ] {
        let headers = format!("Content-Length: {len}\r\n");
        let answer = plain(socket(&to), "POST", path, &headers, b"")
            .await
            .unwrap();
        assert_eq!(answer.status, status, "{path} {len}");
    }
    let chunked = "Transfer-Encoding: chunked\r\n";
    let answer = plain(
        socket(&to),
        "POST",
        "/file",
        chunked,
        b"4\r\nblob\r\n0\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(answer.status, 411);
}

#[tokio::test]
async fn a_stop_finishes_what_runs_and_takes_nothing_new() {
    let home = tempfile::tempdir().unwrap();
    let mut server = start(home.path());
    let to: ServerAddress = server.first_line.parse().unwrap();
    let content = support::content(10_000_000);
    let id = share(&to, &content).await;
    let second = support::content(1_048_576);
    let upload = sealed(
        &to,
        &FileRequest::Upload(Upload::new(second.clone())),
        HopCipher::AesGcm,
    );
    let mut uploading = begin(&to, "/oxen/v4/lsrpc", upload.body.len()).await;
    let (first_half, second_half) = upload.body.split_at(500_000);
    uploading.write_all(first_half).await.unwrap();
    let wish = sealed(
        &to,
        &FileRequest::Download(id.parse_id()),
        HopCipher::AesGcm,
    );
    let mut downloading = begin(&to, "/oxen/v4/lsrpc", wish.body.len()).await;
    downloading.write_all(&wish.body).await.unwrap();
    let mut answer = vec![0; 1000];
    let len = downloading.read(&mut answer).await.unwrap();
    answer.truncate(len);
    // The head of the upload has been read too: requests are answered in between.
    assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);

    signal("TERM", server.id());
    while TcpStream::connect(socket(&to)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    downloading.read_to_end(&mut answer).await.unwrap();
    let found = wish
        .reply
        .open(serving::parse(answer).unwrap().body)
        .unwrap()
        .response;
    assert!(*found.body == content);
    uploading.write_all(second_half).await.unwrap();
    let mut answer = Vec::new();
    uploading.read_to_end(&mut answer).await.unwrap();
    let answer = upload
        .reply
        .open(serving::parse(answer).unwrap().body)
        .unwrap();
    let id = stored(&answer.response, &second);
    let (status, said) = tokio::task::spawn_blocking(move || server.wait())
        .await
        .unwrap();
    assert!(status.success(), "{said}");

    let again = start(home.path());
    let to: ServerAddress = again.first_line.parse().unwrap();
    let found = ask(&to, &FileRequest::Download(id.parse_id())).await;
    assert!(*found.body == second);
}

trait ParseId {
    fn parse_id(&self) -> cloakroom::protocol::address::FileId;
}

impl ParseId for String {
    fn parse_id(&self) -> cloakroom::protocol::address::FileId {
        cloakroom::protocol::address::FileId::parse(self).unwrap()
    }
}
