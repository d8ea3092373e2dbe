//! The names of source files, which only panic messages would tell.

use walrus::{DataId, Module};

/// How such a name begins: in the standard library, as it was built; in crates and in this workspace, as
/// `scripts/compile_wasm.mjs` names their places.
const PLACES: [&[u8]; 3] = [b"/rustc/", b"/rust/deps/", b"crates/"];
const ENDING: &[u8] = b".rs";

/// Blanks the names out. They keep their room, which zeros do not take once compressed.
pub(crate) fn blank_paths(module: &mut Module) {
    let segments: Vec<DataId> = module.data.iter().map(|segment| segment.id()).collect();
    for id in segments {
        blank(&mut module.data.get_mut(id).value);
    }
}

fn blank(bytes: &mut [u8]) {
    for run in bytes.split_mut(|byte| !is_of_path(*byte)) {
        // Other text may stand right before a name, or behind it.
        while let Some((start, end)) = path_in(run) {
            run.get_mut(start..end).unwrap_or_default().fill(0);
        }
    }
}

fn path_in(run: &[u8]) -> Option<(usize, usize)> {
    let end = find(run, ENDING)?.saturating_add(ENDING.len());
    let start = PLACES.iter().filter_map(|place| find(run.get(..end)?, place)).min()?;
    Some((start, end))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_source_files_are_blanked() {
        let mut bytes =
            *b"crates/ x.rs \0textcrates/a-1.0/src/lib.rs/rustc/0f/core/src/mod.rs\0Load crates/ as.rst";
        blank(&mut bytes);
        let blanked: Vec<&[u8]> = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty()).collect();
        assert_eq!(blanked, [&b"crates/ x.rs "[..], b"text", b"Load crates/ as.rst"]);
    }
}
