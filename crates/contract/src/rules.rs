//! Every rule that a finding of this crate may name, with what it holds against a file. The ids are stable.

/// A rule's id and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id in findings.
    pub id: &'static str,
    /// What is held against a file that the rule finds, in a sentence.
    pub description: &'static str,
    /// What to do about it, where a finding knows nothing better.
    pub hint: &'static str,
}

/// What to do about a finding of this rule, if it is one of this crate's.
pub(crate) fn hint(id: &str) -> Option<&'static str> {
    RULES.iter().find(|rule| rule.id == id).map(|rule| rule.hint)
}

macro_rules! rules {
    ($($name:ident = $id:literal: $description:literal, $hint:literal;)+) => {
        $(#[doc = $description] pub const $name: &str = $id;)+

        /// All of them, in the order of their subjects: the file's form, values, the contract, the tree.
        pub const RULES: &[Rule] = &[$(Rule { id: $id, description: $description, hint: $hint }),+];
    };
}

rules! {
    YAML_SYNTAX = "yaml-syntax":
        "The file is not YAML.",
        "mend the YAML; a value with `: `, `#` or a special character at its beginning needs quotes";
    YAML_LIMIT = "yaml-limit":
        "The file is larger, deeper or has more keys and values than a contract needs.",
        "a contract is at most 256 KiB, 32 deep, with 10000 keys and values";
    YAML_EMPTY = "yaml-empty":
        "The file is empty.",
        "write the contract or the domain, or remove the file";
    YAML_ALIAS = "yaml-alias":
        "An alias stands for a value that is written elsewhere.",
        "write the value out; a contract says everything in its place";
    YAML_TAG = "yaml-tag":
        "A value carries a tag.",
        "remove it; contracts have no tags";
    YAML_DOCUMENTS = "yaml-documents":
        "The file holds more than one document.",
        "one file holds one contract or one domain";
    YAML_KEY = "yaml-key":
        "A key is not a word.",
        "a key is a word; quote it if it begins with `[` or `{`";
    DUPLICATE_KEY = "duplicate-key":
        "A key stands twice in the same mapping.",
        "remove one of them";
    UNKNOWN_KEY = "unknown-key":
        "A key is none that is known here.",
        "correct its spelling, or remove it";
    MISSING_KEY = "missing-key":
        "A key that is needed is not there.",
        "add it";
    WRONG_TYPE = "wrong-type":
        "A value is of another type than its key wants.",
        "write a value of the type that is wanted";
    EMPTY_VALUE = "empty-value":
        "A key has no value.",
        "write a value after the key, or remove the key if it may be left out";
    DUPLICATE_ENTRY = "duplicate-entry":
        "A list has the same entry twice.",
        "remove one of them";

    UNIQUE_ID_INVALID = "unique-id-invalid":
        "The unique_id is not a UUID.",
        "write a new one, such as `uuidgen` prints; it never changes again";
    NAME_INVALID = "name-invalid":
        "A name of a domain, product or view cannot stand in a topic's name.",
        "a name such as `page_views` has lower-case letters, digits, `_` and `-`, and begins with a letter";
    NAME_RESERVED = "name-reserved":
        "A name is kept for the backbone's own use.",
        "choose another name";
    NUMBER_INVALID = "number-invalid":
        "A number is not whole, or out of its range.",
        "write a whole number";
    SCHEMA_PATH_INVALID = "schema-path-invalid":
        "The schema is not a path to an .avsc file below the root.",
        "write it relative to the root, such as `schemas/crm/customer.avsc`";
    COLUMN_INVALID = "column-invalid":
        "A column's path is not of the form that paths have.",
        "such as `email`, `address.street`, `contacts[].email` or `attributes{}.ssn`";
    COLUMN_NOT_SINGLE = "column-not-single":
        "The key, the subject or the event time is a column of many values.",
        "name a field without `[]` and `{}`";
    COMPATIBILITY_UNKNOWN = "compatibility-unknown":
        "The compatibility is none of the registry's seven levels.",
        "such as `backward_transitive`";
    DURATION_INVALID = "duration-invalid":
        "A duration is not of the form that durations have.",
        "such as `15 minutes`, `hour` or `2 years`";
    UNIT_UNKNOWN = "unit-unknown":
        "A duration's unit does not exist.",
        "such as `15 minutes`, `hour` or `2 years`";
    OBJECTIVE_INVALID = "objective-invalid":
        "The objective is not a percentage between 0 % and 100 %.",
        "write a percentage above 0 % and below 100 %, such as `99.5 %`";
    OBJECTIVE_WINDOW = "objective-window":
        "The objective is measured over less time than one refresh takes.",
        "measure over many refreshes, such as `over: 30 days`";
    HOURS_INVALID = "hours-invalid":
        "The hours are not days, times and a time zone.",
        "such as `Mon-Fri 08:00-18:00 Europe/Berlin`";
    HOLIDAY_INVALID = "holiday-invalid":
        "A day on which the hours do not open is no day.",
        "write `except: [2027-03-26]`, or `except: [12-25]` for each year";
    MAINTENANCE_INVALID = "maintenance-invalid":
        "A maintenance is not a time that ends after it begins.",
        "write `from: 2026-12-24 18:00 Europe/Berlin` and `to`, or `hours: \"Sun 02:00-04:00 Europe/Berlin\"` for each week";
    DEPRECATION_INVALID = "deprecation-invalid":
        "A deprecation ends before it begins.",
        "write the last day that it is there on under `until`, such as `2027-06-30`";
    STORAGE_UNKNOWN = "storage-unknown":
        "The storage does not exist.",
        "one of: stream, data lake, sql, no sql";
    STORAGE_NOT_SERVED = "storage-not-served":
        "The storage is promised but not served yet.",
        "consumers read the stream; the promise stays in the catalogue";
    CLASS_INVALID = "class-invalid":
        "A class of sensitive columns is not of the form that classes have.",
        "write lower-case names with `.` between, such as `pii.contact`";
    MASK_UNKNOWN = "mask-unknown":
        "The masking rule does not exist.",
        "such as `hash`, `redact` or `{ keep_last: 4 }`";
    MASK_ARGUMENT = "mask-argument":
        "The masking rule does not take this value.",
        "such as `{ hash: 32 }`, `{ keep_last: 4 }` or `{ generalise: year }`";
    HEADER_INVALID = "header-invalid":
        "A header's name cannot be one, or is the backbone's own.",
        "a header has at most 255 bytes, and `mesh-` is the backbone's own";
    PRINCIPAL_INVALID = "principal-invalid":
        "A producer, or whoever has a quota, is not a Kafka principal.",
        "write `User:<name>`, as Kafka's ACLs do";
    QUOTA_INVALID = "quota-invalid":
        "A limit of a quota is not of the form that limits have, or there is none.",
        "such as `produce: 10 MB/s`, `consume: 512 KiB/s` or `requests: 50 %`";
    PRODUCT_INVALID = "product-invalid":
        "A product that is named is not the address of one.",
        "such as `crm.customers`, or `crm.orders@2` for a version";
    DATE_INVALID = "date-invalid":
        "A date is not a day of the calendar.",
        "write year, month and day, such as `2026-12-31`";
    TERM_INVALID = "term-invalid":
        "A term is not a few plain words.",
        "write a few plain words, such as `account manager`";

    HISTORY_NEEDS_KEY = "history-needs-key":
        "A product that keeps the newest event of each key has no key.",
        "add `key: <the column that keys the change events>`";
    KEY_MASK = "key-mask":
        "The key is masked so that entities would merge or be lost.",
        "use `hash`, `{ hash: n }` with n >= 32, or `tokenise`";
    SUBJECT_UNUSED = "subject-unused":
        "A subject is named, but no column is encrypted for it.",
        "mask a column by `encrypt`, or remove `subject`";
    VIEW_UNKNOWN = "view-unknown":
        "A group reads a view that is not declared.",
        "declare it under `views`";
    VIEW_UNUSED = "view-unused":
        "No group reads a view.",
        "name it under `access_group`, or remove it";
    CLEAR_UNKNOWN = "clear-unknown":
        "A view unmasks what is no sensitive column and no class of one.",
        "list the column under `sensitive_columns`, or remove the name";
    CLEAR_NOTHING = "clear-nothing":
        "A view unmasks nothing, so it is the masked view.",
        "remove it; `masked` is there unasked";
    ACCESS_NONE = "access-none":
        "No group may read the product.",
        "add `access_group: <group>` when somebody should";
    DEPENDENCY_INVALID = "dependency-invalid":
        "A dependency is not the address of a product.",
        "such as `crm.customers`, or `crm.orders@2` for a version";

    FILE_PLACE = "file-place":
        "The file is not where its kind belongs.",
        "files are topics/<domain>/<product>.yaml, topics/<domain>/<product>@<version>.yaml, topics/<domain>/domain.yaml and topics/<domain>/waivers.yaml";
    OWNER_FOLDER = "owner-folder":
        "The owner is not the domain whose folder holds the contract.",
        "change the owner, or move the file to its folder";
    NAME_FILE = "name-file":
        "The product's name and version are not its file's.",
        "rename the file to `<name>.yaml`, or to `<name>@<version>.yaml` beside another major version";
    PRODUCT_DUPLICATE = "product-duplicate":
        "Two contracts declare the same product and version.",
        "give the newer one the next version, or remove it";
    UNIQUE_ID_REUSED = "unique-id-reused":
        "Two products have the same unique_id.",
        "write a new one, such as `uuidgen` prints";
    UNIQUE_ID_CHANGED = "unique-id-changed":
        "Two versions of one product have different unique_ids.",
        "write the other version's: it never changes, also across versions";
    TOPIC_COLLISION = "topic-collision":
        "A topic's name collides with another product's, compared with `.` as `_`.",
        "choose another name: Kafka's metrics do not tell `.` from `_`";
    DEPENDENCY_UNKNOWN = "dependency-unknown":
        "A dependency does not exist.",
        "name a product that has a contract, or remove the dependency";
    DEPENDENCY_CYCLE = "dependency-cycle":
        "Products depend on each other in a circle.",
        "remove the dependency that is not one";
    DEPENDENCY_SLOWER = "dependency-slower":
        "A product promises to be fresher than one it depends on.",
        "promise less, or have the other product refreshed more often";
    DEPENDENCY_DEPRECATED = "dependency-deprecated":
        "A product is derived from one that is to be retired.",
        "depend on its successor, or ask its owner for one";
    SUCCESSOR_UNKNOWN = "successor-unknown":
        "The successor of a deprecated product is not there to be read instead.",
        "name a product and its major version that is not deprecated itself";
    FEED_UNKNOWN = "feed-unknown":
        "The version that is to feed another is not there, is fed by that one itself, or feeds another already.",
        "write the major version of the same product that producers write, such as `fed_by: 2`";
    FEED_PARTITIONS = "feed-partitions":
        "A version and the one that feeds it differ in their partitions.",
        "give both the same `partitions`: a record keeps its partition, and so its place among those of its key";
    DOMAIN_MISSING = "domain-missing":
        "A domain's folder has no domain.yaml.",
        "add the file";
    DOMAIN_FOLDER = "domain-folder":
        "The domain's name is not its folder's.",
        "change the name, or rename the folder";
    TERM_DUPLICATE = "term-duplicate":
        "The same word is defined twice.",
        "a word has one owner: refer to it as `<domain>.<term>`, or choose another word";
    TERM_UNKNOWN = "term-unknown":
        "A reference to a term leads to nothing.",
        "refer to a term that another domain.yaml defines, as `<domain>.<term>`";
    CLASS_DUPLICATE = "class-duplicate":
        "Two domains own the same class.",
        "a class has one owner, which grants its use to other domains";
    CLASS_NOT_GRANTED = "class-not-granted":
        "A contract uses a class that its owner has not granted to the domain.",
        "ask the owner to grant it";
    QUOTA_DIFFERS = "quota-differs":
        "Two domains give the same principal different quotas.",
        "a principal has one quota at Kafka: agree on one, and leave it to one domain to say it";
    DOMAIN_UNKNOWN = "domain-unknown":
        "A domain that is named does not exist.",
        "name a domain that has a folder under topics/";
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
