//! Products that are published and that the tree has no contract of: written back as they are. Pure.

use super::report::Imported;
use super::select::LeftOut;
use super::yaml;
use crate::failure::Failure;
use crate::new_files::NewFile;
use crate::tree::{Library, TOPICS};
use mesh_avro::schema::Name;
use mesh_client::RegisteredSchema;
use mesh_contract::{AppliedProduct, Contract, Domain, ProductRef, parse_contract, parse_domain};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is in the way of files, and what is known of schemas besides what is published.
pub(super) struct Tree<'a> {
    pub(super) contracts: Vec<&'a Contract>,
    /// The text of a file that is there, by its path from the root.
    pub(super) read: &'a dyn Fn(&str) -> Option<String>,
    /// The schemas of products as they were registered, by the products' keys: published is each as one.
    pub(super) registered: BTreeMap<String, Arc<RegisteredSchema>>,
}

/// What is written back.
#[derive(Debug, Default)]
pub(super) struct Brought {
    pub(super) files: Vec<NewFile>,
    pub(super) products: Vec<Imported>,
    pub(super) left_out: Vec<LeftOut>,
    /// The file of each type that is the schema of a product.
    homes: BTreeMap<String, String>,
}

impl Brought {
    /// The files of products that the tree has no contract of, of those that are asked for; of all, if none are.
    ///
    /// # Errors
    /// One that is asked for is not published, or one cannot be written as it is.
    pub(super) fn of(
        products: &[&AppliedProduct],
        domains: &[&Domain],
        asked: &[ProductRef],
        tree: &Tree<'_>,
    ) -> Result<Self, Failure> {
        let is_asked = |asked: &ProductRef, contract: &Contract| {
            asked.product == contract.product() && asked.major.is_none_or(|major| major == contract.version)
        };
        if let Some(unknown) =
            asked.iter().find(|asked| !products.iter().any(|applied| is_asked(asked, &applied.contract)))
        {
            return Err(Failure::usage(format!("no product {unknown} is published")).hint("`mesh products` lists them"));
        }
        let wanted = products
            .iter()
            .filter(|applied| asked.is_empty() || asked.iter().any(|asked| is_asked(asked, &applied.contract)));
        let home = |applied: &&AppliedProduct| {
            let name = Name::defined_by(&applied.schema.to_string())?;
            Some((name.to_string(), applied.contract.schema.clone()))
        };
        let mut brought = Self { homes: products.iter().filter_map(home).collect(), ..Self::default() };
        // an older version has the shorter name
        let mut wanted: Vec<&AppliedProduct> = wanted.copied().collect();
        wanted.sort_by_key(|applied| (applied.contract.product(), applied.contract.version));
        let mut owners = BTreeSet::new();
        for applied in wanted {
            if brought.product(applied, tree)? {
                owners.insert(applied.contract.owner.as_str());
            }
        }
        for domain in domains.iter().filter(|domain| asked.is_empty() || owners.contains(domain.domain.as_str())) {
            brought.domain(domain, tree)?;
        }
        Ok(brought)
    }

    /// Whether a product's contract is brought back.
    fn product(&mut self, applied: &AppliedProduct, tree: &Tree<'_>) -> Result<bool, Failure> {
        let contract = &applied.contract;
        let product = format!("{}@{}", contract.product(), contract.version);
        let is_it = |there: &&&Contract| (there.unique_id, there.version) == (contract.unique_id, contract.version);
        if tree.contracts.iter().any(|there| is_it(&there)) {
            self.left_out.push(LeftOut { topic: product, why: "the tree has a contract of it".to_owned() });
            return Ok(false);
        }
        let Contract { owner, name, version, .. } = contract;
        let names = [format!("{TOPICS}/{owner}/{name}.yaml"), format!("{TOPICS}/{owner}/{name}@{version}.yaml")];
        let is_free = |file: &&String| (tree.read)(file).is_none() && self.files.iter().all(|new| new.name != **file);
        let Some(file) = names.iter().find(is_free).cloned() else {
            return Err(Failure::usage(format!("there is {} already, which is no contract of {product}", names[1]))
                .hint("nothing was written; move it away"));
        };
        let text = yaml::contract(contract).map_err(|error| unwritable(&product).because(error))?;
        let text =
            format!("# Written back by `mesh import --published`: revision {} of {product}.\n{text}", applied.revision);
        if parse_contract(&file, &text).ok().map(|read| read.value).as_ref() != Some(contract) {
            return Err(unwritable(&product));
        }
        self.files.push(NewFile { name: file, text });
        self.schema(&product, applied, tree)?;
        self.products.push(Imported { product, topic: None, port: contract.topics().input, next: None });
        Ok(true)
    }

    /// A product's schema, with the types that it has of other files; unless they are there.
    fn schema(&mut self, product: &str, applied: &AppliedProduct, tree: &Tree<'_>) -> Result<(), Failure> {
        let one = || vec![(applied.contract.schema.clone(), applied.schema.clone())];
        let registered = tree.registered.get(&applied.key());
        let files = registered.and_then(|registered| self.divided(applied, registered)).unwrap_or_else(one);
        files.into_iter().try_for_each(|(name, schema)| self.schema_file(product, name, &schema, tree))
    }

    /// A schema as it was registered, in files that read as what is published; none if they do not.
    fn divided(&self, applied: &AppliedProduct, registered: &RegisteredSchema) -> Option<Vec<(String, Value)>> {
        let own = &applied.contract.schema;
        let mut texts = Vec::new();
        for text in &registered.references {
            let name = Name::defined_by(text)?.to_string();
            let home = self.homes.get(&name).cloned();
            texts.push((home.unwrap_or_else(|| format!("schemas/{}.avsc", name.replace('.', "/"))), text.as_str()));
        }
        texts.push((own.clone(), &registered.text));
        let library = Library::of(texts.iter().map(|(name, text)| (name.as_str(), *text)));
        library.schema(own).filter(|schema| *schema.whole().json() == applied.schema)?;
        let parsed = texts.into_iter().map(|(name, text)| Some((name, serde_json::from_str(text).ok()?)));
        parsed.collect()
    }

    /// A file of a schema, unless it is there; several products may share one.
    fn schema_file(&mut self, product: &str, name: String, schema: &Value, tree: &Tree<'_>) -> Result<(), Failure> {
        let new = self.files.iter().find(|file| file.name == name).map(|file| file.text.clone());
        match new.or_else(|| (tree.read)(&name)) {
            None => {
                self.files.push(NewFile { name, text: format!("{schema:#}\n") });
                Ok(())
            }
            Some(text) if serde_json::from_str::<Value>(&text).is_ok_and(|there| there == *schema) => Ok(()),
            Some(_) => Err(Failure::usage(format!("{name} is not what {product} was published with"))
                .hint("nothing was written; move that file away, or name the products that are to be brought back")),
        }
    }

    fn domain(&mut self, domain: &Domain, tree: &Tree<'_>) -> Result<(), Failure> {
        let name = format!("{TOPICS}/{}/domain.yaml", domain.domain);
        if (tree.read)(&name).is_some() {
            return Ok(());
        }
        let unwritable = || unwritable(&format!("the domain {}", domain.domain));
        let text = yaml::domain(domain).map_err(|error| unwritable().because(error))?;
        if parse_domain(&name, &text).ok().map(|read| read.value).as_ref() != Some(domain) {
            return Err(unwritable());
        }
        self.files.insert(0, NewFile { name, text: format!("# Written back by `mesh import --published`.\n{text}") });
        Ok(())
    }
}

fn unwritable(what: &str) -> Failure {
    Failure::usage(format!("{what} cannot be written as it was published"))
        .hint("it was applied by another version of mesh: import with that one, or name the other products")
}

/// The names of products, each with its major version where it has one.
pub(super) fn named(names: &[String]) -> Result<Vec<ProductRef>, Failure> {
    let parsed = names.iter().map(|name| name.parse::<ProductRef>());
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::usage("with --published products are named").because(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use mesh_avro::schema::Schema;
    use mesh_contract::History;

    const CONTRACT: &str = "unique_id: 5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01\nowner: crm\nname: orders\nversion: 1\ndescription: One.\n\
        schema: schemas/crm/order.avsc\nrefresh_rate: hour\nhistory: 2 years\nsensitive_columns: []\naccess_group: analysts\n";

    fn applied(version: u32) -> AppliedProduct {
        let contract = parse_contract("topics/crm/orders.yaml", CONTRACT).unwrap().value;
        let schema = serde_json::json!({ "type": "record", "name": "Order", "fields": [] });
        AppliedProduct { revision: 3, applied_at_ms: 0, contract: Contract { version, ..contract }, schema }
    }

    fn brought(products: &[AppliedProduct], asked: &[&str], there: &[(&str, &str)]) -> Result<Vec<String>, String> {
        registered(products, asked, there, BTreeMap::new())
    }

    fn registered(
        products: &[AppliedProduct],
        asked: &[&str],
        there: &[(&str, &str)],
        registered: BTreeMap<String, Arc<RegisteredSchema>>,
    ) -> Result<Vec<String>, String> {
        let domain =
            parse_domain("topics/crm/domain.yaml", "domain: crm\ndescription: Us.\nteam: { name: CRM, contact: us }\n");
        let domain = domain.unwrap().value;
        let files: BTreeMap<String, String> =
            there.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let contracts: Vec<Contract> =
            there.iter().filter_map(|(name, text)| parse_contract(name, text).ok()).map(|read| read.value).collect();
        let tree = Tree { contracts: contracts.iter().collect(), read: &|name| files.get(name).cloned(), registered };
        let products: Vec<&AppliedProduct> = products.iter().collect();
        let asked = named(&asked.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        let brought = Brought::of(&products, &[&domain], &asked, &tree).map_err(|failure| failure.report())?;
        Ok(brought.files.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn a_lost_tree_comes_back_with_a_file_for_each_version() {
        let files = brought(&[applied(2), applied(1)], &[], &[]).unwrap();
        let expected =
            ["topics/crm/domain.yaml", "topics/crm/orders.yaml", "schemas/crm/order.avsc", "topics/crm/orders@2.yaml"];
        assert_eq!(files, expected);
    }

    #[test]
    fn what_is_there_stays() {
        let there = [("topics/crm/orders.yaml", CONTRACT), ("topics/crm/domain.yaml", "ours")];
        assert_eq!(
            brought(&[applied(1), applied(2)], &[], &there).unwrap(),
            ["topics/crm/orders@2.yaml", "schemas/crm/order.avsc"]
        );
        assert_eq!(brought(&[applied(1)], &[], &there).unwrap(), [""; 0]);
    }

    #[test]
    fn types_of_other_files_have_files_of_their_own_again() {
        let tax = r#"{"type":"record","name":"Tax","namespace":"shared","fields":[{"name":"rate","type":"int"}]}"#;
        let order =
            r#"{"type":"record","name":"Order","namespace":"crm","fields":[{"name":"tax","type":"shared.Tax"}]}"#;
        let whole = Schema::parse_with(order, &[tax]).unwrap().whole().unwrap();
        let product = AppliedProduct { schema: whole, ..applied(1) };
        let schema = |text: &str| {
            let (text, references) = (text.to_owned(), vec![tax.to_owned()]);
            [(product.key(), Arc::new(RegisteredSchema { id: 1, text, references }))].into()
        };
        let files = registered(std::slice::from_ref(&product), &[], &[], schema(order)).unwrap();
        assert_eq!(files[2..], ["schemas/shared/Tax.avsc", "schemas/crm/order.avsc"]);
        let other = order.replace("Order", "Other");
        let files = registered(std::slice::from_ref(&product), &[], &[], schema(&other)).unwrap();
        assert_eq!(files[2..], ["schemas/crm/order.avsc"], "what was registered is not what is published");
    }

    #[test]
    fn what_would_be_something_else_is_refused() {
        let other = [("schemas/crm/order.avsc", "\"string\"")];
        assert!(
            brought(&[applied(1)], &[], &other).unwrap_err().contains("is not what crm.orders@1 was published with")
        );
        assert!(
            brought(&[applied(1)], &["crm.orders@7"], &[])
                .unwrap_err()
                .contains("no product crm.orders@7 is published")
        );
        let mut outside = applied(1);
        outside.contract.schema = "schemas/../../elsewhere.avsc".to_owned();
        assert!(brought(&[outside], &[], &[]).unwrap_err().contains("cannot be written as it was published"));
        let mut nameless = applied(1);
        (nameless.contract.name, nameless.contract.history) = ("../x".to_owned(), History::Latest);
        assert!(brought(&[nameless], &[], &[]).is_err());
    }
}
