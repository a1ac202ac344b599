//! The official schemas of OpenLineage, and our own: an event against the core specification, each facet against what its
//! `_schemaURL` names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

const CORE: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
const OWN_FACET: &str = include_str!("../../../../docs/openlineage/MeshKafkaDatasetFacet.json");

/// The schemas, by their ids.
pub(crate) struct Official {
    registry: Registry<'static>,
    validators: RefCell<BTreeMap<String, Validator>>,
}

impl Official {
    /// Those in the folder that `OPENLINEAGE_SCHEMAS` names; without it says that they are skipped.
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) fn find() -> Option<Self> {
        let place = std::env::var_os("OPENLINEAGE_SCHEMAS").map(PathBuf::from);
        if place.is_none() {
            eprintln!("skipped: OPENLINEAGE_SCHEMAS does not name a folder with OpenLineage.json and facets/");
        }
        place.map(|place| Self { registry: registry(&place), validators: RefCell::default() })
    }

    /// How many facets an event has, once it is accepted with all of them.
    ///
    /// # Panics
    /// It is not.
    pub(crate) fn accept(&self, event: &Value) -> usize {
        self.check(CORE, event);
        let mut checked = 0;
        each_facet(event, &mut |facet| {
            self.check(facet["_schemaURL"].as_str().expect("a facet names its schema"), facet);
            checked += 1;
        });
        checked
    }

    fn check(&self, url: &str, instance: &Value) {
        let errors = self.errors(url, instance);
        assert!(errors.is_empty(), "{errors:#?}\n{instance:#}");
    }

    /// What a schema says against an instance.
    pub(crate) fn errors(&self, url: &str, instance: &Value) -> Vec<String> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(url.to_owned()).or_insert_with(|| {
            let options = jsonschema::options().should_validate_formats(true).with_registry(&self.registry);
            options.build(&json!({ "$ref": url })).unwrap_or_else(|error| panic!("{url}: {error}"))
        });
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }
}

fn registry(place: &Path) -> Registry<'static> {
    let mut files = vec![place.join("OpenLineage.json")];
    let facets = std::fs::read_dir(place.join("facets")).expect("the folder is there");
    files.extend(facets.map(|entry| entry.expect("it can be listed").path()));
    let texts = files.iter().map(|file| std::fs::read_to_string(file).expect("it can be read"));
    let schemas = texts.chain([OWN_FACET.to_owned()]).map(|text| serde_json::from_str(&text).expect("it is JSON"));
    let add = |registry: jsonschema::RegistryBuilder<'static>, schema: Value| {
        let id = schema["$id"].as_str().expect("it has a name").to_owned();
        registry.add(id, schema).expect("its name is an address")
    };
    schemas.fold(Registry::new(), add).prepare().expect("they name each other")
}

fn each_facet(value: &Value, each: &mut dyn FnMut(&Value)) {
    match value {
        Value::Object(object) if object.contains_key("_schemaURL") => each(value),
        Value::Object(object) => object.values().for_each(|inner| each_facet(inner, each)),
        Value::Array(items) => items.iter().for_each(|inner| each_facet(inner, each)),
        _ => {}
    }
}
