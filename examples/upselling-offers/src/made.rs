//! Which offers were published already, so that only what changed is published again.

use crate::facts::Offer;
use jiff::Timestamp;
use std::collections::HashMap;

/// The offers as published. There is at most one for each customer in the book, so it is bounded by the book's limit.
#[derive(Debug, Default)]
pub(crate) struct Made(HashMap<String, Offer>);

impl Made {
    /// Of these offers, those that are new or say something else than before.
    pub(crate) fn fresh(&self, offers: Vec<Offer>) -> Vec<Offer> {
        offers.into_iter().filter(|offer| self.0.get(&offer.offer_id) != Some(&timeless(offer))).collect()
    }

    /// Takes note of what was published.
    pub(crate) fn note(&mut self, offers: &[Offer]) {
        self.0.extend(offers.iter().map(|offer| (offer.offer_id.clone(), timeless(offer))));
    }
}

/// When an offer was made does not make it another one.
fn timeless(offer: &Offer) -> Offer {
    Offer { made_at: Timestamp::UNIX_EPOCH, ..offer.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Cents;

    fn offer(reason: &str, second: i64) -> Offer {
        Offer {
            offer_id: "c/looks".into(),
            customer_id: "c".into(),
            contact: "hash".into(),
            orders: 1,
            spent: Cents(1),
            interest: "home".into(),
            reason: reason.into(),
            made_at: Timestamp::from_second(second).unwrap_or_default(),
        }
    }

    #[test]
    fn an_offer_is_published_again_only_if_it_says_something_else() {
        let mut made = Made::default();
        let first = made.fresh(vec![offer("looked 15 times", 1)]);
        assert_eq!(first.len(), 1);
        made.note(&first);
        assert!(made.fresh(vec![offer("looked 15 times", 2)]).is_empty());
        assert_eq!(made.fresh(vec![offer("looked 16 times", 3)]).len(), 1);
    }
}
