//! The window: what a person does in it and reads in it, how it looks, and what it keeps.
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

mod window {
    mod built_in;
    mod desk;
    mod desktop;
    mod fits;
    mod joining;
    mod keeping;
    mod languages;
    mod licences;
    mod pictures;
    mod rules;
    mod settings;
    mod tasks;
}
