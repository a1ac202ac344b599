//! Data that a broken pair does not read.
//!
//! Where several branches of a reader's union may be meant and none reads all of the writer's data, each refuses data of
//! its own; what every one of them refuses is looked for among these. Where there is none (one branch lacks the symbol A,
//! the other lacks B), the first branch is meant, as the specification has it, and what it refuses is the witness.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::fault;
use super::finding::Trigger;
use super::graph::Graph;
use super::resolve::{Fault, Step};
use super::sides::Sides;
use super::witness::{Samples, Witness, tag};
use crate::schema::Kind;

/// The most branches whose refusals are looked for.
const MAX_BRANCHES: usize = 16;

pub(super) struct Refusals<'a, 's> {
    pub(super) sides: &'a Sides<'s>,
    pub(super) graph: &'a Graph,
    pub(super) samples: &'a mut Samples<'s>,
}

impl Refusals<'_, '_> {
    /// A datum of the writer's type that the pair, whose branches all fail, does not read.
    pub(super) fn by_every_branch(&mut self, pair: usize) -> Option<Witness> {
        let graph = self.graph;
        let branches = graph.inner(&graph.pairs[pair]).iter().take(MAX_BRANCHES);
        let refused: Vec<Witness> = branches.filter_map(|(_, branch)| self.inside(*branch)).collect();
        let by_all = refused.iter().find(|datum| !self.reads(pair, &datum.value()));
        by_all.or(refused.first()).cloned()
    }

    /// A datum that a broken pair does not read: what breaks a pair inside, by the fewest steps through broken pairs.
    pub(super) fn inside(&mut self, pair: usize) -> Option<Witness> {
        let graph = self.graph;
        let mut from: HashMap<usize, (usize, Step)> = HashMap::new();
        let mut next = VecDeque::from([pair]);
        while let Some(index) = next.pop_front() {
            if let Some(datum) = self.by_fault(index) {
                let first = (index != pair).then(|| from[&index]);
                let steps =
                    std::iter::successors(first, |(outer, _)| from.get(outer).filter(|_| *outer != pair).copied());
                return self.samples.around(datum, steps.map(|(outer, step)| (graph.pairs[outer].writer, step)));
            }
            let outer = &graph.pairs[index];
            let meant = if outer.any { 1 } else { usize::MAX };
            for &(step, inner) in graph.inner(outer).iter().take(meant).filter(|(_, inner)| !graph.pairs[*inner].holds)
            {
                if inner != pair && !from.contains_key(&inner) {
                    from.insert(inner, (index, step));
                    next.push_back(inner);
                }
            }
        }
        None
    }

    fn by_fault(&mut self, index: usize) -> Option<Witness> {
        let pair = &self.graph.pairs[index];
        let writer = self.sides.writer.node(pair.writer);
        pair.faults.iter().find_map(|fault| match fault::trigger(writer, fault) {
            Trigger::Datum(datum) => Some(datum),
            _ => self.samples.smallest(pair.writer),
        })
    }

    /// Whether a pair reads a datum, a union's by any branch that may be meant.
    fn reads(&self, index: usize, datum: &Value) -> bool {
        let pair = &self.graph.pairs[index];
        let known =
            |fault: &Fault| matches!(fault::trigger(self.sides.writer.node(pair.writer), fault), Trigger::Datum(_));
        if pair.holds {
            return true;
        }
        if !pair.faults.is_empty() {
            return pair.faults.iter().all(known) && !self.is_unknown_symbol(index, datum);
        }
        if pair.any {
            return self.graph.inner(pair).iter().any(|(_, inner)| self.reads(*inner, datum));
        }
        self.graph.inner(pair).iter().all(|&(step, inner)| self.reads_inside(index, step, inner, datum))
    }

    fn is_unknown_symbol(&self, index: usize, datum: &Value) -> bool {
        let pair = &self.graph.pairs[index];
        let symbols = fault::enum_symbols(self.sides.writer.node(pair.writer));
        let is_datum = |unknown: &usize| Some(symbols[*unknown].as_str()) == datum.as_str();
        pair.faults.iter().any(|fault| matches!(fault, Fault::Symbols(unknown) if unknown.iter().any(is_datum)))
    }

    fn reads_inside(&self, index: usize, step: Step, inner: usize, datum: &Value) -> bool {
        let writer = self.sides.writer;
        match (step, &writer.node(self.graph.pairs[index].writer).kind, datum) {
            (Step::Field { writer: field, .. }, Kind::Record { fields }, Value::Object(record)) => {
                record.get(&fields[field].name).is_none_or(|datum| self.reads(inner, datum))
            }
            (Step::Items, _, Value::Array(items)) => items.iter().all(|item| self.reads(inner, item)),
            (Step::Values, _, Value::Object(values)) => values.values().all(|value| self.reads(inner, value)),
            (Step::ReaderBranch(_), _, datum) => self.reads(inner, datum),
            (Step::WriterBranch(branch), Kind::Union { branches }, Value::Object(tagged)) => {
                tagged.get(tag(writer, branches[branch])).is_none_or(|datum| self.reads(inner, datum))
            }
            (Step::WriterBranch(branch), Kind::Union { branches }, Value::Null) => {
                !matches!(writer.node(branches[branch]).kind, Kind::Null) || self.reads(inner, datum)
            }
            _ => true,
        }
    }
}
