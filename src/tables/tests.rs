//! Plans made by hand, filled from small tables.

use super::*;
use crate::equation::plan::{Column, Input, InputSource, Output, Part, Set, SetKind};
use crate::io::data_json::DataKind;
use crate::source::{SourceMap, Span};
use proptest::prelude::*;

/// A plan with letters and columns that are called by name.
#[derive(Default)]
struct Draft(Plan);

impl Draft {
    fn set(mut self, letter: &str, kind: SetKind) -> Draft {
        self.0.sets.push(Set {
            letters: vec![letter.to_string()],
            kind,
            is_lagged: false,
            is_ordinal: false,
            span: Span::default(),
        });
        self
    }

    /// `index j = county[i]`, with the column.
    fn levels(self, letter: &str, column: &str, over: &str) -> Draft {
        let draft = self.column(column, over);
        let place = draft.0.columns.len() - 1;
        let mut draft = draft.set(
            letter,
            SetKind::Levels {
                columns: vec![place],
                order: None,
            },
        );
        draft.0.columns[place].levels_of = Some(SetId(draft.0.sets.len() - 1));
        draft
    }

    fn of(&self, letter: char) -> SetId {
        let is_it = |set: &Set| set.letters[0] == letter.to_string();
        SetId(self.0.sets.iter().position(is_it).unwrap())
    }

    /// A column over letters, one character each.
    fn column(mut self, name: &str, over: &str) -> Draft {
        let over = over.chars().map(|letter| self.of(letter)).collect();
        self.0.columns.push(Column {
            is_needed: true,
            name: name.to_string(),
            over,
            levels_of: None,
            is_integer: false,
            is_observed: false,
            can_impute: false,
            is_used_elsewhere: false,
            span: Span::default(),
        });
        self
    }

    fn last(mut self, change: impl FnOnce(&mut Column)) -> Draft {
        change(self.0.columns.last_mut().unwrap());
        self
    }

    fn last_set(mut self, change: impl FnOnce(&mut Set)) -> Draft {
        change(self.0.sets.last_mut().unwrap());
        self
    }

    fn place(&self, column: &str) -> usize {
        self.0
            .columns
            .iter()
            .position(|known| known.name == column)
            .unwrap()
    }

    fn input(mut self, name: &str, source: impl FnOnce(&Draft) -> InputSource) -> Draft {
        let source = source(&self);
        self.0.inputs.push(Input {
            name: name.to_string(),
            source,
        });
        self
    }

    /// The column of this name as numbers.
    fn numbers(self, column: &str) -> Draft {
        self.input(column, |draft| InputSource::Column(draft.place(column)))
    }

    /// The column of this name as positions.
    fn map(self, column: &str) -> Draft {
        self.input(column, |draft| InputSource::Map(draft.place(column)))
    }

    fn size(self, letter: char) -> Draft {
        self.input(&format!("N_{letter}"), |draft| {
            InputSource::Size(draft.of(letter))
        })
    }
}

fn rows(letter: &str) -> Draft {
    Draft::default().set(letter, SetKind::Rows)
}

fn labels(words: &[&str]) -> Fixed {
    Fixed::Labels(words.iter().map(|word| word.to_string()).collect())
}

/// Files by name: `.json` is JSON, `j=u.csv` is given to j.
fn sources(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::new(&SourceMap::new());
    for (name, text) in files {
        let (letter, name) = match name.split_once('=') {
            Some((letter, name)) => (Some(letter), name),
            None => (None, *name),
        };
        if name.ends_with(".json") {
            sources.add_json(name, text.as_bytes()).unwrap();
        } else {
            sources.add_csv(name, text.as_bytes(), letter).unwrap();
        }
    }
    sources
}

fn filled(draft: Draft, files: &[(&str, &str)]) -> Tabled {
    filled_with(draft, files, &Options::default())
}

#[track_caller]
fn filled_with(draft: Draft, files: &[(&str, &str)], options: &Options) -> Tabled {
    let sources = sources(files);
    bind(&draft.0, &sources, options)
        .unwrap_or_else(|faults| panic!("{}", diag::render(&sources.texts, &faults, false)))
}

/// The titles and hints of what is wrong.
#[track_caller]
fn wrong(draft: Draft, files: &[(&str, &str)]) -> String {
    let sources = sources(files);
    match bind(&draft.0, &sources, &Options::default()) {
        Ok(tabled) => panic!("{tabled:?}"),
        Err(faults) => diag::render(&sources.texts, &faults, false),
    }
}

fn ints(tabled: &Tabled, name: &str) -> Vec<i64> {
    match &tabled.data.get(name).unwrap().value.as_ref().unwrap().kind {
        DataKind::Int(values) => values.to_vec(),
        other => panic!("{name}: {other:?}"),
    }
}

fn reals(tabled: &Tabled, name: &str) -> Vec<f64> {
    tabled
        .data
        .get(name)
        .unwrap()
        .value
        .as_ref()
        .unwrap()
        .to_reals()
        .unwrap()
}

fn dims(tabled: &Tabled, name: &str) -> Vec<usize> {
    tabled
        .data
        .get(name)
        .unwrap()
        .value
        .as_ref()
        .unwrap()
        .dims
        .clone()
}

fn labels_of(tabled: &Tabled, set: usize) -> Vec<String> {
    let labels = &tabled.labels[set];
    (0..labels.len())
        .map(|at| labels.get(at).unwrap().into_owned())
        .collect()
}

/// Radon: houses in counties, a number per county.
fn radon() -> Draft {
    rows("i")
        .levels("j", "county", "i")
        .column("y", "i")
        .column("u", "j")
        .size('i')
        .size('j')
        .map("county")
        .numbers("y")
        .numbers("u")
}

const HOUSES: &str = "county,y,id\nMORA,1.5,7\nAITKIN,2,8\nMORA,0.5,9\n";

#[test]
fn a_table_of_levels_joins_a_table_of_rows() {
    let counties = "u,county\n0.3,MORA\n0.1,AITKIN\n9,YORK\n";
    let tabled = filled(
        radon(),
        &[("houses.csv", HOUSES), ("counties.csv", counties)],
    );
    assert_eq!(
        (ints(&tabled, "N_i"), ints(&tabled, "N_j")),
        (vec![3], vec![2])
    );
    assert_eq!(ints(&tabled, "county"), [2, 1, 2]);
    assert_eq!(reals(&tabled, "y"), [1.5, 2.0, 0.5]);
    assert_eq!(reals(&tabled, "u"), [0.1, 0.3]);
    assert_eq!(labels_of(&tabled, 1), ["AITKIN", "MORA"]);
    assert_eq!(
        tabled.notes,
        ["1 row of counties.csv is about no county of the data, and not used: row 3"]
    );
}

#[test]
fn a_level_without_its_row_is_an_error() {
    let said = wrong(
        radon(),
        &[("houses.csv", HOUSES), ("c.csv", "u,county\n0.3,MORA\n")],
    );
    assert!(
        said.contains("c.csv has no row for county \"AITKIN\""),
        "{said}"
    );
}

#[test]
fn a_column_of_levels_may_be_constant_within_them() {
    let houses = "county,y,u\nM,1,3\nA,2,1\nM,3,3\n";
    assert_eq!(
        reals(&filled(radon(), &[("h.csv", houses)]), "u"),
        [1.0, 3.0]
    );
    let houses = "county,y,u\nM,1,3\nA,2,1\nM,3,4\n";
    let said = wrong(radon(), &[("h.csv", houses)]);
    let title = "`u` should be one number per county, but county \"M\" has 3 (row 1) and 4 (row 3)";
    assert!(said.contains(title), "{said}");
    // Where one row of a level has a value, another may be empty.
    let houses = "county,y,u\nM,1,\nA,2,1\nM,3,3\n";
    assert_eq!(
        reals(&filled(radon(), &[("h.csv", houses)]), "u"),
        [1.0, 3.0]
    );
}

#[test]
fn numbers_and_labels_meet_where_they_are_spelled_alike() {
    let houses = "county,y\n10,1\n9,2\n";
    let tabled = filled(
        radon(),
        &[("h.csv", houses), ("c.csv", "county,u\n9.0,1\n10.0,2\n")],
    );
    assert_eq!(labels_of(&tabled, 1), ["9", "10"]);
    assert_eq!(reals(&tabled, "u"), [1.0, 2.0]);
    let said = wrong(
        radon(),
        &[("h.csv", houses), ("c.csv", "county,u\n09,1\n10,2\n")],
    );
    assert!(said.contains("no row for county \"9\""), "{said}");
}

#[test]
fn json_gives_values_by_name() {
    let json = r#"{"county": [2, 1, 2], "y": [1, 2.5, 3], "u": [5, 6]}"#;
    let tabled = filled(radon(), &[("d.json", json)]);
    assert_eq!(ints(&tabled, "county"), [2, 1, 2]);
    assert_eq!(reals(&tabled, "u"), [5.0, 6.0]);
    assert_eq!(tabled.labels[1], Arc::new(Labels::Count(2)));
    // A table for the rows, JSON for the levels.
    let tabled = filled(
        radon(),
        &[("h.csv", HOUSES), ("u.json", r#"{"u": [5, 6]}"#)],
    );
    assert_eq!(reals(&tabled, "u"), [5.0, 6.0]);
    let json = r#"{"county": [2, 1, 2], "y": [1, 2.5, 3], "u": [5, 6, 7]}"#;
    let said = wrong(radon(), &[("d.json", json)]);
    assert!(said.contains("`u` has 3 values, but j has 2"), "{said}");
    let json = r#"{"county": [2, 0, 2], "y": [1, 2.5, 3], "u": [5, 6]}"#;
    let said = wrong(radon(), &[("d.json", json)]);
    assert!(said.contains("levels in JSON are 1, 2, …"), "{said}");
}

#[test]
fn single_values_are_set() {
    let draft = || {
        rows("i")
            .column("y", "i")
            .column("se", "")
            .numbers("y")
            .numbers("se")
    };
    let mut given = sources(&[("t.csv", "y\n1\n"), ("d.json", r#"{"se": 1}"#)]);
    given.set("se", "0.25").unwrap();
    let tabled = bind(&draft().0, &given, &Options::default()).unwrap();
    assert_eq!(
        (reals(&tabled, "se"), dims(&tabled, "se")),
        (vec![0.25], vec![])
    );
    let said = wrong(draft(), &[("t.csv", "y\n1\n")]);
    assert!(said.contains("`--set se=VALUE`"), "{said}");
    assert!(given.set("se", "x").is_err());
}

#[test]
fn the_rows_table_is_the_only_one_with_all_columns() {
    let draft = || {
        rows("i")
            .column("y", "i")
            .column("x", "i")
            .numbers("y")
            .numbers("x")
    };
    let files = [("a.csv", "y\n1\n"), ("b.csv", "x,y\n1,2\n")];
    assert_eq!(reals(&filled(draft(), &files), "y"), [2.0]);
    let said = wrong(draft(), &[("a.csv", "y,xx\n1,2\n")]);
    assert!(
        said.contains("a.csv does not have the column `x`"),
        "{said}"
    );
    let files = [("a.csv", "x,y\n1,2\n"), ("b.csv", "x,y\n3,4\n")];
    let said = wrong(draft(), &files);
    assert!(said.contains("`--data i=a.csv`"), "{said}");
    let files = [("a.csv", "x,y\n1,2\n"), ("i=b.csv", "x,y\n3,4\n")];
    assert_eq!(reals(&filled(draft(), &files), "x"), [3.0]);
    assert!(wrong(draft(), &[]).contains("there are no data: the model needs `y` and `x`"));
}

#[test]
fn a_union_of_columns_shares_levels() {
    let mut draft = rows("g").column("home", "g").column("away", "g").set(
        "t",
        SetKind::Levels {
            columns: vec![0, 1],
            order: None,
        },
    );
    for column in &mut draft.0.columns {
        column.levels_of = Some(SetId(1));
    }
    let draft = draft.map("home").map("away").size('t');
    let tabled = filled(draft, &[("g.csv", "home,away\nB,C\nA,B\n")]);
    assert_eq!(
        (ints(&tabled, "home"), ints(&tabled, "away")),
        (vec![2, 1], vec![3, 2])
    );
    assert_eq!(ints(&tabled, "N_t"), [3]);
}

#[test]
fn levels_that_the_file_spells_out_are_closed() {
    let order = |kind: Fixed| {
        let mut draft = rows("i").levels("k", "rating", "i").map("rating");
        let SetKind::Levels { order, .. } = &mut draft.0.sets[1].kind else {
            unreachable!()
        };
        *order = Some(kind);
        draft
    };
    let table = [("t.csv", "rating\nmid\nlow\nhigh\n")];
    let tabled = filled(order(labels(&["low", "mid", "high"])), &table);
    assert_eq!(ints(&tabled, "rating"), [2, 1, 3]);
    // JSON has no labels: its integers count the levels.
    let json = [("d.json", r#"{"rating": [3, 1, 3]}"#)];
    let tabled = filled(order(labels(&["low", "mid", "high"])), &json);
    assert_eq!(ints(&tabled, "rating"), [3, 1, 3]);
    let json = [("d.json", r#"{"rating": [4]}"#)];
    assert!(wrong(order(labels(&["low", "mid", "high"])), &json).contains("D0015"));
    let said = wrong(order(labels(&["low", "mid", "hihg"])), &table);
    assert!(
        said.contains("`rating` is \"high\" in row 3 of t.csv"),
        "{said}"
    );
    assert!(said.contains("is it \"hihg\"?"), "{said}");
    let tabled = filled(order(Fixed::Range(2, 5)), &[("t.csv", "rating\n5\n2\n")]);
    assert_eq!(ints(&tabled, "rating"), [4, 1]);
    assert_eq!(labels_of(&tabled, 1), ["2", "3", "4", "5"]);
}

#[test]
fn ordinal_text_needs_an_order_and_lags_no_gaps() {
    let ordinal = || {
        rows("i")
            .levels("k", "rating", "i")
            .last_set(|set| set.is_ordinal = true)
    };
    let said = wrong(
        ordinal().map("rating"),
        &[("t.csv", "rating\nmid\nlow\nhigh\n")],
    );
    assert!(
        said.contains("levels high, low and mid (alphabetical)"),
        "{said}"
    );
    assert!(
        said.contains("`index k = rating[i] in {high, low, mid}`"),
        "{said}"
    );
    filled(ordinal().map("rating"), &[("t.csv", "rating\n3\n1\n")]);
    let lagged = || {
        rows("i")
            .levels("t", "week", "i")
            .last_set(|set| set.is_lagged = true)
    };
    let said = wrong(
        lagged().map("week"),
        &[("t.csv", "week\n6\n9\n1\n2\n3\n4\n5\n11\n")],
    );
    assert!(
        said.contains("`week` has gaps: 7 to 8 and 10 are missing"),
        "{said}"
    );
    assert!(said.contains("`index t = week[i] in 1:11`"), "{said}");
    filled(lagged().map("week"), &[("t.csv", "week\n6\n7\n5\n")]);
    assert!(wrong(lagged().map("week"), &[("t.csv", "week\na\n")]).contains("holds text"));
}

#[test]
fn nested_levels_are_verified() {
    let draft = || {
        rows("i")
            .levels("c", "class", "i")
            .levels("s", "school", "c")
            .map("class")
            .map("school")
    };
    let tabled = filled(draft(), &[("p.csv", "class,school\na,S1\nb,S2\na,S1\n")]);
    assert_eq!(ints(&tabled, "school"), [1, 2]);
    let said = wrong(draft(), &[("p.csv", "class,school\na,3\nb,4\na,7\n")]);
    assert!(
        said.contains("class \"a\" is in school 3 (row 1) and school 7 (row 3)"),
        "{said}"
    );
    assert!(said.contains("`index c = (s, class[i])`"), "{said}");
}

#[test]
fn combinations_are_those_that_occur() {
    let draft = rows("i").levels("s", "school", "i").column("class", "i");
    let part = |set: Option<usize>, column: usize| Part {
        set: set.map(SetId),
        path: vec![column],
    };
    let parts = vec![part(Some(1), 0), part(None, 1)];
    let draft = draft
        .set(
            "c",
            SetKind::Combinations {
                parts,
                carrier: SetId(0),
            },
        )
        .column("size", "c")
        .column("score", "i")
        .numbers("score")
        .size('c')
        .input("c_of_i", |_| InputSource::Membership {
            combination: SetId(2),
            carrier: SetId(0),
        })
        .input("s_of_c", |_| InputSource::PartOf {
            combination: SetId(2),
            part: 0,
        })
        .numbers("size");
    let pupils = "school,class,score\nS2,a,1\nS1,b,2\nS1,a,3\nS2,a,4\n";
    let classes = "class,school,size\na,S1,20\nb,S1,21\na,S2,22\n";
    let tabled = filled(draft, &[("pupils.csv", pupils), ("classes.csv", classes)]);
    assert_eq!(ints(&tabled, "N_c"), [3]);
    assert_eq!(ints(&tabled, "c_of_i"), [3, 2, 1, 3]);
    assert_eq!(ints(&tabled, "s_of_c"), [1, 1, 2]);
    assert_eq!(reals(&tabled, "size"), [20.0, 21.0, 22.0]);
    assert_eq!(labels_of(&tabled, 2), ["S1:a", "S1:b", "S2:a"]);
}

/// Long data: y over subjects and weeks.
fn panel() -> Draft {
    let draft = rows("i")
        .levels("g", "subject", "i")
        .levels("t", "week", "i")
        .column("y", "gt");
    let column = draft.place("y");
    draft
        .input("N_y", move |_| InputSource::LongRows(column))
        .input("g_of_y", move |_| InputSource::LongPosition {
            column,
            axis: 0,
        })
        .input("t_of_y", move |_| InputSource::LongPosition {
            column,
            axis: 1,
        })
        .input("y", move |_| InputSource::LongValues(column))
        .input("y_lag1", move |_| InputSource::LongLag {
            column,
            axis: 1,
            lag: 1,
        })
}

#[test]
fn long_tables_have_an_element_where_a_row_is() {
    let table = "subject,week,y\nb,2,20\na,2,12\na,1,11\nb,4,NA\nb,3,30\na,4,14\n";
    let omit = Options {
        missing: vec![MissingPolicy::Omit],
        ..Options::default()
    };
    let tabled = filled_with(panel(), &[("t.csv", table)], &omit);
    assert_eq!(ints(&tabled, "N_y"), [5]);
    assert_eq!(ints(&tabled, "g_of_y"), [1, 1, 1, 2, 2]);
    assert_eq!(ints(&tabled, "t_of_y"), [1, 2, 4, 2, 3]);
    assert_eq!(reals(&tabled, "y"), [11.0, 12.0, 14.0, 20.0, 30.0]);
    assert_eq!(ints(&tabled, "y_lag1"), [0, 1, 0, 0, 4]);
    let said = wrong(panel(), &[("t.csv", table)]);
    assert!(said.contains("`y` is missing in row 4 of t.csv"), "{said}");
    let said = wrong(
        panel(),
        &[("t.csv", "subject,week,y\na,1,1\nb,1,2\na,1,3\n")],
    );
    assert!(said.contains("rows 1 and 3 both give y[a, 1]"), "{said}");
}

#[test]
fn covariates_are_collected_by_label() {
    let draft = |kind: Fixed| {
        rows("i")
            .set("p", SetKind::Fixed(kind))
            .column("X", "ip")
            .numbers("X")
    };
    let table = "spend,bid price,X1,X_2\n5,6,7,8\n1,2,3,4\n";
    let tabled = filled(
        draft(labels(&["1", "spend", "bid price"])),
        &[("t.csv", table)],
    );
    assert_eq!(reals(&tabled, "X"), [1.0, 5.0, 6.0, 1.0, 1.0, 2.0]);
    assert_eq!(dims(&tabled, "X"), [2, 3]);
    // Alone among numbers, label 1 is a number; a range takes numbered columns.
    let tabled = filled(draft(Fixed::Range(1, 2)), &[("t.csv", table)]);
    assert_eq!(reals(&tabled, "X"), [7.0, 8.0, 3.0, 4.0]);
    let json = r#"{"X": [[1, 2], [3, 4], [5, 6]]}"#;
    assert_eq!(
        dims(
            &filled(draft(labels(&["a", "b"])), &[("d.json", json)]),
            "X"
        ),
        [3, 2]
    );
    let said = wrong(draft(labels(&["1", "spned"])), &[("t.csv", table)]);
    assert!(
        said.contains("t.csv has `spend`; is that `spned`?"),
        "{said}"
    );
}

#[test]
fn ranges_may_end_where_data_say() {
    let kind = Fixed::Computed(
        Extent::Number(1),
        Extent::Difference(
            Box::new(Extent::Size(SetId(1))),
            Box::new(Extent::Number(1)),
        ),
    );
    let draft = rows("i")
        .levels("k", "rating", "i")
        .set("h", SetKind::Fixed(kind))
        .map("rating")
        .size('h');
    let tabled = filled(draft, &[("t.csv", "rating\n3\n1\n2\n")]);
    assert_eq!(ints(&tabled, "N_h"), [2]);
    // Known to the running program only.
    let kind = Fixed::Computed(Extent::Number(2), Extent::Variable("last".into()));
    let draft = rows("i")
        .column("y", "i")
        .set("h", SetKind::Fixed(kind))
        .numbers("y");
    let plan = draft.0.clone();
    let mut tabled = filled(draft, &[("t.csv", "y\n3\n")]);
    tabled.settle(&plan, &|name| (name == "last").then_some(4));
    assert_eq!(labels_of(&tabled, 1), ["2", "3", "4"]);
}

#[test]
fn values_of_levels_and_their_positions() {
    let draft = rows("i")
        .levels("t", "week", "i")
        .input("week_of_t", |draft| InputSource::LevelValues(draft.of('t')))
        .input("at", |draft| InputSource::Position {
            set: draft.of('t'),
            label: "12".into(),
        });
    let tabled = filled(draft, &[("t.csv", "week\n12\n7\n")]);
    assert_eq!(
        (ints(&tabled, "week_of_t"), ints(&tabled, "at")),
        (vec![7, 12], vec![2])
    );
    let draft = rows("i")
        .levels("j", "c", "i")
        .input("at", |draft| InputSource::Position {
            set: draft.of('j'),
            label: "us".into(),
        });
    let said = wrong(draft, &[("t.csv", "c\nDE\nUS\n")]);
    assert!(said.contains("is it \"US\"?"), "{said}");
}

#[test]
fn values_may_be_levels_of_rows() {
    let draft = rows("s").column("y", "s").set("e", SetKind::Rows);
    let draft = draft
        .column("node1", "e")
        .last(|column| column.levels_of = Some(SetId(0)))
        .numbers("y")
        .map("node1");
    let files = [
        ("areas.csv", "y\n1\n2\n3\n"),
        ("edges.csv", "node1\n3\n1\n"),
    ];
    assert_eq!(ints(&filled(draft, &files), "node1"), [3, 1]);
}

#[test]
fn integers_and_booleans() {
    let draft = || {
        rows("i")
            .column("y", "i")
            .last(|column| column.is_integer = true)
            .numbers("y")
    };
    assert_eq!(
        ints(&filled(draft(), &[("t.csv", "y\n1.0\n2\n")]), "y"),
        [1, 2]
    );
    assert_eq!(
        ints(&filled(draft(), &[("t.csv", "y\nTRUE\nFALSE\n")]), "y"),
        [1, 0]
    );
    let said = wrong(draft(), &[("t.csv", "y\n1.5\n2\n")]);
    assert!(
        said.contains("`y` must hold integers, but row 1 of t.csv has 1.5"),
        "{said}"
    );
    let said = wrong(draft(), &[("t.csv", "y\n1\nyes\n")]);
    assert!(said.contains("`y[i] == \"yes\"`"), "{said}");
}

/// y of x, both with gaps; x has a statement of its own.
fn gaps() -> Draft {
    rows("i")
        .column("y", "i")
        .last(|column| column.is_observed = true)
        .column("x", "i")
        .last(|column| (column.can_impute, column.is_used_elsewhere) = (true, true))
        .numbers("y")
        .numbers("x")
}

const GAPS: &str = "y,x\n1,\n2,20\nNA,30\n4,40\n";

#[test]
fn missing_values_are_an_error_unless_told_otherwise() {
    let said = wrong(gaps(), &[("t.csv", GAPS)]);
    assert!(said.contains("`y` is missing in row 3 of t.csv"), "{said}");
    assert!(said.contains("`x` is missing in row 1 of t.csv"), "{said}");
    assert!(
        said.contains("`--na drop`") && said.contains("`--na impute`"),
        "{said}"
    );
}

#[test]
fn rows_are_left_out_and_keep_their_numbers() {
    let options = Options {
        missing: vec![MissingPolicy::Omit],
        ..Options::default()
    };
    let tabled = filled_with(gaps(), &[("t.csv", GAPS)], &options);
    assert_eq!(
        (reals(&tabled, "y"), reals(&tabled, "x")),
        (vec![2.0, 4.0], vec![20.0, 40.0])
    );
    assert_eq!(labels_of(&tabled, 0), ["2", "4"]);
    let note = "2 of 4 rows of t.csv are left out for missing values: `y` in 1 and `x` in 1";
    assert_eq!(tabled.notes, [note]);
    let json = r#"{"y": [1, 2, null, 4], "x": [null, 20, 30, 40]}"#;
    let tabled = filled_with(gaps(), &[("d.json", json)], &options);
    assert_eq!(reals(&tabled, "x"), [20.0, 40.0]);
}

#[test]
fn rows_of_a_level_without_a_value_are_left_out() {
    let options = Options {
        missing: vec![MissingPolicy::Omit],
        ..Options::default()
    };
    let counties = "u,county\n0.3,MORA\nNA,AITKIN\n";
    let files = [("h.csv", HOUSES), ("c.csv", counties)];
    let tabled = filled_with(radon(), &files, &options);
    assert_eq!(reals(&tabled, "y"), [1.5, 0.5]);
    assert_eq!(reals(&tabled, "u"), [0.3]);
    assert_eq!(labels_of(&tabled, 1), ["MORA"]);
    let note = "1 of 3 rows of h.csv are left out for missing values: `u` in 1";
    assert_eq!(tabled.notes[0], note);
    let said = wrong(radon(), &files);
    assert!(
        said.contains("leaves out all rows of such a county"),
        "{said}"
    );
}

#[test]
fn missing_values_become_unknowns_or_are_passed_over() {
    let options = Options {
        missing: vec![MissingPolicy::Drop, MissingPolicy::Impute],
        ..Options::default()
    };
    let given = sources(&[("t.csv", GAPS)]);
    let values = missing_values(&gaps().0, &given, &options).unwrap();
    assert_eq!(
        (values.dropped, values.imputed),
        (vec!["y".to_string()], vec!["x".to_string()])
    );
    // The plan that lowering makes when it is told.
    let draft = gaps()
        .input("y_rows", |_| InputSource::PresentPositions(0))
        .input("x_missing", |_| InputSource::MissingPositions(1))
        .input("N_x_missing", |_| InputSource::MissingCount(1));
    let tabled = filled_with(draft, &[("t.csv", GAPS)], &options);
    assert_eq!(ints(&tabled, "y_rows"), [1, 2, 4]);
    assert_eq!(
        (ints(&tabled, "x_missing"), ints(&tabled, "N_x_missing")),
        (vec![1], vec![1])
    );
    assert_eq!(reals(&tabled, "x"), [0.0, 20.0, 30.0, 40.0]);
    let none = missing_values(&gaps().0, &given, &Options::default()).unwrap();
    assert!(none.dropped.is_empty() && none.imputed.is_empty());
}

#[test]
fn outputs_are_labelled() {
    let mut draft = radon();
    draft.0.outputs.push(Output {
        name: "a".into(),
        over: vec![SetId(1)],
        is_saved: true,
    });
    let plan = draft.0.clone();
    let files = [("h.csv", HOUSES), ("c.csv", "county,u\nMORA,1\nAITKIN,2\n")];
    let labelling = filled(draft, &files).labelling(&plan);
    assert_eq!(labelling.name("a.2").as_deref(), Some("a[MORA]"));
}

proptest! {
    /// Whatever a table holds, binding fills the plan or says why not.
    #[test]
    fn any_table_is_bound_or_refused(
        text in "(county|y|u|class),(county|y|u|x)(,u)?\n([a-c0-9.]{0,3},[a-c0-9.]{0,3}(,1)?\n){0,8}",
        omit in any::<bool>(),
    ) {
        let mut given = Sources::new(&SourceMap::new());
        if given.add_csv("t.csv", text.as_bytes(), None).is_ok() {
            let missing = if omit { vec![MissingPolicy::Omit] } else { Vec::new() };
            let options = Options { missing, ..Options::default() };
            if let Err(faults) = bind(&radon().0, &given, &options) {
                diag::render(&given.texts, &faults, true);
            }
            let _ = bind(&panel().0, &given, &options);
            let _ = bind(&gaps().0, &given, &options);
        }
    }

    /// Positions lead back to the labels.
    #[test]
    fn positions_are_those_of_labels(cells in proptest::collection::vec("[a-c]|[0-9]{1,2}", 1..20)) {
        let text = format!("county,y\n{}", cells.iter().map(|cell| format!("{cell},1\n")).collect::<String>());
        let draft = rows("i").levels("j", "county", "i").column("y", "i").map("county").numbers("y");
        let tabled = filled(draft, &[("t.csv", &text)]);
        let found: Vec<String> = ints(&tabled, "county")
            .into_iter()
            .map(|position| tabled.labels[1].get(position as usize - 1).unwrap().into_owned())
            .collect();
        prop_assert_eq!(found, cells);
    }
}
