//! The words of what is large or goes in parts, and of what came of a folder besides.

use super::{server_label, shown_name, size, size_so_far, texts};
use crate::app::words::message::UserMessage;
use crate::app::words::texts::list_comma;
use crate::gui::model::{Aside, ShownName, Transfer, TransferJob, TransferState};

/// Asks whether something large is to be sent or fetched.
#[must_use]
pub(crate) fn large(transfer: &Transfer) -> UserMessage {
    let (len, server) = (
        size(transfer.len.unwrap_or_default()),
        server_label(&transfer.server),
    );
    match transfer.job {
        TransferJob::Share(_) => texts::large_share(&len, server),
        TransferJob::Receive { .. } => texts::large_download(&len, server),
    }
}

/// Where a transfer stands that has stopped and can go on.
#[must_use]
pub(crate) fn stands_at(transfer: &Transfer) -> String {
    let paused = matches!(transfer.state, TransferState::Paused);
    match transfer.moved {
        Some(moved) if transfer.kept.is_some() => {
            let (done, total) = (size_so_far(moved.done), size(moved.total));
            if paused {
                texts::paused_at(&done, &total)
            } else {
                texts::interrupted_at(&done, &total)
            }
        }
        _ if paused => texts::paused().to_owned(),
        _ => texts::interrupted().to_owned(),
    }
}

/// How many names are told of many.
const TOLD: usize = 3;

/// What was not done quite as asked.
#[must_use]
pub(crate) fn aside(aside: &Aside) -> UserMessage {
    let told = |names: Vec<String>, count: u64| {
        let all = names.len() as u64 == count && names.len() <= TOLD;
        let names = names.into_iter().take(TOLD).collect::<Vec<_>>();
        let names = names.join(list_comma());
        if all { names } else { texts::and_more(&names) }
    };
    match aside {
        Aside::LeftOut { count, first } => {
            texts::things_left_out(*count, &told(first.clone(), *count))
        }
        Aside::Renamed { count, first } => {
            let names = first.iter().map(|(was, is)| texts::now_named(was, is));
            texts::names_changed(*count, &told(names.collect(), *count))
        }
    }
}

/// Announces that a large transfer waits for the person's word.
pub(super) fn asks_large(name: &ShownName, len: u64) -> String {
    texts::has_failed(shown_name(name), &texts::large_share(&size(len), "").what)
}
