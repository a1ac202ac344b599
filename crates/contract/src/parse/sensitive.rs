//! `sensitive_columns`, short and long.

use super::contract::collect;
use super::keys;
use super::reader::{At, Reader, shown};
use crate::mask::{Argument, MaskRule, MaskRuleError, SensitiveColumn};
use crate::yaml::{Entry, Kind, Mark};
use crate::{class, rules, suggest};

/// A list of columns, or of mappings.
pub(super) fn read(reader: &mut Reader, at: At<'_>) -> Option<Vec<SensitiveColumn>> {
    let path = at.path.clone();
    let columns = collect(reader.items(&at)?, |at| column(reader, at))?;
    let paths: Vec<_> = columns.iter().map(|sensitive| &sensitive.column).collect();
    let list = if path.is_empty() { "the list" } else { &path };
    for (index, column) in paths.iter().enumerate() {
        if paths[..index].contains(column) {
            let message = format!("`{column}` stands twice in `{list}`");
            let hint = Some("keep the one whose rule is meant".to_owned());
            reader.refuse_at(rules::DUPLICATE_ENTRY, &format!("{path}[{index}]"), message, hint);
        }
    }
    Some(columns)
}

fn column(reader: &mut Reader, at: At<'_>) -> Option<SensitiveColumn> {
    if !matches!(at.node.kind, Kind::Map(_)) {
        let column = reader.column(&at)?;
        return Some(SensitiveColumn { column, class: class::DEFAULT.to_owned(), mask: None });
    }
    let fields = reader.fields(&at, &keys::SENSITIVE_COLUMN)?;
    let column = fields.get("column").and_then(|at| reader.column(&at));
    let class = fields.or(reader, "class", class::DEFAULT.to_owned(), class_name);
    let mask = fields.or(reader, "mask", None, |reader, at| mask(reader, at).map(Some));
    Some(SensitiveColumn { column: column?, class: class?, mask: mask? })
}

fn class_name(reader: &mut Reader, at: At<'_>) -> Option<String> {
    let word = reader.word(&at, "a class, such as `pii.contact`")?;
    if class::is_valid(word) {
        return Some(word.to_owned());
    }
    let message = format!("\"{}\" is not a class of sensitive columns", shown(word));
    reader.refuse(rules::CLASS_INVALID, at.node.mark, message, None);
    None
}

/// A rule's name, or a mapping of its name to its value.
fn mask(reader: &mut Reader, at: At<'_>) -> Option<MaskRule> {
    match &at.node.kind {
        // Without quotes YAML takes the rule's name for nothing; nothing at all is not a rule.
        Kind::Scalar { .. } if at.node.is_null() => Some(MaskRule::Null),
        Kind::Scalar { text, .. } if !at.node.is_absent() => rule(reader, at.node.mark, text, None),
        Kind::Map(entries) if entries.len() == 1 => entries.first().and_then(|entry| rule_with(reader, &at, entry)),
        _ => {
            reader.refuse_type(&at, "a masking rule, such as `hash` or `{ keep_last: 4 }`");
            None
        }
    }
}

fn rule_with(reader: &mut Reader, at: &At<'_>, entry: &Entry) -> Option<MaskRule> {
    let value = At { node: &entry.value, path: format!("{}.{}", at.path, shown(&entry.key)) };
    let Kind::Scalar { text, plain } = &value.node.kind else {
        reader.refuse_type(&value, "a number or a text");
        return None;
    };
    if value.node.is_empty() {
        reader.refuse_type(&value, "a number or a text");
        return None;
    }
    let number = text.parse().ok().filter(|_: &u64| *plain && text.bytes().all(|b| b.is_ascii_digit()));
    let argument = number.map_or(Argument::Text(text), Argument::Number);
    rule(reader, entry.mark, &entry.key, Some(argument))
}

fn rule(reader: &mut Reader, mark: Mark, name: &str, argument: Option<Argument<'_>>) -> Option<MaskRule> {
    let error = match MaskRule::of(name, argument) {
        Ok(rule) => return Some(rule),
        Err(error) => error,
    };
    let (id, hint) = match &error {
        MaskRuleError::Unknown(_) => (rules::MASK_UNKNOWN, suggest::hint_or_list(name, &MaskRule::NAMES)),
        MaskRuleError::Takes(rule) => (rules::MASK_ARGUMENT, Some(format!("write `mask: {rule}`"))),
        MaskRuleError::Argument { rule, .. } => (rules::MASK_ARGUMENT, Some(format!("such as `{}`", example(rule)))),
    };
    reader.refuse(id, mark, error.to_string(), hint);
    None
}

fn example(rule: &str) -> &'static str {
    match rule {
        "redact" => r#"{ redact: "unknown" }"#,
        "hash" => "{ hash: 32 }",
        "keep_first" => "{ keep_first: 2 }",
        "keep_last" => "{ keep_last: 4 }",
        "truncate" => "{ truncate: 3 }",
        _ => "{ generalise: year }",
    }
}
