//! What stands in a request's path and query.

use std::borrow::Cow;

use axum::{
    extract::{FromRequestParts, Query, RawPathParams},
    http::request::Parts,
};

use mesh_runtime::access::Principal;

use super::{Problem, body::SubmissionBody, problem::UNAUTHENTICATED};
use crate::{
    state::{Filter, Refusal, Submission, VersionSelector},
    subject::{DEFAULT_CONTEXT, EVERY_CONTEXT, Subject},
};

/// The decoded parts of a request's address, and who sent it: no subject is had without the right to it.
#[derive(Debug)]
pub(super) struct Parameters {
    principal: Principal,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// What qualifies subjects where the path is under a context: `:.name:`. None for the default one.
    qualifier: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|error| Problem::new(400, error.body_text()))?;
        let path: Vec<_> = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let query = Query::from_request_parts(parts, state).await;
        let Query(query) = query.map_err(|error| Problem::new(400, error.body_text()))?;
        let qualifier = find(&path, "context").and_then(qualifier);
        let principal = parts.extensions.get::<Principal>().cloned();
        let principal = principal.ok_or_else(|| Problem::new(UNAUTHENTICATED, "nobody knows who asks"))?;
        Ok(Self { principal, path, query, qualifier })
    }
}

impl Parameters {
    /// The subject in the path, to be read.
    pub(super) fn readable_subject(&self) -> Result<Subject, Problem> {
        let subject = self.subject()?;
        self.require_readable(&subject)?;
        Ok(subject)
    }

    /// The subject in the path, to be changed.
    pub(super) fn writable_subject(&self) -> Result<Subject, Problem> {
        let subject = self.subject()?;
        self.require_writable(Some(&subject))?;
        Ok(subject)
    }

    /// What settings are for, to be read: the subject in the path, else the context that the path is under, else all.
    pub(super) fn readable_scope(&self) -> Result<Option<Subject>, Problem> {
        let scope = self.optional_subject()?;
        scope.iter().try_for_each(|subject| self.require_readable(subject))?;
        Ok(scope)
    }

    /// What settings are for, to be changed. Those of all are for whoever may write everything.
    pub(super) fn writable_scope(&self) -> Result<Option<Subject>, Problem> {
        let scope = self.optional_subject()?;
        self.require_writable(scope.as_ref())?;
        Ok(scope)
    }

    /// The schema in the body, submitted to a subject. What it refers to has to be readable.
    pub(super) fn submission(&self, subject: Subject, body: SubmissionBody) -> Result<Submission, Problem> {
        let submission = body.to(subject, self.flag("normalize"))?;
        let referenced = submission.references.iter().map(|reference| submission.subject.beside(&reference.subject));
        referenced.into_iter().try_for_each(|subject| self.require_readable(&subject))?;
        Ok(submission)
    }

    /// Whether whoever asks may read a subject.
    pub(super) fn may_read(&self, subject: &Subject) -> bool {
        self.principal.may_read(subject.as_str())
    }

    fn require_readable(&self, subject: &Subject) -> Result<(), Problem> {
        let refused = || Problem::forbidden(&self.principal, "Read", &format!("Subject: {subject}"));
        if self.may_read(subject) { Ok(()) } else { Err(refused()) }
    }

    fn require_writable(&self, scope: Option<&Subject>) -> Result<(), Problem> {
        let may = scope.map_or(self.principal.may_write_all(), |subject| self.principal.may_write(subject.as_str()));
        let what = scope.map_or_else(|| "the whole registry".to_owned(), |subject| format!("Subject: {subject}"));
        if may { Ok(()) } else { Err(Problem::forbidden(&self.principal, "Write", &what)) }
    }

    /// Refuses an id of which no use may be read.
    pub(super) fn require_any_readable<'a>(
        &self,
        id: u32,
        mut uses: impl Iterator<Item = (&'a Subject, u32)>,
    ) -> Result<(), Problem> {
        let refused = || Problem::forbidden(&self.principal, "Read", &format!("Schema: {id}"));
        if uses.any(|(subject, _)| self.may_read(subject)) { Ok(()) } else { Err(refused()) }
    }

    /// Who asks.
    pub(super) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The subject in the path.
    pub(super) fn subject(&self) -> Result<Subject, Refusal> {
        match find(&self.path, "subject") {
            Some(name) if !name.is_empty() => Subject::parse(&self.qualified(name)),
            _ => Subject::parse(""),
        }
    }

    fn optional_subject(&self) -> Result<Option<Subject>, Refusal> {
        match find(&self.path, "subject") {
            Some(_) => self.subject().map(Some),
            None => self.qualifier.as_deref().map(Subject::parse).transpose(),
        }
    }

    /// The subject that the query asks for.
    pub(super) fn asked_subject(&self) -> Option<Subject> {
        find(&self.query, "subject").map(|name| Subject::of_log(&self.qualified(name)))
    }

    /// What the subjects of a list begin with.
    pub(super) fn subject_prefix(&self) -> Cow<'_, str> {
        match find(&self.query, "subjectPrefix") {
            Some(prefix) => self.qualified(prefix),
            None => Cow::Borrowed(self.qualifier.as_deref().unwrap_or(EVERY_CONTEXT)),
        }
    }

    /// The version in the path.
    pub(super) fn version(&self) -> Result<VersionSelector, Refusal> {
        VersionSelector::parse(find(&self.path, "version").unwrap_or_default())
    }

    /// The GUID in the path, as it was given.
    pub(super) fn guid(&self) -> &str {
        find(&self.path, "guid").unwrap_or_default()
    }

    /// The pairs that the query's `key` and `value` make, in their order.
    pub(super) fn key_values(&self) -> Vec<(&str, &str)> {
        let all =
            |name: &'static str| self.query.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str());
        all("key").zip(all("value")).collect()
    }

    /// The schema id in the path, and the context to look in.
    pub(super) fn id(&self) -> Result<u32, Problem> {
        let text = find(&self.path, "id").unwrap_or_default();
        text.parse().map_err(|_| Problem::new(404, "HTTP 404 Not Found"))
    }

    /// The context of the subject in the query, else the one that the path is under, else the default one.
    pub(super) fn context(&self) -> String {
        let subject = self.asked_subject().or_else(|| self.qualifier.as_deref().map(Subject::of_log));
        subject.as_ref().map_or(DEFAULT_CONTEXT, Subject::context).to_owned()
    }

    /// Which versions count.
    pub(super) fn filter(&self) -> Filter {
        Filter::of(self.flag("deleted"), self.flag("deletedOnly"))
    }

    /// Whether a flag is set: only the word `true` sets one.
    pub(super) fn flag(&self, name: &str) -> bool {
        find(&self.query, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The part of a list that `offset` and `limit` ask for; a limit below 0 is none.
    pub(super) fn page<T>(&self, items: impl Iterator<Item = T>) -> Result<Vec<T>, Problem> {
        let offset = self.number("offset")?.map_or(0, |offset| usize::try_from(offset).unwrap_or(0));
        let limit = self.number("limit")?.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(items.skip(offset).take(limit).collect())
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let parsed = find(&self.query, name).map(str::parse).transpose();
        parsed.map_err(|_| Problem::new(400, format!("the query parameter {name} is not a whole number")))
    }

    /// A name in the context that the path is under, unless it says its own.
    fn qualified<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match &self.qualifier {
            Some(qualifier) if !name.starts_with(":.") && !name.starts_with(EVERY_CONTEXT) => {
                Cow::Owned(format!("{qualifier}{name}"))
            }
            _ => Cow::Borrowed(name),
        }
    }
}

/// What a context's name in a path, with its leading dot or without, puts before its subjects.
fn qualifier(context: &str) -> Option<String> {
    let name = context.trim_matches(':');
    let name = name.strip_prefix(DEFAULT_CONTEXT).unwrap_or(name);
    (!name.is_empty()).then(|| format!(":.{name}:"))
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}
