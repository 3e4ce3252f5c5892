//! Functions that one formula serves for most numbers, another for many, and slow scalar code for a few.

/// How many numbers are looked at together for whether the formula for most serves them all.
pub(super) const CHUNK: usize = 64;

/// A function in pieces. Each formula is free of branches and calls, and inlined always, so that loops around it become
/// vector code.
pub(super) trait Pieces: Copy {
    /// Whether [`Pieces::simple`] serves.
    fn is_simple(self, x: f64) -> bool;

    /// The function where it is simple.
    fn simple(self, x: f64) -> f64;

    /// The function where it is not simple, nor rare.
    fn other(self, x: f64) -> f64;

    /// Both at once: the same operations, with what they share shared.
    #[inline(always)]
    fn either(self, x: f64) -> f64 {
        let (simple, other) = (self.simple(x), self.other(x));
        if self.is_simple(x) { simple } else { other }
    }

    /// Whether only [`Pieces::rare`] serves, as for NaN.
    fn is_rare(self, x: f64) -> bool;

    /// The scalar function.
    fn rare(self, x: f64) -> f64;
}

/// The function of each number.
#[inline(always)]
pub(super) fn pieces(from: &[f64], to: &mut [f64], function: impl Pieces) {
    let count = from.len().min(to.len());
    let (from, to) = (&from[..count], &mut to[..count]);
    let ((from, from_rest), (to, to_rest)) =
        (from.as_chunks::<CHUNK>(), to.as_chunks_mut::<CHUNK>());
    for (from, to) in from.iter().zip(to) {
        chunk(from, to, function);
    }
    chunk(from_rest, to_rest, function);
}

#[inline(always)]
fn chunk(from: &[f64], to: &mut [f64], function: impl Pieces) {
    // As numbers as wide as the reals, for the sake of vectors.
    let (mut others, mut rare) = (0_u64, 0_u64);
    for x in from {
        others |= if function.is_simple(*x) { 0 } else { 1 };
        rare |= if function.is_rare(*x) { 1 } else { 0 };
    }
    // Loops without closures, which need not be inlined: functions that are not have no wide instructions.
    if others == 0 {
        for (to, from) in to.iter_mut().zip(from) {
            *to = function.simple(*from);
        }
        return;
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = function.either(*from);
    }
    if rare != 0 {
        for (to, from) in to.iter_mut().zip(from) {
            if function.is_rare(*from) {
                *to = function.rare(*from);
            }
        }
    }
}

/// The function of one number that is not rare.
#[inline(always)]
pub(super) fn alone(x: f64, function: impl Pieces) -> f64 {
    if function.is_simple(x) {
        function.simple(x)
    } else {
        function.other(x)
    }
}
