//! No record allocates once the scratch is warm. A process of its own, for its allocator, which counts for each thread: the
//! test harness has threads, too.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use mesh_avro::keys::{RootKeys, SubjectKeys};
use mesh_avro::mask::{Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use zeroize::Zeroizing;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"hash","type":"string"},{"name":"last","type":"string"},{"name":"token","type":"string"},
    {"name":"sealed","type":"string"},{"name":"born","type":{"type":"int","logicalType":"date"}},
    {"name":"gone","type":"bytes"},{"name":"maybe","type":["null","string"]},
    {"name":"ident","type":{"type":"string","logicalType":"uuid"}},
    {"name":"tags","type":{"type":"array","items":"string"}},
    {"name":"labels","type":{"type":"map","values":"long"}},
    {"name":"next","type":["null","R"]}]}"#;

const COLUMNS: &str = r#"[{"column":"hash","class":"a"},{"column":"last","class":"a","mask":{"keep_last":4}},
    {"column":"token","class":"a","mask":"tokenise"},{"column":"sealed","class":"a","mask":"encrypt"},
    {"column":"born","class":"a","mask":{"generalise":"year"}},{"column":"gone","class":"a","mask":"drop"},
    {"column":"maybe","class":"a","mask":"null"},{"column":"ident","class":"a"},{"column":"tags","class":"a"},
    {"column":"labels","class":"a"}]"#;

/// A record, and one inside it; arrays and maps in both block forms.
fn datum() -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8 * 2], text.as_bytes()].concat();
    let body = [
        text("jane@example.org"),
        text("+49 170 1234567"),
        text("4929123412341234"),
        text("a secret"),
        vec![0x98, 0xac, 0x01],
        text("gone"),
        [vec![2], text("x")].concat(),
        text("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        [vec![3, 8], text("a"), text("b"), vec![2], text("c"), vec![0]].concat(),
        [vec![2], text("k"), vec![14, 0]].concat(),
    ]
    .concat();
    [&body[..], &[2], &body, &[0]].concat()
}

#[test]
fn no_record_allocates_once_the_scratch_is_warm() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let rules = Rules::of_columns(&serde_json::from_str::<Vec<_>>(COLUMNS).unwrap(), &schema).unwrap();
    let program = Program::compile(&rules, &schema, &RootKeys::single(Zeroizing::new([1; 32]))).unwrap();
    let (datum, mut scratch) = (datum(), Scratch::new());
    program.run(&mut scratch, &datum).unwrap();
    let before = ALLOCATIONS.get();
    for _ in 0..1_000 {
        program.run(&mut scratch, &datum).unwrap();
        assert!(scratch.output(0, &datum).len() > 800);
        assert!(program.run(&mut scratch, &datum[..datum.len() - 1]).is_err());
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn sealing_for_a_subject_does_not_either() {
    let contract = "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: crm\nname: customers\nversion: 1\n\
        description: Customers.\nschema: schemas/crm/customer.avsc\nhistory: 2 years\nrefresh_rate: hour\n\
        subject: ident\nsensitive_columns: [ { column: hash, mask: encrypt }, { column: sealed, mask: encrypt } ]\n\
        access_group: analysts\n";
    let contract = mesh_contract::parse_contract("customers.yaml", contract).unwrap();
    let schema = Schema::parse(SCHEMA).unwrap();
    let rules = Rules::check(&contract, &schema).unwrap();
    let secret = |byte| Zeroizing::new([byte; 32]);
    let whole = SubjectKeys::new(1, secret(2), secret(3));
    let path = rules.subject_path(&whole, "7c9e6679-7425-40de-944b-e07fc1f90ae7").unwrap();
    let forgotten = whole.without(path).0;
    for subjects in [whole, forgotten] {
        let keys = RootKeys::single(secret(1)).with_subjects(Arc::new(subjects));
        let program = Program::compile(&rules, &schema, &keys).unwrap();
        let (datum, mut scratch) = (datum(), Scratch::new());
        program.run(&mut scratch, &datum).unwrap();
        let before = ALLOCATIONS.get();
        for _ in 0..1_000 {
            program.run(&mut scratch, &datum).unwrap();
        }
        assert_eq!(ALLOCATIONS.get() - before, 0);
    }
}
