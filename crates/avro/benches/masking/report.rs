//! What was measured, for people and for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::clock::Figures;
use super::contest::{APACHE, FAST, MEMCPY, SPLICE, VIEWS, program_name};

/// All of a run.
pub(crate) struct Report {
    pub(crate) bytes_mean: f64,
    pub(crate) contest: Vec<Figures>,
    /// For other numbers of records, one view and what it is compared with.
    pub(crate) warmth: Vec<(u64, Vec<Figures>)>,
    /// For each size, in bytes.
    pub(crate) sizes: Vec<(f64, Figures)>,
    /// For each number of masked columns.
    pub(crate) columns: Vec<(usize, Figures)>,
    pub(crate) compile_ms: f64,
}

/// A figure that has to be reached.
struct Target {
    what: &'static str,
    found: f64,
    bound: f64,
    /// Whether less is better.
    at_most: bool,
}

impl Target {
    fn is_met(&self) -> bool {
        if self.at_most { self.found <= self.bound } else { self.found >= self.bound }
    }
}

fn named<'a>(contest: &'a [Figures], name: &str) -> &'a Figures {
    contest.iter().find(|figures| figures.name == name).expect("every contender was measured")
}

/// How many times as long as one view the splice by hand took, serde_avro_fast and apache-avro.
fn times_one_view(contest: &[Figures]) -> [f64; 3] {
    let one = named(contest, &program_name(1));
    [SPLICE, FAST, APACHE].map(|name| named(contest, name).ratio_to(one))
}

impl Report {
    fn figures(&self, name: &str) -> &Figures {
        named(&self.contest, name)
    }

    fn ratio(&self, name: &str, other: &str) -> f64 {
        self.figures(name).ratio_to(self.figures(other))
    }

    /// What each further view costs, in parts of the first.
    fn further_view(&self, views: usize) -> f64 {
        (self.ratio(&program_name(views), &program_name(1)) - 1.0) / (views - 1) as f64
    }

    fn targets(&self) -> Vec<Target> {
        let one = program_name(1);
        let further = VIEWS.iter().filter(|views| **views > 1).map(|views| self.further_view(*views));
        let programs = VIEWS.iter().map(|views| self.figures(&program_name(*views)).allocations);
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN, f64::max);
        let at_most = |what, found, bound| Target { what, found, bound, at_most: true };
        let at_least = |what, found, bound| Target { what, found, bound, at_most: false };
        vec![
            at_most("one view, times the splice by hand", self.ratio(&one, SPLICE), 1.3),
            at_least("times as fast as apache-avro", self.ratio(APACHE, &one), 12.0),
            at_least("times as fast as serde_avro_fast", self.ratio(FAST, &one), 4.0),
            at_most("a further view, times the first", most(&mut further.into_iter()), 0.4),
            at_most("allocations for a record", most(&mut programs.into_iter()), 0.0),
            at_most("ms to compile a schema of 1,000 fields", self.compile_ms, 5.0),
        ]
    }

    pub(crate) fn is_met(&self) -> bool {
        self.targets().iter().all(Target::is_met)
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing to a string does not fail");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let one = program_name(1);
        writeln!(
            out,
            "crm-customer-1k: {:.0} bytes a record, one thread, contenders in turn, medians",
            self.bytes_mean
        )?;
        writeln!(out, "  {:<42}{:>10}{:>10}{:>11}{:>14}", "", "ns/record", "x memcpy", "x one view", "allocations")?;
        for figures in &self.contest {
            let (memcpy, view) = (self.ratio(&figures.name, MEMCPY), self.ratio(&figures.name, &one));
            let (ns, allocations) = (figures.nanoseconds(), figures.allocations);
            writeln!(out, "  {:<42}{ns:>10.0}{memcpy:>10.1}{view:>11.2}{allocations:>14.1}", figures.name)?;
        }
        writeln!(out, "\none view on fewer and on more records: hot and cold")?;
        writeln!(
            out,
            "  {:<20}{:>10}{:>10}{:>18}{:>14}",
            "records", "ns/record", "x splice", "serde_avro_fast x", "apache-avro x"
        )?;
        for (records, figures) in &self.warmth {
            let ns = named(figures, &one).nanoseconds();
            let [splice, fast, apache] = times_one_view(figures);
            writeln!(out, "  {records:<20}{ns:>10.0}{:>10.2}{fast:>18.1}{apache:>14.1}", 1.0 / splice)?;
        }
        writeln!(out, "\na record with an array of small records, one column hashed")?;
        writeln!(out, "  {:<42}{:>10}{:>10}", "bytes", "ns/record", "ns/byte")?;
        for (mean, figures) in &self.sizes {
            let ns = figures.nanoseconds();
            writeln!(out, "  {mean:<42.0}{ns:>10.0}{:>10.3}", ns / mean)?;
        }
        writeln!(out, "\na record of 100 short texts")?;
        writeln!(out, "  {:<42}{:>10}{:>10}", "columns hashed", "ns/record", "ns/column")?;
        for (columns, figures) in &self.columns {
            let ns = figures.nanoseconds();
            writeln!(out, "  {columns:<42}{ns:>10.0}{:>10.0}", ns / *columns as f64)?;
        }
        writeln!(out, "\ntargets")?;
        for target in self.targets() {
            let (sign, word) =
                (if target.at_most { "<=" } else { ">=" }, if target.is_met() { "met" } else { "MISSED" });
            writeln!(out, "  {:<42}{:>10.2}  {sign} {:<6}{word}", target.what, target.found, target.bound)?;
        }
        Ok(())
    }

    pub(crate) fn json(&self) -> Value {
        let contest = self.contest.iter().map(|figures| {
            json!({
                "name": figures.name, "ns_per_record": figures.nanoseconds(),
                "times_memcpy": self.ratio(&figures.name, MEMCPY), "times_splice": self.ratio(&figures.name, SPLICE),
                "allocations_per_record": figures.allocations,
            })
        });
        let sizes =
            self.sizes.iter().map(|(mean, figures)| json!({"bytes": mean, "ns_per_record": figures.nanoseconds()}));
        let columns = self
            .columns
            .iter()
            .map(|(columns, figures)| json!({"columns": columns, "ns_per_record": figures.nanoseconds()}));
        let warmth = self.warmth.iter().map(|(records, figures)| {
            let [splice, fast, apache] = times_one_view(figures);
            json!({
                "records": records, "ns_per_record": named(figures, &program_name(1)).nanoseconds(),
                "times_splice": 1.0 / splice, "times_as_fast_as_serde_avro_fast": fast,
                "times_as_fast_as_apache_avro": apache,
            })
        });
        let targets = self.targets();
        let targets = targets.iter().map(|target| {
            json!({"target": target.what, "found": target.found, "bound": target.bound, "met": target.is_met()})
        });
        json!({
            "workload": "crm-customer-1k", "bytes_per_record": self.bytes_mean,
            "contest": contest.collect::<Vec<_>>(), "warmth": warmth.collect::<Vec<_>>(), "sizes": sizes.collect::<Vec<_>>(),
            "columns": columns.collect::<Vec<_>>(), "compile_ms": self.compile_ms,
            "targets": targets.collect::<Vec<_>>(),
        })
    }
}
