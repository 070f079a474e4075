//! Expressions of SQLite and their translations, both executed: the values must be the same.
//!
//! Purpose: [`cases`] are 180 expressions that were collected from real schemas and from the manuals,
//! [`random`] makes others. Right is a translation that gives SQLite's value in every row, by type and
//! value; a refusal with a reason is allowed, a wrong value never is.
//!
//! Knobs: `LITELIFT_EXPRESSIONS`, how many random expressions are tried (3,000), and
//! `LITELIFT_EXPRESSIONS_SEED`.

mod both;
mod canary;
mod carried;
mod cases;
mod random;
