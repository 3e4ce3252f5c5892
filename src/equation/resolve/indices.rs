//! Index declarations (R1): letters, their sets, and what the sets hold.

use super::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::equation::closure::Scope;
use crate::equation::tree::{
    Expr, ExprKind, Label, Letter, LetterId, NameId, Order, Set, SetId, SetKind, Subscript,
};
use crate::source::Span;
use crate::syntax::ast::{self, Identifier};
use crate::syntax::equation::{Domain, ItemKind, Key, LevelOrder, Map};

impl<'a> Resolver<'a> {
    /// Enters every letter with its set. The sets' kinds are filled in once columns are known.
    pub(super) fn declare_letters(&mut self) {
        let program = self.program;
        let mut followers: Vec<(LetterId, &'a Identifier)> = Vec::new();
        for item in &program.items {
            let ItemKind::Index { letter, domain } = &item.kind else {
                continue;
            };
            if let Some(first) = self.letters.get(letter.name.as_str()) {
                let first = self.model.letters[first.0].span;
                let title = format!("the index `{}` is declared twice", letter.name);
                self.push(
                    Diagnostic::error(Code::Redeclared, title, letter.span, "")
                        .with_secondary(first, "first here"),
                );
                continue;
            }
            let id = LetterId(self.model.letters.len());
            let set = SetId(self.model.sets.len());
            self.letters.insert(&letter.name, id);
            self.model.letters.push(Letter {
                name: letter.name.clone(),
                set,
                span: letter.span,
            });
            match domain {
                Some(Domain::Same(other)) => followers.push((id, other)),
                _ => self.model.sets.push(Set {
                    name: letter.name.clone(),
                    kind: SetKind::Rows,
                    span: item.span,
                }),
            }
        }
        self.follow_letters(&followers);
    }

    /// Gives each second letter (`index h = k`) the set of the first.
    fn follow_letters(&mut self, followers: &[(LetterId, &'a Identifier)]) {
        for (id, other) in followers {
            let mut seen = vec![*id];
            let mut next: &Identifier = other;
            let set = loop {
                let Some(found) = self.letter(next) else {
                    break None;
                };
                if seen.contains(&found) {
                    let title = format!("the index `{}` is declared over itself", next.name);
                    self.error(Code::BadIndex, title, next.span, "");
                    break None;
                }
                seen.push(found);
                match followers.iter().find(|(follower, _)| *follower == found) {
                    Some((_, further)) => next = further,
                    None => break Some(self.model.letters[found.0].set),
                }
            };
            // An error was reported; any set keeps the rest of the work going.
            self.model.letters[id.0].set = set.unwrap_or_else(|| self.stand_in_set(*id));
        }
    }

    fn stand_in_set(&mut self, letter: LetterId) -> SetId {
        let found = &self.model.letters[letter.0];
        let set = Set {
            name: found.name.clone(),
            kind: SetKind::Rows,
            span: found.span,
        };
        self.model.sets.push(set);
        SetId(self.model.sets.len() - 1)
    }

    /// Says what the sets hold, except for the ends of ranges.
    pub(super) fn fill_sets(&mut self) {
        let program = self.program;
        let mut combinations = Vec::new();
        for item in &program.items {
            let ItemKind::Index { letter, domain } = &item.kind else {
                continue;
            };
            let Some(id) = self.letters.get(letter.name.as_str()) else {
                continue;
            };
            let set = self.model.letters[id.0].set;
            match domain {
                None | Some(Domain::Same(_)) => {}
                Some(Domain::Levels { maps, order }) => {
                    let columns = self.map_columns(maps);
                    let order = order.as_ref().map(|order| self.order(order));
                    self.model.sets[set.0].kind = SetKind::Levels { columns, order };
                }
                Some(Domain::Set(order)) => {
                    let order = self.order(order);
                    self.model.sets[set.0].kind = SetKind::Fixed(order);
                }
                Some(Domain::Combinations(keys)) => combinations.push((set, keys, item.span)),
            }
        }
        self.check_circles();
        self.fill_combinations(combinations);
    }

    fn map_columns(&self, maps: &[Map]) -> Vec<NameId> {
        maps.iter()
            .filter_map(|map| self.names.get(map.column.name.as_str()).copied())
            .collect()
    }

    fn order(&mut self, order: &LevelOrder) -> Order {
        let labels = match order {
            LevelOrder::Range(from, to) => {
                // Filled in by `resolve_ranges`.
                let end = |expr: &ast::Expr| Expr::new(ExprKind::Int(0), expr.span);
                return Order::Range(end(from), end(to));
            }
            LevelOrder::Labels(labels) => labels,
        };
        for (position, label) in labels.iter().enumerate() {
            if labels[..position]
                .iter()
                .any(|other| other.text == label.text)
            {
                let title = format!("the label `{}` stands twice in its set", label.text);
                self.error(Code::BadIndex, title, label.span, "");
            }
        }
        let has_names = labels.iter().any(|label| !label.is_integer);
        let labels = labels.iter().enumerate().map(|(position, label)| Label {
            text: label.text.clone(),
            is_constant: position == 0 && label.is_integer && label.text == "1" && has_names,
        });
        Order::Labels(labels.collect())
    }

    /// Finds the parts and the carrier of each set of combinations. One may have another as a part, so that several
    /// rounds can be needed.
    fn fill_combinations(&mut self, mut waiting: Vec<(SetId, &'a Vec<Key>, Span)>) {
        loop {
            let before = waiting.len();
            waiting.retain(|(set, keys, _)| match self.combination(keys) {
                Some(kind) => {
                    self.model.sets[set.0].kind = kind;
                    false
                }
                None => true,
            });
            if waiting.is_empty() {
                return;
            }
            if waiting.len() == before {
                break;
            }
        }
        for (set, keys, span) in waiting {
            let name = self.model.sets[set.0].name.clone();
            let first = match &keys[0] {
                Key::Letter(letter) => letter.name.clone(),
                Key::Map(map) => map.column.name.clone(),
            };
            let title = format!("no table holds the parts of the combinations `{name}`");
            self.push(
                Diagnostic::error(Code::BadIndex, title, span, "").with_note(format!(
                    "Combinations are those that occur in the rows of one table: every part must be a column of it, or a \
                     letter that its rows determine, such as `{first}`."
                )),
            );
        }
    }

    /// The combinations of some keys, if some letter determines all of them.
    fn combination(&self, keys: &[Key]) -> Option<SetKind> {
        let mapped = keys.iter().find_map(|key| match key {
            Key::Map(map) => Some(&map.letter),
            Key::Letter(_) => None,
        });
        let candidates: Vec<LetterId> = match mapped {
            Some(letter) => vec![*self.letters.get(letter.name.as_str())?],
            None => self.carriers(),
        };
        candidates.into_iter().find_map(|letter| {
            let parts = keys.iter().map(|key| self.part(key, letter));
            let parts = parts.collect::<Option<Vec<Subscript>>>()?;
            Some(SetKind::Combinations { parts, letter })
        })
    }

    /// The letters that may carry combinations: rows first.
    fn carriers(&self) -> Vec<LetterId> {
        let all = (0..self.model.letters.len()).map(LetterId);
        let (rows, others): (Vec<LetterId>, Vec<LetterId>) = all.partition(|letter| {
            let set = self.model.letters[letter.0].set;
            matches!(self.model.sets[set.0].kind, SetKind::Rows)
        });
        rows.into_iter().chain(others).collect()
    }

    fn part(&self, key: &Key, carrier: LetterId) -> Option<Subscript> {
        match key {
            Key::Map(map) => {
                let letter = self.letters.get(map.letter.name.as_str())?;
                (*letter == carrier).then_some(())?;
                Some(Subscript::Map {
                    column: *self.names.get(map.column.name.as_str())?,
                    of: Box::new(Subscript::Letter(carrier)),
                })
            }
            Key::Letter(letter) => {
                let letter = *self.letters.get(letter.name.as_str())?;
                let terms = Scope::of(vec![carrier]).terms(&self.model, letter);
                match terms.as_slice() {
                    // The carrier itself is no part: then every row would be a combination.
                    [term] if letter != carrier => Some(term.clone()),
                    _ => None,
                }
            }
        }
    }

    /// Refuses sets that are declared in a circle.
    fn check_circles(&mut self) {
        for position in 0..self.model.sets.len() {
            let start = SetId(position);
            let mut reached = self.sources(start);
            let mut next = 0;
            while next < reached.len() {
                for source in self.sources(reached[next]) {
                    if !reached.contains(&source) {
                        reached.push(source);
                    }
                }
                next += 1;
            }
            if reached.contains(&start) {
                let set = &self.model.sets[position];
                let title = format!("the index `{}` is declared in a circle", set.name);
                let span = set.span;
                self.error(Code::BadIndex, title, span, "needs itself to be known");
            }
        }
    }

    /// The sets that a set's declaration reads columns of.
    fn sources(&self, set: SetId) -> Vec<SetId> {
        let SetKind::Levels { columns, .. } = &self.model.sets[set.0].kind else {
            return Vec::new();
        };
        let axes = columns
            .iter()
            .map(|column| &self.model.names[column.0].axes);
        axes.flatten().copied().collect()
    }

    /// Resolves the ends of ranges: data without letters.
    pub(super) fn resolve_ranges(&mut self) {
        let program = self.program;
        for item in &program.items {
            let ItemKind::Index { letter, domain } = &item.kind else {
                continue;
            };
            let Some(
                Domain::Set(LevelOrder::Range(from, to))
                | Domain::Levels {
                    order: Some(LevelOrder::Range(from, to)),
                    ..
                },
            ) = domain
            else {
                continue;
            };
            let Some(id) = self.letters.get(letter.name.as_str()) else {
                continue;
            };
            let set = self.model.letters[id.0].set;
            let scope = Scope::default();
            let ends = (self.expression(from, &scope), self.expression(to, &scope));
            let (Some(from), Some(to)) = ends else {
                continue;
            };
            self.check_end(&from);
            self.check_end(&to);
            match &mut self.model.sets[set.0].kind {
                SetKind::Fixed(order) => *order = Order::Range(from, to),
                SetKind::Levels { order, .. } => *order = Some(Order::Range(from, to)),
                SetKind::Rows | SetKind::Combinations { .. } => {}
            }
        }
    }

    fn check_end(&mut self, end: &Expr) {
        let mut unknown = None;
        end.visit(&mut |part| {
            if let ExprKind::Name { name, .. } = &part.kind
                && !self.is_data(*name)
            {
                unknown.get_or_insert((*name, part.span));
            }
        });
        if let Some((name, span)) = unknown {
            let title = format!(
                "`{}` is not data, so it cannot say how long a range is",
                self.name_text(name)
            );
            self.error(Code::BadIndex, title, span, "");
        }
    }
}
