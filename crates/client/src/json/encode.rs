//! JSON to Avro binary.

use mesh_avro::schema::{Field, Kind, Logical, Node, NodeId, Schema};
use mesh_contract::did_you_mean;
use serde_json::{Map, Number, Value};

use super::DEPTH_MAX;
use super::decimal::Decimal;
use super::fault::{JsonError, Step, Trail};
use super::human::{self, Refusal, Unit};
use crate::binary::{write_bytes, write_long};

/// Attempts at unions multiply; what needs more steps than this is refused.
const WORK_MAX: u64 = 10_000_000;

/// Appends a value's Avro binary; nothing if it does not fit the schema.
pub fn encode(schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
    let start = out.len();
    let mut encoder = Encoder { schema, trail: Trail::default(), work: 0, as_default: false };
    encoder.value(schema.root(), value, out).inspect_err(|_| out.truncate(start))
}

pub(super) struct Encoder<'s> {
    pub(super) schema: &'s Schema,
    pub(super) trail: Trail<'s>,
    work: u64,
    /// Whether the value is a field's default, which is always in Avro's own JSON encoding.
    as_default: bool,
}

impl<'s> Encoder<'s> {
    pub(super) fn value(&mut self, id: NodeId, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
        self.work += 1;
        if self.work > WORK_MAX || self.trail.depth() > DEPTH_MAX {
            return Err(self.trail.fault("too deep or too ambiguous"));
        }
        let schema = self.schema;
        let node = schema.node(id);
        if let Some(logical) = node.logical.filter(|_| !self.as_default)
            && self.logical(node, logical, value, out)?
        {
            return Ok(());
        }
        match (&node.kind, value) {
            (Kind::Union { branches }, value) => self.union(branches, value, out)?,
            (Kind::Record { fields }, Value::Object(object)) => self.record(fields, object, out)?,
            (Kind::Array { items }, Value::Array(array)) => self.array(*items, array, out)?,
            (Kind::Map { values }, Value::Object(object)) => self.map(*values, object, out)?,
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(value)) => out.push(u8::from(*value)),
            (Kind::String, Value::String(text)) => write_bytes(text.as_bytes(), out),
            (Kind::Int, Value::Number(number)) => {
                let value = whole(number).and_then(|value| i32::try_from(value).ok());
                write_long(value.ok_or_else(|| self.trail.fault("not a whole number of 32 bits"))?.into(), out);
            }
            (Kind::Long, Value::Number(number)) => {
                write_long(whole(number).ok_or_else(|| self.trail.fault("not a whole number of 64 bits"))?, out);
            }
            (Kind::Float, value) => out.extend((self.float(value)? as f32).to_le_bytes()),
            (Kind::Double, value) => out.extend(self.float(value)?.to_le_bytes()),
            (Kind::Bytes, Value::String(text)) => write_bytes(&self.latin(text)?, out),
            (Kind::Fixed { size }, Value::String(text)) => {
                let bytes = self.latin(text)?;
                if bytes.len() != *size {
                    return Err(self.trail.fault(format!("expected {size} bytes, found {}", bytes.len())));
                }
                out.extend(bytes);
            }
            (Kind::Enum { symbols, .. }, Value::String(text)) => {
                let symbol = symbols.iter().position(|symbol| symbol == text);
                let symbol = symbol.and_then(|symbol| i64::try_from(symbol).ok());
                write_long(symbol.ok_or_else(|| self.no_symbol(symbols))?, out);
            }
            (_, value) => return Err(self.mismatch(node, value)),
        }
        Ok(())
    }

    fn record(&mut self, fields: &'s [Field], object: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), JsonError> {
        if let Some(unknown) = object.keys().find(|key| fields.iter().all(|field| field.name != **key)) {
            let near = did_you_mean(unknown, fields.iter().map(|field| field.name.as_str()));
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            return Err(self.trail.fault(format!("the schema has no field \"{}\"{hint}", shortened(unknown))));
        }
        for field in fields {
            self.trail.push(Step::Field(&field.name));
            match (object.get(&field.name), &field.default) {
                (Some(value), _) => self.value(field.node, value, out)?,
                (None, Some(default)) => self.default(field.node, default, out)?,
                (None, None) if self.is_nullable(field.node) => self.value(field.node, &Value::Null, out)?,
                (None, None) => return Err(self.trail.fault("the field is missing, and has no default")),
            }
            self.trail.pop();
        }
        Ok(())
    }

    fn default(&mut self, id: NodeId, default: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let outer = std::mem::replace(&mut self.as_default, true);
        let written = self.value(id, default, out);
        self.as_default = outer;
        written
    }

    fn array(&mut self, items: NodeId, array: &[Value], out: &mut Vec<u8>) -> Result<(), JsonError> {
        if !array.is_empty() {
            write_long(i64::try_from(array.len()).unwrap_or(i64::MAX), out);
        }
        for (index, item) in array.iter().enumerate() {
            self.trail.push(Step::Item(index));
            self.value(items, item, out)?;
            self.trail.pop();
        }
        out.push(0);
        Ok(())
    }

    fn map(&mut self, values: NodeId, object: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), JsonError> {
        if !object.is_empty() {
            write_long(i64::try_from(object.len()).unwrap_or(i64::MAX), out);
        }
        for (key, value) in object {
            self.trail.push(Step::Entry);
            write_bytes(key.as_bytes(), out);
            self.value(values, value, out)?;
            self.trail.pop();
        }
        out.push(0);
        Ok(())
    }

    /// Writes a human form of a logical type; false if the value is none, and may be of the type below.
    fn logical(&self, node: &Node, logical: Logical, value: &Value, out: &mut Vec<u8>) -> Result<bool, JsonError> {
        match (logical, value) {
            (Logical::Decimal { precision, scale }, Value::String(_) | Value::Number(_)) => {
                self.decimal(node, precision, scale, value, out)?;
            }
            (Logical::BigDecimal, Value::String(_) | Value::Number(_)) => {
                let number = self.number(value)?;
                let mut inner = Vec::new();
                write_bytes(&number.to_bytes(), &mut inner);
                write_long(i64::try_from(number.scale()).unwrap_or(i64::MAX), &mut inner);
                write_bytes(&inner, out);
            }
            (Logical::Uuid, Value::String(text)) => self.uuid(node, text, out)?,
            (Logical::Duration, Value::Object(object)) => self.duration(object, out)?,
            (Logical::Duration, _) | (Logical::Uuid, _) => return Err(self.mismatch(node, value)),
            (moment, Value::String(text)) => match self.moment(moment, text) {
                Some(parsed) => write_long(parsed?, out),
                None => return Ok(false),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn moment(&self, logical: Logical, text: &str) -> Option<Result<i64, JsonError>> {
        use Unit::{Micros, Millis, Nanos};
        let instant = |unit| (human::parse_instant(text, unit), "a timestamp such as \"2024-05-01T12:30:00Z\"", unit);
        let local = |unit| (human::parse_local(text, unit), "a local timestamp such as \"2024-05-01T12:30:00\"", unit);
        let time = |unit| (human::parse_time(text, unit), "a time such as \"12:30:00\"", unit);
        let (parsed, form, unit) = match logical {
            Logical::Date => (human::parse_date(text).map(i64::from), "a date such as \"1990-05-01\"", Millis),
            Logical::TimeMillis => time(Millis),
            Logical::TimeMicros => time(Micros),
            Logical::TimestampMillis => instant(Millis),
            Logical::TimestampMicros => instant(Micros),
            Logical::TimestampNanos => instant(Nanos),
            Logical::LocalTimestampMillis => local(Millis),
            Logical::LocalTimestampMicros => local(Micros),
            Logical::LocalTimestampNanos => local(Nanos),
            _ => return None,
        };
        Some(parsed.map_err(|refusal| match refusal {
            Refusal::Form => self.trail.fault(format!("expected {form}")),
            Refusal::Range => self.trail.fault(format!("finer than {}, or out of range", unit.word())),
        }))
    }

    fn decimal(
        &self,
        node: &Node,
        precision: u32,
        scale: u32,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        let digits = format!("at most {precision} digits, {scale} of them after the point");
        let number =
            self.number(value)?.rescale(scale as usize).filter(|number| number.precision() <= precision as usize);
        let bytes = number.ok_or_else(|| self.trail.fault(format!("expected {digits}")))?.to_bytes();
        match node.kind {
            Kind::Fixed { size } if bytes.len() <= size => {
                let sign = if bytes[0] >= 0x80 { 0xff } else { 0 };
                out.extend(std::iter::repeat_n(sign, size - bytes.len()).chain(bytes));
            }
            Kind::Fixed { .. } => return Err(self.trail.fault("too large for the type's bytes")),
            _ => write_bytes(&bytes, out),
        }
        Ok(())
    }

    fn number(&self, value: &Value) -> Result<Decimal, JsonError> {
        let parsed = match value {
            Value::String(text) => Decimal::parse(text),
            Value::Number(number) => Decimal::parse(&number.to_string()),
            _ => None,
        };
        parsed.ok_or_else(|| self.trail.fault("expected a decimal number such as \"12.34\""))
    }

    fn uuid(&self, node: &Node, text: &str, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let parsed = uuid::Uuid::try_parse(text);
        let uuid =
            parsed.map_err(|_| self.trail.fault("expected a UUID such as \"7c9e6679-7425-40de-944b-e07fc1f90ae7\""))?;
        match node.kind {
            Kind::Fixed { .. } => out.extend(uuid.as_bytes()),
            _ => write_bytes(text.as_bytes(), out),
        }
        Ok(())
    }

    fn duration(&self, object: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let names = ["months", "days", "milliseconds"];
        let wrong = || self.trail.fault("expected a duration such as {\"months\":1,\"days\":2,\"milliseconds\":3}");
        if object.keys().any(|key| !names.contains(&key.as_str())) {
            return Err(wrong());
        }
        for name in names {
            let part = object.get(name).map_or(Some(0), Value::as_u64).and_then(|part| u32::try_from(part).ok());
            out.extend(part.ok_or_else(wrong)?.to_le_bytes());
        }
        Ok(())
    }

    fn float(&self, value: &Value) -> Result<f64, JsonError> {
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.as_str() {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => None,
            },
            _ => None,
        };
        number.ok_or_else(|| self.trail.fault("expected a number"))
    }

    /// Text whose code points are bytes.
    fn latin(&self, text: &str) -> Result<Vec<u8>, JsonError> {
        let bytes: Result<Vec<u8>, _> = text.chars().map(|c| u8::try_from(u32::from(c))).collect();
        bytes.map_err(|_| self.trail.fault("bytes are written as code points up to U+00FF, and one is above"))
    }

    pub(super) fn is_nullable(&self, id: NodeId) -> bool {
        let is_null = |id: NodeId| matches!(self.schema.node(id).kind, Kind::Null);
        match &self.schema.node(id).kind {
            Kind::Union { branches } => branches.iter().any(|branch| is_null(*branch)),
            _ => is_null(id),
        }
    }

    fn no_symbol(&self, symbols: &[String]) -> JsonError {
        let shown: Vec<&str> = symbols.iter().take(12).map(String::as_str).collect();
        let more = if symbols.len() > shown.len() { ", …" } else { "" };
        self.trail.fault(format!("not one of the symbols {}{more}", shown.join(", ")))
    }

    fn mismatch(&self, node: &Node, value: &Value) -> JsonError {
        let expected = node.logical.map_or_else(|| node.kind.word(), Logical::word);
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.trail.fault(format!("expected {expected}, found {found}"))
    }
}

/// A whole number, also one written with a point, as long as no digit is lost.
fn whole(number: &Number) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let from_float = || number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() <= EXACT_MAX);
    number.as_i64().or_else(|| if number.is_f64() { from_float().map(|value| value as i64) } else { None })
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}
