use std::collections::BTreeMap;
use std::fs::{self, File};

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::app::received::save::SaveTo;
use crate::protocol::folder::{EntryKind, FolderEntry, ManifestWriter, compare_paths};

/// A tree by path: the bytes of each file, none for an empty folder.
type Tree = BTreeMap<String, Option<Vec<u8>>>;

fn tree(files: &[(&str, &str)]) -> Tree {
    let entry = |(path, content): &(&str, &str)| match path.strip_suffix('/') {
        Some(folder) => (folder.to_owned(), None),
        None => ((*path).to_owned(), Some(content.as_bytes().to_vec())),
    };
    files.iter().map(entry).collect()
}

/// The manifest of a tree and its whole content.
fn packed(tree: &Tree) -> (Manifest, Vec<u8>) {
    let mut entries: Vec<_> = tree.iter().collect();
    entries.sort_by(|(one, _), (other, _)| compare_paths(one, other));
    let mut writer = ManifestWriter::default();
    let mut data = Vec::new();
    for (path, content) in entries {
        let kind = match content {
            Some(content) => EntryKind::File {
                len_bytes: content.len() as u64,
                executable: path.ends_with(".sh"),
            },
            None => EntryKind::EmptyFolder,
        };
        let entry = FolderEntry {
            path,
            kind,
            modified: None,
        };
        writer.push(&entry).unwrap();
        data.extend_from_slice(content.as_deref().unwrap_or_default());
    }
    let manifest = writer.finish().unwrap();
    let content = [manifest.as_bytes(), &data].concat();
    (manifest, content)
}

/// What is on the disk.
fn on_disk(folder: &Path) -> Tree {
    fn walk(folder: &Path, prefix: &str, tree: &mut Tree) -> usize {
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            count += 1;
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                if walk(&entry.path(), &format!("{path}/"), tree) == 0 {
                    tree.insert(path, None);
                }
            } else {
                tree.insert(path, Some(fs::read(entry.path()).unwrap()));
            }
        }
        count
    }
    let mut tree = Tree::new();
    walk(folder, "", &mut tree);
    tree
}

fn target(folder: &TempDir) -> SaveTarget {
    SaveTo::Folder(folder.path().to_owned())
        .prepare(&[])
        .unwrap()
}

fn name(text: &str) -> SafeFileName {
    SafeFileName::sanitize(text)
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Begins the whole tree, writes all of its content, and gives it the name `it`.
fn save(to: &TempDir, tree: &Tree) -> Result<SavedItem, SaveError> {
    let (manifest, content) = packed(tree);
    let incoming = target(to).begin_folder(manifest, None, &|| false)?;
    incoming.write_at(0, &content)?;
    incoming.finish(&name("it"))
}

#[test]
fn a_file_is_put_together_from_pieces_in_any_order() {
    let to = tempdir().unwrap();
    let incoming = target(&to).begin_file(10).unwrap();
    for (offset, piece) in [(7, "hij"), (0, "abc"), (3, "defg")] {
        incoming.write_at(offset, piece.as_bytes()).unwrap();
        incoming.sync().unwrap();
    }
    assert_eq!(incoming.temporary().parent(), Some(to.path()));
    let saved = incoming.finish(&name("a.txt")).unwrap();
    assert_eq!(saved.path, to.path().join("a.txt"));
    assert_eq!(fs::read(&saved.path).unwrap(), b"abcdefghij");
    assert_eq!(saved.renamed, Renamed::default());
    assert_eq!(names(&to), ["a.txt"]);
}

#[test]
fn a_file_that_is_not_whole_gets_no_name() {
    let to = tempdir().unwrap();
    let incoming = target(&to).begin_file(10).unwrap();
    incoming.write_at(0, b"abc").unwrap();
    assert_eq!(incoming.finish(&name("a.txt")), Err(SaveError::Altered));
    assert!(names(&to).is_empty());
}

#[test]
fn a_file_that_is_kept_goes_on_where_it_was() {
    let to = tempdir().unwrap();
    let mut incoming = target(&to).begin_file(6).unwrap();
    incoming.write_at(3, b"def").unwrap();
    incoming.sync().unwrap();
    let temporary = incoming.temporary().to_owned();
    incoming.keep();
    assert_eq!(names(&to).len(), 1);
    let incoming = target(&to).resume_file(&temporary, 6, &[3..6]).unwrap();
    incoming.write_at(0, b"abc").unwrap();
    let saved = incoming.finish(&name("a.txt")).unwrap();
    assert_eq!(fs::read(saved.path).unwrap(), b"abcdef");
    assert_eq!(names(&to), ["a.txt"]);
}

#[test]
fn a_file_that_is_not_as_it_was_left_is_not_gone_on_with_and_stays() {
    let to = tempdir().unwrap();
    let mut incoming = target(&to).begin_file(6).unwrap();
    incoming.write_at(0, b"abcd").unwrap();
    let temporary = incoming.temporary().to_owned();
    incoming.keep();
    let resume = |path: &Path, len, written| {
        let resumed = target(&to).resume_file(path, len, &[written]);
        resumed.map(|mut incoming| incoming.keep())
    };
    assert_eq!(resume(&temporary, 6, 0..4), Ok(()));
    let none = to.path().join(".cloakroom-none.part");
    for (path, len, written) in [
        (none.as_path(), 6, 0..4),
        (&temporary, 3, 0..3),
        (&temporary, 6, 0..5),
        (to.path(), 6, 0..0),
    ] {
        let resumed = resume(path, len, written.clone());
        assert_eq!(
            resumed,
            Err(SaveError::Altered),
            "{path:?} {len} {written:?}"
        );
    }
    assert_eq!(fs::read(&temporary).unwrap(), b"abcd");
    #[cfg(unix)]
    {
        let link = to.path().join(".cloakroom-link.part");
        std::os::unix::fs::symlink(&temporary, &link).unwrap();
        assert_eq!(resume(&link, 6, 0..4), Err(SaveError::Altered));
    }
}

#[test]
fn what_is_dropped_leaves_nothing_unless_it_is_kept() {
    let to = tempdir().unwrap();
    let (manifest, content) = packed(&tree(&[("a/b", "bytes"), ("c/", "")]));
    let file = target(&to).begin_file(3).unwrap();
    file.write_at(0, b"abc").unwrap();
    let folder = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    folder.write_at(0, &content).unwrap();
    assert_eq!(names(&to).len(), 2);
    drop((file, folder));
    assert!(names(&to).is_empty());
    let (manifest, _) = packed(&tree(&[("a/b", "bytes")]));
    let mut file = target(&to).begin_file(3).unwrap();
    let mut folder = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    file.keep();
    folder.keep();
    let (at_file, at_folder) = (file.temporary().to_owned(), folder.temporary().to_owned());
    let len = folder.manifest().unwrap().content_len();
    // Neither is whole.
    assert_eq!(file.finish(&name("it")), Err(SaveError::Altered));
    assert_eq!(folder.finish(&name("it")), Err(SaveError::Altered));
    drop(target(&to).resume_file(&at_file, 3, &[]).unwrap());
    drop(
        target(&to)
            .resume_folder(&at_folder, len, None, &[])
            .unwrap(),
    );
    assert_eq!(names(&to).len(), 2);
    remove_temporary(&at_file);
    remove_temporary(&at_folder);
    assert!(names(&to).is_empty());
    // What else could be named in a state that is damaged stays.
    let other = to.path().join("other.part");
    fs::write(&other, "precious").unwrap();
    remove_temporary(&other);
    assert!(other.exists());
}

#[test]
fn a_folder_is_put_together_and_gets_its_name_at_the_end() {
    let to = tempdir().unwrap();
    let tree = tree(&[
        ("a-b", "0"),
        ("a/deep/er/x.txt", "x"),
        ("a/deep/y", ""),
        ("e/m/p/t/y/", ""),
        (".gitignore", "target"),
    ]);
    let saved = save(&to, &tree).unwrap();
    assert_eq!(saved.path, to.path().join("it"));
    assert_eq!(on_disk(&saved.path), tree);
    assert_eq!((saved.findings, saved.renamed), (None, Renamed::default()));
    assert_eq!(names(&to), ["it"]);
    let again = save(&to, &tree).unwrap();
    assert_eq!(again.path, to.path().join("it (1)"));
}

#[test]
fn an_empty_folder_and_one_of_empty_files_are_saved_without_any_bytes() {
    for tree in [tree(&[("a", ""), ("b/c", ""), ("d/", "")]), Tree::new()] {
        let to = tempdir().unwrap();
        let (manifest, _) = packed(&tree);
        let incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
        let saved = incoming.finish(&name("it")).unwrap();
        assert_eq!(on_disk(&saved.path), tree);
    }
}

#[test]
fn the_person_chooses_the_name_of_a_folder() {
    let to = tempdir().unwrap();
    let (manifest, content) = packed(&tree(&[("a", "x")]));
    let target = SaveTo::Path(to.path().join("mine")).prepare(&[]).unwrap();
    let incoming = target.begin_folder(manifest, None, &|| false).unwrap();
    incoming.write_at(0, &content).unwrap();
    let saved = incoming.finish(&name("theirs")).unwrap();
    assert_eq!(saved.path, to.path().join("mine"));
    assert_eq!(names(&to), ["mine"]);
}

#[test]
fn a_folder_is_never_put_into_or_over_what_is_there() {
    let to = tempdir().unwrap();
    fs::create_dir(to.path().join("it")).unwrap();
    fs::write(to.path().join("it (1)"), "a file").unwrap();
    let saved = save(&to, &tree(&[("a", "x")])).unwrap();
    assert_eq!(saved.path, to.path().join("it (2)"));
    assert_eq!(fs::read_dir(to.path().join("it")).unwrap().count(), 0);
    assert_eq!(fs::read(to.path().join("it (1)")).unwrap(), b"a file");
}

#[test]
fn only_what_is_chosen_is_made() {
    let to = tempdir().unwrap();
    let whole = tree(&[
        ("a", "aaa"),
        ("b/x", "xx"),
        ("b/y", "yy"),
        ("c", "cc"),
        ("d/", ""),
    ]);
    let (manifest, content) = packed(&whole);
    let target = target(&to);
    let incoming = target
        .begin_folder(manifest, Some(vec![0..1, 2..4]), &|| false)
        .unwrap();
    incoming.write_at(0, &content).unwrap();
    let saved = incoming.finish(&name("it")).unwrap();
    let chosen = tree(&[("a", "aaa"), ("b/y", "yy"), ("c", "cc")]);
    assert_eq!(on_disk(&saved.path), chosen);
}

#[test]
fn what_of_a_folder_is_not_whole_gives_it_no_name() {
    let to = tempdir().unwrap();
    let (manifest, content) = packed(&tree(&[("a", "aaa"), ("b", "bbb")]));
    let incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    incoming.write_at(0, &content[..content.len() - 1]).unwrap();
    assert_eq!(incoming.finish(&name("it")), Err(SaveError::Altered));
    assert!(names(&to).is_empty());
}

/// Names of a sender that are no names here, or one name here.
fn awkward() -> Tree {
    tree(&[
        ("a:", "1"),
        ("a_", "2"),
        ("con/b:c/d", "3"),
        ("con/b:c/e", "4"),
        ("con/b_c/d", "5"),
        ("con/b_c/f", "6"),
        ("x\u{202e}gpj.exe", "7"),
        ("z", "8"),
    ])
}

/// How they stand on the disk.
fn awkward_on_disk() -> Tree {
    tree(&[
        ("a_", "1"),
        ("a_ (1)", "2"),
        ("_con/b_c/d", "3"),
        ("_con/b_c/e", "4"),
        ("_con/b_c (1)/d", "5"),
        ("_con/b_c (1)/f", "6"),
        ("xgpj.exe", "7"),
        ("z", "8"),
    ])
}

#[test]
fn names_that_cannot_be_are_changed_and_the_second_of_one_name_gets_a_number() {
    let to = tempdir().unwrap();
    let saved = save(&to, &awkward()).unwrap();
    assert_eq!(on_disk(&saved.path), awkward_on_disk());
    let renamed: Vec<_> = saved
        .renamed
        .first
        .iter()
        .map(|(path, name)| (path.as_str(), name.as_str()))
        .collect();
    assert_eq!(
        renamed,
        [
            ("a:", "a_"),
            ("a_", "a_ (1)"),
            ("con", "_con"),
            ("x\u{202e}gpj.exe", "xgpj.exe"),
            ("con/b:c", "b_c"),
            ("con/b_c", "b_c (1)"),
        ]
    );
    assert_eq!(saved.renamed.count, 6);
}

#[test]
fn after_a_restart_every_entry_has_the_name_that_it_had() {
    let to = tempdir().unwrap();
    let (manifest, content) = packed(&awkward());
    let len = manifest.content_len();
    let middle = manifest.as_bytes().len() + 4;
    let mut incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    incoming
        .write_at(middle as u64, &content[middle..])
        .unwrap();
    incoming.sync().unwrap();
    let temporary = incoming.temporary().to_owned();
    incoming.keep();
    let written = [middle as u64..len];
    let incoming = target(&to)
        .resume_folder(&temporary, len, None, &written)
        .unwrap();
    assert_eq!(incoming.manifest().unwrap().entries(), 8);
    incoming.write_at(0, &content[..middle]).unwrap();
    let saved = incoming.finish(&name("it")).unwrap();
    assert_eq!(on_disk(&saved.path), awkward_on_disk());
    assert_eq!(saved.renamed.count, 6);
    assert_eq!(names(&to), ["it"]);
}

#[test]
fn a_folder_that_is_not_as_it_was_left_is_not_gone_on_with_and_stays() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 7] = [
        ("a file that was written is gone", |at| {
            fs::remove_file(at.join("content/a")).unwrap();
        }),
        ("a file that was written is shorter", |at| {
            File::create(at.join("content/b/c")).unwrap();
        }),
        ("a file is longer than it can be", |at| {
            fs::write(at.join("content/a"), "longer").unwrap();
        }),
        ("the folder is gone", |at| {
            fs::remove_dir_all(at.join("content")).unwrap();
        }),
        ("the manifest is gone", |at| {
            fs::remove_file(at.join("manifest")).unwrap();
        }),
        ("the manifest is damaged", |at| {
            fs::write(at.join("manifest"), "what").unwrap();
        }),
        ("the names are damaged", |at| {
            fs::write(at.join("layout"), "what").unwrap();
        }),
    ];
    for (what, change) in changes {
        let to = tempdir().unwrap();
        let (manifest, content) = packed(&tree(&[("a", "aa"), ("b/c", "cc"), ("d", "dd")]));
        let len = manifest.content_len();
        let mut incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
        incoming.write_at(0, &content[..content.len() - 2]).unwrap();
        let temporary = incoming.temporary().to_owned();
        incoming.keep();
        let resume = |chosen: Option<&[Range<u32>]>, written: &[Range<u64>]| {
            let resumed = target(&to).resume_folder(&temporary, len, chosen, written);
            resumed.map(|mut incoming| incoming.keep())
        };
        assert_eq!(resume(None, &[0..len - 2]), Ok(()));
        assert_eq!(
            resume(None, &[0..len - 1]),
            Err(SaveError::Altered),
            "more was not written"
        );
        assert_eq!(
            resume(Some(&[0..2]), &[]),
            Err(SaveError::Altered),
            "another choice"
        );
        change(&temporary);
        assert_eq!(
            resume(None, &[0..len - 2]),
            Err(SaveError::Altered),
            "{what}"
        );
        assert!(temporary.exists(), "{what}");
    }
}

#[test]
fn names_in_the_layout_lead_nowhere_else() {
    let to = tempdir().unwrap();
    let (manifest, _) = packed(&tree(&[("a:", "aa")]));
    let len = manifest.content_len();
    let mut incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    let temporary = incoming.temporary().to_owned();
    incoming.keep();
    let layout = fs::read_to_string(temporary.join("layout")).unwrap();
    for name in ["..", "../../outside", "/etc/passwd", ""] {
        fs::write(temporary.join("layout"), layout.replace("a_", name)).unwrap();
        let resumed = target(&to).resume_folder(&temporary, len, None, &[]);
        assert_eq!(
            resumed.map(|mut incoming| incoming.keep()),
            Err(SaveError::Altered),
            "{name}"
        );
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_somebody_puts_there() {
    use std::os::unix::fs::symlink;

    type Plant = fn(&Path, &Path);
    let plants: [(&str, Plant); 3] = [
        ("for a file", |content, outside| {
            fs::remove_file(content.join("sub/file")).unwrap();
            symlink(outside.join("file"), content.join("sub/file")).unwrap();
        }),
        ("for a folder", |content, outside| {
            fs::rename(content.join("sub"), content.join("moved")).unwrap();
            symlink(outside, content.join("sub")).unwrap();
        }),
        ("for everything", |content, outside| {
            fs::rename(content, content.with_file_name("moved")).unwrap();
            symlink(outside, content).unwrap();
        }),
    ];
    for (what, plant) in plants {
        let to = tempdir().unwrap();
        let outside = tempdir().unwrap();
        fs::create_dir(outside.path().join("sub")).unwrap();
        for precious in ["file", "sub/file"] {
            fs::write(outside.path().join(precious), "precious").unwrap();
        }
        let (manifest, content) = packed(&tree(&[("sub/file", "hostile!")]));
        let len = manifest.content_len();
        let incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
        let temporary = incoming.temporary().to_owned();
        plant(&temporary.join("content"), outside.path());
        // The open folder is still the one that was made, wherever it is now.
        let written = incoming.write_at(0, &content);
        assert_eq!(written.is_ok(), what == "for everything", "{what}");
        let finished = match what {
            "for everything" => Ok(()),
            _ => incoming.finish(&name("it")).map(drop),
        };
        assert_eq!(finished.is_err(), what != "for everything", "{what}");
        let resumed = target(&to).resume_folder(&temporary, len, None, &[0..len]);
        assert!(resumed.is_err(), "{what}");
        for precious in ["file", "sub/file"] {
            let bytes = fs::read(outside.path().join(precious)).unwrap();
            assert_eq!(bytes, b"precious", "{what}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_saved_has_the_modes_of_this_person_and_only_what_was_executable_is() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let to = tempdir().unwrap();
    let (manifest, content) = packed(&tree(&[("sub/run.sh", "run"), ("sub/read", "read")]));
    let incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    assert_eq!(mode(incoming.temporary()), 0o700);
    incoming.write_at(0, &content).unwrap();
    let saved = incoming.finish(&name("it")).unwrap();
    // What this person's settings give to new files and folders.
    fs::create_dir(to.path().join("folder")).unwrap();
    fs::write(to.path().join("file"), "").unwrap();
    let ordinary_file = mode(&to.path().join("file"));
    assert_eq!(mode(&saved.path), mode(&to.path().join("folder")));
    assert_eq!(
        mode(&saved.path.join("sub")),
        mode(&to.path().join("folder"))
    );
    assert_eq!(mode(&saved.path.join("sub/read")), ordinary_file);
    let executable = ordinary_file | (ordinary_file & 0o444) >> 2;
    assert_eq!(mode(&saved.path.join("sub/run.sh")), executable);
}

#[test]
fn a_folder_of_which_too_many_entries_have_one_name_leaves_nothing() {
    let to = tempdir().unwrap();
    // All of them are "a" without what nobody sees.
    let path = |number: u32| -> String {
        let unseen = (0..10).map(|bit| {
            if number & 1 << bit == 0 {
                '\u{200b}'
            } else {
                '\u{feff}'
            }
        });
        std::iter::once('a').chain(unseen).collect()
    };
    let paths = (0..1_001).map(path);
    let tree: Tree = paths.map(|path| (path, Some(Vec::new()))).collect();
    let (manifest, _) = packed(&tree);
    let begun = target(&to).begin_folder(manifest, None, &|| false);
    assert_eq!(
        begun.map(|mut incoming| incoming.keep()),
        Err(SaveError::NoFreeName)
    );
    assert!(names(&to).is_empty());
}

/// A disk with room for one megabyte and 60 files, which is unmounted when it is dropped; none where a test may not mount.
#[cfg(target_os = "linux")]
struct SmallDisk(TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount() -> Option<Self> {
        let at = tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                "size=1m,nr_inodes=60",
                "cloakroom-test",
            ])
            .arg(at.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        let why = "no small disk can be mounted here";
        assert!(
            std::env::var("CLOAKROOM_TEST_MOUNT").as_deref() != Ok("must"),
            "{why}, and CLOAKROOM_TEST_MOUNT says that it must"
        );
        eprintln!("skipped: {why}");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmount = std::process::Command::new("umount")
            .arg(self.0.path())
            .status();
        assert!(unmount.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_folder_that_is_cancelled_while_its_files_are_made_leaves_nothing() {
    let to = tempdir().unwrap();
    let (manifest, _) = packed(&tree(&[("a", "1"), ("b/c", "2"), ("d", "3")]));
    let asked = std::cell::Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    let begun = target(&to).begin_folder(manifest, None, &cancelled);
    assert_eq!(begun.map(drop), Err(SaveError::Cancelled));
    assert_eq!(asked.get(), 3, "it is asked before each entry");
    assert!(names(&to).is_empty());
}

/// As on a memory stick with FAT32, whose limit of 4 GiB comes into play in the same place.
#[cfg(target_os = "linux")]
#[test]
fn a_file_longer_than_the_disk_can_hold_is_refused_before_anything_has_come() {
    let to = tempdir().unwrap();
    let begun = target(&to).begin_file(u64::MAX);
    assert_eq!(begun.map(drop), Err(SaveError::TooLong(u64::MAX)));
    assert!(names(&to).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn what_came_before_the_disk_was_full_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let to = &disk.0;
    let full = SaveError::Write(std::io::Error::from_raw_os_error(28).into());
    let filler = to.path().join("filler");
    fs::write(&filler, vec![0; 700_000]).unwrap();
    let content = vec![b'x'; 600_000];
    let room = target(to).check_room(600_000);
    assert!(matches!(room, Err(SaveError::NoRoom { needed: 600_000, free }) if free < 400_000));
    let mut incoming = target(to).begin_file(600_000).unwrap();
    incoming.write_at(0, &content[..200_000]).unwrap();
    incoming.sync().unwrap();
    assert_eq!(incoming.write_at(200_000, &content[200_000..]), Err(full));
    incoming.keep();
    let temporary = incoming.temporary().to_owned();
    drop(incoming);
    fs::remove_file(filler).unwrap();
    let incoming = target(to)
        .resume_file(&temporary, 600_000, &[0..200_000])
        .unwrap();
    incoming.write_at(200_000, &content[200_000..]).unwrap();
    let saved = incoming.finish(&name("it")).unwrap();
    assert_eq!(fs::read(saved.path).unwrap(), content);
    assert_eq!(names(to), ["it"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_with_more_files_than_the_disk_holds_leaves_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let tree: Tree = (0..80)
        .map(|number| (format!("{number:02}"), Some(Vec::new())))
        .collect();
    let (manifest, _) = packed(&tree);
    let begun = target(&disk.0).begin_folder(manifest, None, &|| false);
    let full = SaveError::Create(std::io::Error::from_raw_os_error(28).into());
    assert_eq!(begun.map(|mut incoming| incoming.keep()), Err(full));
    assert!(names(&disk.0).is_empty());
}

/// Saves a tree whose names differ by case alone into a folder where these are one. On macOS and Windows every folder is such
/// a one; elsewhere `CLOAKROOM_TEST_CASELESS` is the path of one, if there is any.
#[test]
fn names_that_differ_by_case_all_arrive_where_these_are_one() {
    let named = std::env::var_os("CLOAKROOM_TEST_CASELESS");
    let to = match &named {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempdir().unwrap(),
    };
    let probe = to.path().join("a");
    fs::write(&probe, "").unwrap();
    let is_caseless = to.path().join("A").exists();
    fs::remove_file(probe).unwrap();
    if !is_caseless {
        assert!(named.is_none(), "names that differ by case are two there");
        eprintln!("skipped: names that differ by case are two here");
        return;
    }
    let (manifest, content) = packed(&tree(&[
        ("Net/xt_DSCP.h", "1"),
        ("Net/xt_dscp.h", "2"),
        ("net/xt_dscp.h", "3"),
    ]));
    let len = manifest.content_len();
    let mut incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
    let temporary = incoming.temporary().to_owned();
    incoming.keep();
    let incoming = target(&to)
        .resume_folder(&temporary, len, None, &[])
        .unwrap();
    incoming.write_at(0, &content).unwrap();
    let saved = incoming.finish(&name("it")).unwrap();
    let expected = tree(&[
        ("Net/xt_DSCP.h", "1"),
        ("Net/xt_dscp (1).h", "2"),
        ("net (1)/xt_dscp.h", "3"),
    ]);
    assert_eq!(on_disk(&saved.path), expected);
}

fn trees() -> impl Strategy<Value = Tree> {
    let path = proptest::collection::vec("[a-d.é -]{0,2}[a-d]", 1..4);
    let content = proptest::option::weighted(0.8, proptest::collection::vec(any::<u8>(), 0..40));
    proptest::collection::vec((path, content), 1..25).prop_map(|entries| {
        let mut tree = Tree::new();
        for (steps, content) in entries {
            let path = steps.join("/");
            let inside = |one: &str, other: &str| one.starts_with(&format!("{other}/"));
            let clashes =
                |there: &String| *there == path || inside(there, &path) || inside(&path, there);
            if !tree.keys().any(clashes) {
                tree.insert(path, content);
            }
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_tree_comes_whole_in_pieces_cut_anywhere_in_any_order_and_over_restarts(
        tree in trees(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        order in any::<u64>(),
        restarts in any::<u16>(),
    ) {
        let to = tempdir().unwrap();
        let (manifest, content) = packed(&tree);
        let len = manifest.content_len();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(content.len())).collect();
        cuts.extend([0, content.len()]);
        cuts.sort_unstable();
        let mut pieces: Vec<_> = cuts.windows(2).map(|cut| cut[0]..cut[1]).collect();
        pieces.sort_by_key(|piece| (piece.start as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut incoming = target(&to).begin_folder(manifest, None, &|| false).unwrap();
        let mut written = Vec::new();
        for (at, piece) in pieces.into_iter().enumerate() {
            incoming.write_at(piece.start as u64, &content[piece.clone()]).unwrap();
            written.push(piece.start as u64..piece.end as u64);
            if restarts & (1 << at) != 0 {
                let temporary = incoming.temporary().to_owned();
                incoming.keep();
                incoming = target(&to).resume_folder(&temporary, len, None, &written).unwrap();
            }
        }
        let saved = incoming.finish(&name("it")).unwrap();
        prop_assert_eq!(on_disk(&saved.path), tree);
        prop_assert_eq!(names(&to), ["it"]);
    }
}
