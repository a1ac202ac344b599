//! What must hold between the parts of one contract.

use super::draft::Draft;
use super::reader::{Reader, shown};
use crate::column::ColumnPath;
use crate::mask::{MaskRule, SensitiveColumn};
use crate::retention::History;
use crate::view::{Clear, MASKED_VIEW, View};
use crate::{rules, suggest};

/// Fewer digits of a key's hash, and two entities may become one: 128 bits.
const KEY_HASH_DIGITS_MIN: u8 = 32;

/// Checks what could be read.
pub(super) fn check(reader: &mut Reader, draft: &Draft) {
    check_key(reader, draft);
    check_subject(reader, draft);
    check_event_time(reader, draft);
    check_key_mask(reader, draft);
    check_objective_window(reader, draft);
    check_view_names(reader, draft);
    check_view_use(reader, draft);
    check_clear(reader, draft);
}

fn check_key(reader: &mut Reader, draft: &Draft) {
    match (&draft.key, &draft.history) {
        (Some(Some(key)), _) => check_single(reader, "key", key),
        (Some(None), Some(History::Latest)) => {
            let message = "`history: latest` keeps the newest event of each key, but there is no `key`".to_owned();
            reader.refuse_at(rules::HISTORY_NEEDS_KEY, "history", message, None);
        }
        _ => {}
    }
}

/// A subject is whose values are encrypted; where none are, nothing could ever be forgotten.
fn check_subject(reader: &mut Reader, draft: &Draft) {
    let Some(Some(subject)) = &draft.subject else { return };
    check_single(reader, "subject", subject);
    let Some(columns) = &draft.sensitive_columns else { return };
    if !columns.iter().any(|column| column.mask == Some(MaskRule::Encrypt)) {
        let message = format!("the subject `{subject}` has no values to forget: no column is masked by `encrypt`");
        reader.refuse_at(rules::SUBJECT_UNUSED, "subject", message, None);
    }
}

fn check_event_time(reader: &mut Reader, draft: &Draft) {
    let event_time = draft.refresh_rate.as_ref().and_then(|rate| rate.event_time.as_ref());
    if let Some(event_time) = event_time {
        check_single(reader, "refresh_rate.event_time", event_time);
    }
}

fn check_single(reader: &mut Reader, path: &str, column: &ColumnPath) {
    if !column.is_single() {
        let message = format!("`{column}` has many values in one record: `{path}` wants a column of one");
        reader.refuse_at(
            rules::COLUMN_NOT_SINGLE,
            path,
            message,
            Some("name a field without `[]` and `{}`".to_owned()),
        );
    }
}

/// A key that is sensitive is masked on the Kafka key too: entities must neither merge nor be lost by compaction.
fn check_key_mask(reader: &mut Reader, draft: &Draft) {
    let (Some(Some(key)), Some(columns)) = (&draft.key, &draft.sensitive_columns) else { return };
    let covering = columns.iter().enumerate().filter(|(_, sensitive)| sensitive.column.covers(key));
    for (index, SensitiveColumn { mask, .. }) in covering {
        let sound = match mask {
            None | Some(MaskRule::Hash(None) | MaskRule::Tokenise) => true,
            Some(MaskRule::Hash(Some(digits))) => *digits >= KEY_HASH_DIGITS_MIN,
            Some(_) => false,
        };
        if let Some(rule) = mask.as_ref().filter(|_| !sound) {
            let message = format!("the key `{key}` cannot be masked by `{rule}`: entities would merge or be lost");
            reader.refuse_at(rules::KEY_MASK, &format!("sensitive_columns[{index}].mask"), message, None);
        }
    }
}

fn check_objective_window(reader: &mut Reader, draft: &Draft) {
    let Some(rate) = &draft.refresh_rate else { return };
    if rate.over.seconds() < rate.every.seconds() {
        let message = format!("the objective is measured over {}, but facts come every {}", rate.over, rate.every);
        reader.refuse_at(rules::OBJECTIVE_WINDOW, "refresh_rate.over", message, None);
    }
}

fn check_view_names(reader: &mut Reader, draft: &Draft) {
    let (Some(views), Some(grants)) = (&draft.views, &draft.access_group) else { return };
    let known: Vec<&str> = std::iter::once(MASKED_VIEW).chain(views.keys().map(String::as_str)).collect();
    for (index, grant) in grants.iter().enumerate() {
        if !known.contains(&grant.view.as_str()) {
            let message = format!("`{}` is not a view of this product", shown(&grant.view));
            let hint = suggest::hint_or_list(&grant.view, &known);
            reader.refuse_at(rules::VIEW_UNKNOWN, &format!("access_group[{index}].view"), message, hint);
        }
    }
}

fn check_view_use(reader: &mut Reader, draft: &Draft) {
    let (Some(views), Some(grants)) = (&draft.views, &draft.access_group) else { return };
    for view in views.keys().filter(|view| !grants.iter().any(|grant| grant.view == **view)) {
        let message = format!("no group reads the view `{view}`");
        let hint = Some(format!("add `{{ group: <group>, view: {view} }}` to `access_group`, or remove the view"));
        reader.refuse_at(rules::VIEW_UNUSED, &format!("views.{view}"), message, hint);
    }
}

/// A view that unmasks nothing. Whether what it names is sensitive takes the schema to tell, see `clear.rs`.
fn check_clear(reader: &mut Reader, draft: &Draft) {
    for (view, View { clear }) in draft.views.iter().flatten() {
        if matches!(clear, Clear::Named(names) if names.is_empty()) {
            let message = format!("the view `{view}` shows nothing in clear: it is the `{MASKED_VIEW}` view");
            reader.refuse_at(rules::CLEAR_NOTHING, &format!("views.{view}.clear"), message, None);
        }
    }
}
