//! The workload: floors, peers and our program with one to eight views.

use std::hint::black_box;

use mesh_avro::mask::Scratch;

use super::clock::{Contender, Figures, measure};
use super::encoding;
use super::peers::{Apache, Fast};
use super::rules::{ByHand, encrypting, program};
use super::splice::splice;
use super::workload::{Customer, customer};

pub(crate) const VIEWS: [usize; 4] = [1, 2, 4, 8];

pub(crate) const MEMCPY: &str = "memcpy of the record";
pub(crate) const HMACS: &str = "the two HMAC-SHA-256, key state kept";
pub(crate) const SPLICE: &str = "splice by hand, all six rules";
pub(crate) const FAST: &str = "serde_avro_fast to a struct and back";
pub(crate) const APACHE: &str = "apache-avro to values and back";

pub(crate) const ENCRYPTING: &str = "the same, one column encrypted";
pub(crate) const SEALING: &str = "the same, encrypted for its subject";

/// Parts of the names of one view and of what it is compared with.
pub(crate) const COMPARED: &str = "splice,serde_avro_fast,apache-avro,1 view";

pub(crate) fn program_name(views: usize) -> String {
    format!("masking program, {views} view{}", if views == 1 { "" } else { "s" })
}

/// Records and their encodings.
pub(crate) struct Workload {
    records: Vec<Customer<'static>>,
    data: Vec<Vec<u8>>,
}

impl Workload {
    pub(crate) fn new(records: u64) -> Workload {
        let records: Vec<Customer<'static>> = (0..records).map(customer).collect();
        let encoded = |record: &Customer<'static>| {
            let mut datum = Vec::new();
            encoding::customer(&mut datum, record);
            datum
        };
        let data = records.iter().map(encoded).collect();
        Workload { records, data }
    }

    pub(crate) fn bytes_mean(&self) -> f64 {
        self.data.iter().map(Vec::len).sum::<usize>() as f64 / self.data.len() as f64
    }

    /// Every contender does the same work: their outputs are one, byte for byte.
    pub(crate) fn verify(&self) {
        let (masks, fast, schema) = (ByHand::new(), Fast::new(), Apache::schema());
        let (apache, program, mut config) = (Apache::new(&schema), program(8), fast.config());
        let (mut scratch, mut out) = (Scratch::new(), Vec::new());
        for (record, datum) in self.records.iter().zip(&self.data) {
            let mut masked = record.clone();
            masks.mask(&mut masked);
            let mut expected = Vec::new();
            encoding::customer(&mut expected, &masked);
            splice(&masks, datum, &mut out);
            assert!(out == expected, "the splice by hand is right");
            fast.run(&mut config, datum, &mut out);
            assert!(out == expected, "serde_avro_fast is used rightly");
            program.run(&mut scratch, datum).expect("the datum is valid");
            assert!(scratch.output(0, datum) == expected, "the program is right");
            // Its maps come in any order.
            apache.run(datum, &mut out);
            assert_eq!(out.len(), expected.len(), "apache-avro is used rightly");
        }
    }

    /// Measures the contenders whose names contain one of the texts with `,` between them.
    pub(crate) fn measure(&self, only: &str, rounds: usize) -> Vec<Figures> {
        let (masks, fast, schema) = (ByHand::new(), Fast::new(), Apache::schema());
        let apache = Apache::new(&schema);
        let mut config = fast.config();
        let (records, data) = (&self.records, &self.data);
        let (mut copied, mut spliced, mut served, mut built) = (room(), room(), room(), room());
        let (masks, fast) = (&masks, &fast);
        let mut contenders = vec![
            Contender::new(MEMCPY, data.len(), move |index| {
                copied.clear();
                copied.extend_from_slice(&data[index]);
                black_box(&copied);
            }),
            Contender::new(HMACS, data.len(), move |index| {
                black_box(masks.email(records[index].email.as_bytes()));
                black_box(masks.iban(records[index].iban.as_bytes()));
            }),
            Contender::new(SPLICE, data.len(), move |index| {
                splice(masks, &data[index], &mut spliced);
                black_box(&spliced);
            }),
            Contender::new(FAST, data.len(), move |index| {
                fast.run(&mut config, &data[index], &mut served);
                black_box(&served);
            }),
            Contender::new(APACHE, data.len(), move |index| {
                apache.run(&data[index], &mut built);
                black_box(&built);
            }),
        ];
        for views in VIEWS {
            let (program, mut scratch) = (program(views), Scratch::new());
            contenders.push(Contender::new(program_name(views), data.len(), move |index| {
                program.run(&mut scratch, &data[index]).expect("the datum is valid");
                black_box(scratch.output(0, &data[index]));
            }));
        }
        for (name, for_subjects) in [(ENCRYPTING, false), (SEALING, true)] {
            let (program, mut scratch) = (encrypting(for_subjects), Scratch::new());
            contenders.push(Contender::new(name, data.len(), move |index| {
                program.run(&mut scratch, &data[index]).expect("the datum is valid");
                black_box(scratch.output(0, &data[index]));
            }));
        }
        contenders.retain(|contender| only.split(',').any(|text| contender.name.contains(text)));
        measure(contenders, rounds)
    }
}

fn room() -> Vec<u8> {
    Vec::with_capacity(4_096)
}
