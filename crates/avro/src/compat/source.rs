//! Which of the writer's fields feeds each of the reader's, by names and aliases.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::schema::{Field, Record};

/// Where a reader's field takes its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Writer(usize),
    Default,
    /// From its default, although the writer's field is called like it: another of the reader's fields takes that.
    Taken(usize),
    Nothing,
    Ambiguous(Vec<usize>),
}

/// For each of the reader's fields its source.
pub(crate) type Sources = SmallVec<[Source; 8]>;

type Index<'n> = HashMap<&'n str, usize, RandomState>;

/// Finds where each of the reader's fields takes its value from.
pub(super) fn find_sources(reader: Record<'_>, writer: Record<'_>, sources: &mut Sources) {
    sources.clear();
    let mut names = Names { record: writer, next: 0, searches: 0, index: None };
    for index in 0..reader.len() {
        if reader.has_aliases(index) && reader.fields()[index].aliases.iter().any(|alias| names.find(alias).is_some()) {
            *sources = sources_by_aliases(reader.fields(), writer.fields());
            return;
        }
        sources.push(match names.follow(reader.name(index)) {
            Some(writer) => Source::Writer(writer),
            None if reader.has_default(index) => Source::Default,
            None => Source::Nothing,
        });
    }
}

/// A record's fields by name. Schemas that evolved have most fields in the same order, so a name is first looked for
/// after the one found last.
struct Names<'s> {
    record: Record<'s>,
    next: usize,
    searches: usize,
    /// Made once searching has become the longer way.
    index: Option<Index<'s>>,
}

impl Names<'_> {
    const FEW_SEARCHES: usize = 8;
    const FEW_FIELDS: usize = 8;

    fn follow(&mut self, name: &str) -> Option<usize> {
        let follows = self.next < self.record.len() && self.record.name(self.next) == name;
        let found = if follows { Some(self.next) } else { self.find(name) };
        if let Some(found) = found {
            self.next = found + 1;
        }
        found
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        self.searches += 1;
        let record = self.record;
        if record.len() <= Self::FEW_FIELDS || self.searches <= Self::FEW_SEARCHES {
            return record.position(name);
        }
        let index = || (0..record.len()).map(|index| (record.name(index), index)).collect();
        self.index.get_or_insert_with(index).get(name).copied()
    }
}

/// The same where some alias of the reader's is the name of a field of the writer's.
fn sources_by_aliases(fields: &[Field], written: &[Field]) -> Sources {
    let own = index(fields, |field| std::slice::from_ref(&field.name));
    let aliased = index(fields, |field| &field.aliases);
    let written_as = index(written, |field| std::slice::from_ref(&field.name));
    let mut sources: Sources = fields.iter().map(|field| unwritten(field, &written_as)).collect();
    for (writer, field) in written.iter().enumerate() {
        let reader = aliased.get(field.name.as_str()).or_else(|| own.get(field.name.as_str()));
        if let Some(source) = reader.map(|reader| &mut sources[*reader])
            && !matches!(source, Source::Ambiguous(_))
        {
            *source = Source::Writer(writer);
        }
    }
    sources
}

/// What feeds a reader's field if no field of the writer is read as it; ambiguous where several are called like it.
fn unwritten(field: &Field, written_as: &Index<'_>) -> Source {
    let named = field.aliases.iter().chain([&field.name]).filter_map(|name| written_as.get(name.as_str()).copied());
    let called_so: BTreeSet<usize> = named.collect();
    match (&field.default, called_so.first()) {
        _ if called_so.len() > 1 => Source::Ambiguous(called_so.into_iter().collect()),
        (Some(_), Some(writer)) => Source::Taken(*writer),
        (Some(_), None) => Source::Default,
        (None, _) => Source::Nothing,
    }
}

fn index(fields: &[Field], names: impl Fn(&Field) -> &[String]) -> Index<'_> {
    fields.iter().enumerate().flat_map(|(at, field)| names(field).iter().map(move |name| (name.as_str(), at))).collect()
}
