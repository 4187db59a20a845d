//! The limit of files that this process may have open, connections among them.

/// Raises the process's limit of open files to the most that the system grants without asking anybody.
pub fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};

        let mut limit = getrlimit(Resource::Nofile);
        // More than that serves nobody, and some systems refuse more than they grant.
        let most = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
        if limit.current.is_some_and(|current| current < most) {
            limit.current = Some(most);
            // Where it is refused there are fewer connections.
            setrlimit(Resource::Nofile, limit).ok();
        }
    }
}

/// The connections that may be taken in: each may need a file beside, or a connection onwards, and the program has some
/// of its own.
pub(super) fn connections() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};

        if let Some(files) = getrlimit(Resource::Nofile).current {
            let files = usize::try_from(files).unwrap_or(usize::MAX);
            return (files.saturating_sub(OWN_FILES) / 2).max(1);
        }
    }
    usize::MAX
}

#[cfg(unix)]
const ENOUGH: u64 = 16_384;
#[cfg(unix)]
const OWN_FILES: usize = 64;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_what_serves_them() {
        raise_limit();
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap());
        assert!(connections() >= 1);
        assert!(connections() <= files / 2 || files == usize::MAX);
    }
}
