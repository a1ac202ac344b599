//! `mesh`: the streaming backbone of a data mesh, one binary for every command and every service.
//!
//! Data goes to standard output, talk to standard error. Exit codes: see [`failure::Exit`].

#![allow(unreachable_pub, reason = "a binary has no outside: pub is for the other modules")]

mod apply;
mod audit;
mod cli;
mod commands;
mod context;
mod demo;
#[cfg(test)]
mod deployment;
mod failure;
mod groups;
mod kafka_login;
mod keys;
mod lineage_options;
mod login;
mod markdown;
mod new_files;
mod output;
mod platform;
mod readership;
mod schema_rules;
mod tree;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::talk(&failure.report());
            failure.exit.into()
        }
    }
}

fn run(cli: cli::Cli) -> Result<failure::Exit, failure::Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failure::Failure::internal("cannot start the asynchronous runtime").because(error))?;
    let outcome = runtime.block_on(commands::dispatch(cli));
    // Blocking tasks (a consumer's poll) end with the process: nothing of theirs is left to be committed here.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}
