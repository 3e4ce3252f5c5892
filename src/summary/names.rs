//! Names of variables as people write them, and patterns that choose among them.

/// A column's name with brackets: `theta.1.2` becomes `theta[1,2]`, an element of a tuple `t:2.1` becomes `t:2[1]`.
/// Names that have brackets already are left alone.
pub fn display_name(column: &str) -> String {
    if column.contains('[') {
        return column.to_string();
    }
    let part = |part: &str| match part.split_once('.') {
        Some((base, indices)) => format!("{base}[{}]", indices.replace('.', ",")),
        None => part.to_string(),
    };
    column.split(':').map(part).collect::<Vec<_>>().join(":")
}

/// A choice of variables: `theta` (all its elements), `theta[*]`, `theta[1,?]`, `theta.1.2`, `*_rep`. `*` stands for any
/// text, `?` for one character, everything else (brackets included) for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    characters: Vec<char>,
}

impl NamePattern {
    /// Reads a pattern; spaces do not matter.
    pub fn new(text: &str) -> NamePattern {
        let characters = text
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect();
        NamePattern {
            text: text.to_string(),
            characters,
        }
    }

    /// The pattern as given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a column is chosen: by its own name, the name with brackets, or the bare name of its variable.
    pub fn matches(&self, column: &str) -> bool {
        let bare = column.split(['.', '[', ':']).next().unwrap_or(column);
        [column, &display_name(column), bare]
            .iter()
            .any(|name| self.matches_text(name))
    }

    /// Compares character by character; a mismatch lets the last `*` take one character more.
    fn matches_text(&self, text: &str) -> bool {
        let text: Vec<char> = text
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect();
        let (mut at, mut in_pattern) = (0, 0);
        let mut last_star = None;
        while at < text.len() {
            match self.characters.get(in_pattern) {
                Some('*') => {
                    last_star = Some((in_pattern, at));
                    in_pattern += 1;
                }
                Some(&wanted) if wanted == '?' || wanted == text[at] => {
                    at += 1;
                    in_pattern += 1;
                }
                _ => {
                    let Some((star, taken)) = last_star else {
                        return false;
                    };
                    last_star = Some((star, taken + 1));
                    at = taken + 1;
                    in_pattern = star + 1;
                }
            }
        }
        self.characters[in_pattern..]
            .iter()
            .all(|&rest| rest == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_brackets() {
        let cases = [
            ("mu", "mu"),
            ("lp__", "lp__"),
            ("theta.1.2", "theta[1,2]"),
            ("t:1", "t:1"),
            ("t.1:2.3", "t[1]:2[3]"),
            ("z.real", "z[real]"),
            ("d_country[US,a.b]", "d_country[US,a.b]"),
        ];
        for (column, expected) in cases {
            assert_eq!(display_name(column), expected);
        }
    }

    #[test]
    fn patterns_choose_by_any_spelling() {
        let chosen = |pattern: &str, column: &str| NamePattern::new(pattern).matches(column);
        for pattern in [
            "theta",
            "theta.1.2",
            "theta[1,2]",
            "theta[1, 2]",
            "theta[*]",
            "theta[?,2]",
            "t*2]",
            "*",
            "**a",
        ] {
            assert!(chosen(pattern, "theta.1.2"), "{pattern}");
        }
        for pattern in [
            "thet",
            "theta[1]",
            "theta[2,*]",
            "theta[?]",
            "",
            "*b",
            "theta?",
        ] {
            assert!(!chosen(pattern, "theta.1.2"), "{pattern}");
        }
        assert!(chosen("t", "t:1.2") && chosen("µ?", "µß") && chosen("", ""));
        // Backtracking stays linear in the pattern.
        assert!(!chosen(&"*a".repeat(50), &"a".repeat(49)));
    }
}
