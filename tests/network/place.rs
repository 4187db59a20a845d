//! A place with relays, a file server that mirrors their list, and the host that the list is fetched from first.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use cloakroom::app::relays::RelaySource;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::relay_list::{ListSource, RelayDescriptor, RelayList, Serves, sign};
use cloakroom::relay::RunningRelay;
use cloakroom::server::{RunningServer, Server, ServerConfig};
use tempfile::TempDir;

use crate::support::now;
use crate::support::relays::{loopback, three_relays};

/// A file server that mirrors what lies in a file, three relays, and the host that the list is fetched from first.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) server: RunningServer,
    pub(crate) relays: Vec<RunningRelay>,
    pub(crate) host: Arc<ListHost>,
    pub(crate) line: ListSource,
}

impl Place {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relays = three_relays(|config| config.settings.serves = Some(Serves::Any)).await;
        let key = Identity::from_seed([60; 32]);
        let mut config = ServerConfig::new(loopback(), folder.path().join("store"), key);
        config.settings.relay_list = Some(folder.path().join("mirrored.json"));
        let server = Server::start(config).await.unwrap();
        let host = ListHost::start();
        let key = signer().public().to_hex();
        let line = format!("http://{}/relays.json#k={key}", host.addr);
        Self {
            folder,
            server,
            relays,
            host,
            line: line.parse().unwrap(),
        }
    }

    pub(crate) fn host(&self) -> Arc<ListHost> {
        Arc::clone(&self.host)
    }

    pub(crate) fn source(&self) -> RelaySource {
        RelaySource::Url(self.line.clone())
    }

    pub(crate) fn entries(&self) -> Vec<RelayDescriptor> {
        self.relays
            .iter()
            .map(|relay| relay.descriptor().clone())
            .collect()
    }

    /// A list of the relays, issued so many hours ago and good for so many days from now.
    pub(crate) fn list(&self, name: &str, hours_ago: i64, days: i64) -> String {
        self.list_of(name, self.entries(), hours_ago, days)
    }

    /// The same of other entries.
    pub(crate) fn list_of(
        &self,
        name: &str,
        relays: Vec<RelayDescriptor>,
        hours_ago: i64,
        days: i64,
    ) -> String {
        let now = i64::try_from(now()).unwrap();
        let at = |secs: i64| u64::try_from(secs).unwrap();
        let hour = 3_600;
        // An hour in the future is what clocks may differ.
        let issued = at(now - hours_ago * hour + if hours_ago < 0 { 600 } else { 0 });
        let expires = at(now + days * 24 * hour);
        let list = RelayList {
            name: name.to_owned(),
            issued: issued.min(expires - 1),
            expires,
            relays,
        };
        list.to_json()
    }

    pub(crate) fn signature(&self, list: &str) -> String {
        sign(&signer(), list.as_bytes())
    }

    pub(crate) fn mirror(&self, list: &str, signature: &str) {
        fs::write(self.folder.path().join("mirrored.json.sig"), signature).unwrap();
        fs::write(self.folder.path().join("mirrored.json"), list).unwrap();
    }
}

/// Hands out one list over HTTP and remembers what it was asked.
pub(crate) struct ListHost {
    addr: SocketAddr,
    state: Mutex<HostState>,
}

#[derive(Default)]
pub(crate) struct HostState {
    list: String,
    signature: String,
    instead: Option<String>,
    heads: Vec<String>,
}

impl ListHost {
    pub(crate) fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = Arc::new(Self {
            addr: listener.local_addr().unwrap(),
            state: Mutex::default(),
        });
        let serving = Arc::clone(&host);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.serve(stream.unwrap());
            }
        });
        host
    }

    pub(crate) fn serve(&self, mut stream: TcpStream) {
        let mut head = String::new();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        while !head.ends_with("\r\n\r\n") {
            if lines.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let mut state = self.state.lock().unwrap();
        state.heads.push(head.to_ascii_lowercase());
        let body = if head.contains(".sig ") {
            state.signature.clone()
        } else {
            state.list.clone()
        };
        let status = match &state.instead {
            Some(instead) => instead,
            None if body.is_empty() => "404 Not Found",
            None => "200 OK",
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nSet-Cookie: a=b\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).ok();
    }

    pub(crate) fn put(&self, list: &str, signature: &str) {
        let mut state = self.state.lock().unwrap();
        list.clone_into(&mut state.list);
        signature.clone_into(&mut state.signature);
        state.instead = None;
    }

    pub(crate) fn answer_with(&self, status: &str) {
        self.state.lock().unwrap().instead = Some(status.to_owned());
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().heads.clone()
    }

    /// The paths it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.heads()
            .iter()
            .map(|head| head.split(' ').nth(1).unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn signer() -> Identity {
    Identity::from_seed([9; 32])
}
