//! What PostgreSQL's catalogue says of a schema, as sorted lines.
//!
//! Purpose: two databases have the same schema when their lines are equal. Names of constraints and
//! of sequences are left out on demand, for tools choose them freely.

use super::pg;

/// What of the catalogue to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// All names.
    All,
    /// Not those of constraints and their indexes.
    NotOfKeys,
}

/// Returns the lines of schema public: columns, constraints, indexes, views, comments, types.
pub(crate) fn lines(url: &str, names: Names) -> Vec<String> {
    pg::query_text(url, &query(names)).into_iter().flatten().collect()
}

/// Returns the lines that statements make in an empty schema, and undoes them.
pub(crate) fn lines_of(url: &str, statements: &[String], names: Names) -> Vec<String> {
    let sql = format!("BEGIN; {}; {}; ROLLBACK", statements.join("; "), query(names));
    pg::query_text(url, &sql).into_iter().flatten().collect()
}

fn query(names: Names) -> String {
    let name = |column: &str| match names {
        Names::All => format!("' ' || {column}"),
        Names::NotOfKeys => "''".to_owned(),
    };
    let (constraint, index) = (name("k.conname"), name("i.relname"));
    format!(
        "SET search_path = public;
         SELECT line FROM (
         SELECT 'table ' || c.relname || ' ' || c.relkind::text AS line FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
         UNION ALL
         SELECT 'column ' || c.relname || '.'
           || (SELECT count(*) FROM pg_attribute b WHERE b.attrelid = c.oid AND b.attnum BETWEEN 1 AND a.attnum
                AND NOT b.attisdropped)::text || ' ' || quote_ident(a.attname) || ' '
           || format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || CASE WHEN a.attidentity <> '' THEN ' IDENTITY ' || a.attidentity::text ELSE '' END
           || CASE WHEN a.attgenerated <> '' THEN ' GENERATED' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
           || coalesce(' COMMENT ' || col_description(c.oid, a.attnum), '')
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
           AND NOT a.attisdropped
         UNION ALL
         SELECT 'constraint ' || c.relname || {constraint} || ' ' || regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')
           FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
           WHERE k.connamespace = 'public'::regnamespace AND k.contype <> 'n'
         UNION ALL
         SELECT 'index ' || c.relname || {index} || CASE WHEN x.indisunique THEN ' UNIQUE ' ELSE ' ' END
           || substring(pg_get_indexdef(x.indexrelid) FROM ' USING .*$')
           FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
           WHERE c.relnamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.indexrelid AND contype IN ('p', 'u'))
         UNION ALL
         SELECT 'view ' || viewname || ' ' || regexp_replace(definition, '\\s+', ' ', 'g')
           FROM pg_views WHERE schemaname = 'public'
         UNION ALL
         SELECT 'type ' || t.typname || ' ' || (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder)
           FROM pg_enum WHERE enumtypid = t.oid)
           FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e'
         ) x ORDER BY line COLLATE \"C\""
    )
}

/// Returns what only one of two sides has: `- ` of the first, `+ ` of the second.
pub(crate) fn difference(first: &[String], second: &[String]) -> Vec<String> {
    let mut rest: Vec<&String> = second.iter().collect();
    let mut only = Vec::new();
    for line in first {
        match rest.iter().position(|other| *other == line) {
            Some(at) => {
                rest.remove(at);
            }
            None => only.push(format!("- {line}")),
        }
    }
    only.extend(rest.into_iter().map(|line| format!("+ {line}")));
    only
}
