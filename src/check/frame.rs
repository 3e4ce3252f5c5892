//! The block or function that is being elaborated: what is allowed there, and the levels of its variables.

use super::Checker;
use super::function::Mode;
use crate::ir::{VarId, Variable};
use crate::types::{Level, Ty};

/// What is being elaborated, as far as the language's rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The `data` block.
    Data,
    /// The `transformed data` block.
    TransformedData,
    /// The `parameters` block.
    Parameters,
    /// The `transformed parameters` block.
    TransformedParameters,
    /// The `model` block.
    Model,
    /// The `generated quantities` block.
    Generated,
    /// An expression of the REPL.
    Prompt,
    /// A function, by the ending of its name.
    Function(Ending),
}

/// What the ending of a function's name allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Any other name.
    Plain,
    /// `_lpdf`, `_lpmf`
    Density,
    /// `_lcdf`, `_lccdf`, `_cdf`
    Cumulative,
    /// `_lp`
    Target,
    /// `_jacobian`
    Jacobian,
    /// `_rng`
    Random,
}

impl Ending {
    /// The ending of a function's name.
    pub fn of(name: &str) -> Ending {
        match name.rsplit_once('_') {
            Some((_, "lpdf" | "lpmf" | "lupdf" | "lupmf")) => Ending::Density,
            Some((_, "lcdf" | "lccdf" | "cdf")) => Ending::Cumulative,
            Some((_, "lp")) => Ending::Target,
            Some((_, "jacobian")) => Ending::Jacobian,
            Some((_, "rng")) => Ending::Random,
            _ => Ending::Plain,
        }
    }
}

impl Place {
    /// Whether statements here can add to the log density.
    pub fn adds_to_target(self) -> bool {
        matches!(self, Place::Model | Place::Function(Ending::Target))
    }

    /// Whether `target()` and functions ending in `_lp` can be called here.
    pub fn sees_target(self) -> bool {
        self.adds_to_target() || self.adds_jacobian()
    }

    /// Whether statements here can add the log Jacobian of a transform.
    pub fn adds_jacobian(self) -> bool {
        matches!(
            self,
            Place::TransformedParameters | Place::Function(Ending::Jacobian)
        )
    }

    /// Whether random numbers can be drawn here.
    pub fn draws(self) -> bool {
        matches!(
            self,
            Place::TransformedData
                | Place::Generated
                | Place::Prompt
                | Place::Function(Ending::Random)
        )
    }

    /// Whether densities without constants can be called here.
    pub fn drops_constants(self) -> bool {
        matches!(self, Place::Model | Place::Function(Ending::Density))
    }

    /// The place in words.
    pub fn describe(self) -> &'static str {
        match self {
            Place::Data => "the data block",
            Place::TransformedData => "transformed data",
            Place::Parameters => "the parameters block",
            Place::TransformedParameters => "transformed parameters",
            Place::Model => "the model block",
            Place::Generated => "generated quantities",
            Place::Prompt => "an expression",
            Place::Function(Ending::Plain) => "a function whose name has no special ending",
            Place::Function(Ending::Density) => "a density function",
            Place::Function(Ending::Cumulative) => "a cumulative distribution function",
            Place::Function(Ending::Target) => "a function ending in _lp",
            Place::Function(Ending::Jacobian) => "a function ending in _jacobian",
            Place::Function(Ending::Random) => "a function ending in _rng",
        }
    }
}

/// The state of elaborating one block or function instance.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Which.
    pub place: Place,
    /// Whether it is a function of the library.
    pub from_library: bool,
    /// In which variant the function is elaborated.
    pub mode: Mode,
    /// What the function returns; `Void` for blocks.
    pub result: Ty,
    /// The level of real variables declared here, whatever is assigned to them.
    pub usual_level: Level,
    /// The level of the conditions on which the current statement depends.
    pub control: Level,
    /// The open loops, innermost last: positions in `loop_levels`.
    open_loops: Vec<usize>,
    loop_levels: Vec<Level>,
    next_loop: usize,
    variables: Vec<VarId>,
    next_variable: usize,
    raised: bool,
}

impl Frame {
    /// A block of the program.
    pub fn block(place: Place) -> Frame {
        let usual_level = match place {
            Place::TransformedParameters | Place::Model | Place::Parameters => Level::Param,
            _ => Level::Data,
        };
        Frame {
            place,
            from_library: false,
            mode: Mode::Plain,
            result: Ty::Void,
            usual_level,
            control: Level::Data,
            open_loops: Vec::new(),
            loop_levels: Vec::new(),
            next_loop: 0,
            variables: Vec::new(),
            next_variable: 0,
            raised: false,
        }
    }

    /// An instance of a function.
    pub fn function(
        ending: Ending,
        from_library: bool,
        mode: Mode,
        result: Ty,
        usual_level: Level,
    ) -> Frame {
        Frame {
            from_library,
            mode,
            result,
            usual_level,
            ..Frame::block(Place::Function(ending))
        }
    }

    /// Starts from the first statement again.
    pub fn begin_round(&mut self) {
        self.next_loop = 0;
        self.next_variable = 0;
        self.raised = false;
        self.control = Level::Data;
    }

    /// Whether the last round has raised no level.
    pub fn is_settled(&self) -> bool {
        !self.raised
    }

    /// Whether a loop is open, so that `break` and `continue` have a meaning.
    pub fn in_loop(&self) -> bool {
        !self.open_loops.is_empty()
    }
}

impl<'a> Checker<'a> {
    /// Adds a variable to the program, or finds it again if this is not the first round.
    pub(super) fn allocate(&mut self, variable: Variable) -> VarId {
        let position = self.frame.next_variable;
        self.frame.next_variable += 1;
        if let Some(&id) = self.frame.variables.get(position) {
            let known = &mut self.program.variables[id.0 as usize];
            let level = known.level.max(variable.level);
            *known = Variable { level, ..variable };
            return id;
        }
        let id = VarId(self.program.variables.len() as u32);
        self.program.variables.push(variable);
        self.frame.variables.push(id);
        id
    }

    /// Notes that a variable takes a value of that level.
    pub(super) fn raise(&mut self, id: VarId, level: Level) {
        let level = level.max(self.frame.control);
        let variable = &mut self.program.variables[id.0 as usize];
        if variable.level < level {
            variable.level = level;
            self.frame.raised = true;
        }
    }

    /// Elaborates what happens only on a condition of that level.
    pub(super) fn under<T>(&mut self, level: Level, elaborate: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.frame.control;
        self.frame.control = outer.max(level);
        let elaborated = elaborate(self);
        self.frame.control = outer;
        elaborated
    }

    /// Elaborates a loop's body; its number of rounds depends on a value of that level.
    pub(super) fn in_loop<T>(&mut self, level: Level, elaborate: impl FnOnce(&mut Self) -> T) -> T {
        let position = self.frame.next_loop;
        self.frame.next_loop += 1;
        if position == self.frame.loop_levels.len() {
            self.frame.loop_levels.push(Level::Data);
        }
        let level = level.max(self.frame.loop_levels[position]);
        self.frame.open_loops.push(position);
        let elaborated = self.under(level, elaborate);
        self.frame.open_loops.pop();
        elaborated
    }

    /// Notes that the innermost loop can be left, or a round cut short, on the current condition.
    pub(super) fn note_jump(&mut self) {
        let control = self.frame.control;
        if let Some(&innermost) = self.frame.open_loops.last()
            && self.frame.loop_levels[innermost] < control
        {
            self.frame.loop_levels[innermost] = control;
            self.frame.raised = true;
        }
    }
}
