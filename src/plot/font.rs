//! The embedded font: Inter, reduced to Latin, Greek and the signs of formulas; its licence is in fonts/OFL.txt.

use super::scene::{Path, PathSegment, Weight};
use std::sync::OnceLock;
use ttf_parser::{Face, OutlineBuilder};

/// The advance of a letter that the font lacks, in ems.
const MISSING_ADVANCE: f64 = 0.6;

static REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.otf");
static SEMI_BOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.otf");

fn face(weight: Weight) -> Option<&'static Face<'static>> {
    static FACES: OnceLock<[Option<Face<'static>>; 2]> = OnceLock::new();
    let [regular, semi_bold] =
        FACES.get_or_init(|| [REGULAR, SEMI_BOLD].map(|font| Face::parse(font, 0).ok()));
    match weight {
        Weight::Regular => regular.as_ref(),
        Weight::SemiBold => semi_bold.as_ref(),
    }
}

/// The width of a text in pixels.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let Some(face) = face(weight) else {
        return text.chars().count() as f64 * MISSING_ADVANCE * size;
    };
    text.chars()
        .map(|letter| advance(face, letter))
        .sum::<f64>()
        * size
}

/// In ems.
fn advance(face: &Face<'_>, letter: char) -> f64 {
    let glyph = face.glyph_index(letter);
    let units = glyph.and_then(|glyph| face.glyph_hor_advance(glyph));
    units.map_or(MISSING_ADVANCE, |units| {
        f64::from(units) / f64::from(face.units_per_em())
    })
}

/// The outlines of a text whose base line begins at a point.
pub fn outline(text: &str, size: f64, weight: Weight, from: (f64, f64)) -> Path {
    let mut path = Path::default();
    let Some(face) = face(weight) else {
        return path;
    };
    let scale = size / f64::from(face.units_per_em());
    let mut x = from.0;
    for letter in text.chars() {
        if let Some(glyph) = face.glyph_index(letter) {
            let mut tracer = Tracer {
                path: &mut path,
                origin: (x, from.1),
                scale,
            };
            face.outline_glyph(glyph, &mut tracer);
        }
        x += advance(face, letter) * size;
    }
    path
}

/// Carries a glyph from the font's units to pixels.
struct Tracer<'a> {
    path: &'a mut Path,
    origin: (f64, f64),
    scale: f64,
}

impl Tracer<'_> {
    fn place(&self, x: f32, y: f32) -> (f64, f64) {
        let (x, y) = (f64::from(x) * self.scale, f64::from(y) * self.scale);
        (self.origin.0 + x, self.origin.1 - y)
    }
}

impl OutlineBuilder for Tracer<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.0.push(PathSegment::Move(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.0.push(PathSegment::Line(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.0.push(PathSegment::Quadratic(x1, y1, x, y));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2)) = (self.place(x1, y1), self.place(x2, y2));
        let (x, y) = self.place(x, y);
        self.path.0.push(PathSegment::Cubic(x1, y1, x2, y2, x, y));
    }

    fn close(&mut self) {
        self.path.0.push(PathSegment::Close);
    }
}
