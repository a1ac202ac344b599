//! A line of a file that is written: what it says, where that is from, and how sure it is.

use serde::Serialize;

/// As wide as files are written.
const WIDTH: usize = 140;
/// Where comments begin behind what is short.
const COMMENT_COLUMN: usize = 40;

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Only a person knows it.
    Todo,
    /// It was concluded, and may be wrong.
    Guess,
    /// It is as the cluster or the registry has it.
    Seen,
}

/// A key of a file, with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub key: &'static str,
    /// The key and its value as YAML; a comment, where there is no value.
    pub yaml: String,
    /// The value as it is told in one line; empty, where there is none.
    pub brief: String,
    pub weight: Weight,
    /// Where it is from, or what is to be filled in.
    pub why: String,
}

impl Said {
    pub fn seen(key: &'static str, value: &str, why: impl Into<String>) -> Self {
        Self::of(key, value, Weight::Seen, why)
    }

    pub fn guess(key: &'static str, value: &str, why: impl Into<String>) -> Self {
        Self::of(key, value, Weight::Guess, why)
    }

    pub fn todo(key: &'static str, value: &str, why: impl Into<String>) -> Self {
        Self::of(key, value, Weight::Todo, why)
    }

    /// A key that is left to a person, or that there is nothing to say of.
    pub fn absent(key: &'static str, example: &str, weight: Weight, why: impl Into<String>) -> Self {
        Self { key, yaml: format!("# {key}: {example}"), brief: String::new(), weight, why: why.into() }
    }

    fn of(key: &'static str, value: &str, weight: Weight, why: impl Into<String>) -> Self {
        Self { key, yaml: format!("{key}: {value}"), brief: value.to_owned(), weight, why: why.into() }
    }

    /// The lines of the file: the comment behind what is short, above what is not.
    fn lines(&self) -> String {
        let why = match self.weight {
            Weight::Todo => format!("TODO: {}", self.why),
            Weight::Guess => format!("a guess: {}", self.why),
            Weight::Seen => self.why.clone(),
        };
        let yaml = &self.yaml;
        if why.is_empty() {
            return format!("{yaml}\n");
        }
        let behind = format!("{yaml:<width$} # {why}\n", width = COMMENT_COLUMN);
        if !yaml.contains('\n') && behind.chars().count() <= WIDTH {
            return behind;
        }
        wrapped(&why).iter().map(|line| format!("# {line}\n")).collect::<String>() + yaml + "\n"
    }
}

/// A file of what is said, below what is said of the whole.
pub fn file(head: &str, said: &[Said]) -> String {
    let head: String = wrapped(head).iter().map(|line| format!("# {line}\n")).collect();
    head + &said.iter().map(Said::lines).collect::<String>()
}

/// What does not fit a line goes on in the next.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    // names may come from anywhere: a line's end in one would end the comment
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the beginning");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + word.chars().count() + 3 > WIDTH {
            lines.push(word.to_owned());
        } else {
            *line = format!("{line} {word}");
        }
    }
    lines
}
