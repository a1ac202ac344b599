//! The first or the last bytes of a window of fixed size, the others cleared.
//!
//! A window is loaded and masked as a whole, so that how many of its bytes count costs no branch: how long the texts of
//! a record are cannot be foreseen.

/// Bytes of a window: a block of SHA-256, and what simdutf8 takes in one step.
pub(super) const WINDOW_BYTES: usize = 64;

/// Nothing, then all, then nothing: from its middle third on both sides any number of bytes can be kept.
const EDGES: [u8; 3 * WINDOW_BYTES] = edges();

const fn edges() -> [u8; 3 * WINDOW_BYTES] {
    let mut edges = [0; 3 * WINDOW_BYTES];
    let mut index = WINDOW_BYTES;
    while index < 2 * WINDOW_BYTES {
        edges[index] = 0xff;
        index += 1;
    }
    edges
}

/// The window with all but its first so many bytes cleared: `count` of them, [`WINDOW_BYTES`] at most.
#[inline(always)]
pub(super) fn first_of(window: &[u8; WINDOW_BYTES], count: usize) -> [u8; WINDOW_BYTES] {
    masked(window, 2 * WINDOW_BYTES - count)
}

/// The window with all but its last so many bytes cleared: `count` of them, [`WINDOW_BYTES`] at most.
#[inline(always)]
pub(super) fn last_of(window: &[u8; WINDOW_BYTES], count: usize) -> [u8; WINDOW_BYTES] {
    masked(window, count)
}

#[inline(always)]
fn masked(window: &[u8; WINDOW_BYTES], edge: usize) -> [u8; WINDOW_BYTES] {
    let mut kept = *window;
    for (byte, mask) in kept.iter_mut().zip(&EDGES[edge..edge + WINDOW_BYTES]) {
        *byte &= mask;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_bytes_is_kept_on_either_side() {
        let window = [7; WINDOW_BYTES];
        for count in 0..=WINDOW_BYTES {
            let [first, last] = [first_of(&window, count), last_of(&window, count)];
            let rest = WINDOW_BYTES - count;
            assert_eq!((&first[..count], &first[count..]), (&[7; WINDOW_BYTES][..count], &[0; WINDOW_BYTES][..rest]));
            assert_eq!((&last[..rest], &last[rest..]), (&[0; WINDOW_BYTES][..rest], &[7; WINDOW_BYTES][..count]));
        }
    }
}
