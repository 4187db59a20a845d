//! No copies of this program's memory on disk: it holds keys and content.

/// Keeps the system from writing this process's memory to a file when it crashes; so do programs that it starts. Call
/// it first. Only unix has such a limit.
pub fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};

        let mut limit = getrlimit(Resource::Core);
        limit.current = Some(0);
        // To lower a limit is always allowed.
        setrlimit(Resource::Core, limit).ok();
    }
}
