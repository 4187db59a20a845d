//! `cloak info`: what a pointer says, and what is remembered of its server. Asks nobody.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app::error::AppError;
use crate::app::settings::{Home, Settings};
use crate::app::transfer::program::Program;
use crate::app::words::units::grouped;
use crate::cli::CliError;
use crate::cli::args::Info;
use crate::cli::terminal::{date, pointer_text, print_json, print_line};
use crate::protocol::capability::work::WorkAsked;
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::ContentKind;
use crate::protocol::size_class::SizeClass;

pub(crate) async fn run(args: &Info, cancel: &CancellationToken) -> Result<(), CliError> {
    let text = pointer_text(&args.pointer, cancel).await?;
    let pointer = Pointer::find(&text).map_err(AppError::from)?;
    let kind = match pointer.kind {
        ContentKind::File => "file",
        ContentKind::Folder => "folder",
        ContentKind::PartList | ContentKind::Part => "in parts",
    };
    let sent_as = SizeClass::for_content_len(pointer.content_len).map(SizeClass::blob_len);
    let work_bits = work_bits(&pointer);
    if args.json {
        let object = json!({
            "kind": kind,
            "name": pointer.name,
            "size": pointer.content_len,
            "sent_as": sent_as,
            "server": pointer.server.to_string(),
            "server_work_bits": work_bits,
            "id": pointer.id.as_str(),
            "sha256": pointer.digest.to_hex(),
            "expires": pointer.expires,
            "words": pointer.key.needs_words(),
            "receipts": pointer.receipts.is_some(),
            "max_downloads": pointer.receipts.filter(|max| *max > 0),
        });
        print_json(&object)?;
        return Ok(());
    }
    // A name in a pointer is the sender's claim, and may try to fool a terminal.
    let name = pointer.name.as_deref().map_or_else(
        || "not in the pointer".to_owned(),
        |name| crate::app::received::file_name::SafeFileName::sanitize(name).for_display(),
    );
    print_line(&format!("kind     {kind}"))?;
    print_line(&format!("name     {name}"))?;
    print_line(&format!(
        "size     {} bytes{}",
        grouped(pointer.content_len),
        sent_as.map_or_else(String::new, |len| format!(
            ", sent as {}",
            grouped(len as u64)
        ))
    ))?;
    print_line(&format!("server   {}", pointer.server))?;
    if let Some(bits) = work_bits {
        print_line(&format!("work     {bits} bits for an upload there"))?;
    }
    print_line(&format!("id       {}", pointer.id.as_str()))?;
    print_line(&format!("sha256   {}", pointer.digest.to_hex()))?;
    print_line(&format!(
        "expires  {}",
        pointer.expires.map_or_else(|| "unknown".to_owned(), date)
    ))?;
    match pointer.receipts {
        None => {}
        Some(0) => print_line("receipt  the sender is told when you have the file")?,
        Some(max) => print_line(&format!(
            "receipt  the sender is told when you have the file; {max} downloads at most"
        ))?,
    }
    Ok(())
}

/// The work that the pointer's server asks for the smallest size, as it last said; asks nobody.
fn work_bits(pointer: &Pointer) -> Option<u8> {
    let program = Program::new(Home::find().ok()?, Settings::default());
    match program.remembered_info(&pointer.server.key)?.work {
        WorkAsked::Base(base) => Some(base.bits()),
        WorkAsked::None | WorkAsked::Unknown => None,
    }
}
