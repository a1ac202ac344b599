//! Which rule fits which type.

use mesh_contract::{Generalisation, MaskRule};

use crate::schema::{Kind, Logical, Node};

/// Fewest hex digits of a hash: 64 bits.
const HASH_DIGITS_MIN: u8 = 16;
const HASH_DIGITS_MAX: u8 = 64;

/// A leaf of a schema as rules see it: a type without parts. A map's keys are a plain string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) logical: Option<Logical>,
}

/// What a map's keys are.
pub(crate) const MAP_KEY: Leaf<'static> = Leaf { kind: &Kind::String, logical: None };

impl<'a> Leaf<'a> {
    pub(crate) fn of(node: &'a Node) -> Leaf<'a> {
        Leaf { kind: &node.kind, logical: node.logical }
    }

    fn is_point_in_time(self) -> bool {
        use Logical::{
            Date, LocalTimestampMicros, LocalTimestampMillis, LocalTimestampNanos, TimestampMicros, TimestampMillis,
            TimestampNanos,
        };
        let timestamps = [TimestampMillis, TimestampMicros, TimestampNanos];
        let locals = [LocalTimestampMillis, LocalTimestampMicros, LocalTimestampNanos];
        self.logical.is_some_and(|l| l == Date || timestamps.contains(&l) || locals.contains(&l))
    }

    fn is_quantity(self) -> bool {
        matches!(self.logical, Some(Logical::Decimal { .. } | Logical::BigDecimal | Logical::Duration))
    }

    fn is_number(self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Long | Kind::Float | Kind::Double)
    }

    /// How the type is named in messages: `an int (date)`.
    pub(crate) fn described(self) -> String {
        let word = self.kind.word();
        let article = if word.starts_with(['a', 'e', 'i']) { "an" } else { "a" };
        match self.logical {
            Some(logical) => format!("{article} {word} ({})", logical.word()),
            None => format!("{article} {word}"),
        }
    }
}

/// Whether a rule can be applied to a leaf. `null` and `drop` apply to the place that holds it, never to the leaf.
pub(crate) fn fits(rule: &MaskRule, leaf: Leaf<'_>) -> bool {
    let plain_fixed = matches!(leaf.kind, Kind::Fixed { .. }) && !leaf.is_quantity();
    match rule {
        MaskRule::Redact(text) => redact_fits(text.as_deref(), leaf),
        MaskRule::Zero => leaf.is_number() || *leaf.kind == Kind::Boolean || leaf.is_quantity(),
        MaskRule::Hash(digits) => match leaf.kind {
            Kind::String | Kind::Bytes => digits.is_none_or(|digits| {
                (HASH_DIGITS_MIN..=HASH_DIGITS_MAX).contains(&digits) && leaf.logical != Some(Logical::Uuid)
            }),
            _ => plain_fixed && digits.is_none(),
        },
        MaskRule::KeepFirst(_) | MaskRule::KeepLast(_) => *leaf.kind == Kind::String,
        MaskRule::Truncate(_) | MaskRule::Encrypt => matches!(leaf.kind, Kind::String | Kind::Bytes),
        MaskRule::Tokenise => *leaf.kind == Kind::String && leaf.logical.is_none(),
        MaskRule::Generalise(Generalisation::Multiple(multiple)) => {
            *multiple > 0 && leaf.is_number() && !leaf.is_point_in_time()
        }
        MaskRule::Generalise(Generalisation::Hour) => leaf.is_point_in_time() && leaf.logical != Some(Logical::Date),
        MaskRule::Generalise(_) => leaf.is_point_in_time(),
        MaskRule::Null | MaskRule::Drop => false,
    }
}

fn redact_fits(text: Option<&str>, leaf: Leaf<'_>) -> bool {
    match (leaf.kind, text) {
        (Kind::String | Kind::Bytes, _) => true,
        (Kind::Enum { symbols, .. }, Some(text)) => symbols.iter().any(|symbol| symbol == text),
        (Kind::Enum { symbols, .. }, None) => !symbols.is_empty(),
        (Kind::Fixed { size }, Some(text)) => leaf.logical.is_none() && text.len() <= *size,
        (Kind::Fixed { .. }, None) => true,
        _ => false,
    }
}

/// The rule of a leaf whose column names none. `None` for null, which says nothing.
pub(crate) fn default_rule(leaf: Leaf<'_>) -> Option<MaskRule> {
    match leaf.kind {
        _ if leaf.is_quantity() => Some(MaskRule::Zero),
        Kind::String | Kind::Bytes | Kind::Fixed { .. } => Some(MaskRule::Hash(None)),
        Kind::Boolean | Kind::Int | Kind::Long | Kind::Float | Kind::Double => Some(MaskRule::Zero),
        Kind::Enum { .. } => Some(MaskRule::Redact(None)),
        _ => None,
    }
}

/// The rule of a column's leaf: the column's own where it fits, else the type's. A writer's type may be another than
/// the contract's, and what cannot be masked as said is masked as its type is.
pub(crate) fn rule_of(own: Option<&MaskRule>, leaf: Leaf<'_>) -> Option<MaskRule> {
    own.filter(|rule| fits(rule, leaf)).cloned().or_else(|| default_rule(leaf))
}

/// The rule of a map's keys: the column's own only where it keeps different keys different, else a hash, since equal
/// keys would make entries vanish.
pub(crate) fn map_key_rule(own: Option<&MaskRule>) -> MaskRule {
    match own {
        Some(rule @ (MaskRule::Hash(_) | MaskRule::Tokenise | MaskRule::Encrypt)) => rule.clone(),
        _ => MaskRule::Hash(None),
    }
}

/// Whether values masked by a rule still are of the leaf's logical type.
pub(crate) fn keeps_logical(rule: &MaskRule, leaf: Leaf<'_>) -> bool {
    match leaf.logical {
        None => true,
        Some(Logical::Uuid) => {
            let zeros = matches!((rule, leaf.kind), (MaskRule::Redact(None), Kind::Fixed { .. }));
            zeros || matches!(rule, MaskRule::Hash(_))
        }
        Some(Logical::Decimal { .. } | Logical::BigDecimal) => {
            matches!(rule, MaskRule::Zero) || matches!((rule, leaf.kind), (MaskRule::Redact(None), Kind::Fixed { .. }))
        }
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::schema::Schema;

    fn rule(text: &str) -> MaskRule {
        serde_json::from_str(text).unwrap()
    }

    /// Contract.md's table: which rules fit which type, in the order of the rules below.
    #[test]
    fn the_table_of_rules_and_types() {
        let rules = [
            "\"redact\"",
            "{\"redact\":\"x\"}",
            "\"zero\"",
            "\"hash\"",
            "{\"hash\":32}",
            "{\"keep_last\":4}",
            "{\"truncate\":3}",
            "{\"generalise\":\"year\"}",
            "{\"generalise\":\"hour\"}",
            "{\"generalise\":10}",
            "\"tokenise\"",
            "\"encrypt\"",
        ];
        let types = [
            (r#""string""#, "rr.hhkt...te"),
            (r#"{"type":"string","logicalType":"uuid"}"#, "rr.h.kt....e"),
            (r#""bytes""#, "rr.hh.t....e"),
            (r#"{"type":"bytes","logicalType":"decimal","precision":4}"#, "rrzhh.t....e"),
            (r#"{"type":"fixed","name":"F","size":16}"#, "rr.h........"),
            (r#"{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}"#, "r..h........"),
            (r#"{"type":"fixed","name":"F","size":12,"logicalType":"duration"}"#, "r.z........."),
            (r#"{"type":"enum","name":"E","symbols":["a","x"]}"#, "rr.........."),
            (r#"{"type":"enum","name":"E","symbols":["a"]}"#, "r..........."),
            (r#""boolean""#, "..z........."),
            (r#""int""#, "..z......g.."),
            (r#""double""#, "..z......g.."),
            (r#"{"type":"int","logicalType":"date"}"#, "..z....g...."),
            (r#"{"type":"int","logicalType":"time-millis"}"#, "..z......g.."),
            (r#"{"type":"long","logicalType":"timestamp-nanos"}"#, "..z....gg..."),
            (r#""null""#, "............"),
        ];
        for (schema, expected) in types {
            let schema = Schema::parse(schema).unwrap();
            let leaf = Leaf::of(schema.node(schema.root()));
            let found: String = rules
                .iter()
                .map(|text| {
                    let letter = text.trim_start_matches(['"', '{']).chars().next().unwrap();
                    if fits(&rule(text), leaf) { letter } else { '.' }
                })
                .collect();
            assert_eq!(found, expected, "{}", leaf.described());
            if let Some(default) = default_rule(leaf) {
                assert!(fits(&default, leaf), "{}", leaf.described());
            }
        }
    }

    #[test]
    fn keys_of_a_map_stay_apart() {
        assert_eq!(map_key_rule(Some(&MaskRule::Redact(None))), MaskRule::Hash(None));
        assert_eq!(map_key_rule(Some(&MaskRule::Tokenise)), MaskRule::Tokenise);
        assert_eq!(map_key_rule(None), MaskRule::Hash(None));
    }
}
