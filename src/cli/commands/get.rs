//! `cloak get`: fetches the file that a pointer describes, verifies it and saves it.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::share::KeptId;
use super::{ServerCommand, Telling, join, resume, share};
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::received::incoming::Renamed;
use crate::app::received::save::SaveTo;
use crate::app::relays::RelaySource;
use crate::app::transfer::get::{self, Choice, Fetched, GetRequest, Receipt};
use crate::app::transfer::parts::resume::{self as resume_states, OpenTransfer};
use crate::app::transfer::supported::PointerUse;
use crate::app::words::harmless::harmless;
use crate::app::words::message::UserMessage;
use crate::app::words::relay_sources::source_shows;
use crate::app::words::units::grouped;
use crate::cli::CliError;
use crate::cli::args::GetArgs;
use crate::cli::terminal::{self, Bar, print_json, print_path, print_text};
use crate::protocol::folder::{EntryKind, Manifest};

pub(crate) async fn run(args: GetArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let telling = Telling::of(args.who_saw_what, args.json);
    let command = ServerCommand::new(&args.route, telling, cancel).in_network(&args.network);
    let work = async |client: &Client| fetch(&command, client, args).await;
    command.run(work).await
}

/// Says what was fetched and where it is.
pub(super) fn print(command: &ServerCommand, fetched: &Fetched) -> Result<(), CliError> {
    if let Some(disagreement) = &fetched.findings.disagreement {
        let warning = UserMessage::from(disagreement);
        terminal::note(&format!(
            "{} {} {}",
            warning.what, warning.why, warning.next
        ));
    }
    note_renamed(&fetched.renamed);
    let receipt = match fetched.receipt {
        Receipt::Declined => "declined",
        Receipt::Failed => "failed",
        Receipt::Sent => "sent",
        Receipt::Unasked => "unasked",
    };
    match fetched.receipt {
        Receipt::Failed => terminal::note("the file is here, but the sender could not be told"),
        Receipt::Sent => terminal::note("the sender was told"),
        Receipt::Declined | Receipt::Unasked => {}
    }
    let printed = if command.telling.json {
        let object = json!({
            "path": fetched.path.to_string_lossy(),
            "size": fetched.content_len,
            "receipt": receipt,
            "renamed": fetched.renamed.count,
            "seconds": fetched.took.as_secs_f64(),
        });
        print_json(&command.object(object))
    } else {
        print_path(&fetched.path)
    };
    if printed.is_err() {
        terminal::note(&format!("the file is saved: {}", fetched.path.display()));
    }
    Ok(printed?)
}

/// Says which names in a folder this system could not hold: the first of them, and how many they are.
fn note_renamed(renamed: &Renamed) {
    const MOST: usize = 10;
    for (path, name) in renamed.first.iter().take(MOST) {
        terminal::note(&format!("saved under another name: {path} as {name}"));
    }
    if renamed.count > MOST as u64 {
        let count = grouped(renamed.count);
        terminal::note(&format!("saved under another name: {count} in all"));
    }
}

/// Says what a folder holds: one line, or one object, an entry.
fn print_listing(command: &ServerCommand, manifest: &Manifest) -> Result<(), CliError> {
    if command.telling.json {
        let entries: Vec<_> = manifest
            .iter()
            .map(|placed| match placed.entry.kind {
                EntryKind::EmptyFolder => json!({ "path": placed.entry.path, "folder": true }),
                EntryKind::File {
                    len_bytes,
                    executable,
                } => json!({
                    "path": placed.entry.path,
                    "size": len_bytes,
                    "executable": executable,
                }),
            })
            .collect();
        return Ok(print_json(&command.object(json!({ "entries": entries })))?);
    }
    // Many lines at once: a folder can have a million entries.
    const AT_ONCE: usize = 64 * 1024;
    let mut lines = String::new();
    for placed in manifest.iter() {
        let path = harmless(placed.entry.path);
        lines.push_str(&match placed.entry.kind {
            EntryKind::EmptyFolder => format!("{:>15}  {path}/\n", "-"),
            EntryKind::File { len_bytes, .. } => format!("{:>15}  {path}\n", grouped(len_bytes)),
        });
        if lines.len() >= AT_ONCE {
            print_text(&lines)?;
            lines.clear();
        }
    }
    Ok(print_text(&lines)?)
}

async fn fetch(command: &ServerCommand, client: &Client, args: GetArgs) -> Result<(), CliError> {
    let text = terminal::pointer_text(&args.pointer, &command.context.cancel).await?;
    let pointer = command.pointer_in(client, &text)?;
    PointerUse::Get.check(&pointer)?;
    let joined = join::invited_to(&pointer, &text, client)?;
    let joined = match joined {
        Some(offer) if args.join => Some(join::join_first(command, client, &offer).await?),
        Some(offer) => {
            terminal::note(&format!(
                "the text holds an invitation to {:?} ({}), the network of the pointer's server: get --join joins it first",
                offer.name(),
                offer.host()
            ));
            None
        }
        None => None,
    };
    let client = joined.as_ref().unwrap_or(client);
    if args.resume
        && let Some(begun) = OpenTransfer::find_download(client.program(), &pointer)
    {
        return resume::resumed(command, client, begun).await;
    }
    let target = if args.list {
        None
    } else {
        let to = SaveTo::from_choice(args.out);
        let held = resume_states::temporaries(client.program());
        Some(to.prepare(&held).map_err(AppError::NoPlace)?)
    };
    let source = Destination::SourceOf(&pointer);
    let call = match command.call(client, source).await {
        Err(AppError::RelaysOffered(offer)) if args.accept_relay_list => {
            let proxy = client.settings().proxy.is_some();
            for line in source_shows(&RelaySource::Url(offer.list.clone()), proxy) {
                terminal::say(&line);
            }
            let (program, context) = (client.program(), &command.context);
            client.relays().accept(program, &offer, context).await?;
            command.call(client, source).await?
        }
        call => call?,
    };
    let Some(target) = target else {
        let bar = Bar::new();
        let listed = get::list(&call.with_progress(bar.sink()), &pointer).await;
        drop(bar);
        return match listed? {
            Some(manifest) => print_listing(command, &manifest),
            None => Err(CliError::Usage(
                "this is a single file: there is nothing to list".to_owned(),
            )),
        };
    };
    // Of what is chosen from a folder, nobody knows the length yet.
    if args.only.is_empty() {
        let cancel = &command.context.cancel;
        terminal::ask_if_large(pointer.content_len, "this fetches", cancel).await?;
    }
    if pointer.receipts.is_some() && !args.no_receipt {
        terminal::note("the sender is told when you have the file (not with --no-receipt)");
    }
    let request = GetRequest {
        pointer,
        target,
        tell_sender: !args.no_receipt,
        choice: if args.only.is_empty() {
            Choice::All
        } else {
            Choice::Only(args.only)
        },
    };
    let bar = Bar::new();
    let kept = KeptId::default();
    let fetched = get::get(&call.with_progress(kept.told_by(bar.sink())), request).await;
    drop(bar);
    match fetched {
        Ok(fetched) => print(command, &fetched),
        Err(error) => {
            share::note_unfinished(&kept, &error);
            Err(error.into())
        }
    }
}
