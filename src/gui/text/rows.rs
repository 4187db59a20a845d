//! The words of the list of transfers: headings, and announcements as transfers begin and progress.

use super::texts;
use crate::app::words::units::percent_done;
use crate::gui::model::Filter;

/// Above the rows of one kind.
#[must_use]
pub(crate) fn rows_heading(kind: Filter) -> &'static str {
    match kind {
        Filter::All => texts::transfers(),
        Filter::Received => texts::rows_received(),
        Filter::Shared => texts::rows_shared(),
    }
}

/// Announcement of shares that begin.
#[must_use]
pub(crate) fn starts_sharing(names: &[&str]) -> String {
    match names {
        [name] => texts::starts_sharing_one(name),
        more => texts::starts_sharing_many(more.len()),
    }
}

/// Announcement that a quarter (1 to 3) of a file's bytes has moved.
#[must_use]
pub(crate) fn is_so_far(name: &str, quarter: u8) -> String {
    texts::is_so_far(name, &percent_done(f32::from(quarter) / 4.0))
}
