//! Markdown, for comments of pull requests.

/// Adds a section with a list of items; nothing where there are none.
pub fn section(lines: &mut Vec<String>, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|item| format!("- {}", cell(&item))).collect();
    if !items.is_empty() {
        lines.extend([String::new(), format!("{title}:"), String::new()]);
        lines.extend(items);
    }
}

/// Text that may stand in a cell of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', "<br>")
}
