//! Random schemas, data and rules.
#![allow(clippy::unwrap_used)]

use mesh_contract::{Generalisation, MaskRule};
use serde_json::{Value, json};

use crate::reference::{Column, Type, Val, fits};

/// Small, fast and seeded: what proptest shrinks is the seed's size, which is enough here.
pub(crate) struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub(crate) struct Generator {
    pub(crate) rng: Rng,
    names: usize,
    /// The records that are being made, outermost first.
    open: Vec<String>,
    pub(crate) records: Vec<(String, Type)>,
    pub(crate) columns: Vec<Column>,
}

const LONGS: [Option<&str>; 7] = [
    None,
    Some("time-micros"),
    Some("timestamp-millis"),
    Some("timestamp-micros"),
    Some("timestamp-nanos"),
    Some("local-timestamp-millis"),
    Some("local-timestamp-micros"),
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        Generator { rng: Rng(seed), names: 0, open: Vec::new(), records: Vec::new(), columns: Vec::new() }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("N{}", self.names)
    }

    pub(crate) fn record(&mut self, depth: usize) -> Type {
        let name = self.name();
        self.open.push(name.clone());
        let count = 1 + self.rng.below(5);
        let fields: Vec<(String, Type)> = (0..count).map(|index| (format!("f{index}"), self.ty(depth))).collect();
        self.open.pop();
        let record = Type::Record { name: name.clone(), fields };
        self.records.push((name, record.clone()));
        record
    }

    fn ty(&mut self, depth: usize) -> Type {
        if depth > 0 {
            match self.rng.below(9) {
                0 => return self.record(depth - 1),
                1 | 2 => return Type::Array(Box::new(self.ty(depth - 1))),
                3 => return Type::Map(Box::new(self.ty(depth - 1))),
                4 => return self.union(depth - 1),
                _ => {}
            }
        }
        self.leaf()
    }

    fn leaf(&mut self) -> Type {
        match self.rng.below(13) {
            0 => Type::Boolean,
            1 => Type::Int(*self.rng.pick(&[None, Some("date"), Some("time-millis")])),
            2 | 3 => Type::Long(*self.rng.pick(&LONGS)),
            4 => Type::Float,
            5 => Type::Double,
            6 => Type::Bytes { decimal: self.rng.one_in(2) },
            7 => Type::Fixed { name: self.name(), size: self.rng.below(40) },
            8 => Type::Enum { name: self.name(), symbols: 1 + self.rng.below(4) },
            9 => Type::Null,
            _ => Type::Text { uuid: self.rng.one_in(5) },
        }
    }

    fn union(&mut self, depth: usize) -> Type {
        let other = match self.rng.below(4) {
            0 if !self.open.is_empty() => Type::Again(self.rng.pick(&self.open.clone()).clone()),
            1 => self.record(depth),
            _ => Type::Text { uuid: false },
        };
        let mut branches = vec![Type::Null, other];
        if self.rng.one_in(2) {
            branches.push(Type::Int(Some("date")));
        }
        if self.rng.one_in(2) {
            branches.swap(0, 1);
        }
        Type::Union(branches)
    }

    /// Walks the type and makes some of its places sensitive.
    pub(crate) fn choose(&mut self, ty: &Type, path: &str) {
        match ty {
            Type::Record { name, fields } => {
                for (field, ty) in fields {
                    let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                    if self.rng.one_in(4) {
                        self.column(name, field, "", &path, ty);
                    }
                    match ty {
                        Type::Array(items) if self.rng.one_in(4) => {
                            self.column(name, field, "[]", &format!("{path}[]"), items)
                        }
                        Type::Map(values) if self.rng.one_in(4) => {
                            self.column(name, field, "{}", &format!("{path}{{}}"), values)
                        }
                        _ => {}
                    }
                    self.choose(ty, &path);
                }
            }
            Type::Array(items) => self.choose(items, &format!("{path}[]")),
            Type::Map(values) => self.choose(values, &format!("{path}{{}}")),
            Type::Union(branches) => branches.iter().for_each(|branch| self.choose(branch, path)),
            _ => {}
        }
    }

    fn column(&mut self, record: &str, field: &str, suffix: &'static str, path: &str, ty: &Type) {
        // A rule around a record that goes on outside it holds outside as well; the reference knows only paths.
        if reaches_out(ty) {
            return;
        }
        let candidates = [
            MaskRule::Redact(None),
            MaskRule::Redact(Some("xx".to_owned())),
            MaskRule::Zero,
            MaskRule::Hash(None),
            MaskRule::Hash(Some(16)),
            MaskRule::KeepFirst(2),
            MaskRule::KeepLast(3),
            MaskRule::Truncate(1),
            MaskRule::Generalise(Generalisation::Year),
            MaskRule::Generalise(Generalisation::Month),
            MaskRule::Generalise(Generalisation::Day),
            MaskRule::Generalise(Generalisation::Hour),
            MaskRule::Generalise(Generalisation::Multiple(10)),
        ];
        let mut fitting: Vec<MaskRule> = candidates.into_iter().filter(|rule| fits(rule, ty)).collect();
        if matches!(ty, Type::Union(_)) {
            fitting.push(MaskRule::Null);
        }
        if suffix.is_empty() {
            fitting.push(MaskRule::Drop);
        }
        let rule = (!fitting.is_empty() && self.rng.one_in(2)).then(|| self.rng.pick(&fitting).clone());
        let class = (*self.rng.pick(&["pii", "pii.contact", "trade"])).to_owned();
        let (record, field, path) = (record.to_owned(), field.to_owned(), path.to_owned());
        self.columns.push(Column { record, field, suffix, path, class, rule });
    }

    pub(crate) fn val(&mut self, ty: &Type, depth: usize) -> Val {
        let rng = &mut self.rng;
        match ty {
            Type::Null => Val::Null,
            Type::Boolean => Val::Boolean(rng.one_in(2)),
            Type::Int(_) => {
                let value = *rng.pick(&[0, -1, 1, 63, 64, 11_016, -719_528, i64::from(i32::MAX), i64::from(i32::MIN)]);
                Val::Integer { value, padding: rng.below(3) }
            }
            Type::Long(_) => {
                let random = rng.next() as i64;
                let value =
                    *rng.pick(&[0, -1, 86_400_000, 1_700_000_000_123, i64::MAX, i64::MIN, random, random >> 20]);
                Val::Integer { value, padding: rng.below(3) }
            }
            Type::Float => Val::Float(rng.below(1_000) as f32 / 8.0 - 60.0),
            Type::Double => Val::Double(rng.below(1_000_000) as f64 / 8.0 - 60.0),
            Type::Bytes { .. } => Val::Bytes((0..1 + rng.below(5)).map(|_| rng.next() as u8).collect()),
            Type::Text { uuid: true } => Val::Text("7c9e6679-7425-40de-944b-e07fc1f90ae7".to_owned()),
            Type::Text { .. } => {
                let text = *rng.pick(&["", "a", "jane@example.org", "Grüße", "日本語テキスト", "+49 170 1234567"]);
                Val::Text(text.repeat(1 + rng.below(4)))
            }
            Type::Fixed { size, .. } => Val::Fixed((0..*size).map(|_| rng.next() as u8).collect()),
            Type::Enum { symbols, .. } => Val::Enum(rng.below(*symbols)),
            Type::Array(items) => {
                let blocks = self.rng.below(if depth > 6 { 1 } else { 3 });
                Val::Array(
                    (0..blocks)
                        .map(|_| {
                            let sized = self.rng.one_in(2);
                            let count = 1 + self.rng.below(3);
                            (sized, (0..count).map(|_| self.val(items, depth + 1)).collect())
                        })
                        .collect(),
                )
            }
            Type::Map(values) => {
                let blocks = self.rng.below(if depth > 6 { 1 } else { 3 });
                Val::Map(
                    (0..blocks)
                        .map(|block| {
                            let sized = self.rng.one_in(2);
                            let count = 1 + self.rng.below(3);
                            (
                                sized,
                                (0..count)
                                    .map(|entry| (format!("k{block}{entry}"), self.val(values, depth + 1)))
                                    .collect(),
                            )
                        })
                        .collect(),
                )
            }
            Type::Union(branches) => {
                let null = branches.iter().position(|branch| matches!(branch, Type::Null)).unwrap();
                let index = if depth > 6 { null } else { self.rng.below(branches.len()) };
                Val::Union(index, Box::new(self.val(&branches[index], depth + 1)))
            }
            Type::Record { fields, .. } => Val::Record(fields.iter().map(|(_, ty)| self.val(ty, depth + 1)).collect()),
            Type::Again(name) => {
                let (_, record) = self.records.iter().find(|(known, _)| known == name).unwrap().clone();
                self.val(&record, depth + 1)
            }
        }
    }
}

fn reaches_out(ty: &Type) -> bool {
    match ty {
        Type::Again(_) => true,
        Type::Array(inner) | Type::Map(inner) => reaches_out(inner),
        Type::Union(branches) => branches.iter().any(reaches_out),
        Type::Record { fields, .. } => fields.iter().any(|(_, ty)| reaches_out(ty)),
        _ => false,
    }
}

pub(crate) fn avro(ty: &Type) -> Value {
    let logical = |word: &str, logical: Option<&str>| match logical {
        Some(logical) => json!({"type": word, "logicalType": logical}),
        None => json!(word),
    };
    match ty {
        Type::Null => json!("null"),
        Type::Boolean => json!("boolean"),
        Type::Int(name) => logical("int", *name),
        Type::Long(name) => logical("long", *name),
        Type::Float => json!("float"),
        Type::Double => json!("double"),
        Type::Bytes { decimal: true } => {
            json!({"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2})
        }
        Type::Bytes { .. } => json!("bytes"),
        Type::Text { uuid } => logical("string", uuid.then_some("uuid")),
        Type::Fixed { name, size } => json!({"type": "fixed", "name": name, "size": size}),
        Type::Enum { name, symbols } => {
            json!({"type": "enum", "name": name, "symbols": (0..*symbols).map(|index| format!("S{index}")).collect::<Vec<_>>()})
        }
        Type::Array(items) => json!({"type": "array", "items": avro(items)}),
        Type::Map(values) => json!({"type": "map", "values": avro(values)}),
        Type::Union(branches) => branches.iter().map(avro).collect(),
        Type::Record { name, fields } => {
            let fields: Vec<Value> = fields.iter().map(|(name, ty)| json!({"name": name, "type": avro(ty)})).collect();
            json!({"type": "record", "name": name, "fields": fields})
        }
        Type::Again(name) => json!(name),
    }
}
