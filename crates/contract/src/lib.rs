//! The product contract: what a domain promises about a stream of change events, and what follows from it.
//!
//! ```text
//! topics/crm/customers.yaml --parse_contract--> Declared<Contract> --+
//! topics/crm/domain.yaml    --parse_domain----> Declared<Domain>   --+--> Tree::check --> findings
//!                                                    Contract::topics --> topics, subjects, retention
//! ```
//!
//! Pure: text in, values and [`Finding`]s out. Nothing here reads a file, the clock, or the network. Foreign text
//! never panics and costs bounded work: its size, depth and number of nodes are limited before it is looked at.
//!
//! * [`parse_contract`] and [`parse_domain`] read the YAML grammar, short and long forms, and report **all** findings
//!   of a file at once; [`Tree::check`] adds those that need the neighbours.
//! * What needs a schema as well (does the column exist, does the rule fit its type) is `mesh-avro`'s.
//! * [`acl`] derives who may do what at Kafka.
//! * The same types, as canonical JSON, are what `mesh.products` carries: see [`AppliedProduct`].

pub mod acl;
mod applied;
mod class;
mod clear;
mod column;
mod compatibility;
mod contract;
mod deprecation;
mod domain;
mod finding;
mod holiday;
mod hours;
mod maintenance;
mod mask;
mod name;
mod objective;
mod parse;
mod places;
mod product;
mod quota;
mod refresh;
mod retention;
pub mod rules;
mod span;
mod storage;
mod suggest;
mod text;
pub mod topic;
mod tree;
mod view;
mod waiver;
mod yaml;

pub use applied::{AppliedDomain, AppliedProduct, GENERATION_PREFIX, OutputGeneration, domain_key, generation_key};
pub use clear::check_clear;
pub use column::{ColumnPath, ColumnPathError, Step};
pub use compatibility::Compatibility;
pub use contract::Contract;
pub use deprecation::Deprecation;
pub use domain::{ClassGrants, Domain, Team, Term, TermRef};
pub use finding::{Finding, Place, Severity};
pub use holiday::{Holiday, HolidayError, OfficeHours};
pub use hours::{Hours, HoursError, Weekday};
pub use maintenance::{Maintenance, Moment, MomentError, Once, Weekly};
pub use mask::{Generalisation, MaskRule, SensitiveColumn};
pub use parse::{draft_contract, parse_contract, parse_domain, parse_sensitive_columns, parse_waivers};
pub use places::{Declared, Places};
pub use product::{Product, ProductRef};
pub use quota::{ByteRate, Limit, Quota, QuotaError, ThreadShare};
pub use refresh::RefreshRate;
pub use retention::{History, output_config, topic_config};
pub use span::{Span, SpanError, Unit};
pub use storage::Storage;
pub use suggest::did_you_mean;
pub use topic::{Topics, key_subject, value_subject};
pub use tree::Tree;
pub use view::{AccessGrant, Clear, MASKED_VIEW, View};
pub use waiver::Waiver;
