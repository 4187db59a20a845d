//! `cloak delete`, `cloak extend`, `cloak status`: what the person who shared a file does with it afterwards.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{CLOCKS_DIFFER, Telling, network_of, open_session};
use crate::app::error::AppError;
use crate::app::settings::config::Config;
use crate::app::transfer::manage::{self, Deletion, Downloads};
use crate::app::transfer::network::Network;
use crate::app::transfer::session::Session;
use crate::app::words::who_saw_what::RequestShown;
use crate::cli::CliError;
use crate::cli::args::{Extend, ManageArgs};
use crate::cli::terminal::{date, note, pointer_text, print_json, print_line, say};
use crate::protocol::pointer::Pointer;

pub(crate) async fn delete(args: &ManageArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let mut asked = ManageContext::read(args, cancel).await?;
    let deleted = async {
        let network = asked.network(args, cancel).await?;
        let (session, shown) = (&asked.session, &mut asked.shown);
        Ok(manage::delete(session, &network, &asked.pointer, shown, cancel).await?)
    };
    let deletion = deleted.await;
    let deletion = asked.finish(deletion).await?;
    say(deletion.words());
    if args.json {
        let now = deletion == Deletion::Deleted;
        let object = json!({ "deleted": now, "gone": true });
        print_json(&asked.telling.with(object, &asked.shown))?;
    }
    Ok(())
}

pub(crate) async fn extend(args: &Extend, cancel: &CancellationToken) -> Result<(), CliError> {
    let mut asked = ManageContext::read(&args.manage, cancel).await?;
    let extended = async {
        let network = asked.network(&args.manage, cancel).await?;
        let (session, shown) = (&asked.session, &mut asked.shown);
        let pointer = &asked.pointer;
        Ok(manage::extend(session, &network, pointer, args.ttl, shown, cancel).await?)
    };
    let extended = extended.await;
    let extended = asked.finish(extended).await?;
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
        print_json(&asked.telling.with(object, &asked.shown))?;
    } else {
        print_line(&date(extended.expires))?;
    }
    Ok(())
}

pub(crate) async fn status(args: &ManageArgs, cancel: &CancellationToken) -> Result<(), CliError> {
    let mut asked = ManageContext::read(args, cancel).await?;
    let status = async {
        let network = asked.network(args, cancel).await?;
        let (session, shown) = (&asked.session, &mut asked.shown);
        Ok(manage::status(session, &network, &asked.pointer, shown, cancel).await?)
    };
    let status = status.await;
    let status = asked.finish(status).await?;
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
        print_json(&asked.telling.with(object, &asked.shown))?;
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
struct ManageContext {
    pointer: Pointer,
    session: Session,
    config: Config,
    shown: Vec<RequestShown>,
    telling: Telling,
}

impl ManageContext {
    async fn read(args: &ManageArgs, cancel: &CancellationToken) -> Result<Self, CliError> {
        let text = pointer_text(&args.pointer, cancel).await?;
        let pointer = Pointer::find(&text).map_err(AppError::from)?;
        let (session, config) = open_session()?;
        Ok(Self {
            pointer,
            session,
            config,
            shown: Vec::new(),
            telling: Telling::of(args.who_saw_what, args.json),
        })
    }

    async fn network(
        &mut self,
        args: &ManageArgs,
        cancel: &CancellationToken,
    ) -> Result<Network, CliError> {
        let way = &args.way;
        let shown = &mut self.shown;
        network_of(
            &self.session,
            &self.config,
            way,
            &self.pointer,
            shown,
            cancel,
        )
        .await
    }

    async fn finish<T>(&self, result: Result<T, CliError>) -> Result<T, CliError> {
        self.session.close().await;
        self.telling.end(result, &self.shown)
    }
}
