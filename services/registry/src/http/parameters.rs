//! What stands in a request's path and query.

use axum::{
    extract::{FromRequestParts, Query, RawPathParams},
    http::request::Parts,
};

use super::Problem;
use crate::{
    state::{Filter, Refusal, VersionSelector},
    subject::Subject,
};

/// The decoded parts of a request's address.
#[derive(Debug)]
pub(super) struct Parameters {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|error| Problem::new(400, error.body_text()))?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let query = Query::from_request_parts(parts, state).await;
        let Query(query) = query.map_err(|error| Problem::new(400, error.body_text()))?;
        Ok(Self { path, query })
    }
}

impl Parameters {
    /// The subject in the path.
    pub(super) fn subject(&self) -> Result<Subject, Refusal> {
        Subject::parse(find(&self.path, "subject").unwrap_or_default())
    }

    /// The subject in the path, where one may be.
    pub(super) fn optional_subject(&self) -> Result<Option<Subject>, Refusal> {
        find(&self.path, "subject").map(Subject::parse).transpose()
    }

    /// The version in the path.
    pub(super) fn version(&self) -> Result<VersionSelector, Refusal> {
        VersionSelector::parse(find(&self.path, "version").unwrap_or_default())
    }

    /// The schema id in the path, and the context to look in.
    pub(super) fn id(&self) -> Result<u32, Problem> {
        let text = find(&self.path, "id").unwrap_or_default();
        text.parse().map_err(|_| Problem::new(404, "HTTP 404 Not Found"))
    }

    /// The context of the subject in the query, or the default one.
    pub(super) fn context(&self) -> String {
        let subject = find(&self.query, "subject").map(Subject::of_log);
        subject.as_ref().map_or(crate::subject::DEFAULT_CONTEXT, Subject::context).to_owned()
    }

    /// Which versions count.
    pub(super) fn filter(&self) -> Filter {
        Filter::of(self.flag("deleted"), self.flag("deletedOnly"))
    }

    /// Whether a flag is set: only the word `true` sets one.
    pub(super) fn flag(&self, name: &str) -> bool {
        find(&self.query, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A word in the query.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
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
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}
