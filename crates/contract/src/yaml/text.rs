//! The text before it is parsed: its size, its characters, and where its lines end.

use super::{Mark, Refusal};
use crate::rules;

/// Refuses what is too large, and the characters that YAML does not print: a NUL would pass for the file's end.
pub(super) fn check(text: &str, bytes_max: usize) -> Result<(), Refusal> {
    if text.len() > bytes_max {
        let message = format!("the file has {} bytes, more than {bytes_max}", text.len());
        return Err(Refusal::new(rules::YAML_LIMIT, Mark::START, message));
    }
    for (line, content) in (1..).zip(lines(text)) {
        let unprintable = (1..).zip(content.chars()).find(|(_, c)| c.is_control() && *c != '\t' && *c != '\u{85}');
        if let Some((column, character)) = unprintable {
            let message = format!("the character U+{:04X} may not stand in YAML", u32::from(character));
            return Err(Refusal::new(rules::YAML_SYNTAX, Mark { line, column }, message));
        }
    }
    Ok(())
}

/// Lines as YAML breaks them: after `\n`, `\r\n` and `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// How long each line is, to keep places inside the file.
pub(super) struct Bounds {
    columns_max: Vec<u32>,
}

impl Bounds {
    pub(super) fn of(text: &str) -> Bounds {
        // One past a line's last character is still a place in it: there something is missing.
        let column_max = |line: &str| u32::try_from(line.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        let mut columns_max: Vec<u32> = lines(text).map(column_max).collect();
        if columns_max.len() > 1 && columns_max.last() == Some(&1) {
            columns_max.pop();
        }
        Bounds { columns_max }
    }

    pub(super) fn clamp(&self, mark: Mark) -> Mark {
        let lines = u32::try_from(self.columns_max.len()).unwrap_or(u32::MAX);
        let line = mark.line.clamp(1, lines.max(1));
        let column_max = self.columns_max.get(line as usize - 1).copied().unwrap_or(1);
        let column = if mark.line > lines { column_max } else { mark.column.min(column_max) };
        Mark { line, column }
    }
}
