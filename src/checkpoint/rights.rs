//! May this role keep the bookkeeping? Asked before anything is looked at, with the GRANT that helps.
//!
//! Purpose: a role that may only write rows cannot make schema `litelift`, but somebody who can may do
//! it beforehand.

use crate::connect::{Session, failure};
use crate::error::Result;
use crate::model::ident::quoted;
use crate::model::matching::Refusal;

use super::store;

/// Says what the role lacks; `None`: it may do all that a run does.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn missing(session: &Session) -> Result<Option<Refusal>> {
    let failed = |error| failure::failed("look for schema litelift", &error);
    let row = session
        .query_one(
            "SELECT current_user::text, current_database()::text, \
             has_database_privilege(current_database(), 'CREATE'), n.oid IS NOT NULL, \
             coalesce(has_schema_privilege(n.oid, 'USAGE'), false), \
             coalesce(has_schema_privilege(n.oid, 'CREATE'), false), \
             coalesce(pg_get_userbyid(n.nspowner)::text, '') \
             FROM (SELECT) AS one LEFT JOIN pg_namespace n ON n.nspname = 'litelift'",
            &[],
        )
        .await
        .map_err(failed)?;
    let role = quoted(row.get(0));
    let (may_make, is_there): (bool, bool) = (row.get(2), row.get(3));
    if !is_there {
        return Ok((!may_make).then(|| no_schema(&role, row.get(1))));
    }
    let (may_use, may_create): (bool, bool) = (row.get(4), row.get(5));
    let owner: String = row.get(6);
    let tables = session
        .query_one(
            "SELECT count(*), coalesce(bool_and(has_table_privilege(c.oid, 'SELECT') \
             AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') \
             AND has_table_privilege(c.oid, 'DELETE')), true) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'litelift' AND c.relkind = 'r'",
            &[],
        )
        .await
        .map_err(failed)?;
    let (count, may_write): (i64, bool) = (tables.get(0), tables.get(1));
    let wanted = i64::try_from(store::table_names().len()).unwrap_or(i64::MAX);
    let needs_tables = count < wanted;
    if may_use && may_write && (may_create || !needs_tables) {
        return Ok(None);
    }
    let mut grants = Vec::new();
    let rights = if needs_tables { "USAGE, CREATE" } else { "USAGE" };
    if !may_use || (needs_tables && !may_create) {
        grants.push(format!("GRANT {rights} ON SCHEMA litelift TO {role};"));
    }
    if !may_write {
        grants.push(format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA litelift TO {role};"
        ));
    }
    Ok(Some(
        Refusal::new(format!(
            "This role may not write to schema litelift of \"{}\", which holds the checkpoints.",
            owner.escape_debug()
        ))
        .hint(format!(
            "As \"{}\" or a superuser: {}",
            owner.escape_debug(),
            grants.join(" ")
        )),
    ))
}

/// What a role can do that gets neither.
pub(super) const WITHOUT: &str = "Or without it: `--checkpoint FILE` keeps the checkpoints in a file of this machine, `--no-resume` keeps none.";

fn no_schema(role: &str, database: &str) -> Refusal {
    Refusal::new("This role may not create schema litelift, which holds the checkpoints.").hint(
        format!(
            "As the owner of the database or a superuser: GRANT CREATE ON DATABASE {} TO {role}; or, to \
             give no more than that schema: CREATE SCHEMA litelift AUTHORIZATION {role}; {WITHOUT}",
            quoted(database)
        ),
    )
}
