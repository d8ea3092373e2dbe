// `npm run build`: Rust to WebAssembly to one self-contained ES module in the Python package.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import esbuild from "esbuild";
import { base91 } from "./base91.mjs";
import { buildConfigure } from "./build_configure.mjs";
import { buildStatus } from "./build_status.mjs";
import { bundleShipped, texts } from "./bundle.mjs";
import { compiledWasm, compileWasm } from "./compile_wasm.mjs";
import { asCommand, fingerprintOf, line, path, run, StageError, stage } from "./stage.mjs";

/** The most characters that the module may have; every notebook cell that shows the widget carries it. */
const CHARACTER_LIMIT = 122_880;

/** What rustc enables for wasm32-unknown-unknown, and every browser since 2021 has. */
export const FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "call-indirect-overlong",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

export const PASSES = [
  // Twice, because the second time finds what the first one uncovered.
  "-Oz",
  "-Oz",
  // Inlining everything that has one caller makes the module smaller, but its deflated form larger.
  "--one-caller-inline-max-function-size=25",
  "--zero-filled-memory",
  // Alignment hints, which browsers ignore, only make equal code look different to the compressor.
  "--dealign",
  "--strip-debug",
  "--strip-producers",
  "--strip-target-features",
  // Prints the new names as JSON.
  "--minify-imports-and-exports-and-modules",
];

const CRATE = "tokentoss-wasm";

const compiled = compiledWasm(CRATE);
const glueFolder = path("target", "glue");
const glued = path("target", "glue", "tokentoss_wasm_bg.wasm");
const glueJs = path("target", "glue", "tokentoss_wasm_bg.js");
const names = path("target", "glue", "names.json");
/** The optimised WebAssembly. */
export const optimised = path("target", "widget", "tokentoss.wasm");
const widget = path("target", "widget", "auth.js");
const packed = path("target", "widget", "packed");
const carrier = path("python", "tokentoss", "static", "auth.js");

/** Builds what is out of date. */
export async function build() {
  mkdirSync(path("target", "widget"), { recursive: true });
  mkdirSync(path("python", "tokentoss", "static"), { recursive: true });
  compile();
  await stage(
    "wasm-bindgen",
    { inputs: [compiled, path("Cargo.lock"), path("crates", "tokentoss-glue")], outputs: [glued] },
    glue,
  );
  await stage("wasm-opt", { inputs: [glued, ...FEATURES, ...PASSES], outputs: [optimised, names] }, optimise);
  const sources = [path("js", "src"), path("widget-esm", "src"), path("scripts"), texts, path("pyproject.toml")];
  await stage("esbuild", { inputs: [optimised, names, glueJs, ...sources], outputs: [widget] }, bundleWidget);
  await stage("zopfli", { inputs: [widget, optimised, path("scripts", "deflate.mjs")], outputs: [packed] }, compress);
  await stage("auth.js", { inputs: [packed, ...sources], outputs: [carrier] }, bundleCarrier);
  copyFileSync(path("widget-esm", "src", "auth.css"), path("python", "tokentoss", "static", "auth.css"));
  await buildConfigure();
  await buildStatus();
  copyFileSync(path("crates", "tokentoss-core", "error_codes.json"), path("python", "tokentoss", "error_codes.json"));
  // The broker's pages and the kernel's look alike.
  for (const part of ["page.css", "icon.svg", "outcome.js"]) {
    copyFileSync(path("crates", "tokentoss-broker", "templates", part), path("python", "tokentoss", "callback", part));
  }
  // A crate is packed without what is outside of it.
  for (const file of readdirSync(dirname(texts)).filter((name) => name.endsWith(".json"))) {
    copyFileSync(join(dirname(texts), file), path("crates", "tokentoss-broker", "texts", file));
  }
  checkSize();
}

function compile() {
  compileWasm(CRATE);
  line("rust to wasm", kilobytes(compiled));
}

function glue() {
  const tool = "run --quiet --locked --package tokentoss-glue --profile tool --".split(" ");
  run("cargo", [...tool, compiled, glueFolder]);
  return kilobytes(glued);
}

function optimise() {
  const wasmOpt = path("node_modules", "binaryen", "bin", "wasm-opt");
  const mapping = run(process.execPath, [wasmOpt, glued, "-o", optimised, ...FEATURES, ...PASSES]);
  writeFileSync(names, mapping);
  return kilobytes(optimised);
}

async function bundleWidget() {
  const { modules, ...renamed } = glueModule();
  await bundleShipped(
    { entryPoints: [path("widget-esm", "src", "auth.ts")], outfile: widget, minify: true, ...renamed },
    modules,
  );
  const code = readFileSync(widget, "utf8");
  const missed = Object.keys(renamed.mangleCache).filter((name) => name !== "memory" && code.includes(name));
  if (missed.length > 0) throw new StageError(`the glue uses names that the WebAssembly lost: ${missed.join(", ")}`);
  return kilobytes(widget);
}

/** Module and WebAssembly in one go, so that one finds the other's words. */
function compress() {
  const joined = `${packed}.joined`;
  writeFileSync(joined, Buffer.concat([readFileSync(widget), readFileSync(optimised)]));
  run(process.execPath, [path("scripts", "deflate.mjs"), joined, packed]);
  return kilobytes(packed);
}

async function bundleCarrier() {
  const bytes = readFileSync(packed);
  const contents = [
    `export const packed = ${JSON.stringify(base91(bytes))};`,
    `export const size = ${bytes.length};`,
    `export const moduleSize = ${statSync(widget).size};`,
    `export const fingerprint = "${fingerprintOf([packed]).slice(0, 12)}";`,
  ];
  const entryPoints = [path("widget-esm", "src", "carrier.ts")];
  await bundleShipped({ entryPoints, outfile: carrier, minify: true }, { packed: contents.join("\n") });
}

/** The module that joins the glue to the WebAssembly, by the names that wasm-opt gave to what they share. */
export function glueModule() {
  const { imports, exports } = JSON.parse(readFileSync(names, "utf8"));
  const contents = [
    "export function makeGlue() {",
    // A function instead of a module: every instance has glue of its own.
    needed(readFileSync(glueJs, "utf8"), [...imports.map(([, name]) => name), "SignIn", "__wbg_set_wasm"]),
    // wasm-opt calls the one module that everything is imported from "a".
    "const imports = { a: {",
    ...imports.map(([, name, short]) => `  ${JSON.stringify(short)}: ${name},`),
    "} };",
    "return { SignIn, imports, __wbg_set_wasm };",
    "}",
  ];
  return {
    modules: { glue: contents.join("\n") },
    // What the WebAssembly exports goes by the names that wasm-opt gave it.
    mangleProps: new RegExp(`^(${exports.map(([name]) => name.replaceAll("$", "\\$")).join("|")})$`),
    mangleCache: Object.fromEntries(exports),
  };
}

/** The glue without what served only code that is gone from the WebAssembly, and without exports. */
function needed(glue, names) {
  const entry = `${glue.replaceAll(/^export /gm, "")}\nexport { ${names.join(", ")} };`;
  const { outputFiles } = esbuild.buildSync({
    stdin: { contents: entry },
    bundle: true,
    format: "esm",
    charset: "utf8",
    write: false,
  });
  return outputFiles[0].text.replace(/^export \{[^}]*\};$/m, "");
}

function checkSize() {
  const characters = readFileSync(carrier, "utf8").length;
  line("", `${characters} characters, of at most ${CHARACTER_LIMIT}`);
  if (characters <= CHARACTER_LIMIT) return;
  throw new StageError(`auth.js is ${characters - CHARACTER_LIMIT} characters too long`);
}

function kilobytes(file) {
  return `${(statSync(file).size / 1000).toFixed(1)} kB`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await asCommand(build);
