//! Shapes and text in pixels, from the top left: what is left of a figure once it is laid out.

use super::font;
use super::palette::Colour;

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width in pixels at 100 %.
    pub width: f64,
    /// Height in pixels at 100 %.
    pub height: f64,
    /// What readers of the screen are told.
    pub title: String,
    /// What to draw, from back to front.
    pub marks: Vec<Mark>,
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A path, filled, stroked, or both.
    Shape {
        /// Its outline.
        path: Path,
        /// What fills it.
        fill: Option<Paint>,
        /// What runs along it.
        stroke: Option<Stroke>,
    },
    /// A circle.
    Circle {
        /// The centre.
        centre: (f64, f64),
        /// The radius.
        radius: f64,
        /// What fills it.
        fill: Option<Paint>,
        /// What runs along it.
        stroke: Option<Stroke>,
    },
    /// A line of text.
    Text(Text),
    /// Marks of which only the part inside a rectangle shows.
    Clipped {
        /// The rectangle.
        to: Rectangle,
        /// The marks.
        marks: Vec<Mark>,
    },
}

/// A rectangle with horizontal and vertical sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// The left side.
    pub left: f64,
    /// The upper side.
    pub top: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

impl Rectangle {
    /// The right side.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The lower side.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Whether two rectangles share a point inside of both.
    pub fn overlaps(&self, other: &Rectangle) -> bool {
        let horizontal = self.left < other.right() && other.left < self.right();
        horizontal && self.top < other.bottom() && other.top < self.bottom()
    }

    /// Whether another rectangle lies within this one.
    pub fn contains(&self, other: &Rectangle) -> bool {
        let horizontal = self.left <= other.left && other.right() <= self.right();
        horizontal && self.top <= other.top && other.bottom() <= self.bottom()
    }
}

/// A colour with an opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The colour.
    pub colour: Colour,
    /// 0 is invisible, 1 hides what is below.
    pub opacity: f64,
}

impl Paint {
    /// A colour that hides what is below.
    pub const fn solid(colour: Colour) -> Self {
        Paint {
            colour,
            opacity: 1.0,
        }
    }
}

/// A pen.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// Its ink.
    pub paint: Paint,
    /// Its width in pixels.
    pub width: f64,
    /// Lengths of dashes and of the gaps between them, in turn; empty for an unbroken line.
    pub dash: Vec<f64>,
}

impl Stroke {
    /// An unbroken line.
    pub const fn solid(colour: Colour, width: f64) -> Self {
        Stroke {
            paint: Paint::solid(colour),
            width,
            dash: Vec::new(),
        }
    }
}

/// A sequence of lines and curves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(pub Vec<PathSegment>);

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PathSegment {
    /// Begin here.
    Move(f64, f64),
    /// A line to here.
    Line(f64, f64),
    /// A quadratic curve: its control point and its end.
    Quadratic(f64, f64, f64, f64),
    /// A cubic curve: its control points and its end.
    Cubic(f64, f64, f64, f64, f64, f64),
    /// Back to the beginning.
    Close,
}

impl Path {
    /// Lines from point to point.
    pub fn polyline(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut segments = Vec::new();
        for (x, y) in points {
            segments.push(if segments.is_empty() {
                PathSegment::Move(x, y)
            } else {
                PathSegment::Line(x, y)
            });
        }
        Path(segments)
    }

    /// Lines from point to point and back to the first.
    pub fn polygon(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut path = Path::polyline(points);
        path.0.push(PathSegment::Close);
        path
    }
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// What it says.
    pub text: String,
    /// The point on the base line that `anchor` speaks of.
    pub at: (f64, f64),
    /// Where the text lies about that point.
    pub anchor: Anchor,
    /// Height of the letters (the em) in pixels.
    pub size: f64,
    /// How heavy they are.
    pub weight: Weight,
    /// Their colour.
    pub colour: Colour,
    /// Whether a white rim sets it off from what it is written over.
    pub halo: bool,
}

impl Text {
    /// The width in pixels, in the embedded font.
    pub fn width(&self) -> f64 {
        font::width(&self.text, self.size, self.weight)
    }

    /// Where its first letter begins.
    pub fn left(&self) -> f64 {
        match self.anchor {
            Anchor::Start => self.at.0,
            Anchor::Middle => self.at.0 - self.width() / 2.0,
            Anchor::End => self.at.0 - self.width(),
        }
    }

    /// The rectangle that its letters need.
    pub fn frame(&self) -> Rectangle {
        Rectangle {
            left: self.left(),
            top: self.at.1 - 0.8 * self.size,
            width: self.width(),
            height: self.size,
        }
    }
}

/// Which part of a text lies at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// The weights of the embedded font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// 400.
    Regular,
    /// 600.
    SemiBold,
}
