/// Stands on a line of its own between the parts of a text.
const SEPARATOR: &str = "\n---\n";

/// The parts of an input that is text of several parts; nothing if it is not.
pub fn parts(input: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(input).ok()?;
    text.contains(SEPARATOR).then(|| text.split(SEPARATOR).collect())
}
