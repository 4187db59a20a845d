//! Deletion, extension and status of a shared file, for the window's worker.

use super::App;
use crate::app::client::Destination;
use crate::app::error::AppError;
use crate::app::settings::Settings;
use crate::app::transfer::call::CallContext;
use crate::app::transfer::manage;
use crate::gui::model::{KeepFor, ManageAction, Managed, PointerText};
use crate::protocol::pointer::Pointer;

impl App {
    /// Asks the server of a shared file to do something with it.
    pub(crate) async fn manage_now(
        &self,
        what: ManageAction,
        pointer: PointerText,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<Managed, AppError> {
        let pointer = Pointer::find(pointer.as_str())?;
        let client = self.client(settings);
        let call = client
            .call(Destination::SourceOf(&pointer), context)
            .await?;
        Ok(match what {
            ManageAction::Delete => {
                manage::delete(&call, &pointer).await?;
                Managed::Deleted
            }
            ManageAction::Extend | ManageAction::ExtendFor(_) => {
                let keep = match what {
                    ManageAction::ExtendFor(days) => KeepFor::Days(days),
                    _ => KeepFor::Usual,
                };
                let done = manage::extend(&call, &pointer, keep.secs()).await?;
                Managed::Extended {
                    expires: done.expires,
                    later: done.later,
                    by_server_clock: done.by_server_clock,
                }
            }
            ManageAction::Status => {
                let status = manage::status(&call, &pointer).await?;
                Managed::Status(status.downloads)
            }
        })
    }
}
