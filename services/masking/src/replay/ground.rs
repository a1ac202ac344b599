//! What a replay stands on, and what must not move under it: the contract in force, and the outputs' generation.

use std::collections::BTreeMap;

use mesh_client::{CatalogueError, catalogue::Follower};
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::{Settings, admin::Admin};

use super::ReplayError;
use crate::{
    quarantine::Entry,
    remask::{self, Standing},
};

/// How far the outputs of each partition are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standings(BTreeMap<i32, (u64, i64)>);

impl Standings {
    /// With the newest version of the keys that any partition is masked with.
    async fn read(admin: &Admin, product: &AppliedProduct) -> Result<(Self, u32), ReplayError> {
        let marks = remask::marks(admin, product).await.map_err(ReplayError::Look)?;
        let keys = marks.values().map(|mark| mark.keys).max().unwrap_or(0);
        let standings: BTreeMap<i32, Standing> =
            marks.into_iter().map(|(partition, mark)| (partition, mark.standing)).collect();
        let newest = standings.values().map(|standing| standing.generation).max();
        let is_behind = |standing: &Standing| standing.is_emptying || Some(standing.generation) != newest;
        if standings.values().any(is_behind) {
            return Err(ReplayError::Remasking);
        }
        let found = standings.into_iter().map(|(partition, found)| (partition, (found.generation, found.from)));
        Ok((Standings(found.collect()), keys))
    }

    /// Whether the record was read again for a later generation, which has refused it anew or has let it through.
    pub(super) fn have_passed(&self, partition: i32, entry: &Entry) -> bool {
        let standing = self.0.get(&partition);
        standing.is_some_and(|standing| remask::is_read_again(*standing, entry.generation, entry.source_offset))
    }
}

/// The contract in force, and the standings, as they were at first.
pub(super) struct Ground {
    catalogue: Follower,
    asked: ProductRef,
    product: AppliedProduct,
    pub(super) standings: Standings,
    /// The newest version of the keys that any partition was masked with at first.
    pub(super) keys: u32,
}

impl Ground {
    pub(super) async fn of(kafka: &Settings, admin: &Admin, product: &AppliedProduct) -> Result<Self, ReplayError> {
        let contract = &product.contract;
        let asked = ProductRef { product: contract.product(), major: Some(contract.version) };
        let catalogue = Follower::open(kafka).await.map_err(ReplayError::ReadCatalogue)?;
        let (standings, keys) = Standings::read(admin, product).await?;
        let mut ground = Ground { catalogue, asked, product: product.clone(), standings, keys };
        ground.check_contract().await?;
        Ok(ground)
    }

    /// That all is as it was, and no partition is masked with keys that are newer than these.
    pub(super) async fn check(&mut self, admin: &Admin, keys: u32) -> Result<(), ReplayError> {
        self.check_contract().await?;
        let (now, in_force) = Standings::read(admin, &self.product).await?;
        match now == self.standings {
            true if in_force > keys => Err(ReplayError::KeysBehind { in_force }),
            true => Ok(()),
            false => Err(ReplayError::Remasking),
        }
    }

    async fn check_contract(&mut self) -> Result<(), ReplayError> {
        let failed = |error: CatalogueError| ReplayError::ReadCatalogue(error);
        self.catalogue.catch_up().await.map_err(failed)?;
        let in_force = self.catalogue.catalogue().product(&self.asked).map_err(failed)?;
        if **in_force == self.product { Ok(()) } else { Err(ReplayError::Changed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_generation_has_passed_what_it_read_again() {
        let standings = Standings([(0, (3, 50))].into());
        let passed = |partition, generation, source_offset| {
            standings.have_passed(partition, &Entry { generation, source_offset, ..Entry::default() })
        };
        assert!(passed(0, 2, 50) && passed(0, 1, 90));
        assert!(!passed(0, 3, 90), "of this generation");
        assert!(!passed(0, 2, 49), "the input had lost it");
        assert!(!passed(1, 1, 0), "nothing was ever read");
    }
}
