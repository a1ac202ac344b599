//! The answer as people read it.

use comfy_table::{Table, presets::NOTHING};
use jiff::Timestamp;
use mesh_masking::audit::{Answer, Gap, GapKind, Outcome, Verdict};
use std::fmt::Write;

/// No more gaps are spelt out; the JSON has all.
const GAPS_MAX: usize = 10;

pub(super) fn render(answer: &Answer) -> String {
    let mut text = format!(
        "{}@{}, view {}, masked from {} to {}\n",
        answer.product,
        answer.version,
        answer.view,
        time(answer.span.from_ms),
        time(answer.span.to_ms)
    );
    if !answer.lines.is_empty() {
        text.push_str(&table(answer));
        text.push('\n');
    }
    // writing to a String cannot fail
    let _ = writeln!(text, "{}", counts(answer));
    for gap in answer.gaps.iter().take(GAPS_MAX) {
        let _ = writeln!(text, "{}", shown_gap(gap));
    }
    if answer.gaps.len() > GAPS_MAX {
        let _ = writeln!(text, "... and {} more ranges", answer.gaps.len() - GAPS_MAX);
    }
    let _ = write!(text, "masked in every record: {}", answer.verdict.words());
    if answer.verdict == Verdict::NoRecords {
        text.push_str(" (none reached the view in this time)");
    }
    text
}

fn table(answer: &Answer) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["column", "masked by", "revision", "keys", "records"]);
    for line in &answer.lines {
        let outcome = match &line.outcome {
            Outcome::Masked(rule) => rule.as_str(),
            Outcome::InClear => "nothing: in clear",
            Outcome::NotKnown => "not known",
        };
        let keys: Vec<String> = line.key_versions.iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { "-".to_owned() } else { keys.join(", ") };
        table.add_row([&line.column, outcome, &line.revision.to_string(), &keys, &line.records.to_string()]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().trim_start_matches(' ').to_owned()).collect();
    lines.join("\n")
}

/// `40 records, 3 of them tombstones, 2 quarantined (2 truncated), 4 replayed`
fn counts(answer: &Answer) -> String {
    let mut text = format!("{} records, {} of them tombstones", answer.records, answer.tombstones);
    let quarantined: u64 = answer.quarantined.values().sum();
    if quarantined > 0 {
        let reasons: Vec<String> =
            answer.quarantined.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let _ = write!(text, ", {quarantined} quarantined ({})", reasons.join(", "));
    }
    if answer.replayed > 0 {
        let _ = write!(text, "; {} let out of the quarantine", answer.replayed);
    }
    text
}

fn shown_gap(gap: &Gap) -> String {
    let why = match gap.kind {
        GapKind::NotToldYet => "were processed and are not told yet: ask again in some minutes",
        GapKind::BeforeTheFirst => "come before the first that mesh.audit still tells of",
        GapKind::Between => "are told by nothing",
    };
    format!("partition {}: offsets {} to {} {why}", gap.partition, gap.first, gap.last)
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
