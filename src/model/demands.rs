//! What a column that is there already demands of its values, beyond its type.

use serde::{Deserialize, Serialize};

/// Demands of a column of the target that litelift did not make; none where it makes the column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demands {
    /// NOT NULL, of the column or of its domain: a NULL makes its row a bad row.
    pub required: bool,
    /// Labels of its enum type: any other text does not fit.
    pub labels: Option<Vec<String>>,
    /// Digits of a second that its type keeps, 0 to 6: the server rounds to them. `None`: all six.
    pub seconds_digits: Option<u8>,
}

impl Demands {
    /// Returns the number of microseconds that the type rounds to; `None` when it keeps all.
    #[must_use]
    pub fn rounds_to_us(&self) -> Option<i64> {
        let digits = u32::from(self.seconds_digits.filter(|digits| *digits < 6)?);
        Some(10_i64.pow(6 - digits))
    }
}
