//! A contract of which some parts could not be read. Checks run on what could, so that all findings come at once.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::column::ColumnPath;
use crate::compatibility::Compatibility;
use crate::contract::Contract;
use crate::deprecation::Deprecation;
use crate::maintenance::Maintenance;
use crate::mask::SensitiveColumn;
use crate::product::ProductRef;
use crate::refresh::RefreshRate;
use crate::retention::History;
use crate::span::{Span, Unit};
use crate::storage::Storage;
use crate::view::{AccessGrant, View};

/// A part is none where it could not be read; a part that may be left out holds its default then.
pub(super) struct Draft {
    pub(super) unique_id: Option<Uuid>,
    pub(super) owner: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<u32>,
    pub(super) description: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) key: Option<Option<ColumnPath>>,
    pub(super) subject: Option<Option<ColumnPath>>,
    pub(super) compatibility: Option<Compatibility>,
    pub(super) refresh_rate: Option<RefreshRate>,
    pub(super) history: Option<History>,
    pub(super) storage: Option<Vec<Storage>>,
    pub(super) sensitive_columns: Option<Vec<SensitiveColumn>>,
    pub(super) views: Option<BTreeMap<String, View>>,
    pub(super) access_group: Option<Vec<AccessGrant>>,
    pub(super) dependencies: Option<Vec<ProductRef>>,
    pub(super) partitions: Option<Option<u32>>,
    pub(super) replication: Option<Option<u16>>,
    pub(super) headers: Option<Vec<String>>,
    pub(super) maintenance: Option<Vec<Maintenance>>,
    pub(super) deprecated: Option<Option<Deprecation>>,
    pub(super) fed_by: Option<Option<u32>>,
}

impl Draft {
    /// The contract, if every part could be read.
    pub(super) fn finish(self) -> Option<Contract> {
        Some(Contract {
            unique_id: self.unique_id?,
            owner: self.owner?,
            name: self.name?,
            version: self.version?,
            description: self.description?,
            schema: self.schema?,
            key: self.key?,
            subject: self.subject?,
            compatibility: self.compatibility?,
            refresh_rate: self.refresh_rate?,
            history: self.history?,
            storage: self.storage?,
            sensitive_columns: self.sensitive_columns?,
            views: self.views?,
            access_group: self.access_group?,
            dependencies: self.dependencies?,
            partitions: self.partitions?,
            replication: self.replication?,
            headers: self.headers?,
            maintenance: self.maintenance?,
            deprecated: self.deprecated?,
            fed_by: self.fed_by?,
        })
    }

    /// What could be read, if the schema's path was.
    pub(super) fn salvage(self) -> Option<Contract> {
        let year = Span::new(1, Unit::Year)?;
        Some(Contract {
            unique_id: self.unique_id.unwrap_or_default(),
            owner: self.owner.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            version: self.version.unwrap_or(1),
            description: self.description.unwrap_or_default(),
            schema: self.schema?,
            key: self.key.flatten(),
            subject: self.subject.flatten(),
            compatibility: self.compatibility.unwrap_or_default(),
            refresh_rate: self.refresh_rate.unwrap_or_else(|| RefreshRate::every(year)),
            history: self.history.unwrap_or(History::For(year)),
            storage: self.storage.unwrap_or_default(),
            // What views unmask cannot be judged without the columns.
            views: self.views.filter(|_| self.sensitive_columns.is_some()).unwrap_or_default(),
            sensitive_columns: self.sensitive_columns.unwrap_or_default(),
            access_group: self.access_group.unwrap_or_default(),
            dependencies: self.dependencies.unwrap_or_default(),
            partitions: self.partitions.flatten(),
            replication: self.replication.flatten(),
            headers: self.headers.unwrap_or_default(),
            maintenance: self.maintenance.unwrap_or_default(),
            deprecated: self.deprecated.flatten(),
            fed_by: self.fed_by.flatten(),
        })
    }
}
