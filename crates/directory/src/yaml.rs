//! Files in YAML or JSON, as JSON.

use crate::Error;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value};
use std::path::Path;

/// Nothing is nested deeper in a file of ours.
const DEPTH_MAX: usize = 16;

/// A file's one document.
pub(crate) fn read(file: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(file).map_err(|source| Error::ReadFile { path: file.to_owned(), source })?;
    parse(&text).map_err(|why| Error::ParseFile { path: file.to_owned(), why })
}

pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [document] => json(document, 0),
        [] => Ok(Value::Null),
        _ => Err("it has more than one document".to_owned()),
    }
}

fn json(yaml: &Yaml<'_>, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("it is nested too deeply".to_owned());
    }
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => Value::Bool(*flag),
        Yaml::Value(Scalar::Integer(number)) => Value::Number((*number).into()),
        Yaml::Value(Scalar::FloatingPoint(number)) => Number::from_f64(number.0).map_or(Value::Null, Value::Number),
        Yaml::Value(Scalar::String(text)) => Value::String(text.to_string()),
        Yaml::Sequence(items) => items.iter().map(|item| json(item, depth + 1)).collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let entry = |(key, value): (&Yaml<'_>, &Yaml<'_>)| {
                let key = key.as_str().ok_or("a key is no word")?;
                Ok((key.to_owned(), json(value, depth + 1)?))
            };
            Value::Object(entries.iter().map(entry).collect::<Result<Map<_, _>, String>>()?)
        }
        _ => return Err("it has tags, anchors or values that cannot be read".to_owned()),
    })
}
