//! What is known of a new product, from the command line and from the schema it begins with.

use super::{Args, text};
use crate::failure::Failure;
use crate::new_files::NewFile;
use crate::tree::{TOPICS, parse_schema};
use mesh_avro::schema::{Kind, Schema};
use mesh_avro::sensitivity;
use mesh_contract::{Contract, Product, parse_contract};
use std::fs;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a new product begins with.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) product: Product,
    pub(super) unique_id: Uuid,
    pub(super) description: Option<String>,
    /// The schema's path from the root.
    pub(super) schema: String,
    /// The schema's text, unless it is there already.
    pub(super) schema_text: Option<String>,
    pub(super) key: Option<String>,
    /// What looks sensitive in the schema.
    pub(super) suspects: Vec<String>,
    pub(super) groups: Vec<String>,
}

impl Draft {
    pub(super) fn of(args: &Args, root: &Path) -> Result<Self, Failure> {
        let product = args.product.0.clone();
        let (schema, schema_text) = match &args.schema {
            Some(file) => given_schema(file, root, &product)?,
            None => (format!("schemas/{}/{}.avsc", product.domain, product.name), Some(text::schema(&product))),
        };
        let text = match &schema_text {
            Some(text) => text.clone(),
            None => read(root.join(&schema))?,
        };
        let parsed = parse_schema(root, &text)
            .map_err(|error| Failure::usage(format!("{schema} is not a valid Avro schema")).because(error))?;
        let suspects = sensitivity::suspects(&parsed, &[], &args.names.names()?);
        Ok(Self {
            key: key(args.key.as_deref(), &parsed, &product)?,
            suspects: suspects.into_iter().map(|suspect| suspect.column).collect(),
            product,
            unique_id: Uuid::new_v4(),
            description: args.description.clone(),
            schema,
            schema_text,
            groups: args.group.clone(),
        })
    }

    /// The files, the domain's first where it has none.
    pub(super) fn files(self, root: &Path) -> Vec<NewFile> {
        let Product { domain, name } = &self.product;
        let domain_file = format!("{TOPICS}/{domain}/domain.yaml");
        let mut files = Vec::new();
        if !root.join(&domain_file).exists() {
            files.push(NewFile { name: domain_file, text: text::domain(domain) });
        }
        files.push(NewFile { name: format!("{TOPICS}/{domain}/{name}.yaml"), text: text::contract(&self) });
        files.extend(self.schema_text.map(|text| NewFile { name: self.schema, text }));
        files
    }
}

/// Where a given schema is from the root; one from elsewhere is copied.
fn given_schema(file: &Path, root: &Path, product: &Product) -> Result<(String, Option<String>), Failure> {
    let whole = |path: &Path| path.canonicalize().ok();
    if let (Some(file), Some(schemas)) = (whole(file), whole(&root.join("schemas")))
        && let Ok(below) = file.strip_prefix(&schemas)
    {
        return Ok((format!("schemas/{}", below.display()), None));
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.filter(|name| name.ends_with(".avsc")).unwrap_or_else(|| format!("{}.avsc", product.name));
    Ok((format!("schemas/{}/{name}", product.domain), Some(read(file)?)))
}

/// The given key, or the field that is called as keys are.
fn key(given: Option<&str>, schema: &Schema, product: &Product) -> Result<Option<String>, Failure> {
    let fields: Vec<&str> = match &schema.node(schema.root()).kind {
        Kind::Record { fields } => fields.iter().map(|field| field.name.as_str()).collect(),
        _ => return Err(Failure::usage("a product's schema is a record, and this is none")),
    };
    if let Some(given) = given {
        let first = given.split('.').next().unwrap_or_default();
        if !fields.contains(&first) {
            return Err(Failure::usage(format!("the schema has no column {given}"))
                .hint(format!("its columns are: {}", fields.join(", "))));
        }
        return Ok(Some(given.to_owned()));
    }
    let singular = product.name.strip_suffix('s').unwrap_or(&product.name).replace('-', "_");
    let usual = [format!("{singular}_id"), format!("{}_id", product.name), "id".to_owned()];
    Ok(usual.into_iter().find(|name| fields.contains(&name.as_str())))
}

/// The newest version's files, copied to the next one's.
pub(super) fn next_version(root: &Path, product: &Product) -> Result<Vec<NewFile>, Failure> {
    let (newest, file) = newest(root, product)?;
    let (text, next) = (read(root.join(TOPICS).join(&product.domain).join(&file))?, newest.version + 1);
    let schema = format!("{}-v{next}.avsc", version_free(&newest.schema, newest.version));
    let replaced = |text: &str, key: &str, value: &str| -> String {
        let line = |line: &str| match line.strip_prefix(key) {
            Some(rest) if rest.starts_with(':') => format!("{key}: {value}\n"),
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    };
    let text = replaced(&replaced(&text, "version", &next.to_string()), "schema", &schema);
    let contract = NewFile { name: format!("{TOPICS}/{}/{}@{next}.yaml", product.domain, product.name), text };
    let read_back = parse_contract(&contract.name, &contract.text).ok().map(|declared| declared.value);
    if read_back.is_none_or(|copy| (copy.version, &copy.schema) != (next, &schema)) {
        return Err(Failure::usage(format!("cannot tell where {file} says its version and schema"))
            .hint(format!("copy it to {} by hand: `version: {next}`, and a schema of its own", contract.name)));
    }
    Ok(vec![contract, NewFile { name: schema, text: read(root.join(&newest.schema))? }])
}

/// `schemas/crm/customer-v2.avsc` is `schemas/crm/customer`.
fn version_free(schema: &str, version: u32) -> &str {
    let stem = schema.strip_suffix(".avsc").unwrap_or(schema);
    stem.strip_suffix(&format!("-v{version}")).unwrap_or(stem)
}

/// The newest version's contract, and its file's name.
fn newest(root: &Path, product: &Product) -> Result<(Contract, String), Failure> {
    let folder = root.join(TOPICS).join(&product.domain);
    let entries = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_of_it = |name: &String| {
        let stem = name.strip_suffix(".yaml");
        stem.is_some_and(|stem| stem.split('@').next() == Some(product.name.as_str()))
    };
    let contracts = names.filter(is_of_it).map(|name| {
        let text = read(folder.join(&name))?;
        let contract = parse_contract(&name, &text).map(|declared| declared.value);
        contract
            .map(|contract| (contract, name.clone()))
            .map_err(|_| Failure::findings(format!("{name} has errors")).hint("mend them; `mesh check` shows them"))
    });
    let contracts: Vec<(Contract, String)> = contracts.collect::<Result<_, _>>()?;
    contracts.into_iter().max_by_key(|(contract, _)| contract.version).ok_or_else(|| {
        Failure::usage(format!("there is no {product} that a next version could come after"))
            .hint("leave --next-version away")
    })
}

fn read(file: impl Into<PathBuf>) -> Result<String, Failure> {
    let file = file.into();
    fs::read_to_string(&file).map_err(|error| Failure::usage(format!("cannot read {}", file.display())).because(error))
}
