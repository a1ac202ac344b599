//! Contenders measured in turn, over and over, in time of this thread on its core: what else the machine does falls on
//! all of them alike, and waiting for the core falls on none.

use rustix::time::{ClockId, clock_gettime};

use super::allocator::allocations;

/// How long a contender's turn is measured, about, and in how many passes at most.
const TURN_NS: f64 = 20e6;
const PASSES_MAX: f64 = 100.0;
/// Of how many passes one is run before those that count.
const PASSES_A_WARM_UP: usize = 4;

/// One way to do the work.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    inputs: usize,
    /// How often a turn goes over all inputs.
    passes: usize,
    /// Does the work on so many inputs.
    pass: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Contender<'a> {
    /// `work` is handed the numbers of so many inputs, one by one.
    pub(crate) fn new(name: impl Into<String>, inputs: usize, mut work: impl FnMut(usize) + 'a) -> Contender<'a> {
        let pass = Box::new(move |inputs| (0..inputs).for_each(&mut work));
        Contender { name: name.into(), inputs, passes: 1, pass }
    }

    /// Nanoseconds for so many passes over all inputs.
    fn passes_ns(&mut self, passes: usize) -> f64 {
        let start = thread_ns();
        (0..passes).for_each(|_| (self.pass)(self.inputs));
        thread_ns() - start
    }

    /// Finds out how many passes a turn takes.
    fn begin(&mut self) {
        (self.pass)(self.inputs);
        self.passes = (TURN_NS / self.passes_ns(1)).clamp(1.0, PASSES_MAX) as usize;
    }

    /// Nanoseconds for one input. What warms up the caches and the branch predictor, which the contender before has left
    /// to itself, does not count.
    fn turn(&mut self) -> f64 {
        self.passes_ns(self.passes.div_ceil(PASSES_A_WARM_UP));
        self.passes_ns(self.passes) / (self.passes * self.inputs) as f64
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
    contenders.iter_mut().for_each(Contender::begin);
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
