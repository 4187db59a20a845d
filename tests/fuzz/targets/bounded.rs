//! The memory that a decoder may take.

/// Runs `decode` on an input of `len` bytes, and fails when it takes more heap than three times that and 64 KiB. libFuzzer's
/// own limits count a process, or nothing at all without a sanitizer.
pub fn bounded<T>(len: usize, decode: impl FnOnce() -> T) -> T {
    let mut decoded = None;
    let taken = allocation_counter::measure(|| decoded = Some(decode()));
    assert!(
        taken.bytes_max <= 3 * len as u64 + 65_536,
        "{} bytes of heap for {len} of input",
        taken.bytes_max
    );
    decoded.expect("it was decoded")
}
