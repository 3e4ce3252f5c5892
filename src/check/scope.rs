//! Names of variables: nested scopes, and guesses at what a misspelt name meant.

use crate::diag::edit_distance;
use crate::ir::VarId;
use crate::source::Span;

/// A visible variable.
#[derive(Clone, Debug)]
pub(super) struct Binding<'a> {
    /// Its name.
    pub name: &'a str,
    /// The variable; `None` if its declaration was at fault, so that its uses are not reported again.
    pub variable: Option<VarId>,
    /// Where it is declared.
    pub span: Span,
}

/// The visible variables, innermost scope last.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes<'a> {
    bindings: Vec<Binding<'a>>,
    starts: Vec<usize>,
}

impl<'a> Scopes<'a> {
    /// Opens a scope inside of the current one.
    pub fn enter(&mut self) {
        self.starts.push(self.bindings.len());
    }

    /// Closes the innermost scope: its names are gone.
    pub fn leave(&mut self) {
        self.bindings.truncate(self.starts.pop().unwrap_or(0));
    }

    /// Makes a variable visible until its scope ends.
    pub fn bind(&mut self, binding: Binding<'a>) {
        self.bindings.push(binding);
    }

    /// The visible variable of that name.
    pub fn find(&self, name: &str) -> Option<&Binding<'a>> {
        self.bindings
            .iter()
            .rev()
            .find(|binding| binding.name == name)
    }

    /// Whether no scope has been entered: declarations here belong to the block itself.
    pub fn at_top(&self) -> bool {
        self.starts.is_empty()
    }

    /// Every visible name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.bindings.iter().map(|binding| binding.name)
    }
}

/// The name most like `wanted`, if one is like enough to be what was meant: at most one letter in three differs.
pub(super) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = wanted.chars().count().div_ceil(3);
    names
        .filter(|name| *name != wanted)
        .map(|name| (edit_distance(wanted, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found() {
        let names = ["sigma", "sigma_y", "mu", "theta"];
        let nearest = |wanted| nearest(wanted, names.into_iter());
        assert_eq!(nearest("simga"), Some("sigma"));
        assert_eq!(nearest("thetta"), Some("theta"));
        assert_eq!(nearest("alpha"), None);
    }

    #[test]
    fn inner_names_end_with_their_scope() {
        let mut scopes = Scopes::default();
        let binding = |name| Binding {
            name,
            variable: None,
            span: Span::default(),
        };
        scopes.bind(binding("a"));
        scopes.enter();
        scopes.bind(binding("b"));
        assert!(scopes.find("b").is_some());
        scopes.leave();
        assert!(scopes.find("b").is_none() && scopes.find("a").is_some());
    }
}
