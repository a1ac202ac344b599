//! What was tested of a data set, through time: apart from what it is, as a test that is run again makes no new version of it.

use super::GraphFull;
use super::timeline::Timeline;
use super::told::{Room, Told};
use crate::event::Facets;
use crate::facet::{Assertion, Assertions, Shape as _};

/// What one tells of a data set: whoever watches over it, or a job that reads it.
pub(super) type Tested = Timeline<Option<Told<Vec<Assertion>>>>;

/// Takes in what an event tells; of an event without it nothing changes.
pub(super) fn learn(
    tested: &mut Tested,
    facets: &Facets<'_>,
    at_ms: i64,
    room: &Room,
    most: usize,
) -> Result<(), GraphFull> {
    let Some(facet) = facets.find(Assertions::KEY) else { return Ok(()) };
    let known = tested.at(at_ms).and_then(Option::as_ref);
    if known.is_some_and(|known| known.digest() == facet.digest) {
        return Ok(());
    }
    let told = Told::of(facet, room, |it: Assertions| it.assertions)?;
    tested.set(at_ms, told, most);
    Ok(())
}

/// What had been told by then.
pub(super) fn at(tested: &Tested, at_ms: i64) -> &[Assertion] {
    tested.at(at_ms).and_then(Option::as_ref).map_or(&[], |told| told.get().as_slice())
}
