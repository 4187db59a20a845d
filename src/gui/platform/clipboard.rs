//! How the clipboards of the systems are told that a text is confidential.

/// Marks what will be set as confidential: clipboard managers keep no copy of it.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn confidential(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

/// Marks what will be set as confidential: clipboard managers keep no copy of it.
#[cfg(target_os = "macos")]
pub(crate) fn confidential(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

/// Marks what will be set as confidential: clipboard managers keep no copy of it.
#[cfg(windows)]
pub(crate) fn confidential(set: arboard::Set<'_>) -> arboard::Set<'_> {
    use arboard::SetExtWindows as _;
    set.exclude_from_history()
        .exclude_from_cloud()
        .exclude_from_monitoring()
}
