//! Transfers in parts, for the window's worker: finding what is kept of them, going on with it, giving it up.

use super::App;
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::kept::unfinished::{UnfinishedId, UnfinishedTransfers};
use crate::app::settings::Settings;
use crate::app::transfer::call::CallContext;
use crate::app::transfer::parts::resume::{self, OpenTransfer, Resumed, UnfinishedError};
use crate::app::transfer::stage::PartsMoved;
use crate::app::words::harmless::{harmless, shown_name};
use crate::gui::model::{
    AboutLeft, LeftJob, LeftTransfer, PointerText, ServerLabel, ShownName, Trouble, joined_name,
};

impl App {
    /// What is kept of a transfer in parts under this id.
    ///
    /// # Errors
    /// [`AppError::Unfinished`] where it cannot go on.
    pub(super) async fn open_kept(&self, id: &UnfinishedId) -> Result<OpenTransfer, AppError> {
        let (program, id) = (self.program().clone(), id.clone());
        off_the_runtime(move || Ok(OpenTransfer::open(&program, &id)?)).await
    }

    /// Gives up what is kept of a transfer. Where the server cannot be reached, what it has of a share is gone when it
    /// expires. Returns whether that is so of any.
    pub(super) async fn discard_now(
        &self,
        id: UnfinishedId,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<bool, AppError> {
        let (program, opened) = (self.program().clone(), id.clone());
        let open = move || Ok(OpenTransfer::open(&program, &opened));
        let transfer = match off_the_runtime(open).await? {
            Ok(transfer) => transfer,
            Err(UnfinishedError::Unknown) => return Ok(false),
            Err(UnfinishedError::UnderWay) => return Err(UnfinishedError::UnderWay.into()),
            // Nothing can be told of it, so nothing can be deleted at a server.
            Err(_) => {
                let program = self.program().clone();
                off_the_runtime(move || Ok(resume::forget_unread(&program, &id)?)).await?;
                return Ok(false);
            }
        };
        let Some(server) = transfer.share_server().cloned() else {
            off_the_runtime(move || Ok(transfer.forget()?)).await?;
            return Ok(false);
        };
        let client = self.client(settings);
        match client.call(Destination::Server(&server), context).await {
            Ok(call) => Ok(transfer.discard_share(&call).await?.left > 0),
            Err(_no_route) => {
                let left = transfer.about().done > 0;
                off_the_runtime(move || Ok(transfer.forget()?)).await?;
                Ok(left)
            }
        }
    }

    /// The transfers in parts that nobody goes on with. Blocking.
    pub(super) fn left_now(&self) -> Vec<LeftTransfer> {
        let program = self.program();
        let ids = UnfinishedTransfers::of(program.home()).ids();
        let left = ids.unwrap_or_default().into_iter().filter_map(|id| {
            let about = match OpenTransfer::open(program, &id) {
                Ok(transfer) => Ok(self.about_left(&transfer)),
                // Another window or command goes on with it, or it has just ended.
                Err(UnfinishedError::UnderWay | UnfinishedError::Unknown) => return None,
                Err(error) => Err(Trouble::from(AppError::from(error))),
            };
            Some(LeftTransfer { id, about })
        });
        left.collect()
    }

    fn about_left(&self, transfer: &OpenTransfer) -> AboutLeft {
        let about = transfer.about();
        let job = match transfer.pointer() {
            Some(pointer) => {
                LeftJob::Receive(PointerText::new(pointer.to_text().as_str().to_owned()))
            }
            None => LeftJob::Share(transfer.share_paths()),
        };
        let name = match (&about.name, &job) {
            (Some(name), _) => ShownName::Given(harmless(name).into_owned()),
            (None, LeftJob::Share(paths)) => {
                let names: Vec<String> = paths.iter().map(|path| shown_name(path)).collect();
                ShownName::Given(joined_name(names.iter().map(String::as_str)))
            }
            (None, LeftJob::Receive(_)) => ShownName::Unnamed,
        };
        let server = if self.program().is_builtin(&about.server) {
            ServerLabel::BuiltIn
        } else {
            ServerLabel::Named(about.server.url.authority().to_owned())
        };
        AboutLeft {
            job,
            name,
            moved: PartsMoved {
                done: about.done,
                moving: 0,
                total: about.len,
            },
            server,
        }
    }
}

/// Goes on with a transfer, over a route to its server.
pub(super) async fn resume_kept(
    client: &Client,
    transfer: OpenTransfer,
    context: &CallContext,
) -> Result<Resumed, AppError> {
    let call = {
        let to = match (transfer.share_server(), transfer.pointer()) {
            (Some(server), _) => Destination::Server(server),
            (None, Some(pointer)) => Destination::SourceOf(pointer),
            (None, None) => Destination::Chosen,
        };
        client.call(to, context).await?
    };
    transfer.resume(&call).await
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(work).await;
    // A worker ends early only when the program does.
    done.unwrap_or(Err(AppError::Cancelled))
}
