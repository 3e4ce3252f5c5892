//! Names and their roles (R6): data, unknowns, definitions.

use super::Resolver;
use super::gather::lone_name;
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{Level, Name, NameId, Role, SetId, Support};
use crate::source::Span;
use crate::syntax::ast::{Bounds, ExprKind, Identifier, Index};
use crate::syntax::equation::{Column, DeclaredType, Domain, ItemKind, Key, Map};

/// What the items say about a name.
#[derive(Clone, Debug, Default)]
struct Sayings {
    /// The items that draw it.
    drawn: Vec<usize>,
    /// The items that define all of it, or all that other items leave.
    defined: Vec<usize>,
    /// The items that define an element that they name: `a["none"] = 0`.
    fixed: Vec<usize>,
    /// The item that declares it.
    declared: Option<usize>,
}

impl<'a> Resolver<'a> {
    /// Enters every name, in the order of the file.
    pub(super) fn declare_names(&mut self) {
        let program = self.program;
        for item in &program.items {
            match &item.kind {
                ItemKind::Index { letter, domain } => {
                    let Some(id) = self.letters.get(letter.name.as_str()) else {
                        continue;
                    };
                    let set = self.model.letters[id.0].set;
                    self.declare_index_columns(set, domain.as_ref());
                }
                ItemKind::Data(columns) => {
                    for column in columns {
                        self.declare_column(column);
                    }
                }
                ItemKind::Declare { declared, terms } => {
                    for term in terms {
                        self.declare_name(&term.name.name, term.name.span, declared.as_ref());
                    }
                }
                ItemKind::Draw {
                    declared, variates, ..
                } => {
                    for mention in variates.iter().filter_map(lone_name) {
                        self.declare_name(mention.name, mention.span, declared.as_ref());
                    }
                }
                ItemKind::Define { declared, term, .. } => {
                    self.declare_name(&term.name.name, term.name.span, declared.as_ref());
                }
                ItemKind::Target { .. } => {}
            }
        }
    }

    fn declare_index_columns(&mut self, set: SetId, domain: Option<&'a Domain>) {
        match domain {
            Some(Domain::Levels { maps, .. }) => {
                for map in maps {
                    self.declare_map(map, Some(set));
                }
            }
            Some(Domain::Combinations(keys)) => {
                for key in keys {
                    if let Key::Map(map) = key {
                        self.declare_map(map, None);
                    }
                }
            }
            Some(Domain::Set(_) | Domain::Same(_)) | None => {}
        }
    }

    fn declare_map(&mut self, map: &'a Map, levels_of: Option<SetId>) {
        let letters = std::slice::from_ref(&map.letter);
        self.declare_data(&map.column, letters, levels_of);
    }

    fn declare_column(&mut self, column: &'a Column) {
        let levels_of = match &column.levels_of {
            None => None,
            Some(letter) => {
                let Some(letter) = self.letter(letter) else {
                    return;
                };
                if column.letters.len() != 1 {
                    let title = format!("`{}` holds levels, so it has one index", column.name.name);
                    self.error(Code::BadIndex, title, column.name.span, "");
                    return;
                }
                Some(self.model.letters[letter.0].set)
            }
        };
        self.declare_data(&column.name, &column.letters, levels_of);
    }

    fn declare_data(
        &mut self,
        name: &'a Identifier,
        letters: &'a [Identifier],
        levels_of: Option<SetId>,
    ) {
        let mut axes = Vec::new();
        for letter in letters {
            let Some(letter) = self.letter(letter) else {
                return;
            };
            axes.push(self.model.letters[letter.0].set);
        }
        let Some(&known) = self.names.get(name.name.as_str()) else {
            let Some(id) = self.declare_name(&name.name, name.span, None) else {
                return;
            };
            let found = &mut self.model.names[id.0];
            found.role = Role::Data;
            found.shown = axes.len();
            found.axes = axes;
            found.levels_of = levels_of;
            return;
        };
        let known_name = &mut self.model.names[known.0];
        // An earlier line uses what this one declares.
        if known_name.role != Role::Data {
            known_name.role = Role::Data;
            known_name.shown = axes.len();
            known_name.axes = axes;
            known_name.levels_of = levels_of;
            known_name.span = name.span;
            return;
        }
        let first = known_name.span;
        if known_name.axes != axes {
            let title = format!("the column `{}` is declared twice", name.name);
            self.push(
                Diagnostic::error(Code::Redeclared, title, name.span, "with other indices")
                    .with_secondary(first, "first here"),
            );
            return;
        }
        match (known_name.levels_of, levels_of) {
            (_, None) => {}
            (None, Some(_)) => known_name.levels_of = levels_of,
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(_)) => {
                let letter = self.model.sets[one.0].name.clone();
                let title = format!("the levels of `{}` have an index already", name.name);
                self.push(
                    Diagnostic::error(Code::BadIndex, title, name.span, "")
                        .with_secondary(first, "first here")
                        .with_hint(format!("a second letter over them: `index … = {letter}`")),
                );
            }
        }
    }

    /// Enters a name if it is new, and notes its declared type if it has one.
    fn declare_name(
        &mut self,
        name: &'a str,
        span: Span,
        declared: Option<&DeclaredType>,
    ) -> Option<NameId> {
        if let Some(letter) = self.letters.get(name) {
            let first = self.model.letters[letter.0].span;
            let title = format!("`{name}` is an index");
            self.push(
                Diagnostic::error(Code::Redeclared, title, span, "another name is needed here")
                    .with_secondary(first, "declared here"),
            );
            return None;
        }
        let id = match self.names.get(name) {
            Some(known) => *known,
            None => {
                let id = NameId(self.model.names.len());
                self.names.insert(name, id);
                self.model.names.push(Name {
                    name: name.to_owned(),
                    role: Role::Unknown,
                    axes: Vec::new(),
                    shown: 0,
                    declared: None,
                    levels_of: None,
                    is_integer: false,
                    is_observed: false,
                    support: Support::default(),
                    span,
                });
                id
            }
        };
        if let Some(declared) = declared {
            let found = &mut self.model.names[id.0];
            match &found.declared {
                None => found.declared = Some(declared.clone()),
                Some(first) if first.span == declared.span => {}
                Some(first) => {
                    let first = first.span;
                    let title = format!("`{name}` has two types");
                    self.push(
                        Diagnostic::error(Code::Redeclared, title, declared.span, "")
                            .with_secondary(first, "first here"),
                    );
                }
            }
        }
        Some(id)
    }

    /// For each name, whether a declaration shows all of its indices: a type or `param` with subscripts.
    pub(super) fn closed(&self) -> Vec<bool> {
        let mut closed = vec![false; self.model.names.len()];
        for (item, uses) in self.program.items.iter().zip(&self.uses) {
            let is_declaration = match &item.kind {
                ItemKind::Declare { .. } => true,
                ItemKind::Draw { declared, .. } | ItemKind::Define { declared, .. } => {
                    declared.is_some()
                }
                ItemKind::Index { .. } | ItemKind::Data(_) | ItemKind::Target { .. } => false,
            };
            let with_indices = uses.left.iter().filter(|left| !left.subscripts.is_empty());
            for mention in with_indices {
                if let Some(name) = self.names.get(mention.name) {
                    closed[name.0] |= is_declaration;
                }
            }
        }
        closed
    }

    /// For each name, whether a declaration says that it is any real number: `real` or `vector` without bounds, `param`.
    pub(super) fn declared_free(&self) -> Vec<bool> {
        let unbounded = |declared: &DeclaredType| {
            let base = declared.base.unconstrained();
            base == declared.base && !matches!(declared.bounds, Bounds::Interval { .. })
        };
        let mut free: Vec<bool> = (self.model.names.iter())
            .map(|name| name.declared.as_ref().is_some_and(unbounded))
            .collect();
        for (item, uses) in self.program.items.iter().zip(&self.uses) {
            let ItemKind::Declare { declared: None, .. } = &item.kind else {
                continue;
            };
            for mention in &uses.left {
                if let Some(name) = self.names.get(mention.name) {
                    free[name.0] |= self.model.names[name.0].declared.is_none();
                }
            }
        }
        free
    }

    /// Whether a name is data, or a definition from data alone.
    pub(super) fn is_data(&self, name: NameId) -> bool {
        matches!(
            self.model.names[name.0].role,
            Role::Data | Role::Definition(Level::Data)
        )
    }

    /// Decides which names are data, unknowns and definitions. Definitions from data alone are found here; where the
    /// others run is found later.
    pub(super) fn decide_roles(&mut self) {
        let sayings = self.sayings();
        let from_data: Vec<bool> = (0..sayings.len())
            .map(|name| self.is_from_data(NameId(name), &sayings, &mut Vec::new()))
            .collect();
        for (position, said) in sayings.iter().enumerate() {
            let is_data = self.model.names[position].role == Role::Data;
            let name = &mut self.model.names[position];
            name.is_observed = !said.drawn.is_empty() && (is_data || from_data[position]);
            if is_data {
                self.refuse_defined_data(NameId(position), said);
            } else if !said.drawn.is_empty() && from_data[position] {
                name.role = Role::Definition(Level::Data);
            } else if !said.drawn.is_empty() || (said.declared.is_some() && said.defined.is_empty())
            {
                name.role = Role::Unknown;
            } else if !said.defined.is_empty() || !said.fixed.is_empty() {
                let level = if from_data[position] {
                    Level::Data
                } else {
                    Level::Generated
                };
                name.role = Role::Definition(level);
            }
        }
    }

    fn sayings(&self) -> Vec<Sayings> {
        let mut sayings = vec![Sayings::default(); self.model.names.len()];
        for (position, item) in self.program.items.iter().enumerate() {
            let is_definition = match &item.kind {
                ItemKind::Define { .. } => true,
                ItemKind::Draw { .. } | ItemKind::Declare { .. } => false,
                ItemKind::Index { .. } | ItemKind::Data(_) | ItemKind::Target { .. } => continue,
            };
            let is_declaration = matches!(item.kind, ItemKind::Declare { .. });
            for mention in &self.uses[position].left {
                let Some(name) = self.names.get(mention.name) else {
                    continue;
                };
                let said = &mut sayings[name.0];
                if is_declaration {
                    said.declared = Some(position);
                } else if !is_definition {
                    said.drawn.push(position);
                } else if mention
                    .subscripts
                    .iter()
                    .any(|index| self.is_literal(index))
                {
                    said.fixed.push(position);
                } else {
                    said.defined.push(position);
                }
            }
        }
        sayings
    }

    /// Whether a left subscript names one element outright.
    fn is_literal(&self, index: &Index) -> bool {
        let Index::Single(element) = index else {
            return false;
        };
        match &element.kind {
            ExprKind::Int(_) | ExprKind::Text(_) | ExprKind::Call { .. } => true,
            ExprKind::Variable(name) => !self.letters.contains_key(name.as_str()),
            _ => false,
        }
    }

    /// Whether a name is data, or its definitions read nothing but data and draw no random numbers.
    fn is_from_data(&self, name: NameId, sayings: &[Sayings], visiting: &mut Vec<NameId>) -> bool {
        if self.model.names[name.0].role == Role::Data || visiting.contains(&name) {
            return true;
        }
        let said = &sayings[name.0];
        let wholly_defined = !said.defined.is_empty();
        // What is drawn is data only if a line defines all of it; what has fixed elements alone may be a definition.
        let only_fixed = said.drawn.is_empty() && said.declared.is_none() && !said.fixed.is_empty();
        if !wholly_defined && !only_fixed {
            return false;
        }
        visiting.push(name);
        let mut items = said.defined.iter().chain(&said.fixed);
        let all_data = items.all(|item| {
            let uses = &self.uses[*item];
            !uses.is_random
                && uses.right.iter().all(|mention| {
                    self.names
                        .get(mention.name)
                        .is_none_or(|read| self.is_from_data(*read, sayings, visiting))
                })
        });
        visiting.pop();
        all_data
    }

    fn refuse_defined_data(&mut self, name: NameId, said: &Sayings) {
        let Some(item) = said.defined.iter().chain(&said.fixed).next() else {
            return;
        };
        let span = self.program.items[*item].span;
        let found = &self.model.names[name.0];
        let (title, declared) = (
            format!("`{}` is data, so no line can define it", found.name),
            found.span,
        );
        self.push(
            Diagnostic::error(Code::PriorCount, title, span, "")
                .with_secondary(declared, "declared here"),
        );
    }
}
