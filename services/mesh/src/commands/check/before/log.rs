//! What git prints, read: its raw log, and the contents of files.

use std::collections::HashMap;

/// Before each commit's id: a byte that no path and no raw line begins with.
const COMMIT: char = '\u{2}';
/// How git is to print a commit.
pub(super) const FORMAT: &str = "--format=%x02%H";

/// A commit, and the files that it changed.
#[derive(Debug, PartialEq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) changes: Vec<Change>,
}

/// A file that a commit wrote, or removed.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) path: String,
    /// The id of its new content; none if it is gone, or no plain file any more.
    pub(super) blob: Option<String>,
}

/// Reads `git log --raw -z`.
pub(super) fn parse(raw: &str) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    let mut tokens = raw.split('\0').map(|token| token.trim_start_matches('\n'));
    while let Some(token) = tokens.next() {
        if let Some(id) = token.strip_prefix(COMMIT) {
            commits.push(Commit { id: id.to_owned(), changes: Vec::new() });
        } else if let Some(meta) = token.strip_prefix(':') {
            let Some(path) = tokens.next() else { break };
            if let Some(commit) = commits.last_mut() {
                commit.changes.push(Change { path: path.to_owned(), blob: new_blob(meta).map(str::to_owned) });
            }
        }
    }
    commits
}

/// Of `100644 100644 <old> <new> M`.
fn new_blob(meta: &str) -> Option<&str> {
    let mut parts = meta.split(' ').skip(1);
    let (mode, id) = (parts.next()?, parts.nth(1)?);
    mode.starts_with("100").then_some(id)
}

/// Reads `git cat-file --batch`: `<id> blob <size>`, then the content and a line's end.
pub(super) fn contents(mut bytes: &[u8]) -> HashMap<String, Vec<u8>> {
    let mut found = HashMap::new();
    while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        let header = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes = &bytes[end + 1..];
        let mut parts = header.split(' ');
        let (Some(id), Some("blob"), Some(Ok(size))) =
            (parts.next(), parts.next(), parts.next().map(str::parse::<usize>))
        else {
            continue;
        };
        let Some(content) = bytes.get(..size) else { break };
        found.insert(id.to_owned(), content.to_vec());
        bytes = bytes.get(size + 1..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_log_is_read_commit_by_commit() {
        let raw = "\u{2}aa\0\n:000000 100644 0000 1111 A\0topics/crm/ü x.yaml\0:100644 000000 2222 0000 D\0schemas/a.avsc\0\
                   \u{2}bb\0\u{2}cc\0\n:100644 120000 1111 3333 T\0topics/crm/ü x.yaml\0";
        let change = |path: &str, blob: Option<&str>| Change { path: path.to_owned(), blob: blob.map(str::to_owned) };
        let commit = |id: &str, changes| Commit { id: id.to_owned(), changes };
        let expected = [
            commit("aa", vec![change("topics/crm/ü x.yaml", Some("1111")), change("schemas/a.avsc", None)]),
            commit("bb", Vec::new()),
            commit("cc", vec![change("topics/crm/ü x.yaml", None)]),
        ];
        assert_eq!(parse(raw), expected);
        assert_eq!(parse(""), []);
    }

    #[test]
    fn contents_are_read_by_their_size_and_what_is_missing_is_left_out() {
        let found = contents(b"aa blob 3\na\nb\nbb missing\ncc blob 0\n\ndd blob 9\ncut");
        assert_eq!(found.len(), 2);
        assert_eq!(found.get("aa").map(Vec::as_slice), Some(&b"a\nb"[..]));
        assert_eq!(found.get("cc").map(Vec::as_slice), Some(&b""[..]));
    }
}
