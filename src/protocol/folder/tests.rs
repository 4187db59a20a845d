use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn file(path: &str, len_bytes: u64) -> FolderEntry<'_> {
    FolderEntry {
        path,
        kind: EntryKind::File {
            len_bytes,
            executable: false,
        },
        modified: None,
    }
}

fn write<'a>(entries: impl IntoIterator<Item = FolderEntry<'a>>) -> Result<Manifest, FolderError> {
    let mut writer = ManifestWriter::default();
    for entry in entries {
        writer.push(&entry)?;
    }
    writer.finish()
}

fn read(content: &[u8]) -> Result<Manifest, FolderError> {
    read_of(content, content.len() as u64)
}

fn read_of(prefix: &[u8], content_len: u64) -> Result<Manifest, FolderError> {
    let mut reader = ManifestReader::new(content_len);
    reader.push(prefix)?;
    reader.finish()
}

#[test]
fn an_empty_folder_has_four_bytes() {
    let manifest = write([]).unwrap();
    assert_eq!(
        (manifest.as_bytes(), manifest.content_len()),
        (&[0; 4][..], 4)
    );
    assert!(read(&[0; 4]).is_ok_and(|manifest| manifest.entries() == 0));
    assert_eq!(manifest.get(0), None);
    assert_eq!(manifest.pieces(&(0..9)).count(), 1);
}

#[test]
fn a_manifest_is_collected_in_any_pieces() {
    let manifest = write([file("a", 3), file("b/c", 2), file("d", 0)]).unwrap();
    let content = [manifest.as_bytes(), b"abcde"].concat();
    for size in 1..=content.len() {
        let mut reader = ManifestReader::new(content.len() as u64);
        assert_eq!(reader.wanted(), 0..4);
        for piece in content.chunks(size) {
            if reader.wanted().is_empty() {
                break;
            }
            reader.push(piece).unwrap();
        }
        let read = reader.finish().unwrap();
        assert_eq!(read.as_bytes(), manifest.as_bytes());
        assert_eq!(read.content_len(), content.len() as u64);
    }
}

#[test]
fn a_manifest_that_is_not_all_there_is_not_read() {
    let manifest = write([file("a", 3)]).unwrap();
    let bytes = manifest.as_bytes();
    for end in 0..bytes.len() {
        let read = read_of(&bytes[..end], manifest.content_len());
        assert_eq!(read.err(), Some(FolderError::Malformed), "{end}");
    }
}

#[test]
fn every_cut_inside_an_entry_is_refused() {
    let manifest = write([file("a", 3), file("some/path", 1_000_000)]).unwrap();
    let entries = &manifest.as_bytes()[4..];
    let first = 6;
    for end in (1..entries.len()).filter(|end| *end != first) {
        let len = u32::try_from(end).unwrap().to_le_bytes();
        let cut = [&len[..], &entries[..end]].concat();
        let read = read_of(&cut, cut.len() as u64 + 1_000_003);
        assert_eq!(read.err(), Some(FolderError::Malformed), "{end}");
    }
}

#[test]
fn entries_are_found_by_their_number() {
    let paths: Vec<_> = (0..1_000).map(|number| format!("{number:04}")).collect();
    let manifest = write(paths.iter().map(|path| file(path, 7))).unwrap();
    for number in [0, 1, 62, 63, 64, 65, 127, 128, 500, 998, 999] {
        let placed = manifest.get(number).unwrap();
        assert_eq!(placed.number, number);
        assert_eq!(placed.entry.path, format!("{number:04}"));
        let start = manifest.as_bytes().len() as u64 + 7 * u64::from(number);
        assert_eq!(placed.bytes, start..start + 7);
        let rest = manifest.iter_from(number).count();
        assert_eq!(rest, 1_000 - number as usize);
    }
    for beyond in [1_000, 1_023, 1_024, u32::MAX] {
        assert_eq!(manifest.get(beyond), None);
    }
}

#[test]
fn a_writer_refuses_what_a_reader_would() {
    for (entries, error) in [
        (&["b", "a"][..], FolderError::Order),
        (&["a-b", "a/x"], FolderError::Order),
        (&["a", "a"], FolderError::Twice),
        (&["a", "a/x"], FolderError::InsideEntry),
        (&["../x"], FolderError::Path(PathError::Step)),
        (&["a\\b"], FolderError::Path(PathError::Character)),
        (&[""], FolderError::Path(PathError::Length)),
    ] {
        let written = write(entries.iter().map(|path| file(path, 0)));
        assert_eq!(written.err(), Some(error), "{entries:?}");
    }
    let lengths = write([file("a", u64::MAX), file("b", 1)]);
    assert_eq!(lengths.err(), Some(FolderError::Lengths));
    let whole = write([file("a", u64::MAX)]);
    assert_eq!(whole.err(), Some(FolderError::Lengths));
}

#[test]
fn an_entry_that_was_refused_leaves_the_others() {
    let mut writer = ManifestWriter::default();
    writer.push(&file("a", 1)).unwrap();
    assert!(writer.push(&file("b/../c", 1)).is_err());
    assert!(writer.push(&file("a/x", 1)).is_err());
    writer.push(&file("d", 1)).unwrap();
    let expected = write([file("a", 1), file("d", 1)]).unwrap();
    assert_eq!(writer.finish().unwrap().as_bytes(), expected.as_bytes());
}

#[test]
fn a_manifest_of_more_than_64_mib_is_not_written() {
    let mut writer = ManifestWriter::default();
    let long = "x".repeat(255);
    let refused = (0..70_000).find_map(|number| {
        let path = format!("{number:06}/{long}/{long}/{long}/{long}");
        writer.push(&file(&path[..1_000], 0)).err()
    });
    assert_eq!(refused, Some(FolderError::ManifestTooLong));
    let manifest = writer.finish().unwrap();
    assert!(manifest.as_bytes().len() > MAX_MANIFEST_LEN as usize - 2_000);
    assert!(read(manifest.as_bytes()).is_ok());
}

#[test]
fn pieces_name_manifest_and_files() {
    let manifest = write([file("a", 3), file("b", 0), file("c", 5)]).unwrap();
    let start = manifest.as_bytes().len();
    let at = start as u64;
    let pieces = |range| manifest.pieces(&range).collect::<Vec<_>>();
    let of_file = |number, bytes| FolderPiece::File { number, bytes };
    assert_eq!(pieces(0..at), [FolderPiece::Manifest(0..start)]);
    assert_eq!(
        pieces(at - 1..at + 4),
        [
            FolderPiece::Manifest(start - 1..start),
            of_file(0, 0..3),
            of_file(2, 0..1)
        ]
    );
    assert_eq!(pieces(at + 5..u64::MAX), [of_file(2, 2..5)]);
    assert_eq!(pieces(at + 8..u64::MAX), []);
    assert_eq!(pieces(at + 2..at + 2), []);
}

/// Trees of files and empty folders, by path, in the order of the format.
fn trees() -> impl Strategy<Value = Vec<(String, EntryKind, Option<u64>)>> {
    let step = "[a-c.\\-é]{1,3}".prop_filter("a step", |step| step != "." && step != "..");
    let path = proptest::collection::vec(step, 1..4).prop_map(|steps| steps.join("/"));
    let kind = prop_oneof![
        Just(EntryKind::EmptyFolder),
        (0..300_u64, any::<bool>()).prop_map(|(len_bytes, executable)| EntryKind::File {
            len_bytes,
            executable
        }),
    ];
    let entry = (path, kind, proptest::option::of(any::<u64>()));
    proptest::collection::vec(entry, 0..150).prop_map(|entries| {
        let mut entries: Vec<_> = entries;
        entries.sort_by(|one, other| compare_paths(&one.0, &other.0));
        entries
            .dedup_by(|later, earlier| later.0 == earlier.0 || path::lies_in(&later.0, &earlier.0));
        entries
    })
}

#[test]
fn paths_that_are_dangerous_when_joined_whole_are_allowed_and_come_in_steps() {
    for (path, steps) in [
        ("C:/x", &["C:", "x"][..]),
        ("b:c", &["b:c"]),
        ("a/CON", &["a", "CON"]),
    ] {
        assert_eq!(check_path(path), Ok(()));
        assert!(file(path, 0).steps().eq(steps.iter().copied()));
    }
}

#[test]
fn no_more_is_wanted_than_the_content_has() {
    for len in 0..4_u8 {
        let mut reader = ManifestReader::new(len.into());
        assert_eq!(reader.wanted(), 0..u64::from(len));
        reader.push(&[0; 4][..usize::from(len)]).unwrap();
        assert!(reader.wanted().is_empty());
        assert_eq!(reader.finish().err(), Some(FolderError::Malformed));
    }
}

proptest! {
    #[test]
    fn trees_come_back(tree in trees()) {
        let entries = tree.iter().map(|(path, kind, modified)| FolderEntry { path, kind: *kind, modified: *modified });
        let written = write(entries).unwrap();
        let data: u64 = tree.iter().map(|(_, kind, _)| match kind {
            EntryKind::EmptyFolder => 0,
            EntryKind::File { len_bytes, .. } => *len_bytes,
        }).sum();
        let read = read_of(written.as_bytes(), written.content_len()).unwrap();
        prop_assert_eq!(read.content_len(), read.as_bytes().len() as u64 + data);
        let came: Vec<_> = read.iter().map(|placed| (placed.entry.path.to_owned(), placed.entry.kind, placed.entry.modified)).collect();
        prop_assert_eq!(came, tree);
        prop_assert_eq!(read.iter().last().map_or(read.as_bytes().len() as u64, |placed| placed.bytes.end), read.content_len());
    }

    #[test]
    fn pieces_are_the_content_without_gaps(tree in trees(), cuts in proptest::collection::btree_set(0..60_000_u64, 0..20)) {
        let entries = tree.iter().map(|(path, kind, modified)| FolderEntry { path, kind: *kind, modified: *modified });
        let manifest = write(entries).unwrap();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < manifest.content_len()).collect();
        cuts.push(manifest.content_len());
        let (mut start, mut prefix, mut files) = (0, 0, BTreeMap::new());
        for end in cuts {
            let mut len = 0;
            for piece in manifest.pieces(&(start..end)) {
                match piece {
                    FolderPiece::Manifest(range) => {
                        prop_assert_eq!(range.start, prefix);
                        prefix = range.end;
                        len += range.len() as u64;
                    }
                    FolderPiece::File { number, bytes } => {
                        let so_far = files.entry(number).or_insert(0);
                        prop_assert_eq!(bytes.start, *so_far);
                        *so_far = bytes.end;
                        len += bytes.end - bytes.start;
                    }
                }
            }
            prop_assert_eq!(len, end - start);
            start = end;
        }
        for placed in manifest.iter().filter(|placed| placed.entry.len_bytes() > 0) {
            prop_assert_eq!(files.get(&placed.number), Some(&placed.entry.len_bytes()));
        }
    }

    #[test]
    fn no_manifest_is_read_in_two_ways(tree in trees(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let entries = tree.iter().map(|(path, kind, modified)| FolderEntry { path, kind: *kind, modified: *modified });
        let written = write(entries).unwrap();
        let mut changed = written.as_bytes().to_vec();
        let at = at.index(changed.len());
        changed[at] = with;
        if let Ok(read) = read_of(&changed, written.content_len()) {
            let again = write(read.iter().map(|placed| placed.entry)).unwrap();
            prop_assert_eq!(again.as_bytes(), read.as_bytes());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), len in any::<u64>()) {
        drop(read_of(&bytes, len));
        let prefixed = [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], &bytes].concat();
        drop(read(&prefixed));
    }

    #[test]
    fn an_allowed_path_is_made_of_names(path in "[a-c.:/\\\\\u{7f}\n]{0,12}") {
        if check_path(&path).is_ok() {
            let steps: Vec<_> = file(&path, 0).steps().collect();
            let is_name = |step: &&str| !matches!(*step, "" | "." | "..") && !step.contains(['/', '\\']);
            prop_assert!(steps.iter().all(is_name));
            prop_assert_eq!(steps.join("/"), path);
        }
    }

    #[test]
    fn the_order_is_that_of_steps(one in "[a-c/\\-]{1,8}", other in "[a-c/\\-]{1,8}") {
        let steps = |path: &str| path.split('/').map(|step| step.as_bytes().to_vec()).collect::<Vec<_>>();
        prop_assert_eq!(compare_paths(&one, &other), steps(&one).cmp(&steps(&other)));
    }
}
