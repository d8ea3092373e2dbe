#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = tokentoss_fuzz_targets::device_answer(input);
});
