//! Contenders measured in turn, over and over, in time of this thread on its core: what else the machine does falls on
//! all of them alike, and waiting for the core falls on none.

use rustix::time::{ClockId, clock_gettime};

use super::allocator::allocations;

const PASSES: usize = 4;

/// One way to do the work.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    inputs: usize,
    /// Does the work on so many inputs.
    pass: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Contender<'a> {
    /// `work` is handed the numbers of so many inputs, one by one.
    pub(crate) fn new(name: impl Into<String>, inputs: usize, mut work: impl FnMut(usize) + 'a) -> Contender<'a> {
        Contender { name: name.into(), inputs, pass: Box::new(move |inputs| (0..inputs).for_each(&mut work)) }
    }

    /// Nanoseconds for one input. A first pass warms the caches, which the contender before has left to itself, and does
    /// not count.
    fn turn(&mut self) -> f64 {
        (self.pass)(self.inputs);
        let start = thread_ns();
        (0..PASSES).for_each(|_| (self.pass)(self.inputs));
        (thread_ns() - start) / (PASSES * self.inputs) as f64
    }
}

/// What was measured of a contender.
pub(crate) struct Figures {
    pub(crate) name: String,
    /// For each round, nanoseconds for one input.
    rounds: Vec<f64>,
    pub(crate) allocations: f64,
}

impl Figures {
    pub(crate) fn nanoseconds(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// How many times as long this took as another, round by round.
    pub(crate) fn ratio_to(&self, other: &Figures) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(own, other)| own / other).collect())
    }
}

/// Runs all contenders over all their inputs, in turn, for so many rounds.
pub(crate) fn measure(mut contenders: Vec<Contender<'_>>, rounds: usize) -> Vec<Figures> {
    for contender in &mut contenders {
        contender.turn();
    }
    let counted = |contender: &mut Contender<'_>| {
        let before = allocations();
        (contender.pass)(contender.inputs);
        (allocations() - before) as f64 / contender.inputs as f64
    };
    let empty = |contender: &mut Contender<'_>| Figures {
        name: contender.name.clone(),
        rounds: Vec::with_capacity(rounds),
        allocations: counted(contender),
    };
    let mut figures: Vec<Figures> = contenders.iter_mut().map(empty).collect();
    for _ in 0..rounds {
        for (contender, figures) in contenders.iter_mut().zip(&mut figures) {
            figures.rounds.push(contender.turn());
        }
    }
    figures
}

/// How long this thread has run, in nanoseconds.
pub(crate) fn thread_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
