//! Every rule that a finding of this crate may name, with what it holds against a file. The ids are stable.

/// A rule's id and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id in findings.
    pub id: &'static str,
    /// What is held against a file that the rule finds, in a sentence.
    pub description: &'static str,
}

macro_rules! rules {
    ($($name:ident = $id:literal: $description:literal;)+) => {
        $(#[doc = $description] pub(crate) const $name: &str = $id;)+

        /// All of them, in the order of their subjects: the file's form, values, the contract, the tree.
        pub const RULES: &[Rule] = &[$(Rule { id: $id, description: $description }),+];
    };
}

rules! {
    YAML_SYNTAX = "yaml-syntax": "The file is not YAML.";
    YAML_LIMIT = "yaml-limit": "The file is larger, deeper or has more keys and values than a contract needs.";
    YAML_EMPTY = "yaml-empty": "The file is empty.";
    YAML_ALIAS = "yaml-alias": "An alias stands for a value that is written elsewhere.";
    YAML_TAG = "yaml-tag": "A value carries a tag.";
    YAML_DOCUMENTS = "yaml-documents": "The file holds more than one document.";
    YAML_KEY = "yaml-key": "A key is not a word.";
    DUPLICATE_KEY = "duplicate-key": "A key stands twice in the same mapping.";
    UNKNOWN_KEY = "unknown-key": "A key is none that is known here.";
    MISSING_KEY = "missing-key": "A key that is needed is not there.";
    WRONG_TYPE = "wrong-type": "A value is of another type than its key wants.";
    EMPTY_VALUE = "empty-value": "A key has no value.";
    DUPLICATE_ENTRY = "duplicate-entry": "A list has the same entry twice.";

    UNIQUE_ID_INVALID = "unique-id-invalid": "The unique_id is not a UUID.";
    NAME_INVALID = "name-invalid": "A name of a domain, product or view cannot stand in a topic's name.";
    NAME_RESERVED = "name-reserved": "A name is kept for the backbone's own use.";
    NUMBER_INVALID = "number-invalid": "A number is not whole, or out of its range.";
    SCHEMA_PATH_INVALID = "schema-path-invalid": "The schema is not a path to an .avsc file below the root.";
    COLUMN_INVALID = "column-invalid": "A column's path is not of the form that paths have.";
    COLUMN_NOT_SINGLE = "column-not-single": "The key or the event time is a column of many values.";
    COMPATIBILITY_UNKNOWN = "compatibility-unknown": "The compatibility is none of the registry's seven levels.";
    DURATION_INVALID = "duration-invalid": "A duration is not of the form that durations have.";
    UNIT_UNKNOWN = "unit-unknown": "A duration's unit does not exist.";
    OBJECTIVE_INVALID = "objective-invalid": "The objective is not a percentage between 0 % and 100 %.";
    OBJECTIVE_WINDOW = "objective-window": "The objective is measured over less time than one refresh takes.";
    HOURS_INVALID = "hours-invalid": "The hours are not days, times and a time zone.";
    STORAGE_UNKNOWN = "storage-unknown": "The storage does not exist.";
    STORAGE_NOT_SERVED = "storage-not-served": "The storage is promised but not served yet.";
    CLASS_INVALID = "class-invalid": "A class of sensitive columns is not of the form that classes have.";
    MASK_UNKNOWN = "mask-unknown": "The masking rule does not exist.";
    MASK_ARGUMENT = "mask-argument": "The masking rule does not take this value.";
    HEADER_INVALID = "header-invalid": "A header's name cannot be one, or is the backbone's own.";
    PRINCIPAL_INVALID = "principal-invalid": "A producer is not a Kafka principal.";
    TERM_INVALID = "term-invalid": "A term is not a few plain words.";

    HISTORY_NEEDS_KEY = "history-needs-key": "A product that keeps the newest event of each key has no key.";
    KEY_MASK = "key-mask": "The key is masked so that entities would merge or be lost.";
    VIEW_UNKNOWN = "view-unknown": "A group reads a view that is not declared.";
    VIEW_UNUSED = "view-unused": "No group reads a view.";
    CLEAR_UNKNOWN = "clear-unknown": "A view unmasks what is no sensitive column and no class of one.";
    CLEAR_NOTHING = "clear-nothing": "A view unmasks nothing, so it is the masked view.";
    ACCESS_NONE = "access-none": "No group may read the product.";
    DEPENDENCY_INVALID = "dependency-invalid": "A dependency is not the address of a product.";

    FILE_PLACE = "file-place": "The file is not where its kind belongs.";
    OWNER_FOLDER = "owner-folder": "The owner is not the domain whose folder holds the contract.";
    NAME_FILE = "name-file": "The product's name and version are not its file's.";
    PRODUCT_DUPLICATE = "product-duplicate": "Two contracts declare the same product and version.";
    UNIQUE_ID_REUSED = "unique-id-reused": "Two products have the same unique_id.";
    UNIQUE_ID_CHANGED = "unique-id-changed": "Two versions of one product have different unique_ids.";
    TOPIC_COLLISION = "topic-collision": "A topic's name collides with another product's, compared with `.` as `_`.";
    DEPENDENCY_UNKNOWN = "dependency-unknown": "A dependency does not exist.";
    DEPENDENCY_CYCLE = "dependency-cycle": "Products depend on each other in a circle.";
    DEPENDENCY_SLOWER = "dependency-slower": "A product promises to be fresher than one it depends on.";
    DOMAIN_MISSING = "domain-missing": "A domain's folder has no domain.yaml.";
    DOMAIN_FOLDER = "domain-folder": "The domain's name is not its folder's.";
    TERM_DUPLICATE = "term-duplicate": "The same word is defined twice.";
    TERM_UNKNOWN = "term-unknown": "A reference to a term leads to nothing.";
    CLASS_DUPLICATE = "class-duplicate": "Two domains own the same class.";
    CLASS_NOT_GRANTED = "class-not-granted": "A contract uses a class that its owner has not granted to the domain.";
    DOMAIN_UNKNOWN = "domain-unknown": "A domain that is named does not exist.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let ids: std::collections::BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
