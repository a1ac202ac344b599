use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A named type's full name: `namespace.simple`, or only `simple` in the null namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// The name that `name` stands for inside `namespace`: itself where it has dots, else qualified by the namespace.
    ///
    /// `None` where it is not a name in Avro's grammar.
    #[must_use]
    pub fn resolve(name: &str, namespace: Option<&str>) -> Option<Name> {
        let inherited = namespace.filter(|namespace| !name.contains('.') && !namespace.is_empty());
        if inherited.map_or(0, |namespace| namespace.len() + 1) + name.len() > MAX_NAME_BYTES {
            return None;
        }
        let full = inherited.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}.{name}"));
        full.split('.').all(is_simple_name).then(|| Name(full.into()))
    }

    /// The full name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the last dot; resolution of schemas compares this part alone.
    #[must_use]
    pub fn simple(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }

    /// How the type is referred to from inside a namespace.
    pub(crate) fn reference_in(&self, namespace: Option<&str>) -> &str {
        match self.namespace() {
            Some(own) if Some(own) == namespace => self.simple(),
            _ => self.as_str(),
        }
    }

    /// The part before the last dot.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.0.rsplit_once('.').map(|(namespace, _)| namespace)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The longest name that is read, with its namespace: every type inside a record takes the namespace over, and findings
/// repeat names.
pub(super) const MAX_NAME_BYTES: usize = 1024;

/// Whether a text is a name without dots: `[A-Za-z_][A-Za-z0-9_]*`.
pub(super) fn is_simple_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= MAX_NAME_BYTES
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a text is a namespace: names joined by dots, or empty (the null namespace).
pub(super) fn is_namespace(text: &str) -> bool {
    text.is_empty() || text.split('.').all(is_simple_name)
}

/// The names of the primitive types.
pub(super) const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// Whether a text names a primitive type.
pub(super) fn is_primitive(text: &str) -> bool {
    PRIMITIVES.contains(&text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_dotted_name_ignores_the_namespace_around_it() {
        assert_eq!(Name::resolve("a.X", Some("b")).unwrap().as_str(), "a.X");
        assert_eq!(Name::resolve("X", Some("a.b")).unwrap().as_str(), "a.b.X");
        assert_eq!(Name::resolve("X", Some("")).unwrap().as_str(), "X");
    }

    #[test]
    fn the_grammar_is_ascii_letters_digits_and_underscores() {
        for bad in ["", "1x", "a-b", "a..b", ".a", "a.", "é", "a b"] {
            assert_eq!(Name::resolve(bad, None), None, "{bad:?}");
        }
    }

    #[test]
    fn simple_name_and_namespace_split_at_the_last_dot() {
        let name = Name::resolve("a.b.X", None).unwrap();
        assert_eq!((name.namespace(), name.simple()), (Some("a.b"), "X"));
        assert_eq!(Name::resolve("X", None).unwrap().namespace(), None);
    }
}
