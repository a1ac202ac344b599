use super::{Kind, Logical, Node};

/// A type in four bytes, so that most pairs of types are compared without looking at their nodes.
///
/// The low byte is a number for each primitive type with its logical type, the upper half a decimal's digits; 0 for other
/// types. A union of such a type with null has the type's number and a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outline(u32);

const NULLABLE: u32 = 1 << 8;
const NAMED: u32 = 1 << 9;
const RECORD: u32 = 1 << 10;
const NULL: u32 = 1;

impl Outline {
    /// The outlines of all types of an arena.
    pub(super) fn of_all(nodes: &[Node]) -> Vec<Outline> {
        let leaves: Vec<u32> = nodes.iter().map(leaf).collect();
        let outline = |(node, leaf): (&Node, &u32)| match &node.kind {
            Kind::Union { branches } => match branches.as_slice() {
                [one, other] => nullable(leaves[one.index()], leaves[other.index()]),
                _ => 0,
            },
            Kind::Record { .. } => NAMED | RECORD,
            _ if node.name.is_some() => NAMED,
            _ => *leaf,
        };
        nodes.iter().zip(&leaves).map(outline).map(Outline).collect()
    }

    /// Whether a reader's type of this outline reads a writer's as what it is: both are the same, but that the reader's
    /// may be null as well. Of types that are more than their outline this is not known.
    pub(crate) fn reads_as_is(self, writer: Outline) -> bool {
        let is_null_or_not = self.0 & NULLABLE != 0 && (writer.0 == NULL || writer.0 == self.0 & !NULLABLE);
        self.is_all() && (self == writer || is_null_or_not)
    }

    /// Whether there is no more to the type than this.
    pub(crate) fn is_all(self) -> bool {
        self.0 & 0xff != 0
    }

    /// Whether it is a primitive type's union with null.
    pub(crate) fn is_nullable(self) -> bool {
        self.0 & NULLABLE != 0
    }

    /// Whether it is a record.
    pub(crate) fn is_record(self) -> bool {
        self.0 & RECORD != 0
    }

    /// Whether it is a record, an enum or a fixed.
    pub(crate) fn is_named(self) -> bool {
        self.0 & NAMED != 0
    }
}

fn nullable(one: u32, other: u32) -> u32 {
    match (one, other) {
        (0, _) | (_, 0) => 0,
        (NULL, leaf) | (leaf, NULL) => leaf | NULLABLE,
        _ => 0,
    }
}

fn leaf(node: &Node) -> u32 {
    let kind = match node.kind {
        Kind::Null => NULL,
        Kind::Boolean => 2,
        Kind::Int => 3,
        Kind::Long => 4,
        Kind::Float => 5,
        Kind::Double => 6,
        Kind::Bytes => 7,
        Kind::String => 8,
        _ => return 0,
    };
    let logical = match node.logical {
        None => 0,
        Some(Logical::BigDecimal) => 1,
        Some(Logical::Uuid) => 2,
        Some(Logical::Date) => 3,
        Some(Logical::TimeMillis) => 4,
        Some(Logical::TimeMicros) => 5,
        Some(Logical::TimestampMillis) => 6,
        Some(Logical::TimestampMicros) => 7,
        Some(Logical::TimestampNanos) => 8,
        Some(Logical::LocalTimestampMillis) => 9,
        Some(Logical::LocalTimestampMicros) => 10,
        Some(Logical::LocalTimestampNanos) => 11,
        Some(Logical::Decimal { precision: precision @ ..=0xff, scale: scale @ ..=0xff }) => {
            return kind | 12 << 4 | precision << 16 | scale << 24;
        }
        // On a fixed, or larger than fits here.
        Some(Logical::Decimal { .. } | Logical::Duration) => return 0,
    };
    kind | logical << 4
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Schema;

    fn reads_as_is(reader: &str, writer: &str) -> bool {
        let (reader, writer) = (Schema::parse(reader).unwrap(), Schema::parse(writer).unwrap());
        reader.outline(reader.root()).reads_as_is(writer.outline(writer.root()))
    }

    #[test]
    fn only_what_is_the_same_is_read_as_it_is() {
        const DATE: &str = r#"{"type": "int", "logicalType": "date"}"#;
        const DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 4}"#;
        const NULLABLE_DATE: &str = r#"["null", {"type": "int", "logicalType": "date"}]"#;
        for (reader, writer, expected) in [
            ("\"int\"", "\"int\"", true),
            ("\"long\"", "\"int\"", false),
            ("\"int\"", DATE, false),
            (DATE, DATE, true),
            (DECIMAL, DECIMAL, true),
            (DECIMAL, "\"bytes\"", false),
            (DECIMAL, r#"{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1}"#, false),
            (DECIMAL, r#"{"type": "bytes", "logicalType": "decimal", "precision": 260}"#, false),
            (NULLABLE_DATE, DATE, true),
            (NULLABLE_DATE, "\"null\"", true),
            (NULLABLE_DATE, "\"int\"", false),
            (DATE, NULLABLE_DATE, false),
            (r#"["null", "int"]"#, r#"["int", "null"]"#, true),
            (r#"["null", "int"]"#, r#"["null", "string"]"#, false),
            (r#"["string", "int"]"#, r#"["string", "int"]"#, false),
            (r#"{"type": "array", "items": "int"}"#, r#"{"type": "array", "items": "int"}"#, false),
        ] {
            assert_eq!(reads_as_is(reader, writer), expected, "{reader} of {writer}");
        }
    }
}
