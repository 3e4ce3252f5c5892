//! What things are called in the block form: Greek letters spelt out, words of the language avoided.

use std::collections::BTreeSet;

use crate::syntax::ast::BaseType;

/// Words that cannot name a variable in Stan, those of types aside.
const WORDS: &[&str] = &[
    "array",
    "tuple",
    "void",
    "lower",
    "upper",
    "offset",
    "multiplier",
    "functions",
    "data",
    "parameters",
    "model",
    "generated",
    "quantities",
    "transformed",
    "for",
    "in",
    "while",
    "repeat",
    "until",
    "if",
    "then",
    "else",
    "true",
    "false",
    "break",
    "continue",
    "return",
    "profile",
    "print",
    "reject",
    "fatal_error",
    "target",
    "jacobian",
    "get_lp",
    "var",
    "fvar",
    "struct",
    "typedef",
    "export",
    "extern",
    "static",
    "auto",
    "T",
];

/// The Greek alphabet: small and capital letter, and its name.
const GREEK: &[(char, char, &str)] = &[
    ('α', 'Α', "alpha"),
    ('β', 'Β', "beta"),
    ('γ', 'Γ', "gamma"),
    ('δ', 'Δ', "delta"),
    ('ε', 'Ε', "epsilon"),
    ('ζ', 'Ζ', "zeta"),
    ('η', 'Η', "eta"),
    ('θ', 'Θ', "theta"),
    ('ι', 'Ι', "iota"),
    ('κ', 'Κ', "kappa"),
    ('λ', 'Λ', "lambda"),
    ('μ', 'Μ', "mu"),
    ('ν', 'Ν', "nu"),
    ('ξ', 'Ξ', "xi"),
    ('ο', 'Ο', "omicron"),
    ('π', 'Π', "pi"),
    ('ρ', 'Ρ', "rho"),
    ('σ', 'Σ', "sigma"),
    ('τ', 'Τ', "tau"),
    ('υ', 'Υ', "upsilon"),
    ('φ', 'Φ', "phi"),
    ('χ', 'Χ', "chi"),
    ('ψ', 'Ψ', "psi"),
    ('ω', 'Ω', "omega"),
    ('ϵ', 'Ε', "epsilon"),
    ('ϑ', 'Θ', "theta"),
    ('ϕ', 'Φ', "phi"),
    ('ς', 'Σ', "sigma"),
    ('µ', 'Μ', "mu"),
];

/// A name in the characters that Stan has: `σ_j` is `sigma_j`, `Σ` is `Sigma`.
pub fn ascii(name: &str) -> String {
    let mut spelt = String::new();
    for character in name.chars() {
        if character.is_ascii() {
            spelt.push(character);
        } else if let Some((.., word)) = GREEK.iter().find(|(small, ..)| *small == character) {
            spelt.push_str(word);
        } else if let Some((.., word)) = GREEK.iter().find(|(_, big, _)| *big == character) {
            let (first, rest) = word.split_at(1);
            spelt.push_str(&first.to_uppercase());
            spelt.push_str(rest);
        } else {
            spelt.push_str(&format!("u{:x}", u32::from(character)));
        }
    }
    if !spelt.starts_with(|first: char| first.is_ascii_alphabetic()) {
        spelt.insert(0, 'v');
    }
    // Stan keeps names with two underscores at the end for itself.
    while spelt.ends_with("__") {
        spelt.pop();
    }
    spelt
}

/// The names that a program has given away.
#[derive(Clone, Debug, Default)]
pub(super) struct Namer {
    taken: BTreeSet<String>,
}

impl Namer {
    /// Begins with the words of the language, and the functions that the program calls or defines.
    pub(super) fn new(functions: impl IntoIterator<Item = String>) -> Namer {
        let types = BaseType::ALL.map(BaseType::word);
        let words = types.iter().chain(WORDS).map(|word| (*word).to_string());
        Namer {
            taken: words.chain(functions).collect(),
        }
    }

    /// Gives away a name: the wanted one, or if it is taken the same with a suffix.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let wanted = ascii(wanted);
        let underscored = format!("{}_", wanted.trim_end_matches('_'));
        let numbered = (2..).map(|number| format!("{underscored}{number}"));
        let mut candidates = [wanted, underscored.clone()].into_iter().chain(numbered);
        let free = candidates.find(|name| !self.taken.contains(name));
        let free = free.unwrap_or(underscored);
        self.taken.insert(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::{Namer, ascii};

    #[test]
    fn greek_is_spelt_out() {
        assert_eq!(ascii("σ_j"), "sigma_j");
        assert_eq!(ascii("Σ"), "Sigma");
        assert_eq!(ascii("x"), "x");
    }

    #[test]
    fn taken_names_get_a_suffix() {
        let mut namer = Namer::new(["mean".to_string()]);
        assert_eq!(namer.take("mean"), "mean_");
        assert_eq!(namer.take("lower"), "lower_");
        assert_eq!(namer.take("μ"), "mu");
        assert_eq!(namer.take("mu"), "mu_");
        assert_eq!(namer.take("mu"), "mu_2");
    }
}
