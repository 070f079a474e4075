//! What a client of PostgreSQL sends, cut into calls.
//!
//! Purpose: a call is what the server answers with one ReadyForQuery: a Query, or messages up to a Sync.
//! One of them can be made to fail as the server itself would make it fail: a statement that raises an
//! error takes its place, so that the state of the transaction is the true one.

/// A client's bytes so far.
#[derive(Debug, Default)]
pub(super) struct Frontend {
    is_begun: bool,
    rest: Vec<u8>,
    group: Vec<u8>,
    /// The type of the first message of the group.
    first: u8,
}

/// Messages that belong together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) bytes: Vec<u8>,
    /// Whether the server answers it.
    pub(super) is_call: bool,
    first: u8,
}

impl Frontend {
    /// Takes bytes in, and returns what is complete. Data of a COPY are handed on as they come.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Group> {
        self.rest.extend_from_slice(bytes);
        let mut groups = Vec::new();
        while let Some(message) = self.message() {
            let kind = if self.is_begun { message[0] } else { 0 };
            self.is_begun = true;
            if self.group.is_empty() {
                self.first = kind;
            }
            self.group.extend(message);
            // Startup, password, data, end: no call, but not to be kept back either.
            let is_call = matches!(kind, b'Q' | b'S');
            if is_call || matches!(kind, 0 | b'p' | b'd' | b'X') {
                groups.push(Group {
                    bytes: std::mem::take(&mut self.group),
                    is_call,
                    first: self.first,
                });
            }
        }
        groups
    }

    fn message(&mut self) -> Option<Vec<u8>> {
        let at = usize::from(self.is_begun);
        let length = self.rest.get(at..at + 4)?;
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize + at;
        (self.rest.len() >= length).then(|| self.rest.drain(..length).collect())
    }
}

impl Group {
    /// Whether a server could refuse it: it never refuses a ROLLBACK, nor to forget a statement.
    pub(super) fn can_fail(&self) -> bool {
        self.is_call && self.first != b'C' && !self.begins_with("ROLLBACK")
    }

    fn begins_with(&self, sql: &str) -> bool {
        self.first == b'Q' && self.bytes[5..].starts_with(sql.as_bytes())
    }

    /// The same call, failing.
    pub(super) fn failing(&self, code: &str) -> Vec<u8> {
        if self.first == b'c' {
            // The end of a COPY: the data are refused.
            let mut bytes = message(b'f', "a planted fault");
            bytes.extend(sync());
            return bytes;
        }
        let raise = format!(
            "DO $$ BEGIN RAISE EXCEPTION 'a planted fault' USING ERRCODE = '{code}'; END $$"
        );
        // What fails at its COMMIT is no transaction any more.
        let end = if self.begins_with("COMMIT") { "ROLLBACK; " } else { "" };
        message(b'Q', &format!("{end}{raise}"))
    }
}

fn message(kind: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(u32::try_from(text.len() + 5).unwrap().to_be_bytes());
    bytes.extend(text.bytes());
    bytes.push(0);
    bytes
}

fn sync() -> Vec<u8> {
    vec![b'S', 0, 0, 0, 4]
}

#[test]
fn calls_are_found_in_any_pieces() {
    let mut all = vec![0, 0, 0, 8, 0, 3, 0, 0];
    all.extend(message(b'Q', "BEGIN"));
    all.extend(message(b'P', "x"));
    all.extend(sync());
    all.extend(message(b'd', "row"));
    all.extend(message(b'c', ""));
    all.extend(sync());
    all.extend(message(b'C', "Ss1"));
    all.extend(sync());
    all.extend(message(b'Q', "ROLLBACK"));
    for size in [1, 3, 7, all.len()] {
        let mut frontend = Frontend::default();
        let groups: Vec<Group> = all.chunks(size).flat_map(|piece| frontend.take(piece)).collect();
        let joined: Vec<u8> = groups.iter().flat_map(|group| group.bytes.clone()).collect();
        assert_eq!(joined, all);
        let seen: Vec<_> =
            groups.iter().map(|group| (group.first, group.is_call, group.can_fail())).collect();
        let expected = [
            (0, false, false),
            (b'Q', true, true),
            (b'P', true, true),
            (b'd', false, false),
            (b'c', true, true),
            (b'C', true, false),
            (b'Q', true, false),
        ];
        assert_eq!(seen, expected);
    }
    let commit = Frontend { is_begun: true, ..Frontend::default() }.take(&message(b'Q', "COMMIT"));
    assert!(commit[0].failing("40001")[5..].starts_with(b"ROLLBACK; DO "));
}
