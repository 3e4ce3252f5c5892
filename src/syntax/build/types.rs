//! Types, bounds, declarations and names.

use super::{BoundWord, Builder, WrittenDeclarator};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::*;

impl Builder<'_> {
    /// `vector<lower=0>[N]`
    pub fn basic_type(
        &mut self,
        base: BaseType,
        bounds: Option<Bounds>,
        sizes: Option<Vec<Expr>>,
        span: Span,
    ) -> TypeSpec {
        let bounds = bounds.unwrap_or_default();
        let sizes = sizes.unwrap_or_default();
        let (least, most) = base.size_count();
        if sizes.len() < least || sizes.len() > most {
            self.report(self.wrong_sizes(base, &sizes, span));
        }
        self.verify_bounds(base, &bounds, span);
        TypeSpec {
            kind: TypeKind::Basic {
                base,
                bounds,
                sizes,
            },
            span,
        }
    }

    /// Reports bounds that the word does not take.
    pub(super) fn verify_bounds(&mut self, base: BaseType, bounds: &Bounds, span: Span) {
        if base.is_constrained() && *bounds != Bounds::None {
            self.report(
                Diagnostic::error(
                    Code::MisplacedConstraint,
                    format!("`{}` takes no bounds", base.word()),
                    span,
                    "",
                )
                .with_note(format!("`{}` is itself a constraint.", base.word())),
            );
        }
        if base == BaseType::Int && matches!(bounds, Bounds::Affine { .. }) {
            self.report(Diagnostic::error(
                Code::MisplacedConstraint,
                "`int` takes no offset or multiplier",
                span,
                "",
            ));
        }
    }

    fn wrong_sizes(&self, base: BaseType, sizes: &[Expr], span: Span) -> Diagnostic {
        let word = base.word();
        let needs = match base.size_count() {
            (0, _) => "no size".to_owned(),
            (1, 1) => "one size".to_owned(),
            (1, _) => "one or two sizes".to_owned(),
            _ => "two sizes".to_owned(),
        };
        let given = match sizes.len() {
            0 => "none".to_owned(),
            count => count.to_string(),
        };
        let found = Diagnostic::error(
            Code::WrongSizes,
            format!("`{word}` takes {needs}, not {given}"),
            span,
            "",
        );
        match base.size_count() {
            (0, _) => {
                let written = self.sources.snippet(sizes_span(sizes));
                found.with_hint(format!("An array is written `array[{written}] {word}`."))
            }
            (1, 1) => found.with_hint(format!("Write `{word}[N]`.")),
            _ => found.with_hint(format!("Write `{word}[M, N]`: rows, then columns.")),
        }
    }

    /// What stands between `<` and `>`: at most one of each word, and words of one kind.
    pub fn bounds(&mut self, written: Vec<(BoundWord, Box<Expr>)>, span: Span) -> Bounds {
        let (mut lower, mut upper, mut offset, mut multiplier) = (None, None, None, None);
        let mut repeated = false;
        for (word, value) in written {
            let place = match word {
                BoundWord::Lower => &mut lower,
                BoundWord::Upper => &mut upper,
                BoundWord::Offset => &mut offset,
                BoundWord::Multiplier => &mut multiplier,
            };
            repeated |= place.replace(value).is_some();
        }
        let interval = lower.is_some() || upper.is_some();
        let affine = offset.is_some() || multiplier.is_some();
        if repeated {
            self.report(Diagnostic::error(
                Code::MisplacedConstraint,
                "the same bound is given twice",
                span,
                "",
            ));
        }
        if interval && affine {
            self.report(
                Diagnostic::error(
                    Code::MisplacedConstraint,
                    "bounds and offset or multiplier exclude each other",
                    span,
                    "",
                )
                .with_hint("Keep either `lower` and `upper`, or `offset` and `multiplier`."),
            );
        }
        if affine {
            Bounds::Affine { offset, multiplier }
        } else {
            Bounds::Interval { lower, upper }
        }
    }

    /// `real x = 1, y;`
    pub fn declaration(
        &mut self,
        type_spec: TypeSpec,
        written: Vec<WrittenDeclarator>,
        span: Span,
    ) -> Declaration {
        let mut declarators = Vec::with_capacity(written.len());
        for declarator in written {
            if let Some(sizes) = declarator.old_sizes {
                let sizes_text = self.sources.snippet(sizes);
                let type_text = self.sources.snippet(type_spec.span);
                let name = &declarator.name.name;
                let hint = format!("Write `array{sizes_text} {type_text} {name};`.");
                self.report(
                    Diagnostic::error(
                        Code::OldSyntax,
                        "the sizes of an array stand before its type",
                        sizes,
                        "old array syntax",
                    )
                    .with_hint(hint),
                );
            }
            declarators.push(Declarator {
                name: declarator.name,
                initial: declarator.initial.map(|initial| *initial),
            });
        }
        Declaration {
            type_spec,
            declarators,
            span,
        }
    }

    /// A word as the type of an argument or result.
    pub fn unsized_basic(&mut self, base: BaseType, span: Span) -> UnsizedType {
        if base.is_constrained() {
            let plain = base.unconstrained().word();
            self.report(
                Diagnostic::error(
                    Code::MisplacedConstraint,
                    format!(
                        "`{}` cannot be the type of an argument or result",
                        base.word()
                    ),
                    span,
                    "",
                )
                .with_hint(format!("Write `{plain}`: functions take any value of it.")),
            );
        }
        UnsizedType {
            kind: UnsizedKind::Basic(base),
            span,
        }
    }

    /// `array[,] real`
    pub fn unsized_array(
        &mut self,
        dimensions: usize,
        element: UnsizedType,
        span: Span,
    ) -> UnsizedType {
        UnsizedType {
            kind: UnsizedKind::Array {
                dimensions,
                element: Box::new(element),
            },
            span,
        }
    }

    /// `real[,]`, as written before Stan 2.26.
    pub fn old_unsized_array(
        &mut self,
        base: BaseType,
        dimensions: usize,
        base_span: Span,
        span: Span,
    ) -> UnsizedType {
        let commas = ",".repeat(dimensions - 1);
        self.report(
            Diagnostic::error(
                Code::OldSyntax,
                "the brackets of an array type stand before its element type",
                span,
                "old array syntax",
            )
            .with_hint(format!("Write `array[{commas}] {}`.", base.word())),
        );
        let element = self.unsized_basic(base, base_span);
        self.unsized_array(dimensions, element, span)
    }

    /// A name given to a new variable, argument or function.
    pub fn new_name(&mut self, identifier: Identifier) -> Identifier {
        let name = &identifier.name;
        if name.ends_with("__") || name.starts_with('_') {
            let rule = if name.ends_with("__") {
                "end in two underscores"
            } else {
                "begin with an underscore"
            };
            self.report(Diagnostic::error(
                Code::ReservedName,
                format!("`{name}` cannot be a name"),
                identifier.span,
                format!("names do not {rule}"),
            ));
        }
        identifier
    }
}

fn sizes_span(sizes: &[Expr]) -> Span {
    match sizes {
        [] => Span::default(),
        [first, .., last] => first.span.to(last.span),
        [only] => only.span,
    }
}
