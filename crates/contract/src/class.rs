//! The class of a sensitive column: `pii.contact`.

use crate::name;

/// The class of a sensitive column that names none.
pub(crate) const DEFAULT: &str = "pii";

/// Whether `text` is a class: names with `.` between, such as `pii.contact`.
pub(crate) fn is_valid(text: &str) -> bool {
    text.len() <= 128 && text.split('.').all(|part| name::check(part).is_ok())
}
