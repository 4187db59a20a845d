//! The list of crates in the About sheet names what is compiled in. `packaging/licences > assets/licences.txt` makes it
//! anew.

use std::collections::BTreeSet;

const LISTED: &str = include_str!("../../assets/licences.txt");

#[test]
fn every_direct_dependency_is_listed_with_its_licence() {
    let manifest: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
    let lines = LISTED.lines().flat_map(|line| line.split(", "));
    let names: BTreeSet<&str> = lines
        .filter_map(|entry| entry.split_once(' ').map(|(name, _version)| name))
        .collect();
    let wanted = manifest["dependencies"].as_table().unwrap();
    let missing: Vec<&String> = wanted
        .keys()
        .filter(|name| !names.contains(name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "run packaging/licences: {missing:?} are not in assets/licences.txt"
    );
}
