//! Runs the upselling domain's own program.

use super::publish::{Published, Stage};
use super::story::Joined;
use crate::failure::Failure;
use upselling_offers::derive::NO_INTEREST;
use upselling_offers::facts::Offer;
use upselling_offers::{Config, PRODUCT, Program, Summary};

/// How many offers the report shows.
const EXAMPLES: usize = 5;

/// Derives `upselling.offers` from the others' masked views, once.
///
/// # Errors
/// The program failed.
pub async fn derive(stage: &Stage, published: &mut Published) -> Result<Joined, Failure> {
    let failed = |error: anyhow::Error| Failure::internal("cannot derive upselling.offers").because(error);
    let config = Config::new(stage.kafka.clone(), &stage.endpoint);
    let mut program = Program::open(&config).await.map_err(failed)?;
    let worked = program.catch_up().await;
    let summary = program.finish(worked).await.map_err(failed)?;
    published.add(PRODUCT, "the upselling domain's own program, with mesh-client", summary.offers.len(), 0);
    Ok(joined(&summary))
}

fn joined(summary: &Summary) -> Joined {
    let (seen, unseen): (Vec<&Offer>, Vec<&Offer>) =
        summary.offers.iter().partition(|offer| offer.interest != NO_INTEREST);
    let examples = seen.iter().take(EXAMPLES - 2).chain(unseen.iter().take(2));
    Joined {
        customers: summary.customers,
        orders: summary.orders,
        page_views: summary.page_views,
        offers: summary.offers.len() as u64,
        seen_on_the_web: seen.len() as u64,
        examples: examples.map(|offer| example(offer)).collect(),
    }
}

fn example(offer: &Offer) -> [String; 5] {
    let Offer { customer_id, orders, spent, interest, reason, .. } = offer;
    [customer_id.clone(), orders.to_string(), format!("${spent}"), interest.clone(), reason.clone()]
}
