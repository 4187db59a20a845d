//! Keeps a copied pointer on the clipboard when the window has closed.
//!
//! On X11 and Wayland the program that copied serves the clipboard, and what is marked confidential no clipboard manager
//! takes over: it would be gone with the window. So a second process of this program goes on serving it, mark and all,
//! until something else is copied, for an hour at most. The pointer reaches it over a pipe.

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::clipboard::confidential;
use crate::gui::model::PointerText;

/// The one argument of the second process.
pub(crate) const ARGUMENT: &str = "--hold-clipboard";

/// How often it is asked whether the pointer is still there: the display can go without a word.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How many such looks the pointer stays at most: an hour.
const LOOKS: usize = 120;
/// How long the window's end waits for the second process to have it.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);
/// More than a pointer, and any list of relays with it, is long.
const MAX_LEN: u64 = 64 * 1024;
/// What the second process says once it has it.
const HELD: u8 = b'+';

/// Hands the pointer over to a second process; false when that did not take it.
#[expect(
    clippy::disallowed_methods,
    reason = "here the window meets the system's processes"
)]
pub(crate) fn hand_over(text: &PointerText) -> bool {
    let started = std::env::current_exe().and_then(|program| {
        Command::new(program)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    });
    let Ok(mut holder) = started else {
        return false;
    };
    let (Some(mut to), Some(mut from)) = (holder.stdin.take(), holder.stdout.take()) else {
        return false;
    };
    if to.write_all(text.as_str().as_bytes()).is_err() {
        return false;
    }
    // Its end is the end of the pointer.
    drop(to);
    let (tell, told) = mpsc::channel();
    let listener = std::thread::Builder::new().spawn(move || {
        let mut said = [0];
        tell.send(from.read_exact(&mut said).is_ok() && said == [HELD])
            .ok();
    });
    listener.is_ok() && told.recv_timeout(TAKEN_WITHIN).unwrap_or(false)
}

/// The second process: holds what comes on standard input. Returns when it is no longer on the clipboard.
#[expect(
    clippy::disallowed_methods,
    reason = "the clipboard is waited for on a thread of its own"
)]
pub(crate) fn hold() -> ExitCode {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().take(MAX_LEN).read_to_string(&mut text);
    let (true, Ok(mut clipboard)) = (read.is_ok(), arboard::Clipboard::new()) else {
        return ExitCode::FAILURE;
    };
    if confidential(clipboard.set()).text(text.as_str()).is_err() {
        return ExitCode::FAILURE;
    }
    let mut out = std::io::stdout();
    if out.write_all(&[HELD]).and_then(|()| out.flush()).is_err() {
        return ExitCode::FAILURE;
    }
    let (end, ended) = mpsc::channel();
    let waited_for = text.clone();
    let waiting = std::thread::Builder::new().spawn(move || {
        if let Ok(mut clipboard) = arboard::Clipboard::new() {
            let set = arboard::SetExtLinux::wait(confidential(clipboard.set()));
            set.text(waited_for.as_str()).ok();
        }
        end.send(()).ok();
    });
    if waiting.is_err() {
        return ExitCode::FAILURE;
    }
    for _ in 0..LOOKS {
        match ended.recv_timeout(LOOK_EVERY) {
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let there = clipboard.get_text().map(Zeroizing::new);
                if there.ok().as_ref() != Some(&text) {
                    break;
                }
            }
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    ExitCode::SUCCESS
}
