// Runs the Python tests with the lowest versions that pyproject.toml allows: a floor is a promise like any other.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { python } from "./prepare.mjs";
import { asCommand, path, run, StageError, stage } from "./stage.mjs";

const ENVIRONMENT = path(".cache", "lowest");
/** Its interpreter, where this system's environments have it. */
const lowest = python.replace(path(".venv"), ENVIRONMENT);
/** What the tests need besides the package, in the versions that they were written with. */
const TOOLS = ["pytest", "pytest-timeout", "pytest-xdist", "hypothesis", "time-machine", "ipykernel"];
/**
 * The first four need a build backend, Google's large libraries, or Sphinx. The others search random orders of steps in a simulated
 * world, where no library takes part.
 */
const LEFT_OUT = [
  "test_build.py",
  "test_clients_example.py",
  "test_documents.py",
  "test_google_storage.py",
  "test_session_orders.py",
  "test_widget_orders.py",
];
/** Random documents are tried at length with the newest versions. */
const FEWER_EXAMPLES = { TOKENTOSS_FUZZ_EXAMPLES: "50" };

await asCommand(async () => {
  const requirements = path("tests", "requirements.txt");
  await stage(
    "lowest versions",
    { inputs: [path("pyproject.toml"), requirements, path("scripts", "test_lowest.mjs")], outputs: [lowest] },
    () => install(pins(readFileSync(requirements, "utf8"))),
  );
  const ignored = LEFT_OUT.map((name) => `--ignore=tests/python/${name}`);
  run(lowest, ["-m", "pytest", "-q", "-n", "3", ...ignored, ...process.argv.slice(2), "tests/python"], {
    inherit: true,
    env: FEWER_EXAMPLES,
  });
});

/** The lines of the requirements for the tools, without comments. */
function pins(text) {
  const lines = text.split("\n").map((entry) => entry.split("#")[0].trim());
  return TOOLS.map((name) => {
    const pin = lines.find((entry) => entry.startsWith(`${name}==`));
    if (!pin) throw new StageError(`tests/requirements.txt does not pin ${name}`);
    return pin;
  });
}

function install(pinned) {
  const uv = join(dirname(python), process.platform === "win32" ? "uv.exe" : "uv");
  run(uv, ["venv", "--quiet", "--clear", "--python", python, ENVIRONMENT]);
  const package_ = ["--editable", `${path()}[httpx,keyring,socks]`];
  run(uv, ["pip", "install", "--quiet", "--python", lowest, "--resolution", "lowest-direct", ...package_, ...pinned]);
}
