//! Arrays with several owners: what a data file holds is held once, by everyone from the reader to the compiled code.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An array that owners share until one of them changes it.
///
/// Cloning costs nothing, whatever the length; it reads as a slice.
#[derive(Clone, Default, PartialEq)]
pub struct Shared<T>(Arc<Vec<T>>);

impl<T: Clone> Shared<T> {
    /// The array for changing it; copied first if it has another owner.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Shared<T> {
        Shared(Arc::new(values))
    }
}

impl<T> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Shared<T> {
        Vec::from_iter(values).into()
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_owners_own() {
        let first: Shared<i64> = vec![1, 2, 3].into();
        let mut second = first.clone();
        assert!(std::ptr::eq(first.as_ptr(), second.as_ptr()));
        second.to_mut()[1] = 7;
        assert_eq!((&*first, &*second), (&[1, 2, 3][..], &[1, 7, 3][..]));
        let place = second.as_ptr();
        second.to_mut()[2] = 9;
        assert!(
            std::ptr::eq(place, second.as_ptr()),
            "an only owner copies nothing"
        );
    }
}
