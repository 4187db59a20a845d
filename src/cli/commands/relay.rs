//! `cloak relay`: runs a relay until it is stopped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::app::process::logging;
use crate::app::relays::list_file;
use crate::cli::CliError;
use crate::cli::args::RelayArgs;
use crate::cli::operator_settings::{RelayLayer, SettingsLayer as _};
use crate::cli::terminal::{self, print_json_text, print_text};
use crate::disk::key_file;
use crate::protocol::invitation::Invitation;
use crate::protocol::keys::Identity;
use crate::protocol::network::{Admitted, JoinAnswer, JoinRefused, Membership, RenewRefused};
use crate::protocol::text;
use crate::relay::config::{JoinSource, RelaySettings};
use crate::relay::join::{JoinEvent, JoinedRelay};
use crate::relay::{Relay, RelayConfig, RunningRelay};
use crate::wire::{clock, open_files, random};

pub(crate) async fn run(args: RelayArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    if args.print_config {
        print_text(RelayLayer::SAMPLE)?;
        return Ok(());
    }
    let settings = args.operator.read()?.with_kept_network();
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
    let identity = Identity::from_seed(*key.seed());
    let mut config = RelayConfig::with_settings(settings, key);
    if args.print_descriptor {
        let port = config.settings.listen.port();
        let descriptor = config.descriptor(port).map_err(|error| failed(&error))?;
        print_json_text(&descriptor.to_json())?;
        return Ok(());
    }
    let joining = match config.settings.join.clone() {
        Some(source) => Some(join(source, &config.settings, cancel).await?),
        None => None,
    };
    if let Some(joining) = &joining {
        config.network_host = Some(joining.server().url.host().to_owned());
        terminal::note(&format!(
            "this relay belongs to the network {:?} of {}",
            joining.name(),
            joining.server().url.host()
        ));
        if joining.learns_host() {
            config.settings.public_host = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                host = joining.learn_host(tell) => Some(host),
            };
        }
    }
    let relay = Relay::start(config).await.map_err(|error| failed(&error))?;
    terminal::announce(print_json_text(&relay.descriptor().to_json()));
    terminal::note("the relay is up; its entry for a relay list is the line above");
    match (joining, relays) {
        (Some(joining), _) => tokio::select! {
            () = cancel.cancelled() => {}
            () = joining.run(&relay, &identity, tell) => {}
        },
        (None, Some(path)) => tokio::select! {
            () = cancel.cancelled() => {}
            () = follow(&relay, path) => {}
        },
        (None, None) => {
            terminal::note(
                "warning: without --join or --relays it forwards to nobody and can only be the last relay",
            );
            cancel.cancelled().await;
        }
    }
    relay.stop().await;
    Ok(())
}

/// The relay's place in its network: the one that is kept, or the one of an invitation.
async fn join(
    source: JoinSource,
    settings: &RelaySettings,
    cancel: &CancellationToken,
) -> Result<JoinedRelay, CliError> {
    let file = settings.join_file();
    let kept = read_kept(&file)?;
    let membership = match invitation_text(source, cancel).await? {
        None => kept.ok_or_else(|| CliError::Other(format!("{} is gone", file.display())))?,
        Some(text) => renew(kept, &text)?,
    };
    let joining = JoinedRelay::begin(membership, settings, clock::system()).await;
    joining.map_err(|error| {
        CliError::Other(format!(
            "the relay did not start: its place in the network cannot be kept in {} ({error})",
            file.display()
        ))
    })
}

fn read_kept(file: &Path) -> Result<Option<Membership>, CliError> {
    let failed = |why: &dyn std::fmt::Display| {
        CliError::Other(format!(
            "the relay did not start: its place in the network cannot be read from {}: {why}; move the file away and give the invitation again with --join",
            file.display()
        ))
    };
    match std::fs::read(file).map(Zeroizing::new) {
        Ok(bytes) => Membership::from_bytes(&bytes)
            .map(Some)
            .map_err(|why| failed(&why)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// The text that holds the invitation; `None` when an earlier start kept it.
async fn invitation_text(
    source: JoinSource,
    cancel: &CancellationToken,
) -> Result<Option<Zeroizing<String>>, CliError> {
    match source {
        JoinSource::Kept => Ok(None),
        JoinSource::Word(word) => Ok(Some(word)),
        JoinSource::Stdin => {
            let is_whole = |text: &str| Invitation::find(text, 0).is_ok();
            let text = terminal::standard_input("invitation", is_whole, cancel).await?;
            Ok(Some(text))
        }
        JoinSource::File(path) => {
            let bytes = std::fs::read(&path).map(Zeroizing::new).map_err(|error| {
                CliError::Usage(format!(
                    "the invitation cannot be read from {} ({error}); --join takes a file, - for standard input, or the invitation itself",
                    path.display()
                ))
            })?;
            let text = text::decode(&bytes).map_err(|_no_text| {
                CliError::Usage(format!("{} holds no invitation", path.display()))
            })?;
            Ok(Some(text))
        }
    }
}

/// Joins by the invitation in `text`. One to the network that the relay is in already only brings its words up to date, and may
/// have ended.
fn renew(kept: Option<Membership>, text: &str) -> Result<Membership, CliError> {
    let usage = |why: &dyn std::fmt::Display| CliError::Usage(why.to_string());
    let now = (clock::system())();
    if let Some(mut kept) = kept {
        let invitation = Invitation::find(text, 0).map_err(|why| usage(&why))?;
        match kept.renew(invitation) {
            Ok(()) => return Ok(kept),
            Err(why @ RenewRefused::NotForRelays(_)) => return Err(usage(&why)),
            Err(RenewRefused::OtherNetwork) => terminal::note(&format!(
                "warning: this relay leaves the network {:?} of {} for another one",
                kept.name(),
                kept.server().url.host()
            )),
        }
    }
    let invitation = Invitation::find(text, now).map_err(|why| usage(&why))?;
    Membership::join(invitation).map_err(|why| usage(&why))
}

/// Says what happens to the relay in its network.
fn tell(event: JoinEvent) {
    terminal::note(&match event {
        JoinEvent::AddressChanged(_) => {
            "the network sees this relay at another address than before".to_owned()
        }
        JoinEvent::Answered(JoinAnswer::Admitted(Admitted::Listed)) => {
            "this relay is in the network".to_owned()
        }
        JoinEvent::Answered(JoinAnswer::Admitted(Admitted::Waiting)) => {
            "this relay waits until the operator of the network approves it".to_owned()
        }
        JoinEvent::Answered(JoinAnswer::Refused(why)) => {
            format!("warning: this relay is not in the network: {why}; it tries again{}", advice(why))
        }
        JoinEvent::Keep(error) => format!(
            "warning: the place in the network cannot be kept beside the key ({error}); make room there, or let this user write there"
        ),
        JoinEvent::List(count) => format!("relay list read: {count} relays"),
        JoinEvent::ListEnded => {
            "warning: the list of the network has ended; nothing is forwarded until there is a newer one"
                .to_owned()
        }
        JoinEvent::ListRefused(why) => {
            format!("warning: the list of the network cannot be used: {why}")
        }
        JoinEvent::NoAnswer(why) => format!("warning: {why}; this relay tries again"),
    });
}

/// What the operator of a relay can do about a refusal.
const fn advice(why: JoinRefused) -> &'static str {
    match why {
        JoinRefused::ClockAhead | JoinRefused::Stale => "; check the clock of this computer",
        JoinRefused::NotPublic => "; give --public-host",
        JoinRefused::ProofFailed => {
            "; open its port in the firewall, and give --public-host and --public-port where others reach it elsewhere"
        }
        JoinRefused::AddressTaken
        | JoinRefused::Blocked
        | JoinRefused::Full
        | JoinRefused::NoneServes
        | JoinRefused::Removed
        | JoinRefused::SubnetFull
        | JoinRefused::TooSoon
        | JoinRefused::WrongWord => "",
    }
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
