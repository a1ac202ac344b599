//! What requests ask for.

use std::ops::Range;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// How many hops are walked at most.
const DEPTH_MAX: usize = 100;
/// How many hops are walked unless told, as in Marquez.
const DEPTH: usize = 20;
/// How many things a page lists at most.
const PAGE_MAX: usize = 1_000;
/// How many things a page lists unless told, as in Marquez.
const PAGE: usize = 100;

/// A query; what does not fit is answered as JSON.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(Query::from_request_parts(parts, state).await?.0))
    }
}

/// The path's parts; what does not fit is answered as JSON.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(Path::from_request_parts(parts, state).await?.0))
    }
}

/// The instant that is asked about; now, if none.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct When {
    #[serde(rename = "asOf")]
    as_of: Option<Timestamp>,
}

impl When {
    /// In milliseconds since 1970; the largest number for now.
    pub(super) fn at_ms(self) -> i64 {
        self.as_of.map_or(i64::MAX, Timestamp::as_millisecond)
    }

    pub(super) fn as_of(self) -> Option<Timestamp> {
        self.as_of
    }
}

/// `nodeId`, `depth`, `withDownstream`, `asOf`.
#[derive(Debug, Deserialize)]
pub(super) struct Around {
    #[serde(rename = "nodeId")]
    pub(super) node_id: String,
    depth: Option<usize>,
    #[serde(rename = "withDownstream", default)]
    pub(super) with_downstream: bool,
    #[serde(rename = "asOf")]
    as_of: Option<Timestamp>,
}

impl Around {
    pub(super) fn depth(&self) -> usize {
        self.depth.unwrap_or(DEPTH).min(DEPTH_MAX)
    }

    pub(super) fn when(&self) -> When {
        When { as_of: self.as_of }
    }
}

/// `limit`, `offset`, `asOf`.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    #[serde(rename = "asOf")]
    as_of: Option<Timestamp>,
}

impl Page {
    pub(super) fn when(&self) -> When {
        When { as_of: self.as_of }
    }

    /// The page's part of all that there is.
    pub(super) fn of<T>(&self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit.unwrap_or(PAGE).min(PAGE_MAX)).collect()
    }
}

/// `before`, `after`, `sortDirection`, `limit`, `offset`.
#[derive(Debug, Deserialize)]
pub(super) struct Span {
    before: Option<Timestamp>,
    after: Option<Timestamp>,
    #[serde(rename = "sortDirection", default)]
    sort_direction: Order,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[serde(alias = "ASC")]
    Asc,
    #[default]
    #[serde(alias = "DESC")]
    Desc,
}

impl Span {
    /// From `after` on, and before `before`; in milliseconds since 1970.
    pub(super) fn within(&self) -> Range<i64> {
        let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        ms(self.after).unwrap_or(i64::MIN)..ms(self.before).unwrap_or(i64::MAX)
    }

    /// As in Marquez, unless told.
    pub(super) fn is_newest_first(&self) -> bool {
        self.sort_direction == Order::Desc
    }

    /// The page's part of all that there is.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Vec<T> {
        let page = Page { limit: self.limit, offset: self.offset, as_of: None };
        page.of(all)
    }
}

/// `period`, `timezone`.
#[derive(Debug, Deserialize)]
pub(super) struct Stats {
    pub(super) period: Period,
    pub(super) timezone: Option<String>,
}

/// How far back, and in which steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Period {
    /// The last day by the hour.
    #[serde(alias = "day")]
    Day,
    /// The last week by the day.
    #[serde(alias = "week")]
    Week,
}

/// `q`, `filter`, `sort`, `limit`, `namespace`.
#[derive(Debug, Deserialize)]
pub(super) struct Search {
    pub(super) q: String,
    pub(super) filter: Option<Filter>,
    #[serde(default)]
    pub(super) sort: Sort,
    limit: Option<usize>,
    pub(super) namespace: Option<String>,
}

impl Search {
    /// Marquez lists ten unless told.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(10).min(PAGE_MAX)
    }
}

/// Which kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Filter {
    #[serde(alias = "DATASET")]
    Dataset,
    #[serde(alias = "JOB")]
    Job,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    #[default]
    #[serde(alias = "NAME")]
    Name,
    #[serde(alias = "updated_at", alias = "UPDATE_AT", alias = "UPDATED_AT")]
    UpdateAt,
}
