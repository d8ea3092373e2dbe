// `npm run build`: Rust to WebAssembly to one self-contained ES module in the Python package.

import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { base91 } from "./base91.mjs";
import { bundle } from "./bundle.mjs";
import { asCommand, fingerprintOf, line, path, run, StageError, stage } from "./stage.mjs";

/** The most characters that the module may have; every notebook cell that shows the widget carries it. */
const CHARACTER_LIMIT = 98_304;

/** What rustc enables for wasm32-unknown-unknown, and every browser since 2021 has. */
const FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "call-indirect-overlong",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

const PASSES = [
  // Twice, because the second time finds what the first one uncovered.
  "-Oz",
  "-Oz",
  // Inlining everything that has one caller makes the module smaller, but its deflated form larger.
  "--one-caller-inline-max-function-size=40",
  "--zero-filled-memory",
  // Alignment hints, which browsers ignore, only make equal code look different to the compressor.
  "--dealign",
  "--strip-debug",
  "--strip-producers",
  "--strip-target-features",
  // Prints the new names as JSON.
  "--minify-imports-and-exports-and-modules",
];

const compiled = path("target", "wasm32-unknown-unknown", "wasm-release", "tokentoss_wasm.wasm");
const glueFolder = path("target", "glue");
const glued = path("target", "glue", "tokentoss_wasm_bg.wasm");
const optimised = path("target", "glue", "tokentoss_wasm.opt.wasm");
const renamed = path("target", "glue", "tokentoss_wasm.names.json");
const packed = path("target", "glue", "tokentoss_wasm.opt.deflate");
const statics = path("python", "tokentoss", "static");
const module = path("python", "tokentoss", "static", "auth.js");

/** Builds what is out of date. */
export async function build() {
  mkdirSync(statics, { recursive: true });
  compile();
  await stage("wasm-bindgen", { inputs: [compiled, path("Cargo.lock"), path("crates", "tokentoss-glue")], outputs: [glued] }, glue);
  await stage("wasm-opt -Oz", { inputs: [glued, ...FEATURES, ...PASSES], outputs: [optimised, renamed] }, optimise);
  await stage("zopfli", { inputs: [optimised, path("scripts", "deflate.mjs")], outputs: [packed] }, compress);
  const sources = [path("js", "src"), path("widget-esm", "src"), path("scripts"), path("tests", "vectors", "error_codes.json")];
  await stage("esbuild", { inputs: [packed, glueFolder, ...sources], outputs: [module] }, assemble);
  copyFileSync(path("widget-esm", "src", "auth.css"), path("python", "tokentoss", "static", "auth.css"));
  copyFileSync(path("tests", "vectors", "error_codes.json"), path("python", "tokentoss", "error_codes.json"));
  report();
}

function compile() {
  run("cargo", ["build", "--quiet", "--locked", "--package", "tokentoss-wasm", "--target", "wasm32-unknown-unknown", "--profile", "wasm-release"]);
  line("rust to wasm", kilobytes(compiled));
}

function glue() {
  run("cargo", ["run", "--quiet", "--locked", "--package", "tokentoss-glue", "--profile", "tool", "--", compiled, glueFolder]);
  return kilobytes(glued);
}

function optimise() {
  const wasmOpt = path("node_modules", "binaryen", "bin", "wasm-opt");
  const names = run(process.execPath, [wasmOpt, glued, "-o", optimised, ...FEATURES, ...PASSES]);
  writeFileSync(renamed, names);
  return kilobytes(optimised);
}

function compress() {
  run(process.execPath, [path("scripts", "deflate.mjs"), optimised, packed]);
  return kilobytes(packed);
}

async function assemble() {
  const { mangleProps, mangleCache, modules } = builtModules();
  const { warnings } = await bundle(
    { entryPoints: [path("widget-esm", "src", "auth.ts")], outfile: module, minify: true, mangleProps, mangleCache },
    modules,
  );
  for (const warning of warnings) line("esbuild", warning.text);
}

/** The modules that only exist once the WebAssembly is built, and how wasm-opt renamed what they name. */
export function builtModules() {
  const bytes = readFileSync(packed);
  const glueModule = path("target", "glue", "tokentoss_wasm_bg.js");
  const { imports, exports } = JSON.parse(readFileSync(renamed, "utf8"));
  const importedNames = imports.map(([, name]) => name);
  return {
    // Every property that only the glue and the module know of; wasm-opt chose the names of those that cross.
    mangleProps: /^(__wb|__externref|__destroy|signin_|wasm_bindgen__|_ZN|memory$)/,
    mangleCache: Object.fromEntries(exports),
    modules: {
      wasm: [
        `export const packed = ${JSON.stringify(base91(bytes))};`,
        `export const size = ${bytes.length};`,
        `export const fingerprint = "${fingerprintOf([packed, glueModule]).slice(0, 12)}";`,
      ].join("\n"),
      glue: [
        `import { ${importedNames.join(", ")} } from ${JSON.stringify(glueModule)};`,
        `export { __wbg_set_wasm, SignIn } from ${JSON.stringify(glueModule)};`,
        // wasm-opt calls the one module that everything is imported from "a".
        "export const imports = { a: {",
        ...imports.map(([, name, short]) => `  ${JSON.stringify(short)}: ${name},`),
        "} };",
      ].join("\n"),
    },
  };
}

function report() {
  const characters = readFileSync(module, "utf8").length;
  const text = base91(readFileSync(packed)).length;
  line("auth.js", `${characters} characters: ${text} of WebAssembly, ${characters - text} of JavaScript (at most ${CHARACTER_LIMIT})`);
  if (characters > CHARACTER_LIMIT) throw new StageError(`auth.js is ${characters - CHARACTER_LIMIT} characters too long`);
}

function kilobytes(file) {
  return `${(statSync(file).size / 1000).toFixed(1)} kB`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await asCommand(build);
