//! `tokentoss-glue MODULE.wasm OUT_DIR`: writes the wasm-bindgen JavaScript, its TypeScript declaration and the
//! rewritten module into `OUT_DIR`, without the parts of the standard library that only compose panic messages.
//!
//! A binary of this workspace instead of the `wasm-bindgen` command, so that the glue always comes from the
//! wasm-bindgen version in `Cargo.lock`: the two refuse to work with each other otherwise.

mod constants;
mod functions;
mod linked;
mod panics;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

use crate::linked::Linked;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(module), Some(out_dir), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: tokentoss-glue MODULE.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&module), Path::new(&out_dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokentoss-glue: {module}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(module: &Path, out_dir: &Path) -> Result<()> {
    let stem = module.file_stem().context("it has no file name")?.to_string_lossy();
    let file = fs::read(module)?;
    let linked = Linked::read(&file)?;
    // "bundler" and not "web": the page instantiates the inlined bytes itself, so the fetching loader of "web" would be
    // dead weight in every notebook. Names stay mangled, because those of functions tell which ones panic.
    Bindgen::new().input_path(module).bundler(true)?.typescript(true).demangle(false).generate(out_dir)?;

    let bound = out_dir.join(format!("{stem}_bg.wasm"));
    let mut module = Module::from_file(&bound)?;
    panics::trap_panics(&mut module)?;
    constants::blank_dead(&mut module, &linked, &file);
    walrus::passes::gc::run(&mut module);
    // What the linker told; it no longer fits.
    let told: Vec<String> = module.customs.iter().map(|(_, section)| section.name().to_owned()).collect();
    for name in told.iter().filter(|name| *name == "linking" || name.starts_with("reloc.")) {
        module.customs.remove_raw(name);
    }
    module.emit_wasm_file(&bound)
}
