//! Values as text, and what is done with texts.

use super::arithmetic::{boolean_as_integer, null_of, wide};
use super::json;
use super::value::{Class, Constant, Sql, Value};
use super::{Need, Translator};

type Outcome = Result<Value, String>;

impl Translator<'_> {
    /// The text that SQLite makes of a value.
    pub(super) fn text_of(&mut self, value: &Value) -> Result<Sql, String> {
        match value.class {
            Class::Null => Ok(Sql::tight("NULL::text")),
            Class::Text | Class::Mixed => Ok(value.sql.clone()),
            Class::Bool => match value.int_constant() {
                Some(number) => Ok(Sql::tight(format!("'{number}'"))),
                None => Ok(value.sql.cast("integer").cast("text")),
            },
            Class::Int => match value.int_constant() {
                Some(number) => Ok(Sql::tight(format!("'{number}'"))),
                None => Ok(value.sql.cast("text")),
            },
            Class::Real => {
                self.real_digits()?;
                text_of_real(value)
            }
            Class::JsonItem => Ok(json::item_text(&value.sql)),
            Class::Number if value.is_stored_number => {
                self.real_digits()?;
                text_of_number(value)
            }
            class => Err(format!("{} is taken for text", class.shown())),
        }
    }

    /// The same for what looks at the characters of the text: not for one that shows a real.
    pub(super) fn characters_of(&mut self, value: &Value) -> Result<Sql, String> {
        if value.has_real_digits || matches!(value.class, Class::Real | Class::Number) {
            return Err("versions of SQLite print different digits of a real".into());
        }
        self.text_of(value)
    }

    /// The same as a value.
    pub(super) fn as_text(&mut self, value: &Value) -> Outcome {
        if value.class == Class::Text {
            return Ok(value.clone());
        }
        if let Some(number) = value.int_constant() {
            return Ok(Value::constant(Constant::Text(number.to_string())));
        }
        let mut text = Value::of(self.text_of(value)?, Class::Text, &[value]);
        if value.is_null() {
            text.class = Class::Null;
            text.constant = Some(Constant::Null);
        }
        Ok(text)
    }

    /// `left || right`
    pub(super) fn concat(&mut self, left: &Value, right: &Value) -> Outcome {
        let (a, b) = (self.text_of(left)?, self.text_of(right)?);
        // A chain stays flat: || has one meaning on texts, from whichever side it is read.
        let flat = |value: &Value, sql: &Sql| {
            if value.is_concatenation() { sql.text.clone() } else { sql.operand() }
        };
        let sql = Sql::loose(format!("{} || {}", flat(left, &a), flat(right, &b)));
        let mut value = Value::of(sql, Class::Text, &[left, right]);
        value.instant = None;
        if left.is_null() || right.is_null() {
            return Ok(null_of(Class::Text, &[left, right]));
        }
        value.is_concat = true;
        Ok(value)
    }

    /// `length(x)`
    pub(super) fn length(&mut self, value: &Value) -> Outcome {
        let sql = match value.class {
            Class::Blob => value.sql.clone(),
            _ => self.characters_of(value)?,
        };
        Ok(Value::of(Sql::call("length", &[&sql]), Class::Int, &[value]).narrow().non_negative())
    }

    /// `lower(x)` and `upper(x)`: ASCII letters only.
    pub(super) fn letter_case(&mut self, name: &str, value: &Value) -> Outcome {
        let text = self.characters_of(value)?;
        Ok(Value::of(Sql::call(name, &[&text.bytewise()]), Class::Text, &[value]))
    }

    /// `trim(x)`, `trim(x, characters)` and its kin.
    pub(super) fn trim(&mut self, name: &str, args: &[Value]) -> Outcome {
        let text = self.characters_of(&args[0])?;
        let characters = match args.get(1) {
            Some(characters) => self.characters_of(characters)?,
            None => Sql::tight("' '"),
        };
        let refs: Vec<&Value> = args.iter().collect();
        Ok(Value::of(Sql::call(name, &[&text, &characters]), Class::Text, &refs))
    }

    /// `instr(haystack, needle)`
    pub(super) fn instr(&mut self, args: &[Value]) -> Outcome {
        let [haystack, needle] = args else { return Err("instr takes two arguments".into()) };
        let sql = if haystack.class == Class::Blob && needle.class == Class::Blob {
            Sql::tight(format!("position({} IN {})", needle.sql.operand(), haystack.sql.operand()))
        } else {
            Sql::call("strpos", &[&self.characters_of(haystack)?, &self.characters_of(needle)?])
        };
        Ok(Value::of(sql, Class::Int, &[haystack, needle]).narrow().non_negative())
    }

    /// `replace(x, from, to)`
    pub(super) fn replace(&mut self, args: &[Value]) -> Outcome {
        let texts =
            args.iter().map(|arg| self.characters_of(arg)).collect::<Result<Vec<_>, _>>()?;
        let refs: Vec<&Value> = args.iter().collect();
        let texts: Vec<&Sql> = texts.iter().collect();
        Ok(Value::of(Sql::call("replace", &texts), Class::Text, &refs))
    }

    /// `substr(x, start)` and `substr(x, start, count)`. Positions before the first one count, on
    /// both sides; a negative start counts from the end, a negative count goes backwards.
    pub(super) fn substr(&mut self, args: &[Value]) -> Outcome {
        let [of, start, ..] = args else {
            return Err("substr takes two or three arguments".into());
        };
        let count = args.get(2);
        let refs: Vec<&Value> = args.iter().collect();
        if refs.iter().any(|arg| arg.is_null()) {
            return Ok(null_of(Class::Text, &refs));
        }
        let class = if of.class == Class::Blob { Class::Blob } else { Class::Text };
        let text = if class == Class::Blob {
            // Of an empty blob SQLite makes NULL.
            Sql::call("NULLIF", &[&of.sql, &super::value::blob(&[])])
        } else {
            self.characters_of(of)?
        };
        if let (None, Some(from), Class::Text) = (count, start.int_constant(), class)
            && (-(1 << 30)..0).contains(&from)
        {
            let right = Sql::call("right", &[&text, &Sql::tight((-from).to_string())]);
            return Ok(Value::of(right, class, &refs));
        }
        if args.iter().any(|arg| arg.is_volatile)
            && start.int_constant().is_none()
            && !start.non_negative
        {
            return Err("substr would compute its arguments several times".into());
        }
        let from = position(start, &text)?;
        let sql = match count {
            // Whoever starts before the first position gets everything.
            None => Sql::call("substr", &[&text, &from]),
            Some(count) => match count.int_constant() {
                Some(n @ 0..=0x3FFF_FFFF) => {
                    Sql::call("substr", &[&text, &from, &Sql::tight(n.to_string())])
                }
                Some(n @ -0x3FFF_FFFF..0) => {
                    let first = Sql::loose(format!("{} - {}", from.operand(), -n));
                    Sql::call("substr", &[&text, &first, &Sql::tight((-n).to_string())])
                }
                Some(_) => return Err("substr counts beyond any text".into()),
                None => {
                    if of.is_volatile || start.is_volatile || count.is_volatile {
                        return Err("substr would compute its arguments several times".into());
                    }
                    let n = as_int4(count)?;
                    if count.non_negative {
                        Sql::call("substr", &[&text, &from, &n])
                    } else {
                        Sql::tight(format!(
                            "CASE WHEN {n} < 0 THEN substr({text}, {from} + {n}, - {n}) \
                             ELSE substr({text}, {from}, {n}) END",
                            n = n.operand(),
                            text = text.text,
                            from = from.operand(),
                        ))
                    }
                }
            },
        };
        Ok(Value::of(sql, class, &refs))
    }

    /// `hex(x)`: of NULL it is the empty text.
    pub(super) fn hex(&mut self, value: &Value) -> Outcome {
        let bytes = self.bytes_of(value)?;
        let upper = Sql::tight(format!("upper(encode({}, 'hex'))", bytes.text));
        let mut hex = Value::of(upper.clone(), Class::Text, &[value]).not_null();
        if value.nullable {
            hex.sql = Sql::call("coalesce", &[&upper, &Sql::tight("''")]);
        }
        hex.is_random_text = value.is_volatile && value.class == Class::Blob;
        Ok(hex)
    }

    /// The bytes of a blob or of a text.
    pub(super) fn bytes_of(&mut self, value: &Value) -> Result<Sql, String> {
        if value.class == Class::Blob {
            return Ok(value.sql.clone());
        }
        if !self.is_utf8 {
            return Err("the source keeps text in UTF-16, so its bytes are others".into());
        }
        let text = self.characters_of(value)?;
        self.stable("convert_to is not");
        Ok(Sql::call("convert_to", &[&text, &Sql::tight("'UTF8'")]))
    }

    /// `quote(x)`
    pub(super) fn quote(&mut self, value: &Value) -> Outcome {
        let sql = match value.class {
            Class::Null => Sql::tight("'NULL'"),
            Class::Text => {
                Sql::loose(format!("'''' || replace({}, '''', '''''') || ''''", value.sql.text))
            }
            Class::Blob => {
                Sql::loose(format!("'X''' || upper(encode({}, 'hex')) || ''''", value.sql.text))
            }
            Class::Int | Class::Bool => self.text_of(value)?,
            class => return Err(format!("quote of {}", class.shown())),
        };
        let sql = if value.nullable && !value.is_null() {
            Sql::call("coalesce", &[&sql, &Sql::tight("'NULL'")])
        } else {
            sql
        };
        Ok(Value::of(sql, Class::Text, &[value]).not_null())
    }

    /// `concat(...)` and `concat_ws(separator, ...)`, which pass over NULL.
    pub(super) fn concat_all(&mut self, args: &[Value], with_separator: bool) -> Outcome {
        let texts = args.iter().map(|arg| self.text_of(arg)).collect::<Result<Vec<_>, _>>()?;
        let texts: Vec<&Sql> = texts.iter().collect();
        self.stable("concat is not");
        let refs: Vec<&Value> = args.iter().collect();
        let name = if with_separator { "concat_ws" } else { "concat" };
        let value = Value::of(Sql::call(name, &texts), Class::Text, &refs);
        Ok(if with_separator && args[0].nullable { value.maybe_null() } else { value.not_null() })
    }
}

/// Position of PostgreSQL's substr for a start of SQLite's.
fn position(start: &Value, text: &Sql) -> Result<Sql, String> {
    if let Some(from) = start.int_constant() {
        return match from {
            0..=0x3FFF_FFFF => Ok(Sql::tight(from.to_string())),
            -0x3FFF_FFFF..0 => Ok(Sql::loose(format!("length({}) + 1 - {}", text.text, -from))),
            _ => Err("substr starts beyond any text".into()),
        };
    }
    let from = as_int4(start)?;
    if start.non_negative {
        return Ok(from);
    }
    Ok(Sql::tight(format!(
        "CASE WHEN {from} < 0 THEN length({text}) + 1 + {from} ELSE {from} END",
        from = from.operand(),
        text = text.text
    )))
}

fn as_int4(value: &Value) -> Result<Sql, String> {
    match value.class {
        Class::Int if value.narrow => Ok(value.sql.clone()),
        Class::Int => Ok(value.sql.cast("integer")),
        Class::Bool => Ok(boolean_as_integer(value).cast("integer")),
        class => Err(format!("{} is taken for a position", class.shown())),
    }
}

impl Translator<'_> {
    /// Notes that a text shows a real.
    fn real_digits(&mut self) -> Result<(), String> {
        if self.need == Need::Immutable {
            return Err("versions of SQLite print different digits of a real".into());
        }
        let note = "The text of a real has as many digits as it needs; SQLite prints 15 or 17, by its version.";
        self.note(note);
        Ok(())
    }
}

/// The text of a real: the shortest digits that read back as the same double, always with a point.
/// SQLite writes exponents from 1e17 on, PostgreSQL from 1e15 on.
fn text_of_real(value: &Value) -> Result<Sql, String> {
    if value.is_volatile {
        return Err("the text of a real would compute it several times".into());
    }
    let real = value.sql.operand();
    let infinite = if value.is_infinite {
        format!("WHEN {real} = 'Infinity' THEN 'Inf' WHEN {real} = '-Infinity' THEN '-Inf' ")
    } else {
        String::new()
    };
    Ok(Sql::tight(format!(
        "CASE WHEN abs({real}) < 1e17 AND {real} = trunc({real}) THEN {real}::bigint::text || '.0' \
         {infinite}WHEN abs({real}) >= 1e15 AND abs({real}) < 1e17 THEN {real}::text::numeric::text \
         ELSE regexp_replace({real}::text, '^(-?[0-9])e', '\\1.0e') END"
    )))
}

/// The text of a column that holds integers where it can and reals where it must.
fn text_of_number(value: &Value) -> Result<Sql, String> {
    if value.is_infinite {
        return Err("the text of a number that may be infinite".into());
    }
    let mut real = value.clone();
    real.sql = super::arithmetic::double(value);
    real.class = Class::Real;
    let number = value.sql.operand();
    Ok(Sql::tight(format!(
        "CASE WHEN {number} = trunc({number}) AND abs({number}) < 9007199254740992 \
         THEN trunc({number})::bigint::text ELSE {} END",
        text_of_real(&real)?.text
    )))
}

/// An integer as PostgreSQL's int8, from a value that has to be one.
pub(super) fn integer_of(value: &Value) -> Result<Sql, String> {
    match value.class {
        Class::Int | Class::Bool => Ok(wide(value)),
        class => Err(format!("{} is taken for an integer", class.shown())),
    }
}
