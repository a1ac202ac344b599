//! A program at work.

mod blocks;
mod hashed;
mod input;
mod machine;
mod masked;
mod outputs;
mod skip;
mod unchecked;

pub(crate) use input::Input;
pub(super) use machine::Machine;
pub(super) use outputs::{Frame, Output, Rewrite};
