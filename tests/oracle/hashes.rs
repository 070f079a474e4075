//! The hash of a row is the server's own, for every type and length.

use futures_util::TryStreamExt as _;
use litelift::encode::record_hash::{self, HashRule, SEEDS};
use tokio_postgres::Client;

use crate::support::generate::Random;
use crate::support::pg;

/// Types that litelift writes, each with an expression of `n` that makes its values.
const COLUMNS: [(&str, &str); 22] = [
    ("boolean", "n % 2 = 0"),
    ("smallint", "n % 30000"),
    ("integer", "n * 7 - 1000"),
    ("bigint", "n::bigint * 4000000007"),
    ("real", "n / 7.0"),
    ("double precision", "CASE WHEN n % 9 = 0 THEN '-0'::float8 ELSE n / 3.0 END"),
    ("numeric", "(n * 1.10)::numeric(12, 2) / (1 + n % 4)"),
    ("text", "CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE repeat('ä', n % 50) END"),
    ("varchar(200)", "repeat(chr(97 + n % 26), n % 200)"),
    ("char(9)", "n::text"),
    ("bytea", "decode(md5(n::text), 'hex')"),
    ("date", "date '2000-01-01' + n % 40000"),
    ("time", "time '00:00' + n * interval '1.000001 s'"),
    ("timestamp", "timestamp '1999-12-31' + n * interval '1.000001 h'"),
    ("timestamptz", "timestamptz '1999-12-31' + n * interval '1.000001 h'"),
    ("interval", "n * interval '1 day 00:00:00.000001'"),
    ("uuid", "md5(n::text)::uuid"),
    ("json", "json_build_object('n', n, 't', 'x  y')"),
    ("jsonb", "jsonb_build_object('n', n * 1.50, 'a', ARRAY[n, NULL])"),
    ("inet", "inet '10.0.0.0' + n"),
    ("text[]", "ARRAY[n::text, NULL, '']"),
    ("integer[]", "CASE WHEN n % 5 = 0 THEN '{}'::int[] ELSE ARRAY[n, 2] END"),
];
const ROWS: usize = 1_000;

#[test]
fn the_hash_of_bytes_is_that_of_the_server() {
    let database = pg::database();
    let mut random = Random::new(7);
    for length in (0..64).chain([255, 4_096, 100_001]) {
        let bytes: Vec<u8> = (0..length).map(|_| random.next().to_be_bytes()[0]).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let array = format!("ARRAY['\\x{hex}'::bytea]");
        let [one, two] = SEEDS;
        let sql = format!(
            "SELECT hash_array_extended({array}, {one}) || ' ' || hash_array_extended({array}, {two})"
        );
        let [a, b] = record_hash::of_bytes(HashRule::Array, &bytes);
        assert_eq!(database.query_one_text(&sql), Some(format!("{a} {b}")), "{length} bytes");
    }
}

#[test]
fn the_hash_of_a_row_is_that_of_the_server() {
    let database = pg::database();
    let names: Vec<String> = (0..COLUMNS.len()).map(|at| format!("c{at}")).collect();
    let values: Vec<String> =
        COLUMNS.iter().map(|(of, value)| format!("({value})::{of}")).collect();
    let columns: Vec<String> =
        COLUMNS.iter().zip(&names).map(|((of, _), name)| format!("{name} {of}")).collect();
    database.execute(&format!(
        "CREATE TABLE t ({}); INSERT INTO t SELECT {} FROM generate_series(1, {ROWS}) n",
        columns.join(", "),
        values.join(", ")
    ));
    let oids: Vec<u32> = pg::query_text(
        &database.url,
        "SELECT atttypid::oid::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 \
         ORDER BY attnum",
    )
    .iter()
    .map(|oid| oid.as_ref().unwrap().parse().unwrap())
    .collect();
    let sums = SEEDS.map(|seed| {
        let sql = format!(
            "SELECT sum(hash_array_extended(ARRAY[record_send(ROW({}))], {seed})) FROM t",
            names.join(", ")
        );
        database.query_one_text(&sql).unwrap().parse::<i128>().unwrap()
    });
    assert_eq!(of_copy(&oids, &copied(&database.url)), (ROWS, sums));
}

/// Table `t` holds what was sent: every bit of it, or the hash would differ. Returns the difference.
pub(super) async fn of_what_was_sent(client: &Client, copy: &[u8]) -> Option<String> {
    let columns = client
        .query(
            "SELECT attname::text, atttypid FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 \
             ORDER BY attnum",
            &[],
        )
        .await
        .unwrap();
    let names: Vec<String> = columns.iter().map(|column| column.get(0)).collect();
    let oids: Vec<u32> = columns.iter().map(|column| column.get(1)).collect();
    let [one, two] = SEEDS;
    let hash = format!("hash_array_extended(ARRAY[record_send(ROW({}))]", names.join(", "));
    let sql =
        format!("SELECT count(*), sum({hash}, {one}))::text, sum({hash}, {two}))::text FROM t");
    let row = client.query_one(&sql, &[]).await.unwrap();
    let stored =
        (row.get::<_, i64>(0), row.get::<_, Option<String>>(1), row.get::<_, Option<String>>(2));
    let (rows, sums) = of_copy(&oids, copy);
    let sum = |sum: i128| (rows > 0).then(|| sum.to_string());
    let sent = (i64::try_from(rows).unwrap(), sum(sums[0]), sum(sums[1]));
    (sent != stored).then(|| format!("other bytes are stored than were sent: {sent:?}, {stored:?}"))
}

/// Rows of COPY BINARY: how many, and the sums of their hashes.
fn of_copy(oids: &[u32], bytes: &[u8]) -> (usize, [i128; 2]) {
    // A head of 19 bytes; each row follows its number of columns; the end is -1.
    let (mut rest, mut found, mut rows) = (&bytes[19..], [0_i128; 2], 0);
    while rest.len() > 2 {
        let (row, after) = rest.split_at(row_length(rest, oids.len()));
        let hashes = record_hash::of_row(HashRule::Array, oids, row).unwrap();
        found[0] += i128::from(hashes[0]);
        found[1] += i128::from(hashes[1]);
        rows += 1;
        rest = after;
    }
    (rows, found)
}

fn row_length(bytes: &[u8], columns: usize) -> usize {
    let mut at = 2;
    for _ in 0..columns {
        let length = i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        at += 4 + usize::try_from(length).unwrap_or(0);
    }
    at
}

fn copied(url: &str) -> Vec<u8> {
    pg::blocking(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let stream = client.copy_out("COPY t TO STDOUT (FORMAT binary)").await.unwrap();
        let chunks: Vec<bytes::Bytes> = stream.try_collect().await.unwrap();
        drop(client);
        let _ = connection.await;
        chunks.concat()
    })
}
