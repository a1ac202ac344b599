/// Choices drawn from an input's bytes. Once those are used up every choice is the first, so that whatever is grown from
/// it ends.
#[derive(Debug)]
pub struct Draw<'i> {
    rest: &'i [u8],
}

impl<'i> Draw<'i> {
    /// The choices of an input.
    pub fn new(input: &'i [u8]) -> Draw<'i> {
        Draw { rest: input }
    }

    /// The bytes that nothing has been drawn from.
    pub fn rest(self) -> &'i [u8] {
        self.rest
    }

    /// Whether all is used up.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// Any number.
    #[allow(clippy::should_implement_trait, reason = "the generator of the compatibility tests calls it so, too")]
    pub fn next(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// A number below a limit of at most 256; 0 if the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    /// True once in so many times; false when all is used up.
    pub fn chance(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of several, of which there is at least one.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Up to so many bytes.
    pub fn bytes(&mut self, limit: usize) -> &'i [u8] {
        let length = self.below(limit + 1).min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        bytes
    }
}
