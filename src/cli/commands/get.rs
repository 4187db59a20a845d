//! `cloak get`: fetches the file that a pointer describes, verifies it and saves it.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ServerCommand, Telling};
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::received::save::SaveTo;
use crate::app::relays::RelaySource;
use crate::app::transfer::get::{self, Fetched, GetRequest, Receipt};
use crate::app::transfer::supported::PointerUse;
use crate::app::words::message::UserMessage;
use crate::app::words::relay_sources::source_shows;
use crate::cli::CliError;
use crate::cli::args::GetArgs;
use crate::cli::terminal::{self, Bar, print_json, print_path};

pub(crate) async fn run(args: GetArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let telling = Telling::of(args.who_saw_what, args.json);
    let command = ServerCommand::new(&args.route, telling, cancel);
    let work = async |client: &Client| fetch(&command, client, args).await;
    let fetched = command.run(work).await?;
    if let Some(disagreement) = &fetched.findings.disagreement {
        let warning = UserMessage::from(disagreement);
        terminal::note(&format!(
            "{} {} {}",
            warning.what, warning.why, warning.next
        ));
    }
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
    let printed = if telling.json {
        let object = json!({
            "path": fetched.path.to_string_lossy(),
            "size": fetched.content_len,
            "receipt": receipt,
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

async fn fetch(
    command: &ServerCommand,
    client: &Client,
    args: GetArgs,
) -> Result<Fetched, CliError> {
    let pointer = command.pointer(&args.pointer).await?;
    PointerUse::Get.check(&pointer)?;
    let to = SaveTo::from_choice(args.out);
    let target = to.prepare(&[]).map_err(AppError::NoPlace)?;
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
    if pointer.receipts.is_some() && !args.no_receipt {
        terminal::note("the sender is told when you have the file (not with --no-receipt)");
    }
    let request = GetRequest {
        pointer,
        target,
        tell_sender: !args.no_receipt,
    };
    let bar = Bar::new();
    let fetched = get::get(&call.with_progress(bar.sink()), request).await;
    drop(bar);
    Ok(fetched?)
}
