//! What the linker tells of a module with `--emit-relocs`: which function or constant refers to which.
//!
//! The format is that of <https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md>. An address in code is
//! only a number, and may lie beside the constant that it is computed from; a relocation names the constant itself.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    Data, DataKind, ExternalKind, KnownCustom, Linking, Operator, Parser, Payload, RelocAddendKind,
    RelocSectionReader, RelocationEntry, RelocationType, SymbolFlags, SymbolInfo, TypeRef,
};

/// A function or a constant.
#[derive(Default)]
pub(crate) struct Item {
    /// The mangled names of a function, several where equal functions were merged; none for a constant.
    pub(crate) names: Vec<String>,
    /// Whether something outside of the module can refer to it.
    pub(crate) exported: bool,
    /// Where a constant lies in memory; empty for a function.
    pub(crate) addresses: Range<usize>,
    /// Where it stands in the file; empty for an import.
    pub(crate) place: Range<usize>,
}

/// A reference to an item.
#[derive(Clone, Copy)]
pub(crate) struct Reference {
    /// Where it stands in the file.
    pub(crate) place: usize,
    /// The item's number.
    pub(crate) to: usize,
    /// Whether it is a direct call.
    pub(crate) call: bool,
}

/// The items of a module, and the references between them.
pub(crate) struct Linked {
    /// The functions by their index, then the constants.
    pub(crate) items: Vec<Item>,
    /// In their order in the file.
    pub(crate) references: Vec<Reference>,
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    references: Vec<Reference>,
    /// The item of each symbol that is a function or a constant.
    symbols: Vec<Option<usize>>,
    /// The indices of functions that are called from outside.
    exported: HashSet<usize>,
    segments: Vec<Segment>,
    /// Where the sections of code and of data begin.
    code: usize,
    data: usize,
}

struct Segment {
    address: usize,
    place: usize,
}

impl Linked {
    /// Reads a module as the linker wrote it.
    ///
    /// # Errors
    /// When it was linked without `--emit-relocs`, or when a relocation is not what stands in the module.
    pub(crate) fn read(module: &[u8]) -> Result<Self> {
        let mut reader = Reader::default();
        for payload in Parser::new(0).parse_all(module) {
            reader.take(module, payload?)?;
        }
        let Reader { items, mut references, .. } = reader;
        ensure!(!references.is_empty(), "it was linked without --emit-relocs");
        references.sort_by_key(|reference| reference.place);
        Ok(Self { items, references })
    }

    /// The references that an item holds.
    pub(crate) fn references(&self, item: &Item) -> &[Reference] {
        let until = |end| self.references.partition_point(|reference| reference.place < end);
        self.references.get(until(item.place.start)..until(item.place.end)).unwrap_or_default()
    }
}

impl Reader {
    fn take(&mut self, module: &[u8], payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import?.ty, TypeRef::Func(_)) {
                        self.items.push(Item::default());
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        self.exported.insert(export.index as usize);
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                self.exported.insert(func as usize);
            }
            Payload::CodeSectionStart { range, .. } => self.code = range.start,
            Payload::CodeSectionEntry(body) => {
                let exported = self.exported.contains(&self.items.len());
                self.items.push(Item { exported, place: body.range(), ..Item::default() });
            }
            Payload::DataSection(segments) => {
                self.data = segments.range().start;
                for segment in segments {
                    self.segments.push(Segment::read(&segment?)?);
                }
            }
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Linking(linking) => {
                    for part in linking.subsections() {
                        let Linking::SymbolTable(symbols) = part? else { continue };
                        for symbol in symbols {
                            let item = self.item(symbol?)?;
                            self.symbols.push(item);
                        }
                    }
                }
                KnownCustom::Reloc(relocations) if section.name() == "reloc.CODE" => {
                    self.relocate(module, self.code, &relocations)?;
                }
                KnownCustom::Reloc(relocations) if section.name() == "reloc.DATA" => {
                    self.relocate(module, self.data, &relocations)?;
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// The item of a symbol, which names a function or tells of a constant.
    fn item(&mut self, symbol: SymbolInfo<'_>) -> Result<Option<usize>> {
        let kept = |flags: SymbolFlags| flags.intersects(SymbolFlags::EXPORTED | SymbolFlags::NO_STRIP);
        match symbol {
            SymbolInfo::Func { flags, index, name } => {
                let number = index as usize;
                let function = self.items.get_mut(number).context("a symbol of no function")?;
                function.names.extend(name.map(String::from));
                function.exported |= kept(flags);
                Ok(Some(number))
            }
            SymbolInfo::Data { flags, symbol: Some(symbol), .. } => {
                let segment = self.segments.get(symbol.index as usize).context("a symbol of no segment")?;
                let (offset, size) = (symbol.offset as usize, symbol.size as usize);
                let (address, place) = (segment.address + offset, segment.place + offset);
                self.items.push(Item {
                    exported: kept(flags),
                    addresses: address..address + size,
                    place: place..place + size,
                    ..Item::default()
                });
                Ok(Some(self.items.len() - 1))
            }
            _ => Ok(None),
        }
    }

    fn relocate(
        &mut self,
        module: &[u8],
        section: usize,
        relocations: &RelocSectionReader<'_>,
    ) -> Result<()> {
        for relocation in relocations.entries() {
            let relocation = relocation?;
            let call = match relocation.ty {
                // They name no function and no constant.
                RelocationType::TypeIndexLeb
                | RelocationType::GlobalIndexLeb
                | RelocationType::TableNumberLeb => continue,
                RelocationType::FunctionIndexLeb => true,
                RelocationType::TableIndexSleb
                | RelocationType::TableIndexI32
                | RelocationType::MemoryAddrLeb
                | RelocationType::MemoryAddrSleb
                | RelocationType::MemoryAddrI32 => false,
                other => bail!("a relocation of a kind that was not expected: {other:?}"),
            };
            let symbol = self.symbols.get(relocation.index as usize).copied().flatten();
            let to = symbol.context("a relocation to nothing that is known")?;
            let place = section + relocation.offset as usize;
            if relocation.ty.addend_kind() != RelocAddendKind::None {
                let written = module.get(place..place + relocation.ty.extent()).map(number);
                let expected = self.items.get(to).and_then(|item| address(item, &relocation));
                ensure!(
                    expected.is_some() && written == expected,
                    "a relocation is not what stands in the module"
                );
            }
            self.references.push(Reference { place, to, call });
        }
        Ok(())
    }
}

impl Segment {
    fn read(segment: &Data<'_>) -> Result<Self> {
        let DataKind::Active { offset_expr, .. } = &segment.kind else { bail!("a passive segment") };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
            bail!("a segment without a fixed address");
        };
        Ok(Self { address: usize::try_from(value)?, place: segment.range.end - segment.data.len() })
    }
}

/// What a relocation writes for an item in memory.
fn address(item: &Item, relocation: &RelocationEntry) -> Option<u32> {
    let start = i64::try_from(item.addresses.start).ok()?;
    u32::try_from(start.checked_add(relocation.addend)?).ok()
}

/// A number of four bytes, or in LEB128 padded to five.
fn number(bytes: &[u8]) -> u32 {
    let bits = if bytes.len() == 4 { 8 } else { 7 };
    bytes.iter().rev().fold(0, |number, byte| number << bits | u32::from(*byte) & ((1 << bits) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relocated_numbers_are_read() {
        assert_eq!(number(&[0x2c, 0x10, 0x10, 0x00]), 0x0010_102c);
        assert_eq!(number(&[0xac, 0xa0, 0xc0, 0x80, 0x00]), 0x0010_102c);
        // Signed, as constants in code are.
        assert_eq!(number(&[0xfe, 0xff, 0xff, 0xff, 0x7f]), 0xffff_fffe);
    }

    #[test]
    fn only_modules_with_relocations_are_read() {
        assert!(Linked::read(b"\0asm\x01\0\0\0").is_err());
        assert!(Linked::read(b"").is_err());
    }
}
