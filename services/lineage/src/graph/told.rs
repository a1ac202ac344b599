//! A facet that was read once and is kept as long as the same text is told.

use std::sync::Arc;

use super::GraphFull;
use super::budget::{Budget, Charge};
use crate::event::{Facet, Facets};
use crate::facet::Shape;

/// What a facet says, shared by the versions in which it says so.
#[derive(Debug)]
pub(super) struct Told<T> {
    digest: u64,
    value: Arc<(T, Charge)>,
}

impl<T> Clone for Told<T> {
    fn clone(&self) -> Self {
        Self { digest: self.digest, value: Arc::clone(&self.value) }
    }
}

/// Of the same text.
impl<T> PartialEq for Told<T> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<T> std::ops::Deref for Told<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value.0
    }
}

/// Where the bytes of facets are counted, and how many there may be.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) budget: Budget,
    pub(super) bytes_max: usize,
}

impl<T> Told<T> {
    /// Brings `known` up to what an event says; whether that changed anything.
    pub(super) fn learn<S: Shape>(
        known: &mut Option<Self>,
        facets: &Facets<'_>,
        room: &Room,
        make: impl FnOnce(S) -> T,
    ) -> Result<bool, GraphFull> {
        let Some(facet) = facets.find(S::KEY) else { return Ok(false) };
        if known.as_ref().is_some_and(|known| known.digest == facet.digest) {
            return Ok(false);
        }
        let told = Self::of(facet, room, make)?;
        let changed = told.is_some() || known.is_some();
        *known = told;
        Ok(changed)
    }

    /// `None` for a facet that says that it no longer holds.
    pub(super) fn of<S: Shape>(
        facet: &Facet<'_>,
        room: &Room,
        make: impl FnOnce(S) -> T,
    ) -> Result<Option<Self>, GraphFull> {
        let Some(read) = facet.read::<S>() else { return Ok(None) };
        let charge = room.budget.charge(facet.text.len(), room.bytes_max).ok_or(GraphFull::Facets)?;
        Ok(Some(Self { digest: facet.digest, value: Arc::new((make(read), charge)) }))
    }

    pub(super) fn get(&self) -> &T {
        &self.value.0
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }
}
