//! A schema's JSON as the parser walks it: borrowed from its text, and refused where an object has a key twice.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Up to so many keys of an object are compared with one another; more go into a set.
const FEW_KEYS: usize = 8;

/// A JSON value.
#[derive(Debug)]
pub(super) enum Json<'t> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'t, str>),
    Array(Vec<Json<'t>>),
    Object(Object<'t>),
}

/// An object's members, in the order of the text.
#[derive(Debug)]
pub(super) struct Object<'t> {
    pub(super) members: Vec<(Cow<'t, str>, Json<'t>)>,
}

impl<'t> Json<'t> {
    pub(super) fn of(value: &'t Value) -> Json<'t> {
        match value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::String(text) => Json::String(Cow::Borrowed(text)),
            Value::Array(items) => Json::Array(items.iter().map(Json::of).collect()),
            Value::Object(map) => Json::Object(Object {
                members: map.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Json::of(value))).collect(),
            }),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) => Value::String(text.as_ref().to_owned()),
            Json::Array(items) => Value::Array(items.iter().map(Json::value).collect()),
            Json::Object(object) => Value::Object(object.map(|_| true)),
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        if let Json::String(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_u64(&self) -> Option<u64> {
        if let Json::Number(number) = self { number.as_u64() } else { None }
    }
}

impl<'t> Object<'t> {
    pub(super) fn get(&self, key: &str) -> Option<&Json<'t>> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The members whose keys are wanted.
    pub(super) fn map(&self, is_wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
        let wanted = self.members.iter().filter(|(key, _)| is_wanted(key));
        wanted.map(|(key, value)| (key.as_ref().to_owned(), value.value())).collect()
    }

    fn has_duplicate_key(&self) -> bool {
        let keys = || self.members.iter().map(|(key, _)| key.as_ref());
        if self.members.len() > FEW_KEYS {
            return keys().collect::<HashSet<&str>>().len() < self.members.len();
        }
        keys().enumerate().any(|(index, key)| keys().skip(index + 1).any(|other| other == key))
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Json<'de>, E> {
        Number::from_f64(number).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Key(key), value)) = entries.next_entry()? {
            members.push((key, value));
        }
        let object = Object { members };
        if object.has_duplicate_key() { Err(de::Error::custom(DUPLICATE_KEY)) } else { Ok(Json::Object(object)) }
    }
}

/// What the error says where an object has a key twice; where, [`super::locate::duplicate_key`] finds out.
pub(super) const DUPLICATE_KEY: &str = "an object has a key twice";

struct Key<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        deserializer.deserialize_str(AnyKey)
    }
}

struct AnyKey;

impl<'de> Visitor<'de> for AnyKey {
    type Value = Key<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}
