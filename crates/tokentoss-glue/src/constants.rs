//! The constants that only panics and formatting read: messages, tables of digits, names of source files.
//!
//! The linker keeps them, because it saw the functions as they were before they became traps.

use std::collections::HashSet;

use walrus::ir::Value;
use walrus::{ConstExpr, DataId, DataKind, Module};

use crate::functions::demangled;
use crate::linked::Linked;
use crate::panics::{begins_panic, formats, writes_text};

/// The size of a `core::panic::Location` in bytes: a file's name, the line and the column.
const LOCATION_SIZE: usize = 16;
const SOURCE_ENDING: &[u8] = b".rs";

/// Blanks out the constants of `file` that no live code refers to. They keep their room, which zeros do not take once
/// compressed.
pub(crate) fn blank_dead(module: &mut Module, linked: &Linked, file: &[u8]) {
    let live = live(linked, file);
    let (mut kept, mut dead) = (HashSet::new(), HashSet::new());
    for (number, item) in linked.items.iter().enumerate() {
        let addresses = if live.contains(&number) { &mut kept } else { &mut dead };
        addresses.extend(item.addresses.clone());
    }
    let segments: Vec<DataId> = module.data.iter().map(|segment| segment.id()).collect();
    for id in segments {
        let segment = module.data.get_mut(id);
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = segment.kind else {
            continue;
        };
        let Ok(start) = usize::try_from(start) else { continue };
        for (address, byte) in (start..).zip(&mut segment.value) {
            // Constants may overlap, where one is the end of another.
            if dead.contains(&address) && !kept.contains(&address) {
                *byte = 0;
            }
        }
    }
}

/// What the exports lead to, without what panics and formatting lead to.
fn live(linked: &Linked, file: &[u8]) -> HashSet<usize> {
    let paths: Vec<String> = linked.items.iter().map(|item| demangled(&item.name)).collect();
    let path = |item: usize| paths.get(item).map_or("", String::as_str);
    let exported = linked.items.iter().enumerate().filter(|(_, item)| item.exported);
    let mut waiting: Vec<usize> = exported.map(|(number, _)| number).collect();
    let mut live = HashSet::new();
    while let Some(number) = waiting.pop() {
        let Some(item) = linked.items.get(number) else { continue };
        if !live.insert(number) || begins_panic(path(number)) || writes_text(path(number)) {
            continue;
        }
        for reference in linked.references(item) {
            // Through the table, only the writer of texts calls it.
            let formatting = !reference.call && formats(path(reference.to));
            if !formatting && !is_location(linked, reference.to, file) {
                waiting.push(reference.to);
            }
        }
    }
    live
}

/// Whether it is a `core::panic::Location`, which only a panic's message would tell.
fn is_location(linked: &Linked, item: usize, file: &[u8]) -> bool {
    let Some(location) = linked.items.get(item).filter(|item| item.addresses.len() == LOCATION_SIZE) else {
        return false;
    };
    let [name] = linked.references(location) else { return false };
    let text = linked.items.get(name.to).and_then(|name| file.get(name.place.clone())).unwrap_or_default();
    text.strip_suffix(b"\0").unwrap_or(text).ends_with(SOURCE_ENDING)
}
