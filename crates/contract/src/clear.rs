//! What views unmask must be sensitive.

use crate::contract::Contract;
use crate::finding::Finding;
use crate::places::Declared;
use crate::view::Clear;
use crate::{rules, suggest};

/// Findings for names that a view unmasks but that are neither a sensitive column nor a class of one.
///
/// `declared` are the columns and classes that the contract's schema declares sensitive besides the contract's own.
pub fn check_clear<'a>(
    contract: &'a Declared<Contract>,
    declared: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Finding> {
    let columns = &contract.value.sensitive_columns;
    let paths: Vec<String> = columns.iter().map(|sensitive| sensitive.column.to_string()).collect();
    let declared: Vec<&str> = declared.into_iter().flat_map(|(column, class)| [column, class]).collect();
    let mut known: Vec<&str> = columns.iter().map(|sensitive| sensitive.class.as_str()).chain(declared).collect();
    known.extend(paths.iter().map(String::as_str));
    known.sort_unstable();
    known.dedup();
    let mut findings = Vec::new();
    for (view, shown) in &contract.value.views {
        let Clear::Named(names) = &shown.clear else { continue };
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
            let place = contract.places.at(&format!("views.{view}.clear[{index}]"));
            let message = format!("`{name}` is no sensitive column and no class of one");
            let hint = suggest::hint_or_list(name, &known);
            findings.push(Finding::error(rules::CLEAR_UNKNOWN, place, message).maybe_hint(hint));
        }
    }
    findings
}
