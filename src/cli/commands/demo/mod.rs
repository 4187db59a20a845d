//! `cloak demo`: the whole main job on this computer, for real: a file server, relays, a share, a get.

use std::sync::PoisonError;

use tokio_util::sync::CancellationToken;

use crate::app::error::{AppError, LocalFileError};
use crate::app::received::save::SaveTo;
use crate::app::settings::config::Home;
use crate::app::transfer::get;
use crate::app::transfer::get::GetRequest;
use crate::app::transfer::network::Tell;
use crate::app::transfer::session::Session;
use crate::app::transfer::share::{self, ShareRequest};
use crate::app::words::who_saw_what;
use crate::app::words::who_saw_what::{Asked, RequestShown};
use crate::cli::CliError;
use crate::cli::args::{Demo, KillTarget};
use crate::cli::terminal::{self, Bar, print_line, seconds};
use crate::protocol::pointer::Pointer;

mod several;

use several::{Killed, Several};

pub(crate) async fn run(args: Demo, cancel: &CancellationToken) -> Result<(), CliError> {
    let folder =
        tempfile::tempdir().map_err(|error| AppError::Local(LocalFileError::Read(error.into())))?;
    let session = Session::new(Home::in_folder(folder.path()));
    let several = match args.kill_relay {
        Some(_) => Some(Several::start(folder.path()).await?),
        None => None,
    };
    let network = match &several {
        Some(several) => several.network(folder.path()),
        None => session.builtin_network().await?,
    };
    session.hold_builtin(&network);

    let bar = Bar::new();
    let (tell, killed) = match (&several, args.kill_relay) {
        (Some(several), Some(target)) => {
            let (tell, killed) = several.kill(target);
            (tell, Some((target, killed)))
        }
        _ => (bar.tell(), None),
    };
    let request = ShareRequest::new(args.file.clone());
    let mut shown_up = Vec::new();
    let shared = share::share(&session, &network, request, &tell, &mut shown_up, cancel).await?;
    drop(bar);
    let text = shared.pointer.to_text();

    // From here on only the text is used, as a recipient would.
    let pointer = Pointer::find(text.as_str()).map_err(AppError::from)?;
    let received = folder.path().join("received");
    std::fs::create_dir(&received)
        .map_err(|error| AppError::Local(LocalFileError::Read(error.into())))?;
    let mut shown_down = Vec::new();
    let fetched = get::get(
        &session,
        &network,
        GetRequest {
            pointer,
            target: SaveTo::Folder(received)
                .prepare()
                .map_err(AppError::NoPlace)?,
            tell_sender: false,
        },
        &Tell::nobody(),
        &mut shown_down,
        cancel,
    )
    .await?;
    drop(network);
    session.close().await;
    if let Some(several) = several {
        several.stop().await;
    }

    let same = same_bytes(&args.file, &fetched.path)
        .map_err(|error| AppError::Local(LocalFileError::Read(error.into())))?;
    print_line(text.as_str())?;
    print_line("")?;
    print_line(&format!(
        "size      {} bytes, sent as {} (class {})",
        shared.pointer.content_len,
        shared.class.blob_len(),
        shared.class.index()
    ))?;
    match killed {
        Some((target, killed)) => {
            let killed = *killed.lock().unwrap_or_else(PoisonError::into_inner);
            tell_tries(target, killed, &shown_up)?;
        }
        None => {
            if let Some(path) = who_saw_what::path_line(&shown_up) {
                print_line(&format!("path      {path}"))?;
            }
        }
    }
    print_line(&format!(
        "shared in {}, fetched in {}",
        seconds(shared.took),
        seconds(fetched.took)
    ))?;
    print_line("")?;
    print_line("who saw what")?;
    for line in who_saw_what::lines(&shown_up)
        .iter()
        .chain(&who_saw_what::lines(&shown_down))
    {
        print_line(line)?;
    }
    print_line("")?;
    if !same {
        return Err(CliError::Other(
            "the file that came back differs from the one that was shared".to_owned(),
        ));
    }
    print_line("the file came back, and its bytes are the same")?;
    terminal::note(
        "this was a demonstration on one computer: the network and its copy of the file are gone again",
    );
    Ok(())
}

/// Which path each try of the upload took, and what became of it.
fn tell_tries(
    target: KillTarget,
    killed: Option<Killed>,
    shown: &[RequestShown],
) -> Result<(), CliError> {
    let Some(killed) = killed else {
        return Err(CliError::Other(
            "the relay outlived the transfer: nothing was shown".to_owned(),
        ));
    };
    let word = several::word(target);
    let moment = match killed {
        Killed::Crossing => "when all of the request was on its way".to_owned(),
        Killed::Sending { sent, total } => {
            format!("when {sent} of {total} bytes were on their way to the guard")
        }
    };
    print_line(&format!("killed    the {word} of the first try, {moment}"))?;
    let upload = shown.iter().rfind(|request| request.asked == Asked::Upload);
    let Some(upload) = upload else {
        return Ok(());
    };
    for (attempt, number) in upload.attempts.iter().zip(1..) {
        let line = who_saw_what::attempt_line(attempt);
        print_line(&format!("try {number}     {line}"))?;
    }
    Ok(())
}

fn same_bytes(one: &std::path::Path, other: &std::path::Path) -> std::io::Result<bool> {
    Ok(std::fs::read(one)? == std::fs::read(other)?)
}
