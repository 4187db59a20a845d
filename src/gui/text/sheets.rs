//! The words of sheets: keyboard shortcuts, and the outcome of a try.

use super::texts;
use crate::app::words::who_saw_what::outcome;
use crate::protocol::disclosure::ShownOutcome;

/// The outcome of a try, and where the facts shown about it come from.
#[must_use]
pub(crate) fn shown_outcome(came: &ShownOutcome) -> String {
    texts::shown_outcome(&outcome(came), texts::shown_about())
}

/// Keys on a transfer, and what they do; the first of each pair is written as the system writes keys.
#[must_use]
pub(crate) fn row_keys() -> [(&'static [&'static str], &'static str); 5] {
    [
        (&["↑", "↓"], texts::row_key_arrows()),
        (&["Enter"], texts::row_key_enter()),
        (&["Delete"], texts::row_key_delete()),
        (&["Menu", "Shift+F10"], texts::row_key_menu()),
        (&["Tab"], texts::row_key_tab()),
    ]
}
