mod attribute;
mod here;

use std::collections::HashMap;

use foldhash::fast::RandomState;

use attribute::{annotate, first_repeated, full_name, names, order, others, required, type_aliases};
use here::Here;

use super::error::{SchemaError, SchemaFault, quoted, shortened};
use super::json::{Json, Object};
use super::name::{PRIMITIVES, is_simple_name};
use super::text::read_json;
use super::{Document, Field, Kind, MAX_DEPTH, MAX_NODES, Name, Node, NodeId, Schema, default};

type Parsed<T> = Result<T, SchemaError>;

/// Fills the arena from one JSON document after another.
#[derive(Default)]
pub(super) struct Parser {
    nodes: Vec<Node>,
    names: HashMap<Name, NodeId, RandomState>,
    /// Records of the current document whose fields' defaults are still to be checked: only when the document is
    /// read are all types whole.
    unchecked: Vec<NodeId>,
    document: usize,
    depth: usize,
}

impl Parser {
    /// Parses one document; what earlier ones defined is known to it.
    pub(super) fn document(&mut self, json: &Json<'_>, document: usize) -> Parsed<NodeId> {
        self.document = document;
        self.schema(json, &Here::root())
            .and_then(|root| self.check_defaults().map(|()| root))
            .map_err(|error| SchemaError { document, ..error })
    }

    pub(super) fn into_schema(self, root: NodeId, document: Document) -> Schema {
        Schema::of(self.nodes, root, self.names, document)
    }

    fn schema(&mut self, json: &Json<'_>, here: &Here<'_>) -> Parsed<NodeId> {
        if self.depth == MAX_DEPTH {
            return here.fail(SchemaFault::TooLarge { limit: MAX_DEPTH, unit: "levels" });
        }
        self.depth += 1;
        let parsed = match json {
            Json::String(name) => self.reference(name, here),
            Json::Array(branches) => self.union(branches, here),
            Json::Object(object) => self.object(object, here),
            other => here.unexpected("a schema: a type's name, an object or an array", other),
        };
        self.depth -= 1;
        parsed
    }

    fn reference(&mut self, name: &str, here: &Here<'_>) -> Parsed<NodeId> {
        if let Some(kind) = primitive(name) {
            return self.push(kind, here);
        }
        let invalid = || SchemaFault::InvalidName { name: shortened(name, 60) };
        let full = Name::resolve(name, here.namespace);
        let full = full.ok_or_else(|| SchemaError::at(&here.pointer(), invalid()))?;
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

    fn object(&mut self, object: &Object<'_>, here: &Here<'_>) -> Parsed<NodeId> {
        let at_type = here.key("type");
        let word = match object.get("type") {
            Some(Json::String(word)) => word.as_ref(),
            Some(inner @ (Json::Object(_) | Json::Array(_))) => return self.schema(inner, &at_type),
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
    fn annotated(&mut self, object: &Object<'_>, here: &Here<'_>, at_type: &Here<'_>, word: &str) -> Parsed<NodeId> {
        let Some(kind) = primitive(word) else { return self.reference(word, at_type) };
        let id = self.push(kind, here)?;
        annotate(&mut self.nodes[id.index()], object, &["type"]);
        Ok(id)
    }

    fn container(
        &mut self,
        object: &Object<'_>,
        here: &Here<'_>,
        kind: &'static str,
        attribute: &'static str,
        make: impl FnOnce(NodeId) -> Kind,
    ) -> Parsed<NodeId> {
        let inner = required(object, here, kind, attribute)?;
        let id = self.push(Kind::Null, here)?;
        let inner = self.schema(inner, &here.key(attribute))?;
        let node = &mut self.nodes[id.index()];
        node.kind = make(inner);
        annotate(node, object, &["type", attribute]);
        Ok(id)
    }

    fn union(&mut self, branches: &[Json<'_>], here: &Here<'_>) -> Parsed<NodeId> {
        let id = self.push(Kind::Null, here)?;
        let mut ids = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let at_branch = here.index(index);
            let branch_id = self.schema(branch, &at_branch)?;
            if matches!(self.nodes[branch_id.index()].kind, Kind::Union { .. }) || matches!(branch, Json::Array(_)) {
                return at_branch.fail(SchemaFault::NestedUnion);
            }
            ids.push(branch_id);
        }
        let told_by = |id: &NodeId| {
            let node = &self.nodes[id.index()];
            node.name.as_ref().map_or(node.kind.word(), Name::as_str)
        };
        if let Some(index) = first_repeated(ids.len(), |index| told_by(&ids[index])) {
            let branch = told_by(&ids[index]).to_owned();
            return here.index(index).fail(SchemaFault::AmbiguousUnion { branch });
        }
        self.nodes[id.index()].kind = Kind::Union { branches: ids };
        Ok(id)
    }

    fn named(
        &mut self,
        object: &Object<'_>,
        here: &Here<'_>,
        kind: &'static str,
        body: fn(&mut Parser, &Object<'_>, &Here<'_>, NodeId) -> Parsed<Kind>,
    ) -> Parsed<NodeId> {
        let name = full_name(object, here, kind)?;
        if let Some(first) = self.names.get(&name) {
            let first = self.nodes[first.index()].pointer.clone();
            return here.key("name").fail(SchemaFault::Redefined { name: name.to_string(), first });
        }
        let aliases = type_aliases(object, here, &name)?;
        let id = self.push(Kind::Null, here)?;
        let node = &mut self.nodes[id.index()];
        node.aliases = aliases;
        node.name = Some(name.clone());
        node.doc = object.get("doc").and_then(Json::as_str).map(str::to_owned);
        self.names.insert(name.clone(), id);
        let whole = body(self, object, &here.in_namespace(name.namespace()), id)?;
        let taken: &[&str] = match whole {
            Kind::Enum { .. } => &["type", "name", "namespace", "aliases", "doc", "symbols", "default"],
            Kind::Fixed { .. } => &["type", "name", "namespace", "aliases", "doc", "size"],
            _ => &["type", "name", "namespace", "aliases", "doc", "fields"],
        };
        let node = &mut self.nodes[id.index()];
        node.kind = whole;
        annotate(node, object, taken);
        Ok(id)
    }

    fn fixed(&mut self, object: &Object<'_>, here: &Here<'_>, _: NodeId) -> Parsed<Kind> {
        let size = required(object, here, "a fixed", "size")?;
        match size.as_u64().and_then(|size| i32::try_from(size).ok()) {
            Some(size) => Ok(Kind::Fixed { size: size as usize }),
            None => here.key("size").unexpected("a size: a whole number from 0 to 2147483647", size),
        }
    }

    fn enumeration(&mut self, object: &Object<'_>, here: &Here<'_>, _: NodeId) -> Parsed<Kind> {
        let at_symbols = here.key("symbols");
        let symbols = names(required(object, here, "an enum", "symbols")?, &at_symbols, "symbol")?;
        let default = match object.get("default") {
            // Avro Java writes null for none.
            None | Some(Json::Null) => None,
            Some(Json::String(symbol)) if symbols.iter().any(|known| known == symbol) => {
                Some(symbol.as_ref().to_owned())
            }
            Some(other) => {
                let expected = "one of the enum's symbols".to_owned();
                return here.key("default").fail(SchemaFault::Default { value: quoted(&other.value()), expected });
            }
        };
        Ok(Kind::Enum { symbols, default })
    }

    fn record(&mut self, object: &Object<'_>, here: &Here<'_>, id: NodeId) -> Parsed<Kind> {
        let at_fields = here.key("fields");
        let list = match required(object, here, "a record", "fields")? {
            Json::Array(list) => list,
            other => return at_fields.unexpected("an array of fields", other),
        };
        let mut fields: Vec<Field> = Vec::with_capacity(list.len());
        for (index, json) in list.iter().enumerate() {
            fields.push(self.field(json, &at_fields.index(index))?);
        }
        if let Some(index) = first_repeated(fields.len(), |index| &fields[index].name) {
            let name = fields[index].name.clone();
            return at_fields.index(index).key("name").fail(SchemaFault::Duplicate { what: "field", name });
        }
        self.unchecked.push(id);
        Ok(Kind::Record { fields })
    }

    fn field(&mut self, json: &Json<'_>, here: &Here<'_>) -> Parsed<Field> {
        let Json::Object(object) = json else { return here.unexpected("a field: an object", json) };
        let name = match required(object, here, "a field", "name")? {
            Json::String(name) if is_simple_name(name) => name.as_ref().to_owned(),
            Json::String(name) => return here.key("name").fail(SchemaFault::InvalidName { name: shortened(name, 60) }),
            other => return here.key("name").unexpected("a name", other),
        };
        let aliases = match object.get("aliases") {
            Some(aliases) => names(aliases, &here.key("aliases"), "alias")?,
            None => Vec::new(),
        };
        Ok(Field {
            order: order(object, here)?,
            node: self.schema(required(object, here, "a field", "type")?, &here.key("type"))?,
            default: object.get("default").map(Json::value),
            doc: object.get("doc").and_then(Json::as_str).map(str::to_owned),
            attributes: others(object, &["name", "aliases", "type", "default", "doc", "order"]),
            pointer: here.pointer(),
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

    /// Adds a type that is not annotated yet.
    fn push(&mut self, kind: Kind, here: &Here<'_>) -> Parsed<NodeId> {
        if self.nodes.len() == MAX_NODES {
            return here.fail(SchemaFault::TooLarge { limit: MAX_NODES, unit: "types" });
        }
        self.nodes.push(Node {
            kind,
            logical: None,
            name: None,
            aliases: Vec::new(),
            doc: None,
            attributes: serde_json::Map::new(),
            pointer: here.pointer(),
            document: self.document,
        });
        Ok(NodeId(self.nodes.len() as u32 - 1))
    }
}

impl Name {
    /// The full name of the type that a schema's text defines at its top; `None` where it defines none there, or is not valid.
    #[must_use]
    pub fn defined_by(text: &str) -> Option<Name> {
        let Ok(Json::Object(object)) = read_json(text) else { return None };
        let is_named = matches!(object.get("type")?.as_str()?, "record" | "error" | "enum" | "fixed");
        is_named.then(|| full_name(&object, &Here::root(), "a named type").ok()).flatten()
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
