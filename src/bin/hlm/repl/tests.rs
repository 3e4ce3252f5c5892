//! Tests of the prompt: what it says to lines, one after another.

use super::session::{Answer, Session};
use crate::fault::Fault;

fn session() -> Session {
    Session::new()
}

fn said(session: &mut Session, line: &str) -> String {
    match session.answer(line) {
        Answer::Text(text) | Answer::Note(text) => text,
        Answer::Trouble(Fault::Findings(failure)) => failure.render(false),
        Answer::Trouble(Fault::Sentence(sentence)) => sentence,
        Answer::Trouble(Fault::Unread) => "unread".to_string(),
        Answer::Quit => "quit".to_string(),
    }
}

#[test]
fn expressions_have_values_and_types() {
    let session = &mut session();
    assert_eq!(said(session, "1 + 2"), "3 : int\n");
    assert_eq!(said(session, "[1, 2] / 4;"), "[0.25,0.5] : row_vector[2]\n");
    assert_eq!(said(session, "{[1, 2]'}"), "[[1,2]] : array[1] vector[2]\n");
    assert_eq!(said(session, ":type [[1, 2], [3, 4]]"), "matrix\n");
    assert_eq!(said(session, ""), "");
}

#[test]
fn definitions_stay() {
    let session = &mut session();
    assert_eq!(said(session, "x = 3"), "x = 3 : int\n");
    assert_eq!(said(session, "x = x / 2.0"), "x = 1.5 : real\n");
    assert_eq!(said(session, "x == 1.5"), "1 : int\n");
    assert_eq!(said(session, "real half(real y) { return y / 2; }"), "");
    assert_eq!(said(session, "half(x)"), "0.75 : real\n");
    assert_eq!(said(session, "real half(real y) { return y / 4; }"), "");
    assert_eq!(said(session, "half(x)"), "0.375 : real\n");
    assert_eq!(said(session, ":vars"), "x : real\nhalf()\n");
}

#[test]
fn faults_leave_the_session_as_it_was() {
    let session = &mut session();
    said(session, "x = 2");
    assert!(said(session, "x = y").contains("error[N0001]"));
    assert!(said(session, "[1, 2][3]").contains("error[R0005]"));
    assert!(said(session, "real f(real y) { return z; }").contains("error[N0001]"));
    assert!(said(session, "1 +").contains("error[P"));
    assert!(said(session, ":nonsense").contains(":help"));
    assert_eq!(said(session, "x"), "2 : int\n");
}

#[test]
fn random_numbers_follow_the_seed() {
    let session = &mut session();
    said(session, ":seed 5");
    let first = said(session, "normal_rng(0, 1)");
    assert_ne!(said(session, "normal_rng(0, 1)"), first);
    said(session, ":seed 5");
    assert_eq!(said(session, "normal_rng(0, 1)"), first);
}

#[test]
fn a_model_grows_line_by_line() {
    let session = &mut session();
    for line in [
        "index j",
        "data y[j], se[j]",
        "y[j] ~ normal(theta[j], se[j])",
        "theta[j] ~ normal(mu, tau)",
        "mu ~ normal(0, 5)",
    ] {
        assert_eq!(said(session, line), "", "{line}");
    }
    assert_eq!(said(session, "tau = 2"), "");
    assert_eq!(said(session, "tau ~ cauchy(0, 5)"), "replaces  tau = 2");
    assert_eq!(
        said(session, ":show"),
        "index j\ndata y[j], se[j]\ny[j] ~ normal(theta[j], se[j])\ntheta[j] ~ normal(mu, tau)\n\
         mu ~ normal(0, 5)\ntau ~ cauchy(0, 5)\n"
    );
    assert!(said(session, "tau").contains("has no draws yet: `:fit`"));
    assert!(said(session, ":help tau").starts_with("tau ~ cauchy(0, 5)"));
    assert!(said(session, ":help cauchy").contains("cauchy_lpdf"));
    assert_eq!(said(session, ":drop mu"), "drops  mu ~ normal(0, 5)");
    assert_eq!(said(session, ":let x = 3"), "x = 3 : int\n");
    assert_eq!(said(session, "x + 1"), "4 : int\n");
    said(session, ":new");
    assert!(said(session, ":show").contains("no model"));
}

#[test]
fn an_operator_continues_the_line_before() {
    let session = &mut session();
    said(session, "y[i] ~ normal(a, 1)");
    said(session, "a = b");
    said(session, "  + c");
    said(session, "where c ~ normal(0, 1)");
    let expected = "y[i] ~ normal(a, 1)\na = b + c\nc ~ normal(0, 1)\n";
    assert_eq!(said(session, ":show"), expected);
    assert_eq!(said(session, "1 + 2"), "3 : int\n");
    assert_eq!(said(session, "* 3"), "7 : int\n");
    assert!(said(session, "~ ~").contains("error[P"));
    assert_eq!(said(session, ":show"), expected);
}

#[test]
fn what_is_missing_is_said() {
    let session = &mut session();
    for (line, answer) in [
        (":fit", "no model"),
        (":summary", "nothing has been fitted"),
        (":predict", "nothing has been fitted"),
        (":data nowhere.csv", "there is no data file"),
        (":load nowhere.hlm", "there is no program"),
        (":save", "say where"),
        (":drop x", "no line defines"),
        (":help nothing", "neither"),
        ("model { }", ":load"),
        ("y ~ 3", "error[P"),
        (":let 3", "as in"),
    ] {
        let said = said(session, line);
        assert!(said.contains(answer), "{line}: {said}");
    }
}
