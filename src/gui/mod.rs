//! The desktop application: a one-way loop.
//!
//! A view draws plain data of the [`model`] and returns [`model::Action`]s; the model turns actions and the worker's
//! [`model::Event`]s into new state and [`model::Effect`]s; the [`worker`] runs effects on its own thread and wakes
//! the window. `model` knows no egui, so its rules are tested by plain assertions.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod arguments;
pub mod backend;
mod backend_relays;
mod clipboard;
pub mod commands;
pub mod fonts;
#[cfg(all(unix, not(target_os = "macos")))]
mod hold;
pub mod keyring;
pub mod kit;
#[cfg(windows)]
mod links;
pub mod model;
mod notify;
pub mod platform;
mod spoken;
mod start;
pub mod system_look;
pub mod text;
pub mod tokens;
pub mod uri_list;
mod view;
pub mod window;
pub mod worker;
#[cfg(all(unix, not(target_os = "macos")))]
pub mod x11_drop;

pub use start::{Backends, run};
