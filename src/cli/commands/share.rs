//! `cloak share`: shares a file and prints the pointer.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::networks::{self, NamedNetwork};
use super::{CLOCKS_DIFFER, ServerCommand, Telling, access_word, resume};
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::parcel::{LeftOut, WhyLeftOut};
use crate::app::process::streams::{self, OutputError};
use crate::app::transfer::call::Call;
use crate::app::transfer::manage;
use crate::app::transfer::parts::resume::{OpenTransfer, UnfinishedId};
use crate::app::transfer::share::{self, Receipts, ShareRequest, Shared};
use crate::app::transfer::stage::ProgressSink;
use crate::app::words::texts;
use crate::app::words::units::{duration, grouped};
use crate::cli::args::ShareArgs;
use crate::cli::terminal::{self, Bar, date, print_json, print_line};
use crate::cli::{CliError, StoredFile};
use crate::protocol::bech32m::SecretText;
use crate::protocol::pointer::Pointer;

pub(crate) async fn run(args: ShareArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    // A stored file is of no use without its pointer.
    streams::check_output()?;
    let telling = Telling::of(args.who_saw_what, args.json);
    let mut command = ServerCommand::new(&args.route, telling, cancel).in_network(&args.network);
    let word = telling.end(access_word(&args.access), &command.context.log);
    command.over.access_word = word?;
    let parcels: Vec<_> = if args.each {
        args.paths.iter().map(|path| vec![path.clone()]).collect()
    } else {
        vec![args.paths.clone()]
    };
    let work = async |client: &Client| {
        for paths in parcels {
            share(&command, client, &args, paths).await?;
        }
        Ok(())
    };
    command.run(work).await
}

/// Shares some files and folders and prints the pointer; without a pointer nothing stays at the server that can be deleted.
async fn share(
    command: &ServerCommand,
    client: &Client,
    args: &ShareArgs,
    paths: Vec<PathBuf>,
) -> Result<(), CliError> {
    if args.resume
        && let Some(begun) = OpenTransfer::find_share(client.program(), &paths)
    {
        return resume::resumed(command, client, begun).await;
    }
    let named = command.named(client)?;
    let to = match (&args.server, &named) {
        (Some(server), _) => Destination::Server(server),
        (None, Some(NamedNetwork::BuiltIn)) => Destination::BuiltIn,
        (None, Some(NamedNetwork::Server(server))) => Destination::Server(&server.address),
        (None, None) => Destination::Chosen,
    };
    let call = command.call(client, to).await?;
    let invitation = if args.with_invitation {
        Some(networks::invitation_of(client, call.routed().server())?)
    } else {
        None
    };
    if args.with_relay_list && call.routed().relay_line().is_none() {
        return Err(CliError::Usage(
            "there is no relay list that a pointer could name: it must be one by URL, as with cloak networks relays --use LINE"
                .to_owned(),
        ));
    }
    let receipts = match (args.count, args.max_downloads) {
        (_, Some(max)) => Receipts::Limited(max),
        (true, None) => Receipts::Counted,
        (false, None) => Receipts::Unasked,
    };
    if receipts != Receipts::Unasked {
        terminal::say(texts::count_about());
    }
    let settings = client.settings();
    let request = ShareRequest {
        ttl_secs: args.ttl,
        name_in_pointer: settings.name_in_pointer && !args.no_name,
        receipts,
        carry_relay_list: args.with_relay_list || settings.pointer_carries_relay_list,
        ..ShareRequest::new(paths.clone())
    };
    let cancel = &command.context.cancel;
    let looked = share::look(&paths, cancel).await?;
    terminal::ask_if_large(looked.content_len(), "this shares", cancel).await?;
    let bar = Bar::new();
    let kept = KeptId::default();
    let call_with_bar = call.clone().with_progress(kept.told_by(bar.sink()));
    let shared = share::share_looked(&call_with_bar, request, looked).await;
    drop(bar);
    match shared {
        Ok(shared) => print_or_take_back(command, &call, &shared, invitation.as_ref()).await,
        Err(error) => {
            note_unfinished(&kept, &error);
            Err(error.into())
        }
    }
}

/// The id under which the transfer of this command is kept, once it is.
#[derive(Clone, Default)]
pub(super) struct KeptId(Arc<OnceLock<UnfinishedId>>);

impl KeptId {
    /// `progress`, which tells this id too.
    pub(super) fn told_by(&self, progress: ProgressSink) -> ProgressSink {
        let kept = Arc::clone(&self.0);
        progress.with_kept(move |id| {
            // A command has one transfer at a time.
            kept.set(id.clone()).ok();
        })
    }
}

/// Says how an interrupted transfer goes on, if it was written down.
pub(super) fn note_unfinished(kept: &KeptId, error: &AppError) {
    let Some(id) = kept.0.get().map(UnfinishedId::as_str) else {
        return;
    };
    terminal::note(&match error {
        // It is not what it was when the share began.
        AppError::Local(_) => {
            format!("`cloak resume {id} --discard` deletes what the server has of it")
        }
        _ => format!(
            "what got through is not lost: `cloak resume {id}` goes on, `cloak resume {id} --discard` gives up"
        ),
    });
}

/// Prints the pointer of a share. What cannot be printed is deleted again.
pub(super) async fn print_or_take_back(
    command: &ServerCommand,
    call: &Call,
    shared: &Shared,
    invitation: Option<&SecretText>,
) -> Result<(), CliError> {
    if let Err(cause) = print(shared, command, invitation) {
        let file = match manage::take_back(call, &shared.pointer).await {
            Ok(()) => StoredFile::TakenBack,
            Err(_) => StoredFile::Left,
        };
        return Err(CliError::PointerLost { cause, file });
    }
    note_left_out(&shared.left_out);
    if shared.builtin {
        terminal::note(
            "the built-in network was used: nothing left this computer, and the pointer works on it only",
        );
    }
    let text = shared.pointer.to_text();
    if shared.pointer.relay_list.is_some()
        && Pointer::find(text.as_str()).is_ok_and(|found| found.relay_list.is_none())
    {
        terminal::note("the pointer does not name the relay list: the two together are too long");
    }
    if shared.by_server_clock {
        terminal::note(CLOCKS_DIFFER);
    }
    if let Some(secs) = shared.unmet_ttl_secs {
        let asked = duration(secs);
        terminal::note(&match shared.pointer.expires {
            Some(expires) => {
                format!(
                    "the server keeps the file until {}, not for {asked}",
                    date(expires)
                )
            }
            None => format!(
                "the server does not say how long it keeps the file; it was asked for {asked}"
            ),
        });
    }
    Ok(())
}

/// Says what was not shared: the first of it, and how much it is.
fn note_left_out(left_out: &LeftOut) {
    const MOST: usize = 10;
    for entry in left_out.first().iter().take(MOST) {
        let why = match entry.why {
            WhyLeftOut::Link => "it is a link".to_owned(),
            WhyLeftOut::Name => "its name cannot be sent".to_owned(),
            WhyLeftOut::NotAFile => "it is neither a file nor a folder".to_owned(),
            WhyLeftOut::Unreadable(reason) => format!("it cannot be read: {reason}"),
        };
        terminal::note(&format!("not shared: {}: {why}", entry.path));
    }
    if left_out.count() > MOST as u64 {
        terminal::note(&format!("not shared: {} in all", grouped(left_out.count())));
    }
}

/// Prints the pointer, alone or with what else a program wants to know.
fn print(
    shared: &Shared,
    command: &ServerCommand,
    invitation: Option<&SecretText>,
) -> Result<(), OutputError> {
    let text = shared.pointer.to_text();
    if !command.telling.json {
        if let Some(invitation) = invitation {
            print_line(invitation.as_str())?;
        }
        return print_line(text.as_str());
    }
    print_json(&command.object(json!({
        "pointer": text.as_str(),
        "invitation": invitation.map(SecretText::as_str),
        "size": shared.pointer.content_len,
        "sent_as": shared.class.blob_len(),
        "parts": shared.parts,
        "left_out": shared.left_out.count(),
        "expires": shared.pointer.expires,
        "server": shared.pointer.server.to_string(),
        "this_computer_only": shared.builtin,
        "manageable": shared.manageable,
        "by_server_clock": shared.by_server_clock,
        "kept_as_asked": shared.unmet_ttl_secs.is_none(),
        "seconds": shared.took.as_secs_f64(),
    })))
}
