//! Colours that people with any colour vision can tell apart.

/// A colour of the screen, without transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
}

impl Colour {
    /// A colour of its three parts.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Colour { red, green, blue }
    }

    /// As SVG writes it: `#0072b2`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

// Okabe and Ito (2008), "Color Universal Design", without yellow, which is too faint for lines on white.

/// The first series.
pub const BLUE: Colour = Colour::new(0, 114, 178);
/// The second series.
pub const VERMILLION: Colour = Colour::new(213, 94, 0);
/// The third series.
pub const GREEN: Colour = Colour::new(0, 158, 115);
/// The fourth series.
pub const PURPLE: Colour = Colour::new(204, 121, 167);
/// The fifth series.
pub const ORANGE: Colour = Colour::new(230, 159, 0);
/// The sixth series.
pub const SKY: Colour = Colour::new(86, 180, 233);

/// Titles and marks that belong to no series.
pub const INK: Colour = Colour::new(34, 34, 38);
/// Text of second rank: ticks, subtitles; 4.5 : 1 against white and more.
pub const GREY: Colour = Colour::new(98, 98, 106);
/// Lines that should be felt, not seen: grids.
pub const PALE: Colour = Colour::new(229, 229, 233);
/// The paper.
pub const WHITE: Colour = Colour::new(255, 255, 255);

/// The colour of series number `index`; after six they come again.
pub fn series(index: usize) -> Colour {
    [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY][index % 6]
}
