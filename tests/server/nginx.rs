//! The web server that operators put before a file server, with the configuration that is shipped: what it passes on, what
//! it keeps back, and that files go through it.
//!
//! Where nginx is missing the test says so and is skipped, unless `CLOAKROOM_TEST_NGINX=must`; `NGINX` names another one.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, FileRequest, Upload};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::onion::v4::Response;
use cloakroom::wire::tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
#[cfg(target_os = "linux")]
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
#[cfg(target_os = "linux")]
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::server::serving::{self, Plain, sealed};
use crate::support::{Process, cloak, free_port, said, signal};

const SHIPPED: &str = include_str!("../../packaging/server/nginx.conf");
const HOST: &str = "files.example.org";

#[tokio::test]
async fn files_go_through_the_nginx_that_is_shipped_and_nothing_else_does() {
    let Some(program) = nginx() else {
        return;
    };
    let _no_crowd = serving::CROWDS.write().await;
    let home = tempfile::tempdir().unwrap();
    let (server, listens) = serve(home.path());
    let address: ServerAddress = server.first_line.parse().unwrap();
    let front = Front::start(&program, home.path(), &listens).await;

    // The largest there is: under the limit of eleven megabytes, and over everything that nginx would keep in memory.
    let blob: Vec<u8> = (0..10_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let upload = FileRequest::Upload(Upload::new(blob.clone()));
    let stored = front.sealed(&address, &upload).await;
    let stored = file_api::read_uploaded(&stored, blob.len(), &Digest::of(&blob)).unwrap();
    let found = front
        .sealed(&address, &FileRequest::Download(stored.id.clone()))
        .await;
    assert!(*file_api::read_found(found).unwrap() == blob);

    let id = stored.id.as_str();
    for (method, path) in [
        ("GET", "/".to_owned()),
        ("GET", "/health".to_owned()),
        ("GET", "/info".to_owned()),
        ("GET", format!("/file/{id}")),
        ("POST", "/file".to_owned()),
        ("POST", "/oxen/v4/lsrpc/".to_owned()),
        ("GET", "/oxen/v4/lsrpc/../../../health".to_owned()),
    ] {
        let answer = front.ask(method, &path, HOST, "", b"").await;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    let path = "/oxen/v4/lsrpc";
    for (host, header) in [
        ("evil.example", ""),
        ("localhost", ""),
        (HOST, "Origin: https://evil.example\r\n"),
        (HOST, "Sec-Fetch-Site: cross-site\r\n"),
    ] {
        let answer = front.ask("POST", path, host, header, b"x").await;
        assert_eq!(answer.status, 403, "{host} {header}");
    }
    assert_eq!(front.ask("POST", path, HOST, "", b"x").await.status, 400);
    let large = vec![0; 11 * 1024 * 1024 + 1];
    assert_eq!(front.ask("POST", path, HOST, "", &large).await.status, 413);
    assert!(
        front.files().is_empty(),
        "nothing is written down or kept: {:?}",
        front.files()
    );
}

/// All of 127.0.0.0/8 is this machine on Linux.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn each_address_has_its_own_share_behind_the_nginx_that_is_shipped() {
    let Some(program) = nginx() else {
        return;
    };
    let _no_crowd = serving::CROWDS.write().await;
    let home = tempfile::tempdir().unwrap();
    let (_server, listens) = serve(home.path());
    let front = Front::start(&program, home.path(), &listens).await;
    let (greedy, honest) = ([127, 0, 0, 9], [127, 0, 0, 8]);
    let head = format!("POST /oxen/v4/lsrpc HTTP/1.1\r\nHost: {HOST}\r\n");
    let promise = format!("{head}X-Forwarded-For: 127.0.0.8\r\nContent-Length: 9000\r\n\r\nx");
    let mut held = Vec::new();
    for _ in 0..16 {
        let mut stream = front.connect_from(greedy).await;
        stream.write_all(promise.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let small = format!("{head}Connection: close\r\nContent-Length: 1\r\n\r\nx");
    let ask = async |from| {
        let mut stream = front.connect_from(from).await;
        stream.write_all(small.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        serving::parse(answer).unwrap().status
    };
    assert_eq!(ask(honest).await, 400);
    assert_eq!(ask(greedy).await, 503);
    drop(held);
}

/// A server behind the web server, and where it listens.
fn serve(home: &Path) -> (Process, String) {
    let listens = free_port();
    let mut serve = cloak(home);
    serve
        .args(["serve", "--listen", &listens, "--plain-http"])
        .args(["--public-url", "https://files.example.org"])
        .args(["--trusted-proxies", "127.0.0.1", "--store"])
        .arg(home.join("store"));
    (Process::start(serve), listens)
}

#[expect(clippy::print_stderr, reason = "a skip is to be seen")]
fn nginx() -> Option<PathBuf> {
    let named = std::env::var_os("NGINX").map(PathBuf::from);
    let found = named
        .into_iter()
        .chain(["/usr/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from))
        .find(|program| program.is_file());
    if found.is_none() {
        assert!(
            std::env::var("CLOAKROOM_TEST_NGINX").as_deref() != Ok("must"),
            "nginx is missing, and CLOAKROOM_TEST_NGINX says that it must be here"
        );
        eprintln!("skipped: there is no nginx here");
    }
    found
}

/// The shipped configuration, with a port, a certificate and a server of this test.
struct Front {
    child: Child,
    addr: String,
    folder: PathBuf,
    tls: TlsConnector,
}

impl Front {
    async fn start(program: &Path, home: &Path, server: &str) -> Self {
        let folder = home.join("nginx");
        let addr = free_port();
        fs::create_dir(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let (certificate, key) = (home.join("fullchain.pem"), home.join("privkey.pem"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();

        let mut site = SHIPPED.to_owned();
        for (shipped, here) in [
            ("listen 443 ssl;", format!("listen {addr} ssl;")),
            ("listen [::]:443 ssl;", String::new()),
            (
                "/etc/letsencrypt/live/files.example.org/fullchain.pem",
                certificate.display().to_string(),
            ),
            (
                "/etc/letsencrypt/live/files.example.org/privkey.pem",
                key.display().to_string(),
            ),
            ("http://127.0.0.1:8787;", format!("http://{server};")),
        ] {
            assert_eq!(site.matches(shipped).count(), 1, "{shipped}");
            site = site.replace(shipped, &here);
        }
        let site_file = home.join("site.conf");
        fs::write(&site_file, site).unwrap();
        // As a distribution's own file includes it.
        let main = home.join("nginx.conf");
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("    {kind}_temp_path {}/{kind};\n", folder.display()))
            .concat();
        let text = format!(
            "daemon off;\npid {}/nginx.pid;\nevents {{}}\nhttp {{\n{temporary}    include {};\n}}\n",
            home.display(),
            site_file.display()
        );
        fs::write(&main, text).unwrap();
        let command = |args: &[&str]| {
            let mut command = Command::new(program);
            command
                // Its own word for something else.
                .env_remove("NGINX")
                .args(["-e", "stderr", "-p"])
                .arg(&folder)
                .arg("-c")
                .arg(&main)
                .args(args);
            command
        };
        let tried = command(&["-t"]).output().unwrap();
        assert!(tried.status.success(), "{}", said(&tried));
        assert!(!said(&tried).contains("[warn] "), "{}", said(&tried));
        let child = command(&[]).stdin(Stdio::null()).spawn().unwrap();

        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(made.cert.der().to_vec()))
            .unwrap();
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let front = Self {
            child,
            addr,
            folder,
            tls: TlsConnector::from(Arc::new(config)),
        };
        let began = Instant::now();
        while TcpStream::connect(&front.addr).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "nginx is not up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        front
    }

    #[cfg(target_os = "linux")]
    async fn connect_from(&self, from: [u8; 4]) -> TlsStream<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let stream = socket.connect(self.addr.parse().unwrap()).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        self.tls.connect(name, stream).await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str, host: &str, header: &str, body: &[u8]) -> Plain {
        let stream = TcpStream::connect(&self.addr).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let stream = self.tls.connect(name, stream).await.unwrap();
        let (mut read, mut write) = tokio::io::split(stream);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let sending = async {
            // Whoever refuses early may close before all of it was read.
            write.write_all(head.as_bytes()).await.ok();
            write.write_all(body).await.ok();
        };
        let mut answer = Vec::new();
        let reading = async {
            read.read_to_end(&mut answer).await.ok();
        };
        tokio::join!(sending, reading);
        serving::parse(answer).unwrap()
    }

    async fn sealed(&self, to: &ServerAddress, request: &FileRequest) -> Response {
        let built = sealed(to, request, HopCipher::XChaCha20);
        let answer = self
            .ask("POST", "/oxen/v4/lsrpc", HOST, "", &built.body)
            .await;
        assert_eq!(answer.status, 200);
        built.reply.open(answer.body).unwrap().response
    }

    /// What nginx left in its folder.
    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(entry.path());
                }
            }
        }
        found
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Asked to, the first process ends those that it started.
        signal("TERM", self.child.id());
        self.child.wait().ok();
    }
}
