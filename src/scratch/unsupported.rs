//! The scratch server on systems that are not Unix: none yet.
//!
//! Purpose: the crate compiles, and the user learns what to do instead.

use std::path::Path;

use crate::error::{Error, Result};

use super::{Binaries, Settings};

/// Stands in for the server of Unix systems; no value of it exists.
#[derive(Debug)]
pub struct Server(std::convert::Infallible);

impl Server {
    /// Fails: a scratch server needs a Unix system.
    ///
    /// # Errors
    /// Always.
    pub fn start(_: &Binaries, _: &Settings) -> Result<Self> {
        Err(Error::target("cannot run a scratch PostgreSQL on this system")
            .detail("It is reached through a private Unix socket, as on Linux and macOS.")
            .hint("Name a server that may hold a scratch database with --scratch-url."))
    }

    /// Fails: a scratch server needs a Unix system.
    ///
    /// # Errors
    /// Always.
    pub fn start_heeding(
        binaries: &Binaries,
        settings: &Settings,
        _: &crate::event::Cancel,
    ) -> Result<Self> {
        Self::start(binaries, settings)
    }

    /// Cannot be called: there is no server.
    #[must_use]
    pub fn url(&self, _database: &str) -> String {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    #[must_use]
    pub fn user(&self) -> &str {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    #[must_use]
    pub fn version(&self) -> &str {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    ///
    /// # Errors
    /// None.
    pub fn stop_immediate(&mut self) -> Result<()> {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    ///
    /// # Errors
    /// None.
    pub fn start_again(&mut self) -> Result<()> {
        match self.0 {}
    }

    /// Cannot be called: there is no server.
    ///
    /// # Errors
    /// None.
    pub fn stop(self) -> Result<()> {
        match self.0 {}
    }
}
