//! By which hash the server and litelift speak of the same row.
//!
//! Purpose: `hash_array_extended` is no documented interface, so a server is asked for test vectors first. One
//! that answers otherwise (big-endian, or PostgreSQL by name only) is compared by SHA-256, which costs it
//! about twice the time; one that has not even that, by its values (`full`).

use crate::connect::Session;
use crate::encode::record_hash::{self, HashRule, SEEDS};

/// Lengths that reach every path of the hash: nothing, a part of a block, whole blocks, and a rest.
const LENGTHS: std::ops::Range<u8> = 0..40;

/// How both sides speak of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By a hash that the server computes too.
    Hashed(HashRule),
    /// By its values, read back and held against the source by the witness.
    ReadBack,
}

impl How {
    /// Whether sums that a transfer kept are of this kind.
    pub(crate) fn is_kept(self) -> bool {
        self == Self::Hashed(HashRule::Array)
    }
}

/// Asks the server how it hashes; `None`: in no way that is known here.
pub(crate) async fn ask(session: &Session) -> Option<HashRule> {
    for rule in [HashRule::Array, HashRule::Sha256] {
        if agrees(session, rule).await {
            return Some(rule);
        }
    }
    None
}

/// A server that refuses the question does not hash so.
async fn agrees(session: &Session, rule: HashRule) -> bool {
    let bytes: Vec<u8> = LENGTHS.map(|at| at.wrapping_mul(151)).collect();
    let asked: Vec<&[u8]> = (0..bytes.len()).map(|length| &bytes[..length]).collect();
    let [one, two] = sql("b", rule);
    let sql_of_all = format!(
        "SELECT {one}, {two} FROM unnest($1::bytea[]) WITH ORDINALITY AS t (b, n) ORDER BY n"
    );
    let Ok(rows) = session.query(&sql_of_all, &[&asked]).await else { return false };
    let found = rows.iter().map(|row| [row.get::<_, i64>(0), row.get(1)]);
    if !found.eq(asked.iter().map(|bytes| record_hash::of_bytes(rule, bytes))) {
        return false;
    }
    // A record: its form, and the oids in it.
    let Some(wanted) = record_hash::of_row(rule, &[20, 25, 23], &ROW) else { return false };
    let [one, two] = sql("record_send(ROW(7::int8, 'ä'::text, NULL::int4))", rule);
    let found = session.query_one(&format!("SELECT {one}, {two}"), &[]).await;
    found.is_ok_and(|row| [row.get::<_, i64>(0), row.get(1)] == wanted)
}

/// 7, 'ä' and NULL as a row of COPY BINARY.
const ROW: [u8; 24] =
    [0, 3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0xC3, 0xA4, 0xFF, 0xFF, 0xFF, 0xFF];

/// Returns the expressions of both hashes of some bytes.
pub(crate) fn sql(bytes: &str, rule: HashRule) -> [String; 2] {
    match rule {
        HashRule::Array => {
            SEEDS.map(|seed| format!("hash_array_extended(ARRAY[({bytes})::bytea], {seed})"))
        }
        HashRule::Sha256 => [1, 9].map(|from| {
            let part = format!("substr(sha256(({bytes})::bytea), {from}, 8)");
            format!("('x' || encode({part}, 'hex'))::bit(64)::int8")
        }),
    }
}
