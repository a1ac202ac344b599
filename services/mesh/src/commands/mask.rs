//! `mesh mask`.

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(_args: Args, _context: &Context) -> Result<Exit, Failure> {
    Err(Failure::internal("mesh mask is not there yet"))
}
