//! From the roots through every pair that a datum can reach, with what is to be said of each.

use super::fault;
use super::finding::{CompatFinding, Direction, Draft, Report, Trigger, severity};
use super::graph::{Graph, MAX_PAIRS, Pair, TooManyPairs};
use super::meaning;
use super::path::Trails;
use super::resolve::{Sides, Step};
use super::rule::SCHEMA_TOO_COMPLEX;
use super::witness::Samples;
use crate::schema::Schema;

/// The most findings between two schemas; the rest would tell nobody anything.
const MAX_FINDINGS: usize = 1000;

/// Compares a reader with a writer; `direction` says which of them is the newer one.
pub(super) fn compare(reader: &Schema, writer: &Schema, direction: Direction) -> Report {
    // A schema reads its own data as it is, without resolution; even where its aliases would be in its own way.
    if reader == writer {
        return Report::default();
    }
    let sides = Sides::new(reader, writer);
    match Graph::build(&sides) {
        Ok(graph) => Walk::new(&sides, &graph, direction).report(),
        Err(TooManyPairs) => Report { findings: vec![too_complex(direction)] },
    }
}

struct Walk<'a, 's> {
    sides: &'a Sides<'s>,
    graph: &'a Graph,
    direction: Direction,
    trails: Trails,
    samples: Option<Samples<'s>>,
    findings: Vec<CompatFinding>,
}

impl<'a, 's> Walk<'a, 's> {
    fn new(sides: &'a Sides<'s>, graph: &'a Graph, direction: Direction) -> Walk<'a, 's> {
        let trails = Trails::new(graph.pairs.len());
        Walk { sides, graph, direction, trails, samples: None, findings: Vec::new() }
    }

    fn report(mut self) -> Report {
        let mut seen = vec![false; self.graph.pairs.len()];
        seen[0] = true;
        let mut to_visit = vec![0];
        while let Some(index) = to_visit.pop() {
            self.visit(index);
            if self.findings.len() >= MAX_FINDINGS {
                break;
            }
            for &(step, inner) in self.reached(&self.graph.pairs[index]).iter().rev() {
                if !std::mem::replace(&mut seen[inner], true) {
                    self.trails.reached(inner, index, step);
                    to_visit.push(inner);
                }
            }
        }
        Report { findings: self.findings }
    }

    /// The pairs inside that data reach: of several branches of a reader's union the first that can read them.
    fn reached(&self, pair: &'a Pair) -> &'a [(Step, usize)] {
        if !pair.any {
            return &pair.inner;
        }
        let first = pair.inner.iter().position(|(_, inner)| self.graph.pairs[*inner].holds);
        first.map_or(&[], |first| &pair.inner[first..=first])
    }

    fn visit(&mut self, index: usize) {
        let pair = &self.graph.pairs[index];
        let mut drafts: Vec<Draft> =
            pair.faults.iter().map(|fault| fault::describe(self.sides, pair.reader, pair.writer, fault)).collect();
        if pair.any && !pair.holds {
            drafts.push(fault::no_branch_reads(self.sides, pair.reader, pair.writer));
        }
        if drafts.is_empty() {
            meaning::compare(self.sides, pair, self.direction, &mut drafts);
        }
        for draft in drafts {
            let finding = self.finding(index, draft);
            self.findings.push(finding);
        }
    }

    fn finding(&mut self, index: usize, draft: Draft) -> CompatFinding {
        CompatFinding {
            rule: draft.rule.id,
            severity: severity(draft.rule),
            path: self.trails.dotted(self.graph, self.sides, index, draft.field.as_deref()),
            witness: self.witness(index, draft.trigger),
            message: draft.message,
            hint: draft.hint,
            reader_pointer: draft.reader_pointer,
            writer_pointer: draft.writer_pointer,
            direction: self.direction,
            earlier: None,
        }
    }

    fn witness(&mut self, index: usize, trigger: Trigger) -> Option<serde_json::Value> {
        let writer = self.sides.writer;
        let samples = self.samples.get_or_insert_with(|| Samples::of(writer));
        let datum = match trigger {
            Trigger::None => return None,
            Trigger::Datum(datum) => datum,
            Trigger::Any => samples.smallest(self.graph.pairs[index].writer)?,
        };
        let steps = self.trails.back(index).map(|(from, step)| (self.graph.pairs[from].writer, step));
        samples.around(datum, steps)
    }
}

fn too_complex(direction: Direction) -> CompatFinding {
    CompatFinding {
        rule: SCHEMA_TOO_COMPLEX.id,
        severity: severity(SCHEMA_TOO_COMPLEX),
        path: String::new(),
        message: format!("the schemas need more than {MAX_PAIRS} pairs of types compared; they count as incompatible"),
        hint: Some("divide the schema into products of their own".to_owned()),
        reader_pointer: String::new(),
        writer_pointer: String::new(),
        witness: None,
        direction,
        earlier: None,
    }
}
