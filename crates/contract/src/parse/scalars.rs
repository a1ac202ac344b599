//! Values of one word or one text.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::Date;
use uuid::Uuid;

use super::reader::{At, Reader, shown};
use crate::column::ColumnPath;
use crate::compatibility::Compatibility;
use crate::product::ProductRef;
use crate::span::{Span, SpanError, Unit};
use crate::storage::Storage;
use crate::yaml::{Kind, Mark};
use crate::{name, rules, suggest};

impl Reader {
    /// A scalar as it is written, whatever its type.
    pub(super) fn word<'n>(&mut self, at: &At<'n>, wanted: &str) -> Option<&'n str> {
        match &at.node.kind {
            Kind::Scalar { text, .. } if !at.node.is_empty() => Some(text),
            _ => {
                self.refuse_type(at, wanted);
                None
            }
        }
    }

    /// A text that is not blank; what YAML takes for a number or a boolean is not one.
    pub(super) fn text(&mut self, at: &At<'_>) -> Option<String> {
        let word = self.word(at, "a text")?;
        if matches!(at.node.describe(), "a number" | "a boolean") {
            let message = format!("`{}` is {}: it wants a text", at.path, at.node.describe());
            self.refuse(rules::WRONG_TYPE, at.node.mark, message, Some(format!("quote it: \"{}\"", shown(word))));
            return None;
        }
        if word.trim().is_empty() {
            self.refuse(rules::EMPTY_VALUE, at.node.mark, format!("`{}` is blank: it wants a text", at.path), None);
            return None;
        }
        Some(word.trim_end().to_owned())
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, at: &At<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let word = self.word(at, "a whole number")?;
        let unquoted = matches!(at.node.kind, Kind::Scalar { plain: true, .. });
        let digits = word.bytes().all(|b| b.is_ascii_digit());
        let number = word.parse().ok().filter(|number| unquoted && digits && range.contains(number));
        if number.is_none() {
            let quotes = if unquoted { "" } else { "\"" };
            let message = format!("`{}` is {quotes}{}{quotes}", at.path, shown(word));
            let hint = format!("write a whole number from {} to {}", range.start(), range.end());
            self.refuse(rules::NUMBER_INVALID, at.node.mark, message, Some(hint));
        }
        number
    }

    /// The name of a domain or a product.
    pub(super) fn name(&mut self, at: &At<'_>) -> Option<String> {
        let word = self.word(at, "a name")?;
        self.parsed(rules::NAME_INVALID, at.node.mark, name::check(word))?;
        Some(word.to_owned())
    }

    /// A day of the calendar.
    pub(super) fn date(&mut self, at: &At<'_>) -> Option<Date> {
        let word = self.word(at, "a date, such as `2026-12-31`")?;
        // Dates alone: what jiff reads besides (a time, a zone) would be dropped without a word.
        let date = word.parse().ok().filter(|date: &Date| date.to_string() == word);
        if date.is_none() {
            let message = format!("\"{}\" is not a date", shown(word));
            self.refuse(rules::DATE_INVALID, at.node.mark, message, None);
        }
        date
    }

    pub(super) fn uuid(&mut self, at: &At<'_>) -> Option<Uuid> {
        let word = self.word(at, "a UUID")?;
        let uuid = Uuid::try_parse(word).ok().filter(|uuid| word.len() == 36 && !uuid.is_nil());
        if uuid.is_none() {
            let message = format!("\"{}\" is not a UUID", shown(word));
            self.refuse(rules::UNIQUE_ID_INVALID, at.node.mark, message, None);
        }
        uuid
    }

    /// A relative path that does not leave the root.
    pub(super) fn schema_path(&mut self, at: &At<'_>) -> Option<String> {
        let word = self.word(at, "a path")?;
        let inside = word.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let plain = !word.chars().any(|c| matches!(c, '\\' | ':') || c.is_control());
        if inside && plain && word.ends_with(".avsc") {
            return Some(word.to_owned());
        }
        let message = format!("\"{}\" is not a path to an Avro schema below the root", shown(word));
        self.refuse(rules::SCHEMA_PATH_INVALID, at.node.mark, message, None);
        None
    }

    pub(super) fn column(&mut self, at: &At<'_>) -> Option<ColumnPath> {
        let word = self.word(at, "a column")?;
        self.parsed(rules::COLUMN_INVALID, at.node.mark, word.parse())
    }

    pub(super) fn product_ref(&mut self, at: &At<'_>) -> Option<ProductRef> {
        let word = self.word(at, "a product, such as `crm.customers`")?;
        self.parsed(rules::DEPENDENCY_INVALID, at.node.mark, word.parse())
    }

    pub(super) fn compatibility(&mut self, at: &At<'_>) -> Option<Compatibility> {
        let word = self.word(at, "a compatibility level")?;
        let levels: Vec<String> = Compatibility::ALL.iter().map(|level| level.as_str().to_lowercase()).collect();
        self.chosen(rules::COMPATIBILITY_UNKNOWN, at, word, "a compatibility level", &levels)
    }

    pub(super) fn storage(&mut self, at: &At<'_>) -> Option<Storage> {
        let word = self.word(at, "a storage")?;
        let storages = Storage::ALL.map(|storage| storage.as_str().to_owned());
        self.chosen(rules::STORAGE_UNKNOWN, at, word, "a storage", &storages)
    }

    pub(super) fn span(&mut self, at: &At<'_>) -> Option<Span> {
        self.spanned(at)
    }

    /// A span, or anything that is written with one.
    pub(super) fn spanned<T: FromStr<Err = SpanError>>(&mut self, at: &At<'_>) -> Option<T> {
        let word = self.word(at, "a duration, such as `15 minutes`")?;
        let error = match word.parse() {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let (rule, hint) = match &error {
            SpanError::Unit { unit } => {
                let named = suggest::hint(unit, Unit::ALL.map(Unit::plural));
                (rules::UNIT_UNKNOWN, named)
            }
            _ => (rules::DURATION_INVALID, None),
        };
        self.refuse(rule, at.node.mark, error.to_string(), hint);
        None
    }

    /// One of a few words.
    fn chosen<T: FromStr>(
        &mut self,
        rule: &'static str,
        at: &At<'_>,
        word: &str,
        what: &str,
        choices: &[String],
    ) -> Option<T> {
        let chosen = word.parse().ok();
        if chosen.is_none() {
            let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
            let message = format!("\"{}\" is not {what}", shown(word));
            self.refuse(rule, at.node.mark, message, suggest::hint_or_list(word, &choices));
        }
        chosen
    }

    /// What was parsed; its error is a finding.
    pub(super) fn parsed<T, E: Display + std::error::Error>(
        &mut self,
        rule: &'static str,
        mark: Mark,
        result: Result<T, E>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                self.refuse(rule, mark, format!("{error}{cause}"), None);
                None
            }
        }
    }
}
