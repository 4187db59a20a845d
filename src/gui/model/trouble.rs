//! Why something did not work, kept as what it is: its words are found when they are shown, in the language of then.

use std::sync::Arc;

use crate::app::error::{AppError, ServerRefusal};
use crate::app::words::message::{Remedy, UserMessage};
use crate::protocol::exchange::Failure;

/// Why something did not work.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// A transfer ended by a defect of this program.
    Defect,
    /// An error of a use case.
    Error(Arc<AppError>),
    /// Words that were found elsewhere and stay as they are.
    Said(Box<UserMessage>),
}

impl Trouble {
    /// Whether the server does not work as it should, for anybody and any file.
    #[must_use]
    pub(crate) fn blames_server(&self) -> bool {
        matches!(self, Self::Error(error) if blames_server(error))
    }

    /// The one thing that a window offers for it.
    #[must_use]
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Defect => Remedy::default(),
            Self::Error(error) => Remedy::from(&**error),
            Self::Said(message) => message.remedy,
        }
    }

    /// Whether the same can work when it is tried again, as it is or after its remedy.
    #[must_use]
    pub(crate) fn can_work_later(&self) -> bool {
        let remedy = self.remedy();
        remedy == Remedy::Retry || remedy.then_retry()
    }
}

/// Whether an error says that the server does not work as it should, for anybody and any file.
const fn blames_server(error: &AppError) -> bool {
    match error {
        AppError::Server(why) => matches!(
            why,
            ServerRefusal::AsksDifferently
                | ServerRefusal::Full
                | ServerRefusal::Nonsense
                | ServerRefusal::Status(_)
                | ServerRefusal::StillThere
        ),
        AppError::Transfer(why) => matches!(
            why.exchange.failure,
            Failure::Malformed
                | Failure::ServerBusy(_)
                | Failure::ServerPlain(_)
                | Failure::ServerUnreachable
                | Failure::ServerWrongKey
        ),
        _ => false,
    }
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::Error(Arc::new(error))
    }
}

impl From<UserMessage> for Trouble {
    fn from(message: UserMessage) -> Self {
        Self::Said(Box::new(message))
    }
}
