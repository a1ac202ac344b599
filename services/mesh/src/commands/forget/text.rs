//! What people read of it.

use mesh_masking::forget::{Receipt, Unreadable};

/// What will be unreadable.
pub(super) fn announcement(unreadable: &[Unreadable]) -> String {
    let mut lines = vec!["these values of the subject will be unreadable, for everybody and for good:".to_owned()];
    lines.extend(unreadable.iter().map(line));
    lines.join("\n")
}

fn line(unreadable: &Unreadable) -> String {
    format!("  {} (view {}): {}", unreadable.topic, unreadable.view, unreadable.columns.join(", "))
}

/// The receipt.
pub(super) fn receipt(receipt: &Receipt) -> String {
    let versions: Vec<String> = receipt.key_versions.iter().map(ToString::to_string).collect();
    let what = match receipt.was_forgotten_before {
        false => format!("its keys of version {} are destroyed", versions.join(", ")),
        true => "its keys were destroyed before; nothing was left to be destroyed".to_owned(),
    };
    let mut lines = vec![
        format!("{}: one subject is forgotten", receipt.product),
        format!("  when       {}", receipt.forgotten_at),
        format!("  subject    {} of {} (a pseudonym)", receipt.pseudonym, receipt.subject_column),
        format!("  keys       {what}; read again: no version has them"),
        "unreadable from now on, at every offset:".to_owned(),
    ];
    lines.extend(receipt.unreadable.iter().map(line));
    lines.push("not reached by this:".to_owned());
    for remains in &receipt.remains {
        lines.push(format!("  {}: {}", remains.at, remains.what));
        lines.push(format!("    {}", remains.until));
    }
    lines.push(format!("receipt {}, on record in mesh.audit", receipt.digest));
    lines.join("\n")
}
