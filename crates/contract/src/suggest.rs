//! "Did you mean": the nearest of the words that would have been right.

/// Longer words are not compared: the work grows with the square of the length.
const LENGTH_MAX: usize = 64;
/// More candidates are not compared.
const CANDIDATES_MAX: usize = 256;

/// The candidate nearest to `word`, if one is near enough to be what was meant.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length == 0 || length > LENGTH_MAX {
        return None;
    }
    let tolerance = (length / 3).max(1);
    let near = candidates.into_iter().take(CANDIDATES_MAX).filter(|candidate| candidate.chars().count() <= LENGTH_MAX);
    let measured = near.map(|candidate| (distance(word, candidate), candidate));
    measured.filter(|(distance, _)| *distance <= tolerance).min_by_key(|(distance, _)| *distance).map(|(_, c)| c)
}

/// "did you mean `x`?", if one is near enough.
pub(crate) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    did_you_mean(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// "did you mean `x`?", or else what there is to choose from.
pub(crate) fn hint_or_list(word: &str, candidates: &[&str]) -> Option<String> {
    hint(word, candidates.iter().copied()).or_else(|| match candidates {
        [] => None,
        _ => Some(format!("one of: {}", candidates.join(", "))),
    })
}

/// Letters to insert, delete, replace or swap with their neighbour to get from one word to the other, case aside.
fn distance(a: &str, b: &str) -> usize {
    let letters = |word: &str| word.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_meant() {
        let keys = ["refresh_rate", "history", "storage", "key"];
        assert_eq!(did_you_mean("refesh_rate", keys), Some("refresh_rate"));
        assert_eq!(did_you_mean("refreshrate", keys), Some("refresh_rate"));
        assert_eq!(did_you_mean("hsitory", keys), Some("history"));
        assert_eq!(did_you_mean("kye", keys), Some("key"));
        assert_eq!(did_you_mean("colour", keys), None);
    }

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("abcd", "abdc"), 1);
        assert_eq!(distance("Email", "email"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
