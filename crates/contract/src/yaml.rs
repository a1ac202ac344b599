//! YAML as a tree of nodes with places, within bounds. What contracts have no use for is a finding, not a feature:
//! aliases, tags, several documents, keys that are no scalars, keys twice.

mod build;
mod node;
mod text;

use std::sync::Arc;

use saphyr_parser::{Event, Parser};

use crate::finding::Finding;
use crate::rules;
use build::Builder;
pub(crate) use node::{Entry, Kind, Mark, Node};
use text::Bounds;

/// A file is at most this large.
const BYTES_MAX: usize = 256 * 1024;
/// Mappings and lists nest at most this deep.
const DEPTH_MAX: usize = 32;
/// A file has at most this many keys and values.
const NODES_MAX: usize = 10_000;

/// The document's root, and what is wrong with its form. Without a root there is always a finding.
pub(crate) fn load(file: &Arc<str>, text: &str) -> (Option<Node>, Vec<Finding>) {
    if let Err(refusal) = text::check(text, BYTES_MAX) {
        return (None, vec![refusal.placed(file)]);
    }
    let bounds = Bounds::of(text);
    let within = |marker| bounds.clamp(Mark::of(marker));
    let mut builder = Builder::new(DEPTH_MAX, NODES_MAX);
    let mut refused = None;
    for event in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
        let step = match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.take(event, within(span.start)),
            Err(error) => Err(Refusal::new(rules::YAML_SYNTAX, within(*error.marker()), error.info().to_owned())),
        };
        if let Err(refusal) = step {
            refused = Some(refusal);
            break;
        }
    }
    let (root, mut refusals) = builder.finish();
    let stopped = refused.is_some();
    refusals.extend(refused);
    let missing = root.is_none() && refusals.is_empty();
    if missing {
        refusals.push(Refusal::new(rules::YAML_EMPTY, Mark::START, "the file is empty".to_owned()));
    }
    let findings = refusals.into_iter().map(|refusal| refusal.placed(file)).collect();
    (root.filter(|_| !stopped), findings)
}

/// A finding that does not know its file yet.
struct Refusal {
    rule: &'static str,
    mark: Mark,
    message: String,
}

impl Refusal {
    fn new(rule: &'static str, mark: Mark, message: String) -> Refusal {
        Refusal { rule, mark, message }
    }

    fn placed(self, file: &Arc<str>) -> Finding {
        Finding::error(self.rule, self.mark.place(file), self.message)
    }
}
