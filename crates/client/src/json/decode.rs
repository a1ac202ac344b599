//! Avro binary to JSON.

use mesh_avro::schema::{Field, Kind, Logical, Node, NodeId, Schema};
use serde_json::{Map, Number, Value, json};

use super::DEPTH_MAX;
use super::decimal::Decimal;
use super::fault::{JsonError, Step, Trail};
use super::human::{self, Unit};
use super::union::tag_of;
use crate::binary::Input;

/// A datum of more values is refused: items may take no bytes, so that few bytes may claim any number of them.
const VALUES_MAX: u64 = 4_000_000;

/// The JSON of exactly one datum.
pub fn decode(schema: &Schema, datum: &[u8]) -> Result<Value, JsonError> {
    let mut decoder = Decoder { schema, input: Input(datum), trail: Trail::default(), values: 0 };
    let value = decoder.value(schema.root())?;
    match decoder.input.0.len() {
        0 => Ok(value),
        left => Err(decoder.trail.fault(format!("{left} bytes are left behind the value"))),
    }
}

struct Decoder<'s, 'a> {
    schema: &'s Schema,
    input: Input<'a>,
    trail: Trail<'s>,
    values: u64,
}

impl<'s, 'a> Decoder<'s, 'a> {
    fn value(&mut self, id: NodeId) -> Result<Value, JsonError> {
        self.values += 1;
        if self.values > VALUES_MAX || self.trail.depth() > DEPTH_MAX {
            return Err(self.trail.fault("too deep or too large"));
        }
        let schema = self.schema;
        let node = schema.node(id);
        Ok(match &node.kind {
            Kind::Null => Value::Null,
            Kind::Boolean => match self.read(Input::array)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return Err(self.trail.fault("a boolean is neither 0 nor 1")),
            },
            Kind::Int => {
                let number = self.read(Input::int)?;
                moment(node.logical, number.into()).unwrap_or_else(|| number.into())
            }
            Kind::Long => {
                let number = self.read(Input::long)?;
                moment(node.logical, number).unwrap_or_else(|| number.into())
            }
            Kind::Float => {
                let number = f32::from_le_bytes(self.read(Input::array)?);
                // the shortest text that is the same single is not that of the double
                float(number.to_string().parse().unwrap_or(f64::from(number)))
            }
            Kind::Double => float(f64::from_le_bytes(self.read(Input::array)?)),
            Kind::Bytes => {
                let bytes = self.read(Input::bytes)?;
                binary(node, bytes)
            }
            Kind::Fixed { size } => {
                let bytes = self.read(|input| input.take(*size))?;
                binary(node, bytes)
            }
            Kind::String => Value::String(self.text()?.to_owned()),
            Kind::Enum { symbols, .. } => {
                let index = self.read(Input::int)?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                Value::String(symbol.ok_or_else(|| self.trail.fault("the enum has no such symbol"))?.clone())
            }
            Kind::Array { items } => self.array(*items)?,
            Kind::Map { values } => self.map(*values)?,
            Kind::Union { branches } => self.union(branches)?,
            Kind::Record { fields } => self.record(fields)?,
        })
    }

    fn read<T>(&mut self, read: impl FnOnce(&mut Input<'a>) -> Result<T, &'static str>) -> Result<T, JsonError> {
        read(&mut self.input).map_err(|message| self.trail.fault(message))
    }

    fn text(&mut self) -> Result<&'a str, JsonError> {
        let bytes = self.read(Input::bytes)?;
        std::str::from_utf8(bytes).map_err(|_| self.trail.fault("text is not UTF-8"))
    }

    fn record(&mut self, fields: &'s [Field]) -> Result<Value, JsonError> {
        let mut object = Map::new();
        for field in fields {
            self.trail.push(Step::Field(&field.name));
            object.insert(field.name.clone(), self.value(field.node)?);
            self.trail.pop();
        }
        Ok(Value::Object(object))
    }

    fn union(&mut self, branches: &[NodeId]) -> Result<Value, JsonError> {
        let index = self.read(Input::long)?;
        let branch = usize::try_from(index).ok().and_then(|index| branches.get(index)).copied();
        let branch = branch.ok_or_else(|| self.trail.fault("the union has no such type"))?;
        let schema = self.schema;
        let is_null = |id: NodeId| matches!(schema.node(id).kind, Kind::Null);
        self.trail.push(Step::Inside);
        let value = self.value(branch)?;
        self.trail.pop();
        let plain = is_null(branch) || branches.iter().filter(|branch| !is_null(**branch)).count() <= 1;
        Ok(if plain { value } else { json!({ tag_of(schema.node(branch)): value }) })
    }

    fn array(&mut self, items: NodeId) -> Result<Value, JsonError> {
        let mut array = Vec::new();
        while let count @ 1.. = self.block()? {
            for _ in 0..count {
                self.trail.push(Step::Item(array.len()));
                array.push(self.value(items)?);
                self.trail.pop();
            }
        }
        Ok(Value::Array(array))
    }

    fn map(&mut self, values: NodeId) -> Result<Value, JsonError> {
        let mut object = Map::new();
        while let count @ 1.. = self.block()? {
            for _ in 0..count {
                self.trail.push(Step::Entry);
                let key = self.text()?.to_owned();
                object.insert(key, self.value(values)?);
                self.trail.pop();
            }
        }
        Ok(Value::Object(object))
    }

    /// How many items the next block has; a negative count has its size in bytes behind it.
    fn block(&mut self) -> Result<u64, JsonError> {
        let count = self.read(Input::long)?;
        if count < 0 {
            self.read(Input::long)?;
        }
        Ok(count.unsigned_abs())
    }
}

fn float(number: f64) -> Value {
    let word = match number {
        number if number.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        number => return Number::from_f64(number).map_or(Value::Null, Value::Number),
    };
    Value::String(word.to_owned())
}

/// A date or time in its human form; none if it is no such type, or beyond the years that have one.
fn moment(logical: Option<Logical>, number: i64) -> Option<Value> {
    use Unit::{Micros, Millis, Nanos};
    let shown = match logical? {
        Logical::Date => human::show_date(i32::try_from(number).ok()?),
        Logical::TimeMillis => human::show_time(number, Millis),
        Logical::TimeMicros => human::show_time(number, Micros),
        Logical::TimestampMillis => human::show_instant(number, Millis),
        Logical::TimestampMicros => human::show_instant(number, Micros),
        Logical::TimestampNanos => human::show_instant(number, Nanos),
        Logical::LocalTimestampMillis => human::show_local(number, Millis),
        Logical::LocalTimestampMicros => human::show_local(number, Micros),
        Logical::LocalTimestampNanos => human::show_local(number, Nanos),
        _ => None,
    };
    shown.map(Value::String)
}

fn binary(node: &Node, bytes: &[u8]) -> Value {
    let shown = match node.logical {
        Some(Logical::Decimal { scale, .. }) => {
            Decimal::from_bytes(bytes, scale as usize).map(|number| Value::String(number.to_string()))
        }
        Some(Logical::BigDecimal) => big_decimal(bytes),
        Some(Logical::Uuid) => uuid::Uuid::from_slice(bytes).ok().map(|uuid| Value::String(uuid.to_string())),
        Some(Logical::Duration) => duration(bytes),
        _ => None,
    };
    shown.unwrap_or_else(|| Value::String(bytes.iter().copied().map(char::from).collect()))
}

fn big_decimal(bytes: &[u8]) -> Option<Value> {
    let mut input = Input(bytes);
    let unscaled = input.bytes().ok()?;
    let scale = usize::try_from(input.long().ok()?).ok()?;
    Some(Value::String(Decimal::from_bytes(unscaled, scale)?.to_string()))
}

fn duration(bytes: &[u8]) -> Option<Value> {
    let mut input = Input(bytes);
    let mut part = || input.array().ok().map(u32::from_le_bytes);
    let (months, days, milliseconds) = (part()?, part()?, part()?);
    Some(json!({ "months": months, "days": days, "milliseconds": milliseconds }))
}
