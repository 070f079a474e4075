//! What is left to do by hand, and what could be done.

/// Something that was not carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// What it is, such as `trigger`.
    pub object: String,
    /// Table that it belongs to, if any.
    pub table: Option<String>,
    /// Its name.
    pub name: String,
    /// Why, a sentence without the full stop.
    pub reason: String,
    /// How the source says it.
    pub source_text: String,
    /// What could take its place.
    pub proposal: Option<Proposal>,
}

/// Statements for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The statements, the last without a semicolon.
    pub sql: String,
    /// They run as they are and change no row; others are to be edited first.
    pub is_ready: bool,
}

impl Proposal {
    /// Statements that can be run as they are.
    #[must_use]
    pub fn ready(sql: impl Into<String>) -> Option<Self> {
        Some(Self { sql: sql.into(), is_ready: true })
    }

    /// Statements that somebody has to look at first.
    #[must_use]
    pub fn to_edit(sql: impl Into<String>) -> Option<Self> {
        Some(Self { sql: sql.into(), is_ready: false })
    }
}
