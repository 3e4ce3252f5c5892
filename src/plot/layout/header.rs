//! The words around the panels: title, subtitle, legend, and the note below.

use super::{LABEL_SIZE, MARGIN, words};
use crate::plot::figure::{Figure, Key, KeyMark, RULE_DASH};
use crate::plot::font;
use crate::plot::palette::{GREY, INK};
use crate::plot::scene::{Anchor, Mark, Paint, Path, Rectangle, Stroke, Text, Weight};

/// Draws what stands above the panels; the line below it.
pub fn draw(figure: &Figure, marks: &mut Vec<Mark>) -> f64 {
    let mut y = MARGIN;
    y = paragraph(figure, &figure.title, (17.0, Weight::SemiBold), y, marks);
    if !figure.subtitle.is_empty() {
        y += if figure.title.is_empty() { 0.0 } else { 3.0 };
        y = paragraph(figure, &figure.subtitle, (12.5, Weight::Regular), y, marks);
    }
    if !figure.keys.is_empty() {
        y = legend(figure, y + 6.0, marks);
    }
    let shared = figure.panels.iter().any(|panel| panel.y.is_none());
    if shared && !figure.y.label.is_empty() {
        y += 22.0;
        marks.push(words(
            &figure.y.label,
            (MARGIN, y),
            Anchor::Start,
            LABEL_SIZE,
        ));
    }
    y + 6.0
}

/// Draws the note under the panels; the line below it.
pub fn draw_note(figure: &Figure, bottom: f64, marks: &mut Vec<Mark>) -> f64 {
    if figure.note.is_empty() {
        return bottom;
    }
    paragraph(
        figure,
        &figure.note,
        (10.5, Weight::Regular),
        bottom + 8.0,
        marks,
    )
}

/// Text broken into lines that fit; the line below the last of them.
fn paragraph(
    figure: &Figure,
    text: &str,
    (size, weight): (f64, Weight),
    top: f64,
    marks: &mut Vec<Mark>,
) -> f64 {
    let mut y = top;
    for line in lines(text, size, weight, figure.width - 2.0 * MARGIN) {
        y += 1.3 * size;
        marks.push(Mark::Text(Text {
            text: line,
            at: (MARGIN, y - 0.25 * size),
            anchor: Anchor::Start,
            size,
            weight,
            colour: if weight == Weight::SemiBold {
                INK
            } else {
                GREY
            },
            halo: false,
        }));
    }
    y
}

/// Words in lines no wider than `width`, except for single words that are.
fn lines(text: &str, size: f64, weight: Weight, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (lines.last_mut(), longer) {
            (Some(last), Some(longer)) if font::width(&longer, size, weight) <= width => {
                *last = longer;
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// The width of a legend's mark.
const MARK: f64 = 20.0;

/// Entries in a row, and in more rows if they do not fit; the line below.
fn legend(figure: &Figure, top: f64, marks: &mut Vec<Mark>) -> f64 {
    let (mut x, mut y) = (MARGIN, top + 12.0);
    for key in &figure.keys {
        let width = MARK + 6.0 + font::width(&key.label, LABEL_SIZE, Weight::Regular);
        if x > MARGIN && x + width > figure.width - MARGIN {
            (x, y) = (MARGIN, y + 18.0);
        }
        entry(key, (x, y), marks);
        x += width + 18.0;
    }
    y + 5.0
}

fn entry(key: &Key, (x, y): (f64, f64), marks: &mut Vec<Mark>) {
    let middle = y - 0.35 * LABEL_SIZE;
    match key.mark {
        KeyMark::Line { colour, is_dashed } => {
            let mut stroke = Stroke::solid(colour, 2.0);
            if is_dashed {
                stroke.dash = RULE_DASH.to_vec();
            }
            line((x, middle), stroke, marks);
        }
        KeyMark::Band { colour, opacity } => {
            let rectangle = Rectangle {
                left: x,
                top: middle - 5.0,
                width: MARK,
                height: 10.0,
            };
            let corners = [
                (rectangle.left, rectangle.top),
                (rectangle.right(), rectangle.top),
                (rectangle.right(), rectangle.bottom()),
                (rectangle.left, rectangle.bottom()),
            ];
            marks.push(Mark::Shape {
                path: Path::polygon(corners),
                fill: Some(Paint { colour, opacity }),
                stroke: None,
            });
        }
        KeyMark::Dot {
            colour,
            radius,
            is_filled,
        } => {
            let centre = (x + MARK / 2.0, middle);
            marks.push(super::panel::dot(centre, radius, colour, is_filled, 1.0));
        }
        KeyMark::Arrow { colour } => {
            line((x, middle), Stroke::solid(colour, 1.5), marks);
            let tip = (x + MARK, middle);
            marks.push(super::panel::head(
                (x, middle),
                tip,
                1.5,
                Paint::solid(colour),
            ));
        }
    }
    let at = (x + MARK + 6.0, y);
    marks.push(words(&key.label, at, Anchor::Start, LABEL_SIZE));
}

fn line((x, y): (f64, f64), stroke: Stroke, marks: &mut Vec<Mark>) {
    marks.push(Mark::Shape {
        path: Path::polyline([(x, y), (x + MARK, y)]),
        fill: None,
        stroke: Some(stroke),
    });
}
