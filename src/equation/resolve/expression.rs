//! Expressions: names, reductions (R3) and tests of levels resolved; the rest as it stands.

use super::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::equation::closure::Scope;
use crate::equation::tree::{Expr, ExprKind, LetterId, NameId, Set, SetId, SetKind, Subscript};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Identifier, Index};
use crate::syntax::format_expression;

impl Resolver<'_> {
    /// An expression, given the letters that are free where it stands.
    ///
    /// Reports what has no place in the equation form, and letters that are not usable.
    pub(super) fn expression(&mut self, expr: &ast::Expr, scope: &Scope) -> Option<Expr> {
        let kind = match &expr.kind {
            ast::ExprKind::Int(value) => ExprKind::Int(*value),
            ast::ExprKind::Real(value) => ExprKind::Real(*value),
            ast::ExprKind::Variable(name) => return self.name(name, &[], expr, scope),
            ast::ExprKind::Index { base, indices } => {
                let ast::ExprKind::Variable(name) = &base.kind else {
                    return self.refuse(
                        expr,
                        "name what is indexed in a line of its own, and index the name",
                    );
                };
                return self.name(name, indices, expr, scope);
            }
            ast::ExprKind::Unary { operator, operand } => ExprKind::Unary {
                operator: *operator,
                operand: Box::new(self.expression(operand, scope)?),
            },
            ast::ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                if let Some(test) = self.level_test(*operator, left, right, scope) {
                    return test.map(|kind| Expr::new(kind, expr.span));
                }
                let left = self.expression(left, scope);
                let right = self.expression(right, scope);
                ExprKind::Binary {
                    operator: *operator,
                    left: Box::new(left?),
                    right: Box::new(right?),
                }
            }
            ast::ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => {
                let [condition, if_true, if_false] =
                    [condition, if_true, if_false].map(|part| self.expression(part, scope));
                ExprKind::Ternary {
                    condition: Box::new(condition?),
                    if_true: Box::new(if_true?),
                    if_false: Box::new(if_false?),
                }
            }
            ast::ExprKind::Call {
                function,
                arguments,
                bar,
            } => {
                if let Some(size) = self.size_of_set(&function.name, arguments) {
                    size
                } else {
                    ExprKind::Call {
                        function: function.clone(),
                        arguments: self.expressions(arguments, scope)?,
                        bar: *bar,
                    }
                }
            }
            ast::ExprKind::Reduction {
                function,
                letters,
                body,
            } => return self.reduction(function, letters, body, expr.span, scope),
            ast::ExprKind::RowVector(list) => ExprKind::RowVector(self.expressions(list, scope)?),
            ast::ExprKind::Array(list) => ExprKind::Array(self.expressions(list, scope)?),
            ast::ExprKind::Text(text) => {
                let title = format!("the text \"{text}\" is not a number");
                self.push(
                    Diagnostic::error(Code::NotInThisForm, title, expr.span, "").with_note(
                        "Text stands in subscripts (`d[\"US\"]`) and is compared with levels (`sex[i] == \"F\"`).",
                    ),
                );
                return None;
            }
            ast::ExprKind::Imaginary(_)
            | ast::ExprKind::Projection { .. }
            | ast::ExprKind::Target
            | ast::ExprKind::Tuple(_) => {
                return self.refuse(expr, "write this model in block form, or without it");
            }
        };
        Some(Expr::new(kind, expr.span))
    }

    /// Several expressions; all are looked at, even after a fault.
    pub(super) fn expressions(&mut self, list: &[ast::Expr], scope: &Scope) -> Option<Vec<Expr>> {
        let resolved: Vec<Option<Expr>> = list
            .iter()
            .map(|expr| self.expression(expr, scope))
            .collect();
        resolved.into_iter().collect()
    }

    fn refuse<T>(&mut self, expr: &ast::Expr, hint: &str) -> Option<T> {
        let title = format!(
            "`{}` has no place in the equation form",
            format_expression(expr)
        );
        self.push(Diagnostic::error(Code::NotInThisForm, title, expr.span, "").with_hint(hint));
        None
    }

    fn name(
        &mut self,
        name: &str,
        indices: &[Index],
        expr: &ast::Expr,
        scope: &Scope,
    ) -> Option<Expr> {
        if let Some(letter) = self.letters.get(name) {
            self.report_letter(*letter, expr.span);
            return None;
        }
        // A name that nothing declares has been reported by `check_usage`.
        let id = *self.names.get(name)?;
        let subscripts = self.subscripts(id, expr, indices, scope)?;
        let kind = ExprKind::Name {
            name: id,
            subscripts,
        };
        Some(Expr::new(kind, expr.span))
    }

    fn report_letter(&mut self, letter: LetterId, span: Span) {
        let found = &self.model.letters[letter.0];
        let name = found.name.clone();
        let column = match &self.model.sets[found.set.0].kind {
            SetKind::Levels { columns, .. } => columns.first(),
            SetKind::Rows | SetKind::Fixed(_) | SetKind::Combinations { .. } => None,
        };
        let hint = match column {
            Some(column) => format!(
                "use its column, `{}[…]`, or the number of its elements, `size({name})`",
                self.name_text(*column)
            ),
            None => format!("the number of its elements is `size({name})`"),
        };
        let title = format!("`{name}` is an index, not a number");
        self.push(Diagnostic::error(Code::LetterAsNumber, title, span, "").with_hint(hint));
    }

    fn size_of_set(&self, function: &str, arguments: &[ast::Expr]) -> Option<ExprKind> {
        let [argument] = arguments else { return None };
        let ast::ExprKind::Variable(name) = &argument.kind else {
            return None;
        };
        let letter = self.letters.get(name.as_str())?;
        (function == "size").then(|| ExprKind::Size(self.model.letters[letter.0].set))
    }

    /// `sex[i] == "F"`; `None` if neither side is text.
    fn level_test(
        &mut self,
        operator: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: &Scope,
    ) -> Option<Option<ExprKind>> {
        let negated = match operator {
            BinaryOp::Equal => false,
            BinaryOp::NotEqual => true,
            _ => return None,
        };
        let (column, label) = match (&left.kind, &right.kind) {
            (_, ast::ExprKind::Text(label)) => (left, label),
            (ast::ExprKind::Text(label), _) => (right, label),
            _ => return None,
        };
        Some(self.level_test_of(column, label, negated, scope))
    }

    fn level_test_of(
        &mut self,
        column: &ast::Expr,
        label: &str,
        negated: bool,
        scope: &Scope,
    ) -> Option<ExprKind> {
        let resolved = self.expression(column, scope)?;
        let ExprKind::Name { name, subscripts } = resolved.kind else {
            return self.refuse(column, "only columns are compared with text");
        };
        if self.model.names[name.0].role != crate::equation::tree::Role::Data {
            return self.refuse(column, "only columns of the data are compared with text");
        }
        let set = self.set_of_levels(name);
        let listed = self.model.listed_labels(set);
        if !listed.is_empty() && !listed.contains(&label) {
            let title = format!(
                "`{label}` is not among the levels of `{}`",
                self.name_text(name)
            );
            self.error(Code::BadSubscript, title, column.span, "");
            return None;
        }
        Some(ExprKind::LevelTest {
            column: name,
            subscripts,
            label: label.to_owned(),
            negated,
        })
    }

    /// The set of a column's levels: one without a letter, if no index is declared over the column.
    fn set_of_levels(&mut self, column: NameId) -> SetId {
        if let Some(set) = self.model.names[column.0].levels_of {
            return set;
        }
        let set = SetId(self.model.sets.len());
        let name = &mut self.model.names[column.0];
        name.levels_of = Some(set);
        self.model.sets.push(Set {
            name: name.name.clone(),
            kind: SetKind::Levels {
                columns: vec![column],
                order: None,
            },
            span: name.span,
        });
        set
    }

    /// `f[i](e)` (R3).
    fn reduction(
        &mut self,
        function: &Identifier,
        letters: &[Identifier],
        body: &ast::Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Expr> {
        let mut bound = Vec::new();
        for letter in letters {
            let found = self.letter(letter)?;
            if scope.free.contains(&found) || bound.contains(&found) {
                let title = format!("`{}` has a value here already", letter.name);
                let hint = format!(
                    "a second letter over the same set: `index … = {}`",
                    letter.name
                );
                self.push(
                    Diagnostic::error(Code::BadSubscript, title, letter.span, "").with_hint(hint),
                );
                return None;
            }
            bound.push(found);
        }
        let agreeing = self.agreeing(&bound, scope, span)?;
        let mut inside = scope.clone();
        inside.free.extend(&bound);
        inside.agreeing.extend(agreeing.iter().cloned());
        let body = self.expression(body, &inside)?;
        let kind = ExprKind::Reduce {
            function: function.clone(),
            letters: bound,
            agreeing: (agreeing.into_iter())
                .map(|(letter, term)| (term, Subscript::Letter(letter)))
                .collect(),
            body: Box::new(body),
        };
        Some(Expr::new(kind, span))
    }

    /// The free letters that a reduction's letters determine, each with its term in them.
    fn agreeing(
        &mut self,
        bound: &[LetterId],
        scope: &Scope,
        span: Span,
    ) -> Option<Vec<(LetterId, Subscript)>> {
        let own = Scope::of(bound.to_vec());
        let mut agreeing = Vec::new();
        for letter in &scope.free {
            let terms = own.terms(&self.model, *letter);
            match terms.as_slice() {
                [] => {}
                [term] => agreeing.push((*letter, term.clone())),
                [..] => {
                    let name = &self.model.letters[letter.0].name;
                    let ways: Vec<String> = terms
                        .iter()
                        .map(|term| format!("`{}`", self.model.term_text(term)))
                        .collect();
                    let title = format!("`{name}` is reached by {}", ways.join(" and by "));
                    let note = format!(
                        "The reduction runs over the values that agree with `{name}`, and there are several ways to agree."
                    );
                    self.push(
                        Diagnostic::error(Code::SeveralWays, title, span, "").with_note(note),
                    );
                    return None;
                }
            }
        }
        Some(agreeing)
    }
}
