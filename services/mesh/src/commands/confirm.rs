//! The question before something that cannot be undone.

use crate::failure::Failure;
use crate::output;
use std::io::{BufRead, IsTerminal};

/// Has the person at the terminal type `name`, knowing that `what` happens then.
///
/// # Errors
/// Nobody is there, or something else is typed.
pub fn confirm(name: &str, what: &str) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage(format!("nobody is there to confirm that {what}"))
            .hint("give --yes if that is what you want"));
    }
    output::talk(&format!("type {name} to go on:"));
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|error| Failure::usage("cannot read the answer").because(error))?;
    if line.trim() == name {
        Ok(())
    } else {
        Err(Failure::usage("that is not the product's name; nothing was changed"))
    }
}
