//! CSV: columns by name, `address.street` for a nested one; cells as the schema's types want them.

use super::input::{Source, broken};
use super::row::{Content, Row};
use crate::failure::Failure;
use csv::{Reader, StringRecord};
use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_contract::did_you_mean;
use serde_json::{Map, Number, Value};

/// Reads rows until the end, or until nobody takes them any more.
pub(super) fn read(source: Source, schema: &Schema, mut each: impl FnMut(Row) -> bool) -> Result<(), Failure> {
    let mut reader = Reader::from_reader(source);
    let header = reader.headers().map_err(broken)?.clone();
    let columns = columns(&header, schema)?;
    let mut record = StringRecord::new();
    loop {
        let place = |record: &StringRecord| record.position().map_or(0, csv::Position::line);
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let row = Row::new(format!("line {}", place(&record)), event(schema, &columns, &record));
                if !each(row) {
                    return Ok(());
                }
            }
            Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => return Err(broken(error)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                if !each(Row::new(format!("line {line}"), Err(why(&error).to_owned()))) {
                    return Ok(());
                }
            }
        }
    }
}

fn why(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { .. } => "another number of cells than the first line has columns",
        csv::ErrorKind::Utf8 { .. } => "not UTF-8",
        _ => "not CSV",
    }
}

/// A column: the way to its field, and its type.
struct Column {
    path: Vec<String>,
    node: NodeId,
}

fn columns(header: &StringRecord, schema: &Schema) -> Result<Vec<Column>, Failure> {
    let found: Vec<Result<Column, String>> = header.iter().map(|name| column(name.trim(), schema)).collect();
    let unknown: Vec<&str> = found.iter().filter_map(|column| column.as_ref().err()).map(String::as_str).collect();
    if !unknown.is_empty() {
        let what = format!("the first line names what the schema does not have: {}", unknown.join(", "));
        return Err(Failure::findings(what)
            .hint("the first line of a CSV file names the columns, address.street for a nested one"));
    }
    Ok(found.into_iter().flatten().collect())
}

fn column(name: &str, schema: &Schema) -> Result<Column, String> {
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    let mut node = schema.root();
    for part in &path {
        let Kind::Record { fields } = &schema.node(node).kind else { return Err(name.to_owned()) };
        let Some(field) = fields.iter().find(|field| field.name == *part) else {
            let near = did_you_mean(part, fields.iter().map(|field| field.name.as_str()));
            return Err(near.map_or_else(|| name.to_owned(), |near| format!("{name} (did you mean {near}?)")));
        };
        node = field.node;
    }
    Ok(Column { path, node })
}

fn event(schema: &Schema, columns: &[Column], record: &StringRecord) -> Result<Content, String> {
    let mut event = Map::new();
    for (column, cell) in columns.iter().zip(record) {
        let value = value(schema, column.node, cell).map_err(|why| format!("{}: {why}", column.path.join(".")))?;
        if let Some(value) = value {
            insert(&mut event, &column.path, value);
        }
    }
    Ok(Content::Event(Value::Object(event)))
}

fn insert(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => drop(object.insert(name.clone(), value)),
        [name, rest @ ..] => {
            let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// A cell as the type wants it; none where it says nothing, so that the field's default or null is taken.
fn value(schema: &Schema, node: NodeId, cell: &str) -> Result<Option<Value>, &'static str> {
    let node = schema.node(node);
    let text = || Value::String(cell.to_owned());
    Ok(match &node.kind {
        Kind::Union { branches } => return union(schema, branches, cell),
        Kind::String => Some(text()),
        _ if cell.is_empty() => None,
        Kind::Null => return Err("expected nothing"),
        Kind::Boolean => match cell.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => return Err("expected true or false"),
        },
        Kind::Int | Kind::Long => Some(cell.parse::<i64>().map_or_else(|_| text(), Value::from)),
        Kind::Float | Kind::Double => {
            Some(cell.parse().ok().and_then(Number::from_f64).map_or_else(text, Value::Number))
        }
        Kind::Bytes | Kind::Fixed { .. } | Kind::Enum { .. } => Some(text()),
        Kind::Array { .. } | Kind::Map { .. } | Kind::Record { .. } => {
            Some(serde_json::from_str(cell).map_err(|_| "expected JSON")?)
        }
    })
}

/// Nothing is null; else the first type that the cell may be of, as the schema's check then finds out.
fn union(schema: &Schema, branches: &[NodeId], cell: &str) -> Result<Option<Value>, &'static str> {
    let is_null = |branch: &&NodeId| matches!(schema.node(**branch).kind, Kind::Null);
    if cell.is_empty() && branches.iter().any(|branch| is_null(&branch)) {
        return Ok(Some(Value::Null));
    }
    let others = branches.iter().filter(|branch| !is_null(branch));
    let values: Vec<Result<Option<Value>, &'static str>> = others.map(|branch| value(schema, *branch, cell)).collect();
    let not_text = |value: &&Result<Option<Value>, _>| matches!(value, Ok(Some(value)) if !value.is_string());
    values.iter().find(not_text).or(values.first()).cloned().unwrap_or(Ok(None))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn rows(text: &str) -> Result<Vec<Row>, Failure> {
        let schema = Schema::parse_value(&json!({ "type": "record", "name": "R", "fields": [
            { "name": "id", "type": "string" },
            { "name": "count", "type": "int", "default": 7 },
            { "name": "note", "type": ["null", "string"], "default": null },
            { "name": "day", "type": { "type": "int", "logicalType": "date" } },
            { "name": "address", "type": { "type": "record", "name": "A", "fields": [{ "name": "street", "type": "string" }] } },
            { "name": "tags", "type": { "type": "array", "items": "string" }, "default": [] },
        ]}))
        .unwrap();
        let mut rows = Vec::new();
        let source: Source = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        read(source, &schema, |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    #[test]
    fn cells_become_what_the_schema_wants() {
        let rows =
            rows("id,count,note,day,address.street,tags\n007,3,,1990-05-01,\"Main, 1\",\"[\"\"a\"\"]\"\n").unwrap();
        let expected = json!({ "id": "007", "count": 3, "note": null, "day": "1990-05-01", "address": { "street": "Main, 1" }, "tags": ["a"] });
        assert_eq!(rows, [Row::new("line 2".into(), Ok(Content::Event(expected)))]);
    }

    #[test]
    fn an_empty_cell_leaves_the_default() {
        let rows = rows("id,count,day\na,,x\n").unwrap();
        assert_eq!(rows[0].content, Ok(Content::Event(json!({ "id": "a", "day": "x" }))));
    }

    #[test]
    fn bad_lines_say_where_and_unknown_columns_stop_the_command() {
        let bad = rows("id,count\na,1\nb\nc,2\n").unwrap();
        assert_eq!(bad[1].place, "line 3");
        assert!(bad[1].content.as_ref().unwrap_err().contains("number of cells"));
        assert_eq!(bad.len(), 3);
        let failure = rows("id,cuont\na,1\n").unwrap_err();
        assert!(failure.to_string().contains("cuont (did you mean count?)"), "{failure}");
    }
}
