//! Tests of the data reader: the rules one by one, then random and mutated files.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Data {
    parse_data_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\nin {text}"))
}

fn value(text: &str) -> DataValue {
    read(&format!("{{\"x\": {text}}}"))
        .get("x")
        .unwrap()
        .value
        .clone()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn value_problem(text: &str) -> DataProblem {
    read(&format!("{{\"x\": {text}}}")).entries()[0]
        .value
        .clone()
        .expect_err(text)
        .problem
}

fn file_error(text: &str) -> DataError {
    parse_data_json(text.as_bytes()).expect_err(text)
}

#[test]
fn keeps_the_order_and_places_of_variables() {
    let text = "{\n  \"y\": [1, 2],\n  \"N\": 2\n}";
    let data = read(text);
    let names: Vec<&str> = data
        .entries()
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["y", "N"]);
    let y = data.get("y").unwrap();
    assert_eq!(&text[y.name_span.clone()], "y");
    let value = y.value.as_ref().unwrap();
    assert_eq!(&text[value.span.clone()], "[1, 2]");
    assert_eq!(&text[value.element_span(text.as_bytes(), 1).unwrap()], "2");
    assert_eq!(value.element_span(text.as_bytes(), 2), None);
    assert!(data.get("n").is_none());
}

#[test]
fn numbers_are_integers_until_one_is_not() {
    assert_eq!(value("3").kind, DataKind::Int(vec![3].into()));
    assert_eq!(value("3").dims, Vec::<usize>::new());
    assert_eq!(
        value("[1, -2, true, false]").kind,
        DataKind::Int(vec![1, -2, 1, 0].into())
    );
    let mixed = value("[1, 2.0, 3]");
    assert_eq!(mixed.kind, DataKind::Real(vec![1.0, 2.0, 3.0].into()));
    let first = mixed.first_real.unwrap();
    assert_eq!((first.index, first.reason), (1, RealReason::Written));
    assert_eq!(
        value("[999999999, -999999999, 1000000000, -0]").kind,
        DataKind::Int(vec![999_999_999, -999_999_999, 1_000_000_000, 0].into())
    );
    let big = value("[2147483647, 2147483648, -2147483649]");
    assert_eq!(
        big.kind,
        DataKind::Real(vec![2147483647.0, 2147483648.0, -2147483649.0].into())
    );
    assert_eq!(big.first_real.unwrap().reason, RealReason::BeyondInt32);
    assert_eq!(value("1e3").kind, DataKind::Real(vec![1000.0].into()));
    assert_eq!(value("-0.5E-2").kind, DataKind::Real(vec![-0.005].into()));
}

#[test]
fn special_values_in_any_case() {
    let text =
        r#"["Inf", "-inf", "Infinity", "-INFINITY", "+inf", Inf, -Inf, Infinity, -Infinity]"#;
    let signs = [1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0];
    assert_eq!(
        value(text).kind,
        DataKind::Real(signs.map(|sign| sign * f64::INFINITY).to_vec().into())
    );
    for text in ["\"NaN\"", "\"nan\"", "NaN"] {
        assert!(
            matches!(&value(text).kind, DataKind::Real(x) if x[0].is_nan()),
            "{text}"
        );
    }
}

#[test]
fn missing_values_keep_their_place() {
    let text = "{\"x\": [1, null, 2.5, \"NA\"]}";
    let data = read(text);
    let x = data.get("x").unwrap().value.as_ref().unwrap();
    let places: Vec<(usize, &str)> = x
        .missing
        .iter()
        .map(|element| (element.index, &text[element.span.clone()]))
        .collect();
    assert_eq!(places, [(1, "null"), (3, "\"NA\"")]);
    let DataKind::Real(values) = &x.kind else {
        panic!("{x:?}")
    };
    assert_eq!(values[0], 1.0);
    assert!(values[1].is_nan() && values[3].is_nan());
    assert_eq!(value("[null, 7]").kind, DataKind::Int(vec![0, 7].into()));
}

#[test]
fn arrays_are_row_major_and_rectangular() {
    let matrix = value("[[1, 2, 3], [4, 5, 6]]");
    assert_eq!(matrix.dims, [2, 3]);
    assert_eq!(matrix.kind, DataKind::Int(vec![1, 2, 3, 4, 5, 6].into()));
    assert_eq!(value("[[], []]").dims, [2, 0]);
    assert_eq!(value("[]").dims, [0]);
    assert!(value("[]").is_empty() && !matrix.is_empty());
    assert_eq!(
        value_problem("[[1, 2], [3]]"),
        DataProblem::Ragged {
            expected: 2,
            found: 1
        }
    );
    assert_eq!(
        value_problem("[[], [3]]"),
        DataProblem::Ragged {
            expected: 0,
            found: 1
        }
    );
    for text in [
        "[1, [2]]",
        "[[1], 2]",
        "[[], 2]",
        "[[], [[1]]]",
        "[{\"1\": 2}, 3]",
        "[3, {\"1\": 2}]",
    ] {
        let problem = value_problem(text);
        assert!(
            matches!(
                problem,
                DataProblem::MixedElements { .. } | DataProblem::Ragged { .. }
            ),
            "{text}: {problem:?}"
        );
    }
}

#[test]
fn tuples_become_slots_with_the_dims_of_their_array() {
    let pair = value(r#"{"2": [1.5, 2], "1": 3}"#);
    assert_eq!(pair.dims, Vec::<usize>::new());
    let DataKind::Tuple(slots) = &pair.kind else {
        panic!("{pair:?}")
    };
    assert_eq!(slots[0].kind, DataKind::Int(vec![3].into()));
    assert_eq!(
        (slots[1].dims.as_slice(), &slots[1].kind),
        (&[2][..], &DataKind::Real(vec![1.5, 2.0].into()))
    );

    let array = value(r#"[{"1": 1, "2": [1, 2, 3]}, {"1": 2, "2": [4, 5, 6]}]"#);
    assert_eq!(array.dims, [2]);
    let DataKind::Tuple(slots) = &array.kind else {
        panic!("{array:?}")
    };
    assert_eq!(
        (slots[0].dims.as_slice(), &slots[0].kind),
        (&[2][..], &DataKind::Int(vec![1, 2].into()))
    );
    assert_eq!(
        (slots[1].dims.as_slice(), &slots[1].kind),
        (&[2, 3][..], &DataKind::Int(vec![1, 2, 3, 4, 5, 6].into()))
    );

    let nested = value(r#"{"1": {"1": 1, "2": 2}, "2": []}"#);
    assert!(
        matches!(&nested.kind, DataKind::Tuple(slots) if matches!(slots[0].kind, DataKind::Tuple(_)))
    );

    assert_eq!(value_problem("{}"), DataProblem::TupleSlots { expected: 0 });
    assert_eq!(
        value_problem(r#"{"1": 1, "3": 1}"#),
        DataProblem::TupleSlots { expected: 2 }
    );
    assert_eq!(
        value_problem(r#"{"1": 1, "1": 1}"#),
        DataProblem::TupleSlots { expected: 2 }
    );
    assert_eq!(
        value_problem(r#"[{"1": 1}, {"1": 1, "2": 1}]"#),
        DataProblem::TupleSlots { expected: 2 }
    );
    assert_eq!(
        value_problem(r#"[{"1": 1, "2": 2}, {"1": 1}]"#),
        DataProblem::TupleSlots { expected: 2 }
    );
    assert_eq!(
        value_problem(r#"{"a": 1}"#),
        DataProblem::NotATuple("a".into())
    );
    assert_eq!(
        value_problem(r#"[{"1": [1, 2]}, {"1": [1]}]"#),
        DataProblem::Ragged {
            expected: 2,
            found: 1
        }
    );
}

#[test]
fn members_that_are_not_variables_are_kept_apart() {
    let text =
        r#"{"_hlm": {"dims": {"y": ["a", "b"]}}, "µ": 1, "a b": 2, "x1_": 3, "names": ["p", "q"]}"#;
    let data = read(text);
    assert_eq!(data.ignored().len(), 2);
    assert_eq!(data.ignored()[0].name, "_hlm");
    assert_eq!(
        &text[data.ignored()[0].value_span.clone()],
        r#"{"dims": {"y": ["a", "b"]}}"#
    );
    assert!(data.get("µ").is_some() && data.get("x1_").is_some());
    let error = data.get("names").unwrap().value.clone().unwrap_err();
    assert_eq!(error.problem, DataProblem::Text("p".into()));
    assert_eq!(&text[error.span], "\"p\"");
}

#[test]
fn syntax_errors_say_where_and_what() {
    let error = file_error("{\n  \"é\": [1,\n 2 3]\n}");
    assert_eq!((error.line, error.column), (3, 4));
    assert_eq!(
        error.to_string(),
        "line 3, column 4: found `3`, expected `,` or `]`"
    );
    assert_eq!(file_error("{\"é\": x}").column, 7);
    assert_eq!(
        file_error("")
            .to_string()
            .matches("the end of the file")
            .count(),
        1
    );
    assert!(
        matches!(file_error("{\"a\": 1, \"b\": 2, \"a\": 3}").problem,
        DataProblem::RepeatedName { name, first } if name == "a" && first == (2..3))
    );
    for text in ["01", ".5", "1.", "+1", "1e", "-", "1.2.3", "--1"] {
        let error = file_error(&format!("{{\"x\": {text}}}"));
        assert_eq!(error.problem, DataProblem::BadNumber(text.into()));
        assert_eq!(error.span, 6..6 + text.len());
    }
    for text in [
        "[1,]",
        "[,1]",
        "[",
        "nul",
        "[1}",
        "{\"1\":}",
        "{\"1\" 1}",
        "\"a",
        "'a'",
        "1 2",
        "{1: 2}",
        "{\"1\":1,}",
    ] {
        file_error(&format!("{{\"x\": {text}}}"));
    }
    assert!(matches!(
        value_problem("1e999"),
        DataProblem::NumberTooLarge(_)
    ));
    assert_eq!(
        file_error(&format!("{{\"x\": {}", "[".repeat(100_000))).problem,
        DataProblem::TooDeep
    );
    assert_eq!(
        file_error("{\"x\": \"\\q\"}").problem,
        DataProblem::BadEscape
    );
    assert_eq!(
        parse_data_json(b"{\"\xFF\": 1}").unwrap_err().problem,
        DataProblem::NotUtf8
    );
    assert_eq!(
        read("\u{FEFF}{\"\\u0061\\ud83d\\ude00\": 1}").ignored()[0].name,
        "a😀"
    );
    file_error("{} x");
    assert_eq!(read(" {} "), Data::new());
}

#[test]
fn values_set_in_memory_replace_those_read() {
    let mut data = read("{\"N\": 2, \"y\": 1}");
    data.set("N", DataValue::int(vec![5], vec![]));
    data.set("z", DataValue::real(vec![0.5, 1e300], vec![2, 1]));
    assert_eq!(
        write_data_json(&data),
        "{\n  \"N\": 5,\n  \"y\": 1,\n  \"z\": [[0.5], [1e300]]\n}\n"
    );
    assert_eq!(
        data.get("z").unwrap().value.as_ref().unwrap().to_reals(),
        Some(vec![0.5, 1e300])
    );
}

/// Values without spans, so that files of different layout compare.
fn strip(value: &DataValue) -> DataValue {
    let mut value = DataValue {
        span: 0..0,
        first_real: None,
        ..value.clone()
    };
    value
        .missing
        .iter_mut()
        .for_each(|element| element.span = 0..0);
    if let DataKind::Tuple(slots) = &mut value.kind {
        slots.iter_mut().for_each(|slot| *slot = strip(slot));
    }
    value
}

fn arbitrary_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|x| {
            let mut text = String::new();
            write_json_number(x, &mut text);
            text
        }),
        Just("null".to_string()),
        Just("true".to_string()),
        Just("\"a\\n\"".to_string()),
    ];
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(", "))),
            prop::collection::vec(inner, 0..3).prop_map(|all| {
                let members: Vec<_> = all
                    .iter()
                    .enumerate()
                    .map(|(i, text)| format!("\"{}\": {text}", i + 1))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop::collection::vec(nested, 0..4).prop_map(|values| {
        let members: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(i, text)| format!("\"v{i}\":{text}"))
            .collect();
        format!("{{{}}}", members.join(",\n"))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_data_json(&bytes);
    }

    #[test]
    fn mutated_files_give_places_inside_the_file(
        text in arbitrary_text(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Err(error) = parse_data_json(&bytes) {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= bytes.len());
        }
    }

    #[test]
    fn every_json_object_is_read_and_survives_writing(text in arbitrary_text()) {
        let data = read(&text);
        for entry in data.entries() {
            if let Ok(value) = &entry.value {
                let elements: usize = value.dims.iter().product();
                match &value.kind {
                    DataKind::Int(values) => prop_assert_eq!(values.len(), elements),
                    DataKind::Real(values) => prop_assert_eq!(values.len(), elements),
                    DataKind::Tuple(slots) => prop_assert!(slots.iter().all(|slot| slot.dims.starts_with(&value.dims))),
                }
            }
        }
        let again = read(&write_data_json(&data));
        let kept = data.entries().iter().filter_map(|entry| entry.value.as_ref().ok().map(|value| (&entry.name, value)));
        for ((name, before), after) in kept.zip(again.entries()) {
            prop_assert_eq!(name, &after.name);
            let (before, after) = (strip(before), strip(after.value.as_ref().unwrap()));
            prop_assert_eq!(format!("{before:?}"), format!("{after:?}"));
        }
    }
}
