use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::app::error::LocalFileError;
use crate::protocol::folder::{EntryKind, ManifestReader};

fn look(paths: &[&Path]) -> Result<Parcel, LocalFileError> {
    let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
    Parcel::look(&paths, &|| false)
}

/// A folder with these files; a name that ends in a slash is that of an empty folder.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let home = tempdir().unwrap();
    fill(home.path(), files);
    home
}

fn fill(folder: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let at = folder.join(path);
        if path.ends_with('/') {
            fs::create_dir_all(at).unwrap();
        } else {
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, content).unwrap();
        }
    }
}

fn manifest(parcel: &Parcel) -> &Manifest {
    match &parcel.content {
        ParcelContent::File { .. } => panic!("a file has no manifest"),
        ParcelContent::Folder(folder) => &folder.manifest,
    }
}

/// The paths of all entries; those of empty folders end in a slash.
fn paths(parcel: &Parcel) -> Vec<String> {
    let entries = manifest(parcel).iter();
    entries
        .map(|placed| match placed.entry.kind {
            EntryKind::EmptyFolder => format!("{}/", placed.entry.path),
            EntryKind::File { .. } => placed.entry.path.to_owned(),
        })
        .collect()
}

/// What a recipient makes of the content: the files by their paths.
fn unpacked(content: &[u8]) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut reader = ManifestReader::new(content.len() as u64);
    reader.push(content).unwrap();
    let manifest = reader.finish().unwrap();
    let file = |bytes: Range<u64>| {
        content[usize::try_from(bytes.start).unwrap()..usize::try_from(bytes.end).unwrap()].to_vec()
    };
    manifest
        .iter()
        .map(|placed| {
            let content = match placed.entry.kind {
                EntryKind::EmptyFolder => None,
                EntryKind::File { .. } => Some(file(placed.bytes)),
            };
            (placed.entry.path.to_owned(), content)
        })
        .collect()
}

fn whole(parcel: &Parcel) -> Result<Vec<u8>, LocalFileError> {
    let content = parcel.read(0..parcel.content_len())?;
    assert_eq!(content.len() as u64, parcel.content_len());
    Ok(content.to_vec())
}

/// Writes other bytes of the same number, and gives the file a later time.
fn change(path: &Path) {
    let len = fs::read(path).unwrap().len();
    fs::write(path, vec![b'#'; len]).unwrap();
    let later = SystemTime::now() + Duration::from_secs(10);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(later)
        .unwrap();
}

fn append(path: &Path) {
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(b"more").unwrap();
}

#[test]
fn one_file_is_a_file_with_its_name() {
    let home = folder(&[("résumé.pdf", "content")]);
    let parcel = look(&[&home.path().join("résumé.pdf")]).unwrap();
    assert_eq!(parcel.kind(), ContentKind::File);
    assert_eq!(parcel.name(), Some("résumé.pdf"));
    assert_eq!(whole(&parcel).unwrap(), b"content");
    assert_eq!(&**parcel.read(2..4).unwrap(), b"nt");
    assert_eq!(&**parcel.read(5..99).unwrap(), b"nt");
    assert!(parcel.read(99..100).unwrap().is_empty());
    assert_eq!(parcel.left_out().count(), 0);
}

#[test]
fn one_folder_is_a_folder_whose_paths_are_relative_to_it() {
    let home = folder(&[
        ("trip/b/c.txt", "ccc"),
        ("trip/a-b", "ab"),
        ("trip/a/x", ""),
        ("trip/empty/", ""),
    ]);
    let parcel = look(&[&home.path().join("trip")]).unwrap();
    assert_eq!(parcel.kind(), ContentKind::Folder);
    assert_eq!(parcel.name(), Some("trip"));
    assert_eq!(paths(&parcel), ["a/x", "a-b", "b/c.txt", "empty/"]);
    let unpacked = unpacked(&whole(&parcel).unwrap());
    assert_eq!(unpacked["b/c.txt"].as_deref(), Some(&b"ccc"[..]));
    assert_eq!(unpacked["a/x"].as_deref(), Some(&b""[..]));
    assert_eq!(unpacked["empty"], None);
}

#[test]
fn several_things_are_a_folder_without_a_name() {
    let home = folder(&[("one/a", "1"), ("two/a", "2"), ("a", "0"), ("two/b/", "")]);
    let at = |path: &str| home.path().join(path);
    let parcel = look(&[
        &at("two"),
        &at("a"),
        &at("one/a"),
        &at("two/a"),
        &at("two/b"),
    ])
    .unwrap();
    assert_eq!((parcel.kind(), parcel.name()), (ContentKind::Folder, None));
    assert_eq!(
        paths(&parcel),
        ["a", "a (1)", "a (2)", "b/", "two/a", "two/b/"]
    );
    let unpacked = unpacked(&whole(&parcel).unwrap());
    for (path, content) in [
        ("a", b"0"),
        ("a (1)", b"1"),
        ("a (2)", b"2"),
        ("two/a", b"2"),
    ] {
        assert_eq!(unpacked[path].as_deref(), Some(&content[..]), "{path}");
    }
}

#[test]
fn a_folder_may_be_named_in_any_way() {
    let home = folder(&[("trip/a", "a")]);
    for path in ["trip/", "trip/.", "trip/../trip", "./trip"] {
        let parcel = look(&[&home.path().join(path)]).unwrap();
        assert_eq!(
            (parcel.name(), paths(&parcel)),
            (Some("trip"), vec!["a".to_owned()]),
            "{path}"
        );
    }
    let inside = home.path().join("trip/x/..");
    fs::create_dir(home.path().join("trip/x")).unwrap();
    assert_eq!(look(&[&inside]).unwrap().name(), Some("trip"));
}

#[test]
fn nothing_is_nothing_to_share() {
    let home = folder(&[("empty/", "")]);
    assert_eq!(look(&[]).err(), Some(LocalFileError::Nothing));
    let empty = look(&[&home.path().join("empty")]);
    assert_eq!(empty.err(), Some(LocalFileError::Nothing));
}

#[test]
fn what_is_not_there_is_named_among_several() {
    let home = folder(&[("a", "a")]);
    let missing = home.path().join("none");
    let not_found = LocalFileError::Read(std::io::Error::from_raw_os_error(2).into());
    assert_eq!(look(&[&missing]).err(), Some(not_found.clone()));
    assert_eq!(
        look(&[&home.path().join("a"), &missing]).err(),
        Some(not_found.of(missing.to_str().unwrap()))
    );
}

#[test]
fn a_look_ends_when_it_is_cancelled() {
    let home = folder(&[("a", "a"), ("b", "b")]);
    for paths in [
        vec![home.path().to_owned()],
        vec![home.path().join("a"), home.path().join("b")],
    ] {
        let cancelled = Parcel::look(&paths, &|| true);
        assert_eq!(cancelled.err(), Some(LocalFileError::Cancelled));
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_shared_is_left_out_and_counted() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    let home = folder(&[("keep", "k"), ("back\\slash", ""), ("dir\u{7f}/inner", "")]);
    let at = |name: &str| home.path().join(name);
    symlink(at("keep"), at("link")).unwrap();
    symlink(home.path(), at("loop")).unwrap();
    std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::write(home.path().join(OsStr::from_bytes(b"z\xff")), "").unwrap();
    let parcel = look(&[home.path()]).unwrap();
    assert_eq!(paths(&parcel), ["keep"]);
    let left_out = parcel.left_out();
    let named: Vec<_> = left_out
        .first()
        .iter()
        .map(|entry| (entry.path.as_str(), entry.why))
        .collect();
    assert_eq!(
        named,
        [
            ("back\\slash", WhyLeftOut::Name),
            ("dir\u{7f}", WhyLeftOut::Name),
            ("link", WhyLeftOut::Link),
            ("loop", WhyLeftOut::Link),
            ("socket", WhyLeftOut::NotAFile),
            ("z\u{fffd}", WhyLeftOut::Name),
        ]
    );
    assert_eq!(left_out.count(), 6);
}

#[cfg(unix)]
#[test]
fn a_folder_with_nothing_but_links_is_nothing_alone_and_an_empty_folder_in_another() {
    let home = folder(&[("outer/inner/", "")]);
    std::os::unix::fs::symlink("/", home.path().join("outer/inner/link")).unwrap();
    let inner = look(&[&home.path().join("outer/inner")]);
    assert_eq!(inner.err(), Some(LocalFileError::Nothing));
    let outer = look(&[&home.path().join("outer")]).unwrap();
    assert_eq!(paths(&outer), ["inner/"]);
    assert_eq!(outer.left_out().count(), 1);
}

#[test]
fn of_many_things_that_are_left_out_only_the_first_are_named() {
    let home = tempdir().unwrap();
    // With their names the paths have more than 1,024 bytes, without them not.
    let mut deep = home.path().to_owned();
    for _ in 0..5 {
        deep.push("d".repeat(200));
    }
    fs::create_dir_all(&deep).unwrap();
    for number in 0..150 {
        fs::write(deep.join(format!("{number:0200}")), "").unwrap();
    }
    let parcel = look(&[home.path()]).unwrap();
    assert_eq!(parcel.left_out().count(), 150);
    assert_eq!(parcel.left_out().first().len(), 100);
    assert_eq!(parcel.left_out().first()[0].why, WhyLeftOut::Name);
    // The folder that they are in is empty without them.
    assert!(paths(&parcel)[0].ends_with('/'));
}

#[cfg(unix)]
#[test]
fn a_link_that_a_person_names_is_followed() {
    use std::os::unix::fs::symlink;

    let home = folder(&[("there/a", "a"), ("file", "f")]);
    let at = |name: &str| home.path().join(name);
    symlink(at("there"), at("to_folder")).unwrap();
    symlink(at("file"), at("to_file")).unwrap();
    let folder = look(&[&at("to_folder")]).unwrap();
    assert_eq!(
        (folder.name(), paths(&folder)),
        (Some("to_folder"), vec!["a".to_owned()])
    );
    whole(&folder).unwrap();
    assert_eq!(whole(&look(&[&at("to_file")]).unwrap()).unwrap(), b"f");
    let both = look(&[&at("to_folder"), &at("to_file")]).unwrap();
    assert_eq!(paths(&both), ["to_file", "to_folder/a"]);
    whole(&both).unwrap();
}

#[cfg(unix)]
#[test]
fn only_what_its_owner_may_run_is_executable() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = folder(&[("run", ""), ("read", ""), ("others", "")]);
    for (name, mode) in [("run", 0o744), ("read", 0o644), ("others", 0o655)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(home.path().join(name), permissions).unwrap();
    }
    let parcel = look(&[home.path()]).unwrap();
    let executable: Vec<_> = manifest(&parcel)
        .iter()
        .filter(|placed| {
            matches!(
                placed.entry.kind,
                EntryKind::File {
                    executable: true,
                    ..
                }
            )
        })
        .map(|placed| placed.entry.path.to_owned())
        .collect();
    assert_eq!(executable, ["run"]);
}

/// What is done to a file or folder, and what that is called.
type Change = (&'static str, fn(&Path));

/// Changes of the file `changed` between look and read, of which a read of it must tell.
#[cfg(unix)]
fn changes() -> Vec<Change> {
    vec![
        ("other bytes of the same number", change),
        ("longer", append),
        ("shorter", |path| {
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(1).unwrap();
        }),
        ("another file", |path| {
            let (bytes, beside) = (fs::read(path).unwrap(), path.with_extension("new"));
            let before = fs::metadata(path).unwrap().modified().unwrap();
            fs::write(&beside, bytes).unwrap();
            File::options()
                .write(true)
                .open(&beside)
                .unwrap()
                .set_modified(before)
                .unwrap();
            fs::rename(beside, path).unwrap();
        }),
        ("a link to another file", |path| {
            let beside = path.with_extension("new");
            fs::copy(path, &beside).unwrap();
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink(beside, path).unwrap();
        }),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("a pipe", |path| {
            fs::remove_file(path).unwrap();
            let mode = rustix::fs::Mode::RWXU;
            rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
        }),
    ]
}

#[cfg(unix)]
#[test]
fn a_file_that_changes_after_the_look_ends_the_share() {
    for (what, change) in changes() {
        let home = folder(&[("changed", "content")]);
        let path = home.path().join("changed");
        let parcel = look(&[&path]).unwrap();
        change(&path);
        assert_eq!(
            parcel.read(0..1).err(),
            Some(LocalFileError::Changed),
            "{what}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_file_of_a_folder_that_changes_is_named_and_the_others_can_be_read() {
    for (what, change) in changes() {
        let home = folder(&[("a", "aaaa"), ("sub/changed", "content"), ("z", "zzzz")]);
        let parcel = look(&[home.path()]).unwrap();
        change(&home.path().join("sub/changed"));
        let expected = LocalFileError::Changed.of("sub/changed");
        assert_eq!(whole(&parcel).err(), Some(expected), "{what}");
        let end = parcel.content_len();
        assert_eq!(&**parcel.read(end - 4..end).unwrap(), b"zzzz", "{what}");
        assert_eq!(
            &**parcel.read(end - 15..end - 11).unwrap(),
            b"aaaa",
            "{what}"
        );
    }
}

#[test]
fn a_file_that_vanished_is_not_there() {
    let home = folder(&[("sub/gone", "content")]);
    let parcel = look(&[home.path()]).unwrap();
    fs::remove_file(home.path().join("sub/gone")).unwrap();
    let error = whole(&parcel).unwrap_err();
    let LocalFileError::OneOfSeveral { path, reason } = error else {
        panic!("{error:?}")
    };
    assert_eq!(path, "sub/gone");
    assert!(
        matches!(*reason, LocalFileError::Read(why) if why.kind() == std::io::ErrorKind::NotFound)
    );
}

#[test]
fn an_empty_file_must_stay_empty() {
    for name in ["a", "c", "d"] {
        let home = folder(&[("a", ""), ("b", "b"), ("c", ""), ("d", "")]);
        let parcel = look(&[home.path()]).unwrap();
        let end = parcel.content_len();
        whole(&parcel).unwrap();
        append(&home.path().join(name));
        let expected = LocalFileError::Changed.of(name);
        assert_eq!(whole(&parcel).err(), Some(expected.clone()), "{name}");
        // It is looked at with the last byte before it.
        let before = if name == "a" {
            end - 2..end - 1
        } else {
            end - 1..end
        };
        assert_eq!(parcel.read(before).err(), Some(expected), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn no_link_that_takes_the_place_of_a_folder_is_followed() {
    let home = folder(&[
        ("share/sub/deep/file", "content"),
        ("secret/deep/file", "secrets"),
    ]);
    let parcel = look(&[&home.path().join("share")]).unwrap();
    let sub = home.path().join("share/sub");
    fs::rename(&sub, home.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(home.path().join("secret"), &sub).unwrap();
    let expected = LocalFileError::Changed.of("sub/deep/file");
    assert_eq!(whole(&parcel).err(), Some(expected));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_size_lies_is_told_from_one_that_changed() {
    let content = fs::read("/proc/version").unwrap();
    let lies = LocalFileError::WrongSize {
        said: 0,
        read: content.len() as u64,
    };
    let version = Path::new("/proc/version");
    let alone = look(&[version]).unwrap();
    assert_eq!(alone.read(0..0).err(), Some(lies.clone()));
    let home = folder(&[("a", "a")]);
    let among = look(&[&home.path().join("a"), version]).unwrap();
    assert_eq!(whole(&among).err(), Some(lies.of("version")));
}

#[test]
fn a_share_that_goes_on_finds_what_it_began_with() {
    let home = folder(&[
        ("trip/a", "a"),
        ("trip/b/c", "c"),
        ("trip/e/", ""),
        ("file", "f"),
    ]);
    let at = |name: &str| home.path().join(name);
    for paths in [
        vec![at("file")],
        vec![at("trip")],
        vec![at("file"), at("trip")],
    ] {
        let parcel = Parcel::look(&paths, &|| false).unwrap();
        let again = Parcel::look_again(&parcel.source(), &|| false).unwrap();
        assert_eq!(whole(&again).unwrap(), whole(&parcel).unwrap());
        assert_eq!((again.kind(), again.name()), (parcel.kind(), parcel.name()));
    }
}

#[test]
fn a_share_that_goes_on_notices_every_change() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("other bytes", |trip| change(&trip.join("a"))),
        ("longer", |trip| append(&trip.join("b/c"))),
        ("a new file", |trip| {
            fs::write(trip.join("new"), "").unwrap();
        }),
        ("a new empty folder", |trip| {
            fs::create_dir(trip.join("new")).unwrap();
        }),
        ("one less", |trip| fs::remove_file(trip.join("a")).unwrap()),
        ("another name", |trip| {
            fs::rename(trip.join("a"), trip.join("d")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let home = folder(&[("trip/a", "a"), ("trip/b/c", "c"), ("trip/e/", "")]);
        let trip = home.path().join("trip");
        let source = look(&[&trip]).unwrap().source();
        change(&trip);
        let again = Parcel::look_again(&source, &|| false);
        assert_eq!(again.err(), Some(LocalFileError::Changed), "{what}");
    }
    let home = folder(&[("a", "a")]);
    let source = look(&[&home.path().join("a")]).unwrap().source();
    change(&home.path().join("a"));
    let again = Parcel::look_again(&source, &|| false);
    assert_eq!(again.err(), Some(LocalFileError::Changed));
}

#[test]
fn a_name_that_no_step_may_have_is_replaced_for_one_of_several() {
    for (path, step) in [
        ("/x/a\u{7f}b\u{1}", "a_b_"),
        ("/", "file"),
        ("/x/ok é", "ok é"),
    ] {
        assert_eq!(look::first_step(Path::new(path)), step);
    }
}

/// Files and empty folders by path, without two that cannot be in one tree.
fn trees() -> impl Strategy<Value = BTreeMap<String, Option<Vec<u8>>>> {
    let path = proptest::collection::vec("[a-dé -]{0,2}[a-d]", 1..4);
    let content = proptest::option::weighted(0.8, proptest::collection::vec(any::<u8>(), 0..40));
    proptest::collection::vec((path, content), 1..25).prop_map(|entries| {
        let mut tree = BTreeMap::<String, Option<Vec<u8>>>::new();
        for (steps, content) in entries {
            let path = steps.join("/");
            let inside = |one: &str, other: &str| one.starts_with(&format!("{other}/"));
            if !tree
                .keys()
                .any(|there| *there == path || inside(there, &path) || inside(&path, there))
            {
                tree.insert(path, content);
            }
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_tree_comes_back_from_pieces_that_are_cut_anywhere(
        tree in trees(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let home = tempdir().unwrap();
        for (path, content) in &tree {
            match content {
                Some(content) => {
                    let at = home.path().join(path);
                    fs::create_dir_all(at.parent().unwrap()).unwrap();
                    fs::write(at, content).unwrap();
                }
                None => fs::create_dir_all(home.path().join(path)).unwrap(),
            }
        }
        let parcel = look(&[home.path()]).unwrap();
        let len = parcel.content_len();
        let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.index(usize::try_from(len).unwrap()) as u64).collect();
        cuts.extend([0, len]);
        cuts.sort_unstable();
        let mut content = Vec::new();
        for cut in cuts.windows(2) {
            content.extend_from_slice(&parcel.read(cut[0]..cut[1]).unwrap());
        }
        prop_assert_eq!(unpacked(&content), tree);
        prop_assert_eq!(parcel.left_out().count(), 0);
    }
}
