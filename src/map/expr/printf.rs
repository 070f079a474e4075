//! `printf(format, ...)` with a constant format and the conversions that schemas use.
//!
//! Known gaps: `%e`, `%g`, `%q`, `%w`, `%c`, `*` as width, and the flags `+`, `#`, `!`, `,` and blank.

use crate::model::expression::Expr;
use crate::model::ident::literal;

use super::Translator;
use super::arithmetic::{as_number, double};
use super::function::{cut, exact_numeric};
use super::value::{Class, Sql, Value};

type Outcome = Result<Value, String>;

/// One conversion of a format.
struct Conversion {
    letter: char,
    width: usize,
    is_left: bool,
    is_zero: bool,
    precision: Option<usize>,
}

impl Translator<'_> {
    pub(super) fn printf(&mut self, format: &Expr, args: &[Expr]) -> Outcome {
        let format = self.value(format)?;
        let Some(format) = format.text_constant().map(str::to_owned) else {
            return Err("printf with a format that is not constant".into());
        };
        let values = args.iter().map(|arg| self.value(arg)).collect::<Result<Vec<_>, _>>()?;
        let mut next = values.iter();
        let mut pieces: Vec<String> = Vec::new();
        let mut plain = String::new();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                plain.push(c);
                continue;
            }
            let conversion = conversion(&mut chars)?;
            if conversion.letter == '%' {
                plain.push('%');
                continue;
            }
            let Some(value) = next.next() else {
                return Err("printf with too few arguments".into());
            };
            if !plain.is_empty() {
                pieces.push(literal(&std::mem::take(&mut plain)));
            }
            pieces.push(self.converted(&conversion, value)?.operand());
        }
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(literal(&plain));
        }
        let sql = if pieces.len() == 1 {
            Sql::tight(pieces.remove(0)).cast("text")
        } else {
            Sql::loose(pieces.join(" || "))
        };
        let refs: Vec<&Value> = values.iter().collect();
        Ok(Value::of(sql, Class::Text, &refs).not_null())
    }

    fn converted(&mut self, conversion: &Conversion, value: &Value) -> Result<Sql, String> {
        if value.is_volatile {
            return Err("printf would compute an argument several times".into());
        }
        let text = match conversion.letter {
            's' => self.string(conversion, value)?,
            'd' | 'i' => return integer(conversion, value),
            'f' => return self.fixed(conversion, value),
            'x' | 'X' if conversion.precision.is_none() => {
                if value.is_null() {
                    Sql::tight("'0'")
                } else {
                    let hex = format!("to_hex({})", or_zero(value, &cut(value)?).text);
                    Sql::tight(if conversion.letter == 'X' { format!("upper({hex})") } else { hex })
                }
            }
            other => return Err(format!("printf with %{other}")),
        };
        if conversion.is_zero && conversion.letter == 's' {
            return Err("printf with %0s".into());
        }
        Ok(padded(conversion, text, if conversion.is_zero { "0" } else { " " }))
    }

    fn string(&mut self, conversion: &Conversion, value: &Value) -> Result<Sql, String> {
        let text = self.text_of(value)?;
        let text =
            if value.nullable { Sql::call("coalesce", &[&text, &Sql::tight("''")]) } else { text };
        // Width and precision count bytes in SQLite.
        if conversion.precision.is_some() || conversion.width > 0 {
            let is_ascii =
                value.class.is_number() || value.text_constant().is_some_and(str::is_ascii);
            if !is_ascii {
                return Err("printf cuts or pads a text by its bytes".into());
            }
        }
        Ok(match conversion.precision {
            Some(count) => Sql::call("left", &[&text, &Sql::tight(count.to_string())]),
            None => text,
        })
    }

    /// `%.2f`: half away from zero, from the exact value.
    fn fixed(&mut self, conversion: &Conversion, value: &Value) -> Result<Sql, String> {
        let digits = conversion.precision.unwrap_or(6);
        if conversion.is_zero || digits > 10 {
            return Err("printf with %0f".into());
        }
        if value.is_null() {
            return Ok(padded(conversion, Sql::tight(literal(&format!("{:.digits$}", 0.0))), " "));
        }
        let number = as_number(value)?;
        if number.is_wide {
            return Err("printf of an integer beyond 2^53 as a real".into());
        }
        let text = if number.class == Class::Int {
            let rounded =
                format!("round({}::numeric, {digits})", or_zero(&number, &number.sql).operand());
            Sql::tight(rounded).cast("text")
        } else {
            if number.is_infinite {
                return Err("printf of a real that may be infinite".into());
            }
            let real = or_zero(&number, &double(&number));
            let plain = format!("round({}, {digits})::text", exact_numeric(&real));
            // SQLite keeps 16 digits: beyond 1e15 its zeros are not those of the value.
            Sql::tight(format!(
                "CASE WHEN abs({r}) < 1e{most} THEN CASE WHEN {r} < 0 AND round({exact}, {digits}) = 0 \
                 THEN '-' ELSE '' END || {plain} ELSE round({r}::text::numeric, {digits})::text END",
                r = real.operand(),
                most = 15_usize.saturating_sub(digits),
                exact = exact_numeric(&real),
            ))
        };
        Ok(padded(conversion, text, " "))
    }
}

/// SQLite prints 0 for NULL.
fn or_zero(value: &Value, sql: &Sql) -> Sql {
    if value.nullable { Sql::call("coalesce", &[sql, &Sql::tight("0")]) } else { sql.clone() }
}

fn integer(conversion: &Conversion, value: &Value) -> Result<Sql, String> {
    if conversion.precision.is_some() {
        return Err("printf with %.d".into());
    }
    if value.is_null() {
        let zero = Sql::tight("'0'");
        return Ok(padded(conversion, zero, if conversion.is_zero { "0" } else { " " }));
    }
    let number = or_zero(value, &cut(value)?);
    let text = number.cast("text");
    if !conversion.is_zero || conversion.width == 0 || conversion.is_left {
        return Ok(padded(conversion, text, " "));
    }
    // The sign stands before the zeros.
    let number = number.operand();
    Ok(Sql::tight(format!(
        "CASE WHEN {number} < 0 THEN '-' || lpad(substr({text}, 2), \
         greatest({less}, length({text}) - 1), '0') ELSE lpad({text}, greatest({width}, length({text})), '0') END",
        text = text.text,
        less = conversion.width - 1,
        width = conversion.width,
    )))
}

/// Pads, and never cuts as lpad would.
fn padded(conversion: &Conversion, text: Sql, with: &str) -> Sql {
    if conversion.width == 0 {
        return text;
    }
    let (function, with) = if conversion.is_left { ("rpad", " ") } else { ("lpad", with) };
    let text = text.text;
    Sql::tight(format!(
        "{function}({text}, greatest({}, length({text})), '{with}')",
        conversion.width
    ))
}

fn conversion(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Conversion, String> {
    let mut made =
        Conversion { letter: '%', width: 0, is_left: false, is_zero: false, precision: None };
    while let Some(flag @ ('-' | '0')) = chars.peek() {
        made.is_left |= *flag == '-';
        made.is_zero |= *flag == '0';
        chars.next();
    }
    let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        let mut digits = String::new();
        while let Some(digit) = chars.peek().filter(|c| c.is_ascii_digit()) {
            digits.push(*digit);
            chars.next();
        }
        digits
    };
    let too_long = || "printf with a width beyond 1000".to_owned();
    let width = number(chars);
    if !width.is_empty() {
        made.width = width.parse().ok().filter(|width| *width <= 1000).ok_or_else(too_long)?;
    }
    if chars.peek() == Some(&'.') {
        chars.next();
        let precision = number(chars);
        let precision = if precision.is_empty() { "0" } else { &precision };
        made.precision =
            Some(precision.parse().ok().filter(|count| *count <= 1000).ok_or_else(too_long)?);
    }
    while chars.peek() == Some(&'l') {
        chars.next();
    }
    made.letter = chars.next().ok_or("printf with a format that ends in %")?;
    if made.letter == '%' && (made.width > 0 || made.precision.is_some()) {
        return Err("printf with a padded %".into());
    }
    Ok(made)
}
