//! Values that are masked on the way.
//!
//! None of this is inlined into the walk, which would have to keep the places of all these tables at hand.

use super::{Input, Machine};
use crate::mask::compile::Code;
use crate::mask::op::{Action, Outputs};
use crate::mask::transform::IntegerMask;
use crate::mask::transform::calendar::floor_fraction;
use crate::mask::transform::seal::Subject;
use crate::mask::{MaskError, MaskErrorKind, varint};

impl Machine {
    /// Each of these reads a value, puts its masked form into the outputs and returns where the value ends.
    #[inline(never)]
    pub(super) fn mask_text(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let action = &code.actions.texts[index as usize];
        let start = input.at;
        let text = input.text()?;
        self.replace(&action.outputs, input, start, |out, work| action.mask.write(out, work, text))
    }

    #[inline(never)]
    pub(super) fn mask_bytes(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let action = &code.actions.bytes[index as usize];
        let start = input.at;
        let value = input.item()?;
        self.replace(&action.outputs, input, start, |out, _| action.mask.write(out, value))
    }

    #[inline(never)]
    pub(super) fn seal_text(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let action = &code.actions.seals[index as usize];
        let start = input.at;
        let text = input.text()?;
        self.sealing(|machine, subject| {
            machine.replace(&action.outputs, input, start, |out, work| {
                action.mask.write_text(out, work, subject, text.as_bytes())
            })
        })
    }

    #[inline(never)]
    pub(super) fn seal_bytes(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let action = &code.actions.seals[index as usize];
        let start = input.at;
        let value = input.item()?;
        self.sealing(|machine, subject| {
            machine
                .replace(&action.outputs, input, start, |out, work| action.mask.write_bytes(out, work, subject, value))
        })
    }

    /// Has the subject at hand beside the rest of the machine.
    #[inline(always)]
    fn sealing<T>(&mut self, write: impl FnOnce(&mut Machine, &Subject) -> T) -> T {
        let subject = self.subject.take().unwrap_or_default();
        let written = write(self, &subject);
        self.subject = Some(subject);
        written
    }

    #[inline(never)]
    pub(super) fn mask_fixed(
        &mut self,
        code: &Code,
        index: u32,
        size: usize,
        mut input: Input<'_>,
    ) -> Result<usize, MaskError> {
        let action = &code.actions.fixed[index as usize];
        let start = input.at;
        let value = input.fixed(size)?;
        self.replace(&action.outputs, input, start, |out, _| {
            action.mask.write(out, value);
            Ok(())
        })
    }

    #[inline(never)]
    pub(super) fn mask_int(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let start = input.at;
        let value = input.int()?;
        self.mask_integer(&code.actions.integers[index as usize], input, start, value)
    }

    #[inline(never)]
    pub(super) fn mask_long(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let start = input.at;
        let value = input.long()?;
        self.mask_integer(&code.actions.integers[index as usize], input, start, value)
    }

    #[inline(always)]
    fn mask_integer(
        &mut self,
        action: &Action<IntegerMask>,
        input: Input<'_>,
        start: usize,
        value: i64,
    ) -> Result<usize, MaskError> {
        self.replace(&action.outputs, input, start, |out, _| {
            varint::write(out, action.mask.apply(value));
            Ok(())
        })
    }

    #[inline(never)]
    pub(super) fn mask_float(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let action = &code.actions.fractions[index as usize];
        let start = input.at;
        let bytes = input.fixed(4)?.first_chunk().copied().unwrap_or_default();
        let floored = floor_fraction(f64::from(f32::from_le_bytes(bytes)), action.mask) as f32;
        self.put(&action.outputs, input, start, &floored.to_le_bytes())
    }

    #[inline(never)]
    pub(super) fn mask_double(&mut self, code: &Code, index: u32, mut input: Input<'_>) -> Result<usize, MaskError> {
        let action = &code.actions.fractions[index as usize];
        let start = input.at;
        let bytes = input.fixed(8)?.first_chunk().copied().unwrap_or_default();
        let floored = floor_fraction(f64::from_le_bytes(bytes), action.mask);
        self.put(&action.outputs, input, start, &floored.to_le_bytes())
    }

    /// Puts a constant in the place of what was read since `start`.
    #[inline(never)]
    pub(super) fn constant(
        &mut self,
        code: &Code,
        index: u32,
        input: Input<'_>,
        start: usize,
    ) -> Result<usize, MaskError> {
        let action = &code.actions.constants[index as usize];
        self.put(&action.outputs, input, start, &action.mask)
    }

    /// Begins to hide the input from some outputs.
    #[inline(never)]
    pub(super) fn cover(&mut self, code: &Code, index: u32, input: Input<'_>) {
        self.covers += 1;
        for output in &*code.actions.constants[index as usize].outputs {
            self.outputs[usize::from(*output)].cover(input.bytes, input.at, self.covers);
        }
    }

    /// Ends what the matching [`Machine::cover`] began.
    #[inline(never)]
    pub(super) fn uncover(&mut self, code: &Code, index: u32, input: Input<'_>) -> Result<(), MaskError> {
        let action = &code.actions.constants[index as usize];
        for output in &*action.outputs {
            let output = &mut self.outputs[usize::from(*output)];
            output.uncover(input.at, self.covers, &action.mask);
            output.check_length(input.at)?;
        }
        self.covers -= 1;
        Ok(())
    }

    /// Puts what `write` writes in the place of what was read since `start`. It is written once: straight into a single
    /// output, else aside and copied from there.
    #[inline(always)]
    fn replace(
        &mut self,
        outputs: &Outputs,
        input: Input<'_>,
        start: usize,
        write: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>) -> Result<(), MaskErrorKind>,
    ) -> Result<usize, MaskError> {
        if let [only] = **outputs {
            let output = &mut self.outputs[usize::from(only)];
            if !output.is_covered() {
                let written = output.replace_by(input.bytes, start, input.at, |out| write(out, &mut self.work));
                written.map_err(|kind| kind.at(start))?;
                output.check_length(start)?;
                return Ok(input.at);
            }
        }
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        let written = write(&mut value, &mut self.work).map_err(|kind| kind.at(start));
        let put = written.and_then(|()| self.put(outputs, input, start, &value));
        self.value = value;
        put
    }

    #[inline(always)]
    fn put(&mut self, outputs: &Outputs, input: Input<'_>, start: usize, value: &[u8]) -> Result<usize, MaskError> {
        for output in &**outputs {
            self.outputs[usize::from(*output)].replace(input.bytes, start, input.at, value)?;
        }
        Ok(input.at)
    }
}
