//! The command line as people and scripts use it: what it promises, sharing and getting by real processes, and managing
//! what was shared; and the files that its packages are made of.
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

mod support;

mod command_line {
    mod end_to_end;
    mod foreign_servers;
    mod large;
    mod manage;
    mod packaging;
    mod person;
    mod promises;
    mod removal;
    mod stand_in;
    mod standard_streams;
}
