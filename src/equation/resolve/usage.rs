//! Every name that is used comes from somewhere (E5), and something uses every unknown (E4).

use std::collections::BTreeSet;

use super::Resolver;
use super::nearest;
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{NameId, Role};
use crate::source::Span;

impl<'a> Resolver<'a> {
    /// Reports names without a prior and unknowns without a use. A pair that looks like one name is one report.
    pub(super) fn check_usage(&mut self) {
        let mut unused = self.unused();
        for (name, span) in self.nameless() {
            let candidates: Vec<NameId> = unused.clone();
            let texts = candidates.iter().map(|unused| self.name_text(*unused));
            let pair = nearest(name, texts).and_then(|text| self.names.get(text).copied());
            match pair {
                Some(pair) => {
                    unused.retain(|unused| *unused != pair);
                    self.report_pair(name, span, pair);
                }
                None => self.report_nameless(name, span),
            }
        }
        for name in unused {
            self.report_unused(name);
        }
    }

    /// Names that are read and that no line declares, draws or defines, at their first place.
    fn nameless(&self) -> Vec<(&'a str, Span)> {
        let mut seen = BTreeSet::new();
        let mentions = self.uses.iter().flat_map(|uses| &uses.right);
        mentions
            .filter(|mention| !self.names.contains_key(mention.name))
            .filter(|mention| seen.insert(mention.name))
            .map(|mention| (mention.name, mention.span))
            .collect()
    }

    /// Unknowns that nothing reads, other than statements about themselves.
    fn unused(&self) -> Vec<NameId> {
        let mut used = BTreeSet::new();
        for uses in &self.uses {
            for mention in &uses.right {
                let about_itself = uses.left.iter().all(|left| left.name == mention.name);
                if uses.left.is_empty() || !about_itself {
                    used.insert(mention.name);
                }
            }
        }
        let names = self.model.names.iter().enumerate();
        names
            .filter(|(_, name)| name.role == Role::Unknown && !used.contains(name.name.as_str()))
            .map(|(position, _)| NameId(position))
            .collect()
    }

    fn report_pair(&mut self, name: &str, span: Span, unused: NameId) {
        let found = &self.model.names[unused.0];
        let title = format!(
            "`{name}` has no prior; `{}` has one that nothing uses",
            found.name
        );
        let prior = found.span;
        self.push(
            Diagnostic::error(Code::NoPrior, title, span, "used here")
                .with_secondary(prior, "nothing uses this")
                .with_hint(format!(
                    "is it the same name? A flat prior is `param {name}`"
                )),
        );
    }

    fn report_nameless(&mut self, name: &'a str, span: Span) {
        let title = format!("`{name}` has no prior, and is not declared as data");
        let near = nearest(name, self.names.keys().copied());
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "give it a prior, as in `{name} ~ normal(0, 1)`; a flat one is `param {name}`; data are declared: `data {name}`"
            ),
        };
        self.push(Diagnostic::error(Code::NoPrior, title, span, "").with_hint(hint));
    }

    fn report_unused(&mut self, name: NameId) {
        let found = &self.model.names[name.0];
        let letters = self.model.axes_text(&found.axes);
        let shown = if letters.is_empty() {
            found.name.clone()
        } else {
            format!("{}[{letters}]", found.name)
        };
        let title = format!("nothing depends on `{}`", found.name);
        let span = found.span;
        self.push(
            Diagnostic::error(
                Code::NothingDepends,
                title,
                span,
                "an unknown that nothing uses",
            )
            .with_hint(format!("if it is data, declare it: `data {shown}`")),
        );
    }
}
