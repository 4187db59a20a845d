//! A file server: configuration, key, who may upload, store, clock, disk, port, and a file there and back through relays.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::port::{self, Port};
use super::{Report, clock, key};
use crate::app::operate::store::{self, StoreCommandError};
use crate::app::relays::RelaySet;
use crate::app::relays::list_file;
use crate::app::settings::Settings;
use crate::app::transfer::call::{Call, CallContext};
use crate::app::transfer::program::Program;
use crate::app::transfer::routed_server::{Route, RoutedServer};
use crate::app::transfer::test_server;
use crate::app::words::message::UserMessage;
use crate::app::words::units::size_for_operators;
use crate::protocol::address::{ServerAddress, ServerUrl};
use crate::protocol::capability::expiry::HOUR_SECS;
use crate::protocol::file_api::FileRequest;
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::server::config::ServerSettings;
use crate::server::network::command::{NetworkAnswer, NetworkCommand};
use crate::server::operate::control::{ControlError, ControlRequest, ControlResponse, StoreReport};

/// A file server to check, and what to check it with.
pub struct Checking<'a> {
    /// Settings of the server.
    pub settings: &'a ServerSettings,
    /// Configuration file that the settings come from, if there is one.
    pub file: Option<&'a Path>,
    /// The relays through which a file is sent there and back.
    pub relays: Option<RelaySet>,
    /// The person's program, which sends it there and back: through their proxy, where they have one.
    pub program: &'a Program,
}

/// Checks a file server, which may be running.
pub async fn server(checking: Checking<'_>, cancel: &CancellationToken) -> Report {
    let settings = checking.settings;
    let now = checking.program.now();
    let mut report = Report::default();
    if let Err(reason) = settings.validate() {
        report.failed("configuration", reason, "correct it and check again");
        return report;
    }
    configuration(&mut report, &checking);
    clock::clock(&mut report, now);
    let key_file = settings.key_file().unwrap_or_default();
    let identity = key::key(&mut report, "key", &key_file, false);
    for path in &settings.previous_key_paths {
        key::key(&mut report, "previous key", path, true);
    }
    access(&mut report, settings);
    relay_list(&mut report, settings, now);
    network(&mut report, settings).await;
    let used = store(&mut report, settings, now).await;
    disk(&mut report, settings, used);
    let runs = at_port(&mut report, &checking, identity.as_ref(), cancel).await;
    if let Some(addr) = settings.metrics {
        metrics_port(&mut report, addr, runs).await;
    }
    round_trip(&mut report, checking, identity.as_ref(), runs, cancel).await;
    report
}

fn configuration(report: &mut Report, checking: &Checking<'_>) {
    const PART: &str = "configuration";
    match checking.file {
        Some(file) if checking.settings.access_word.is_some() && key::is_exposed(file) => report
            .warning(
                PART,
                format!(
                    "{} holds the access word and other users can read it",
                    file.display()
                ),
                format!("run chmod 600 {}", file.display()),
            ),
        Some(file) => report.ok(
            PART,
            format!("the configuration in {} is valid", file.display()),
        ),
        None => report.ok(PART, "the configuration is valid"),
    }
}

fn access(report: &mut Report, settings: &ServerSettings) {
    const PART: &str = "who may upload";
    if settings.is_open_to_all(settings.listen) {
        report.warning(
            PART,
            "everybody who reaches the server",
            "set access_word or work_bits, unless you mean it",
        );
    } else if settings.access_word.is_some() {
        report.ok(PART, "who has the access word");
    } else if settings.work.is_some() {
        report.ok(PART, "everybody whose computer does the work");
    } else {
        report.ok(PART, "whoever uses this computer");
    }
}

fn relay_list(report: &mut Report, settings: &ServerSettings, now: u64) {
    const PART: &str = "relay list";
    let Some(path) = &settings.relay_list else {
        return;
    };
    let signature = list_file::signature_path(path);
    match list_file::read(path, now) {
        Err(error) => report.failed(
            PART,
            format!(
                "{} cannot be used: {}",
                path.display(),
                UserMessage::from(&error).why
            ),
            "put a new one in its place",
        ),
        Ok(_) if !signature.exists() => report.failed(
            PART,
            format!("its signature {} is missing", signature.display()),
            "sign it with cloak relay-list sign",
        ),
        Ok(list) => report.ok(
            PART,
            format!(
                "{} relays, good for {} days more",
                list.relays.len(),
                list.expires.saturating_sub(now) / (24 * 3600)
            ),
        ),
    }
}

/// Checks the network that the server keeps: its key, and how many of its relays answer.
async fn network(report: &mut Report, settings: &ServerSettings) {
    const PART: &str = "network";
    if settings.network.is_none() {
        return;
    }
    if settings.list_key.is_none()
        && let Some(path) = settings.list_key_file()
    {
        key::key(report, "list key", &path, false);
    }
    let command = NetworkCommand::Relays;
    let response = store::run(settings, &ControlRequest::Network { command }).await;
    let Ok(ControlResponse::Network {
        answer: NetworkAnswer::Relays(known),
    }) = response
    else {
        report.skipped(
            PART,
            "the server does not run with this network, so nobody knows how its relays stand",
            "start it and check again",
        );
        return;
    };
    let count = |states: &[&str]| {
        let relays = known.relays.iter();
        relays
            .filter(|relay| states.contains(&relay.state.as_str()))
            .count()
    };
    let answering = count(&["answering"]);
    let listed = count(&["answering", "kept", "missing"]);
    let what = format!("{answering} of {listed} relays in the list answer");
    if answering < 3 {
        report.warning(
            PART,
            what,
            "a path needs three: cloak host relays says how each stands, cloak host invite --relay prints an invitation for more",
        );
    } else {
        report.ok(PART, what);
    }
}

/// Checks the store; returns the bytes that it holds, where that is known.
async fn store(report: &mut Report, settings: &ServerSettings, now: u64) -> Option<u64> {
    let found = match store::run(settings, &ControlRequest::Check).await {
        Ok(ControlResponse::Checked(found)) => found,
        Ok(_) => {
            report.failed(
                STORE,
                format!("{} cannot be written and read", settings.store),
                "look whether the disk is full or the bucket's credentials have ended",
            );
            return None;
        }
        Err(StoreCommandError::Missing { folder }) => {
            report.skipped(
                STORE,
                format!("{} is not there yet", folder.display()),
                "the first start makes it",
            );
            return None;
        }
        Err(error) => {
            // Such an error says what is wrong, and behind a semicolon what to do.
            let text = error.to_string();
            let (what, next) = text.split_once("; ").unwrap_or((&text, ""));
            if matches!(
                error,
                StoreCommandError::NotOurs { .. }
                    | StoreCommandError::Control(ControlError::Unreachable(_))
            ) {
                report.skipped(STORE, what, next);
            } else {
                report.failed(STORE, what, next);
            }
            return None;
        }
    };
    working_store(report, settings, &found);
    last_seen(report, found.last_hour, now);
    found.used_bytes
}

/// Reports what a store that answered can do, and how much it holds.
fn working_store(report: &mut Report, settings: &ServerSettings, found: &StoreReport) {
    let wrong: Vec<_> = [
        (found.read_after_write, "is not read at once"),
        (found.list_after_write, "is not listed at once"),
        (found.gone_after_delete, "is not gone when it was deleted"),
    ]
    .into_iter()
    .filter_map(|(right, wrong)| (!right).then_some(wrong))
    .collect();
    if wrong.is_empty() {
        let limit = size_for_operators(settings.max_total);
        let used = match (found.used_bytes.map(size_for_operators), found.is_counting) {
            (Some(used), false) => format!("; it holds {used} of {limit}"),
            (Some(used), true) => {
                format!("; it holds at most {used} of {limit}, and the server is counting")
            }
            (None, true) => "; the server is counting what it holds".to_owned(),
            (None, false) => String::new(),
        };
        report.ok(
            STORE,
            format!(
                "{}: what is written is read and listed at once{used}",
                settings.store
            ),
        );
    } else {
        report.failed(
            STORE,
            format!(
                "what is written to {} {}",
                settings.store,
                wrong.join(" and ")
            ),
            "use a store that is consistent, as S3 itself is",
        );
    }
    if found.keeps_versions {
        report.warning(
            "bucket versions",
            "the bucket keeps old versions, so that deleted and expired files stay in it",
            "turn versioning off, or let a lifecycle rule remove old versions after a day",
        );
    } else if settings.store.folder().is_none() {
        report.ok("bucket versions", "the bucket keeps none");
    }
}

/// Compares the clock with the last hour that a server noted in this store.
fn last_seen(report: &mut Report, last_hour: Option<u32>, now: u64) {
    let Some(last) = last_hour.map(|hour| u64::from(hour) * HOUR_SECS) else {
        return;
    };
    let next = "set the clock; if it is right, start the server once with --accept-clock";
    if now + HOUR_SECS / 2 < last {
        report.failed(
            clock::PART,
            "it is behind the last hour that a server saw on this store: uploads are refused",
            next,
        );
    } else if now / HOUR_SECS > last / HOUR_SECS + 48 {
        report.warning(
            clock::PART,
            "it is more than 48 hours ahead of the last hour that a server saw on this store: when the server did not \
             stand still so long, the clock is wrong; a server sweeps nothing for 24 hours then",
            next,
        );
    }
}

fn disk(report: &mut Report, settings: &ServerSettings, used: Option<u64>) {
    const PART: &str = "disk space";
    let Some(folder) = settings.store.folder() else {
        return;
    };
    // A folder that is made later lies on the disk of the one it is made in.
    let there = folder.ancestors().find(|folder| folder.is_dir());
    let there = there.unwrap_or_else(|| Path::new("."));
    let Ok(free) = fs4::available_space(there) else {
        report.skipped(PART, "the system does not say how much is free", "");
        return;
    };
    let wanted = settings.max_total.saturating_sub(used.unwrap_or(0));
    if free < settings.policy.max_blob.saturating_mul(10) {
        report.failed(
            PART,
            format!("{} are free", size_for_operators(free)),
            "make room, or move the store to a larger disk",
        );
    } else if free < wanted {
        report.warning(
            PART,
            format!(
                "{} are free, but the store may still grow by {}",
                size_for_operators(free),
                size_for_operators(wanted)
            ),
            "lower max_total, or make room: when the disk is full before the limit is reached, so is what shares it",
        );
    } else {
        report.ok(PART, format!("{} are free", size_for_operators(free)));
    }
}

/// Whether the server runs.
async fn at_port(
    report: &mut Report,
    checking: &Checking<'_>,
    identity: Option<&Identity>,
    cancel: &CancellationToken,
) -> bool {
    const PART: &str = "port";
    let addr = checking.settings.listen;
    match port::look(addr).await {
        Port::Free => {
            report.ok(PART, format!("{addr} is free; the server does not run"));
            false
        }
        Port::Unusable(error) => {
            report.failed(
                PART,
                format!("{addr} cannot be listened on: {error}"),
                "choose an address of this machine and a port above 1023",
            );
            false
        }
        Port::Taken => {
            let itself = match identity {
                Some(identity) => is_server(checking, addr, identity.public(), cancel).await,
                None => false,
            };
            if itself {
                report.ok(PART, format!("the server runs on {addr}"));
            } else {
                report.failed(
                    PART,
                    format!("another program, or a server with another key, is on {addr}"),
                    "stop it, or choose another port",
                );
            }
            itself
        }
    }
}

/// Whether who listens there can open what is sealed to `key`.
async fn is_server(
    checking: &Checking<'_>,
    addr: SocketAddr,
    key: Ed25519Public,
    cancel: &CancellationToken,
) -> bool {
    let Ok(url) = ServerUrl::normalise(&format!("http://{}", port::here(addr))) else {
        return false;
    };
    let routed = RoutedServer::new(ServerAddress { url, key }, Route::Direct);
    // On this computer, where the person's proxy may not lead.
    let straight = Program::new(checking.program.home().clone(), Settings::default());
    // Asked now, whatever is remembered of it: an answer that can be opened comes from who holds the key.
    let call = Call::new(&straight, routed, &CallContext::new(cancel));
    let asked = call.run(&FileRequest::ServerInfo, 0);
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(_)))
}

async fn metrics_port(report: &mut Report, addr: SocketAddr, runs: bool) {
    const PART: &str = "metrics";
    match (port::look(addr).await, runs) {
        (Port::Free, false) => report.ok(PART, format!("{addr} is free")),
        (Port::Taken, true) => report.ok(PART, format!("{addr} is in use, by the server")),
        (Port::Free, true) => report.warning(
            PART,
            format!("the server runs, but nothing listens on {addr}"),
            "start the server again with this configuration",
        ),
        (Port::Taken, false) => report.failed(
            PART,
            format!("another program is on {addr}"),
            "choose another port for metrics",
        ),
        (Port::Unusable(error), _) => report.failed(
            PART,
            format!("{addr} cannot be listened on: {error}"),
            "choose a port above 1023",
        ),
    }
}

async fn round_trip(
    report: &mut Report,
    checking: Checking<'_>,
    identity: Option<&Identity>,
    runs: bool,
    cancel: &CancellationToken,
) {
    const PART: &str = "round trip";
    let Some(relays) = checking.relays else {
        report.skipped(
            PART,
            "no relay list was given",
            "--through FILE sends a file there and back through its relays",
        );
        return;
    };
    let Some(address) = identity.and_then(|identity| address(checking.settings, identity)) else {
        report.skipped(PART, "the server has no address yet", "start it once");
        return;
    };
    if !runs && address.url.is_loopback() {
        report.skipped(PART, "the server does not run", "start it and check again");
        return;
    }
    let host = address.url.host().to_owned();
    if !relays.serves(&host) {
        report.failed(
            PART,
            format!("no relay of the list serves {host}"),
            "ask an operator of a relay to add it to serves",
        );
        return;
    }
    let way = match checking.program.settings().proxy {
        None => "the relays",
        Some(_) => "your proxy and the relays",
    };
    let routed = RoutedServer::new(address, Route::Relays(relays));
    // The operator asked for one try over relays of their own choice; the report is about the server.
    let mut call = Call::new(checking.program, routed, &CallContext::new(cancel));
    if let Some(word) = checking.settings.access_word.clone() {
        call = call.with_access_word(word);
    }
    match test_server::check(&call).await {
        Ok(took) => {
            let mut what = format!(
                "a small file went up in {:.2} s and came down in {:.2} s, through {way}",
                took.upload.as_secs_f64(),
                took.download.as_secs_f64()
            );
            if took.delete.is_some() {
                what.push_str(", and was deleted");
            }
            report.ok(PART, what);
        }
        Err(error) => {
            let message = UserMessage::from(&error);
            report.failed(
                PART,
                format!("{} {}", message.what, message.why.trim_end_matches('.')),
                message.next,
            );
        }
    }
}

/// The server's address, as people are given it.
fn address(settings: &ServerSettings, identity: &Identity) -> Option<ServerAddress> {
    let url = match &settings.public_url {
        Some(url) => url.clone(),
        None if settings.listen.port() == 0 => return None,
        None => ServerUrl::normalise(&format!("http://{}", settings.listen)).ok()?,
    };
    Some(ServerAddress {
        url,
        key: identity.public(),
    })
}

const STORE: &str = "store";
const PATIENCE: Duration = Duration::from_secs(5);
