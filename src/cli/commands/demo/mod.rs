//! `cloak demo`: the whole main job on this computer, for real: a file server, relays, a share, a get.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::app::error::{AppError, LocalFileError};
use crate::app::received::save::SaveTo;
use crate::app::settings::{Home, Settings};
use crate::app::transfer::call::{Call, CallContext};
use crate::app::transfer::get::{self, Choice, Fetched, GetRequest};
use crate::app::transfer::program::Program;
use crate::app::transfer::share::{self, ShareRequest, Shared};
use crate::app::words::units::grouped;
use crate::app::words::who_saw_what;
use crate::app::words::who_saw_what::{Asked, WhoSawWhat};
use crate::cli::CliError;
use crate::cli::args::{Demo, KillTarget};
use crate::cli::terminal::{self, Bar, print_line, seconds};
use crate::protocol::pointer::Pointer;

mod network;

use network::{DemoNetwork, Killed};

pub(crate) async fn run(args: Demo, cancel: &CancellationToken) -> Result<(), CliError> {
    let folder =
        tempfile::tempdir().map_err(|error| AppError::Local(LocalFileError::Read(error.into())))?;
    let program = Program::new(Home::in_folder(folder.path()), Settings::default());
    let demo_network = match args.kill_relay {
        Some(_) => Some(DemoNetwork::start(folder.path()).await?),
        None => None,
    };
    let routed = match &demo_network {
        Some(demo_network) => demo_network.routed(folder.path()),
        None => program.builtin_server().await?,
    };
    program.hold_builtin(&routed);

    let bar = Bar::new();
    let (progress, killed) = match (&demo_network, args.kill_relay) {
        (Some(demo_network), Some(target)) => {
            let (progress, killed) = demo_network.kill(target);
            (progress, Some((target, killed)))
        }
        _ => (bar.sink(), None),
    };
    let request = ShareRequest::new(vec![args.file.clone()]);
    let up = Call::new(
        &program,
        routed.clone(),
        &CallContext::new(cancel).with_progress(progress),
    );
    let shared = share::share(&up, request).await?;
    drop(bar);
    let shown_up = up.log().shown();
    drop(up);
    let text = shared.pointer.to_text();

    let down = Call::new(&program, routed, &CallContext::new(cancel));
    let fetched = fetch(&down, text.as_str(), folder.path()).await?;
    let shown_down = down.log().shown();
    drop(down);
    program.close().await;
    if let Some(demo_network) = demo_network {
        demo_network.stop().await;
    }

    let same = same_bytes(&args.file, &fetched.path)
        .map_err(|error| AppError::Local(LocalFileError::Read(error.into())))?;
    let killed = killed.map(|(target, killed)| {
        let killed = *killed.lock();
        (target, killed)
    });
    print_line(text.as_str())?;
    print_line("")?;
    print_transfer(&shared, &fetched, killed, &shown_up)?;
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

/// Prints how large the file was, which way it went, and how long it took. `killed` is the relay that was to die, and when it
/// did.
fn print_transfer(
    shared: &Shared,
    fetched: &Fetched,
    killed: Option<(KillTarget, Option<Killed>)>,
    shown_up: &WhoSawWhat,
) -> Result<(), CliError> {
    let parts = match shared.parts {
        1 => String::new(),
        parts => format!("{} parts of ", grouped(parts.into())),
    };
    print_line(&format!(
        "size      {} bytes, sent as {parts}{} (class {})",
        grouped(shared.pointer.content_len),
        grouped(shared.class.blob_len() as u64),
        shared.class.index()
    ))?;
    match killed {
        Some((target, killed)) => tell_tries(target, killed, shown_up)?,
        None => {
            if let Some(path) = who_saw_what::path_line(shown_up.requests()) {
                print_line(&format!("path      {path}"))?;
            }
        }
    }
    print_line(&format!(
        "shared in {}, fetched in {}",
        seconds(shared.took),
        seconds(fetched.took)
    ))?;
    Ok(())
}

/// Fetches what a pointer's text names: only that is used, as a recipient would.
async fn fetch(call: &Call, text: &str, folder: &Path) -> Result<Fetched, CliError> {
    let pointer = Pointer::find(text).map_err(AppError::from)?;
    let received = folder.join("received");
    std::fs::create_dir(&received)
        .map_err(|error| AppError::Local(LocalFileError::Read(error.into())))?;
    let request = GetRequest {
        pointer,
        target: SaveTo::Folder(received)
            .prepare(&[])
            .map_err(AppError::NoPlace)?,
        tell_sender: false,
        choice: Choice::All,
    };
    Ok(get::get(call, request).await?)
}

/// Which path each try of the upload took, and what became of it.
fn tell_tries(
    target: KillTarget,
    killed: Option<Killed>,
    shown: &WhoSawWhat,
) -> Result<(), CliError> {
    let Some(killed) = killed else {
        return Err(CliError::Other(
            "the relay outlived the transfer: nothing was shown".to_owned(),
        ));
    };
    let word = network::word(target);
    let moment = match killed {
        Killed::Crossing => "when all of the request was on its way".to_owned(),
        Killed::Sending { sent, total } => {
            let (sent, total) = (grouped(sent), grouped(total));
            format!("when {sent} of {total} bytes were on their way to the first relay")
        }
    };
    print_line(&format!("killed    the {word} of the first try, {moment}"))?;
    let upload = shown
        .requests()
        .iter()
        .rfind(|request| request.asked == Asked::Upload);
    let Some(upload) = upload else {
        return Ok(());
    };
    for (attempt, number) in upload.attempts.iter().zip(1..) {
        let line = who_saw_what::attempt_line(attempt);
        print_line(&format!("try {number}     {line}"))?;
    }
    Ok(())
}

fn same_bytes(one: &Path, other: &Path) -> std::io::Result<bool> {
    if !one.is_dir() {
        return same_file(one, other);
    }
    let names = |folder: &Path| -> std::io::Result<Vec<_>> {
        let mut names: Vec<_> = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<std::io::Result<_>>()?;
        names.sort();
        Ok(names)
    };
    let both = names(one)?;
    if !other.is_dir() || both != names(other)? {
        return Ok(false);
    }
    for name in both {
        if !same_bytes(&one.join(&name), &other.join(&name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares two files a piece at a time: they may be larger than memory.
fn same_file(one: &Path, other: &Path) -> std::io::Result<bool> {
    const PIECE: usize = 1 << 20;
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut first, mut second) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let (read, compared) = (fill(&mut one, &mut first)?, fill(&mut other, &mut second)?);
        if first.get(..read) != second.get(..compared) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// Reads until `piece` is full or the file ends.
fn fill(file: &mut File, piece: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = piece.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}
