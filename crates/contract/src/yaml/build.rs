//! From the parser's events to nodes, without recursion.

use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle};

use super::{Entry, Kind, Mark, Node, Refusal};
use crate::rules;

/// A list or mapping whose end has not come yet.
enum Open {
    List { mark: Mark, items: Vec<Node> },
    Map { mark: Mark, entries: Vec<Entry>, key: Option<Key>, first: HashMap<String, u32> },
}

/// A key whose value has not come yet.
struct Key {
    text: String,
    mark: Mark,
    repeated: bool,
}

/// Builds one document.
pub(super) struct Builder {
    depth_max: usize,
    nodes_left: usize,
    documents: usize,
    open: Vec<Open>,
    root: Option<Node>,
    refusals: Vec<Refusal>,
}

impl Builder {
    pub(super) fn new(depth_max: usize, nodes_max: usize) -> Builder {
        Builder { depth_max, nodes_left: nodes_max, documents: 0, open: Vec::new(), root: None, refusals: Vec::new() }
    }

    /// Takes the next event; an error ends the building.
    pub(super) fn take(&mut self, event: Event<'_>, mark: Mark) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(_) => self.start_document(mark),
            Event::Scalar(text, style, _, tag) => {
                self.refuse_tag(tag.is_some(), mark);
                self.count(mark)?;
                self.scalar(text.into_owned(), style == ScalarStyle::Plain, mark)
            }
            Event::SequenceStart(_, tag) => {
                self.refuse_tag(tag.is_some(), mark);
                self.open(mark, Open::List { mark, items: Vec::new() })
            }
            Event::MappingStart(_, tag) => {
                self.refuse_tag(tag.is_some(), mark);
                self.open(mark, Open::Map { mark, entries: Vec::new(), key: None, first: HashMap::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
            Event::Alias(_) => Err(Refusal::new(rules::YAML_ALIAS, mark, "an alias stands here".to_owned())),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    /// The root, and what was refused without ending the building.
    pub(super) fn finish(self) -> (Option<Node>, Vec<Refusal>) {
        (self.root, self.refusals)
    }

    fn start_document(&mut self, mark: Mark) -> Result<(), Refusal> {
        self.documents += 1;
        match self.documents {
            1 => Ok(()),
            _ => Err(Refusal::new(rules::YAML_DOCUMENTS, mark, "a second document begins here".to_owned())),
        }
    }

    fn refuse_tag(&mut self, tagged: bool, mark: Mark) {
        if tagged {
            let refusal = Refusal::new(rules::YAML_TAG, mark, "a tag stands here".to_owned());
            self.refusals.push(refusal);
        }
    }

    fn count(&mut self, mark: Mark) -> Result<(), Refusal> {
        self.nodes_left = self
            .nodes_left
            .checked_sub(1)
            .ok_or_else(|| Refusal::new(rules::YAML_LIMIT, mark, "the file has too many keys and values".to_owned()))?;
        Ok(())
    }

    fn open(&mut self, mark: Mark, open: Open) -> Result<(), Refusal> {
        self.count(mark)?;
        if self.open.len() == self.depth_max {
            let message = format!("mappings and lists nest more than {} deep", self.depth_max);
            return Err(Refusal::new(rules::YAML_LIMIT, mark, message));
        }
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(Refusal::new(rules::YAML_KEY, mark, "a key is a list or a mapping".to_owned()));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: String, plain: bool, mark: Mark) -> Result<(), Refusal> {
        let Some(Open::Map { key: key @ None, first, .. }) = self.open.last_mut() else {
            self.complete(Node { mark, kind: Kind::Scalar { text, plain } });
            return Ok(());
        };
        let repeats = first.get(&text).copied();
        match repeats {
            Some(line) => {
                let message =
                    format!("the key `{}` stands here a second time; the first is in line {line}", shown(&text));
                self.refusals.push(Refusal::new(rules::DUPLICATE_KEY, mark, message));
            }
            None => {
                first.insert(text.clone(), mark.line);
            }
        }
        *key = Some(Key { text, mark, repeated: repeats.is_some() });
        Ok(())
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List { mark, items }) => self.complete(Node { mark, kind: Kind::List(items) }),
            Some(Open::Map { mark, entries, .. }) => self.complete(Node { mark, kind: Kind::Map(entries) }),
            None => {}
        }
    }

    /// Puts a whole node where it belongs. Of a key that stands twice, the first value counts.
    fn complete(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                let Some(Key { text, mark, repeated }) = key.take() else { return };
                // The place of a value that is not there is its key's.
                let value = if node.is_absent() { Node { mark, ..node } } else { node };
                if !repeated {
                    entries.push(Entry { key: text, mark, value });
                }
            }
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
