//! Names of domains, products, views and columns: what may stand in a topic's name.

/// Names of at most this many characters: domain, product, version and view together stay within Kafka's 249.
pub(crate) const NAME_LENGTH_MAX: usize = 64;

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Not of the form that names have.
    #[error("{name:?} is not a name: lower-case letters, digits, `_` and `-`, beginning with a letter")]
    Form {
        /// What was given.
        name: String,
    },
    /// Longer than a name may be.
    #[error("{name:?} has more than {NAME_LENGTH_MAX} characters")]
    Length {
        /// What was given.
        name: String,
    },
}

/// Checks the name of a domain, a product or a view.
pub(crate) fn check(name: &str) -> Result<(), NameError> {
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|c| c.is_ascii_lowercase());
    let goes_on = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    if !(begins && goes_on) {
        return Err(NameError::Form { name: name.chars().take(80).collect() });
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err(NameError::Length { name: name.to_owned() });
    }
    Ok(())
}
