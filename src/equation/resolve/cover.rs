//! Domains and exact cover (R5): the statements about a name say something about each of its elements, once.
//!
//! A statement with a label in a position owns that element and the general one takes the rest; a statement with `t-1`
//! holds where `t-1` exists. What lags leave out has to have statements of its own.

use super::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{
    Expr, ExprKind, LetterId, NameId, Order, Purpose, Role, SetId, SetKind, Statement,
    StatementKind, Subscript,
};
use crate::source::Span;

/// Where along an axis an element stands, as far as the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many elements after the first.
    FromFirst(i64),
    /// So many elements before the last.
    FromLast(i64),
    /// Somewhere: a level of the data.
    Somewhere,
}

/// How far a statement reaches along a letter.
#[derive(Clone, Debug)]
struct Reach {
    letter: LetterId,
    /// How many elements at the beginning it leaves out.
    earlier: i64,
    /// How many at the end.
    later: i64,
    /// The lag that says so, as it stands in the text.
    text: String,
    span: Span,
}

impl Resolver<'_> {
    /// Checks every unknown and definition.
    pub(super) fn check_cover(&mut self) {
        for position in 0..self.model.names.len() {
            let name = NameId(position);
            let about: Vec<Statement> = self.statements_about(name);
            self.check_overlaps(name, &about);
            match self.model.names[position].role {
                Role::Data => {}
                // The definitions of an observed name have to cover it; its distributions need not.
                Role::Definition(_) => {
                    let definitions: Vec<Statement> =
                        about.into_iter().filter(is_definition).collect();
                    self.check_rest(name, &definitions);
                }
                // What is declared has a flat prior where no line gives another.
                Role::Unknown if self.is_declared(name) => {}
                Role::Unknown => self.check_rest(name, &about),
            }
        }
    }

    fn statements_about(&self, name: NameId) -> Vec<Statement> {
        let about = self.model.statements.iter();
        about
            .filter(|statement| statement.left().is_some_and(|(left, _)| left == name))
            .cloned()
            .collect()
    }

    /// Whether `param` or a type declares it in a line of its own.
    fn is_declared(&self, name: NameId) -> bool {
        let text = self.name_text(name);
        self.program.items.iter().any(|item| match &item.kind {
            crate::syntax::equation::ItemKind::Declare { terms, .. } => {
                terms.iter().any(|term| term.name.name == text)
            }
            _ => false,
        })
    }

    // No element twice.

    fn check_overlaps(&mut self, name: NameId, about: &[Statement]) {
        for (place, statement) in about.iter().enumerate() {
            for earlier in &about[..place] {
                let observed = self.model.names[name.0].is_observed;
                if observed && is_definition(statement) != is_definition(earlier) {
                    continue;
                }
                let (Some((_, left)), Some((_, right))) = (statement.left(), earlier.left()) else {
                    continue;
                };
                if self.disputed(left, right) {
                    self.report_twice(name, earlier, statement);
                }
            }
        }
    }

    /// Whether two left sides share elements and neither is the special case of the other.
    fn disputed(&self, left: &[Subscript], right: &[Subscript]) -> bool {
        let (mut left_special, mut right_special) = (false, false);
        for (one, other) in left.iter().zip(right) {
            let is_letter = |term: &Subscript| matches!(term, Subscript::Letter(_));
            match (is_letter(one), is_letter(other)) {
                (true, true) => {}
                (false, true) => left_special = true,
                (true, false) => right_special = true,
                (false, false) => {
                    let apart = one != other
                        && match (self.place(one), self.place(other)) {
                            (Place::FromFirst(one), Place::FromFirst(other))
                            | (Place::FromLast(one), Place::FromLast(other)) => one != other,
                            _ => true,
                        };
                    if apart {
                        return false;
                    }
                }
            }
        }
        left_special == right_special
    }

    fn report_twice(&mut self, name: NameId, earlier: &Statement, later: &Statement) {
        let text = self.name_text(name);
        let what = match (is_definition(earlier), is_definition(later)) {
            (true, true) => "has two definitions",
            (false, false) if self.model.names[name.0].is_observed => "has two distributions",
            (false, false) => "has two priors",
            _ => "has a prior and a definition",
        };
        let mut report = Diagnostic::error(
            Code::PriorCount,
            format!("`{text}` {what}"),
            later.span,
            "the second",
        )
        .with_secondary(earlier.span, "the first");
        if what == "has two priors" {
            report = report.with_note(
                "Two priors would multiply: the model would be another than the one that either line says.",
            );
        }
        self.push(report);
    }

    // No element left out.

    fn check_rest(&mut self, name: NameId, about: &[Statement]) {
        let axes = self.model.names[name.0].axes.clone();
        let shown = self.model.names[name.0].shown;
        let is_general = |statement: &&Statement| {
            statement.left().is_some_and(|(_, left)| {
                left.iter().all(|term| matches!(term, Subscript::Letter(_)))
            })
        };
        let Some(general) = about.iter().find(is_general) else {
            if !self.all_labels_stand(about, &axes[..shown]) {
                self.report_no_rest(name, about);
            }
            return;
        };
        for reach in self.reaches(general) {
            self.check_reach(name, general, &reach, about);
        }
        if let Some((text, span)) = self.undecided_reach(general) {
            let title = format!(
                "`{}` has no value where `{text}` does not exist",
                self.name_text(name)
            );
            self.push(
                Diagnostic::error(Code::PriorCount, title, span, "").with_hint(
                    "let the line run over the letter that is lagged, and give the first element a line of its own",
                ),
            );
        }
    }

    /// Whether statements with labels name every element of a set that the file spells out.
    fn all_labels_stand(&self, about: &[Statement], axes: &[SetId]) -> bool {
        let [set] = axes else { return false };
        let listed = self.model.listed_labels(*set);
        let stands = |label: &str| {
            about.iter().any(|statement| {
                let left = statement.left().map(|(_, left)| left);
                matches!(left, Some([Subscript::Label { label: found, .. }]) if found == label)
            })
        };
        !listed.is_empty() && listed.iter().all(|label| stands(label))
    }

    fn report_no_rest(&mut self, name: NameId, about: &[Statement]) {
        let found = &self.model.names[name.0];
        let general = self.model.subscripted(&found.name, &[]);
        let letters = self.model.axes_text(&found.axes);
        let general = format!("{general}[{letters}]");
        let (span, what) = match about.first() {
            Some(first) if is_definition(first) => (first.span, "definition"),
            Some(first) => (first.span, "prior"),
            None => (found.span, "prior"),
        };
        let title = format!("most of `{general}` has no {what}");
        let hint = format!("a line with `{general}` on the left takes what no other line names");
        self.push(
            Diagnostic::error(Code::PriorCount, title, span, "only these elements").with_hint(hint),
        );
    }

    fn check_reach(
        &mut self,
        name: NameId,
        general: &Statement,
        reach: &Reach,
        about: &[Statement],
    ) {
        let Some((_, left)) = general.left() else {
            return;
        };
        let axis = left
            .iter()
            .position(|term| *term == Subscript::Letter(reach.letter));
        let Some(axis) = axis else { return };
        let places: Vec<Place> = about
            .iter()
            .filter_map(|statement| {
                let (_, left) = statement.left()?;
                let others_general = left
                    .iter()
                    .enumerate()
                    .all(|(place, term)| place == axis || matches!(term, Subscript::Letter(_)));
                match left.get(axis)? {
                    Subscript::Letter(_) => None,
                    element => others_general.then(|| self.place(element)),
                }
            })
            .collect();
        // A level of the data may be any element: binding knows.
        let mut spare = places
            .iter()
            .filter(|place| **place == Place::Somewhere)
            .count();
        let needed = (0..reach.earlier)
            .map(Place::FromFirst)
            .chain((0..reach.later).map(Place::FromLast));
        for place in needed {
            if places.contains(&place) {
                continue;
            }
            if spare > 0 {
                spare -= 1;
                continue;
            }
            self.report_missing(name, general, left, axis, place, reach);
            return;
        }
    }

    fn report_missing(
        &mut self,
        name: NameId,
        general: &Statement,
        left: &[Subscript],
        axis: usize,
        place: Place,
        reach: &Reach,
    ) {
        let set = self.model.letters[reach.letter.0].set;
        let text = self.name_text(name).to_owned();
        let mut element = left.to_vec();
        element[axis] = self.element_at(set, place);
        let element = self.model.subscripted(&text, &element);
        let whole = self.model.subscripted(&text, left);
        let (what, operator) = if is_definition(general) {
            ("definition", "=")
        } else {
            ("prior", "~")
        };
        let why = match (place, self.first_number(set)) {
            (Place::FromFirst(_), Some(first)) => {
                format!(
                    "`{whole}` starts at {} because of this",
                    first + reach.earlier
                )
            }
            _ => format!("`{whole}` holds only where this exists"),
        };
        self.push(
            Diagnostic::error(
                Code::PriorCount,
                format!("`{element}` has no {what}"),
                reach.span,
                why,
            )
            .with_hint(format!("write `{element} {operator} …`"))
            .with_secondary(general.span, format!("holds where `{}` exists", reach.text)),
        );
    }

    /// The number of a set's first element, where elements have numbers that the file tells.
    fn first_number(&self, set: SetId) -> Option<i64> {
        match &self.model.sets[set.0].kind {
            SetKind::Rows => Some(1),
            SetKind::Fixed(Order::Range(from, _))
            | SetKind::Levels {
                order: Some(Order::Range(from, _)),
                ..
            } => from.constant(),
            SetKind::Levels { .. } | SetKind::Fixed(_) | SetKind::Combinations { .. } => None,
        }
    }

    fn element_at(&self, set: SetId, place: Place) -> Subscript {
        match (place, self.first_number(set)) {
            (Place::FromFirst(after), Some(first)) => Subscript::Label {
                set,
                label: (first + after).to_string(),
            },
            (Place::FromLast(_), _) => Subscript::Last(set),
            _ => Subscript::First(set),
        }
    }

    fn place(&self, element: &Subscript) -> Place {
        match element {
            Subscript::First(_) => Place::FromFirst(0),
            Subscript::Last(_) => Place::FromLast(0),
            Subscript::Label { set, label } => {
                let number: Option<i64> = label.parse().ok();
                match (number, self.first_number(*set)) {
                    (Some(number), Some(first)) => Place::FromFirst(number - first),
                    _ => Place::Somewhere,
                }
            }
            _ => Place::Somewhere,
        }
    }

    // Lags.

    /// The lags of a statement's own letters.
    fn reaches(&self, statement: &Statement) -> Vec<Reach> {
        let mut reaches: Vec<Reach> = Vec::new();
        self.each_lag(statement, &mut |of, by, expr| {
            let Subscript::Letter(letter) = of else {
                return;
            };
            let Some(steps) = self.farthest(by) else {
                return;
            };
            let (earlier, later) = ((-steps).max(0), steps.max(0));
            let new = Reach {
                letter: *letter,
                earlier,
                later,
                text: self.model.expr_text(expr),
                span: expr.span,
            };
            match reaches.iter_mut().find(|reach| reach.letter == *letter) {
                None => reaches.push(new),
                Some(known) => {
                    if earlier > known.earlier || later > known.later {
                        known.text = new.text;
                        known.span = new.span;
                    }
                    known.earlier = known.earlier.max(earlier);
                    known.later = known.later.max(later);
                }
            }
        });
        reaches
    }

    /// A lag of which the file does not say where it exists.
    fn undecided_reach(&self, statement: &Statement) -> Option<(String, Span)> {
        let mut found = None;
        self.each_lag(statement, &mut |of, by, expr| {
            let is_plain = matches!(of, Subscript::Letter(_)) && self.farthest(by).is_some();
            if !is_plain {
                found.get_or_insert((self.model.expr_text(expr), expr.span));
            }
        });
        found
    }

    /// Calls `see` with each lag that starts from one of the statement's own letters, and the name that it stands behind.
    fn each_lag(&self, statement: &Statement, see: &mut impl FnMut(&Subscript, &Expr, &Expr)) {
        for expr in statement.read() {
            expr.visit(&mut |part| {
                for subscript in part.subscripts() {
                    if let Subscript::Shift { of, by } = subscript
                        && of
                            .root()
                            .is_some_and(|root| statement.letters.contains(&root))
                    {
                        see(of, by, part);
                    }
                }
            });
        }
    }

    /// The farthest that a lag goes: negative for earlier. `None` where data decide.
    fn farthest(&self, by: &Expr) -> Option<i64> {
        if let Some(steps) = by.constant() {
            return Some(steps);
        }
        let (letter, sign) = match &by.kind {
            ExprKind::LetterValue(letter) => (letter, 1),
            ExprKind::Unary { operand, .. } => match &operand.kind {
                ExprKind::LetterValue(letter) => (letter, -1),
                _ => return None,
            },
            _ => return None,
        };
        let set = self.model.letters[letter.0].set;
        match &self.model.sets[set.0].kind {
            SetKind::Fixed(Order::Range(_, to)) => to.constant().map(|to| sign * to),
            _ => None,
        }
    }
}

fn is_definition(statement: &Statement) -> bool {
    matches!(statement.kind, StatementKind::Define { .. })
}

impl Resolver<'_> {
    /// Warns of unknowns with a determined letter on the left whose other entries nothing reads (3a).
    pub(super) fn warn_of_unused_entries(&mut self) {
        let mut warnings = Vec::new();
        for statement in &self.model.statements {
            let StatementKind::Draw {
                variate,
                purpose: Purpose::Prior(name),
                ..
            } = &statement.kind
            else {
                continue;
            };
            let left = variate.subscripts();
            for (axis, subscript) in left.iter().enumerate() {
                let Subscript::Letter(letter) = subscript else {
                    continue;
                };
                if let Some(term) = self.determined(left, *letter)
                    && self.only_determined_entries(*name, left, axis, &term)
                {
                    let text = self.model.expr_text(variate);
                    let read = self.model.term_text(&term);
                    let letter = &self.model.letters[letter.0].name;
                    let title = format!("most entries of `{text}` are never used");
                    warnings.push(
                        Diagnostic::warning(Code::UnusedEntries, title, variate.span, "")
                            .with_note(format!(
                                "It has one for every {letter}, and every line reads only that of `{read}`."
                            )),
                    );
                }
            }
        }
        self.diagnostics.extend(warnings);
    }

    /// The term that the other left letters make of a letter, if they determine it.
    fn determined(&self, left: &[Subscript], letter: LetterId) -> Option<Subscript> {
        let others = left.iter().filter_map(|term| match term {
            Subscript::Letter(other) if *other != letter => Some(*other),
            _ => None,
        });
        let scope = crate::equation::closure::Scope::of(others.collect());
        match scope.terms(&self.model, letter).as_slice() {
            [term] => Some(term.clone()),
            _ => None,
        }
    }

    /// Whether every line that reads the name reads the entry that the term names.
    fn only_determined_entries(
        &self,
        name: NameId,
        left: &[Subscript],
        axis: usize,
        term: &Subscript,
    ) -> bool {
        let Some(root) = term.root() else {
            return false;
        };
        let root_axis = left
            .iter()
            .position(|term| *term == Subscript::Letter(root));
        let (mut reads, mut others) = (0, 0);
        for expr in self.model.statements.iter().flat_map(Statement::read) {
            expr.visit(&mut |part| {
                let ExprKind::Name {
                    name: found,
                    subscripts,
                } = &part.kind
                else {
                    return;
                };
                if *found != name {
                    return;
                }
                let element = root_axis.and_then(|axis| subscripts.get(axis));
                let expected = element.map(|element| self.model.substitute(term, root, element));
                reads += 1;
                if subscripts.get(axis) != expected.as_ref() {
                    others += 1;
                }
            });
        }
        reads > 0 && others == 0
    }
}
