//! The HTTP server in this process, asked by a real client: what SDKs and people rely on, and what no request
//! may do to it.

mod fixture;
mod formats;
mod protocol;
mod requests;
mod running;
