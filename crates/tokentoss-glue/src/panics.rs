//! Panics as bare traps.
//!
//! In a browser a panic of ours prints nothing: whatever its message says, it ends in a trap. So everything that composes
//! messages is dead weight, a tenth of the module. The compiler could leave it out (`panic = "immediate-abort"`), but
//! only together with a standard library compiled anew, which needs a nightly toolchain.
//!
//! Two steps: the functions in which panics begin become traps, and then the formatting that nobody else uses. That
//! second step is checked and not guessed: implementations of formatting traits are called either directly, which is
//! plain to see, or through the table by [`WRITER`]. If live code does not reach that, then the
//! implementations that are left in the table, for the sake of dead messages, are never called. The errors of serde are the
//! one exception: they compose a text that nobody reads, because a value that cannot be read is told of by a code of ours.
//! That text stays empty, and nobody else may compose one.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use walrus::{FunctionId, Module};

use crate::functions::{call_chain, callers, entries, path, reached, trap, write_nothing};

/// Where panics begin; none of these ever returns.
const PANICS: &[&str] = &[
    "__rustc::rust_begin_unwind",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::lazy::panic_poisoned",
    "core::cell::panic_already_borrowed",
    "core::cell::panic_already_mutably_borrowed",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::slice::index::slice_index_fail",
    "core::str::slice_error_fail",
    "std::alloc::rust_oom",
    "std::panicking::",
];

/// Where text begins to be formatted: a `String`, and anything.
const COMPOSER: &str = "alloc::fmt::format";
const WRITER: &str = "core::fmt::write";

/// Whose functions may format: the text is that of an error of serde.
const ERRORS: &[&str] =
    &["serde_core::de::", "serde_core::ser::", "serde_json::error::", "serde_wasm_bindgen::"];

/// What is called back when text is formatted; not `Write::write_str`, which live code may use without formatting.
const FORMATTING: &[&str] = &[
    " as core::fmt::Debug>",
    " as core::fmt::Display>",
    " as core::fmt::LowerHex>",
    " as core::fmt::UpperHex>",
    " as core::fmt::Write>::write_fmt",
    "core::fmt::Write::write_fmt",
];

/// Whether the function of this path begins a panic.
pub(crate) fn begins_panic(path: &str) -> bool {
    PANICS.iter().any(|panic| path.trim_start_matches('<').starts_with(panic))
}

/// Whether it is what text begins to be formatted in.
pub(crate) fn writes_text(path: &str) -> bool {
    path.starts_with(WRITER)
}

/// Whether it is called back when text is formatted.
pub(crate) fn formats(path: &str) -> bool {
    FORMATTING.iter().any(|formatting| path.contains(formatting))
}

/// Makes panics, and the formatting that only they use, traps.
///
/// # Errors
/// When the module has no function names, or when live code formats text.
pub(crate) fn trap_panics(module: &mut Module) -> Result<()> {
    let panics = named(module, begins_panic);
    ensure!(!panics.is_empty(), "it has no function names to tell panics by");
    panics.into_iter().for_each(|id| trap(module, id));

    let formatting = named(module, formats);
    let roots: HashSet<FunctionId> = entries(module).difference(&formatting).copied().collect();
    let live = reached(module, &roots);
    let formatters = named(module, |path| path.starts_with(COMPOSER) || writes_text(path));
    for formatter in formatters.intersection(&live) {
        for caller in callers(module, &live, *formatter).difference(&formatters).copied() {
            let name = path(module.funcs.get(caller));
            ensure!(
                ERRORS.iter().any(|error| name.contains(error)),
                "text is formatted outside of panics and errors: {}",
                call_chain(module, &roots, caller).join(" -> ")
            );
        }
    }
    for writer in named(module, writes_text) {
        write_nothing(module, writer);
    }
    let live = reached(module, &roots);
    formatting.difference(&live).for_each(|id| trap(module, *id));
    Ok(())
}

fn named(module: &Module, wanted: impl Fn(&str) -> bool) -> HashSet<FunctionId> {
    module.funcs.iter().filter(|function| wanted(&path(function))).map(|function| function.id()).collect()
}
