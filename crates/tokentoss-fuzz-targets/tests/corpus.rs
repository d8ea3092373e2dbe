//! Every input that the fuzzer starts from, or has ever found a fault with, on the stable toolchain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tokentoss_fuzz_targets::TARGETS;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = fs::read_dir(corpora().join(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
    folder.map(|entry| fs::read(entry.expect("an entry").path()).expect("an input")).collect()
}

#[test]
fn every_input_is_survived_and_the_corpus_reaches_every_code() {
    for target in TARGETS {
        let outcomes: Vec<_> = inputs(target.name).iter().map(|input| (target.run)(input)).collect();
        let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert!(accepted > 0, "{}: nothing is accepted", target.name);
        assert!(accepted < outcomes.len(), "{}: nothing is refused", target.name);
        let reached: BTreeSet<_> =
            outcomes.iter().filter_map(|o| o.as_ref().err()).flatten().map(|c| c.as_str()).collect();
        let documented: BTreeSet<_> = target.codes.iter().map(|code| code.as_str()).collect();
        assert_eq!(reached, documented, "{}", target.name);
    }
}

#[test]
fn every_target_is_built_for_the_fuzzer() {
    let mut binaries: Vec<String> = fs::read_dir(corpora().join("../fuzz_targets"))
        .expect("the targets")
        .map(|entry| {
            entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    binaries.sort();
    assert_eq!(binaries, TARGETS.iter().map(|target| target.name.to_owned()).collect::<Vec<_>>());
}
