//! The server as devices meet it: real requests to a listening server, on both stores.

#![expect(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod app_files;
mod commands;
mod every_answer;
mod hostile;
mod hubs;
mod limits;
mod live;
mod pull;
mod push;
mod rejections;
mod restart;
mod servers;
mod sign_in;
mod stores;
mod support;
