//! From the roots through every pair that a datum can reach, with what is to be said of each.

use smallvec::SmallVec;

use super::fault;
use super::finding::{CompatFinding, Direction, Draft, Report, Trigger};
use super::graph::{Graph, MAX_PAIRS, ROOT, SAME, TooManyPairs};
use super::meaning;
use super::path::Trails;
use super::refusal::Refusals;
use super::rule::{RuleKind, SCHEMA_TOO_COMPLEX};
use super::severity::Severities;
use super::sides::Sides;
use super::witness::{Samples, Witness};
use crate::schema::Schema;

/// The most findings between two schemas that say what cannot be read, and the most that say what changes its meaning; the
/// rest would tell nobody anything.
const MAX_FINDINGS: usize = 1000;

/// Compares a reader with a writer; `direction` says which of them is the newer one.
pub(super) fn compare(reader: &Schema, writer: &Schema, direction: Direction, severities: &Severities) -> Report {
    // A schema reads its own data as it is, without resolution; even where its aliases would be in its own way.
    if reader.has_text_of(writer) || (reader.has_aliases() && reader == writer) {
        return Report::default();
    }
    let sides = Sides::new(reader, writer);
    let mut graph = Graph::default();
    if let Err(TooManyPairs) = graph.build(&sides) {
        return Report { findings: vec![too_complex(direction)] };
    }
    let walk = Walk {
        sides: &sides,
        graph: &graph,
        direction,
        severities,
        samples: None,
        trails: None,
        findings: Vec::new(),
        breaks: 0,
    };
    walk.report()
}

struct Walk<'a, 's> {
    sides: &'a Sides<'s>,
    graph: &'a Graph,
    direction: Direction,
    severities: &'a Severities,
    /// Known from the first finding on.
    samples: Option<Samples<'s>>,
    /// Known from the first finding on that is not at the root.
    trails: Option<Trails>,
    findings: Vec<CompatFinding>,
    /// How many of them say what cannot be read.
    breaks: usize,
}

impl Walk<'_, '_> {
    fn report(mut self) -> Report {
        let mut seen: SmallVec<[bool; 16]> = SmallVec::from_elem(false, self.graph.pairs.len());
        (seen[SAME], seen[ROOT]) = (true, true);
        let mut to_visit: SmallVec<[usize; 16]> = SmallVec::from_slice(&[ROOT]);
        while let Some(index) = to_visit.pop() {
            self.visit(index);
            if self.breaks == MAX_FINDINGS {
                break;
            }
            for &(_, inner) in self.graph.reached(index).iter().rev() {
                if !std::mem::replace(&mut seen[inner], true) {
                    to_visit.push(inner);
                }
            }
        }
        debug_assert_eq!(
            self.breaks == 0,
            self.graph.pairs[ROOT].holds,
            "what does not hold is found, and nothing else"
        );
        Report { findings: self.findings }
    }

    fn visit(&mut self, index: usize) {
        let (sides, graph) = (self.sides, self.graph);
        let pair = &graph.pairs[index];
        let before = self.breaks;
        for fault in &pair.faults {
            self.add(index, fault::describe(sides, pair.reader, pair.writer, fault));
        }
        if pair.any && !pair.holds {
            self.add(index, fault::no_branch_reads(sides, pair.reader, pair.writer));
        }
        for (step, inner) in graph.contested(pair).iter().filter(|(_, inner)| !graph.pairs[*inner].holds) {
            if let Some(draft) = fault::contested(sides, pair, *step, *inner) {
                self.add(index, draft);
            }
        }
        if self.breaks == before {
            let mut changes = Vec::new();
            meaning::compare(sides, graph, pair, self.direction, &mut changes);
            changes.into_iter().for_each(|draft| self.add(index, draft));
        }
    }

    fn add(&mut self, index: usize, mut draft: Draft) {
        let Some(severity) = self.severities.of(draft.rule) else { return };
        let breaks = draft.rule.kind == RuleKind::Resolution;
        let said = if breaks { self.breaks } else { self.findings.len() - self.breaks };
        if said == MAX_FINDINGS {
            return;
        }
        self.breaks += usize::from(breaks);
        let samples = self.samples.get_or_insert_with(|| Samples::of(self.sides.writer));
        if index != ROOT && self.trails.is_none() {
            self.trails = Some(Trails::of(self.graph, samples));
        }
        let trails = self.trails.as_ref();
        let path = match trails {
            Some(trails) => trails.dotted(self.graph, self.sides, index, draft.field.as_deref()),
            None => draft.field.take().unwrap_or_default(),
        };
        let pair = &self.graph.pairs[index];
        self.findings.push(CompatFinding {
            rule: draft.rule.id,
            kind: draft.rule.kind,
            severity,
            path,
            witness: witness(self.sides, self.graph, samples, trails, index, draft.trigger),
            message: draft.message,
            hint: draft.hint,
            reader_pointer: draft.reader_pointer,
            reader_document: self.sides.reader.node(pair.reader).document,
            writer_pointer: draft.writer_pointer,
            writer_document: self.sides.writer.node(pair.writer).document,
            direction: self.direction,
            earlier: None,
        });
    }
}

/// The datum that triggers a finding at a pair, in a datum of the writer's root.
fn witness<'s>(
    sides: &Sides<'s>,
    graph: &Graph,
    samples: &mut Samples<'s>,
    trails: Option<&Trails>,
    index: usize,
    trigger: Trigger,
) -> Option<Witness> {
    let writer = graph.pairs[index].writer;
    let datum = match trigger {
        Trigger::None => return None,
        Trigger::Datum(datum) => datum,
        Trigger::Any => samples.smallest(writer)?,
        Trigger::Branch(branch) => samples.of_branch(writer, branch)?,
        Trigger::EveryBranch => Refusals { sides, graph, samples }.by_every_branch(index)?,
        Trigger::Inside(step, inner) => {
            let datum = Refusals { sides, graph, samples }.inside(inner)?;
            samples.around(datum, std::iter::once((writer, step)))?
        }
    };
    let steps =
        trails.into_iter().flat_map(|trails| trails.back(index)).map(|(from, step)| (graph.pairs[from].writer, step));
    samples.around(datum, steps)
}

fn too_complex(direction: Direction) -> CompatFinding {
    CompatFinding {
        rule: SCHEMA_TOO_COMPLEX.id,
        kind: SCHEMA_TOO_COMPLEX.kind,
        severity: mesh_contract::Severity::Error,
        path: String::new(),
        message: format!(
            "the schemas need more than {MAX_PAIRS} pairs of types compared, or too many names; they count as incompatible"
        ),
        hint: Some("divide the schema into products of their own".to_owned()),
        reader_pointer: String::new(),
        reader_document: 0,
        writer_pointer: String::new(),
        writer_document: 0,
        witness: None,
        direction,
        earlier: None,
    }
}
