//! The desktop application: a one-way loop.
//!
//! A view draws plain data of the [`model`] and returns [`model::Action`]s; the model turns actions and the worker's
//! [`model::Event`]s into new state and [`model::Effect`]s; the [`worker`] runs effects on its own thread and wakes
//! the window. `model` knows no egui, so its rules are tested by plain assertions.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod arguments;
pub mod backend;
pub mod commands;
pub mod fonts;
pub mod kit;
pub mod model;
pub mod platform;
mod spoken;
mod start;
pub mod text;
pub mod tokens;
mod view;
pub mod window;
pub mod worker;

pub use start::run;
