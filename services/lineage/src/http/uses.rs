//! What Marquez does not have: findings, impact, and the masking proof.

use axum::Json;
use axum::extract::State as Extract;
use jiff::Timestamp;
use serde::Deserialize;

use super::asked::Asked;
use super::problem::Problem;
use crate::State;
use crate::finding::{Finding, findings};
use crate::impact::Impact;
use crate::proof::Proof;
use crate::reach::Products;

/// `product`, `column`, `asOf`.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    product: Option<String>,
    column: Option<String>,
    #[serde(rename = "asOf")]
    as_of: Option<Timestamp>,
}

impl About {
    fn at_ms(&self) -> i64 {
        self.as_of.map_or(i64::MAX, Timestamp::as_millisecond)
    }
}

/// Where contracts and what was seen differ.
pub(super) async fn differing(Extract(state): Extract<State>, Asked(about): Asked<About>) -> Json<Vec<Finding>> {
    Json(state.read(|graph| findings(graph.as_of(about.at_ms()), about.product.as_deref())))
}

/// Who sees a column, and in which form.
pub(super) async fn impact(
    Extract(state): Extract<State>,
    Asked(about): Asked<About>,
) -> Result<Json<Impact>, Problem> {
    let (Some(product), Some(column)) = (&about.product, &about.column) else {
        return Err(Problem::bad_request("name a product and a column: ?product=crm.customers&column=email"));
    };
    let products = Products::new(state.products());
    let found = state.read(|graph| Impact::of(graph.as_of(about.at_ms()), &products, product, column));
    found.map(Json).map_err(Problem::not_found)
}

/// Whether any sensitive column arrives unmasked where that is not granted.
pub(super) async fn proof(Extract(state): Extract<State>, Asked(about): Asked<About>) -> Json<Proof> {
    let products = Products::new(state.products());
    Json(state.read(|graph| Proof::of(graph.as_of(about.at_ms()), &products, about.product.as_deref())))
}
