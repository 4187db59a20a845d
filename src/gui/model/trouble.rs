//! Why something did not work, kept as what it is: its words are found when they are shown, in the language of then.

use std::fmt;
use std::sync::Arc;

use crate::app::error::{AppError, ServerRefusal};
use crate::app::words::message::{Remedy, UserMessage};
use crate::protocol::transfer::Failure;

/// Why something did not work.
#[derive(Clone)]
pub enum Trouble {
    /// An error of a use case.
    Error(Arc<AppError>),
    /// Something the window says by itself.
    Own(fn() -> UserMessage),
    /// Words that were found elsewhere and stay as they are.
    Said(Box<UserMessage>),
}

impl Trouble {
    /// The words, in the language that is spoken now.
    #[must_use]
    pub fn words(&self) -> UserMessage {
        match self {
            Self::Error(error) => UserMessage::from(&**error),
            Self::Own(say) => say(),
            Self::Said(message) => (**message).clone(),
        }
    }

    /// Whether the server does not work as it should, for anybody and any file.
    #[must_use]
    pub fn blames_server(&self) -> bool {
        matches!(self, Self::Error(error) if blames_server(error))
    }

    /// The one thing that a window offers for it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Error(error) => Remedy::from(&**error),
            Self::Own(say) => say().remedy,
            Self::Said(message) => message.remedy,
        }
    }

    /// Whether the same can work when it is tried again, as it is or after its remedy.
    #[must_use]
    pub fn can_work_later(&self) -> bool {
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
            why.failure,
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

impl PartialEq for Trouble {
    /// What is said in the same words is the same.
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for Trouble {}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::l10n::{Language, speak_here};
    use crate::gui::text;

    #[test]
    fn its_words_are_those_of_the_language_that_is_spoken_when_it_is_shown() {
        for trouble in [
            Trouble::from(AppError::Server(ServerRefusal::Full)),
            Trouble::Own(text::defect),
        ] {
            speak_here(Language::English);
            let english = trouble.words();
            speak_here(Language::German);
            let german = trouble.words();
            speak_here(Language::English);
            assert_ne!(english.what, german.what);
            assert_eq!(trouble.words(), english);
            assert_eq!(trouble.remedy(), english.remedy);
        }
    }
}
