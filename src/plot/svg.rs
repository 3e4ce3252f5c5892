//! Scenes as SVG text: small, with text as text, the same bytes for the same scene.

use super::palette::WHITE;
use super::scene::{
    Anchor, Mark, Paint, Path, PathSegment, Rectangle, Scene, Stroke, Text, Weight,
};
use std::fmt::Write;

/// What readers without Inter see.
const FAMILY: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif";

impl Scene {
    /// The picture as a standalone SVG document.
    pub fn svg(&self) -> String {
        let mut writer = Writer {
            text: String::new(),
            clips: 0,
        };
        let (width, height) = (number(self.width), number(self.height));
        writer.line(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" stroke-linejoin=\"round\" stroke-linecap=\"round\" font-family=\"{FAMILY}\">"
        ));
        writer.line(&format!("<title>{}</title>", escape(&self.title)));
        writer.line(&format!(
            "<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
            WHITE.hex()
        ));
        writer.marks(&self.marks);
        writer.line("</svg>");
        writer.text
    }
}

struct Writer {
    text: String,
    /// How many clipping rectangles were named.
    clips: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            match mark {
                Mark::Shape { path, fill, stroke } => {
                    let paint = attributes(fill.as_ref(), stroke.as_ref());
                    self.line(&format!("<path d=\"{}\"{paint}/>", path_data(path)));
                }
                Mark::Circle {
                    centre,
                    radius,
                    fill,
                    stroke,
                } => {
                    let paint = attributes(fill.as_ref(), stroke.as_ref());
                    let (x, y) = (number(centre.0), number(centre.1));
                    let radius = number(*radius);
                    self.line(&format!(
                        "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{paint}/>"
                    ));
                }
                Mark::Text(text) => self.line(&text_element(text)),
                Mark::Clipped { to, marks } => self.clipped(to, marks),
            }
        }
    }

    fn clipped(&mut self, to: &Rectangle, marks: &[Mark]) {
        self.clips += 1;
        let name = format!("clip{}", self.clips);
        self.line(&format!(
            "<clipPath id=\"{name}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
            number(to.left),
            number(to.top),
            number(to.width),
            number(to.height)
        ));
        self.line(&format!("<g clip-path=\"url(#{name})\">"));
        self.marks(marks);
        self.line("</g>");
    }
}

fn text_element(text: &Text) -> String {
    let mut element = format!(
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"",
        number(text.at.0),
        number(text.at.1),
        number(text.size),
        text.colour.hex()
    );
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => element.push_str(" text-anchor=\"middle\""),
        Anchor::End => element.push_str(" text-anchor=\"end\""),
    }
    if text.weight == Weight::SemiBold {
        element.push_str(" font-weight=\"600\"");
    }
    if text.halo {
        let white = WHITE.hex();
        let rim = " stroke-width=\"3\" paint-order=\"stroke\"";
        let _ = write!(element, " stroke=\"{white}\"{rim}");
    }
    let _ = write!(element, ">{}</text>", escape(&text.text));
    element
}

fn attributes(fill: Option<&Paint>, stroke: Option<&Stroke>) -> String {
    let mut text = String::new();
    match fill {
        None => text.push_str(" fill=\"none\""),
        Some(paint) => {
            let _ = write!(text, " fill=\"{}\"", paint.colour.hex());
            if paint.opacity < 1.0 {
                let _ = write!(text, " fill-opacity=\"{}\"", number(paint.opacity));
            }
        }
    }
    if let Some(stroke) = stroke {
        let colour = stroke.paint.colour.hex();
        let width = number(stroke.width);
        let _ = write!(text, " stroke=\"{colour}\" stroke-width=\"{width}\"");
        if stroke.paint.opacity < 1.0 {
            let opacity = number(stroke.paint.opacity);
            let _ = write!(text, " stroke-opacity=\"{opacity}\"");
        }
        if !stroke.dash.is_empty() {
            let dash: Vec<String> = stroke.dash.iter().map(|&length| number(length)).collect();
            let _ = write!(text, " stroke-dasharray=\"{}\"", dash.join(" "));
        }
    }
    text
}

fn path_data(path: &Path) -> String {
    let mut text = String::new();
    for segment in &path.0 {
        let (letter, numbers): (char, Vec<f64>) = match *segment {
            PathSegment::Move(x, y) => ('M', vec![x, y]),
            PathSegment::Line(x, y) => ('L', vec![x, y]),
            PathSegment::Quadratic(a, b, x, y) => ('Q', vec![a, b, x, y]),
            PathSegment::Cubic(a, b, c, d, x, y) => ('C', vec![a, b, c, d, x, y]),
            PathSegment::Close => ('Z', Vec::new()),
        };
        text.push(letter);
        let numbers: Vec<String> = numbers.into_iter().map(number).collect();
        text.push_str(&numbers.join(" "));
    }
    text
}

/// A hundredth of a pixel is finer than anyone sees.
fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    // Not `-0`.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// Text that means itself in XML, with nothing in it that XML forbids.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
