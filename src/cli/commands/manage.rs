//! `cloak delete`, `cloak extend`, `cloak status`: what the person who shared a file does with it afterwards.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{CLOCKS_DIFFER, ServerCommand, Telling};
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::transfer::call::Call;
use crate::app::transfer::manage::{self, Deletion, Downloads};
use crate::app::words::managed;
use crate::app::words::units::grouped;
use crate::cli::CliError;
use crate::cli::args::{Extend, ManageArgs};
use crate::cli::terminal::{date, note, print_json, print_line, say};
use crate::protocol::pointer::Pointer;

pub(crate) async fn delete(args: &ManageArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let command = command(args, cancel);
    let deletion = ask(&command, args, manage::delete).await?;
    say(&managed::deletion(deletion));
    if args.json {
        let now = deletion != Deletion::GoneAlready;
        let object = json!({ "deleted": now, "gone": true });
        print_json(&command.object(object))?;
    }
    Ok(())
}

pub(crate) async fn extend(args: &Extend, cancel: &CancellationToken) -> Result<(), CliError> {
    let command = command(&args.manage, cancel);
    let extend =
        async |call: &Call, pointer: &Pointer| manage::extend(call, pointer, args.ttl).await;
    let extended = ask(&command, &args.manage, extend).await?;
    if !extended.later {
        note("it was kept that long already");
    }
    if extended.by_server_clock {
        note(CLOCKS_DIFFER);
    }
    if args.manage.json {
        let object = json!({
            "expires": extended.expires,
            "later": extended.later,
            "by_server_clock": extended.by_server_clock,
        });
        print_json(&command.object(object))?;
    } else {
        print_line(&date(extended.expires))?;
    }
    Ok(())
}

pub(crate) async fn status(args: &ManageArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let command = command(args, cancel);
    let status = ask(&command, args, manage::status).await?;
    if let Downloads::Counted { invented, .. } = status.downloads
        && invented > 0
    {
        note(
            "the server also showed receipts that nobody with the pointer made; they are not counted",
        );
    }
    if args.json {
        let (told, allowed) = match status.downloads {
            Downloads::Counted { told, allowed, .. } => (Some(told), allowed),
            Downloads::NotCounted => (None, None),
        };
        let object = json!({
            "stored_as": status.blob_len,
            "uploaded": status.uploaded,
            "expires": status.expires,
            "downloads": told,
            "max_downloads": allowed,
        });
        print_json(&command.object(object))?;
        return Ok(());
    }
    let of_what = if status.is_list {
        ", the list of its parts"
    } else {
        ""
    };
    print_line(&format!(
        "stored     {} bytes{of_what}",
        grouped(status.blob_len)
    ))?;
    print_line(&format!(
        "uploaded   {}, to the hour",
        date(status.uploaded)
    ))?;
    print_line(&format!("expires    {}", date(status.expires)))?;
    print_line(&format!(
        "downloads  {}",
        managed::downloads(status.downloads)
    ))?;
    Ok(())
}

fn command(args: &ManageArgs, cancel: &CancellationToken) -> ServerCommand {
    let telling = Telling::of(args.who_saw_what, args.json);
    ServerCommand::new(&args.route, telling, cancel)
}

/// Asks the server of the pointer.
async fn ask<T>(
    command: &ServerCommand,
    args: &ManageArgs,
    question: impl AsyncFnOnce(&Call, &Pointer) -> Result<T, AppError>,
) -> Result<T, CliError> {
    let work = async |client: &Client| {
        let pointer = command.pointer(client, &args.pointer).await?;
        let source = Destination::SourceOf(&pointer);
        let call = command.call(client, source).await?;
        Ok(question(&call, &pointer).await?)
    };
    command.run(work).await
}
