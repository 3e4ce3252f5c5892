//! Names that need each other (3d.2): legal if every cycle goes through a lag of one index, else E14.

use super::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{Expr, ExprKind, NameId, Role, SetId, Subscript};
use crate::source::Span;

/// One use: a statement about `from` reads `to`.
#[derive(Clone, Debug)]
struct Use {
    from: NameId,
    to: NameId,
    /// The sets along which it reads an earlier element.
    lagged: Vec<SetId>,
    /// The sets along which it reads the same element.
    same: Vec<SetId>,
    span: Span,
}

impl Resolver<'_> {
    /// Refuses definitions and priors without an order of computation.
    pub(super) fn check_cycles(&mut self) {
        let uses = self.all_uses();
        let mut done: Vec<NameId> = Vec::new();
        for position in 0..self.model.names.len() {
            let name = NameId(position);
            if done.contains(&name) {
                continue;
            }
            let component = component(name, &uses);
            done.extend(&component);
            let inside: Vec<&Use> = uses
                .iter()
                .filter(|found| component.contains(&found.from) && component.contains(&found.to))
                .collect();
            if !inside.is_empty() && !self.has_order(&inside) {
                self.report_cycle(&component, &inside);
            }
        }
    }

    fn all_uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        for statement in &self.model.statements {
            let Some((from, left)) = statement.left() else {
                continue;
            };
            for expr in statement.read() {
                expr.visit(&mut |part| {
                    if let ExprKind::Name { name, subscripts } = &part.kind
                        && self.is_computed(*name)
                    {
                        uses.push(self.one_use(from, left, *name, subscripts, part.span));
                    }
                    // A term reads the columns on its way.
                    for column in columns_of(part) {
                        if self.is_computed(column) {
                            uses.push(self.one_use(from, left, column, &[], part.span));
                        }
                    }
                });
            }
        }
        uses
    }

    /// Whether statements say what a name is, or how it is distributed.
    fn is_computed(&self, name: NameId) -> bool {
        let found = &self.model.names[name.0];
        found.role != Role::Data || found.is_observed
    }

    fn one_use(
        &self,
        from: NameId,
        left: &[Subscript],
        to: NameId,
        subscripts: &[Subscript],
        span: Span,
    ) -> Use {
        let (mut lagged, mut same) = (Vec::new(), Vec::new());
        for subscript in subscripts {
            let Some(set) = self.model.set_of(subscript) else {
                continue;
            };
            let own = left
                .iter()
                .find(|term| self.model.set_of(term) == Some(set));
            if own == Some(subscript) {
                same.push(set);
            } else if own.is_some_and(|own| self.is_earlier(subscript, own)) {
                lagged.push(set);
            }
        }
        Use {
            from,
            to,
            lagged,
            same,
            span,
        }
    }

    /// Whether a subscript certainly names an element before `own`.
    fn is_earlier(&self, subscript: &Subscript, own: &Subscript) -> bool {
        match (subscript, own) {
            (Subscript::Shift { of, by }, _) => {
                **of == *own
                    && match &by.kind {
                        ExprKind::Unary { .. } | ExprKind::Int(_) => {
                            by.constant().is_none_or(|steps| steps < 0)
                        }
                        _ => false,
                    }
            }
            (Subscript::First(_), Subscript::Letter(_)) => true,
            (Subscript::Label { label: one, .. }, Subscript::Label { label: other, .. }) => {
                matches!((one.parse::<i64>(), other.parse::<i64>()), (Ok(one), Ok(other)) if one < other)
            }
            _ => false,
        }
    }

    /// Whether some index orders the uses: each reads an earlier or the same element, and those of the same one are
    /// free of cycles.
    fn has_order(&self, inside: &[&Use]) -> bool {
        let mut sets: Vec<SetId> = inside
            .iter()
            .flat_map(|found| &found.lagged)
            .copied()
            .collect();
        sets.dedup();
        sets.into_iter().any(|set| {
            let moves = |found: &&&Use| !found.lagged.contains(&set);
            let same: Vec<&Use> = inside.iter().filter(moves).copied().collect();
            same.iter().all(|found| found.same.contains(&set)) && is_free_of_cycles(&same)
        })
    }

    fn report_cycle(&mut self, component: &[NameId], inside: &[&Use]) {
        let mut texts: Vec<String> = component
            .iter()
            .map(|name| format!("`{}`", self.name_text(*name)))
            .collect();
        let title = match (texts.len(), texts.pop()) {
            (1, Some(only)) => format!("{only} depends on itself"),
            (_, Some(last)) => format!("{} and {last} define each other", texts.join(", ")),
            (_, None) => return,
        };
        let mut report = Diagnostic::error(Code::NotGenerative, title, inside[0].span, "");
        for further in &inside[1..] {
            report = report.with_secondary(further.span, "and here");
        }
        self.push(report.with_note(
            "Names may depend on each other only through earlier elements of one index, as in `x[t] ~ normal(x[t-1], s)`.",
        ));
    }
}

/// The columns that the subscripts behind a name pass through.
fn columns_of(expr: &Expr) -> Vec<NameId> {
    let mut columns = Vec::new();
    for subscript in expr.subscripts() {
        let mut term = subscript;
        loop {
            term = match term {
                Subscript::Map { column, of } => {
                    // An element that is reached through an earlier row's level depends on no later one.
                    if !matches!(**of, Subscript::Shift { .. }) {
                        columns.push(*column);
                    }
                    of
                }
                Subscript::Part { of, .. }
                | Subscript::Membership { of, .. }
                | Subscript::Shift { of, .. } => of,
                _ => break,
            };
        }
    }
    columns
}

/// The names that a name reaches and that reach it.
fn component(name: NameId, uses: &[Use]) -> Vec<NameId> {
    let reached = |forwards: bool| {
        let mut found = vec![name];
        let mut next = 0;
        while next < found.len() {
            for one in uses {
                let (from, to) = if forwards {
                    (one.from, one.to)
                } else {
                    (one.to, one.from)
                };
                if from == found[next] && !found.contains(&to) {
                    found.push(to);
                }
            }
            next += 1;
        }
        found
    };
    let (down, up) = (reached(true), reached(false));
    down.into_iter().filter(|name| up.contains(name)).collect()
}

fn is_free_of_cycles(uses: &[&Use]) -> bool {
    let mut rest: Vec<&Use> = uses.to_vec();
    loop {
        let before = rest.len();
        let sources: Vec<NameId> = rest.iter().map(|found| found.from).collect();
        // A use of what uses nothing itself is part of no cycle.
        rest.retain(|found| sources.contains(&found.to));
        if rest.is_empty() {
            return true;
        }
        if rest.len() == before {
            return false;
        }
    }
}
