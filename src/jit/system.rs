//! Compiled systems of differential equations: the procedures that a solver runs, with the memory that they need.

use super::compiled::{CompileError, CompileOptions, Compiled, Workspace};
use crate::loops::linear::{Matrix, MatrixMut};
use crate::loops::ode::{self, Equations, Unsolved};
use crate::loops::{Problem, Procedure, Stop, System};

/// The code of a system.
#[derive(Debug)]
pub(super) struct CompiledSystem {
    problem: Problem,
    right_side: Compiled,
    weighted: Option<Compiled>,
    coupled: Option<Compiled>,
}

/// The memory that one thread needs to solve one system.
#[derive(Debug)]
pub(super) struct SystemWorkspace {
    right_side: Workspace,
    weighted: Option<Workspace>,
    coupled: Option<Workspace>,
}

impl CompiledSystem {
    /// Compiles a system's procedures; writes their code into `text`, if there is one.
    pub fn compile(
        system: &System,
        options: &CompileOptions,
        mut text: Option<&mut String>,
    ) -> Result<CompiledSystem, CompileError> {
        let right_side = Compiled::with_text(&system.right_side, options, text.as_deref_mut())?;
        let mut compile = |procedure: &Option<Procedure>| {
            let procedure = procedure.as_ref();
            let code = procedure.map(|it| Compiled::with_text(it, options, text.as_deref_mut()));
            code.transpose()
        };
        let (weighted, coupled) = (compile(&system.weighted)?, compile(&system.coupled)?);
        Ok(CompiledSystem {
            problem: system.problem,
            right_side,
            weighted,
            coupled,
        })
    }

    pub fn workspace(&self) -> SystemWorkspace {
        SystemWorkspace {
            right_side: self.right_side.workspace(None),
            weighted: self.weighted.as_ref().map(|code| code.workspace(None)),
            coupled: self.coupled.as_ref().map(|code| code.workspace(None)),
        }
    }

    /// Carries out a call of [`crate::loops::Intrinsic::Ode`]; adds what the system prints to `printed`.
    pub fn solve(
        &self,
        workspace: &mut SystemWorkspace,
        inputs: &[Matrix<'_>],
        outputs: &mut [MatrixMut<'_>],
        printed: &mut String,
    ) -> Result<(), Unsolved> {
        let mut equations = Running {
            code: self,
            workspace,
        };
        let outcome = ode::solve(&self.problem, &mut equations, inputs, outputs);
        printed.push_str(&workspace.right_side.take_printed());
        if let Some(weighted) = &mut workspace.weighted {
            // The same lines again, for the rows of the Jacobian.
            weighted.take_printed();
        }
        outcome
    }
}

/// A system in the course of being solved.
struct Running<'r> {
    code: &'r CompiledSystem,
    workspace: &'r mut SystemWorkspace,
}

impl Equations for Running<'_> {
    fn right_side(&mut self, point: &[f64], given: &[f64], slope: &mut [f64]) -> Result<(), Stop> {
        let (code, workspace) = (&self.code.right_side, &mut self.workspace.right_side);
        let run = code.run(workspace, &[point, given], &mut [slope], None);
        run.map(|_| ())
    }

    fn weighted(
        &mut self,
        point: &[f64],
        given: &[f64],
        weights: &[f64],
        gradient: &mut [f64],
    ) -> Result<(), Stop> {
        let (Some(code), Some(workspace)) = (&self.code.weighted, &mut self.workspace.weighted)
        else {
            return Err(ode::no_jacobian());
        };
        let run = code.run(workspace, &[point, given, weights], &mut [gradient], None);
        run.map(|_| ())
    }

    fn coupled(
        &mut self,
        point: &[f64],
        given: &[f64],
        sensitivities: &[f64],
        slope: &mut [f64],
    ) -> Result<bool, Stop> {
        let (Some(code), Some(workspace)) = (&self.code.coupled, &mut self.workspace.coupled)
        else {
            return Ok(false);
        };
        let inputs = [point, given, sensitivities];
        code.run(workspace, &inputs, &mut [slope], None)
            .map(|_| true)
    }
}
