//! Comparisons, by SQLite's rules of affinity, storage class and collation.
//!
//! Sources: <https://www.sqlite.org/datatype3.html> 4 and 7.1; measured where it is silent.

use crate::model::evidence::StampForm;
use crate::model::expression::Expr;
use crate::model::ident::literal;
use crate::model::source::Affinity;

use super::arithmetic::{boolean_as_integer, decimal, double, null_of};
use super::cast::number_of;
use super::moment::Boundary;
use super::value::{Class, Collation, Constant, Part, Sql, Value};
use super::{Translator, json, moment};

type Outcome = Result<Value, String>;

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// IS
    NotDistinct,
    /// IS NOT
    Distinct,
}

impl Comparison {
    const fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::NotDistinct => "IS NOT DISTINCT FROM",
            Self::Distinct => "IS DISTINCT FROM",
        }
    }

    pub(super) const fn is_ordering(self) -> bool {
        matches!(self, Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual)
    }

    /// True for IS and IS NOT, which are never NULL.
    pub(super) const fn is_total(self) -> bool {
        matches!(self, Self::NotDistinct | Self::Distinct)
    }

    /// The same with the sides exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
            other => other,
        }
    }

    /// What it gives when the left side sorts before the right one, is equal to it, or sorts behind.
    const fn of_order(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal | Self::NotDistinct => order.is_eq(),
            Self::NotEqual | Self::Distinct => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
        }
    }
}

/// What a comparison comes to.
pub(super) enum Compared {
    /// An operator of PostgreSQL between two texts.
    Operator(Comparison, Sql, Sql),
    /// The same for all values but NULL.
    Always(bool),
    /// A text of its own, NULL where one side is.
    Condition(Sql),
}

/// What a comparison does to its operands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    Nothing,
    Text,
    Numeric,
}

impl Translator<'_> {
    /// `left op right`
    pub(super) fn compare(&mut self, op: Comparison, left: &Value, right: &Value) -> Outcome {
        if op.is_total() && (left.is_null() || right.is_null()) {
            let (other, both) =
                if left.is_null() { (right, right.is_null()) } else { (left, false) };
            let is_not = if op == Comparison::Distinct { " NOT" } else { "" };
            let sql = if both {
                Sql::tight(if op == Comparison::Distinct { "false" } else { "true" })
            } else {
                Sql::loose(format!("{} IS{is_not} NULL", other.sql.operand()))
            };
            return Ok(Value::of(sql, Class::Bool, &[other]).not_null());
        }
        if left.is_null() || right.is_null() {
            return Ok(null_of(Class::Bool, &[left, right]));
        }
        let applied = applied(left, right);
        let compared = self.compared(op, left, right, applied)?;
        let sql = self.printed(op, left, right, compared)?;
        let mut value = Value::of(sql, Class::Bool, &[left, right]);
        value.nullable &= !op.is_total();
        value.is_collated = false;
        value.collation = None;
        Ok(value)
    }

    /// The same without affinity, as functions compare their arguments.
    pub(super) fn compare_plainly(
        &mut self,
        op: Comparison,
        left: &Value,
        right: &Value,
    ) -> Outcome {
        let bare = |value: &Value| value.clone().without_affinity();
        self.compare(op, &bare(left), &bare(right))
    }

    fn printed(
        &mut self,
        op: Comparison,
        left: &Value,
        right: &Value,
        compared: Compared,
    ) -> Result<Sql, String> {
        Ok(match compared {
            Compared::Operator(Comparison::Equal, a, b)
                if b.text == "true" && is_flag(left, right) =>
            {
                a
            }
            Compared::Operator(Comparison::Equal, a, b)
                if b.text == "false" && is_flag(left, right) =>
            {
                Sql::loose(format!("NOT {}", a.operand()))
            }
            Compared::Operator(op, a, b) => Sql::infix(&a, op.sql(), &b),
            Compared::Always(result) => always(op, result, left, right),
            Compared::Condition(sql) if op.is_total() && (left.nullable || right.nullable) => {
                return total(op, &sql, left, right);
            }
            Compared::Condition(sql) => sql,
        })
    }

    /// Finds out how two values that are not NULL constants are compared.
    fn compared(
        &mut self,
        op: Comparison,
        left: &Value,
        right: &Value,
        applied: Applied,
    ) -> Result<Compared, String> {
        if applied == Applied::Numeric {
            // A text that is a number becomes one; any other stays what it is.
            for (side, other, is_left) in [(left, right, true), (right, left, false)] {
                if let Some(text) = side.text_constant()
                    && side.class == Class::Text
                    && (other.class.is_number() || matches!(other.class, Class::Text))
                    && let Some(number) = number_of(text)
                {
                    let number = Value::constant(number);
                    let (a, b) = if is_left { (&number, right) } else { (left, &number) };
                    return self.compared(op, a, b, Applied::Nothing);
                }
            }
        }
        match (left.class, right.class) {
            (Class::JsonItem, _) => json::compared(op, left, right),
            (_, Class::JsonItem) => json::compared(op.mirrored(), right, left),
            (Class::Moment(..), _) => self.compared_moment(op, left, right),
            (_, Class::Moment(..)) => self.compared_moment(op.mirrored(), right, left),
            (a, b) if a.is_number() && b.is_number() => compared_numbers(op, left, right),
            (Class::Text, Class::Text) => self.compared_texts(op, left, right, applied),
            (Class::Blob, Class::Blob) => {
                Ok(Compared::Operator(op, left.sql.clone(), right.sql.clone()))
            }
            (a, Class::Text) if a.is_number() => self.compared_classes(op, left, right, applied),
            (Class::Text, b) if b.is_number() => {
                self.compared_classes(op.mirrored(), right, left, applied)
            }
            (a, Class::Blob) if a.is_number() || a == Class::Text => {
                Ok(Compared::Always(op.of_order(std::cmp::Ordering::Less)))
            }
            (Class::Blob, b) if b.is_number() || b == Class::Text => {
                Ok(Compared::Always(op.of_order(std::cmp::Ordering::Greater)))
            }
            (a, b) => Err(format!("{} is compared with {}", a.shown(), b.shown())),
        }
    }

    /// A number on the left, a text on the right.
    fn compared_classes(
        &mut self,
        op: Comparison,
        number: &Value,
        text: &Value,
        applied: Applied,
    ) -> Result<Compared, String> {
        match applied {
            // Numbers sort before texts.
            Applied::Nothing => Ok(Compared::Always(op.of_order(std::cmp::Ordering::Less))),
            Applied::Text => {
                let number = Value::of(self.characters_of(number)?, Class::Text, &[number]);
                self.compared_texts(op, &number, text, Applied::Nothing)
            }
            Applied::Numeric if text.text_constant().is_some() => {
                Ok(Compared::Always(op.of_order(std::cmp::Ordering::Less)))
            }
            Applied::Numeric => Err("a number is compared with a text that may be a number".into()),
        }
    }

    fn compared_texts(
        &mut self,
        op: Comparison,
        left: &Value,
        right: &Value,
        applied: Applied,
    ) -> Result<Compared, String> {
        // A declared type that is neither text nor number tries to make numbers of texts. Where the
        // column is text no value was one; what it is compared with must not be one either, or the
        // order would be that of classes.
        let is_number = |value: &Value| value.text_constant().and_then(number_of).is_some();
        if applied == Applied::Numeric
            && op.is_ordering()
            && (left.constant.is_none() && right.constant.is_none()
                || is_number(left)
                || is_number(right))
        {
            return Err(
                "texts are compared that SQLite takes for numbers where they are some".into()
            );
        }
        if left.has_real_digits || right.has_real_digits {
            return Err("versions of SQLite print different digits of a real".into());
        }
        let collation = collation_of(left, right);
        if op.is_ordering() && !self.is_utf8 {
            return Err("the source keeps text in UTF-16, whose bytes sort in another order".into());
        }
        let (a, b) = (folded(left, collation), folded(right, collation));
        if op.is_ordering() {
            return Ok(Compared::Operator(op, a.bytewise(), b));
        }
        Ok(Compared::Operator(op, a, b))
    }

    /// A column of dates or timestamps on the left. SQLite compares texts, which is the order of time
    /// only when all have one form.
    fn compared_moment(
        &mut self,
        op: Comparison,
        left: &Value,
        right: &Value,
    ) -> Result<Compared, String> {
        let unclear =
            || Err("dates are compared as texts, whose order is not that of time here".into());
        let Class::Moment(kind, Some(form)) = left.class else { return unclear() };
        if let Class::Moment(other, Some(other_form)) = right.class {
            if kind == other && form == other_form {
                return Ok(Compared::Operator(op, left.sql.clone(), right.sql.clone()));
            }
            return unclear();
        }
        if collation_of(left, right) != Collation::Binary {
            return unclear();
        }
        let boundary = if let Some(text) = right.text_constant() {
            if number_of(text).is_some() && left.affinity != Some(Affinity::Text) {
                return unclear();
            }
            moment::boundary(text, kind, form)
        } else {
            match right.instant.as_deref() {
                Some(instant) if instant.part == Part::Date => {
                    Some(Boundary { sql: instant.stamp.cast("date"), form: StampForm::DATE })
                }
                Some(instant) if instant.part == Part::Seconds => Some(Boundary {
                    sql: Sql::call("date_trunc", &[&Sql::tight("'second'"), &instant.stamp]),
                    form: StampForm::SECONDS,
                }),
                _ => None,
            }
        };
        let Some(boundary) = boundary else { return unclear() };
        if boundary.form.length > form.length
            || (boundary.form.length > 10 && boundary.form.separator != form.separator)
        {
            return unclear();
        }
        if boundary.form.length == form.length {
            return Ok(Compared::Operator(op, left.sql.clone(), boundary.sql));
        }
        // A text that goes on is greater than its own beginning, so nothing is equal to that.
        let op = match op {
            Comparison::Less | Comparison::LessEqual => Comparison::Less,
            Comparison::Greater | Comparison::GreaterEqual => Comparison::GreaterEqual,
            Comparison::Equal | Comparison::NotDistinct => return Ok(Compared::Always(false)),
            Comparison::NotEqual | Comparison::Distinct => return Ok(Compared::Always(true)),
        };
        Ok(Compared::Operator(op, left.sql.clone(), boundary.sql))
    }

    /// `(a, b) op (c, d)`
    pub(super) fn compare_rows(
        &mut self,
        op: Comparison,
        left: &[Expr],
        right: &[Expr],
    ) -> Outcome {
        if left.len() != right.len() {
            return Err("row values of different lengths are compared".into());
        }
        let (mut lefts, mut rights, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (left, right) in left.iter().zip(right) {
            let (left, right) = (self.value(left)?, self.value(right)?);
            if left.is_null() || right.is_null() {
                return Err("a row value holds NULL".into());
            }
            let applied = applied(&left, &right);
            match self.compared(op, &left, &right, applied)? {
                Compared::Operator(same, a, b) if same == op => {
                    lefts.push(a.text);
                    rights.push(b.text);
                }
                _ => return Err("row values of unlike kinds are compared".into()),
            }
            values.extend([left, right]);
        }
        let sql = format!("({}) {} ({})", lefts.join(", "), op.sql(), rights.join(", "));
        let mut value = Value::of(Sql::loose(sql), Class::Bool, &values.iter().collect::<Vec<_>>());
        value.nullable &= !op.is_total();
        Ok(value)
    }

    pub(super) fn between(&mut self, of: &Expr, low: &Expr, high: &Expr, negated: bool) -> Outcome {
        if matches!(of, Expr::Row(_)) {
            return Err("BETWEEN of row values is not translated".into());
        }
        let (of, low, high) = (self.value(of)?, self.value(low)?, self.value(high)?);
        if of.is_volatile {
            return Err("BETWEEN would compute its operand twice, each time differently".into());
        }
        let (from, to) = (
            self.compare(Comparison::GreaterEqual, &of, &low)?,
            self.compare(Comparison::LessEqual, &of, &high)?,
        );
        let not = if negated { "NOT " } else { "" };
        let begins = (from.sql.text.split_once(" >= "), to.sql.text.split_once(" <= "));
        let sql = match begins {
            // Only where both say the same of the same text.
            (Some((a, low)), Some((b, high)))
                if a == b
                    && from.sql.text.matches(" >= ").count() == 1
                    && to.sql.text.matches(" <= ").count() == 1
                    && a == of.sql.operand() =>
            {
                Sql::loose(format!("{a} {not}BETWEEN {low} AND {high}"))
            }
            _ => {
                let both = format!("{} AND {}", from.sql.operand(), to.sql.operand());
                if negated { Sql::loose(format!("NOT ({both})")) } else { Sql::loose(both) }
            }
        };
        Ok(Value::of(sql, Class::Bool, &[&from, &to]))
    }

    pub(super) fn in_list(&mut self, of: &Expr, list: &[Expr], negated: bool) -> Outcome {
        if matches!(of, Expr::Row(_)) {
            return Err("IN of row values is not translated".into());
        }
        let of = self.value(of)?;
        if list.is_empty() {
            let sql = Sql::tight(if negated { "true" } else { "false" });
            return Ok(Value::new(sql, Class::Bool).not_null());
        }
        if of.is_null() {
            return Ok(null_of(Class::Bool, &[&of]));
        }
        if of.is_volatile {
            return Err("IN would compute its operand several times, each time differently".into());
        }
        let mut values = Vec::new();
        let mut items = Vec::new();
        let mut others = Vec::new();
        let mut in_text = None;
        for item in list {
            // Affinity and collation are those of the left side alone.
            let mut item = self.value(item)?.without_affinity();
            (item.collation, item.is_collated) = (None, false);
            if item.is_null() {
                items.push("NULL".to_owned());
                values.push(item);
                continue;
            }
            let applied = applied(&of, &item);
            match self.compared(Comparison::Equal, &of, &item, applied)? {
                Compared::Operator(Comparison::Equal, a, b)
                    if in_text.as_ref().is_none_or(|known| *known == a) =>
                {
                    in_text = Some(a);
                    items.push(b.text);
                }
                // Never equal: it adds nothing but NULL where it may be NULL itself.
                Compared::Always(false) if !item.nullable => {}
                compared => {
                    others.push(self.printed(Comparison::Equal, &of, &item, compared)?.operand());
                }
            }
            values.push(item);
        }
        let is_one_of = (!items.is_empty()).then(|| {
            let text = in_text.unwrap_or_else(|| of.sql.clone());
            format!(
                "{} {}IN ({})",
                text.operand(),
                if negated && others.is_empty() { "NOT " } else { "" },
                items.join(", ")
            )
        });
        let sql = match (is_one_of, others.is_empty()) {
            (Some(sql), true) => Sql::loose(sql),
            (None, true) => always(Comparison::Equal, negated, &of, &of),
            (in_sql, false) => {
                let all: Vec<String> = in_sql.into_iter().chain(others).collect();
                let any = all.join(" OR ");
                if negated { Sql::loose(format!("NOT ({any})")) } else { Sql::loose(any) }
            }
        };
        let from: Vec<&Value> = std::iter::once(&of).chain(&values).collect();
        let mut value = Value::of(sql, Class::Bool, &from);
        value.is_collated = false;
        value.collation = None;
        Ok(value)
    }

    /// Prepares the two sides of `left IN (SELECT right)`.
    pub(super) fn sides_of_in(
        &mut self,
        left: &Value,
        right: &Value,
    ) -> Result<(Sql, Sql), String> {
        let applied = applied(left, right);
        match self.compared(Comparison::Equal, left, right, applied)? {
            Compared::Operator(Comparison::Equal, a, b) => Ok((a, b)),
            _ => Err("IN compares values of unlike kinds with those of a query".into()),
        }
    }
}

/// A boolean compared with a constant.
fn is_flag(left: &Value, right: &Value) -> bool {
    let flag = |side: &Value| side.class == Class::Bool && side.constant.is_none();
    flag(left) != flag(right)
}

/// What SQLite applies to the operands of a comparison before it compares them.
fn applied(left: &Value, right: &Value) -> Applied {
    const fn is_numeric(affinity: Option<Affinity>) -> bool {
        matches!(affinity, Some(Affinity::Integer | Affinity::Real | Affinity::Numeric))
    }
    match (left.affinity, right.affinity) {
        (a, b) if is_numeric(a) || is_numeric(b) => Applied::Numeric,
        (Some(_), Some(_)) => Applied::Nothing,
        (Some(Affinity::Text), None) | (None, Some(Affinity::Text)) => Applied::Text,
        _ => Applied::Nothing,
    }
}

/// The collation that is spelled out, else that of the left side, else that of the right one.
fn collation_of(left: &Value, right: &Value) -> Collation {
    let spelled = [left, right].into_iter().find(|side| side.is_collated);
    spelled
        .and_then(|side| side.collation)
        .or(left.collation)
        .or(right.collation)
        .unwrap_or_default()
}

/// A text as a collation sees it.
pub(super) fn folded(value: &Value, collation: Collation) -> Sql {
    match (collation, value.text_constant()) {
        (Collation::Binary, _) => value.sql.clone(),
        (Collation::NoCase, Some(text)) => Sql::tight(literal(&text.to_ascii_lowercase())),
        (Collation::NoCase, None) => Sql::call("lower", &[&value.sql.bytewise()]),
        (Collation::RTrim, Some(text)) => Sql::tight(literal(text.trim_end_matches(' '))),
        (Collation::RTrim, None) => Sql::call("rtrim", &[&value.sql, &Sql::tight("' '")]),
    }
}

fn compared_numbers(op: Comparison, left: &Value, right: &Value) -> Result<Compared, String> {
    for (side, other, op) in [(left, right, op), (right, left, op.mirrored())] {
        if side.class == Class::Bool
            && side.constant.is_none()
            && let Some(number) = other.int_constant()
        {
            return Ok(compared_boolean(op, side, number));
        }
    }
    if left.class == Class::Bool && right.class == Class::Bool {
        return Ok(Compared::Operator(op, left.sql.clone(), right.sql.clone()));
    }
    let is_integer = |value: &Value| matches!(value.class, Class::Int | Class::Bool);
    let integer = |value: &Value| match value.class {
        Class::Bool => boolean_as_integer(value),
        _ => value.sql.clone(),
    };
    if is_integer(left) && is_integer(right) {
        return Ok(Compared::Operator(op, integer(left), integer(right)));
    }
    // A constant real is written out in decimals: then PostgreSQL compares exactly.
    for (side, other) in [(left, right), (right, left)] {
        if let Some(Constant::Real(real)) = side.constant
            && (is_integer(other) || other.numeric)
            && real.is_finite()
        {
            let written = decimal(real);
            let written =
                if written.starts_with('-') { Sql::loose(written) } else { Sql::tight(written) };
            let plain = if is_integer(other) { integer(other) } else { other.sql.clone() };
            let is_left = std::ptr::eq(side, left);
            let (a, b) = if is_left { (written, plain) } else { (plain, written) };
            return Ok(Compared::Operator(op, a, b));
        }
    }
    // A column of decimals holds the shortest digits of each double, which sort as the doubles do.
    let is_decimal = |value: &Value| value.numeric || is_integer(value);
    if (left.numeric || right.numeric) && is_decimal(left) && is_decimal(right) {
        let exact =
            |value: &Value| if is_integer(value) { integer(value) } else { value.sql.clone() };
        return Ok(Compared::Operator(op, exact(left), exact(right)));
    }
    let small = |value: &Value| {
        value.int_constant().is_some_and(|number| number.unsigned_abs() <= 1 << 53)
            || !(value.is_wide && (is_integer(value) || value.class == Class::Number))
    };
    if !small(left) || !small(right) {
        return Err("an integer beyond 2^53 may be compared with a real".into());
    }
    let side = |value: &Value| match value.int_constant() {
        Some(number) => Value::constant(Constant::Int(number)).sql,
        None => double(value),
    };
    Ok(Compared::Operator(op, side(left), side(right)))
}

/// A boolean on the left, an integer on the right.
fn compared_boolean(op: Comparison, side: &Value, number: i64) -> Compared {
    let when = |value: i64| op.of_order(value.cmp(&number));
    let truth = |value: bool| Sql::tight(if value { "true" } else { "false" });
    match (when(0), when(1)) {
        (false, false) => Compared::Always(false),
        (true, true) => Compared::Always(true),
        (_, is_true) if op.is_total() => Compared::Operator(
            op,
            side.sql.clone(),
            truth(is_true == (op == Comparison::NotDistinct)),
        ),
        // In a list it stays a value that can stand there.
        (_, is_true) if op == Comparison::Equal => {
            Compared::Operator(op, side.sql.clone(), truth(is_true))
        }
        (_, true) => Compared::Condition(side.sql.clone()),
        (_, false) => Compared::Condition(Sql::loose(format!("NOT {}", side.sql.operand()))),
    }
}

/// The same for all values, but NULL where one side is NULL, except under IS.
fn always(op: Comparison, result: bool, left: &Value, right: &Value) -> Sql {
    let word = if result { "true" } else { "false" };
    let nullable: Vec<&Value> = if std::ptr::eq(left, right) {
        [left].into_iter().filter(|side| side.nullable).collect()
    } else {
        [left, right].into_iter().filter(|side| side.nullable).collect()
    };
    if op.is_total() {
        // Only two NULLs are alike.
        return match nullable.as_slice() {
            [a, b] => {
                let both = format!("{} IS NULL AND {} IS NULL", a.sql.operand(), b.sql.operand());
                if op == Comparison::NotDistinct {
                    Sql::loose(both)
                } else {
                    Sql::loose(format!("NOT ({both})"))
                }
            }
            _ => Sql::tight(if op == Comparison::NotDistinct { "false" } else { "true" }),
        };
    }
    if nullable.is_empty() {
        return Sql::tight(word);
    }
    let there: Vec<String> =
        nullable.iter().map(|side| format!("{} IS NOT NULL", side.sql.operand())).collect();
    Sql::tight(format!("CASE WHEN {} THEN {word} END", there.join(" AND ")))
}

/// IS and IS NOT over a condition that is NULL where one side is.
fn total(op: Comparison, sql: &Sql, left: &Value, right: &Value) -> Result<Sql, String> {
    if left.nullable && right.nullable {
        return Err("IS compares values of unlike kinds that may both be NULL".into());
    }
    let otherwise = if op == Comparison::NotDistinct { "false" } else { "true" };
    Ok(Sql::call("coalesce", &[sql, &Sql::tight(otherwise)]))
}
