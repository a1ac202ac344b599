//! Kafka's principals, made of what a directory calls people.

use std::fmt;
use std::str::FromStr;

/// A principal of Kafka's begins so.
const USER: &str = "User:";
/// No name is longer.
const NAME_CHARACTERS_MAX: usize = 256;

/// The principal of one user: no pattern, and nobody in particular is nobody.
pub(crate) fn is_literal(text: &str) -> bool {
    text.strip_prefix(USER).is_some_and(|name| {
        let plain = name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '*');
        plain && !name.is_empty() && name.chars().count() <= NAME_CHARACTERS_MAX
    })
}

/// How a person's attribute becomes a principal: `User:{uid}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    before: String,
    /// The attribute.
    pub(crate) attribute: String,
    after: String,
}

impl Template {
    /// The principal of whoever has this value; none where that would be a pattern, or nobody.
    pub(crate) fn principal(&self, value: &str) -> Option<String> {
        let principal = format!("{}{value}{}", self.before, self.after);
        is_literal(&principal).then_some(principal)
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed =
            || format!("{text:?} makes no principals: write it as User:{{uid}}, with one attribute in braces");
        let (before, rest) = text.split_once('{').ok_or_else(malformed)?;
        let (attribute, after) = rest.split_once('}').ok_or_else(malformed)?;
        let is_attribute = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let template = Self { before: before.to_owned(), attribute: attribute.to_owned(), after: after.to_owned() };
        let sound = is_attribute(attribute) && template.principal("x").is_some() && !after.contains(['{', '}']);
        sound.then_some(template).ok_or_else(malformed)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{{}}}{}", self.before, self.attribute, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_makes_principals_of_one_user_and_no_patterns() {
        let template: Template = "User:{uid}".parse().expect("it is one");
        assert_eq!(template.attribute, "uid");
        assert_eq!(template.principal("ana"), Some("User:ana".to_owned()));
        let realm: Template = "User:{sAMAccountName}@EXAMPLE.ORG".parse().expect("it is one");
        assert_eq!(realm.principal("ana"), Some("User:ana@EXAMPLE.ORG".to_owned()));
        for value in ["", "*", "a*", "a b", "a\nb", " ", &"a".repeat(257)] {
            assert_eq!(template.principal(value), None, "{value:?}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in
            ["User:ana", "{uid}", "Group:{uid}", "User:{}", "User:{uid}{cn}", "User:*{uid}", "User:{u d}", "User:{uid"]
        {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
