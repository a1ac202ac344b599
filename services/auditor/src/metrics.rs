//! What the service counts.

use metrics::{counter, gauge};

pub(crate) fn seen(entries: u64, faults: u64) {
    gauge!("mesh_audit_entries").set(entries as f64);
    gauge!("mesh_audit_faults").set(faults as f64);
}

pub(crate) fn denied(count: u64) {
    counter!("mesh_audit_denials_total").increment(count);
}

pub(crate) fn unreadable_line() {
    counter!("mesh_audit_unreadable_lines_total").increment(1);
}
