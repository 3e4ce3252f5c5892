//! Innermost loops as pairs of lanes.

use super::CompileError;
use super::compile::FunctionCompiler;
use crate::loops::Stmt;

pub(super) fn compile_loop(
    _compiler: &mut FunctionCompiler<'_, '_, '_>,
    _stmt: &Stmt,
) -> Result<bool, CompileError> {
    Ok(false)
}
