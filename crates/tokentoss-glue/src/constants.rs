//! The constants that only panics and formatting read: messages, tables of digits, names of source files.
//!
//! The linker keeps them, because it saw the functions as they were before they became traps.

use std::collections::HashSet;

use walrus::ir::Value;
use walrus::{ConstExpr, DataId, DataKind, Module};

use crate::functions::demangled;
use crate::linked::{Item, Linked};
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
    let exported = linked.items.iter().enumerate().filter(|(_, item)| item.exported);
    let mut waiting: Vec<usize> = exported.map(|(number, _)| number).collect();
    let mut live = HashSet::new();
    while let Some(number) = waiting.pop() {
        let Some(item) = linked.items.get(number) else { continue };
        if !live.insert(number) || is(item, begins_panic) || is(item, writes_text) {
            continue;
        }
        let references = linked.references(item).iter();
        let followed = references.filter(|reference| {
            linked.items.get(reference.to).is_some_and(|item| {
                // Through the table, only the writer of texts calls what formats.
                (reference.call || !is(item, formats)) && !is_location(linked, item, file)
            })
        });
        waiting.extend(followed.map(|reference| reference.to));
    }
    live
}

/// Whether it is such a function, by every name that it has.
fn is(item: &Item, such: fn(&str) -> bool) -> bool {
    !item.names.is_empty() && item.names.iter().all(|name| such(&demangled(name)))
}

/// Whether it is a `core::panic::Location`, which only a panic's message would tell.
fn is_location(linked: &Linked, item: &Item, file: &[u8]) -> bool {
    let [name] = linked.references(item) else { return false };
    let text = linked.items.get(name.to).and_then(|name| file.get(name.place.clone())).unwrap_or_default();
    item.addresses.len() == LOCATION_SIZE && text.strip_suffix(b"\0").unwrap_or(text).ends_with(SOURCE_ENDING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linked::Reference;

    /// A function of this name in a row of the file, or a constant there, which lies in memory as in the file.
    fn item(name: &str, row: usize, size: usize) -> Item {
        let place = row * 100..row * 100 + size;
        let (names, addresses) = match name {
            "" => (Vec::new(), place.clone()),
            name => (vec![name.into()], 0..0),
        };
        Item { names, exported: name == "main", addresses, place }
    }

    fn reference(row: usize, to: usize, call: bool) -> Reference {
        Reference { place: row * 100, to, call }
    }

    #[test]
    fn what_live_code_refers_to_stays() {
        let linked = Linked {
            items: vec![
                item("main", 0, 9),
                item("core::panicking::panic", 1, 9),
                item("<x as core::fmt::Debug>::fmt", 2, 9),
                item("<x as core::fmt::Display>::fmt", 3, 9),
                item("", 4, 4),
                item("", 5, 4),
                item("", 6, 4),
                item("", 7, 4),
                // A location, and the file that it names.
                item("", 8, LOCATION_SIZE),
                item("", 9, 9),
            ],
            references: vec![
                reference(0, 1, true),
                reference(0, 2, false),
                reference(0, 3, true),
                reference(0, 4, false),
                reference(0, 8, false),
                reference(1, 5, false),
                reference(2, 6, false),
                reference(3, 7, false),
                reference(8, 9, false),
            ],
        };
        let mut file = vec![b'x'; 1000];
        file.splice(900..909, *b"src/a.rs\0");
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 1, None, None);
        let offset = ConstExpr::Value(Value::I32(0));
        let data = module.data.add(DataKind::Active { memory, offset }, file.clone());

        blank_dead(&mut module, &linked, &file);

        let blanked = |row: usize| module.data.get(data).value.get(row * 100) == Some(&0);
        assert_eq!((0..10).filter(|row| blanked(*row)).collect::<Vec<_>>(), [5, 6, 8, 9]);
    }
}
