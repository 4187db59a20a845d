//! `cloak share`: shares a file and prints the pointer.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{CLOCKS_DIFFER, ServerCommand, Telling, access_word};
use crate::app::client::{Client, Destination};
use crate::app::process::streams::{self, OutputError};
use crate::app::transfer::manage;
use crate::app::transfer::share::{self, Receipts, ShareRequest, Shared};
use crate::app::words::texts;
use crate::app::words::units::duration;
use crate::cli::args::ShareArgs;
use crate::cli::terminal::{self, Bar, date, print_json, print_line};
use crate::cli::{CliError, StoredFile};
use crate::protocol::pointer::Pointer;

pub(crate) async fn run(args: ShareArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    // A stored file is of no use without its pointer.
    streams::check_output()?;
    let telling = Telling::of(args.who_saw_what, args.json);
    let mut command = ServerCommand::new(&args.route, telling, cancel);
    let word = telling.end(access_word(&args.access), &command.context.log);
    command.over.access_word = word?;
    let work = async |client: &Client| share(&command, client, args).await;
    let shared = command.run(work).await?;
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

/// Shares the file and prints its pointer; without a pointer nothing stays at the server that can be deleted.
async fn share(
    command: &ServerCommand,
    client: &Client,
    args: ShareArgs,
) -> Result<Shared, CliError> {
    let server = args.server.as_ref();
    let to = server.map_or(Destination::Chosen, Destination::Server);
    let call = command.call(client, to).await?;
    if args.with_relay_list && call.routed().relay_line().is_none() {
        return Err(CliError::Usage(
            "there is no relay list that a pointer could name: it must be one by URL, added with cloak relays add"
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
        ..ShareRequest::new(args.file)
    };
    let bar = Bar::new();
    let shared = share::share(&call.clone().with_progress(bar.sink()), request).await;
    drop(bar);
    let shared = shared?;
    let Err(cause) = print(&shared, command) else {
        return Ok(shared);
    };
    let file = match manage::take_back(&call, &shared.pointer).await {
        Ok(()) => StoredFile::TakenBack,
        Err(_) => StoredFile::Left,
    };
    Err(CliError::PointerLost { cause, file })
}

/// Prints the pointer, alone or with what else a program wants to know.
fn print(shared: &Shared, command: &ServerCommand) -> Result<(), OutputError> {
    let text = shared.pointer.to_text();
    if !command.telling.json {
        return print_line(text.as_str());
    }
    print_json(&command.object(json!({
        "pointer": text.as_str(),
        "size": shared.pointer.content_len,
        "sent_as": shared.class.blob_len(),
        "expires": shared.pointer.expires,
        "server": shared.pointer.server.to_string(),
        "this_computer_only": shared.builtin,
        "manageable": shared.manageable,
        "by_server_clock": shared.by_server_clock,
        "kept_as_asked": shared.unmet_ttl_secs.is_none(),
        "seconds": shared.took.as_secs_f64(),
    })))
}
