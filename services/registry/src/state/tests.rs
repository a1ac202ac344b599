#![allow(clippy::unwrap_used)]
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::log::Reference;

/// A state with the log that it came from.
#[derive(Default)]
struct Registry {
    state: State,
    log: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Registry {
    fn make<T>(&mut self, plan: impl Fn(&State) -> Result<Plan<T>, Refusal>) -> Result<T, Refusal> {
        let Plan { records, outcome } = plan(&self.state)?;
        for record in records {
            let (key, value) = record.encode();
            self.state.apply(Record::decode(Some(&key), value.as_deref()).unwrap()).unwrap();
            self.log.push((key, value));
        }
        Ok(outcome)
    }

    fn register(&mut self, subject: &str, schema: &str) -> Result<Registered, Refusal> {
        self.make(|state| state.plan_registration(&submission(subject, schema)))
    }

    fn set_level(&mut self, subject: Option<&str>, level: &str) {
        let change = ConfigValue { compatibility_level: Some(level.to_owned()), ..ConfigValue::default() };
        self.make(|state| state.plan_config(subject.map(Subject::of_log), change.clone())).unwrap();
    }

    fn set_mode(&mut self, subject: Option<&str>, mode: Mode) -> Result<(), Refusal> {
        self.make(|state| state.plan_mode(subject.map(Subject::of_log), mode, false))
    }

    fn delete(&mut self, subject: &str, permanent: bool) -> Result<Vec<u32>, Refusal> {
        self.make(|state| state.plan_subject_deletion(&Subject::of_log(subject), permanent))
    }

    fn delete_version(&mut self, subject: &str, version: &str, permanent: bool) -> Result<u32, Refusal> {
        let selector = VersionSelector::parse(version)?;
        self.make(|state| state.plan_version_deletion(&Subject::of_log(subject), selector, permanent))
    }

    fn versions(&self, subject: &str, filter: Filter) -> Vec<u32> {
        self.state.versions(&Subject::of_log(subject), filter).map(|(number, _)| number).collect()
    }
}

fn submission(subject: &str, schema: &str) -> Submission {
    Submission {
        subject: Subject::parse(subject).unwrap(),
        schema: schema.to_owned(),
        schema_type: None,
        references: Vec::new(),
        metadata: None,
        rule_set: None,
        normalize: false,
        id: None,
        version: None,
        governed: None,
    }
}

fn record(name: &str, fields: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#)
}

const ID: &str = r#"{"name":"id","type":"string"}"#;
const NOTE: &str = r#"{"name":"note","type":"string","default":""}"#;

fn replay<'a>(log: impl IntoIterator<Item = &'a (Vec<u8>, Option<Vec<u8>>)>) -> State {
    let mut state = State::default();
    for (key, value) in log {
        state.apply(Record::decode(Some(key), value.as_deref()).unwrap()).unwrap();
    }
    state
}

#[test]
fn the_same_schema_has_one_id_everywhere_and_one_version_in_a_subject() {
    let mut registry = Registry::default();
    let first = registry.register("a", &record("R", ID)).unwrap();
    assert_eq!(first, Registered { id: 1, version: 1 });
    let spaced = record("R", ID).replace(':', " : ");
    assert_eq!(registry.register("a", &spaced).unwrap(), first);
    assert_eq!(registry.log.len(), 1);
    assert_eq!(registry.register("b", &spaced).unwrap(), first);
    let second = registry.register("a", &record("R", &format!("{ID},{NOTE}"))).unwrap();
    assert_eq!(second, Registered { id: 2, version: 2 });
    let uses: Vec<_> = registry.state.uses(".", 1, Filter::Live).unwrap().map(|(s, v)| (s.to_string(), v)).collect();
    assert_eq!(uses, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
}

#[test]
fn incompatible_schemas_are_refused_with_rule_path_and_version() {
    let mut registry = Registry::default();
    registry.register("a", &record("R", ID)).unwrap();
    let changed = record("R", r#"{"name":"id","type":"int"}"#);
    let refusal = registry.register("a", &changed).unwrap_err();
    assert_eq!(refusal.code(), 409);
    let message = refusal.to_string();
    for part in ["for subject \"a\"", "rule: ", "path: id", "version: 1", "compatibility level: BACKWARD"] {
        assert!(message.contains(part), "{message}");
    }
    registry.set_level(Some("a"), "NONE");
    assert_eq!(registry.register("a", &changed).unwrap().version, 2);
}

#[test]
fn transitive_levels_look_at_every_version() {
    let mut registry = Registry::default();
    registry.register("a", &record("R", &format!("{ID},{NOTE}"))).unwrap();
    registry.register("a", &record("R", ID)).unwrap();
    let again_otherwise = record("R", &format!(r#"{ID},{{"name":"note","type":"int","default":0}}"#));
    let against_all = submission("a", &again_otherwise);
    assert!(registry.state.check(&against_all, None).unwrap().violations.is_empty());
    registry.set_level(None, "backward_transitive");
    assert!(!registry.state.check(&against_all, None).unwrap().violations.is_empty());
    assert_eq!(registry.register("a", &again_otherwise).unwrap_err().code(), 409);
}

#[test]
fn soft_deletes_hide_from_the_subject_and_hard_deletes_from_all() {
    let mut registry = Registry::default();
    registry.register("a", &record("R", ID)).unwrap();
    registry.register("a", &record("R", &format!("{ID},{NOTE}"))).unwrap();
    assert_eq!(registry.delete_version("a", "1", true).unwrap_err().code(), 40407);
    assert_eq!(registry.delete_version("a", "latest", false).unwrap(), 2);
    assert_eq!(registry.delete_version("a", "2", false).unwrap_err().code(), 40406);
    assert_eq!(registry.versions("a", Filter::Live), [1]);
    assert_eq!(registry.versions("a", Filter::DeletedOnly), [2]);
    assert!(registry.state.schema(".", 2).is_ok());

    // What was deleted comes back with its id, but as a new version.
    let back = registry.register("a", &record("R", &format!("{ID},{NOTE}"))).unwrap();
    assert_eq!(back, Registered { id: 2, version: 3 });
    assert_eq!(registry.delete("a", true).unwrap_err().code(), 40405);
    assert_eq!(registry.delete("a", false).unwrap(), [1, 3]);
    assert_eq!(registry.delete("a", false).unwrap_err().code(), 40404);
    assert_eq!(registry.delete("a", true).unwrap(), [1, 2, 3]);
    assert_eq!(registry.delete("a", true).unwrap_err().code(), 40401);
    assert_eq!(registry.state.schema(".", 2).unwrap_err().code(), 40403);
    let anew = registry.register("a", &record("R", ID)).unwrap();
    assert_eq!(anew, Registered { id: 3, version: 1 }, "ids are not given again");
}

#[test]
fn a_deleted_subject_loses_its_settings() {
    let mut registry = Registry::default();
    registry.register("a", &record("R", ID)).unwrap();
    registry.set_level(Some("a"), "FULL");
    registry.delete("a", false).unwrap();
    assert_eq!(registry.state.config(Some(&Subject::of_log("a"))), None);
}

#[test]
fn modes_forbid() {
    let mut registry = Registry::default();
    registry.register("a", &record("R", ID)).unwrap();
    registry.set_mode(Some("a"), Mode::ReadOnly).unwrap();
    let other = record("R", &format!("{ID},{NOTE}"));
    assert_eq!(registry.register("a", &other).unwrap_err().code(), 42205);
    assert_eq!(registry.register("a", &record("R", ID)).unwrap().id, 1, "what is there already is answered");
    assert_eq!(registry.delete("a", false).unwrap_err().code(), 42205);
    assert!(registry.register("b", &other).is_ok());
    registry.set_mode(None, Mode::ReadOnlyOverride).unwrap();
    assert_eq!(registry.register("c", &other).unwrap_err().code(), 42205);
}

#[test]
fn import_takes_the_ids_it_is_given_and_changes_none() {
    let mut registry = Registry::default();
    registry.set_mode(None, Mode::Import).unwrap();
    let import = |registry: &mut Registry, schema: &str, id, version| {
        let submission = Submission { id: Some(id), version: Some(version), ..submission("a", schema) };
        registry.make(|state| state.plan_registration(&submission))
    };
    assert_eq!(import(&mut registry, "\"int\"", 40, 7).unwrap(), Registered { id: 40, version: 7 });
    assert_eq!(import(&mut registry, "\"long\"", 40, 8).unwrap_err().code(), 42205);
    assert_eq!(import(&mut registry, "\"string\"", 41, 7).unwrap_err().code(), 42207);
    assert_eq!(registry.register("a", "\"long\"").unwrap_err().code(), 42205);
    registry.set_mode(None, Mode::ReadWrite).unwrap();
    registry.set_level(None, "NONE");
    assert_eq!(registry.register("a", "\"long\"").unwrap(), Registered { id: 41, version: 8 });
    assert_eq!(registry.set_mode(None, Mode::Import).unwrap_err().code(), 42205);
}

#[test]
fn references_are_resolved_pinned_and_protected() {
    let mut registry = Registry::default();
    registry.register("address", r#"{"type":"record","name":"crm.Address","fields":[]}"#).unwrap();
    let reference = Reference { name: "crm.Address".to_owned(), subject: "address".to_owned(), version: -1 };
    let schema = record("crm.Customer", r#"{"name":"home","type":"crm.Address"}"#);
    let with = |version| Submission {
        references: vec![Reference { version, ..reference.clone() }],
        ..submission("customer", &schema)
    };
    assert_eq!(registry.register("customer", &schema).unwrap_err().code(), 42201);
    let missing = registry.make(|state| state.plan_registration(&with(9))).unwrap_err();
    assert!(missing.to_string().contains("no version 9 of the subject \"address\""), "{missing}");
    let registered = registry.make(|state| state.plan_registration(&with(-1))).unwrap();
    assert_eq!(registry.state.schema(".", registered.id).unwrap().content.references[0].version, 1);
    let again = registry.make(|state| state.plan_registration(&with(1))).unwrap();
    assert_eq!(again, registered);

    let address = Subject::of_log("address");
    assert_eq!(registry.state.referenced_by(&address, 1).into_iter().collect::<Vec<_>>(), [registered.id]);
    assert_eq!(registry.delete("address", false).unwrap_err().code(), 42206);
    registry.delete("customer", false).unwrap();
    assert!(registry.delete("address", false).is_ok());
}

#[test]
fn references_are_bounded_side_by_side_and_one_behind_the_other() {
    let mut registry = Registry::default();
    registry.register("s0", &record("n.R0", "")).unwrap();
    let reference = |to: usize| Reference { name: format!("n.R{to}"), subject: format!("s{to}"), version: 1 };
    let refers = |registry: &mut Registry, name: usize, references: Vec<Reference>| {
        let submission =
            Submission { references, ..submission(&format!("s{name}"), &record(&format!("n.R{name}"), "")) };
        registry.make(|state| state.plan_registration(&submission))
    };
    let beside = refers(&mut registry, 9999, vec![reference(0); 257]).unwrap_err();
    assert_eq!(beside.code(), 42201);
    assert!(beside.to_string().contains("more than 256 schemas"), "{beside}");
    assert!(refers(&mut registry, 9998, vec![reference(0); 256]).is_ok());
    let behind =
        (1..400).find_map(|at| refers(&mut registry, at, vec![reference(at - 1)]).err().map(|error| (at, error)));
    let (at, behind) = behind.expect("the chain is bounded");
    assert_eq!((at, behind.code()), (257, 42201));
}

#[test]
fn contexts_have_ids_of_their_own() {
    let mut registry = Registry::default();
    registry.register("a", "\"int\"").unwrap();
    assert_eq!(registry.register(":.staging:a", "\"long\"").unwrap().id, 1);
    registry.delete(":.staging:a", false).unwrap();
    registry.delete(":.staging:a", true).unwrap();
    assert_eq!(registry.register(":.staging:a", "\"long\"").unwrap().id, 2);
    assert_eq!(replay(&registry.log), registry.state);
    assert_eq!(&*registry.state.schema(".staging", 2).unwrap().text, "\"long\"");
    assert_eq!(registry.state.contexts(|_| true).into_iter().collect::<Vec<_>>(), [".", ".staging"]);
    let subjects = |prefix| registry.state.subjects(prefix, Filter::Live).map(Subject::as_str).collect::<Vec<_>>();
    assert_eq!(subjects(":*:"), [":.staging:a", "a"]);
    assert_eq!(subjects(""), ["a"]);
    assert_eq!(subjects(":.staging:"), [":.staging:a"]);
}

#[test]
fn a_context_is_named_in_the_log_before_its_first_subject() {
    let mut registry = Registry::default();
    registry.register(":.staging:a", "\"int\"").unwrap();
    registry.register(":.staging:b", "\"int\"").unwrap();
    let keys: Vec<_> = registry.log.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect();
    assert_eq!(keys.iter().map(|key| key.contains("CONTEXT")).collect::<Vec<_>>(), [true, false, false], "{keys:?}");
    let whole = Some(":.staging:");
    assert_eq!(registry.set_mode(whole, Mode::Import).unwrap_err().code(), 42205, "there are subjects in it");
    assert_eq!(registry.set_mode(None, Mode::Import).unwrap_err().code(), 42205);
    assert!(registry.set_mode(Some(":.empty:"), Mode::Import).is_ok());
    assert_eq!(registry.register(":.empty:a", "\"int\"").unwrap_err().code(), 42205, "imported schemas bring an id");
}

#[test]
fn an_id_never_changes_its_meaning() {
    let mut registry = Registry::default();
    registry.register("a", "\"int\"").unwrap();
    let (_, value) = registry.log[0].clone();
    let forged = String::from_utf8(value.unwrap()).unwrap().replace("int", "long").replace("\"a\"", "\"b\"");
    let key = br#"{"keytype":"SCHEMA","subject":"b","version":1,"magic":1}"#;
    let conflict = registry.state.apply(Record::decode(Some(key), Some(forged.as_bytes())).unwrap()).unwrap_err();
    assert_eq!(conflict.id, 1);
    assert!(!registry.state.has_subject(&Subject::of_log("b"), Filter::All));
}

#[derive(Clone, Debug)]
enum Step {
    Register(usize, usize),
    DeleteVersion(usize, u32, bool),
    DeleteSubject(usize, bool),
    SetLevel(Option<usize>, bool),
}

const SUBJECTS: [&str; 3] = ["a", "b", "c-value"];
const SCHEMAS: [&str; 5] =
    ["\"int\"", "\"long\"", "\"string\"", r#"["null","int"]"#, r#"{"type":"map","values":"int"}"#];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_usize, 0..5_usize).prop_map(|(subject, schema)| Step::Register(subject, schema)),
        2 => (0..3_usize, 1..4_u32, any::<bool>()).prop_map(|(s, v, permanent)| Step::DeleteVersion(s, v, permanent)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(subject, permanent)| Step::DeleteSubject(subject, permanent)),
        1 => (proptest::option::of(0..3_usize), any::<bool>()).prop_map(|(scope, none)| Step::SetLevel(scope, none)),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn ids_are_given_once_and_the_log_is_the_state(steps in steps()) {
        let mut registry = Registry::default();
        let mut given: HashMap<u32, String> = HashMap::new();
        registry.set_level(None, "NONE");
        for step in steps {
            match step {
                Step::Register(subject, schema) => {
                    let before = registry.versions(SUBJECTS[subject], Filter::All);
                    let length = registry.log.len();
                    if let Ok(registered) = registry.register(SUBJECTS[subject], SCHEMAS[schema]) {
                        let meaning = given.entry(registered.id).or_insert_with(|| SCHEMAS[schema].to_owned());
                        prop_assert_eq!(meaning.as_str(), SCHEMAS[schema]);
                        let is_new = registry.log.len() > length;
                        prop_assert_eq!(is_new, !before.contains(&registered.version));
                        prop_assert!(!is_new || before.iter().all(|version| *version < registered.version));
                    }
                }
                Step::DeleteVersion(subject, version, permanent) => {
                    let _ = registry.delete_version(SUBJECTS[subject], &version.to_string(), permanent);
                }
                Step::DeleteSubject(subject, permanent) => drop(registry.delete(SUBJECTS[subject], permanent)),
                Step::SetLevel(scope, none) => {
                    registry.set_level(scope.map(|subject| SUBJECTS[subject]), if none { "NONE" } else { "FULL" });
                }
            }
        }
        prop_assert_eq!(&replay(&registry.log), &registry.state);

        // Compaction keeps the last record of each key, and drops tombstones in time.
        let last: HashMap<&[u8], usize> = registry.log.iter().enumerate().map(|(at, (key, _))| (&**key, at)).collect();
        let compacted = registry.log.iter().enumerate().filter(|(at, (key, value))| last[&**key] == *at && value.is_some());
        prop_assert_eq!(&replay(compacted.map(|(_, record)| record)), &registry.state);
    }
}
