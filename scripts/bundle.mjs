// esbuild with the modules that only the build can make.

import { readFileSync } from "node:fs";
import esbuild from "esbuild";
import { path, root, StageError } from "./stage.mjs";

const PROJECT = path("pyproject.toml");
/** What users read, in English; all languages of the project share it. */
export const texts = path("python", "tokentoss", "texts", "en.json");

const SENTENCES = [
  "configuration_unsealed",
  "kernel_gone",
  "popup_blocked",
  "popup_closed",
  "webassembly_failed",
  "webassembly_unavailable",
];

/** The options that every bundle shares; `modules` gives the source of `tokentoss:…` imports by name. */
export function bundle(options, modules = {}) {
  return esbuild.build({
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    ...options,
    plugins: [madeModules({ sentences: sentences(), texts: labels(), documentation: documentation(), ...modules })],
  });
}

/** A bundle that ships: the licences and the bill of materials of the package name no package of npm. */
export async function bundleShipped(options, modules) {
  const { metafile } = await bundle({ ...options, metafile: true }, modules);
  const foreign = Object.keys(metafile.inputs).flatMap(
    (file) => file.match(/node_modules\/((@[^/]+\/)?[^/]+)/)?.[1] ?? [],
  );
  if (foreign.length === 0) return;
  throw new StageError(
    `${[...new Set(foreign)].join(", ")} would ship: first name its licence in scripts/third_party_licences.py and the package in scripts/bill_of_materials.py`,
  );
}

function madeModules(modules) {
  return {
    name: "tokentoss",
    setup(build) {
      build.onResolve({ filter: /^tokentoss:/ }, (args) => {
        const name = args.path.slice("tokentoss:".length);
        if (!(name in modules)) return { errors: [{ text: `nothing makes the module ${args.path}` }] };
        return { path: name, namespace: "tokentoss" };
      });
      build.onLoad({ filter: /./, namespace: "tokentoss" }, (args) => ({
        contents: modules[args.path],
        loader: "js",
        resolveDir: root,
      }));
    },
  };
}

/** The labels of the widgets; a bundle holds the sections that it uses. */
function labels() {
  const { errors, subjects, ...sections } = JSON.parse(readFileSync(texts, "utf8"));
  return Object.entries(sections)
    .map(([name, section]) => `export const ${name} = ${JSON.stringify(section)};`)
    .join("\n");
}

/** Where the documents are, by the one place that names it: the package's metadata. */
function documentation() {
  const [, address] = readFileSync(PROJECT, "utf8").match(/^Documentation = "(https:[^"]+)"$/m) ?? [];
  if (!address) throw new StageError("pyproject.toml names no address of the documentation");
  // A repository shows the pages as they are written, a site as they were built.
  const page = address.includes("/tree/") ? "troubleshooting.md" : "troubleshooting.html";
  return `export const troubleshooting = ${JSON.stringify(`${address.replace(/\/$/, "")}/${page}`)};`;
}

/** Sentences that the page needs where the WebAssembly cannot give them, from the table that all languages share. */
function sentences() {
  const { errors } = JSON.parse(readFileSync(texts, "utf8"));
  return SENTENCES.map((code) => {
    if (!errors[code]) throw new StageError(`${texts} has no sentence for "${code}"`);
    return `export const ${code} = ${JSON.stringify(errors[code])};`;
  }).join("\n");
}
