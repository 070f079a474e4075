//! JSON functions and arrows, over columns that became jsonb.
//!
//! A part of a document has the class that it has in the document: what SQLite gives as integer,
//! real or text is a jsonb value here, until something says which of them is meant. jsonb keeps
//! neither blanks nor the order of keys, so documents come out as jsonb prints them.

use crate::model::expression::{Expr, Literal};
use crate::model::ident::literal;
use crate::model::source::Affinity;

use super::Translator;
use super::arithmetic::{boolean_as_integer, decimal, null_of};
use super::compare::{Compared, Comparison};
use super::value::{Class, Constant, Sql, Value};

type Outcome = Result<Value, String>;

/// A step of a path.
enum Step {
    Key(String),
    Index(i64),
    /// One past the end of an array: nothing.
    End,
}

impl Translator<'_> {
    pub(super) fn json_function(
        &mut self,
        name: &str,
        args: &[Expr],
    ) -> Result<Option<Value>, String> {
        Ok(Some(match (name, args) {
            ("json_extract", [of, path]) => self.part_of(of, path)?,
            ("json_extract", [_, _, ..]) => return Err("json_extract of several paths".into()),
            ("json_type", [of]) => json_type(&self.document(of)?),
            ("json_type", [of, path]) => json_type(&self.part_of(of, path)?),
            ("json_array_length", [of]) => array_length(&self.document(of)?),
            ("json_array_length", [of, path]) => array_length(&self.part_of(of, path)?),
            ("json_valid", [of]) => {
                let value = self.value(of)?;
                if value.class != Class::Json {
                    return Err(
                        "whether a text is JSON cannot be asked before PostgreSQL 16".into()
                    );
                }
                let sql = if value.nullable {
                    format!("CASE WHEN {} IS NOT NULL THEN true END", value.sql.operand())
                } else {
                    "true".to_owned()
                };
                Value::of(Sql::tight(sql), Class::Bool, &[&value])
            }
            ("json", [of]) => {
                let mut document = self.document(of)?.returned();
                document.is_json_value = true;
                document
            }
            ("json_object", pairs) if pairs.len().is_multiple_of(2) => {
                self.built("jsonb_build_object", pairs)?
            }
            ("json_array", items) => self.built("jsonb_build_array", items)?,
            _ => return Ok(None),
        }))
    }

    /// `of -> path` and `of ->> path`
    pub(super) fn arrow(&mut self, of: &Expr, path: &Expr, as_value: bool) -> Outcome {
        let steps = match path {
            Expr::Literal(Literal::Text(path)) if path.starts_with('$') => steps(path)?,
            Expr::Literal(Literal::Text(key)) => vec![Step::Key(key.clone())],
            Expr::Literal(Literal::Number(index)) => {
                vec![Step::Index(index.parse().map_err(|_| "-> with that index")?)]
            }
            _ => return Err("-> with a path that is not constant".into()),
        };
        let document = self.document(of)?;
        let class = if as_value { Class::JsonItem } else { Class::Json };
        Ok(follow(&document, &steps, class))
    }

    fn part_of(&mut self, of: &Expr, path: &Expr) -> Outcome {
        let document = self.document(of)?;
        let Expr::Literal(Literal::Text(path)) = path else {
            return Err("a path into JSON that is not constant".into());
        };
        Ok(follow(&document, &steps(path)?, Class::JsonItem))
    }

    /// A JSON document: a column of jsonb, or a text that must be one for SQLite too.
    fn document(&mut self, of: &Expr) -> Outcome {
        let value = self.value(of)?;
        match value.class {
            Class::Json => Ok(value),
            Class::Text => {
                let mut document = Value::of(value.sql.cast("jsonb"), Class::Json, &[&value]);
                document.is_collated = false;
                Ok(document)
            }
            Class::Null => Ok(Value::new(Sql::tight("NULL::jsonb"), Class::Json)),
            class => Err(format!("{} is taken for JSON", class.shown())),
        }
    }

    fn built(&mut self, function: &str, args: &[Expr]) -> Outcome {
        let mut texts = Vec::new();
        let mut values = Vec::new();
        for arg in args {
            let value = self.value(arg)?;
            texts.push(element(&value)?);
            values.push(value);
        }
        self.stable("jsonb_build_object() is not");
        let sql = Sql::call(function, &texts.iter().collect::<Vec<_>>());
        let mut made = Value::of(sql, Class::Json, &values.iter().collect::<Vec<_>>()).not_null();
        made.is_json_value = true;
        Ok(made)
    }
}

/// A value as an element of a document that is built.
pub(super) fn element(value: &Value) -> Result<Sql, String> {
    match value.class {
        Class::Null => Ok(Sql::tight("NULL::text")),
        Class::Bool => Ok(boolean_as_integer(value)),
        Class::Text if value.constant.is_some() => Ok(value.sql.cast("text")),
        // A column of JSON is a text for SQLite, and jsonb does not keep it.
        Class::Json if !value.is_json_value => {
            Err("the text of a JSON column becomes a part of JSON".into())
        }
        Class::Int | Class::Real | Class::Text | Class::Json if !value.is_infinite => {
            Ok(value.sql.clone())
        }
        class => Err(format!("{} becomes a part of JSON", class.shown())),
    }
}

fn follow(document: &Value, steps: &[Step], class: Class) -> Value {
    let mut sql = document.sql.operand();
    for step in steps {
        let step = match step {
            Step::Key(key) => literal(key),
            Step::Index(index) if *index < 0 => format!("({index})"),
            Step::Index(index) => index.to_string(),
            Step::End => return null_of(Class::Text, &[document]),
        };
        sql.push_str(&format!(" -> {step}"));
    }
    let sql = if steps.is_empty() { Sql::tight(sql) } else { Sql::loose(sql) };
    let mut found = Value::of(sql, class, &[document]).maybe_null();
    found.is_json_value = class == Class::Json;
    found
}

/// Reads `$.key."key"[0][#-1]`.
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let malformed = || format!("the path '{}' into JSON", path.escape_debug());
    let mut rest = path.strip_prefix('$').ok_or_else(malformed)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let (key, after) = if let Some(quoted) = after.strip_prefix('"') {
                let (key, after) = quoted.split_once('"').ok_or_else(malformed)?;
                if key.contains('\\') {
                    return Err(malformed());
                }
                (key, after)
            } else {
                after.split_at(after.find(['.', '[']).unwrap_or(after.len()))
            };
            if key.is_empty() || key.contains('*') {
                return Err(malformed());
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        } else {
            let (index, after) = rest
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
                .ok_or_else(malformed)?;
            let digits = |text: &str| text.parse::<u32>().map(i64::from).map_err(|_| malformed());
            steps.push(match index.strip_prefix('#') {
                None => Step::Index(digits(index)?),
                Some("") => Step::End,
                Some(back) => match digits(back.strip_prefix('-').ok_or_else(malformed)?)? {
                    0 => Step::End,
                    count => Step::Index(-count),
                },
            });
            rest = after;
        }
    }
    Ok(steps)
}

/// The text of a part of a document, where true is 1 and false is 0.
pub(super) fn item_text(item: &Sql) -> Sql {
    let item = item.operand();
    Sql::tight(format!(
        "CASE {item} WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {item} #>> '{{}}' END"
    ))
}

/// A part of a document on the left.
pub(super) fn compared(op: Comparison, item: &Value, other: &Value) -> Result<Compared, String> {
    let sql = item.sql.operand();
    if other.affinity == Some(Affinity::Text) && other.class == Class::Text && !op.is_ordering() {
        return Ok(Compared::Operator(op, item_text(&item.sql), other.sql.clone()));
    }
    let there = format!("NULLIF({}, 'null'::jsonb)", item.sql.text);
    let negated = matches!(op, Comparison::NotEqual | Comparison::Distinct);
    let constant = match &other.constant {
        Some(constant) if other.affinity.is_none() => constant,
        _ => return Err("a part of JSON is compared with what is not constant".into()),
    };
    let number = match constant {
        Constant::Int(number) => Some(number.to_string()),
        Constant::Real(real) if real.is_finite() => Some(decimal(*real)),
        _ => None,
    };
    if let Some(number) = number {
        if !op.is_ordering() {
            let mut alike = vec![format!("'{number}'::jsonb")];
            match constant {
                Constant::Int(1) => alike.push("'true'::jsonb".into()),
                Constant::Int(0) => alike.push("'false'::jsonb".into()),
                _ => {}
            }
            let sql = match (alike.as_slice(), negated) {
                ([only], false) => format!("{there} = {only}"),
                ([only], true) => format!("{there} <> {only}"),
                (several, false) => format!("{there} IN ({})", several.join(", ")),
                (several, true) => format!("{there} NOT IN ({})", several.join(", ")),
            };
            return Ok(Compared::Condition(Sql::loose(sql)));
        }
        let sign = sign(op);
        // Texts sort behind numbers.
        let text = matches!(op, Comparison::Greater | Comparison::GreaterEqual);
        return Ok(Compared::Condition(Sql::tight(format!(
            "CASE jsonb_typeof({text_of}) WHEN 'number' THEN ({sql} #>> '{{}}')::numeric {sign} {number} \
             WHEN 'boolean' THEN ({sql} #>> '{{}}')::boolean::integer {sign} {number} \
             WHEN 'string' THEN {text} WHEN 'array' THEN {text} WHEN 'object' THEN {text} END",
            text_of = item.sql.text,
        ))));
    }
    let Constant::Text(text) = constant else {
        return Err("a part of JSON is compared with a blob".into());
    };
    if text.starts_with(['{', '[']) || (text.is_empty() && op.is_ordering()) {
        return Err("a part of JSON is compared with the text of a document".into());
    }
    if item.is_collated || other.is_collated {
        return Err("a part of JSON is compared by a collation".into());
    }
    if !op.is_ordering() {
        let sign = if negated { "<>" } else { "=" };
        let written = literal(&json_string(text));
        return Ok(Compared::Condition(Sql::loose(format!("{there} {sign} {written}::jsonb"))));
    }
    let sign = sign(op);
    let number = matches!(op, Comparison::Less | Comparison::LessEqual);
    let written = literal(text);
    Ok(Compared::Condition(Sql::tight(format!(
        "CASE jsonb_typeof({text_of}) WHEN 'number' THEN {number} WHEN 'boolean' THEN {number} \
         WHEN 'null' THEN NULL ELSE ({sql} #>> '{{}}') COLLATE \"C\" {sign} {written} END",
        text_of = item.sql.text,
    ))))
}

const fn sign(op: Comparison) -> &'static str {
    match op {
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        _ => ">=",
    }
}

/// A text as a JSON string.
fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn json_type(item: &Value) -> Value {
    let sql = item.sql.operand();
    let text = format!(
        "CASE jsonb_typeof({of}) WHEN 'number' THEN CASE WHEN {sql} #>> '{{}}' ~ '[.eE]' THEN 'real' \
         ELSE 'integer' END WHEN 'string' THEN 'text' WHEN 'boolean' THEN {sql} #>> '{{}}' \
         ELSE jsonb_typeof({of}) END",
        of = item.sql.text
    );
    Value::of(Sql::tight(text), Class::Text, &[item]).maybe_null()
}

fn array_length(item: &Value) -> Value {
    let of = &item.sql.text;
    let sql = format!(
        "CASE WHEN jsonb_typeof({of}) = 'array' THEN jsonb_array_length({of}) \
         WHEN {} IS NOT NULL THEN 0 END",
        item.sql.operand()
    );
    Value::of(Sql::tight(sql), Class::Int, &[item]).narrow().non_negative().maybe_null()
}
