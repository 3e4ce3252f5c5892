//! Reductions (R3): over everything as one call where that is possible, over groups by lists of their members, else a loop.

use super::build;
use super::context::{Auxiliary, Lowering};
use super::domain::{Domain, joined};
use super::form::{Element, Form, Value};
use super::scope::Scope;
use super::{families, usage};
use crate::equation::tree::{Expr, ExprKind, LetterId, Level, Role, Subscript};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, BinaryOp, Bounds};

/// The variables that list the members of each group: all elements sorted by group, and where each group begins and ends.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// The elements, sorted by group.
    sorted: String,
    /// The place of each group's first element.
    first: String,
    /// The place of each group's last element.
    last: String,
}

impl Lowering<'_> {
    /// `f[i](e)`: the value for the elements that agree with the letters in scope.
    pub(super) fn reduction(
        &mut self,
        function: &ast::Identifier,
        letters: &[LetterId],
        agreeing: &[(Subscript, Subscript)],
        body: &Expr,
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        if let ([letter], []) = (letters, agreeing)
            && let Some(value) = self.reduced_at_once(function, *letter, body, scope, span)
        {
            return value;
        }
        match (letters, agreeing) {
            ([letter], [(bound, free)]) => {
                let members = self.members(*letter, bound, free, span);
                self.reduced_group(function, *letter, &members, free, body, scope, span)
            }
            _ => self.reduced_by_loop(function, letters, agreeing, body, scope, span),
        }
    }

    /// `mean(x)` for `mean[i](x[i])`.
    fn reduced_at_once(
        &mut self,
        function: &ast::Identifier,
        letter: LetterId,
        body: &Expr,
        scope: &mut Scope,
        span: Span,
    ) -> Option<Value> {
        if !Domain::of_body(self.model, body).is_whole(letter) {
            return None;
        }
        let values = self.vectorised(body, letter, scope)?;
        (!values.form.is_scalar()).then(|| reduce(function, values, span))
    }

    /// The lists of the elements of each group, as transformed data; one set of lists serves all reductions over a grouping.
    fn members(
        &mut self,
        letter: LetterId,
        bound: &Subscript,
        free: &Subscript,
        span: Span,
    ) -> Members {
        if let Some((_, members)) = self.groups.iter().find(|(known, _)| known == bound) {
            return members.clone();
        }
        let set = self.set_of(letter);
        let groups = match free {
            Subscript::Letter(free) => self.set_of(*free),
            _ => set,
        };
        let element = self.model.letters[letter.0].name.clone();
        let group = self.model.sets[groups.0].name.clone();
        let members = Members {
            sorted: self.namer.take(&format!("{element}_by_{group}")),
            first: self.namer.take(&format!("first_{element}_of_{group}")),
            last: self.namer.take(&format!("last_{element}_of_{group}")),
        };
        let keys = self.gathered(bound, letter, span);
        let Some(ast::Index::Single(keys)) = keys else {
            self.refuse("elements cannot be grouped in this way", span);
            return members;
        };
        let count = self.size(set, span);
        let number = self.size(groups, span);
        let row = self.row_variable();
        let statements = member_lists(&members, &keys, &row, count, number, span);
        self.auxiliaries.push(Auxiliary {
            statements,
            names: vec![
                members.sorted.clone(),
                members.first.clone(),
                members.last.clone(),
            ],
        });
        self.groups.push((bound.clone(), members.clone()));
        members
    }

    #[allow(clippy::too_many_arguments)]
    fn reduced_group(
        &mut self,
        function: &ast::Identifier,
        letter: LetterId,
        members: &Members,
        free: &Subscript,
        body: &Expr,
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        let group = self.position(free, scope, span);
        let end = |of: &str| build::element(build::variable(of, span), group.clone(), span);
        let (first, last) = (end(&members.first), end(&members.last));
        let sorted = || build::variable(members.sorted.clone(), span);
        if let ExprKind::Name { name, subscripts } = &body.kind
            && subscripts.last() == Some(&Subscript::Letter(letter))
            && let Some(all) = self.gathered_name(*name, subscripts, letter, scope, span)
            && matches!(all.expr.kind, ast::ExprKind::Variable(_))
        {
            let part = build::indexed(sorted(), vec![build::range(first, last)], span);
            let values = Value::new(build::element(all.expr, part, span), all.form);
            return reduce(function, values, span);
        }
        // The members one by one: n is a place in the sorted list.
        let place = self.namer.take("n");
        let member = build::element(sorted(), build::variable(place.clone(), span), span);
        let mut inner = Scope {
            terms: scope.terms.clone(),
            ..Scope::default()
        };
        inner.terms.push((letter, member));
        let value = self.expr(body, &mut inner);
        let size = build::shifted(
            build::binary(BinaryOp::Subtract, last.clone(), first.clone(), span),
            1,
            span,
        );
        let at = build::shifted(
            build::binary(
                BinaryOp::Subtract,
                build::variable(place.clone(), span),
                first.clone(),
                span,
            ),
            1,
            span,
        );
        let collected = self.collector(function, value.form, size, span);
        let mut statements = inner.prelude;
        statements.push(collected.store(at, value, span));
        scope.prelude.extend(collected.declared.clone());
        scope
            .prelude
            .push(build::for_loop(&place, first, last, statements, span));
        collected.result(function, span)
    }

    /// Any other reduction: over several letters, by several agreements, or of what no vector says at once.
    fn reduced_by_loop(
        &mut self,
        function: &ast::Identifier,
        letters: &[LetterId],
        agreeing: &[(Subscript, Subscript)],
        body: &Expr,
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        let model = self.model;
        let mut inner = scope.clone();
        inner.prelude.clear();
        let mut loops = Vec::new();
        let mut size: Option<ast::Expr> = None;
        let domain = Domain::of_body(model, body);
        for &letter in letters {
            let (lower, upper) = self.ends_of(letter, &domain, span);
            let variable = inner.bind(self, letter, span);
            let number = match build::literal(&lower) {
                Some(lower) => build::shifted(upper.clone(), 1 - lower, span),
                None => upper.clone(),
            };
            size = Some(match size {
                None => number,
                Some(size) => build::binary(BinaryOp::Multiply, size, number, span),
            });
            loops.push((variable, lower, upper));
        }
        let mut agreements = Vec::new();
        for (bound, free) in agreeing {
            let bound = self.position(bound, &mut inner, span);
            let free = self.position(free, scope, span);
            agreements.push(build::binary(BinaryOp::Equal, bound, free, span));
        }
        let condition = joined(agreements, BinaryOp::And, span);
        let value = self.expr(body, &mut inner);
        let wrap = |statements: Vec<ast::Stmt>| {
            let statements = match &condition {
                None => statements,
                Some(condition) => vec![build::if_then(condition.clone(), statements, span)],
            };
            let around = |inside, (variable, lower, upper): &(String, ast::Expr, ast::Expr)| {
                let (lower, upper) = (lower.clone(), upper.clone());
                vec![build::for_loop(variable, lower, upper, inside, span)]
            };
            loops.iter().rev().fold(statements, around)
        };
        let mut size = size.unwrap_or_else(|| build::int(1, span));
        if condition.is_some() && function.name != "sum" {
            let number = self.namer.take("number");
            scope.prelude.push(build::declare(
                build::basic_type(BaseType::Int, Bounds::None, Vec::new(), span),
                &number,
                Some(build::int(0, span)),
                span,
            ));
            scope.prelude.extend(wrap(vec![one_more(&number, span)]));
            size = build::variable(number, span);
        }
        let collected = self.collector(function, value.form, size, span);
        scope.prelude.extend(collected.declared.clone());
        let mut statements = std::mem::take(&mut inner.prelude);
        match (&collected.sums, letters, &condition) {
            (false, [letter], None) => {
                let at = self.position(&Subscript::Letter(*letter), &mut inner, span);
                let first = loops
                    .first()
                    .and_then(|(_, lower, _)| build::literal(lower));
                let at = build::shifted(at, 1 - first.unwrap_or(1), span);
                statements.push(collected.store(at, value, span));
            }
            (false, ..) => {
                let place = self.namer.take("place");
                scope.prelude.push(build::declare(
                    build::basic_type(BaseType::Int, Bounds::None, Vec::new(), span),
                    &place,
                    Some(build::int(0, span)),
                    span,
                ));
                statements.push(one_more(&place, span));
                statements.push(collected.store(build::variable(place, span), value, span));
            }
            (true, ..) => statements.push(collected.store(build::int(1, span), value, span)),
        }
        scope.prelude.extend(wrap(statements));
        collected.result(function, span)
    }

    fn collector(
        &mut self,
        function: &ast::Identifier,
        form: Form,
        size: ast::Expr,
        span: Span,
    ) -> Collector {
        let is_int = form == Form::INT;
        let scalar = if is_int {
            BaseType::Int
        } else {
            BaseType::Real
        };
        if function.name == "sum" && form.is_scalar() {
            let name = self.namer.take("total");
            let spec = build::basic_type(scalar, Bounds::None, Vec::new(), span);
            let zero = build::int(0, span);
            return Collector {
                declared: vec![build::declare(spec, &name, Some(zero), span)],
                name,
                form,
                sums: true,
            };
        }
        let name = self.namer.take("terms");
        let spec = if is_int {
            let element = build::basic_type(BaseType::Int, Bounds::None, Vec::new(), span);
            build::array_type(vec![size], element, span)
        } else {
            build::basic_type(BaseType::Vector, Bounds::None, vec![size], span)
        };
        Collector {
            declared: vec![build::declare(spec, &name, None, span)],
            name,
            form: if is_int {
                Form::INT.in_array()
            } else {
                Form::VECTOR
            },
            sums: false,
        }
    }

    /// A reduction of data over everything, held in transformed data: it is computed once, and predictions keep it.
    pub(super) fn kept_reduction(&mut self, expr: &Expr) -> Option<Value> {
        if !self.is_kept(expr) {
            return None;
        }
        if let Some((_, name, form)) = self.kept.iter().find(|(known, ..)| same(known, expr)) {
            return Some(Value::new(build::variable(name.clone(), expr.span), *form));
        }
        if self.prediction.is_some() {
            return Some(self.frozen_reduction(expr, &kept_name(self, expr)));
        }
        let mut scope = Scope::default();
        let value = self.computed(expr, &mut scope);
        let name = self.namer.take(&kept_name(self, expr));
        let span = expr.span;
        let base = match value.form {
            Form::INT => BaseType::Int,
            _ => BaseType::Real,
        };
        let spec = build::basic_type(base, Bounds::None, Vec::new(), span);
        let statements = if scope.prelude.is_empty() {
            vec![build::declare(spec, &name, Some(value.expr), span)]
        } else {
            let mut body = scope.prelude;
            body.push(build::assign(&name, Vec::new(), value.expr, span));
            vec![
                build::declare(spec, &name, None, span),
                build::stmt(ast::StmtKind::Block(body), span),
            ]
        };
        self.auxiliaries.push(Auxiliary {
            statements,
            names: vec![name.clone()],
        });
        self.kept.push((expr.clone(), name.clone(), value.form));
        Some(Value::new(build::variable(name, span), value.form))
    }

    /// Whether an expression is a number made of all rows or levels of data.
    pub(super) fn is_kept(&self, expr: &Expr) -> bool {
        let mixes = match &expr.kind {
            ExprKind::Reduce { agreeing, .. } => agreeing.is_empty(),
            ExprKind::Call {
                function,
                arguments,
                ..
            } => {
                let is_whole = |argument: &Expr| {
                    let open = argument.axes.iter().any(|set| !self.is_fixed(*set));
                    open && matches!(argument.kind, ExprKind::Name { .. })
                };
                !function.name.ends_with("_rng") && arguments.iter().any(is_whole)
            }
            _ => false,
        };
        let is_data = |name: &crate::equation::tree::NameId| {
            let role = self.name(*name).role;
            matches!(role, Role::Data | Role::Definition(Level::Data))
                && !self.is_imputed(*name)
                && !self.simulated.contains(name)
        };
        mixes
            && expr.axes.is_empty()
            && !usage::mentions_any(self.model, expr)
            && usage::names_in(expr).iter().all(is_data)
    }
}

/// `mean_age` for `mean(age)` and `mean[i](age[i])`.
fn kept_name(lowering: &Lowering<'_>, expr: &Expr) -> String {
    let (function, inside) = match &expr.kind {
        ExprKind::Reduce { function, body, .. } => (function, Some(body.as_ref())),
        ExprKind::Call {
            function,
            arguments,
            ..
        } => (function, arguments.first()),
        _ => return "kept".to_string(),
    };
    match inside.map(|inside| &inside.kind) {
        Some(ExprKind::Name { name, .. }) => {
            format!("{}_{}", function.name, lowering.called(*name))
        }
        _ => format!("{}_kept", function.name),
    }
}

/// Whether two expressions say the same, wherever they stand.
fn same(left: &Expr, right: &Expr) -> bool {
    match (&left.kind, &right.kind) {
        (
            ExprKind::Call {
                function: f,
                arguments: a,
                ..
            },
            ExprKind::Call {
                function: g,
                arguments: b,
                ..
            },
        ) => f.name == g.name && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (
            ExprKind::Reduce {
                function: f,
                letters: l,
                agreeing: a,
                body: d,
            },
            ExprKind::Reduce {
                function: g,
                letters: m,
                agreeing: b,
                body: e,
            },
        ) => f.name == g.name && l == m && a == b && same(d, e),
        (left, right) => left == right,
    }
}

/// Where the terms of a reduction are collected: a running sum, or a vector.
struct Collector {
    declared: Vec<ast::Stmt>,
    name: String,
    form: Form,
    sums: bool,
}

impl Collector {
    fn store(&self, at: ast::Expr, value: Value, span: Span) -> ast::Stmt {
        if self.sums {
            return build::assign_with(
                &self.name,
                Vec::new(),
                Some(BinaryOp::Add),
                value.expr,
                span,
            );
        }
        build::assign(&self.name, vec![ast::Index::Single(at)], value.expr, span)
    }

    fn result(&self, function: &ast::Identifier, span: Span) -> Value {
        let values = Value::new(build::variable(self.name.clone(), span), self.form);
        if self.sums {
            return values;
        }
        reduce(function, values, span)
    }
}

fn reduce(function: &ast::Identifier, values: Value, span: Span) -> Value {
    let is_vector = matches!(
        function.name.as_str(),
        "softmax" | "log_softmax" | "cumulative_sum" | "sort_asc" | "sort_desc"
    );
    let is_int = values.form.element == Element::Int;
    let values = match function.name.as_str() {
        "max" | "min" | "sum" => values,
        _ if is_int => values.column(),
        _ => values,
    };
    let form = families::result(
        &function.name,
        usize::from(is_vector),
        std::slice::from_ref(&values),
    );
    Value::new(
        build::call(function.name.clone(), vec![values.expr], span),
        form,
    )
}

fn one_more(name: &str, span: Span) -> ast::Stmt {
    build::assign_with(
        name,
        Vec::new(),
        Some(BinaryOp::Add),
        build::int(1, span),
        span,
    )
}

/// Sorts elements by group, and finds where each group begins and ends.
fn member_lists(
    members: &Members,
    keys: &ast::Expr,
    row: &str,
    count: ast::Expr,
    groups: ast::Expr,
    span: Span,
) -> Vec<ast::Stmt> {
    let int = || build::basic_type(BaseType::Int, Bounds::None, Vec::new(), span);
    let ints = |size: &ast::Expr| build::array_type(vec![size.clone()], int(), span);
    let var = |name: &str| build::variable(name, span);
    let at = |list: &str, place: ast::Expr| build::element(var(list), place, span);
    let sorted = build::call("sort_indices_asc", vec![keys.clone()], span);
    // Before the first element: the place after the last one of the group before.
    let key = build::element(keys.clone(), at(&members.sorted, var(row)), span);
    let zeros = |size: &ast::Expr, value: i64| {
        build::call(
            "rep_array",
            vec![build::int(value, span), size.clone()],
            span,
        )
    };
    let not_begun = build::binary(
        BinaryOp::Equal,
        at(&members.last, key.clone()),
        build::int(0, span),
        span,
    );
    let begin = build::assign(
        &members.first,
        vec![ast::Index::Single(key.clone())],
        var(row),
        span,
    );
    let end = build::assign(&members.last, vec![ast::Index::Single(key)], var(row), span);
    vec![
        build::declare(ints(&count), &members.sorted, Some(sorted), span),
        build::declare(ints(&groups), &members.first, Some(zeros(&groups, 1)), span),
        build::declare(ints(&groups), &members.last, Some(zeros(&groups, 0)), span),
        build::for_loop(
            row,
            build::int(1, span),
            count,
            vec![build::if_then(not_begun, vec![begin], span), end],
            span,
        ),
    ]
}
