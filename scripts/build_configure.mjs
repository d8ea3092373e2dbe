// The form's part of `npm run build`: a WebAssembly module of its own, because it needs a tenth of what the sign-in needs.

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { base91 } from "./base91.mjs";
import { FEATURES, PASSES } from "./build.mjs";
import { bundleShipped, texts } from "./bundle.mjs";
import { compiledWasm, compileWasm } from "./compile_wasm.mjs";
import { fingerprintOf, line, path, run, StageError, stage } from "./stage.mjs";

/** The most characters that the form may have. */
const CHARACTER_LIMIT = 40_960;

const CRATE = "tokentoss-configure";

const compiled = compiledWasm(CRATE);
const glueFolder = path("target", "glue");
const glue = path("target", "glue", "tokentoss_configure_bg.js");
const glued = path("target", "glue", "tokentoss_configure_bg.wasm");
const names = path("target", "configure", "names.json");
const optimised = path("target", "configure", "tokentoss.wasm");
const packed = path("target", "configure", "packed");
const module = path("python", "tokentoss", "static", "configure.js");

/** Builds what is out of date. */
export async function buildConfigure() {
  mkdirSync(path("target", "configure"), { recursive: true });
  compileWasm(CRATE);
  line("form: rust to wasm", kilobytes(compiled));
  const gluing = [compiled, path("Cargo.lock"), path("crates", "tokentoss-glue")];
  await stage("form: wasm-bindgen", { inputs: gluing, outputs: [glued, glue] }, bind);
  await stage("form: wasm-opt", { inputs: [glued, ...FEATURES, ...PASSES], outputs: [optimised, names] }, optimise);
  await stage("form: zopfli", { inputs: [optimised, path("scripts", "deflate.mjs")], outputs: [packed] }, compress);
  const sources = [...["js/src", "widget-esm/src", "scripts", "pyproject.toml"].map((name) => path(name)), texts];
  await stage("configure.js", { inputs: [packed, names, glue, ...sources], outputs: [module] }, assemble);
  // The form shares colours, status line and text buttons with the sign-in.
  const styles = ["auth.css", "configure.css"].map((name) => readFileSync(path("widget-esm", "src", name), "utf8"));
  writeFileSync(path("python", "tokentoss", "static", "configure.css"), styles.join("\n"));
  checkSize();
}

function bind() {
  const tool = "run --quiet --locked --package tokentoss-glue --profile tool --".split(" ");
  run("cargo", [...tool, compiled, glueFolder]);
  return kilobytes(glued);
}

function optimise() {
  const wasmOpt = path("node_modules", "binaryen", "bin", "wasm-opt");
  writeFileSync(names, run(process.execPath, [wasmOpt, glued, "-o", optimised, ...FEATURES, ...PASSES]));
  return kilobytes(optimised);
}

function compress() {
  run(process.execPath, [path("scripts", "deflate.mjs"), optimised, packed]);
  return kilobytes(packed);
}

async function assemble() {
  const bytes = readFileSync(packed);
  const { imports, exports } = JSON.parse(readFileSync(names, "utf8"));
  const sealer = [
    `export const packed = ${JSON.stringify(base91(bytes))};`,
    `export const size = ${bytes.length};`,
    `export const fingerprint = "${fingerprintOf([packed, glue]).slice(0, 12)}";`,
  ];
  const joint = [
    `import { ${imports.map(([, name]) => name).join(", ")} } from ${JSON.stringify(glue)};`,
    `export { __wbg_set_wasm, sealCredentials, sealFile } from ${JSON.stringify(glue)};`,
    // wasm-opt calls the one module that everything is imported from "a".
    "export const imports = { a: {",
    ...imports.map(([, name, short]) => `  ${JSON.stringify(short)}: ${name},`),
    "} };",
  ];
  await bundleShipped(
    {
      entryPoints: [path("widget-esm", "src", "configure.ts")],
      outfile: module,
      minify: true,
      // What the WebAssembly exports goes by the names that wasm-opt gave it.
      mangleProps: new RegExp(`^(${exports.map(([name]) => name.replaceAll("$", "\\$")).join("|")})$`),
      mangleCache: Object.fromEntries(exports),
    },
    { sealer: sealer.join("\n"), "configure-glue": joint.join("\n") },
  );
}

function checkSize() {
  const characters = readFileSync(module, "utf8").length;
  line("", `${characters} characters, of at most ${CHARACTER_LIMIT}`);
  if (characters <= CHARACTER_LIMIT) return;
  throw new StageError(`configure.js is ${characters - CHARACTER_LIMIT} characters too long`);
}

function kilobytes(file) {
  return `${(statSync(file).size / 1000).toFixed(1)} kB`;
}
