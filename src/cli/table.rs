//! A table of text that fits the terminal.
//!
//! Columns are as wide as their widest cell. When that is too much for the line, the widest column
//! that may shrink gives way, one column of the terminal at a time, until all fits or nothing can
//! shrink any more.

use super::names::{cut, shorten, width};
use super::style::Look;

/// How a column behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Numbers: to the right, never shortened.
    Right,
    /// Short words: to the left, never shortened.
    Left,
    /// Names: shortened in the middle, down to this width.
    Middle(usize),
    /// Sentences: cut at the end, down to this width.
    End(usize),
}

/// Columns with their titles, and rows of cells.
pub(super) struct Table {
    columns: Vec<(&'static str, Fit)>,
    rows: Vec<Row>,
}

enum Row {
    Cells { marked: bool, cells: Vec<String> },
    Heading(String),
}

impl Row {
    fn cells(&self) -> &[String] {
        match self {
            Self::Cells { cells, .. } => cells,
            Self::Heading(_) => &[],
        }
    }
}

/// Space between two columns.
const GAP: usize = 2;
/// What stands before each row: `! ` when it is marked.
const MARK_WIDTH: usize = 2;

impl Table {
    /// Makes a table without rows.
    pub(super) fn new(columns: &[(&'static str, Fit)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; a marked one begins with `!`.
    pub(super) fn row(&mut self, marked: bool, cells: impl IntoIterator<Item = String>) {
        self.rows.push(Row::Cells { marked, cells: cells.into_iter().collect() });
    }

    /// Adds a line over all columns, above the rows that it names.
    pub(super) fn heading(&mut self, text: String) {
        self.rows.push(Row::Heading(text));
    }

    /// Appends the table in lines that fit: titles, if any column has one and any row has cells,
    /// and rows.
    pub(super) fn draw(&self, out: &mut String, look: Look) {
        let widths = self.widths(look.width);
        let has_cells = self.rows.iter().any(|row| !row.cells().is_empty());
        if has_cells && self.columns.iter().any(|(title, _)| !title.is_empty()) {
            let titles = self.columns.iter().map(|(title, _)| *title);
            let line = self.line("  ", titles, &widths);
            out.push_str(&look.bold(&line));
            out.push('\n');
        }
        for row in &self.rows {
            match row {
                Row::Heading(text) => out.push_str(&look.bold(&cut(text, look.width))),
                Row::Cells { marked, cells } => {
                    let mark = if *marked { "! " } else { "  " };
                    out.push_str(&self.line(mark, cells.iter().map(String::as_str), &widths));
                }
            }
            out.push('\n');
        }
    }

    fn widths(&self, max: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(position, (title, _))| {
                let cells = self.rows.iter().filter_map(|row| row.cells().get(position));
                cells.map(|cell| width(cell)).max().unwrap_or(0).max(width(title))
            })
            .collect();
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let room = max.saturating_sub(MARK_WIDTH + gaps);
        while widths.iter().sum::<usize>() > room {
            let can_give = |(position, width): &(usize, &mut usize)| match self.columns[*position].1
            {
                Fit::Right | Fit::Left => false,
                Fit::Middle(least) | Fit::End(least) => **width > least,
            };
            let Some((_, widest)) =
                widths.iter_mut().enumerate().filter(can_give).max_by_key(|(_, width)| **width)
            else {
                break;
            };
            *widest -= 1;
        }
        widths
    }

    fn line<'a>(
        &self,
        mark: &str,
        cells: impl Iterator<Item = &'a str>,
        widths: &[usize],
    ) -> String {
        let mut line = String::from(mark);
        for (position, ((cell, width_of), (_, fit))) in
            cells.zip(widths).zip(&self.columns).enumerate()
        {
            if position > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let cell = match fit {
                Fit::Right | Fit::Left => cell.to_owned(),
                Fit::Middle(_) => shorten(cell, *width_of),
                Fit::End(_) => cut(cell, *width_of),
            };
            let padding = " ".repeat(width_of.saturating_sub(width(&cell)));
            if *fit == Fit::Right {
                line.push_str(&padding);
                line.push_str(&cell);
            } else {
                line.push_str(&cell);
                line.push_str(&padding);
            }
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: usize) -> String {
        let mut table =
            Table::new(&[("name", Fit::Middle(8)), ("rows", Fit::Right), ("why", Fit::End(6))]);
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        table.row(false, row(["events", "3 100 442", ""]));
        table.row(true, row(["customer_addresses_history", "7", "37 values do not fit"]));
        table.row(false, row(["日本", "12", "ok"]));
        let mut out = String::new();
        table.draw(&mut out, Look::plain(width));
        out
    }

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        insta::assert_snapshot!(drawn(100), @r"
          name                             rows  why
          events                      3 100 442
        ! customer_addresses_history          7  37 values do not fit
          日本                               12  ok
        ");
    }

    #[test]
    fn the_widest_gives_way_when_the_line_is_short() {
        insta::assert_snapshot!(drawn(45), @r"
          name                  rows  why
          events           3 100 442
        ! custome…history          7  37 values do n…
          日本                    12  ok
        ");
        // Too narrow for anything: what may shrink is at its least.
        assert!(drawn(10).contains("! cust…ory"));
    }
}
