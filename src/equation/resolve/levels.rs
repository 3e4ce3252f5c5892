//! Where definitions are computed (3d.1): from data alone, for the target, or for the reader.

use super::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{
    Expr, ExprKind, Level, NameId, Role, Statement, StatementKind, Subscript,
};

impl Resolver<'_> {
    /// Finds the definitions that the target needs. Those from data alone are known already.
    pub(super) fn find_levels(&mut self) {
        let mut needed: Vec<NameId> = Vec::new();
        for statement in &self.model.statements {
            let is_needed = match &statement.kind {
                StatementKind::Draw { .. } | StatementKind::Target { .. } => true,
                // The fixed elements of an unknown.
                StatementKind::Define { name, .. } => {
                    self.model.names[name.0].role == Role::Unknown
                }
            };
            if is_needed {
                for expr in statement.expressions() {
                    note_names(expr, &mut needed);
                }
            }
        }
        needed.extend(self.names_in_types());
        let mut next = 0;
        while next < needed.len() {
            let name = needed[next];
            for value in self.values(name) {
                note_names(value, &mut needed);
            }
            next += 1;
        }
        for name in needed {
            if self.model.names[name.0].role == Role::Definition(Level::Generated) {
                self.model.names[name.0].role = Role::Definition(Level::Target);
            }
        }
        self.refuse_random_target();
    }

    /// The names in the bounds of declared types.
    fn names_in_types(&self) -> Vec<NameId> {
        let mut found = Vec::new();
        for name in &self.model.names {
            if let Some(declared) = &name.declared
                && let crate::syntax::ast::Bounds::Interval {
                    lower: first,
                    upper: second,
                }
                | crate::syntax::ast::Bounds::Affine {
                    offset: first,
                    multiplier: second,
                } = &declared.bounds
            {
                for bound in [first, second].into_iter().flatten() {
                    self.note_written_names(bound, &mut found);
                }
            }
        }
        found
    }

    fn note_written_names(&self, expr: &crate::syntax::ast::Expr, found: &mut Vec<NameId>) {
        if let Some(lone) = super::gather::lone_name(expr) {
            found.extend(self.names.get(lone.name));
            return;
        }
        for part in super::gather::parts(expr) {
            self.note_written_names(part, found);
        }
    }

    /// The values that a name is defined as.
    pub(super) fn values(&self, name: NameId) -> Vec<&Expr> {
        self.model
            .statements
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Define {
                    name: defined,
                    value,
                    ..
                } if *defined == name => Some(value),
                _ => None,
            })
            .collect()
    }

    fn refuse_random_target(&mut self) {
        let mut faults = Vec::new();
        for statement in &self.model.statements {
            if !self.is_in_target(statement) {
                continue;
            }
            for expr in statement.read() {
                expr.visit(&mut |part| {
                    if let ExprKind::Call { function, .. } = &part.kind
                        && function.name.ends_with("_rng")
                    {
                        faults.push(part.span);
                    }
                });
            }
        }
        for span in faults {
            self.push(
                Diagnostic::error(
                    Code::NoRandomHere,
                    "the target cannot depend on random numbers",
                    span,
                    "",
                )
                .with_hint("an unknown with a distribution is written with `~`"),
            );
        }
    }

    fn is_in_target(&self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Draw { .. } | StatementKind::Target { .. } => true,
            StatementKind::Define { name, .. } => {
                self.model.names[name.0].role != Role::Definition(Level::Generated)
            }
        }
    }
}

/// Adds the names that an expression reads, in its subscripts too.
fn note_names(expr: &Expr, found: &mut Vec<NameId>) {
    expr.visit(&mut |part| {
        if let ExprKind::Name { name, .. } = &part.kind
            && !found.contains(name)
        {
            found.push(*name);
        }
        for subscript in part.subscripts() {
            note_subscript(subscript, found);
        }
    });
}

fn note_subscript(subscript: &Subscript, found: &mut Vec<NameId>) {
    subscript.visit(&mut |part| match part {
        Subscript::Map { column, .. } if !found.contains(column) => found.push(*column),
        Subscript::Shift { by, .. } => note_names(by, found),
        _ => {}
    });
}
