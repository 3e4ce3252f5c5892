//! How large a container may be.

/// The most elements that one container may have: a gibibyte of reals. Memory that is not there ends a program without a word,
/// so sizes are refused before it is asked for. The number is a guess at what nobody means.
pub const MOST_ELEMENTS: usize = 1 << 27;

/// How many elements a container of these sizes has; `None` if more than [`MOST_ELEMENTS`].
pub fn element_count(dims: &[usize]) -> Option<usize> {
    let product = |count: usize, &dim: &usize| count.checked_mul(dim);
    match dims.contains(&0) {
        true => Some(0),
        false => dims
            .iter()
            .try_fold(1, product)
            .filter(|&count| count <= MOST_ELEMENTS),
    }
}

/// The sizes as a sentence gives them: `3 × 4`.
pub fn spelled_sizes(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    dims.join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stop_at_the_limit_and_do_not_overflow() {
        assert_eq!(element_count(&[]), Some(1));
        assert_eq!(element_count(&[3, 4]), Some(12));
        assert_eq!(element_count(&[usize::MAX, usize::MAX, 0]), Some(0));
        assert_eq!(element_count(&[1 << 14, 1 << 13]), Some(MOST_ELEMENTS));
        assert_eq!(element_count(&[1 << 14, 1 << 14]), None);
        assert_eq!(element_count(&[usize::MAX, usize::MAX]), None);
    }
}
