//! The server as devices meet it: real requests to a listening server, on both stores.

mod app_files;
mod hostile;
mod live;
mod pull;
mod push;
mod rejections;
mod restart;
mod sign_in;
mod support;
