//! What the demo is at: a bar on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How often the spinner moves and the clock ticks.
const TICK: Duration = Duration::from_millis(100);
const COUNTED: &str = "{spinner:.cyan} {elapsed:>4} {msg:<44} {wide_bar:.cyan/blue} {human_pos}/{human_len}";
const UNCOUNTED: &str = "{spinner:.cyan} {elapsed:>4} {msg}";

/// The bar. Nothing is drawn where standard error is no terminal.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that counts nothing yet.
    pub fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// A phase whose length is not known.
    pub fn phase(&self, name: &'static str) {
        tracing::info!(phase = name, "demo");
        self.style(UNCOUNTED);
        self.0.set_message(name);
    }

    /// A phase of `total` steps.
    pub fn counted(&self, name: &'static str, total: u64) {
        tracing::info!(phase = name, total, "demo");
        self.0.set_length(total);
        self.0.set_position(0);
        self.style(COUNTED);
        self.0.set_message(name);
    }

    /// How many steps of the phase are done.
    pub fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Some more steps are done.
    pub fn step(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }

    fn style(&self, template: &str) {
        // A template that does not parse would cost the bar, not the demo.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_parse() {
        for template in [COUNTED, UNCOUNTED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
