//! How many uploads and downloads a file server takes in a second, how many bytes, and how much memory it needs for that;
//! whether it matters how many blobs it stores; and how far that is from handing out plain files on the same machine.
//!
//! `cargo bench --bench server`; `QUICK=1` takes one minute instead of several. The server is a process of its own, the clients
//! are in this one and share its processors. Plain files are served by nginx when `NGINX` names it or it is found, else
//! by a few lines of hyper in this process. Nothing here is a gate.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run ends")]
#![expect(clippy::print_stdout, reason = "its figures are for people")]

#[allow(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::convert::Infallible;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::protocol::address::{FileId, ServerAddress};
use cloakroom::protocol::file_api::{FileRequest, Upload};
use cloakroom::protocol::onion::v4::BLOB_ANSWER_OVERHEAD;
use cloakroom::protocol::onion::{HopCipher, OnionRoute, ReplyKeys, build};
use cloakroom::protocol::size_class::SizeClass;
use cloakroom::server::files::record::BlobRecord;
use cloakroom::wire::random;
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use rand_core::Rng as _;
use support::{Process, cloak, peak_kib};
use tempfile::TempDir;

fn main() {
    let pace = Pace::of_environment();
    println!(
        "{} profile, {} processors, {} s a figure",
        if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        },
        std::thread::available_parallelism().map_or(1, usize::from),
        pace.each.as_secs_f64()
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for class in &pace.classes {
            by_class(*class, &pace).await;
        }
        by_number_of_blobs(&pace).await;
    });
}

struct Pace {
    each: Duration,
    classes: Vec<usize>,
    connections: &'static [usize],
    many: usize,
}

impl Pace {
    fn of_environment() -> Self {
        let mut pace = Self::whole_or_quick();
        // `CLASSES=` leaves the sizes out, `CLASSES=0` takes one.
        if let Ok(named) = std::env::var("CLASSES") {
            pace.classes = named
                .split(',')
                .filter_map(|class| class.parse().ok())
                .collect();
        }
        pace
    }

    fn whole_or_quick() -> Self {
        if std::env::var_os("QUICK").is_some() {
            Self {
                each: Duration::from_millis(500),
                classes: vec![0, 7],
                connections: &[1, 8, 64],
                many: 10_000,
            }
        } else {
            Self {
                each: Duration::from_secs(2),
                classes: vec![0, 2, 7],
                connections: &[1, 8, 64],
                many: 100_000,
            }
        }
    }
}

async fn by_class(class: usize, pace: &Pace) {
    let len = SizeClass::ALL[class].blob_len();
    println!("\nclass {class}: blobs of {len} bytes");
    for way in [Way::Plain, Way::Onion] {
        for &connections in pace.connections {
            let mut server = Server::start();
            let ups = server
                .load(connections, pace, len, &Job::upload(way, len))
                .await;
            show(
                &format!("upload, {way}"),
                connections,
                &ups,
                len,
                server.peak(),
            );
            // Afresh, so that its memory is that of the downloads.
            server.restart();
            let download = Job::Download(way, server.some_ids(200));
            let downs = server.load(connections, pace, len, &download).await;
            show(
                &format!("download, {way}"),
                connections,
                &downs,
                len,
                server.peak(),
            );
        }
    }
    for &connections in pace.connections {
        let files = PlainFiles::start(len).await;
        let got = repeat(connections, pace.each, &files.client(), &Job::Plain).await;
        show(
            &format!("plain file, {}", files.name),
            connections,
            &got,
            len,
            None,
        );
    }
}

/// The same requests, with few and with many blobs in the store.
async fn by_number_of_blobs(pace: &Pace) {
    let len = SizeClass::ALL[0].blob_len();
    println!("\nblobs stored before, class 0, 8 connections, onion");
    for stored in [100, pace.many] {
        let server = Server::start_with(stored);
        println!(
            "  {stored:>7} blobs: started in {:.2} s",
            server.started_in.as_secs_f64()
        );
        let ups = server
            .load(8, pace, len, &Job::upload(Way::Onion, len))
            .await;
        show(&format!("upload, {stored}"), 8, &ups, len, server.peak());
        let download = Job::Download(Way::Onion, server.some_ids(100));
        let downs = server.load(8, pace, len, &download).await;
        show(
            &format!("download, {stored}"),
            8,
            &downs,
            len,
            server.peak(),
        );
    }
}

fn show(what: &str, connections: usize, done: &Done, len: usize, peak: Option<u64>) {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let a_second = done.requests as f64 / done.took.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let megabytes = a_second * len as f64 / 1e6;
    let memory = peak.map_or_else(String::new, |kib| format!("   peak {:>4} MiB", kib / 1024));
    let failed = match done.failed {
        0 => String::new(),
        failed => format!("   {failed} failed"),
    };
    println!(
        "  {what:<20} {connections:>2} connections {a_second:>9.1}/s {megabytes:>8.1} MB/s{memory}{failed}"
    );
}

#[derive(Clone, Copy)]
enum Way {
    /// The file routes over plain HTTP.
    Plain,
    /// Onion requests, posted straight to the server.
    Onion,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Onion => "onion",
        })
    }
}

struct Done {
    requests: usize,
    /// Not answered, or with another status than 200.
    failed: usize,
    took: Duration,
}

struct Server {
    process: Process,
    address: Arc<ServerAddress>,
    folder: TempDir,
    started_in: Duration,
}

impl Server {
    fn start() -> Self {
        Self::start_with(0)
    }

    fn start_with(stored: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(&folder.path().join("store"), stored);
        Self::in_folder(folder)
    }

    fn in_folder(folder: TempDir) -> Self {
        let mut serve = cloak(folder.path());
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--plain-http"])
            // More than any figure here needs, so that nothing is refused.
            .args(["--max-total", "1TiB", "--max-memory", "2GiB", "--store"])
            .arg(folder.path().join("store"));
        let started = Instant::now();
        let process = Process::start(serve);
        let address = process.first_line.parse().unwrap();
        Self {
            process,
            address: Arc::new(address),
            folder,
            started_in: started.elapsed(),
        }
    }

    /// The same store, another process.
    fn restart(&mut self) {
        self.process.kill();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        *self = Self::in_folder(folder);
    }

    /// Has so many clients repeat a request for a while; each has a connection of its own.
    async fn load(&self, connections: usize, pace: &Pace, len: usize, job: &Job) -> Done {
        let client = Client {
            url: self.address.url.as_str().to_owned(),
            address: Some(Arc::clone(&self.address)),
            len,
        };
        repeat(connections, pace.each, &client, job).await
    }

    /// The ids of some of what was uploaded.
    fn some_ids(&self, count: usize) -> Vec<String> {
        let ids: Vec<_> = support::blobs_in(&self.folder.path().join("store"))
            .into_iter()
            // What the store was filled with is smaller.
            .filter(|path| fs::metadata(path).unwrap().len() > FILLING as u64)
            .take(count)
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert!(!ids.is_empty(), "nothing was uploaded");
        ids
    }

    /// The most memory it took since it started, in KiB, where the system tells (Linux).
    fn peak(&self) -> Option<u64> {
        peak_kib(self.process.id())
    }
}

/// What is asked again and again.
#[derive(Clone)]
enum Job {
    Download(Way, Vec<String>),
    /// One file of a server of plain files.
    Plain,
    Upload(Way, Vec<u8>),
}

impl Job {
    fn upload(way: Way, len: usize) -> Self {
        let mut blob = vec![0; len];
        random::system().fill_bytes(&mut blob);
        Self::Upload(way, blob)
    }
}

#[derive(Clone)]
struct Client {
    url: String,
    /// For onion requests.
    address: Option<Arc<ServerAddress>>,
    /// The bytes of each blob or plain file: a download that is shorter was none.
    len: usize,
}

impl Client {
    /// Says whether it was answered well.
    async fn ask(&self, http: &reqwest::Client, job: &Job, number: usize) -> bool {
        match job {
            Job::Download(Way::Plain, ids) => {
                let id = &ids[number % ids.len()];
                let answer = http.get(format!("{}/file/{id}", self.url)).send().await;
                whole(answer, self.len).await
            }
            Job::Download(Way::Onion, ids) => {
                let id = FileId::parse(&ids[number % ids.len()]).unwrap();
                let answer = self.onion(http, &FileRequest::Download(id)).await;
                // A refusal is sealed too, and shorter than any blob in its frame.
                answer.is_some_and(|(_, sealed)| sealed.len() >= self.len + BLOB_ANSWER_OVERHEAD)
            }
            Job::Plain => whole(http.get(&self.url).send().await, self.len).await,
            Job::Upload(way, blob) => {
                // No two blobs are the same, as it is with sealed ones.
                let mut blob = blob.clone();
                random::system().fill_bytes(&mut blob[..32]);
                match way {
                    Way::Plain => {
                        let answer = http.post(format!("{}/file", self.url)).body(blob).send();
                        whole(answer.await, 1).await
                    }
                    Way::Onion => {
                        let upload = FileRequest::Upload(Upload::new(blob));
                        let Some((reply, sealed)) = self.onion(http, &upload).await else {
                            return false;
                        };
                        // All answers that are no blobs look alike from outside. To open each of them would cost the
                        // processors that the server needs.
                        if number.is_multiple_of(50) {
                            let code = reply.open(sealed).unwrap().response.code;
                            assert_eq!(code, 200, "upload {number} was refused");
                        }
                        true
                    }
                }
            }
        }
    }

    /// Sealed by the client; the answer is taken as it comes, to spare the processors that the server needs.
    async fn onion(
        &self,
        http: &reqwest::Client,
        request: &FileRequest,
    ) -> Option<(ReplyKeys, Vec<u8>)> {
        let address = self.address.as_deref().unwrap();
        let route = OnionRoute {
            relays: &[],
            server: address,
            cipher: HopCipher::XChaCha20,
            sealed_return: true,
        };
        let built = build(
            &route,
            &request.head(),
            request.body(),
            &mut random::system(),
        )
        .unwrap();
        let url = format!("{}/oxen/v4/lsrpc", self.url);
        let sealed = body(http.post(url).body(built.body).send().await).await?;
        Some((built.reply, sealed))
    }
}

async fn whole(answer: reqwest::Result<reqwest::Response>, at_least: usize) -> bool {
    body(answer)
        .await
        .is_some_and(|bytes| bytes.len() >= at_least)
}

async fn body(answer: reqwest::Result<reqwest::Response>) -> Option<Vec<u8>> {
    let answer = answer.ok().filter(|answer| answer.status() == 200)?;
    Some(answer.bytes().await.ok()?.into())
}

async fn repeat(connections: usize, time: Duration, client: &Client, job: &Job) -> Done {
    let stop = Arc::new(AtomicBool::new(false));
    let (count, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let mut workers = Vec::new();
    for worker in 0..connections {
        let (client, job) = (client.clone(), job.clone());
        let stop = Arc::clone(&stop);
        let (count, failed) = (Arc::clone(&count), Arc::clone(&failed));
        workers.push(tokio::spawn(async move {
            // One connection each, kept open, and one address each where all of 127.0.0.0/8 is this machine: an address
            // has no more than its share.
            let own = IpAddr::from([127, 0, 1, u8::try_from(worker).unwrap()]);
            let http = reqwest::Client::builder()
                .local_address(cfg!(target_os = "linux").then_some(own))
                .no_proxy()
                .http1_only()
                .tls_backend_preconfigured(no_tls())
                .build()
                .unwrap();
            while !stop.load(Ordering::Relaxed) {
                let number = count.load(Ordering::Relaxed);
                let counter = if client.ask(&http, &job, number).await {
                    &count
                } else {
                    &failed
                };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    Done {
        requests: count.load(Ordering::Relaxed),
        failed: failed.load(Ordering::Relaxed),
        took: started.elapsed(),
    }
}

/// Never used: all is plain HTTP here. Named, so that the system's certificates are not read.
fn no_tls() -> tokio_rustls::rustls::ClientConfig {
    let key = cloakroom::protocol::keys::Identity::from_seed([1; 32]).public();
    cloakroom::wire::tls::pinned_client_config(&key).unwrap()
}

/// One plain file at a port.
struct PlainFiles {
    name: &'static str,
    url: String,
    len: usize,
    nginx: Option<Child>,
    _folder: TempDir,
}

impl PlainFiles {
    async fn start(len: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut blob = vec![0; len];
        random::system().fill_bytes(&mut blob);
        let file = folder.path().join("blob");
        fs::write(&file, blob).unwrap();
        let (name, addr, nginx) = match find_nginx() {
            Some(program) => {
                let (addr, child) = start_nginx(&program, folder.path());
                ("nginx", addr, Some(child))
            }
            None => ("hyper", start_hyper(file).await, None),
        };
        Self {
            name,
            url: format!("http://{addr}/blob"),
            len,
            nginx,
            _folder: folder,
        }
    }

    fn client(&self) -> Client {
        Client {
            url: self.url.clone(),
            address: None,
            len: self.len,
        }
    }
}

impl Drop for PlainFiles {
    fn drop(&mut self) {
        if let Some(nginx) = &mut self.nginx {
            nginx.kill().ok();
            nginx.wait().ok();
        }
    }
}

fn find_nginx() -> Option<PathBuf> {
    let named = std::env::var_os("NGINX").map(PathBuf::from);
    named
        .into_iter()
        .chain(["/usr/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from))
        .find(|program| program.is_file())
}

fn start_nginx(program: &Path, folder: &Path) -> (SocketAddr, Child) {
    // nginx takes no port 0; one that was free a moment ago nearly always still is.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let at = folder.display();
    let config = format!(
        "daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log /dev/null;\nevents {{}}\nhttp {{\n\
         access_log off;\nsendfile on;\nkeepalive_requests 1000000;\nclient_body_temp_path {at}/1;\n\
         proxy_temp_path {at}/2;\nfastcgi_temp_path {at}/3;\nuwsgi_temp_path {at}/4;\nscgi_temp_path {at}/5;\n\
         server {{ listen {addr}; root {at}; }}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).unwrap();
    let child = Command::new(program)
        .arg("-c")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(addr).is_err() {
        std::thread::sleep(Duration::from_millis(5));
    }
    (addr, child)
}

/// The least that can serve a file: read whole for each request.
async fn start_hyper(file: PathBuf) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _peer) = listener.accept().await.unwrap();
            let file = file.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |_request| {
                    let file = file.clone();
                    async move {
                        let bytes = Bytes::from(tokio::fs::read(file).await.unwrap());
                        Ok::<_, Infallible>(hyper::Response::new(Full::new(bytes)))
                    }
                });
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    });
    addr
}

/// Puts so many small blobs into a store, as a server would have.
fn fill(store: &Path, count: usize) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let this_hour = u32::try_from(now / 3600).unwrap();
    for number in 0..count {
        // Spread over the two weeks to come, as expiries are.
        let hour = this_hour + 2 + u32::try_from(number % 334).unwrap();
        let mut drawn = [0; 30];
        random::system().fill_bytes(&mut drawn);
        let folder = store.join("blob").join(hour.to_string());
        if number < 334 {
            fs::create_dir_all(&folder).unwrap();
        }
        let mut content = BlobRecord::new(hour, this_hour, None, None).encode();
        content.resize(FILLING, 7);
        fs::write(folder.join(FileId::random(hour, drawn).as_str()), content).unwrap();
    }
}

/// Bytes of what a store is filled with.
const FILLING: usize = 1_000;
