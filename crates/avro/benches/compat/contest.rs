use std::hint::black_box;

use mesh_avro::compat::{Report, check};
use mesh_avro::schema::Schema;
use rustix::time::{ClockId, clock_gettime};

use crate::corpus::Corpus;
use crate::java::Java;

const ROUNDS: usize = 5;

/// The least that a round of either side takes.
const ROUND_NANOSECONDS: u64 = 400_000_000;

/// What is done with each pair.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    Check,
    ParseAndCheck,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Work::Check => "check",
            Work::ParseAndCheck => "parse + check",
        }
    }

    /// What `Pace.java` calls it.
    pub(crate) fn order(self) -> &'static str {
        match self {
            Work::Check => "check",
            Work::ParseAndCheck => "parse",
        }
    }
}

/// A number of times over a corpus: CPU time, and the incompatible pairs of one time.
pub(crate) struct Lap {
    pub(crate) nanoseconds: u64,
    pub(crate) incompatible: usize,
}

/// One work on one corpus, in pairs per second of CPU time.
pub(crate) struct Figure {
    pub(crate) corpus: &'static str,
    pub(crate) work: Work,
    pub(crate) mesh: f64,
    pub(crate) java: f64,
    pub(crate) java_incompatible: usize,
}

impl Figure {
    pub(crate) fn ratio(&self) -> f64 {
        self.mesh / self.java
    }
}

/// Both sides over all corpora, Avro Java warmed up for so many seconds of each work.
pub(crate) fn hold(corpora: &[Corpus], warm_up_seconds: u64) -> Vec<Figure> {
    let mut java = Java::start();
    for (corpus, work) in works(corpora) {
        let mut spent = 0;
        while spent < warm_up_seconds * 1_000_000_000 {
            spent += java.run(work, corpus, 5).nanoseconds;
        }
    }
    works(corpora).map(|(corpus, work)| contest(&mut java, corpus, work)).collect()
}

/// The one side's pairs per second over all corpora.
pub(crate) fn alone(corpora: &[Corpus], only: Option<&str>) -> Vec<(&'static str, Work, f64)> {
    let mut figures = Vec::new();
    let wanted =
        |(corpus, work): &(&Corpus, Work)| only.is_none_or(|only| only == format!("{}/{}", corpus.name, work.order()));
    for (corpus, work) in works(corpora).filter(wanted) {
        let times = times(|times| run(work, corpus, times).nanoseconds);
        let laps = (0..ROUNDS).map(|_| pairs_per_second(corpus, times, &run(work, corpus, times)));
        figures.push((corpus.name, work, median(laps.collect())));
    }
    figures
}

fn works(corpora: &[Corpus]) -> impl Iterator<Item = (&Corpus, Work)> {
    corpora.iter().flat_map(|corpus| [Work::Check, Work::ParseAndCheck].map(|work| (corpus, work)))
}

fn contest(java: &mut Java, corpus: &Corpus, work: Work) -> Figure {
    let mesh_times = times(|times| run(work, corpus, times).nanoseconds);
    let java_times = times(|times| java.run(work, corpus, times).nanoseconds);
    let mut figures = (Vec::new(), Vec::new());
    let mut java_incompatible = 0;
    for _ in 0..ROUNDS {
        let ours = run(work, corpus, mesh_times);
        assert_eq!(ours.incompatible, corpus.incompatible);
        let theirs = java.run(work, corpus, java_times);
        java_incompatible = theirs.incompatible;
        figures.0.push(pairs_per_second(corpus, mesh_times, &ours));
        figures.1.push(pairs_per_second(corpus, java_times, &theirs));
    }
    Figure { corpus: corpus.name, work, mesh: median(figures.0), java: median(figures.1), java_incompatible }
}

/// How many times over a corpus take long enough to be measured.
fn times(mut run: impl FnMut(usize) -> u64) -> usize {
    let mut times = 1;
    while run(times) < ROUND_NANOSECONDS {
        times *= 2;
    }
    times
}

fn run(work: Work, corpus: &Corpus, times: usize) -> Lap {
    let before = cpu_nanoseconds();
    let mut incompatible = 0;
    for _ in 0..times {
        incompatible = match work {
            Work::Check => broken(corpus.schemas.iter().map(|(writer, reader)| check(reader, writer))),
            Work::ParseAndCheck => broken(corpus.texts.iter().map(|(writer, reader)| parsed(writer, reader))),
        };
    }
    Lap { nanoseconds: cpu_nanoseconds() - before, incompatible }
}

fn broken(reports: impl Iterator<Item = Report>) -> usize {
    reports.filter(|report| !black_box(report).compatible()).count()
}

fn parsed(writer: &str, reader: &str) -> Report {
    let parse = |text: &str| Schema::parse(black_box(text)).expect("the corpora are valid");
    check(&parse(reader), &parse(writer))
}

fn pairs_per_second(corpus: &Corpus, times: usize, lap: &Lap) -> f64 {
    (corpus.schemas.len() * times) as f64 * 1e9 / lap.nanoseconds as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The CPU time of this thread.
fn cpu_nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
