//! The arguments of `--data-only`, and what they mean.

use clap::Args;

use crate::error::{Error, Result};
use crate::options::{DataOnly, OnExisting, OnExistingOf};

#[derive(Debug, Args)]
#[command(next_help_heading = "Into tables that are there already")]
pub(super) struct DataOnlyArgs {
    /// Fill the tables of the app's own migrations
    #[arg(long, conflicts_with_all = ["names", "comments", "follow_ups"])]
    pub(super) data_only: bool,
    /// Rows there: truncate, keep, upsert; TABLE=WHAT
    #[arg(long, value_name = "WHAT", requires = "data_only")]
    pub(super) on_existing: Vec<String>,
    /// Where a table or TABLE.COLUMN goes (repeatable)
    #[arg(long, value_name = "OLD=NEW", requires = "data_only")]
    pub(super) rename: Vec<String>,
    /// Never touch tables like 'cache_*' (repeatable)
    #[arg(long, value_name = "GLOB", requires = "data_only")]
    pub(super) protect: Vec<String>,
    /// A table of migrations: compared, never copied
    #[arg(long, value_name = "TABLE=COLUMN", requires = "data_only")]
    pub(super) tracking: Vec<String>,
    /// Let a trigger run for each row (repeatable)
    #[arg(long, value_name = "GLOB", requires = "data_only")]
    pub(super) keep_trigger: Vec<String>,
    /// Go on when the migrations of the sides differ
    #[arg(long, requires = "data_only")]
    pub(super) allow_version_mismatch: bool,
    /// Make the tables that the target lacks
    #[arg(long, requires = "data_only")]
    pub(super) create_missing: bool,
}

/// Returns the options; `None` without `--data-only`.
pub(super) fn data_only(args: DataOnlyArgs) -> Result<Option<DataOnly>> {
    if !args.data_only {
        return Ok(None);
    }
    let on_existing: Result<Vec<_>> =
        args.on_existing.iter().map(|text| on_existing(text)).collect();
    Ok(Some(DataOnly {
        on_existing: on_existing?,
        renames: args.rename,
        protect: args.protect,
        tracking: args.tracking,
        keep_triggers: args.keep_trigger,
        allow_version_mismatch: args.allow_version_mismatch,
        create_missing: args.create_missing,
    }))
}

/// Reads one `--on-existing`.
fn on_existing(text: &str) -> Result<OnExistingOf> {
    OnExisting::parse(text).ok_or_else(|| {
        Error::usage(format!("--on-existing \"{}\" is not known", text.escape_debug()))
            .hint("Give refuse, truncate, keep or upsert, or TABLE=truncate for some tables.")
            .hint("Behind keep and upsert a unique key may be named: 'TABLE=upsert:email', 'TABLE=keep:a+b'. A column whose name holds one of + = : \" stands in double quotes.")
    })
}
