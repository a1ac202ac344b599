//! What a job makes each column of a data set of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::NodeId;
use crate::facet::{ColumnLineage, InputField, Origins};

/// By the column that is written, the columns it is made of.
pub type Columns = BTreeMap<Arc<str>, Vec<Origin>>;

/// A column that another is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The data set it is in.
    pub dataset: NodeId,
    /// Its name.
    pub column: Arc<str>,
    /// In which form it goes in.
    pub form: Form,
    /// What was done to it, in words: the masking rule.
    pub how: Option<Arc<str>>,
}

/// In which form a column's values go into another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// They only decide: what is joined, filtered, sorted.
    Decides,
    /// They can no longer be told from the outcome.
    Masked,
    /// They, or something that tells of them.
    Clear,
}

/// From the facet; `id` is how the graph calls a data set.
pub(super) fn of(facet: ColumnLineage, id: impl Fn(&str, &str) -> NodeId) -> Columns {
    let mut datasets = BTreeMap::<(String, String), NodeId>::new();
    let mut origin = |field: InputField, origins: &Told| {
        let key = (field.namespace.clone(), field.name.clone());
        let dataset = datasets.entry(key).or_insert_with(|| id(&field.namespace, &field.name)).clone();
        let (form, how) = form(&field, origins);
        Origin { dataset, column: field.field.into(), form, how: how.map(Into::into) }
    };
    let columns = facet.fields.into_iter().map(|(column, told)| {
        let Origins { input_fields, transformation_type, transformation_description } = told;
        let told = Told { kind: transformation_type, words: transformation_description };
        (column.into(), input_fields.into_iter().map(|field| origin(field, &told)).collect())
    });
    columns.collect()
}

/// What a column's entry says of all its origins: the form of versions before 1-1-0.
struct Told {
    kind: Option<String>,
    words: Option<String>,
}

/// A value arrives in clear by any way that does not mask it: ways are alternatives, not steps. Where nothing is said of
/// the way, nothing was masked.
fn form(field: &InputField, told: &Told) -> (Form, Option<String>) {
    if field.transformations.is_empty() {
        let form = if told.kind.as_deref() == Some("MASKED") { Form::Masked } else { Form::Clear };
        return (form, told.words.clone());
    }
    let ways = field.transformations.iter().map(|way| {
        let form = match (way.kind.as_str(), way.masking) {
            ("INDIRECT", _) => Form::Decides,
            (_, true) => Form::Masked,
            (_, false) => Form::Clear,
        };
        (form, way.description.clone())
    });
    ways.max_by_key(|(form, _)| *form).unwrap_or((Form::Clear, None))
}

/// Whether two columns have anything in common: one is the other, or inside of it.
pub fn overlap(one: &str, other: &str) -> bool {
    covers(one, other) || covers(other, one)
}

/// Whether `inner` is `column`, or inside of it.
pub fn covers(column: &str, inner: &str) -> bool {
    inner.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn form_of(entry: serde_json::Value) -> Form {
        let facet = serde_json::from_value(json!({ "fields": { "out": entry } })).unwrap();
        of(facet, super::super::dataset_id)["out"][0].form
    }

    fn by(transformations: serde_json::Value) -> Form {
        form_of(
            json!({"inputFields": [{"namespace": "n", "name": "d", "field": "c", "transformations": transformations}]}),
        )
    }

    #[test]
    fn a_value_is_masked_only_if_every_way_masks_it() {
        let clear = json!({"type": "DIRECT", "subtype": "IDENTITY", "masking": false});
        let masked = json!({"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": true});
        let joined = json!({"type": "INDIRECT", "subtype": "JOIN"});
        assert_eq!(by(json!([masked])), Form::Masked);
        assert_eq!(by(json!([masked, clear])), Form::Clear);
        assert_eq!(by(json!([joined])), Form::Decides);
        assert_eq!(by(json!([joined, masked])), Form::Masked);
        assert_eq!(by(json!([{"type": "DIRECT"}])), Form::Clear, "masking is false unless told");
        assert_eq!(by(json!([])), Form::Clear, "nothing told is nothing masked");
    }

    #[test]
    fn the_older_form_of_the_facet_reads_too() {
        let origin = json!([{"namespace": "n", "name": "d", "field": "c"}]);
        let old = |kind: &str| form_of(json!({"inputFields": origin, "transformationType": kind}));
        assert_eq!((old("MASKED"), old("IDENTITY")), (Form::Masked, Form::Clear));
    }

    #[test]
    fn columns_overlap_with_what_is_inside_of_them() {
        for (one, other) in [("a", "a"), ("a", "a.b"), ("a[].b", "a"), ("a{}", "a")] {
            assert!(overlap(one, other), "{one} {other}");
        }
        assert!(!overlap("a", "ab") && !overlap("a.b", "a.c"));
    }
}
