//! Hashed strings: two at a time.
//!
//! A processor works on two hashes that do not depend on each other at once, as far as it can look ahead: two together
//! take about three quarters of the time that they take one after the other. So a hash leaves room in the outputs and
//! waits for the next one, or for the end of what it is in.

use std::ops::Range;

use super::{Input, Machine, Output};
use crate::mask::MaskError;
use crate::mask::compile::Code;
use crate::mask::transform::hash::{self, HASH_BYTES};

/// The hashes that are not written yet: one at most, between two instructions.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    held: Option<Held>,
    /// Where the held hash is to be written: outputs, and places in them.
    places: Vec<(u16, usize)>,
}

/// A value whose hash is not written yet.
#[derive(Debug)]
struct Held {
    /// Which of the program's hashes.
    action: u32,
    /// Where the value stands in the input.
    value: Range<usize>,
}

impl Hashes {
    pub(super) fn clear(&mut self) {
        self.held = None;
        self.places.clear();
    }
}

impl Machine {
    /// Leaves room for the hash of the string that ends where `input` stands; `start` is where it begins, its length
    /// included. It need not be known to be UTF-8: what is written of a datum that is refused is never seen.
    #[inline]
    pub(super) fn hash_text(
        &mut self,
        code: &Code,
        index: u32,
        input: Input<'_>,
        start: usize,
        length: usize,
    ) -> Result<(), MaskError> {
        let action = &code.actions.hashes[index as usize];
        let first = self.hashes.places.len();
        for number in &*action.outputs {
            let output = &mut self.outputs[usize::from(*number)];
            if !output.is_covered() {
                let place = output.leave_room(input.bytes, start, input.at, action.mask.digits);
                self.hashes.places.push((*number, place));
                output.check_length(start)?;
            }
        }
        if self.hashes.places.len() > first {
            self.hash(code, Held { action: index, value: input.at - length..input.at }, first, input.bytes);
        }
        Ok(())
    }

    /// Holds a value's hash, or writes it together with the one that is held. Its own places are those from `first` on.
    fn hash(&mut self, code: &Code, own: Held, first: usize, input: &[u8]) {
        let Some(held) = self.hashes.held.take() else {
            self.hashes.held = Some(own);
            return;
        };
        let [one, two] = [&held, &own].map(|held| &code.actions.hashes[held.action as usize].mask);
        let rests = [&input[held.value.start..], &input[own.value.start..]];
        let written = hash::hash_two([&one.key, &two.key], rests, [held.value.len(), own.value.len()]);
        let (held_places, own_places) = self.hashes.places.split_at(first);
        write(&mut self.outputs, held_places, &written[0], one.digits);
        write(&mut self.outputs, own_places, &written[1], two.digits);
        self.hashes.places.clear();
    }

    /// Writes the hash that is held, if one is: before anything moves what is written already.
    pub(super) fn write_held_hash(&mut self, code: &Code, input: &[u8]) {
        let Some(held) = self.hashes.held.take() else { return };
        let mask = &code.actions.hashes[held.action as usize].mask;
        write(&mut self.outputs, &self.hashes.places, &mask.key.hash(&input[held.value]), mask.digits);
        self.hashes.places.clear();
    }
}

fn write(outputs: &mut [Output], places: &[(u16, usize)], hash: &[u8; HASH_BYTES], digits: usize) {
    let text = hash::hex(hash);
    for (output, place) in places {
        outputs[usize::from(*output)].fill_room(*place, &text[..digits]);
    }
}
