//! `cloak serve`: runs a file server, and the socket for its operator's commands, until it is stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tokio_util::sync::CancellationToken;

use crate::app::process::logging;
use crate::cli::CliError;
use crate::cli::args::Serve;
use crate::cli::operator_settings::{ServerLayer, SettingsLayer as _};
use crate::cli::terminal::{self, print_line, print_text};
use crate::disk::key_file::{self, KeyFileError};
use crate::disk::lock_file::{self, Tried};
use crate::protocol::network::ListSigner;
use crate::server::clock_rule::ClockTrust;
use crate::server::config::ServerSettings;
use crate::server::keys::PreviousKey;
use crate::server::network::NetworkConfig;
use crate::server::network::command::NetworkOperator;
use crate::server::operate::control::{self, ControlEndpoint};
use crate::server::operate::metrics::{Metrics, Totals};
use crate::server::operate::stats::Counter;
use crate::server::store::location;
use crate::server::{RunningServer, Server, ServerConfig};
use crate::wire::{clock, open_files, random};

pub(crate) async fn run(args: Serve, cancel: &CancellationToken) -> Result<(), CliError> {
    if args.print_config {
        print_text(ServerLayer::SAMPLE)?;
        return Ok(());
    }
    let settings = args.operator.read()?;
    logging::start_at(settings.log);
    let failed = |error: &dyn std::error::Error| {
        CliError::Other(format!("the file server did not start: {error}"))
    };
    open_files::raise_limit();
    settings
        .validate()
        .map_err(|reason| CliError::Usage(reason.to_owned()))?;
    let key_path = settings.key_file().unwrap_or_default();
    let folder = settings.store.folder().map(Path::to_owned);
    if let Some(folder) = &folder {
        // Before the key: where its disk is missing, the server would make itself a new identity in the empty folder.
        check_store(folder, &key_path, args.new_store)?;
    }
    let key = key_file::load_or_create(&key_path, &mut random::system())
        .map_err(|error| failed(&error))?;
    let network = match network(&settings) {
        Some(network) => Some(network.map_err(|error| failed(&error))?),
        None => None,
    };
    let _alone = match settings.control_folder() {
        Some(folder) if settings.store.folder().is_none() => Some(alone_in(&folder)?),
        _ => None,
    };
    let mut config = ServerConfig::with_settings(settings.clone(), key);
    config.network = network;
    config.previous_keys = previous_keys(&settings, &key_path).map_err(|error| failed(&error))?;
    if args.accept_clock {
        config.clock_trust = ClockTrust::AcceptNow;
    }
    let server = Server::start(config)
        .await
        .map_err(|error| failed(&error))?;
    if let Some(folder) = &folder {
        // Only a store that was opened is one to come back to.
        note_store(folder, &key_path);
    }
    let metrics = match settings.metrics {
        Some(addr) => Some(
            Metrics::start(addr, clock::system(), totals(&server, settings.max_total))
                .await
                .map_err(|error| failed(&error))?,
        ),
        None => None,
    };
    let control = match settings.control_folder() {
        Some(folder) => Some(
            open_control(&folder, &server).map_err(|error| {
                CliError::Other(format!(
                    "the file server did not start: its socket control cannot be opened in {} ({error})",
                    folder.display()
                ))
            })?,
        ),
        None => None,
    };

    terminal::announce(print_line(&server.address().to_string()));
    terminal::note(&format!(
        "the file server is up; its address is the line above, and {} is its identity",
        key_path.display()
    ));
    if settings.is_open_to_all(server.addr()) {
        terminal::note(
            "warning: it can be reached from beyond this computer and takes uploads from everybody; set access_word or work_bits, unless you mean it",
        );
    }
    if let Some(warning) = server.clock().warning() {
        terminal::note(&format!("warning: {warning}"));
    }
    match server.network() {
        Some(network) => tokio::select! {
            () = cancel.cancelled() => {}
            () = invite(&network) => cancel.cancelled().await,
        },
        None => cancel.cancelled().await,
    }
    // No more commands on a store whose server goes.
    drop(control);
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
    server.stop().await;
    Ok(())
}

/// The network that the settings name, with its key.
fn network(settings: &ServerSettings) -> Option<Result<NetworkConfig, KeyFileError>> {
    let name = settings.network.clone()?;
    let signer = match settings.list_key {
        Some(key) => Ok(ListSigner::Elsewhere(key)),
        None => {
            let path = settings.list_key_file()?;
            key_file::load_or_create(&path, &mut random::system()).map(ListSigner::Here)
        }
    };
    Some(signer.map(|signer| NetworkConfig {
        name,
        joining: settings.joining,
        allow_private: settings.allow_private,
        signer,
    }))
}

/// Prints the invitation for relays at once, and the one for friends as soon as there can be one.
async fn invite(network: &NetworkOperator) {
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        // What is printed would stay in the journal.
        terminal::note("the network is up; cloak host invite prints its invitations");
        return;
    }
    match network.invite_relay(None) {
        Ok(word) => {
            terminal::announce(print_line(&format!("relays: {word}")));
            terminal::note(
                "the line above is for whoever runs a relay of this network: cloak relay --join -",
            );
        }
        Err(why) => terminal::note(&format!(
            "warning: there is no invitation for relays: {why}"
        )),
    }
    match network.first_invitation().await {
        Ok(word) => {
            terminal::announce(print_line(&format!("friends: {word}")));
            terminal::note("the line above is for whoever may use this network");
        }
        Err(why) => terminal::note(&format!(
            "warning: there is no invitation for friends: {why}"
        )),
    }
}

/// Refuses to begin an empty store in the folder that a server with this key had its store in: its disk may not be there.
fn check_store(folder: &Path, key_path: &Path, new_store: bool) -> Result<(), CliError> {
    let known = std::fs::read_to_string(note_path(folder, key_path))
        .is_ok_and(|noted| noted.trim_end() == absolute(folder));
    if !known || new_store || location::has_store(folder) {
        return Ok(());
    }
    Err(CliError::Other(format!(
        "the file server did not start: the folder {} had its store and is empty or missing now; connect its disk, or begin anew with --new-store",
        folder.display()
    )))
}

/// Notes beside the key where the store is. Without a note an empty folder is taken for a new store.
fn note_store(folder: &Path, key_path: &Path) {
    let note = format!("{}\n", absolute(folder));
    let path = note_path(folder, key_path);
    if std::fs::read_to_string(&path).is_ok_and(|noted| noted == note) {
        return;
    }
    if std::fs::write(&path, note).is_err() {
        tracing::debug!("where the store is could not be noted beside the key");
    }
}

/// Beside the key, or beside the folder where the key is in it: a disk that goes away must not take the note along.
/// `server.key` has its note in `server.store`, a folder `files` in `.files.store`.
fn note_path(folder: &Path, key_path: &Path) -> PathBuf {
    match (key_path.starts_with(folder), folder.file_name()) {
        (true, Some(name)) => folder.with_file_name(format!(".{}.store", name.to_string_lossy())),
        _ => key_path.with_extension("store"),
    }
}

fn absolute(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    folder.to_string_lossy().into_owned()
}

/// The identities it had before, which were replaced when the file of the present one was made.
fn previous_keys(
    settings: &ServerSettings,
    key_path: &Path,
) -> Result<Vec<PreviousKey>, KeyFileError> {
    let replaced_at = std::fs::metadata(key_path)
        .and_then(|found| found.modified())
        .ok()
        .and_then(|made| made.duration_since(UNIX_EPOCH).ok())
        .map_or_else(|| clock::system()(), |since| since.as_secs());
    let paths = settings.previous_key_paths.iter();
    paths
        .map(|path| {
            Ok(PreviousKey {
                key: key_file::load(path)?,
                replaced_at,
            })
        })
        .collect()
}

fn totals(server: &RunningServer, max_total: u64) -> impl Fn() -> Totals + use<> {
    let (stats, gauges) = (server.stats(), server.gauges());
    move || Totals {
        store: gauges.held(),
        store_limit_bytes: max_total,
        relays: gauges.relays(),
        counters: Counter::ALL
            .iter()
            .map(|&what| (what.name(), stats.total(what)))
            .collect(),
    }
}

/// Sees to it that no other server has its control socket in the folder of its identity, where no lock of a store does.
fn alone_in(folder: &Path) -> Result<Tried, CliError> {
    match lock_file::try_hold(&folder.join("control.lock")) {
        Ok(Tried::Taken) => Err(CliError::Other(format!(
            "the file server did not start: another server that keeps a network has its key in {}; give each server of one computer a folder of its own with copies of server.key and list.key",
            folder.display()
        ))),
        Ok(alone) => Ok(alone),
        Err(error) => Err(CliError::Other(format!(
            "the file server did not start: it cannot write in {}, the folder of its key ({error})",
            folder.display()
        ))),
    }
}

fn open_control(folder: &Path, server: &RunningServer) -> std::io::Result<ControlEndpoint> {
    let operator = Arc::new(server.operator());
    ControlEndpoint::open(folder, move |request| {
        let operator = Arc::clone(&operator);
        async move { control::handle(&operator, request).await }
    })
}
