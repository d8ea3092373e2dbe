//! Panics as bare traps.
//!
//! In a browser a panic of ours prints nothing: whatever its message says, it ends in a trap. So everything that composes
//! messages is dead weight, a tenth of the module. The compiler could leave it out (`panic = "immediate-abort"`), but
//! only together with a standard library compiled anew, which needs a nightly toolchain.
//!
//! Two steps: the functions in which panics begin become traps, and then the formatting that nobody else uses. That
//! second step is checked and not guessed: implementations of formatting traits are called either directly, which is
//! plain to see, or through the table by the functions in [`FORMATTERS`]. If live code does not reach those, then the
//! implementations that are left in the table, for the sake of dead messages, are never called. The errors of serde are the
//! one exception: they compose a text that nobody reads, because a value that cannot be read is told of by a code of ours.
//! That text stays empty, and nobody else may compose one.

use std::collections::HashSet;

use anyhow::{Result, bail, ensure};
use walrus::{FunctionId, Module};

use crate::functions::{call_chain, callers, empty_text, entries, path, reached, trap};

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

/// Where text begins to be formatted.
const FORMATTERS: &[&str] = &["core::fmt::write"];

/// Composes a text; whose functions may call it, because the text is that of an error of serde.
const COMPOSER: &str = "alloc::fmt::format";
const ERRORS: &[&str] = &["serde_core::de::", "serde_core::ser::", "serde_wasm_bindgen::"];

/// What is called back when text is formatted; not `Write::write_str`, which live code may use without formatting.
const FORMATTING: &[&str] = &[
    " as core::fmt::Debug>",
    " as core::fmt::Display>",
    " as core::fmt::LowerHex>",
    " as core::fmt::UpperHex>",
    " as core::fmt::Write>::write_fmt",
    "core::fmt::Write::write_fmt",
];

/// Makes panics, and the formatting that only they use, traps.
///
/// # Errors
/// When the module has no function names, or when live code formats text.
pub(crate) fn trap_panics(module: &mut Module) -> Result<()> {
    let panics =
        named(module, |path| PANICS.iter().any(|panic| path.trim_start_matches('<').starts_with(panic)));
    ensure!(!panics.is_empty(), "it has no function names to tell panics by");
    panics.into_iter().for_each(|id| trap(module, id));

    let formatting = named(module, |path| FORMATTING.iter().any(|formatting| path.contains(formatting)));
    empty_error_texts(module, &formatting)?;
    let formatters = named(module, |path| FORMATTERS.iter().any(|formatter| path.starts_with(formatter)));
    let roots: HashSet<FunctionId> = entries(module).difference(&formatting).copied().collect();
    let live = reached(module, &roots);
    if let Some(id) = formatters.intersection(&live).next() {
        bail!("text is formatted outside of panics: {}", call_chain(module, &roots, *id).join(" -> "));
    }
    formatting.difference(&live).for_each(|id| trap(module, *id));
    Ok(())
}

fn empty_error_texts(module: &mut Module, formatting: &HashSet<FunctionId>) -> Result<()> {
    let roots: HashSet<FunctionId> = entries(module).difference(formatting).copied().collect();
    let live = reached(module, &roots);
    let composers = named(module, |path| path.starts_with(COMPOSER));
    for composer in composers.intersection(&live) {
        for caller in callers(module, &live, *composer).difference(&composers).copied() {
            let name = path(module.funcs.get(caller));
            ensure!(
                ERRORS.iter().any(|error| name.contains(error)),
                "text is formatted outside of panics and errors: {}",
                call_chain(module, &roots, caller).join(" -> ")
            );
        }
        empty_text(module, *composer)?;
    }
    Ok(())
}

fn named(module: &Module, wanted: impl Fn(&str) -> bool) -> HashSet<FunctionId> {
    module.funcs.iter().filter(|function| wanted(&path(function))).map(|function| function.id()).collect()
}
