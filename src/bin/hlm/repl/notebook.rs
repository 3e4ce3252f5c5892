//! The model as it grows at the prompt: items of the equation form, of which a new one replaces those that it redefines.

use hlm::source::Span;
use hlm::syntax::ast::{Block, Expr, ExprKind, FunctionDef, Index};
use hlm::syntax::equation::{Domain, EquationProgram, Item, ItemKind, LevelOrder, Term};
use hlm::syntax::{format_equations, format_expression, format_item};

/// The items, in the order in which they were first entered.
#[derive(Clone, Default)]
pub struct Notebook {
    items: Vec<Item>,
}

/// What a part of an item gives a meaning to.
#[derive(Clone, PartialEq, Eq)]
enum Subject {
    /// A letter.
    Letter(String),
    /// A column of the data.
    Column(String),
    /// The elements of a name that a left side speaks of: all, or the one with these literal subscripts.
    Elements(String, String),
    /// A factor or a term of the target, by its whole text: any number of them can stand side by side.
    Term(String),
}

impl Subject {
    /// The name that it is about, if it is about one.
    fn into_name(self) -> Option<String> {
        match self {
            Subject::Letter(name) | Subject::Column(name) | Subject::Elements(name, _) => {
                Some(name)
            }
            Subject::Term(_) => None,
        }
    }
}

impl Notebook {
    /// Whether nothing has been entered.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The names to which lines give a meaning.
    pub fn names(&self) -> Vec<String> {
        let subjects = self.items.iter().flat_map(|item| self.subjects(item));
        subjects.filter_map(Subject::into_name).collect()
    }

    /// The names left of `~` and `=`, and those declared.
    pub fn quantities(&self) -> Vec<String> {
        let subjects = self.items.iter().flat_map(|item| self.subjects(item));
        let quantity = |subject| match subject {
            Subject::Elements(name, _) => Some(name),
            Subject::Letter(_) | Subject::Column(_) | Subject::Term(_) => None,
        };
        subjects.filter_map(quantity).collect()
    }

    /// The lines that give a name its meaning, as text.
    pub fn lines_about(&self, name: &str) -> String {
        let is_meant = |item: &&Item| {
            let subjects = self.subjects(item).into_iter();
            subjects
                .filter_map(Subject::into_name)
                .any(|own| own == name)
        };
        let items = self.items.iter().filter(is_meant);
        items
            .map(|item| format!("{}\n", format_item(item)))
            .collect()
    }

    /// The model as a file holds it, with the functions that it may call in front.
    pub fn text(&self, functions: &[FunctionDef]) -> String {
        let functions = (!functions.is_empty()).then(|| Block {
            items: functions.to_vec(),
            span: Span::default(),
        });
        format_equations(&EquationProgram {
            functions,
            items: self.items.clone(),
        })
    }

    /// Adds items; returns the lines, or parts of lines, that they replace.
    pub fn add(&mut self, new: Vec<Item>) -> Vec<String> {
        let mut replaced = Vec::new();
        for item in new {
            let place = self.remove_redefined(&item, &mut replaced);
            self.items.insert(place, item);
        }
        replaced
    }

    /// Takes out whatever gives a name its meaning; returns those lines, or parts of lines.
    pub fn drop_name(&mut self, name: &str) -> Vec<String> {
        let mut dropped = Vec::new();
        self.retain_parts(&mut dropped, |_, subject| match subject {
            Subject::Letter(own) | Subject::Column(own) | Subject::Elements(own, _) => own != name,
            Subject::Term(_) => name != "target",
        });
        dropped
    }

    /// Takes out what the new item redefines; returns where the new one belongs.
    fn remove_redefined(&mut self, new: &Item, replaced: &mut Vec<String>) -> usize {
        let subjects = self.subjects(new);
        let new_is_of_data = self.is_of_data(new);
        let before = self.items.len();
        let stays_beside: Vec<bool> = self
            .items
            .iter()
            .map(|old| is_draw(new) && self.is_of_data(old) || is_draw(old) && new_is_of_data)
            .collect();
        let first = self
            .items
            .iter()
            .zip(&stays_beside)
            .position(|(old, stays)| {
                !stays
                    && self
                        .subjects(old)
                        .iter()
                        .any(|subject| subjects.contains(subject))
            });
        self.retain_parts(replaced, |at, subject| {
            stays_beside[at] || !subjects.contains(subject)
        });
        first.unwrap_or(before).min(self.items.len())
    }

    /// Keeps the parts of items for which `keeps` says so, by the item's place and the part's subject; writes down the
    /// rest.
    fn retain_parts(&mut self, removed: &mut Vec<String>, keeps: impl Fn(usize, &Subject) -> bool) {
        let subjects: Vec<Vec<Subject>> =
            self.items.iter().map(|item| self.subjects(item)).collect();
        let items = std::mem::take(&mut self.items);
        for (at, (item, subjects)) in items.into_iter().zip(subjects).enumerate() {
            let kept: Vec<bool> = subjects.iter().map(|subject| keeps(at, subject)).collect();
            if kept.iter().all(|kept| *kept) {
                self.items.push(item);
                continue;
            }
            removed.extend(part_of(&item, |part| !kept[part]).map(|part| format_item(&part)));
            self.items.extend(part_of(&item, |part| kept[part]));
        }
    }

    /// What an item gives a meaning to, in the order of its parts.
    fn subjects(&self, item: &Item) -> Vec<Subject> {
        match &item.kind {
            ItemKind::Index { letter, .. } => vec![Subject::Letter(letter.name.clone())],
            ItemKind::Data(columns) => columns
                .iter()
                .map(|column| Subject::Column(column.name.name.clone()))
                .collect(),
            ItemKind::Declare { terms, .. } => {
                terms.iter().map(|term| self.elements(term)).collect()
            }
            ItemKind::Define { term, .. } => vec![self.elements(term)],
            ItemKind::Draw { variates, .. } => variates
                .iter()
                .map(|variate| self.variate(variate))
                .collect(),
            ItemKind::Target { .. } => vec![Subject::Term(format_item(item))],
        }
    }

    fn variate(&self, variate: &Expr) -> Subject {
        match &variate.kind {
            ExprKind::Variable(name) => Subject::Elements(name.clone(), String::new()),
            ExprKind::Index { base, indices } => match &base.kind {
                ExprKind::Variable(name) => Subject::Elements(name.clone(), self.literals(indices)),
                _ => Subject::Term(format_expression(variate)),
            },
            _ => Subject::Term(format_expression(variate)),
        }
    }

    fn elements(&self, term: &Term) -> Subject {
        Subject::Elements(term.name.name.clone(), self.literals(&term.subscripts))
    }

    /// The positions of subscripts that name one element, with their labels; empty where letters stand for all.
    fn literals(&self, subscripts: &[Index]) -> String {
        let mut literals = String::new();
        for (position, subscript) in subscripts.iter().enumerate() {
            let Index::Single(expr) = subscript else {
                continue;
            };
            let is_literal = match &expr.kind {
                ExprKind::Text(_) | ExprKind::Int(_) => true,
                ExprKind::Variable(name) => !self.is_letter(name) && self.is_label(name),
                _ => false,
            };
            if is_literal {
                literals.push_str(&format!("{position}:{} ", format_expression(expr)));
            }
        }
        literals
    }

    fn is_letter(&self, name: &str) -> bool {
        self.items.iter().any(|item| match &item.kind {
            ItemKind::Index { letter, .. } => letter.name == name,
            _ => false,
        })
    }

    /// Whether the file lists a label of this name.
    fn is_label(&self, name: &str) -> bool {
        self.items.iter().any(|item| match &item.kind {
            ItemKind::Index {
                domain:
                    Some(
                        Domain::Set(LevelOrder::Labels(labels))
                        | Domain::Levels {
                            order: Some(LevelOrder::Labels(labels)),
                            ..
                        },
                    ),
                ..
            } => labels.iter().any(|label| label.text == name),
            _ => false,
        })
    }

    /// Whether the item defines a transformed outcome (`y[i] = log(earn[i])`), which may be observed beside: its value
    /// mentions columns, or definitions from columns, and no unknown.
    fn is_of_data(&self, item: &Item) -> bool {
        let ItemKind::Define { value, .. } = &item.kind else {
            return false;
        };
        let names = value.variables();
        let is_column = |name: &str| {
            self.items.iter().any(|item| {
                matches!(&item.kind, ItemKind::Data(columns)
                    if columns.iter().any(|column| column.name.name == name))
            })
        };
        let is_unknown = |name: &str| {
            self.items.iter().any(|item| {
                let is_meant =
                    |subject: &Subject| matches!(subject, Subject::Elements(own, _) if own == name);
                !is_column(name) && self.subjects(item).iter().any(is_meant)
            })
        };
        names.iter().any(|name| is_column(name)) && !names.iter().any(|name| is_unknown(name))
    }
}

fn is_draw(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Draw { .. })
}

/// The item with only the parts that are wanted; `None` without any.
fn part_of(item: &Item, wanted: impl Fn(usize) -> bool) -> Option<Item> {
    fn chosen<T: Clone>(parts: &[T], wanted: impl Fn(usize) -> bool) -> Vec<T> {
        let numbered = parts.iter().enumerate();
        let chosen = numbered.filter(|(at, _)| wanted(*at));
        chosen.map(|(_, part)| part.clone()).collect()
    }
    let mut item = item.clone();
    let is_empty = match &mut item.kind {
        ItemKind::Data(columns) => {
            *columns = chosen(columns, wanted);
            columns.is_empty()
        }
        ItemKind::Declare { terms, .. } => {
            *terms = chosen(terms, wanted);
            terms.is_empty()
        }
        ItemKind::Draw { variates, .. } => {
            *variates = chosen(variates, wanted);
            variates.is_empty()
        }
        ItemKind::Index { .. } | ItemKind::Define { .. } | ItemKind::Target { .. } => !wanted(0),
    };
    (!is_empty).then_some(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlm::source::SourceMap;
    use hlm::syntax::{Form, NoIncludes, parse_form};

    /// The model after lines, and what the last of them replaced.
    fn after(lines: &[&str]) -> (String, Vec<String>) {
        let mut notebook = Notebook::default();
        let mut replaced = Vec::new();
        for line in lines {
            let mut sources = SourceMap::new();
            let id = sources.add("line", *line);
            match parse_form(&mut sources, id, &mut NoIncludes) {
                Ok(Form::Equation(program)) => replaced = notebook.add(program.items),
                other => panic!("{line}: {other:?}"),
            }
        }
        (notebook.text(&[]), replaced)
    }

    #[test]
    fn a_line_replaces_what_it_redefines_in_its_place() {
        let (text, replaced) = after(&["mu ~ normal(0, 1)", "tau = 2", "mu ~ normal(0, 5)"]);
        assert_eq!(text, "mu ~ normal(0, 5)\ntau = 2\n");
        assert_eq!(replaced, ["mu ~ normal(0, 1)"]);
        let (text, _) = after(&["theta[j] ~ normal(0, 1)", "theta[j] = mu + tau * z[j]"]);
        assert_eq!(text, "theta[j] = mu + tau * z[j]\n");
        let (text, _) = after(&["index j = a[i]", "index j = b[i]"]);
        assert_eq!(text, "index j = b[i]\n");
        let (text, _) = after(&["param x", "x ~ normal(0, 1)"]);
        assert_eq!(text, "x ~ normal(0, 1)\n");
    }

    #[test]
    fn the_rest_of_a_line_stays() {
        let (text, replaced) = after(&["a, b, c ~ normal(0, 1)", "b ~ cauchy(0, 1)"]);
        assert_eq!(text, "b ~ cauchy(0, 1)\na, c ~ normal(0, 1)\n");
        assert_eq!(replaced, ["b ~ normal(0, 1)"]);
        let (text, _) = after(&["data y[i], x[i]", "data x[j]"]);
        assert_eq!(text, "data x[j]\ndata y[i]\n");
    }

    #[test]
    fn elements_and_terms_stand_side_by_side() {
        let lines = [
            "index k = {none, some}",
            "a[none] = 0",
            "a[k] ~ normal(0, 1)",
            "x[1] ~ normal(0, 5)",
            "x[t] ~ normal(x[t - 1], 1)",
            "target += 1",
            "target += 2",
        ];
        assert_eq!(after(&lines).0, lines.join("\n") + "\n");
        let (text, _) = after(&[&lines[..], &["x[1] ~ normal(0, 2)"]].concat());
        assert_eq!(text.lines().nth(3), Some("x[1] ~ normal(0, 2)"));
        assert_eq!(text.lines().count(), lines.len());
    }

    #[test]
    fn a_transformed_outcome_can_be_observed() {
        let lines = [
            "data earn[i]",
            "y[i] = log(earn[i])",
            "y[i] ~ normal(mu, 1)",
        ];
        assert_eq!(after(&lines).0, lines.join("\n") + "\n");
        assert_eq!(after(&["mu ~ normal(0, 1)", "mu = 3"]).0, "mu = 3\n");
    }

    #[test]
    fn names_can_be_dropped() {
        let mut notebook = Notebook::default();
        let mut sources = SourceMap::new();
        let id = sources.add("line", "a, b ~ normal(0, 1)\ntarget += 1");
        if let Ok(Form::Equation(program)) = parse_form(&mut sources, id, &mut NoIncludes) {
            notebook.add(program.items);
        }
        assert_eq!(notebook.drop_name("a"), ["a ~ normal(0, 1)"]);
        assert_eq!(notebook.drop_name("target"), ["target += 1"]);
        assert_eq!(notebook.text(&[]), "b ~ normal(0, 1)\n");
    }
}
