//! `cloak relay-list`: for whoever makes a relay list and hands it out.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::open_client;
use crate::app::error::AppError;
use crate::app::relays;
use crate::app::relays::list_file;
use crate::app::transfer::call::CallContext;
use crate::app::words::relay_sources::this_list_host_sees;
use crate::cli::CliError;
use crate::cli::args::{
    AddToRelayList, NewRelayList, RelayListCommand, SignRelayList, VerifyRelayList,
};
use crate::cli::terminal::{self, print_json_text, print_line};
use crate::disk::key_file;
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::relay_list::{ListSource, RelayDescriptor, RelayList};
use crate::wire::{clock, random};

pub(crate) async fn run(
    args: RelayListCommand,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    match args {
        RelayListCommand::New(new) => make(&new),
        RelayListCommand::Add(add) => change(&add),
        RelayListCommand::Key(args) => {
            let key = signing_key(&args.key)?;
            Ok(print_line(&key.public().to_hex())?)
        }
        RelayListCommand::Sign(sign) => self::sign(&sign),
        RelayListCommand::Verify(verify) => self::verify(&verify, cancel).await,
    }
}

fn make(args: &NewRelayList) -> Result<(), CliError> {
    let given = entries(&args.files)?;
    refuse_shared_key(&given)?;
    let relays = given.into_iter().map(|(_file, relay)| relay).collect();
    let now = (clock::system())();
    let list = RelayList::join(&args.name, now, now.saturating_add(args.valid_for), relays)
        .map_err(AppError::from)?;
    match &args.out {
        Some(path) => {
            let was_signed = list_file::signature_path(path).exists();
            list_file::save(path, &list)?;
            tell_unsigned(was_signed);
        }
        None => print_json_text(&list.to_json())?,
    }
    Ok(())
}

/// Two relays that were started in the same folder have both taken its `relay.key`: a list of them would have one relay
/// in two places.
fn refuse_shared_key(given: &[(&Path, RelayDescriptor)]) -> Result<(), CliError> {
    let named = |file: &Path, relay: &RelayDescriptor| {
        format!(
            "{} ({})",
            SocketAddr::new(relay.host, relay.port),
            file.display()
        )
    };
    for (at, (file, relay)) in given.iter().enumerate() {
        let same = given
            .iter()
            .take(at)
            .find(|(_file, earlier)| earlier.key == relay.key && earlier != relay);
        if let Some((first_file, first)) = same {
            return Err(CliError::Usage(format!(
                "the relays {} and {} have the same key, so they share a key file: without --key it is relay.key in the folder that a relay is started in; give each a folder or a --key of its own, and print its entry anew",
                named(first_file, first),
                named(file, relay)
            )));
        }
    }
    Ok(())
}

fn change(args: &AddToRelayList) -> Result<(), CliError> {
    let relays = entries(&args.files)?
        .into_iter()
        .map(|(_file, relay)| relay)
        .collect();
    let was_signed = list_file::signature_path(&args.list).exists();
    let now = (clock::system())();
    let list = list_file::add(&args.list, relays, now, args.valid_for)?;
    terminal::note(&format!("the list names {} relays now", list.relays.len()));
    tell_unsigned(was_signed);
    Ok(())
}

fn tell_unsigned(was_signed: bool) {
    if was_signed {
        terminal::note(
            "the old signature was removed, since it does not fit any more: sign the list again",
        );
    }
}

/// The key in this file, which is made when it is missing.
fn signing_key(path: &Path) -> Result<Identity, CliError> {
    let made = !path.exists();
    let key = key_file::load_or_create(path, &mut random::system())
        .map_err(|error| CliError::Other(error.to_string()))?;
    if made {
        terminal::note(
            "a new key was made: keep its file safe, since only what it signs replaces a list that it has signed",
        );
    }
    Ok(key)
}

fn sign(args: &SignRelayList) -> Result<(), CliError> {
    let source = match &args.url {
        Some(url) if url.contains("#k=") => {
            return Err(CliError::Usage(
                "give the URL without #k=: the key is that of --key".to_owned(),
            ));
        }
        url => url.clone(),
    };
    let key = signing_key(&args.key)?;
    // A URL that cannot be added is noticed before anything is written.
    let line = source
        .map(|url| format!("{url}#k={}", key.public().to_hex()).parse::<ListSource>())
        .transpose()
        .map_err(AppError::from)?;
    let list = list_file::sign(&args.list, &key, (clock::system())())?;
    terminal::note(&format!(
        "signed: {} relays, in {}; hand out both files side by side",
        list.relays.len(),
        list_file::signature_path(&args.list).display()
    ));
    match line {
        Some(line) => {
            terminal::note("people add the list by this line:");
            print_line(&line.to_string())?;
        }
        None => print_line(&key.public().to_hex())?,
    }
    Ok(())
}

async fn verify(args: &VerifyRelayList, cancel: &CancellationToken) -> Result<(), CliError> {
    let (list, signature, key) = match args.list.parse::<ListSource>() {
        Ok(source) => {
            if args.key.is_some_and(|key| key != *source.key()) {
                return Err(CliError::Usage(
                    "the line names another key than --key".to_owned(),
                ));
            }
            let client = open_client()?;
            let proxy = client.settings().proxy.is_some();
            terminal::say(&this_list_host_sees(&source, proxy));
            let fetched =
                relays::fetch(client.program(), &source, &CallContext::new(cancel)).await?;
            (fetched.list, fetched.signature, Some(*source.key()))
        }
        Err(why) if args.list.contains("://") => return Err(AppError::from(why).into()),
        Err(_) => {
            let (list, signature) = list_file::read_signed(Path::new(&args.list))?;
            (list, signature, args.key)
        }
    };
    report(&list, signature.as_deref(), key.as_ref())
}

fn report(
    list: &[u8],
    signature: Option<&str>,
    key: Option<&Ed25519Public>,
) -> Result<(), CliError> {
    let checks = list_file::verify(list, signature, key, (clock::system())());
    for check in &checks {
        let mark = match check.holds {
            Some(true) => "ok    ",
            Some(false) => "wrong ",
            None => "?     ",
        };
        print_line(&format!("{mark} {}", check.said))?;
    }
    if checks.iter().all(|check| check.holds == Some(true)) {
        Ok(())
    } else {
        Err(CliError::Other(
            "the list does not hold what it should; people who add it would be told so".to_owned(),
        ))
    }
}

/// The entries of these files, one a line, each with its file.
fn entries(files: &[PathBuf]) -> Result<Vec<(&Path, RelayDescriptor)>, CliError> {
    let mut relays = Vec::new();
    for file in files {
        let read = list_file::read_entries(file)?;
        relays.extend(read.into_iter().map(|relay| (file.as_path(), relay)));
    }
    Ok(relays)
}
