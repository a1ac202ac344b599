//! Names that anybody may have chosen, as they may be shown: they must neither end a string nor move a cursor.

use std::fmt::Write;

/// The longest that is shown of a name, in characters.
const LENGTH_MAX: usize = 200;

/// For a terminal: characters that are not seen, or turn the writing around, are spelt out.
pub(super) fn plain(text: &str) -> String {
    bounded(text, |shown, it| if is_hidden(it) { spell(shown, it) } else { shown.push(it) })
}

/// For a double-quoted string of Graphviz' language.
pub(super) fn dot(text: &str) -> String {
    let inner = bounded(text, |shown, it| match it {
        '"' | '\\' => shown.extend(['\\', it]),
        _ if is_hidden(it) => shown.push('\u{fffd}'),
        _ => shown.push(it),
    });
    format!("\"{inner}\"")
}

/// For a double-quoted label of Mermaid: whatever means something to it, or to a browser, as a numbered entity.
pub(super) fn mermaid(text: &str) -> String {
    let inner = bounded(text, |shown, it| match it {
        _ if is_hidden(it) => shown.push('\u{fffd}'),
        '"' | '#' | ';' | '&' | '<' | '>' | '`' | '\\' | '%' => _ = write!(shown, "#{};", u32::from(it)),
        _ => shown.push(it),
    });
    format!("\"{inner}\"")
}

fn bounded(text: &str, mut show: impl FnMut(&mut String, char)) -> String {
    let mut shown = String::new();
    let mut rest = text.chars();
    rest.by_ref().take(LENGTH_MAX).for_each(|it| show(&mut shown, it));
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and those of Unicode that format: overrides of direction, joiners, marks.
fn is_hidden(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(it, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn spell(shown: &mut String, it: char) {
    // writing to a String cannot fail
    let _ = write!(shown, "{}", it.escape_unicode());
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\"]; B-->C\u{202e}<script>#\\`";

    #[test]
    fn names_stay_names() {
        insta::assert_snapshot!(plain(HOSTILE), @r#"a\u{1b}[2J"]; B-->C\u{202e}<script>#\`"#);
        insta::assert_snapshot!(dot(HOSTILE), @r#""a�[2J\"]; B-->C�<script>#\\`""#);
        insta::assert_snapshot!(mermaid(HOSTILE), @r##""a�[2J#34;]#59; B--#62;C�#60;script#62;#35;#92;#96;""##);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(plain(&"x".repeat(1_000)).chars().count(), LENGTH_MAX + 1);
    }
}
