//! Functions of one row.

use crate::model::expression::{Call, Expr};

use super::Translator;
use super::arithmetic::{as_number, double, null_of, whole, wide};
use super::compare::Comparison;
use super::value::{Class, Collation, Constant, Sql, Value};

type Outcome = Result<Value, String>;

/// Sixteen random bytes, of which 122 bits are random, spread over all by the hash.
const RANDOM_BYTES: &str = "sha256(uuid_send(gen_random_uuid()))";

impl Translator<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Outcome {
        if let Some(value) = self.aggregate(call)? {
            return Ok(value);
        }
        let Some(args) = &call.args else {
            return Err(format!("{}(*) is no function", call.name.escape_debug()));
        };
        if call.distinct || call.filter.is_some() || !call.order_by.is_empty() {
            return Err(format!("{} is no aggregate here", call.name.escape_debug()));
        }
        if let Some(value) = self.moment_function(&call.name, args)? {
            return Ok(value);
        }
        if let Some(value) = self.json_function(&call.name, args)? {
            return Ok(value);
        }
        match (call.name.as_str(), args.as_slice()) {
            ("iif" | "if", [_, ..]) => return self.iif(args),
            ("printf" | "format", [format, rest @ ..]) => return self.printf(format, rest),
            _ => {}
        }
        let values = args.iter().map(|arg| self.value(arg)).collect::<Result<Vec<_>, _>>()?;
        match self.of_text(&call.name, &values)? {
            Some(value) => Ok(value),
            None => match self.of_numbers(&call.name, &values)? {
                Some(value) => Ok(value),
                None => self.of_anything(&call.name, &values),
            },
        }
    }

    fn of_text(&mut self, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
        Ok(Some(match (name, args) {
            ("length", [value]) => self.length(value)?,
            ("octet_length", [value]) if value.class == Class::Blob => self.length(value)?,
            ("octet_length", [value]) => {
                let text = self.characters_of(value)?;
                if !self.is_utf8 {
                    return Err("the source keeps text in UTF-16, so its bytes are others".into());
                }
                Value::of(Sql::call("octet_length", &[&text]), Class::Int, &[value])
                    .narrow()
                    .non_negative()
            }
            ("lower" | "upper", [value]) => self.letter_case(name, value)?,
            ("trim", [_] | [_, _]) => self.trim("btrim", args)?,
            ("ltrim" | "rtrim", [_] | [_, _]) => self.trim(name, args)?,
            ("instr", [_, _]) => self.instr(args)?,
            ("replace", [_, _, _]) => self.replace(args)?,
            ("substr" | "substring", [_, _] | [_, _, _]) => self.substr(args)?,
            ("hex", [value]) => self.hex(value)?,
            ("quote", [value]) => self.quote(value)?,
            ("concat", [_, ..]) => self.concat_all(args, false)?,
            ("concat_ws", [_, _, ..]) => self.concat_all(args, true)?,
            ("unicode", [value]) => {
                let text = self.characters_of(value)?;
                let text = Sql::call("NULLIF", &[&text, &Sql::tight("''")]);
                Value::of(Sql::call("ascii", &[&text]), Class::Int, &[value])
                    .narrow()
                    .non_negative()
                    .maybe_null()
            }
            ("char", _) => characters(args)?,
            ("zeroblob", [value]) => match value.int_constant() {
                Some(count @ 0..=1_000_000) => {
                    let sql = format!("decode(repeat('00', {count}), 'hex')");
                    Value::new(Sql::tight(sql), Class::Blob).not_null()
                }
                _ => return Err("zeroblob of a length that is not constant".into()),
            },
            _ => return Ok(None),
        }))
    }

    fn of_numbers(&mut self, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
        let value = match args {
            [value, ..] if value.is_null() && is_numeric(name) => {
                return Ok(Some(null_of(Class::Real, &[value])));
            }
            [value, ..] => value,
            [] => return Ok(self.of_nothing(name)),
        };
        // A text is a real here even when it is none; 'x' is 0.0.
        if value.class == Class::Text && is_numeric(name) {
            return Err(format!("{name} of text"));
        }
        Ok(Some(match (name, args) {
            ("abs", [_]) => {
                let number = as_number(value)?;
                let of = if number.class == Class::Int { wide(&number) } else { double(&number) };
                Value::of(Sql::call("abs", &[&of]), number.class, &[&number]).non_negative()
            }
            ("sign", [_]) => {
                let number = as_number(value)?;
                let sql = Sql::call("sign", &[&double(&number)]).cast("bigint");
                let mut sign = Value::of(sql, Class::Int, &[&number]);
                sign.is_wide = false;
                sign
            }
            ("round", [_] | [_, _]) => self.round(value, args.get(1))?,
            ("ceil" | "ceiling" | "floor" | "trunc", [_]) => {
                let number = as_number(value)?;
                match number.class {
                    Class::Int => number.without_affinity(),
                    Class::Real => {
                        Value::of(Sql::call(name, &[&number.sql]), Class::Real, &[&number])
                    }
                    class => return Err(format!("{name} of {}", class.shown())),
                }
            }
            ("sqrt" | "ln" | "log" | "log10", [_]) => {
                let number = as_number(value)?;
                if number.is_volatile {
                    return Err(format!("{name} would compute its argument twice"));
                }
                // What has no result is NULL in SQLite and an error in PostgreSQL.
                let of = double(&number);
                let bound = if name == "sqrt" { ">=" } else { ">" };
                let name = if name == "log10" { "log" } else { name };
                let of = of.operand();
                let sql = format!("{name}(CASE WHEN {of} {bound} 0 THEN {of} END)");
                Value::of(Sql::tight(sql), Class::Real, &[&number]).maybe_null()
            }
            ("pow" | "power", [_, exponent]) => {
                let number = as_number(value)?;
                if !matches!(exponent.int_constant(), Some(0..=1000)) {
                    return Err("a power whose exponent is not a small whole number".into());
                }
                let sql = Sql::call("power", &[&double(&number), &double(exponent)]);
                Value::of(sql, Class::Real, &[&number])
            }
            ("randomblob", [_]) => match value.int_constant() {
                Some(count @ 1..=32) => random_bytes(count),
                _ => return Err("randomblob of more than 32 bytes".into()),
            },
            ("min" | "max", [_, _, ..]) => self.extreme(name, args)?,
            _ => return Ok(None),
        }))
    }

    fn of_nothing(&mut self, name: &str) -> Option<Value> {
        match name {
            "random" => {
                self.stable("random() is not");
                let bytes = format!("encode(substr({RANDOM_BYTES}, 1, 8), 'hex')");
                let sql = Sql::tight(format!("('x' || {bytes})::bit(64)::bigint"));
                let mut value = Value::new(sql, Class::Int).not_null();
                value.is_volatile = true;
                value.is_wide = true;
                Some(value)
            }
            "pi" => Some(Value::new(Sql::tight("pi()"), Class::Real).not_null().non_negative()),
            _ => None,
        }
    }

    fn of_anything(&mut self, name: &str, args: &[Value]) -> Outcome {
        match (name, args) {
            ("coalesce" | "ifnull", [_, _, ..]) => self.coalesce(args),
            ("nullif", [left, right]) => self.nullif(left, right),
            ("typeof", [value]) => type_name(value),
            ("likely" | "unlikely", [value]) | ("likelihood", [value, _]) => {
                Ok(value.clone().returned())
            }
            _ => Err(format!("function {} is not translated", name.escape_debug())),
        }
    }

    fn coalesce(&mut self, args: &[Value]) -> Outcome {
        let (class, texts) = self.unified(args)?;
        let texts: Vec<&Sql> = texts.iter().collect();
        let mut value = self.made(Sql::call("coalesce", &texts), class, args);
        value.nullable = args.iter().all(|arg| arg.nullable);
        Ok(value)
    }

    fn nullif(&mut self, left: &Value, right: &Value) -> Outcome {
        if right.is_null() || left.is_null() {
            return Ok(left.clone().returned());
        }
        if left.is_volatile {
            return Err("nullif would compute its argument twice".into());
        }
        let plain = left.class == right.class
            && matches!(left.class, Class::Text | Class::Int)
            && !left.is_collated
            && !right.is_collated
            && left.collation.unwrap_or_default() == Collation::Binary
            && right.collation.unwrap_or_default() == Collation::Binary;
        let sql = if plain {
            Sql::call("NULLIF", &[&left.sql, &right.sql])
        } else {
            let is_equal = self.compare_plainly(Comparison::Equal, left, right)?;
            Sql::tight(format!(
                "CASE WHEN {} THEN NULL ELSE {} END",
                is_equal.sql.text, left.sql.text
            ))
        };
        let mut value = left.clone().returned().maybe_null();
        value.sql = sql;
        value.constant = None;
        value.instant = None;
        value.is_stored_number = false;
        if left.class == Class::Text && left.constant.is_some() {
            value.sql = value.sql.cast("text");
        }
        Ok(value)
    }

    /// `iif(condition, then, otherwise)`, with as many pairs as there are.
    fn iif(&mut self, args: &[Expr]) -> Outcome {
        let pairs = args.len() / 2;
        let arms: Vec<(Expr, Expr)> =
            (0..pairs).map(|at| (args[2 * at].clone(), args[2 * at + 1].clone())).collect();
        if arms.is_empty() {
            return Err("iif takes at least two arguments".into());
        }
        let otherwise = (args.len() % 2 == 1).then(|| args[args.len() - 1].clone());
        self.value(&Expr::Case { base: None, arms, otherwise: otherwise.map(Box::new) })
    }

    /// `max(a, b)` and `min(a, b)` of one row: NULL when one of them is, which greatest() passes over.
    fn extreme(&mut self, name: &str, args: &[Value]) -> Outcome {
        let refs: Vec<&Value> = args.iter().collect();
        if refs.iter().any(|arg| arg.is_null()) {
            return Ok(null_of(Class::Int, &refs));
        }
        if args.iter().any(|arg| arg.nullable && arg.is_volatile) {
            return Err(format!("{name} would compute its arguments twice"));
        }
        let (class, texts) = self.unified(args)?;
        let texts = match class {
            Class::Text => {
                let is_binary =
                    |arg: &Value| arg.collation.unwrap_or_default() == Collation::Binary;
                if !args.iter().all(is_binary) {
                    return Err(format!("{name} of texts that do not compare byte by byte"));
                }
                if !self.is_utf8 {
                    return Err(
                        "the source keeps text in UTF-16, whose bytes sort in another order".into(),
                    );
                }
                let mut texts = texts;
                texts[0] = texts[0].bytewise();
                texts
            }
            Class::Bool | Class::Int | Class::Real | Class::Number | Class::Blob => texts,
            class => return Err(format!("{name} of values that are {}", class.shown())),
        };
        let function = if name == "max" { "greatest" } else { "least" };
        let call = Sql::call(function, &texts.iter().collect::<Vec<_>>());
        let tests: Vec<String> = args
            .iter()
            .filter(|arg| arg.nullable)
            .map(|arg| format!("{} IS NOT NULL", arg.sql.operand()))
            .collect();
        let sql = if tests.is_empty() {
            call
        } else {
            Sql::tight(format!("CASE WHEN {} THEN {} END", tests.join(" AND "), call.text))
        };
        Ok(self.made(sql, class, args))
    }

    /// `round(x)` and `round(x, digits)`: half away from zero, always a real.
    fn round(&mut self, value: &Value, digits: Option<&Value>) -> Outcome {
        let number = as_number(value)?;
        let digits = match digits {
            None => 0,
            Some(digits) => digits
                .int_constant()
                .ok_or("round to a number of digits that is not constant")?
                .clamp(0, 30),
        };
        if number.class == Class::Int {
            return Ok(Value::of(double(&number), Class::Real, &[&number]));
        }
        if number.is_volatile {
            return Err("round would compute its argument several times".into());
        }
        let real = double(&number);
        let sql = if digits == 0 {
            let real = real.operand();
            // Beyond 2^52 there is nothing behind the point.
            format!(
                "CASE WHEN abs({real}) < 4503599627370496 THEN trunc({real} + sign({real}) * 0.5) \
                 ELSE {real} END"
            )
        } else {
            let exact = exact_numeric(&real);
            let real = real.operand();
            format!(
                "CASE WHEN abs({real}) < 4503599627370496 \
                 THEN round({exact}, {digits})::double precision ELSE {real} END"
            )
        };
        let mut rounded = Value::of(Sql::tight(sql), Class::Real, &[&number]);
        rounded.non_negative = number.non_negative;
        Ok(rounded)
    }
}

/// The exact value of a double under 2^63, with all of its binary digits down to 2^-62: PostgreSQL's
/// cast to numeric keeps 15 decimal ones, and 2.675 is less than it looks.
pub(super) fn exact_numeric(real: &Sql) -> String {
    let real = real.operand();
    format!(
        "(trunc({real})::bigint + (({real} - trunc({real})) * 4611686018427387904)::bigint \
         * 0.00000000000000000021684043449710088680149056017398834228515625)"
    )
}

fn is_numeric(name: &str) -> bool {
    [
        "abs", "sign", "round", "ceil", "ceiling", "floor", "trunc", "sqrt", "ln", "log", "log10",
        "pow", "power",
    ]
    .contains(&name)
}

/// `char(...)` of constants.
fn characters(args: &[Value]) -> Outcome {
    let mut text = String::new();
    for arg in args {
        let point = arg.int_constant().and_then(|point| u32::try_from(point).ok());
        match point.and_then(char::from_u32) {
            Some(c) if c != '\0' => text.push(c),
            _ => return Err("char of what is no constant character".into()),
        }
    }
    Ok(Value::constant(Constant::Text(text)))
}

fn random_bytes(count: i64) -> Value {
    let sql = if count == 32 {
        RANDOM_BYTES.to_owned()
    } else {
        format!("substr({RANDOM_BYTES}, 1, {count})")
    };
    let mut value = Value::new(Sql::tight(sql), Class::Blob).not_null();
    value.is_volatile = true;
    value
}

/// `typeof(x)`
fn type_name(value: &Value) -> Outcome {
    let name = match value.class {
        Class::Null => "null",
        Class::Bool | Class::Int => "integer",
        Class::Real => "real",
        Class::Text | Class::Moment(..) | Class::Json => "text",
        Class::Blob => "blob",
        Class::Number if value.is_stored_number && !value.is_infinite => {
            let number = value.sql.operand();
            let sql = format!(
                "CASE WHEN {number} IS NULL THEN 'null' WHEN {number} = trunc({number}) \
                 AND abs({number}) < 4503599627370496 THEN 'integer' ELSE 'real' END"
            );
            return Ok(Value::of(Sql::tight(sql), Class::Text, &[value]).not_null());
        }
        class => return Err(format!("typeof of {}", class.shown())),
    };
    if value.is_volatile || !value.nullable || value.is_null() {
        return Ok(Value::constant(Constant::Text(name.into())));
    }
    let sql = format!("CASE WHEN {} IS NULL THEN 'null' ELSE '{name}' END", value.sql.operand());
    Ok(Value::of(Sql::tight(sql), Class::Text, &[value]).not_null())
}

/// A number argument cut to an integer.
pub(super) fn cut(value: &Value) -> Result<Sql, String> {
    whole(&as_number(value)?)
}
