//! The command `litelift`.
fn main() {}
