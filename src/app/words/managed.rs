//! The words for outcomes of managing a shared file.

use super::texts;
use crate::app::transfer::manage::{Deletion, Downloads};

/// Says what a deletion did, and which copies it does not reach.
#[must_use]
pub(crate) fn deletion(deletion: Deletion) -> String {
    let done = match deletion {
        Deletion::Deleted => texts::managed_deleted().to_owned(),
        Deletion::DeletedBut { parts_left } => texts::managed_deleted_but(parts_left),
        Deletion::GoneAlready => texts::managed_gone_already().to_owned(),
    };
    texts::two_sentences(&done, texts::copies_stay())
}

/// How many downloads the server was told of.
#[must_use]
pub fn downloads(downloads: Downloads) -> String {
    match downloads {
        Downloads::Counted {
            told,
            allowed: None,
            ..
        } => texts::downloads_told(told),
        Downloads::Counted {
            told,
            allowed: Some(allowed),
            ..
        } => {
            let told_of = texts::downloads_of(told, allowed);
            if told < allowed {
                told_of
            } else {
                texts::two_sentences(&told_of, texts::managed_deleted())
            }
        }
        Downloads::NotCounted => texts::downloads_not_counted().to_owned(),
    }
}
