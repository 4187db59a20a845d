//! `cloak delete`, `cloak extend`, `cloak status`: what the person who shared a file does with it afterwards.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{network_of, open_session};
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::app::manage::{self, Deletion, Downloads, Managed};
use crate::app::network::Network;
use crate::app::session::Session;
use crate::cli::CliError;
use crate::cli::args::{Extend, Manage};
use crate::cli::terminal::{date, note, pointer_text, print_json, print_line, say};
use crate::protocol::pointer::Pointer;

pub(crate) async fn delete(args: &Manage, cancel: &CancellationToken) -> Result<(), CliError> {
    let asked = Asked::read(args, cancel).await?;
    let network = asked.network(args, cancel).await?;
    let deleted = manage::delete(&asked.session, &network, &asked.pointer, cancel).await;
    let deletion = asked.finish(network, deleted).await?;
    say(deletion.words());
    if args.json {
        let now = deletion == Deletion::Deleted;
        print_json(&json!({ "deleted": now, "gone": true }))?;
    }
    Ok(())
}

pub(crate) async fn extend(args: &Extend, cancel: &CancellationToken) -> Result<(), CliError> {
    let asked = Asked::read(&args.manage, cancel).await?;
    let network = asked.network(&args.manage, cancel).await?;
    let extended = manage::extend(&asked.session, &network, &asked.pointer, args.ttl, cancel).await;
    let extended = asked.finish(network, extended).await?;
    if !extended.later {
        note("it was kept that long already");
    }
    if args.manage.json {
        print_json(&json!({ "expires": extended.expires, "later": extended.later }))?;
    } else {
        print_line(&date(extended.expires))?;
    }
    Ok(())
}

pub(crate) async fn status(args: &Manage, cancel: &CancellationToken) -> Result<(), CliError> {
    let asked = Asked::read(args, cancel).await?;
    let network = asked.network(args, cancel).await?;
    let status = manage::status(&asked.session, &network, &asked.pointer, cancel).await;
    let status = asked.finish(network, status).await?;
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
        print_json(&json!({
            "stored_as": status.blob_len,
            "uploaded": status.uploaded,
            "expires": status.expires,
            "downloads": told,
            "max_downloads": allowed,
        }))?;
        return Ok(());
    }
    print_line(&format!("stored     {} bytes", status.blob_len))?;
    print_line(&format!(
        "uploaded   {}, to the hour",
        date(status.uploaded)
    ))?;
    print_line(&format!("expires    {}", date(status.expires)))?;
    print_line(&format!("downloads  {}", status.downloads.words()))?;
    Ok(())
}

/// What all three begin with.
struct Asked {
    pointer: Pointer,
    session: Session,
    config: Config,
}

impl Asked {
    async fn read(args: &Manage, cancel: &CancellationToken) -> Result<Self, CliError> {
        let text = pointer_text(&args.pointer, cancel).await?;
        let pointer = Pointer::find(&text).map_err(AppError::from)?;
        let (session, config) = open_session()?;
        Ok(Self {
            pointer,
            session,
            config,
        })
    }

    async fn network(
        &self,
        args: &Manage,
        cancel: &CancellationToken,
    ) -> Result<Network, CliError> {
        let way = &args.way;
        network_of(&self.session, &self.config, way, &self.pointer, cancel).await
    }

    async fn finish<T>(
        &self,
        network: Network,
        result: Result<Managed<T>, AppError>,
    ) -> Result<T, CliError> {
        drop(network);
        self.session.close().await;
        Ok(result?.outcome)
    }
}
