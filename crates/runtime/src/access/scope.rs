//! Which names a right is about.

/// Delimiters of names: a prefix ends with one, so that `crm.` is never mistaken for `crmx`.
const DELIMITERS: [char; 5] = ['.', ':', '-', '_', '/'];

/// The names, such as subjects, that a right is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// `*`: all of them, and what concerns all of them.
    All,
    /// `crm.`: those that begin so; it ends with a delimiter.
    Below(Box<str>),
    /// `crm.customers.v1-value`: this one.
    Exactly(Box<str>),
}

impl Scope {
    /// Reads a scope as an access file has it; says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "*" => Ok(Self::All),
            "" => Err("it is empty"),
            _ if text.contains('*') => {
                Err("`*` stands alone, for everything; a prefix is written without, such as `crm.`")
            }
            _ if text.chars().any(char::is_control) => Err("it has control characters"),
            _ if text.ends_with(DELIMITERS) => Ok(Self::Below(text.into())),
            _ => Ok(Self::Exactly(text.into())),
        }
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Below(prefix) => name.starts_with(&**prefix),
            Self::Exactly(own) => name == &**own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_delimiter_and_anything_else_is_one_name() {
        let covers = |scope: &str, name: &str| Scope::parse(scope).expect(scope).covers(name);
        for (scope, name) in [
            ("*", "crm.customers.v1-value"),
            ("*", ":.staging:crm.customers-value"),
            ("crm.", "crm.customers.v1-value"),
            ("crm.customers.v1.", "crm.customers.v1.in-value"),
            ("crm.customers.v1-", "crm.customers.v1-key"),
            (":.staging:", ":.staging:crm.customers-value"),
            ("crm", "crm"),
        ] {
            assert!(covers(scope, name), "{scope} {name}");
        }
        for (scope, name) in [
            ("crm.", "crmx.customers-value"),
            ("crm.", "crm"),
            ("crm.", ":.staging:crm.customers-value"),
            ("crm", "crm.customers-value"),
            ("crm", "crm2"),
            ("crm.customers.v1-", "crm.customers.v10-value"),
            ("crm.customers.v1.", "crm.customers.v1-value"),
            (":.staging:", ":.stagingtwo:a"),
        ] {
            assert!(!covers(scope, name), "{scope} {name}");
        }
    }

    #[test]
    fn what_might_be_meant_otherwise_is_refused() {
        for text in ["", "crm*", "crm.*", "a\nb"] {
            assert!(Scope::parse(text).is_err(), "{text:?}");
        }
    }
}
