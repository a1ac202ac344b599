//! Subjects, and the contexts that qualify them: `name`, or `:.context:name`.

use std::{fmt, sync::Arc};

use crate::state::Refusal;

/// The name of the context that needs no naming.
pub(crate) const DEFAULT_CONTEXT: &str = ".";
/// The prefix that means every subject of every context.
pub(crate) const EVERY_CONTEXT: &str = ":*:";
/// What sets a context off from a subject's name.
const SEPARATOR: char = ':';
const BYTES_MAX: usize = 1024;

/// A subject in its one spelling: the default context is never written. Ordered as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subject(Arc<str>);

impl Subject {
    /// Reads a subject as a client wrote it.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let valid = !text.is_empty() && text.len() <= BYTES_MAX && !text.chars().any(char::is_control);
        if valid { Ok(Self::of_log(text)) } else { Err(Refusal::InvalidSubject { subject: text.to_owned() }) }
    }

    /// Takes a subject as a log names it.
    pub(crate) fn of_log(text: &str) -> Self {
        let name = text.strip_prefix(":.:").filter(|name| !name.is_empty()).unwrap_or(text);
        Self(name.into())
    }

    /// The subject as it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The context, `.` for the default one.
    pub(crate) fn context(&self) -> &str {
        self.split().0
    }

    /// The name within the context; empty where the context as a whole is meant.
    pub(crate) fn name(&self) -> &str {
        self.split().1
    }

    /// The subject of this name in another context.
    pub(crate) fn within(&self, context: &str) -> Self {
        Self(format!("{SEPARATOR}{context}{SEPARATOR}{}", self.name()).into())
    }

    /// The subject that stands for the whole context in configurations and modes; none for the default context.
    pub(crate) fn whole_context(&self) -> Option<Self> {
        match self.context() {
            DEFAULT_CONTEXT => None,
            context => Some(Self::of_context(context)),
        }
    }

    /// The subject that stands for a context.
    pub(crate) fn of_context(context: &str) -> Self {
        Self(format!("{SEPARATOR}{context}{SEPARATOR}").into())
    }

    /// A subject of the same context: an unqualified name in a reference means one's own context.
    pub(crate) fn beside(&self, name: &str) -> Self {
        match self.context() {
            DEFAULT_CONTEXT => Self::of_log(name),
            _ if name.starts_with(":.") => Self::of_log(name),
            context => Self(format!("{SEPARATOR}{context}{SEPARATOR}{name}").into()),
        }
    }

    fn split(&self) -> (&str, &str) {
        let qualified = self.0.strip_prefix(SEPARATOR).filter(|rest| rest.starts_with('.'));
        qualified.and_then(|rest| rest.split_once(SEPARATOR)).unwrap_or((DEFAULT_CONTEXT, &self.0))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_default_context_is_never_written() {
        for text in ["orders-value", ":.:orders-value"] {
            let subject = Subject::parse(text).unwrap();
            assert_eq!((subject.as_str(), subject.context()), ("orders-value", "."));
            assert_eq!(subject.whole_context(), None);
        }
    }

    #[test]
    fn other_contexts_qualify() {
        let subject = Subject::parse(":.staging:a:b").unwrap();
        assert_eq!((subject.as_str(), subject.context()), (":.staging:a:b", ".staging"));
        assert_eq!(subject.whole_context().unwrap().as_str(), ":.staging:");
        assert_eq!(subject.beside("c").as_str(), ":.staging:c");
        assert_eq!(subject.beside(":.:c").as_str(), "c");
        assert_eq!(Subject::parse(":odd").unwrap().context(), ".");
    }

    #[test]
    fn control_characters_and_nothing_are_refused() {
        for text in ["", "a\nb", "a\0", &"x".repeat(BYTES_MAX + 1)] {
            assert!(matches!(Subject::parse(text), Err(Refusal::InvalidSubject { .. })));
        }
    }
}
