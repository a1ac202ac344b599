mod attribute;

use std::collections::{HashMap, HashSet};

use attribute::{check_order, full_name, names, others, required, type_aliases, with_attributes};

use serde_json::{Map, Value};

use super::error::{SchemaError, SchemaFault, quoted, shortened};
use super::name::{PRIMITIVES, is_simple_name};
use super::{Field, Kind, MAX_DEPTH, MAX_NODES, Name, Node, NodeId, Schema, default};

type Parsed<T> = Result<T, SchemaError>;

/// Fills the arena from one JSON document after another.
#[derive(Default)]
pub(super) struct Parser {
    nodes: Vec<Node>,
    names: HashMap<Name, NodeId>,
    /// Records of the current document whose fields' defaults are still to be checked: only when the document is
    /// read are all types whole.
    unchecked: Vec<NodeId>,
    document: usize,
    depth: usize,
}

/// Where the parser stands: the JSON pointer and the namespace that names without one belong to.
#[derive(Clone)]
struct Here {
    pointer: String,
    namespace: Option<String>,
}

impl Here {
    fn child(&self, segment: impl std::fmt::Display) -> Here {
        Here { pointer: format!("{}/{segment}", self.pointer), namespace: self.namespace.clone() }
    }

    fn fail<T>(&self, fault: SchemaFault) -> Parsed<T> {
        Err(SchemaError::at(&self.pointer, fault))
    }

    fn unexpected<T>(&self, expected: &'static str, found: &Value) -> Parsed<T> {
        self.fail(SchemaFault::Unexpected { expected, found: quoted(found) })
    }
}

impl Parser {
    /// Parses one document; what earlier ones defined is known to it.
    pub(super) fn document(&mut self, json: &Value, document: usize) -> Parsed<NodeId> {
        self.document = document;
        let here = Here { pointer: String::new(), namespace: None };
        self.schema(json, &here)
            .and_then(|root| self.check_defaults().map(|()| root))
            .map_err(|error| SchemaError { document, ..error })
    }

    pub(super) fn into_schema(self, root: NodeId, json: Value) -> Schema {
        Schema { nodes: self.nodes, root, names: self.names, json }
    }

    fn schema(&mut self, json: &Value, here: &Here) -> Parsed<NodeId> {
        if self.depth == MAX_DEPTH {
            return here.fail(SchemaFault::TooLarge { limit: MAX_DEPTH, unit: "levels" });
        }
        self.depth += 1;
        let parsed = match json {
            Value::String(name) => self.reference(name, here),
            Value::Array(branches) => self.union(branches, here),
            Value::Object(object) => self.object(object, here),
            other => here.unexpected("a schema: a type's name, an object or an array", other),
        };
        self.depth -= 1;
        parsed
    }

    fn reference(&mut self, name: &str, here: &Here) -> Parsed<NodeId> {
        if let Some(kind) = primitive(name) {
            return self.push(node(kind, here, self.document), here);
        }
        let invalid = || SchemaFault::InvalidName { name: shortened(name, 60) };
        let full = Name::resolve(name, here.namespace.as_deref());
        let full = full.ok_or_else(|| SchemaError::at(&here.pointer, invalid()))?;
        match self.names.get(&full) {
            Some(id) => Ok(*id),
            None => here.fail(SchemaFault::UnknownType { similar: self.similar(&full), name: full.to_string() }),
        }
    }

    /// The types that may have been meant: those of the same unqualified name, else the one spelt most alike.
    fn similar(&self, name: &Name) -> Vec<String> {
        let mut names: Vec<&str> = self.names.keys().map(Name::as_str).collect();
        names.sort_unstable();
        let namesake = |other: &&&str| other.rsplit('.').next() == Some(name.simple());
        let namesakes: Vec<String> = names.iter().filter(namesake).map(|name| (*name).to_owned()).collect();
        if !namesakes.is_empty() {
            return namesakes;
        }
        let spelt_alike = mesh_contract::did_you_mean(name.as_str(), names)
            .or_else(|| mesh_contract::did_you_mean(name.simple(), PRIMITIVES));
        spelt_alike.map(str::to_owned).into_iter().collect()
    }

    fn object(&mut self, object: &Map<String, Value>, here: &Here) -> Parsed<NodeId> {
        let at_type = here.child("type");
        let word = match object.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(inner @ (Value::Object(_) | Value::Array(_))) => return self.schema(inner, &at_type),
            Some(other) => return at_type.unexpected("a type's name", other),
            None => return here.fail(SchemaFault::Missing { kind: "a schema", attribute: "type" }),
        };
        match word {
            "record" | "error" => self.named(object, here, "a record", Parser::record),
            "enum" => self.named(object, here, "an enum", Parser::enumeration),
            "fixed" => self.named(object, here, "a fixed", Parser::fixed),
            "array" => self.container(object, here, "an array", "items", |items| Kind::Array { items }),
            "map" => self.container(object, here, "a map", "values", |values| Kind::Map { values }),
            primitive_or_name => self.annotated(object, here, &at_type, primitive_or_name),
        }
    }

    /// `{"type": "long", "logicalType": ...}`, or a named type referred to by an object.
    fn annotated(&mut self, object: &Map<String, Value>, here: &Here, at_type: &Here, word: &str) -> Parsed<NodeId> {
        match primitive(word) {
            Some(kind) => {
                let plain = node(kind, here, self.document);
                self.push(with_attributes(plain, object, &["type"]), here)
            }
            None => self.reference(word, at_type),
        }
    }

    fn container(
        &mut self,
        object: &Map<String, Value>,
        here: &Here,
        kind: &'static str,
        attribute: &'static str,
        make: impl FnOnce(NodeId) -> Kind,
    ) -> Parsed<NodeId> {
        let inner = required(object, here, kind, attribute)?;
        let id = self.push(node(Kind::Null, here, self.document), here)?;
        let inner = self.schema(inner, &here.child(attribute))?;
        let whole = node(make(inner), here, self.document);
        self.nodes[id.index()] = with_attributes(whole, object, &["type", attribute]);
        Ok(id)
    }

    fn union(&mut self, branches: &[Value], here: &Here) -> Parsed<NodeId> {
        let id = self.push(node(Kind::Null, here, self.document), here)?;
        let mut seen = HashSet::new();
        let mut ids = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let at_branch = here.child(index);
            let branch_id = self.schema(branch, &at_branch)?;
            let parsed = &self.nodes[branch_id.index()];
            if matches!(parsed.kind, Kind::Union { .. }) || branch.is_array() {
                return at_branch.fail(SchemaFault::NestedUnion);
            }
            let told_by = parsed.name.as_ref().map_or(parsed.kind.word(), Name::as_str).to_owned();
            if !seen.insert(told_by.clone()) {
                return at_branch.fail(SchemaFault::AmbiguousUnion { branch: told_by });
            }
            ids.push(branch_id);
        }
        self.nodes[id.index()].kind = Kind::Union { branches: ids };
        Ok(id)
    }

    fn named(
        &mut self,
        object: &Map<String, Value>,
        here: &Here,
        kind: &'static str,
        body: fn(&mut Parser, &Map<String, Value>, &Here, NodeId) -> Parsed<Kind>,
    ) -> Parsed<NodeId> {
        let name = full_name(object, here, kind)?;
        if let Some(first) = self.names.get(&name) {
            let first = self.nodes[first.index()].pointer.clone();
            return here.child("name").fail(SchemaFault::Redefined { name: name.to_string(), first });
        }
        let mut whole = node(Kind::Null, here, self.document);
        whole.aliases = type_aliases(object, here, &name)?;
        whole.name = Some(name.clone());
        whole.doc = object.get("doc").and_then(Value::as_str).map(str::to_owned);
        let inside = Here { namespace: name.namespace().map(str::to_owned), ..here.clone() };
        let id = self.push(whole.clone(), here)?;
        self.names.insert(name, id);
        whole.kind = body(self, object, &inside, id)?;
        let taken: &[&str] = match whole.kind {
            Kind::Enum { .. } => &["type", "name", "namespace", "aliases", "doc", "symbols", "default"],
            Kind::Fixed { .. } => &["type", "name", "namespace", "aliases", "doc", "size"],
            _ => &["type", "name", "namespace", "aliases", "doc", "fields"],
        };
        self.nodes[id.index()] = with_attributes(whole, object, taken);
        Ok(id)
    }

    fn fixed(&mut self, object: &Map<String, Value>, here: &Here, _: NodeId) -> Parsed<Kind> {
        let size = required(object, here, "a fixed", "size")?;
        match size.as_u64().and_then(|size| i32::try_from(size).ok()) {
            Some(size) => Ok(Kind::Fixed { size: size as usize }),
            None => here.child("size").unexpected("a size: a whole number from 0 to 2147483647", size),
        }
    }

    fn enumeration(&mut self, object: &Map<String, Value>, here: &Here, _: NodeId) -> Parsed<Kind> {
        let at_symbols = here.child("symbols");
        let symbols = names(required(object, here, "an enum", "symbols")?, &at_symbols, "symbol")?;
        let default = match object.get("default") {
            None => None,
            Some(Value::String(symbol)) if symbols.contains(symbol) => Some(symbol.clone()),
            Some(other) => {
                let expected = "one of the enum's symbols".to_owned();
                return here.child("default").fail(SchemaFault::Default { value: quoted(other), expected });
            }
        };
        Ok(Kind::Enum { symbols, default })
    }

    fn record(&mut self, object: &Map<String, Value>, here: &Here, id: NodeId) -> Parsed<Kind> {
        let at_fields = here.child("fields");
        let Value::Array(list) = required(object, here, "a record", "fields")? else {
            return at_fields.unexpected("an array of fields", &object["fields"]);
        };
        let mut seen = HashSet::new();
        let mut fields = Vec::with_capacity(list.len());
        for (index, json) in list.iter().enumerate() {
            let at_field = at_fields.child(index);
            let field = self.field(json, &at_field)?;
            if !seen.insert(field.name.clone()) {
                return at_field.child("name").fail(SchemaFault::Duplicate { what: "field", name: field.name });
            }
            fields.push(field);
        }
        self.unchecked.push(id);
        Ok(Kind::Record { fields })
    }

    fn field(&mut self, json: &Value, here: &Here) -> Parsed<Field> {
        let Value::Object(object) = json else { return here.unexpected("a field: an object", json) };
        let at_name = here.child("name");
        let name = match required(object, here, "a field", "name")? {
            Value::String(name) if is_simple_name(name) => name.clone(),
            Value::String(name) => return at_name.fail(SchemaFault::InvalidName { name: shortened(name, 60) }),
            other => return at_name.unexpected("a name", other),
        };
        let aliases = match object.get("aliases") {
            Some(aliases) => names(aliases, &here.child("aliases"), "alias")?,
            None => Vec::new(),
        };
        check_order(object, here)?;
        Ok(Field {
            node: self.schema(required(object, here, "a field", "type")?, &here.child("type"))?,
            default: object.get("default").cloned(),
            doc: object.get("doc").and_then(Value::as_str).map(str::to_owned),
            attributes: others(object, &["name", "aliases", "type", "default", "doc", "order"]),
            pointer: here.pointer.clone(),
            name,
            aliases,
        })
    }

    fn check_defaults(&mut self) -> Parsed<()> {
        let mut steps = default::Steps::default();
        for record in std::mem::take(&mut self.unchecked) {
            let Kind::Record { fields } = &self.nodes[record.index()].kind else { continue };
            for field in fields {
                let Some(value) = &field.default else { continue };
                default::check(&self.nodes, field.node, value, &mut steps)
                    .map_err(|fault| SchemaError::at(&format!("{}/default", field.pointer), fault))?;
            }
        }
        Ok(())
    }

    fn push(&mut self, node: Node, here: &Here) -> Parsed<NodeId> {
        if self.nodes.len() == MAX_NODES {
            return here.fail(SchemaFault::TooLarge { limit: MAX_NODES, unit: "types" });
        }
        self.nodes.push(node);
        Ok(NodeId(self.nodes.len() as u32 - 1))
    }
}

fn primitive(word: &str) -> Option<Kind> {
    Some(match word {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}

fn node(kind: Kind, here: &Here, document: usize) -> Node {
    Node {
        kind,
        logical: None,
        name: None,
        aliases: Vec::new(),
        doc: None,
        attributes: Map::new(),
        pointer: here.pointer.clone(),
        document,
    }
}
