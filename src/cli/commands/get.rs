//! `cloak get`.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Telling, network_of, open_session};
use crate::app::error::AppError;
use crate::app::received::save::SaveTo;
use crate::app::relays::{self, RelaySource, Relays};
use crate::app::transfer::get::{self, Fetched, GetRequest, Receipt};
use crate::app::words::message::UserMessage;
use crate::app::words::who_saw_what::RequestShown;
use crate::cli::CliError;
use crate::cli::args::GetArgs;
use crate::cli::terminal::{self, Bar, pointer_text, print_json, print_path};
use crate::protocol::pointer::Pointer;

pub(crate) async fn run(args: GetArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let telling = Telling::of(args.who_saw_what, args.json);
    let mut shown = Vec::new();
    let fetched = fetch(args, &mut shown, cancel).await;
    let fetched = telling.end(fetched, &shown)?;
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
        print_json(&telling.with(object, &shown))
    } else {
        print_path(&fetched.path)
    };
    if printed.is_err() {
        terminal::note(&format!("the file is saved: {}", fetched.path.display()));
    }
    Ok(printed?)
}

async fn fetch(
    args: GetArgs,
    shown: &mut Vec<RequestShown>,
    cancel: &CancellationToken,
) -> Result<Fetched, CliError> {
    let text = pointer_text(&args.pointer, cancel).await?;
    let pointer = Pointer::find(&text).map_err(AppError::from)?;
    get::check_supported(&pointer)?;
    let to = SaveTo::from_choice(args.out);
    let target = to.prepare().map_err(AppError::NoPlace)?;

    let (session, config) = open_session()?;
    let network = match network_of(&session, &config, &args.way, &pointer, shown, cancel).await {
        Err(CliError::App(AppError::RelaysOffered(offer))) if args.accept_relay_list => {
            for line in relays::shows(&RelaySource::Url(offer.list.clone())) {
                terminal::note(&line);
            }
            Relays::of(session.home())
                .accept(&session, &offer, shown, cancel)
                .await?;
            network_of(&session, &config, &args.way, &pointer, shown, cancel).await?
        }
        network => network?,
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
    let fetched = get::get(&session, &network, request, &bar.tell(), shown, cancel).await;
    drop(bar);
    drop(network);
    session.close().await;
    Ok(fetched?)
}
