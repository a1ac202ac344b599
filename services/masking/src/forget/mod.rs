//! Forgetting a subject: what its destroyed keys make unreadable, what is left of it elsewhere, and what goes on record about it.
//!
//! The keys themselves are destroyed where they are kept (`mesh-runtime`); here is what that means for the product, and the
//! [`Receipt`] that says so.

mod remains;

use mesh_avro::{
    keys::SubjectPath,
    mask::{Rules, SubjectTextError},
    schema::Schema,
};
use mesh_contract::{AppliedProduct, MaskRule, topic::AUDIT_TOPIC};
use mesh_kafka::admin::Admin;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use remains::Remains;

/// The form of receipts.
const FORM: &str = "mesh-forget/1";

/// A subject cannot be forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// The contract as applied cannot be used.
    #[error("the contract of {product} as applied cannot be used: {why}")]
    Contract {
        /// The product.
        product: String,
        /// Why.
        why: String,
    },
    /// What was given names no subject of the product.
    #[error("this is no subject of {product}")]
    Subject {
        /// The product.
        product: String,
        /// Why.
        source: SubjectTextError,
    },
    /// There is nowhere to write it down.
    #[error("there is no topic {AUDIT_TOPIC} to write down who was forgotten")]
    NoAudit,
    /// What the product's topics keep cannot be seen.
    #[error("cannot see how long topics keep what they hold")]
    Look(#[source] mesh_kafka::Error),
}

/// An output port whose encrypted columns are unreadable for the subject, at every offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The topic.
    pub topic: String,
    /// The view that it carries.
    pub view: String,
    /// Its encrypted columns.
    pub columns: Vec<String>,
}

/// What was destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroyed {
    /// Where the subject's keys were; says nothing to who has no keys.
    pub path: SubjectPath,
    /// The versions that had them until now; none if it was forgotten before.
    pub versions: Vec<u32>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What was destroyed, what that makes unreadable, and what is left elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The form of this receipt.
    pub receipt: &'static str,
    /// The product.
    pub product: String,
    /// Its id; keys are the same for all of its major versions.
    pub unique_id: String,
    /// The column that says whom a record is about.
    pub subject_column: String,
    /// The subject, for who holds the keys and knows its name; a random number to everybody else.
    pub pseudonym: String,
    /// When, in UTC.
    pub forgotten_at: String,
    /// Whether it had been forgotten before: then nothing was destroyed now.
    pub was_forgotten_before: bool,
    /// The versions of the keys that had its own until now.
    pub key_versions: Vec<u32>,
    /// The keys were read again afterwards, and no version has its own.
    pub is_verified: bool,
    /// What nobody can decrypt any more.
    pub unreadable: Vec<Unreadable>,
    /// What is left of it, or may be.
    pub remains: Vec<Remains>,
    /// SHA-256 of all of the above as JSON without blanks; it stands on `mesh.audit` as well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// A product whose subjects can be forgotten.
pub struct Forgettable<'a> {
    product: &'a AppliedProduct,
    /// All products as applied: other majors share the keys, others may be derived.
    all: Vec<&'a AppliedProduct>,
    rules: Rules,
    subject: String,
}

impl<'a> Forgettable<'a> {
    /// A product as applied, among `all` of them.
    ///
    /// # Errors
    /// Its contract cannot be used, or names no subject.
    pub fn new(
        product: &'a AppliedProduct,
        all: impl IntoIterator<Item = &'a AppliedProduct>,
    ) -> Result<Self, ForgetError> {
        let rules = rules(product)?;
        let none = || ForgetError::Subject { product: name(product), source: SubjectTextError::None };
        let subject = rules.subject().ok_or_else(none)?.to_owned();
        Ok(Forgettable { product, all: all.into_iter().collect(), rules, subject })
    }

    /// Where a subject's keys are.
    ///
    /// # Errors
    /// It is not of the column's type.
    pub fn path(&self, keys: &mesh_avro::keys::SubjectKeys, subject: &str) -> Result<SubjectPath, ForgetError> {
        let wrong = |source| ForgetError::Subject { product: name(self.product), source };
        self.rules.subject_path(keys, subject).map_err(wrong)
    }

    /// The output ports that its values are encrypted in, those of other major versions included.
    ///
    /// # Errors
    /// The contract of another major version cannot be used.
    pub fn unreadable(&self) -> Result<Vec<Unreadable>, ForgetError> {
        let mut found = Vec::new();
        for product in self.majors() {
            let rules = rules(product)?;
            if rules.subject().is_none() {
                continue;
            }
            let topics = product.contract.topics();
            for (index, view) in rules.views().iter().enumerate() {
                let encrypted = rules.masked(index).filter(|(_, rule)| *rule == Some(&MaskRule::Encrypt));
                let columns: Vec<String> = encrypted.map(|(column, _)| column.to_owned()).collect();
                let topic = topics.view(view).filter(|_| !columns.is_empty());
                found.extend(topic.map(|topic| Unreadable { topic: topic.to_owned(), view: view.clone(), columns }));
            }
        }
        Ok(found)
    }

    /// The receipt for what was destroyed.
    ///
    /// # Errors
    /// The cluster does not say how long topics keep what they hold.
    pub async fn receipt(&self, admin: &Admin, destroyed: &Destroyed) -> Result<Receipt, ForgetError> {
        let at = jiff::Timestamp::from_millisecond(destroyed.at_ms).unwrap_or_default();
        let mut receipt = Receipt {
            receipt: FORM,
            product: name(self.product),
            unique_id: self.product.contract.unique_id.to_string(),
            subject_column: self.subject.clone(),
            pseudonym: destroyed.path.to_string(),
            forgotten_at: at.to_string(),
            was_forgotten_before: destroyed.versions.is_empty(),
            key_versions: destroyed.versions.clone(),
            is_verified: true,
            unreadable: self.unreadable()?,
            remains: remains::of(self, admin).await?,
            digest: String::new(),
        };
        receipt.digest = receipt.digest();
        Ok(receipt)
    }

    fn majors(&self) -> impl Iterator<Item = &'a AppliedProduct> {
        let id = self.product.contract.unique_id;
        self.all.iter().copied().filter(move |product| product.contract.unique_id == id)
    }
}

impl Receipt {
    fn digest(&self) -> String {
        let unsigned = Receipt { digest: String::new(), ..self.clone() };
        let text = serde_json::to_string(&unsigned).unwrap_or_default();
        let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }

    /// What goes on record about it: no subject in clear.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({
            "product": self.product,
            "unique_id": self.unique_id,
            "pseudonym": self.pseudonym,
            "was_forgotten_before": self.was_forgotten_before,
            "key_versions": self.key_versions,
            "receipt": self.digest,
        })
    }
}

/// Whether there is somewhere to write it down; better asked before anything is destroyed.
///
/// # Errors
/// There is not, or the cluster does not say.
pub async fn check_audit(admin: &Admin) -> Result<(), ForgetError> {
    match admin.partitions(AUDIT_TOPIC).await.map_err(ForgetError::Look)? {
        Some(_) => Ok(()),
        None => Err(ForgetError::NoAudit),
    }
}

fn rules(product: &AppliedProduct) -> Result<Rules, ForgetError> {
    let unusable = |why: String| ForgetError::Contract { product: name(product), why };
    let schema = Schema::parse_value(&product.schema).map_err(|error| unusable(error.to_string()))?;
    Rules::of_applied(&product.contract, &schema).map_err(|findings| {
        let said: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
        unusable(said.join("; "))
    })
}

/// `crm.customers@1`
fn name(product: &AppliedProduct) -> String {
    format!("{}@{}", product.contract.product(), product.contract.version)
}
