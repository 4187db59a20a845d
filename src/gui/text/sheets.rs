//! The words of what stands over the window: shortcuts, and what came of a try.

use super::texts;
use crate::app::words::who_saw_what::outcome;
use crate::protocol::disclosure::ShownOutcome;

/// What came of a try, and where what is shown of it is from.
#[must_use]
pub fn shown_outcome(came: &ShownOutcome) -> String {
    texts::shown_outcome(&outcome(came), texts::shown_about())
}

/// Keys on a transfer, and what they do; the first of each pair is written as the system writes keys.
#[must_use]
pub fn row_keys() -> [(&'static [&'static str], &'static str); 5] {
    [
        (&["↑", "↓"], texts::row_key_arrows()),
        (&["Enter"], texts::row_key_enter()),
        (&["Delete"], texts::row_key_delete()),
        (&["Menu", "Shift+F10"], texts::row_key_menu()),
        (&["Tab"], texts::row_key_tab()),
    ]
}
