//! Large databases, made fast and always alike.
//!
//! Purpose: what benchmarks and the larger tests read. Same arguments, same rows: the random
//! numbers are an own xorshift with a fixed seed. Benches include this file by `#[path]`.
//!
//! Known gaps: the values are even in size and free of oddities; those are in `fixtures/`.

#![allow(dead_code, reason = "each of the tests and benches uses a part of it")]

use std::path::Path;

use rusqlite::{Connection, Result, Statement};

/// xorshift64*: small, fast, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Zero is the one state that xorshift never leaves.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number from 0 up to, not including, the bound.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(((self.next() >> 32) * u64::from(bound)) >> 32).unwrap_or(0)
    }

    /// A float from 0 to 1 with all its digits.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.below(u32::MAX)) / f64::from(u32::MAX)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let count = u32::try_from(words.len()).unwrap_or(1);
        words[usize::try_from(self.below(count)).unwrap_or(0)]
    }
}

const WORDS: [&str; 24] = [
    "amber", "bridge", "castle", "dänisch", "ember", "forêt", "garden", "harbour", "island",
    "jardín", "kettle", "lantern", "meadow", "north", "ocean", "pepper", "quartz", "river",
    "straße", "timber", "umbrella", "valley", "winter", "zebra",
];
const FIRST_NAMES: [&str; 12] = [
    "Anna", "Björn", "Chloé", "Dmitri", "Elena", "Fatima", "George", "Hiro", "Inés", "Jürgen",
    "Kofi", "Łucja",
];

/// Table `narrow`: id INTEGER PRIMARY KEY, two integers, two reals. Five numbers a row.
pub(crate) fn narrow(path: &Path, rows: u32) -> Result<()> {
    build(path, |connection| {
        connection.execute_batch(
            "CREATE TABLE narrow (id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL,
             x REAL NOT NULL, y REAL NOT NULL)",
        )?;
        let mut insert = connection.prepare("INSERT INTO narrow VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut random = Random::new(1);
        for id in 1..=rows {
            insert.execute((
                id,
                random.below(1_000_000),
                i64::from(random.below(u32::MAX)) * 1_000,
                random.unit() * 1e6,
                random.unit() - 0.5,
            ))?;
        }
        Ok(())
    })
}

/// Table `app`: as a web application declares and fills it.
pub(crate) fn app(path: &Path, rows: u32) -> Result<()> {
    build(path, |connection| {
        connection.execute_batch(
            "CREATE TABLE app (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
             is_active BOOLEAN NOT NULL DEFAULT 1, settings JSON NOT NULL, created_at DATETIME NOT NULL,
             updated_at DATETIME, price NUMERIC(12, 2) NOT NULL, balance REAL NOT NULL, note TEXT)",
        )?;
        let mut insert = connection
            .prepare("INSERT INTO app VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        let mut random = Random::new(2);
        for id in 1..=rows {
            insert_app_row(&mut insert, id, &mut random)?;
        }
        drop(insert);
        connection.execute_batch(
            "CREATE UNIQUE INDEX app_email ON app (email);
             CREATE INDEX app_created ON app (created_at)",
        )
    })
}

fn insert_app_row(insert: &mut Statement<'_>, id: u32, random: &mut Random) -> Result<()> {
    let first = random.pick(&FIRST_NAMES);
    let word = random.pick(&WORDS);
    let settings = format!(
        r#"{{"theme": "{}", "size": {}, "notify": {}, "tags": ["{}", "{word}"], "ratio": {:.3}}}"#,
        random.pick(&WORDS),
        random.below(100),
        random.below(2) == 0,
        random.pick(&WORDS),
        random.unit(),
    );
    let created = instant(random);
    let updated = (random.below(4) > 0).then(|| instant(random));
    // NUMERIC affinity keeps whole amounts as integers and the others as reals.
    let price = f64::from(random.below(10_000_000)) / 100.0;
    let note = (random.below(3) == 0).then(|| sentence(random, 12));
    insert.execute((
        id,
        format!("{first} {word}"),
        format!("user{id}@{word}.example"),
        random.below(2),
        settings,
        created,
        updated,
        price,
        random.unit() * 2e4 - 1e4,
        note,
    ))?;
    Ok(())
}

/// Tables `t0001`, `t0002`, ...: an id, a text, a number each.
pub(crate) fn many(path: &Path, tables: u32, rows: u32) -> Result<()> {
    build(path, |connection| {
        let mut random = Random::new(3);
        for table in 1..=tables {
            connection.execute_batch(&format!(
                "CREATE TABLE t{table:04} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER)"
            ))?;
            let mut insert =
                connection.prepare(&format!("INSERT INTO t{table:04} VALUES (?1, ?2, ?3)"))?;
            for id in 1..=rows {
                insert.execute((id, sentence(&mut random, 3), random.below(1_000)))?;
            }
        }
        Ok(())
    })
}

/// A shop of about so many bytes: customers, orders, lines with a composite key, events without a
/// key, documents with BLOBs; foreign keys and indexes.
pub(crate) fn sized(path: &Path, bytes: u64) -> Result<()> {
    build(path, |connection| {
        connection.execute_batch(SIZED_TABLES)?;
        // The indexes, which come last, add about a fifth.
        let full = bytes / 6 * 5;
        let mut random = Random::new(4);
        let mut filler = Filler::new(connection)?;
        let mut batch = 0;
        while filled(connection)? < full {
            filler.add(batch, &mut random)?;
            batch += 1;
        }
        drop(filler);
        connection.execute_batch(SIZED_INDEXES)
    })
}

const SIZED_TABLES: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL,
      name TEXT NOT NULL, is_active BOOLEAN NOT NULL, profile JSON, created_at DATETIME NOT NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT,
      customer_id INTEGER NOT NULL REFERENCES customers (id), status TEXT NOT NULL,
      total NUMERIC(12, 2) NOT NULL, ordered_at DATETIME NOT NULL, note TEXT);
    CREATE TABLE order_lines (order_id INTEGER NOT NULL REFERENCES orders (id),
      line INTEGER NOT NULL, product TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL,
      PRIMARY KEY (order_id, line));
    CREATE TABLE events (at DATETIME NOT NULL, kind TEXT NOT NULL, customer_id INTEGER,
      payload TEXT);
    CREATE TABLE documents (id INTEGER PRIMARY KEY,
      customer_id INTEGER NOT NULL REFERENCES customers (id), name TEXT NOT NULL, content BLOB);";

const SIZED_INDEXES: &str = "
    CREATE UNIQUE INDEX customers_email ON customers (email);
    CREATE INDEX orders_customer ON orders (customer_id, ordered_at);
    CREATE INDEX orders_new ON orders (ordered_at) WHERE status = 'new';
    CREATE INDEX order_lines_product ON order_lines (product);
    CREATE INDEX events_at ON events (at);
    CREATE INDEX documents_customer ON documents (customer_id);";

struct Filler<'a> {
    customer: Statement<'a>,
    order: Statement<'a>,
    line: Statement<'a>,
    event: Statement<'a>,
    document: Statement<'a>,
}

/// Customers in a batch; each has ten orders, of three lines each, and ten events.
const BATCH_CUSTOMERS: u32 = 20;

impl<'a> Filler<'a> {
    fn new(connection: &'a Connection) -> Result<Self> {
        Ok(Self {
            customer: connection
                .prepare("INSERT INTO customers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            order: connection.prepare("INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            line: connection.prepare("INSERT INTO order_lines VALUES (?1, ?2, ?3, ?4, ?5)")?,
            event: connection.prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4)")?,
            document: connection.prepare("INSERT INTO documents VALUES (?1, ?2, ?3, ?4)")?,
        })
    }

    fn add(&mut self, batch: u32, random: &mut Random) -> Result<()> {
        for customer in 1 + batch * BATCH_CUSTOMERS..=(batch + 1) * BATCH_CUSTOMERS {
            let first = random.pick(&FIRST_NAMES);
            let profile = format!(r#"{{"lang": "{}", "n": {customer}}}"#, random.pick(&WORDS));
            self.customer.execute((
                customer,
                format!("c{customer}@example.org"),
                format!("{first} {}", random.pick(&WORDS)),
                random.below(2),
                profile,
                instant(random),
            ))?;
            for nth in 0..10 {
                self.add_order(customer, (customer - 1) * 10 + nth + 1, random)?;
            }
            let size = usize::try_from(200 + random.below(4_000)).unwrap_or(0);
            let content: Vec<u8> =
                (0..size / 8).flat_map(|_| random.next().to_le_bytes()).collect();
            self.document.execute((
                customer,
                customer,
                format!("{}.pdf", random.pick(&WORDS)),
                content,
            ))?;
        }
        Ok(())
    }

    fn add_order(&mut self, customer: u32, order: u32, random: &mut Random) -> Result<()> {
        let total = f64::from(random.below(100_000)) / 100.0;
        let status = random.pick(&["new", "paid", "sent", "done"]);
        let note = (random.below(5) == 0).then(|| sentence(random, 8));
        self.order.execute((order, customer, status, total, instant(random), note))?;
        for line in 1..=3 {
            let product = format!("{} {}", random.pick(&WORDS), random.below(500));
            let quantity = 1 + random.below(9);
            self.line.execute((order, line, product, quantity, random.unit() * 100.0))?;
        }
        let payload = (random.below(2) == 0).then(|| sentence(random, 10));
        self.event.execute((instant(random), random.pick(&["view", "buy"]), customer, payload))?;
        Ok(())
    }
}

/// Creates the file with `fill` inside one transaction, without a journal.
fn build(path: &Path, fill: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
    // An existing file would be added to.
    if path.exists() {
        std::fs::remove_file(path).map_err(|_| rusqlite::Error::InvalidPath(path.to_owned()))?;
    }
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         PRAGMA locking_mode = EXCLUSIVE; BEGIN",
    )?;
    fill(&connection)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)
}

fn filled(connection: &Connection) -> Result<u64> {
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    Ok(u64::from(pages) * 4_096)
}

/// ISO text with six digits below the second, in the years 2020 to 2025.
fn instant(random: &mut Random) -> String {
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
        2020 + random.below(6),
        1 + random.below(12),
        1 + random.below(28),
        random.below(24),
        random.below(60),
        random.below(60),
        random.below(1_000_000),
    )
}

fn sentence(random: &mut Random, words: u32) -> String {
    let mut text = String::new();
    for _ in 0..words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(random.pick(&WORDS));
    }
    text
}
