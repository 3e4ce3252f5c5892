//! Statements (R2, R9): their letters, what their left sides are, and their expressions.

use super::Resolver;
use super::gather::{lone_name, parts};
use crate::diag::{Code, Diagnostic};
use crate::equation::closure::Scope;
use crate::equation::families::{self, Family};
use crate::equation::tree::{
    Expr, ExprKind, LetterId, NameId, Purpose, Role, Statement, StatementKind, Subscript,
};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Identifier, Index, Truncation};
use crate::syntax::equation::ItemKind;
use crate::syntax::format_expression;

impl<'a> Resolver<'a> {
    /// Resolves every statement of the program.
    pub(super) fn resolve_statements(&mut self) {
        let program = self.program;
        for item in &program.items {
            match &item.kind {
                ItemKind::Index { .. } | ItemKind::Data(_) | ItemKind::Declare { .. } => {}
                ItemKind::Draw {
                    variates,
                    distribution,
                    arguments,
                    truncation,
                    ..
                } => {
                    for variate in variates {
                        let draw = Draw {
                            variate,
                            distribution,
                            arguments,
                            truncation: truncation.as_ref(),
                            span: item.span,
                        };
                        self.draw(&draw);
                    }
                }
                ItemKind::Define { term, value, .. } => {
                    let whole = term_expr(term);
                    self.define(&whole, value, item.span);
                }
                ItemKind::Target { letters, value } => self.target(letters, value, item.span),
            }
        }
        self.left = None;
        self.check_factors();
    }

    fn draw(&mut self, draw: &Draw) {
        let Some(distribution) = self.distribution(draw.distribution) else {
            return;
        };
        self.left = Some(format_expression(draw.variate));
        let scope = Scope::of(self.letters_of(draw.variate));
        let variate = match lone_name(draw.variate) {
            Some(mention) => match self.names.get(mention.name).copied() {
                Some(name) => self.left_side(name, draw.variate, mention.subscripts, &scope),
                None => None,
            },
            None => {
                let factor = self.expression(draw.variate, &scope);
                factor.map(|factor| (factor, Purpose::Factor))
            }
        };
        let arguments = self.expressions(draw.arguments, &scope);
        let truncation = match draw.truncation {
            None => Some(None),
            Some(cut) => self.bounds(cut, &scope).map(Some),
        };
        let (Some((variate, purpose)), Some(arguments), Some(truncation)) =
            (variate, arguments, truncation)
        else {
            return;
        };
        let statement = Statement {
            kind: StatementKind::Draw {
                variate,
                purpose,
                distribution,
                distribution_span: draw.distribution.span,
                arguments,
                truncation,
            },
            letters: scope.free,
            span: draw.span,
        };
        self.check_own_level(&statement);
        self.model.statements.push(statement);
    }

    fn bounds(&mut self, cut: &Truncation, scope: &Scope) -> Option<(Option<Expr>, Option<Expr>)> {
        let mut bound = |bound: &Option<ast::Expr>| match bound {
            None => Some(None),
            Some(bound) => self.expression(bound, scope).map(Some),
        };
        let (lower, upper) = (bound(&cut.lower), bound(&cut.upper));
        Some((lower?, upper?))
    }

    /// The family's own name. Aliases hold here only.
    fn distribution(&mut self, written: &Identifier) -> Option<String> {
        let name = families::unalias(&written.name);
        if Family::named(name).is_some() || self.has_density(name) {
            return Some(name.to_owned());
        }
        let title = format!("there is no distribution `{}`", written.name);
        let mut report = Diagnostic::error(Code::UnknownDistribution, title, written.span, "");
        if let Some(near) = super::nearest(&written.name, Family::names()) {
            report = report.with_hint(format!("did you mean `{near}`?"));
        }
        self.push(report);
        None
    }

    /// Whether the program's functions have a density of that name.
    fn has_density(&self, name: &str) -> bool {
        let functions = self.model.functions.iter().flat_map(|block| &block.items);
        functions
            .filter_map(|function| function.name.name.strip_prefix(name))
            .any(|suffix| matches!(suffix, "_lpdf" | "_lpmf"))
    }

    /// The variate of a draw that is a name alone, and what it says about the name.
    fn left_side(
        &mut self,
        name: NameId,
        whole: &ast::Expr,
        indices: &[Index],
        scope: &Scope,
    ) -> Option<(Expr, Purpose)> {
        let purpose = if self.is_data(name) {
            Purpose::Observation(name)
        } else {
            Purpose::Prior(name)
        };
        let subscripts = self.left_subscripts(name, whole, indices, scope)?;
        let kind = ExprKind::Name { name, subscripts };
        Some((Expr::new(kind, whole.span), purpose))
    }

    /// Subscripts on the left: letters, each once, and single elements.
    fn left_subscripts(
        &mut self,
        name: NameId,
        whole: &ast::Expr,
        indices: &[Index],
        scope: &Scope,
    ) -> Option<Vec<Subscript>> {
        let subscripts = self.subscripts(name, whole, indices, scope)?;
        let text = format_expression(whole);
        for (place, subscript) in subscripts.iter().enumerate() {
            let refusal = match subscript {
                Subscript::Letter(_) if subscripts[..place].contains(subscript) => Some((
                    Code::BadSubscript,
                    format!("`{text}` has the same index twice"),
                    "a second letter over the same set is `index … = …`",
                )),
                Subscript::Letter(_)
                | Subscript::Label { .. }
                | Subscript::First(_)
                | Subscript::Last(_) => None,
                Subscript::Map { .. } | Subscript::Part { .. } | Subscript::Membership { .. } => {
                    Some((
                        Code::PriorCount,
                        format!("`{text}` would get a statement for every row that leads to it"),
                        "put the index itself on the left",
                    ))
                }
                Subscript::Shift { .. } | Subscript::All | Subscript::Range { .. } => Some((
                    Code::BadSubscript,
                    format!("`{text}` cannot stand alone on the left"),
                    "a letter, a label, first(t) or last(t) says which elements a line is about",
                )),
            };
            if let Some((code, title, hint)) = refusal {
                self.push(Diagnostic::error(code, title, whole.span, "").with_hint(hint));
                return None;
            }
        }
        Some(subscripts)
    }

    fn define(&mut self, whole: &ast::Expr, value: &ast::Expr, span: Span) {
        self.left = Some(format_expression(whole));
        let scope = Scope::of(self.letters_of(whole));
        let value = self.expression(value, &scope);
        let Some(mention) = lone_name(whole) else {
            return;
        };
        let Some(name) = self.names.get(mention.name).copied() else {
            return;
        };
        let subscripts = self.left_subscripts(name, whole, mention.subscripts, &scope);
        let (Some(value), Some(subscripts)) = (value, subscripts) else {
            return;
        };
        self.model.statements.push(Statement {
            kind: StatementKind::Define {
                name,
                subscripts,
                value,
            },
            letters: scope.free,
            span,
        });
    }

    fn target(&mut self, letters: &[Identifier], value: &ast::Expr, span: Span) {
        let names: Vec<&str> = letters.iter().map(|letter| letter.name.as_str()).collect();
        self.left = Some(match names.as_slice() {
            [] => String::from("target"),
            names => format!("target[{}]", names.join(", ")),
        });
        let found: Vec<Option<LetterId>> =
            letters.iter().map(|letter| self.letter(letter)).collect();
        let Some(letters) = found.into_iter().collect::<Option<Vec<LetterId>>>() else {
            return;
        };
        let scope = Scope::of(letters);
        if let Some(value) = self.expression(value, &scope) {
            self.model.statements.push(Statement {
                kind: StatementKind::Target { value },
                letters: scope.free,
                span,
            });
        }
    }

    /// The letters on a left side, each once, in the order in which they stand, inside maps too.
    fn letters_of(&self, left: &ast::Expr) -> Vec<LetterId> {
        let mut letters = Vec::new();
        self.collect_letters(left, &mut letters);
        letters
    }

    fn collect_letters(&self, expr: &ast::Expr, letters: &mut Vec<LetterId>) {
        if let ast::ExprKind::Variable(name) = &expr.kind
            && let Some(letter) = self.letters.get(name.as_str())
            && !letters.contains(letter)
        {
            letters.push(*letter);
        }
        // What a reduction binds is no letter of the statement, and first(t) names an element.
        match &expr.kind {
            ast::ExprKind::Reduction { .. } => return,
            ast::ExprKind::Call { function, .. }
                if ["first", "last", "size"].contains(&function.name.as_str()) =>
            {
                return;
            }
            _ => {}
        }
        for part in parts(expr) {
            self.collect_letters(part, letters);
        }
        if let ast::ExprKind::Index { indices, .. } = &expr.kind {
            for index in indices {
                let ends = match index {
                    Index::All => [None, None],
                    Index::Single(element) => [Some(element), None],
                    Index::Range { lower, upper } => [lower.as_ref(), upper.as_ref()],
                };
                for end in ends.into_iter().flatten() {
                    self.collect_letters(end, letters);
                }
            }
        }
    }

    /// E15: no argument may pass through the outcome's own level.
    fn check_own_level(&mut self, statement: &Statement) {
        let Some((outcome, [left])) = statement.left() else {
            return;
        };
        if self.model.names[outcome.0].levels_of.is_none() {
            return;
        }
        let mut fault = None;
        for expr in statement.read() {
            expr.visit(&mut |part| {
                let own = |term: &Subscript| term.passes_through(outcome) == Some(left);
                if part.subscripts().iter().any(own) {
                    fault.get_or_insert(part.span);
                }
            });
        }
        let Some(span) = fault else { return };
        let set = self.model.names[outcome.0].levels_of;
        let letter = set.map_or("", |set| self.model.sets[set.0].name.as_str());
        let left = self
            .model
            .subscripted(self.name_text(outcome), std::slice::from_ref(left));
        let title = format!("`{left}` is predicted from its own level {letter}");
        self.error(Code::PredictsItself, title, span, "");
    }

    // Factors (R9).

    fn check_factors(&mut self) {
        let mut faults = Vec::new();
        for statement in &self.model.statements {
            if let StatementKind::Draw {
                variate,
                purpose: Purpose::Factor,
                distribution,
                ..
            } = &statement.kind
            {
                match self.degree(variate, &mut Vec::new()) {
                    Degree::Linear => {}
                    Degree::Data => faults.push(self.unnamed_data(variate)),
                    Degree::Other => faults.push(self.prior_on_function(variate, distribution)),
                }
            }
        }
        self.diagnostics.extend(faults);
    }

    fn unnamed_data(&self, variate: &Expr) -> Diagnostic {
        let text = self.model.expr_text(variate);
        Diagnostic::error(
            Code::NotGenerative,
            format!("`{text}` is computed from data, and has no name"),
            variate.span,
            "",
        )
        .with_hint(format!(
            "define it in a line of its own, as in `outcome[i] = {text}`, and give the name a distribution"
        ))
    }

    fn prior_on_function(&self, variate: &Expr, distribution: &str) -> Diagnostic {
        let text = self.model.expr_text(variate);
        let hint = match &variate.kind {
            ExprKind::Call {
                function,
                arguments,
                ..
            } if function.name == "log" && distribution == "normal" => {
                format!("write `{} ~ lognormal(…)`", self.model.list_text(arguments))
            }
            _ => String::from("give the unknowns themselves priors"),
        };
        Diagnostic::error(
            Code::NotGenerative,
            format!("`{text} ~ …` is a prior on a function of unknowns"),
            variate.span,
            "not linear in them",
        )
        .with_note("It would need the logarithm of the Jacobian, which depends on the function.")
        .with_hint(hint)
    }

    /// How an expression depends on unknowns.
    fn degree(&self, expr: &Expr, visiting: &mut Vec<NameId>) -> Degree {
        let mut of = |expr: &Expr| self.degree(expr, visiting);
        match &expr.kind {
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Size(_)
            | ExprKind::LetterValue(_)
            | ExprKind::LevelTest { .. } => Degree::Data,
            ExprKind::Name { name, .. } => self.degree_of_name(*name, visiting),
            ExprKind::Unary { operand, .. } => of(operand),
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let (left, right) = (of(left), of(right));
                match operator {
                    BinaryOp::Add | BinaryOp::Subtract => left.max(right),
                    BinaryOp::Multiply | BinaryOp::ElementMultiply => match (left, right) {
                        (Degree::Data, other) | (other, Degree::Data) => other,
                        _ => Degree::Other,
                    },
                    BinaryOp::Divide | BinaryOp::ElementDivide if right == Degree::Data => left,
                    _ if left.max(right) == Degree::Data => Degree::Data,
                    _ => Degree::Other,
                }
            }
            ExprKind::Reduce { function, body, .. } => of(body).through(&function.name),
            ExprKind::Call {
                function,
                arguments,
                ..
            } => {
                let most = arguments.iter().map(of).max().unwrap_or(Degree::Data);
                most.through(&function.name)
            }
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => match of(condition) {
                Degree::Data => of(if_true).max(of(if_false)),
                Degree::Linear | Degree::Other => Degree::Other,
            },
            ExprKind::RowVector(list) | ExprKind::Array(list) => {
                list.iter().map(of).max().unwrap_or(Degree::Data)
            }
        }
    }

    fn degree_of_name(&self, name: NameId, visiting: &mut Vec<NameId>) -> Degree {
        match self.model.names[name.0].role {
            Role::Data => Degree::Data,
            Role::Unknown => Degree::Linear,
            Role::Definition(_) if visiting.contains(&name) => Degree::Data,
            Role::Definition(_) => {
                visiting.push(name);
                let values = self
                    .model
                    .statements
                    .iter()
                    .filter_map(|statement| match &statement.kind {
                        StatementKind::Define {
                            name: defined,
                            value,
                            ..
                        } if *defined == name => Some(value),
                        _ => None,
                    });
                let most = values.map(|value| self.degree(value, visiting)).max();
                visiting.pop();
                most.unwrap_or(Degree::Data)
            }
        }
    }
}

/// A `~` statement with one variate, as written.
struct Draw<'e> {
    variate: &'e ast::Expr,
    distribution: &'e Identifier,
    arguments: &'e [ast::Expr],
    truncation: Option<&'e Truncation>,
    span: Span,
}

/// How an expression depends on unknowns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Degree {
    /// Not at all.
    Data,
    /// As a sum of multiples, plus data.
    Linear,
    /// In another way.
    Other,
}

impl Degree {
    /// What remains of it behind a function.
    fn through(self, function: &str) -> Degree {
        let is_linear = ["sum", "mean", "cumulative_sum", "to_vector"].contains(&function);
        if is_linear || self == Degree::Data {
            self
        } else {
            Degree::Other
        }
    }
}

/// A left side of `=` as an expression.
fn term_expr(term: &crate::syntax::equation::Term) -> ast::Expr {
    let name = ast::Expr {
        kind: ast::ExprKind::Variable(term.name.name.clone()),
        span: term.name.span,
    };
    if term.subscripts.is_empty() {
        return name;
    }
    ast::Expr {
        kind: ast::ExprKind::Index {
            base: Box::new(name),
            indices: term.subscripts.clone(),
        },
        span: term.span,
    }
}
