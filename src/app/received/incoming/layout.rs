//! Which name each entry of a folder has on the disk.
//!
//! Every step of a path becomes one safe component; where the file system has that name already, because for it two names
//! are one, the second gets a number. So names are decided when everything is made, in the order of the manifest. Those that
//! differ from the sender's are kept, by the numbers of the entries that they hold for, and written down beside the folder:
//! what is fetched later, also after a restart, goes to the same places without a list of all entries.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How many of the names that were changed are told.
const MAX_TOLD: usize = 100;

/// What in a saved folder has another name than it had at the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renamed {
    /// How many files and folders have another name.
    pub count: u64,
    /// The path of each at the sender, with single slashes between, and the name that it has here: the first of them, at
    /// most 100. The paths are hostile text.
    pub first: Vec<(String, String)>,
}

/// The names on the disk that differ from those in the manifest, and which entries are there at all.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FolderLayout {
    /// The numbers of the entries that are there, in ascending order; none for all of them.
    pub(super) chosen: Option<Vec<Range<u32>>>,
    /// In ascending order of depth and first entry.
    renamed: Vec<RenamedStep>,
}

/// One step of the paths of some entries, which has another name on the disk.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct RenamedStep {
    /// Which step: 0 for the outermost.
    depth: u8,
    /// The first entry that it is a step of.
    first: u32,
    /// The last one.
    last: u32,
    /// Its name.
    name: Box<str>,
}

impl FolderLayout {
    pub(super) const fn new(chosen: Option<Vec<Range<u32>>>) -> Self {
        Self {
            chosen,
            renamed: Vec::new(),
        }
    }

    /// Whether the entry is there.
    pub(super) fn is_chosen(&self, number: u32) -> bool {
        self.chosen.as_deref().is_none_or(|chosen| {
            let at = chosen.partition_point(|range| range.end <= number);
            chosen.get(at).is_some_and(|range| range.contains(&number))
        })
    }

    /// Notes that a step of the entries `first` to `last` has this name. To be sorted with [`FolderLayout::sort`] at the end.
    pub(super) fn rename(&mut self, depth: usize, first: u32, last: u32, name: &str) {
        // A path has at most 100 steps.
        let depth = u8::try_from(depth).unwrap_or(u8::MAX);
        self.renamed.push(RenamedStep {
            depth,
            first,
            last,
            name: name.into(),
        });
    }

    pub(super) fn sort(&mut self) {
        self.renamed.sort_by_key(|step| (step.depth, step.first));
    }

    /// The name on the disk of a step of an entry, which is called `step` in the manifest.
    pub(super) fn name<'a>(&'a self, number: u32, depth: usize, step: &'a str) -> &'a str {
        let key = (depth, number);
        let after = self
            .renamed
            .partition_point(|renamed| (renamed.depth.into(), renamed.first) <= key);
        let found = after.checked_sub(1).and_then(|at| self.renamed.get(at));
        let found = found.filter(|it| usize::from(it.depth) == depth && number <= it.last);
        found.map_or(step, |renamed| &renamed.name)
    }

    /// What is told of the names that differ. `path` gives the path of an entry in the manifest.
    pub(super) fn renamed<'a>(&self, path: impl Fn(u32) -> Option<&'a str>) -> Renamed {
        let told = self.renamed.iter().take(MAX_TOLD).filter_map(|step| {
            let steps = path(step.first)?.split('/');
            let steps: Vec<_> = steps.take(usize::from(step.depth) + 1).collect();
            Some((steps.join("/"), step.name.to_string()))
        });
        Renamed {
            count: self.renamed.len() as u64,
            first: told.collect(),
        }
    }

    /// Whether every name in it is one component of a path.
    pub(super) fn is_sound(&self) -> bool {
        let is_one =
            |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']);
        self.renamed.iter().all(|step| is_one(&step.name))
    }
}
