use super::super::finding::Draft;
use super::super::rule::{SENSITIVE_CLASS_CHANGED, SENSITIVE_CLASS_LOST, SENSITIVE_COLUMN_RENAMED};
use super::{Matched, by_age};
use crate::schema::shortened;

/// A column whose class the newer schema no longer names, or names differently: what masks it may no longer do so.
pub(super) fn lost(matched: &Matched<'_>) -> Option<Draft> {
    let reader = (matched.reader_class, matched.reader.name.as_str());
    let writer = (matched.writer_class, matched.writer.name.as_str());
    let ((old_class, old_name), (new_class, new_name)) = by_age(matched.direction, reader, writer);
    let old_class = old_class?;
    if new_class == Some(old_class) {
        return None;
    }
    let shown = |class: &str| shortened(class, 60);
    let (old_class, new_class) = (shown(old_class), new_class.map(shown));
    let draft = match new_class {
        Some(new_class) => {
            let message = format!("the sensitive column's class changes from {old_class:?} to {new_class:?}");
            matched.draft(SENSITIVE_CLASS_CHANGED, message, "keep the class: values that join by it no longer would")
        }
        None if old_name != new_name => {
            let message = format!(
                "the sensitive column {old_name:?} (class {old_class:?}) is renamed to {new_name:?}, which has no class: \
                 the rule that masks it no longer finds it"
            );
            let hint =
                "give the renamed field the same \"mesh.class\", and name it in the contract's sensitive_columns";
            matched.draft(SENSITIVE_COLUMN_RENAMED, message, hint)
        }
        None => {
            let message = format!("the sensitive column's class {old_class:?} is gone: it would no longer be masked");
            let hint = "keep \"mesh.class\"; a column that is sensitive no more is a decision for its steward";
            matched.draft(SENSITIVE_CLASS_LOST, message, hint)
        }
    };
    Some(draft)
}
