//! The command line: parse, run, exit code.
//!
//! Pointers and data go to standard output, everything else to standard error. The command line speaks English alone, as
//! its arguments and their help do: people search for its sentences, and scripts live with them ([`crate::app::words`]).
mod args;
mod commands;
pub mod operator_settings;
mod terminal;

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::app::error::{AppError, ErrorKind};
use crate::app::kept::removal::RemovalError;
use crate::app::process::core_dumps;
use crate::app::process::logging;
use crate::app::process::streams::OutputError;
use crate::app::words::l10n::{self, Language};
use args::{Cli, Command};

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    core_dumps::forbid();
    l10n::speak_here(Language::English);
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            error.print().ok();
            return ExitCode::from(2);
        }
        // Help and version are no errors.
        Err(help) => {
            return terminal::end(
                help.print()
                    .map_err(|error| OutputError::from(error).into()),
            );
        }
    };
    // A server or relay may have its level in its configuration.
    if !matches!(
        cli.command,
        Command::Host(_) | Command::Serve(_) | Command::Relay(_) | Command::Store(_)
    ) {
        logging::start();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::note(&format!("error: the program could not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(dispatch(cli.command));
    // A blocking read of standard input or a disk that hangs must not hold the end up.
    runtime.shutdown_background();
    terminal::end(result)
}

async fn dispatch(command: Command) -> Result<(), CliError> {
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    tokio::spawn(async move {
        terminal::interrupted().await;
        interrupted.cancel();
    });
    match command {
        Command::Check(check) => commands::check::run(&check, &cancel).await,
        Command::Completions(completions) => commands::completions::run(&completions),
        Command::Delete(delete) => commands::manage::delete(&delete, &cancel).await,
        Command::Demo(demo) => commands::demo::run(demo, &cancel).await,
        Command::Extend(extend) => commands::manage::extend(&extend, &cancel).await,
        Command::Get(get) => commands::get::run(get, &cancel).await,
        Command::Host(host) => commands::host::run(host).await,
        Command::Info(info) => commands::info::run(&info, &cancel).await,
        Command::Join(join) => commands::join::run(join, &cancel).await,
        Command::Man(man) => commands::man::run(&man),
        Command::Networks(networks) => commands::networks::run(networks, &cancel).await,
        Command::Relay(relay) => commands::relay::run(relay, &cancel).await,
        Command::RelayList(list) => commands::relay_list::run(list, &cancel).await,
        Command::Relays(relays) => commands::relays::run(relays, &cancel).await,
        Command::RemoveData(remove) => commands::remove_data::run(remove, &cancel).await,
        Command::Resume(resume) => commands::resume::run(resume, &cancel).await,
        Command::Serve(serve) => commands::serve::run(serve, &cancel).await,
        Command::Share(share) => commands::share::run(share, &cancel).await,
        Command::Status(status) => commands::manage::status(&status, &cancel).await,
        Command::Store(store) => commands::store::run(store, &cancel).await,
        Command::Up(up) => commands::up::run(up, &cancel).await,
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// A use case failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// A check found what does not work, and has said it.
    #[error("something does not work")]
    Found,
    /// A file that was to be removed is not in the store, as was said.
    #[error("a file is not in the store")]
    NotThere,
    /// A server or relay did not start, or another thing that has no words of its own.
    #[error("{0}")]
    Other(String),
    /// The result could not be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file was stored and its pointer could not be printed.
    #[error("the pointer could not be printed: {cause}")]
    PointerLost {
        /// Why the output was not written.
        cause: OutputError,
        /// What became of the file.
        file: StoredFile,
    },
    /// What is kept of this person was not removed, or not all of it.
    #[error(transparent)]
    Removal(#[from] RemovalError),
    /// The arguments are not possible as they were given.
    #[error("{0}")]
    Usage(String),
}

/// What became of a stored file whose pointer nobody has.
#[derive(Debug, PartialEq, Eq)]
enum StoredFile {
    /// It was deleted.
    TakenBack,
    /// It stays at the server until it expires.
    Left,
}

impl CliError {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::App(error) => match error.trouble() {
                ErrorKind::Other => 1,
                ErrorKind::Usage => 2,
                ErrorKind::Pointer => 3,
                ErrorKind::Network => 4,
                ErrorKind::NotOnServer => 5,
                ErrorKind::Mismatch => 6,
                ErrorKind::LocalFile => 7,
                ErrorKind::Refused => 8,
                ErrorKind::Cancelled => 130,
            },
            Self::Found | Self::Other(_) | Self::Output(_) | Self::PointerLost { .. } => 1,
            Self::NotThere => 5,
            Self::Removal(RemovalError::File { .. }) => 7,
            Self::Removal(RemovalError::InUse(_) | RemovalError::Key(_)) => 1,
            Self::Usage(_) => 2,
        }
    }
}
