//! A target that watches: a canary that no text of a source may harm, and a log of every statement
//! that makes something, written by the server itself. The role must be a superuser, as the tests' own is.

use litelift::report::{DdlReport, TransferReport};

use crate::support::pg::TestDb;

/// Before the transfer.
pub(super) fn prepare(database: &TestDb) {
    database.execute(
        "CREATE SCHEMA safe;
         CREATE TABLE safe.canary AS SELECT 1 AS alive;
         CREATE TABLE safe.log (statement text);
         CREATE FUNCTION safe.write() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO safe.log VALUES (current_query()); END $$;
         CREATE EVENT TRIGGER log ON ddl_command_end EXECUTE FUNCTION safe.write();",
    );
}

/// After it: the canary is there, and the server ran the statements of the dry run and no others.
pub(super) fn check(
    database: &TestDb,
    dry: &DdlReport,
    report: &TransferReport,
) -> Result<(), String> {
    if database.query_text("SELECT alive FROM safe.canary") != [Some("1".to_owned())] {
        return Err("the canary is dead".to_owned());
    }
    // Those two make no object, and start no event trigger.
    let is_logged = |sql: &&String| !sql.starts_with("ANALYZE ") && !sql.starts_with("SELECT ");
    let said: Vec<&String> = dry.before.iter().chain(&dry.after).filter(is_logged).collect();
    let ran: Vec<String> = database
        .query_text("SELECT DISTINCT statement FROM safe.log")
        .into_iter()
        .flatten()
        .filter(|sql| !sql.starts_with("-- litelift's bookkeeping."))
        .filter(|sql| sql != "CREATE SCHEMA litelift")
        .collect();
    for sql in &ran {
        if !said.contains(&sql) {
            return Err(format!("the dry run did not say: {sql}"));
        }
    }
    for sql in said {
        let is_validation = sql.contains(" VALIDATE CONSTRAINT ");
        let is_refused = report.refused.iter().any(|refused| refused.statement == *sql)
            // An orphan, or a key that was refused before.
            || is_validation && (!report.orphans.is_empty() || !report.refused.is_empty());
        if ran.contains(sql) == is_refused && !(is_validation && is_refused) {
            return Err(format!("the dry run said, and the server did not run: {sql}"));
        }
    }
    Ok(())
}
