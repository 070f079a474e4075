//! The throwaway server and the borrowed database, against a real PostgreSQL.

#![cfg(unix)]

mod abandoned;
mod borrowed;
mod server;
