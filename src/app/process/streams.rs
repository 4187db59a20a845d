//! Standard output and standard error, which can be full, closed, or read by nobody.
//!
//! A message that cannot be written to standard error is dropped. A result that cannot be written to standard output is
//! an error, and whoever makes a result that cannot be made twice looks before, with [`check_output`].

use std::io::{self, Write as _};

/// Why standard output did not take what was to be printed.
#[derive(Debug, thiserror::Error)]
#[error("standard output could not be written: {0}")]
pub(crate) struct OutputError(#[from] io::Error);

impl OutputError {
    /// Whether whoever read standard output has closed it, as `head` does when it has seen enough.
    #[must_use]
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes a line to standard error. One that cannot be written is dropped.
pub(crate) fn write_error_line(line: &str) {
    // In one piece, so that the lines of two threads stay apart.
    let line = format!("{line}\n");
    io::stderr().lock().write_all(line.as_bytes()).ok();
}

/// Writes to standard output, all of it at once.
///
/// # Errors
/// [`OutputError`].
pub(crate) fn write_output(bytes: &[u8]) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Looks whether standard output would take a line, as far as that can be known without writing one: on Unix that it is
/// open, that somebody reads the pipe, and that a file has room where it lies. Quotas are not known, and no other system
/// says anything before.
///
/// # Errors
/// [`OutputError`].
pub(crate) fn check_output() -> Result<(), OutputError> {
    #[cfg(unix)]
    unix::check(io::stdout())?;
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, fstatvfs, stat};
    use rustix::io::Errno;

    pub(crate) fn check(out: impl AsFd) -> io::Result<()> {
        let out = out.as_fd();
        let is = fstat(out)?;
        let kind = FileType::from_raw_mode(is.st_mode);
        let flags = fcntl_getfl(out)?;
        if !flags.intersects(OFlags::WRONLY | OFlags::RDWR) {
            return Err(Errno::BADF.into());
        }
        // The standard library puts the null device, for reading and writing, where a stream was closed at the start.
        if kind == FileType::CharacterDevice
            && flags.contains(OFlags::RDWR)
            && stat("/dev/null").is_ok_and(|null| null.st_rdev == is.st_rdev)
        {
            return Err(Errno::BADF.into());
        }
        if kind == FileType::RegularFile {
            let room = fstatvfs(out)?;
            if room.f_bavail.saturating_mul(room.f_frsize) < LINE_LEN {
                return Err(Errno::NOSPC.into());
            }
        } else {
            let mut polled = [PollFd::new(&out, PollFlags::OUT)];
            poll(&mut polled, Some(&Timespec::default()))?;
            let [polled] = polled;
            if polled.revents().contains(PollFlags::ERR) {
                return Err(Errno::PIPE.into());
            }
        }
        // The full device refuses nothing, too.
        rustix::io::write(out, &[])?;
        Ok(())
    }

    /// More bytes than any printed result has.
    const LINE_LEN: u64 = 64 * 1024;

    #[cfg(test)]
    mod tests {
        use std::fs::File;

        use super::*;

        fn reason(out: impl AsFd) -> Option<Errno> {
            check(out)
                .err()
                .and_then(|error| Errno::from_io_error(&error))
        }

        #[test]
        fn what_takes_a_line_is_told_from_what_does_not() {
            let file = tempfile::tempfile().unwrap();
            assert_eq!(reason(&file), None);
            let reads = File::open("/dev/null").unwrap();
            assert_eq!(reason(&reads), Some(Errno::BADF), "open for reading only");
            let null = File::options().write(true).open("/dev/null").unwrap();
            assert_eq!(reason(&null), None, "somebody wants it to be lost");
            let both = File::options().read(true).write(true).open("/dev/null");
            assert_eq!(reason(both.unwrap()), Some(Errno::BADF), "it was closed");
        }

        #[test]
        fn a_pipe_that_nobody_reads_is_noticed_before_anything_is_written() {
            let (reader, writer) = io::pipe().unwrap();
            assert_eq!(reason(&writer), None);
            drop(reader);
            assert_eq!(reason(&writer), Some(Errno::PIPE));
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_full_device_is_noticed_before_anything_is_written() {
            let full = File::options().write(true).open("/dev/full").unwrap();
            assert_eq!(reason(full), Some(Errno::NOSPC));
        }
    }
}
