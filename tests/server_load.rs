//! Many slow people at once: memory stays within its limit, everybody gets an answer, and a stop finishes what runs.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

#[path = "support/serving.rs"]
mod serving;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, FileRequest, Upload};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::onion::v4::Response;
use serving::{ask, plain, sealed, socket};
use support::{Process, signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PEOPLE: usize = 500;
const MEMORY_KIB: u64 = 64 * 1024;
/// The program itself, its threads and what its allocator keeps.
const PROGRAM_KIB: u64 = 80 * 1024;

fn start(home: &Path) -> Process {
    // Beside the connections there are files.
    let mut serve = Command::new("bash");
    serve
        .args(["-c", "ulimit -n 4096; exec \"$@\"", "bash"])
        .arg(env!("CARGO_BIN_EXE_cloak"))
        .env("CLOAKROOM_HOME", home)
        .args(["serve", "--listen", "127.0.0.1:0", "--plain-http"])
        .args(["--max-memory", &format!("{MEMORY_KIB} KiB"), "--store"])
        .arg(home.join("store"));
    Process::start(serve)
}

/// The most memory that the process ever had.
fn peak_kib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

fn blob(len: usize) -> Vec<u8> {
    (0..len).map(|at| at.to_le_bytes()[1]).collect()
}

async fn share(to: &ServerAddress, blob: &[u8]) -> String {
    let response = ask(to, &FileRequest::Upload(Upload::new(blob.to_vec()))).await;
    stored(&response, blob)
}

fn stored(response: &Response, blob: &[u8]) -> String {
    let at = file_api::read_uploaded(response, blob.len(), &Digest::of(blob)).unwrap();
    at.id.as_str().to_owned()
}

async fn begin(to: &ServerAddress, path: &str, len: usize) -> TcpStream {
    let mut stream = TcpStream::connect(socket(to)).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n",
        socket(to)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// What has come, without waiting for more.
fn arrived(stream: &TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let len = stream.try_read(&mut bytes).unwrap_or(0);
    bytes.truncate(len);
    bytes
}

#[tokio::test]
async fn five_hundred_slow_uploads_take_no_more_memory_than_allowed() {
    let home = tempfile::tempdir().unwrap();
    let server = start(home.path());
    let to: ServerAddress = server.first_line.parse().unwrap();
    // One of them is honest, and only slow.
    let content = blob(5_242_880);
    let honest = sealed(
        &to,
        &FileRequest::Upload(Upload::new(content.clone())),
        HopCipher::XChaCha20,
    );
    let mut slow = begin(&to, "/oxen/v4/lsrpc", honest.body.len()).await;
    let mut pieces = honest.body.chunks(honest.body.len() / 9);
    slow.write_all(pieces.next().unwrap()).await.unwrap();
    // Its head is read before the others': then there is memory for it.
    assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);

    let mut crowd = Vec::new();
    for _ in 0..PEOPLE {
        crowd.push(begin(&to, "/oxen/v4/lsrpc", 10_002_000).await);
    }
    for _round in 0..4 {
        for stream in &mut crowd {
            stream.write_all(&[7; 1000]).await.ok();
        }
        slow.write_all(pieces.next().unwrap()).await.unwrap();
        assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);
    }
    let small = blob(65_536);
    share(&to, &small).await;
    for piece in pieces {
        slow.write_all(piece).await.unwrap();
    }
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    let answer = serving::parse(answer).unwrap();
    stored(&honest.reply.open(answer.body).unwrap().response, &content);

    // Whoever is not let in is told so after what they send was read away for a moment; the others are waited for.
    let told = crowd.iter().map(|stream| async {
        let readable = tokio::time::timeout(Duration::from_secs(8), stream.readable()).await;
        readable.is_ok()
    });
    let told = futures_util::future::join_all(told).await;
    let refused = told.iter().filter(|told| **told).count();
    for (stream, _) in crowd.iter().zip(told).filter(|(_, told)| *told) {
        let answer = arrived(stream);
        assert!(
            answer.starts_with(b"HTTP/1.1 503"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let most = usize::try_from(MEMORY_KIB * 1024 / 10_002_000).unwrap();
    assert!(
        PEOPLE - refused <= most && refused < PEOPLE,
        "{refused} of {PEOPLE} refused, {most} fit"
    );
    let peak = peak_kib(&server);
    eprintln!("uploads: {refused} of {PEOPLE} refused, peak {peak} KiB");
    assert!(peak < MEMORY_KIB + PROGRAM_KIB, "{peak} KiB");

    // When they hang up, all of the memory is there again.
    drop(crowd);
    for _ in 0..3 {
        let upload = FileRequest::Upload(Upload::new(blob(10_000_000)));
        loop {
            match serving::try_ask(&to, &upload).await {
                Ok(response) if response.code == 200 => break,
                // Not noticed yet that they hung up.
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

#[tokio::test]
async fn five_hundred_slow_downloads_take_no_more_memory_than_allowed() {
    let home = tempfile::tempdir().unwrap();
    let server = start(home.path());
    let to: ServerAddress = server.first_line.parse().unwrap();
    let content = blob(10_000_000);
    let id = share(&to, &content).await;
    let download = || FileRequest::Download(id.parse_id());

    let mut crowd = Vec::new();
    for _ in 0..PEOPLE {
        let built = sealed(&to, &download(), HopCipher::AesGcm);
        let mut stream = begin(&to, "/oxen/v4/lsrpc", built.body.len()).await;
        stream.write_all(&built.body).await.unwrap();
        crowd.push((stream, built.reply));
    }
    // Everybody has a first piece of an answer; who has a short one was told to try again later.
    let (mut held, mut refused) = (Vec::new(), 0);
    for (mut stream, reply) in crowd {
        let mut start = vec![0; 1024];
        let len = stream.read(&mut start).await.unwrap();
        start.truncate(len);
        let text = String::from_utf8_lossy(&start).to_lowercase();
        if text.contains("content-length: 10000") {
            held.push((stream, reply, start));
            continue;
        }
        stream.read_to_end(&mut start).await.unwrap();
        let answer = serving::parse(start).unwrap();
        let code = reply.open(answer.body).unwrap().response.code;
        assert_eq!(code, 503);
        refused += 1;
    }
    assert!(!held.is_empty() && held.len() < 20, "{} held", held.len());
    let (mut stream, reply, mut answer) = held.pop().unwrap();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = serving::parse(answer).unwrap();
    assert!(
        reply.open(answer.body).unwrap().response.body == content,
        "slow, but whole"
    );
    let sealed_peak = peak_kib(&server);
    drop((held, stream));

    // Plain ones are sent as they are read: all of them at once.
    let mut crowd = Vec::new();
    for _ in 0..PEOPLE {
        let mut stream = TcpStream::connect(socket(&to)).await.unwrap();
        let head = format!(
            "GET /file/{id} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            socket(&to)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        crowd.push((stream, Vec::new()));
    }
    let mut served = 0;
    for (stream, start) in &mut crowd {
        start.resize(1024, 0);
        let len = stream.read(start).await.unwrap();
        start.truncate(len);
        served += usize::from(start.starts_with(b"HTTP/1.1 200"));
    }
    for (mut stream, mut start) in crowd
        .into_iter()
        .filter(|(_, start)| start.starts_with(b"HTTP/1.1 200"))
        .take(3)
    {
        stream.read_to_end(&mut start).await.unwrap();
        assert!(serving::parse(start).unwrap().body == content);
    }
    let peak = peak_kib(&server);
    eprintln!(
        "downloads: {refused} of {PEOPLE} sealed ones refused, {served} plain ones served; peak {sealed_peak} KiB, then {peak} KiB"
    );
    assert!(served > PEOPLE / 2, "{served} served");
    assert!(peak < MEMORY_KIB + PROGRAM_KIB, "{peak} KiB");
    assert_eq!(ask(&to, &FileRequest::ServerInfo).await.code, 200);
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
    let content = blob(10_000_000);
    let id = share(&to, &content).await;
    let second = blob(1_048_576);
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
    assert!(found.body == content);
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
    assert!(found.body == second);
}

trait ParseId {
    fn parse_id(&self) -> cloakroom::protocol::address::FileId;
}

impl ParseId for String {
    fn parse_id(&self) -> cloakroom::protocol::address::FileId {
        cloakroom::protocol::address::FileId::parse(self).unwrap()
    }
}
