//! The manifest of a folder that somebody sends who means harm: never a panic, no step that climbs or has a
//! slash, and what is read is in its one form.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::folder::{FolderPiece, Manifest, ManifestReader, ManifestWriter};
use libfuzzer_sys::fuzz_target;

// The length of the content, then its beginning.
fuzz_target!(|bytes: &[u8]| {
    let Some((content_len, content)) = bytes.split_first_chunk() else {
        return;
    };
    let content_len = u64::from_le_bytes(*content_len);
    let Some(manifest) = bounded(content.len(), || read(content_len, content)) else {
        return;
    };
    assert_eq!(manifest.content_len(), content_len);
    let mut written = ManifestWriter::default();
    let mut end = manifest.as_bytes().len() as u64;
    for placed in manifest.iter() {
        let is_name = |step: &str| {
            !matches!(step, "" | "." | "..") && !step.contains(['/', '\\'])
        };
        assert!(placed.entry.steps().all(is_name));
        assert_eq!(placed.bytes.start, end);
        end = placed.bytes.end;
        written.push(&placed.entry).expect("it was in a folder");
    }
    assert_eq!(end, content_len);
    let written = written.finish().expect("it was a folder");
    assert!(written.as_bytes() == manifest.as_bytes());

    let half = content_len / 2;
    let lengths = [0..half, half..content_len].map(|bytes| {
        let pieces = manifest.pieces(&bytes).map(|piece| match piece {
            FolderPiece::Manifest(bytes) => bytes.len() as u64,
            FolderPiece::File { bytes, .. } => bytes.end - bytes.start,
        });
        pieces.sum::<u64>()
    });
    assert_eq!(lengths, [half, content_len - half]);
});

/// Reads the manifest in two pieces.
fn read(content_len: u64, content: &[u8]) -> Option<Manifest> {
    let (first, second) = content.split_at(content.len() / 2);
    let mut reader = ManifestReader::new(content_len);
    reader.push(first).ok()?;
    reader.push(second).ok()?;
    reader.finish().ok()
}
