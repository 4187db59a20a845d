//! `cloak relay`: runs a relay until it is stopped.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::process::logging;
use crate::app::relays::list_file;
use crate::cli::CliError;
use crate::cli::args::RelayArgs;
use crate::cli::operator_settings::{RelayLayer, SettingsLayer as _};
use crate::cli::terminal::{self, print_json_text, print_text};
use crate::disk::key_file;
use crate::relay::{Relay, RelayConfig, RunningRelay};
use crate::wire::{clock, open_files, random};

pub(crate) async fn run(args: RelayArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    if args.print_config {
        print_text(RelayLayer::SAMPLE)?;
        return Ok(());
    }
    let settings = args.operator.read()?;
    logging::start_at(settings.log);
    let failed = |error: &dyn std::error::Error| {
        CliError::Other(format!("the relay did not start: {error}"))
    };
    open_files::raise_limit();
    settings
        .validate()
        .map_err(|reason| CliError::Usage(reason.to_owned()))?;
    if args.print_descriptor && settings.listen.port() == 0 {
        return Err(CliError::Usage(
            "port 0 is picked at the start, so its entry cannot be known before; give a port"
                .to_owned(),
        ));
    }
    let key = key_file::load_or_create(&settings.key_path, &mut random::system())
        .map_err(|error| failed(&error))?;
    let relays = settings.relay_list.clone();
    let config = RelayConfig::with_settings(settings, key);
    if args.print_descriptor {
        let port = config.settings.listen.port();
        let descriptor = config.descriptor(port).map_err(|error| failed(&error))?;
        print_json_text(&descriptor.to_json())?;
        return Ok(());
    }
    let relay = Relay::start(config).await.map_err(|error| failed(&error))?;
    terminal::announce(print_json_text(&relay.descriptor().to_json()));
    terminal::note("the relay is up; its entry for a relay list is the line above");
    match relays {
        Some(path) => tokio::select! {
            () = cancel.cancelled() => {}
            () = follow(&relay, path) => {}
        },
        None => {
            terminal::note(
                "warning: without --relays it forwards to nobody and can only be the last relay",
            );
            cancel.cancelled().await;
        }
    }
    relay.stop().await;
    Ok(())
}

/// Reads the list now and whenever its file changes, so that it can be replaced, or made from the entries of relays
/// that already run. A list that cannot be used leaves the last good one in place until that ends; then there are no
/// relays to forward to, as there are none for clients.
async fn follow(relay: &RunningRelay, path: PathBuf) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut seen = None;
    let mut ends = None;
    loop {
        looks.tick().await;
        if ends.is_some_and(|ends| (clock::system())() >= ends) {
            ends = None;
            relay.set_relays(Vec::new());
            terminal::note(
                "warning: the relay list has expired; nothing is forwarded until there is a newer one",
            );
        }
        let file = path.clone();
        let stamp = move || {
            std::fs::metadata(&file)
                .and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
                .ok()
        };
        let now_there = Some(tokio::task::spawn_blocking(stamp).await.ok().flatten());
        if now_there == seen {
            continue;
        }
        seen = now_there;
        let file = path.clone();
        let read =
            tokio::task::spawn_blocking(move || list_file::read(&file, (clock::system())())).await;
        match read {
            Ok(Ok(list)) => {
                let count = list.relays.len();
                ends = Some(list.expires);
                relay.set_relays(list.relays);
                terminal::note(&format!("relay list read: {count} relays"));
            }
            Ok(Err(error)) => {
                terminal::note(&format!("warning: the relay list cannot be used: {error}"));
            }
            Err(_ended) => return,
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
