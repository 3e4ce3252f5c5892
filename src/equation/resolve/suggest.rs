//! Near misses: the known name that a misspelt one probably meant.

use crate::diag::edit_distance;

/// The candidate nearest to `name`, if it is near enough to be a slip: a third of its letters, at least one.
pub(in crate::equation) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= allowed && *edits < candidate.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let names = ["sigma", "theta", "mu"];
        assert_eq!(nearest("sigmaa", names), Some("sigma"));
        assert_eq!(nearest("thtea", names), Some("theta"));
        assert_eq!(nearest("rho", names), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
