//! A program at work.

mod input;
mod machine;
mod outputs;

use super::transform::calendar::floor_fraction;
pub(super) use input::Input;
pub(super) use machine::Machine;
pub(super) use outputs::{Frame, Output, Rewrite};
