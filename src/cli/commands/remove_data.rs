//! `cloak remove-data`: takes settings, history, records and the history's key away from this computer.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::error::AppError;
use crate::app::kept::keystore::KeyStore;
use crate::app::kept::removal::{DataKind, InUse, PersonalData, RemovalError};
use crate::app::kept::system_keyring::SystemKeyring;
use crate::app::process::streams;
use crate::app::settings::Home;
use crate::cli::CliError;
use crate::cli::args::RemoveData;
use crate::cli::terminal::{self, print_path};

pub(crate) async fn run(args: RemoveData, cancel: &CancellationToken) -> Result<(), CliError> {
    streams::check_output()?;
    let home = Home::find().map_err(AppError::from)?;
    let data = PersonalData::find(home)?;
    if data.kinds().next().is_none() {
        terminal::note("there is nothing to remove");
        return Ok(());
    }
    terminal::note("this goes from this computer, for good:");
    for kind in data.kinds() {
        terminal::note(&format!("  {}", describe(kind, args.leave_key)));
    }
    if data.has_unnamed_key() && !args.leave_key {
        terminal::note(
            "  the history is damaged and does not name its key: that stays in the system's keyring",
        );
    }
    if !args.yes {
        confirm(cancel).await?;
    }
    let keyring: Option<Arc<dyn KeyStore>> = if args.leave_key {
        None
    } else {
        Some(Arc::new(SystemKeyring))
    };
    // The keyring may ask the person something.
    let removed = tokio::task::spawn_blocking(move || data.remove(keyring))
        .await
        .map_err(|error| CliError::Other(error.to_string()))??;
    for path in &removed.paths {
        print_path(path)?;
    }
    for folder in &removed.left {
        terminal::note(&format!(
            "{} stays: something that is not Cloakroom's is in it",
            folder.display()
        ));
    }
    Ok(())
}

const fn describe(kind: DataKind, leave_key: bool) -> &'static str {
    match kind {
        DataKind::BuiltIn => "the built-in network, with every file that is stored in it",
        DataKind::History if leave_key => {
            "the window's history with its pointers; its key stays in the system's keyring"
        }
        DataKind::History => {
            "the window's history with its pointers, and its key in the system's keyring"
        }
        DataKind::Relays => "the first relays of your paths, and relay lists",
        DataKind::Settings => {
            "settings: servers with their access words, networks, and what you chose"
        }
        DataKind::Shares => {
            "the right to extend and delete what you shared; it stays with its server until it expires"
        }
        DataKind::Unfinished => {
            "interrupted transfers, and what has come of downloads; `cloak resume all --discard` has servers delete their part"
        }
    }
}

/// Asks whether to go on.
///
/// # Errors
/// [`AppError::Cancelled`] unless the answer is yes; [`CliError::Usage`] where nobody can be asked.
async fn confirm(cancel: &CancellationToken) -> Result<(), CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "nothing was removed: say --yes where nobody can be asked".to_owned(),
        ));
    }
    terminal::note("remove it? type yes and press Enter");
    // On a thread of its own, which an interrupt leaves behind: a read of a terminal cannot be called back.
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_len| line)
    });
    let answer = tokio::select! {
        () = cancel.cancelled() => return Err(AppError::Cancelled.into()),
        answer = answer => answer.map_err(io::Error::other).flatten(),
    };
    match answer {
        Ok(line) if line.trim().eq_ignore_ascii_case("yes") => Ok(()),
        Ok(_) | Err(_) => Err(AppError::Cancelled.into()),
    }
}

/// What helps against it.
pub(in crate::cli) const fn remedy(error: &RemovalError) -> &'static str {
    match error {
        RemovalError::File { .. } => {
            "what was removed before is gone; run this again when that is mended"
        }
        RemovalError::InUse(InUse::BuiltIn) => {
            "nothing was removed; close the window or end `cloak up`, and run this again"
        }
        RemovalError::InUse(InUse::Transfer) => {
            "nothing was removed; end the other cloak command, and run this again"
        }
        RemovalError::InUse(InUse::Window) => {
            "nothing was removed; close the window, and run this again"
        }
        RemovalError::Key(_) => {
            "nothing was removed; unlock the keyring and run this again, or leave the key there by --leave-key"
        }
    }
}
