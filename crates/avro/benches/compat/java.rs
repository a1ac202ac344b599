use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use crate::avro_java;
use crate::contest::{Lap, Work};
use crate::corpus::Corpus;

/// Avro Java at work, in one JVM for the whole run.
pub(crate) struct Java {
    jvm: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Java {
    pub(crate) fn start() -> Java {
        let mut jvm = avro_java::start("Pace.java");
        let (orders, answers) = (jvm.stdin.take().unwrap(), BufReader::new(jvm.stdout.take().unwrap()));
        Java { jvm, orders, answers }
    }

    /// Goes over a corpus a number of times.
    pub(crate) fn run(&mut self, work: Work, corpus: &Corpus, times: usize) -> Lap {
        writeln!(self.orders, "{}\t{}\t{times}", work.order(), corpus.file.display()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let (nanoseconds, incompatible) = answer.trim().split_once(' ').expect("Pace.java answers every order");
        Lap { nanoseconds: nanoseconds.parse().unwrap(), incompatible: incompatible.parse().unwrap() }
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        // The JVM ends with its input, but only once this is dropped; it holds nothing that would be lost.
        let _ = self.jvm.kill();
        let _ = self.jvm.wait();
    }
}
