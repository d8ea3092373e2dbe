//! The functions of a module: their Rust names, who calls whom, and how to make one a trap.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use walrus::ir::{Call, RefFunc, ReturnCall, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ExportItem, Function, FunctionBuilder, FunctionId, FunctionKind,
    InstrSeqBuilder, Module,
};

/// The function's path in Rust, without hashes; empty when it has no name.
pub(crate) fn path(function: &Function) -> String {
    demangled(function.name.as_deref().unwrap_or_default())
}

/// The path in Rust that a mangled name stands for, without hashes.
pub(crate) fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// The functions that can be called from outside or through a table.
pub(crate) fn entries(module: &Module) -> HashSet<FunctionId> {
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    });
    let mut found: HashSet<FunctionId> = exported.chain(module.start).collect();
    for element in module.elements.iter() {
        match &element.items {
            ElementItems::Functions(ids) => found.extend(ids),
            ElementItems::Expressions(_, expressions) => {
                found.extend(expressions.iter().filter_map(|expression| match expression {
                    ConstExpr::RefFunc(id) => Some(*id),
                    _ => None,
                }));
            }
        }
    }
    found
}

/// Everything that direct calls reach from `roots`, them included.
pub(crate) fn reached(module: &Module, roots: &HashSet<FunctionId>) -> HashSet<FunctionId> {
    let mut reached = HashSet::new();
    let mut waiting: Vec<FunctionId> = roots.iter().copied().collect();
    while let Some(id) = waiting.pop() {
        if !reached.insert(id) {
            continue;
        }
        waiting.extend(callees(module, id));
    }
    reached
}

fn callees(module: &Module, id: FunctionId) -> Vec<FunctionId> {
    let mut found = Callees::default();
    if let FunctionKind::Local(function) = &module.funcs.get(id).kind {
        dfs_in_order(&mut found, function, function.entry_block());
    }
    found.0
}

/// The functions among `live` that call `target` directly.
pub(crate) fn callers(
    module: &Module,
    live: &HashSet<FunctionId>,
    target: FunctionId,
) -> HashSet<FunctionId> {
    live.iter().copied().filter(|id| callees(module, *id).contains(&target)).collect()
}

/// The chain of direct calls from one of `roots` to `target`, for error messages.
pub(crate) fn call_chain(module: &Module, roots: &HashSet<FunctionId>, target: FunctionId) -> Vec<String> {
    let mut caller_of: HashMap<FunctionId, Option<FunctionId>> =
        roots.iter().map(|root| (*root, None)).collect();
    let mut waiting: VecDeque<FunctionId> = roots.iter().copied().collect();
    while let Some(id) = waiting.pop_front() {
        for callee in callees(module, id) {
            if let Entry::Vacant(unseen) = caller_of.entry(callee) {
                unseen.insert(Some(id));
                waiting.push_back(callee);
            }
        }
    }
    let mut chain = Vec::new();
    let mut step = Some(target);
    while let Some(id) = step {
        chain.push(path(module.funcs.get(id)));
        step = caller_of.get(&id).copied().flatten();
    }
    chain.reverse();
    chain
}

/// Replaces the function's body by a trap; imports have none and stay.
pub(crate) fn trap(module: &mut Module, id: FunctionId) {
    replace(module, id, |body| {
        body.unreachable();
    });
}

/// Replaces the body of a function that writes text by one that writes none and says that all went well.
pub(crate) fn write_nothing(module: &mut Module, id: FunctionId) {
    replace(module, id, |body| {
        // `Ok(())` of `core::fmt::Result`.
        body.i32_const(0);
    });
}

fn replace(module: &mut Module, id: FunctionId, write: impl FnOnce(&mut InstrSeqBuilder<'_>)) {
    let FunctionKind::Local(function) = &module.funcs.get(id).kind else { return };
    let arguments = function.args.clone();
    let parameters = module.types.params(function.ty()).to_vec();
    let results = module.types.results(function.ty()).to_vec();
    let mut body = FunctionBuilder::new(&mut module.types, &parameters, &results);
    write(&mut body.func_body());
    module.funcs.get_mut(id).kind = FunctionKind::Local(body.local_func(arguments));
}

#[derive(Default)]
struct Callees(Vec<FunctionId>);

impl Visitor<'_> for Callees {
    fn visit_call(&mut self, call: &Call) {
        self.0.push(call.func);
    }

    fn visit_return_call(&mut self, call: &ReturnCall) {
        self.0.push(call.func);
    }

    fn visit_ref_func(&mut self, reference: &RefFunc) {
        self.0.push(reference.func);
    }
}
