// docs/broker/routes.md, made from the broker's OpenAPI document. `npm run check` compares it, `npm run fix` writes it anew.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { path, StageError } from "./stage.mjs";

const PAGE = "docs/broker/routes.md";
const DOCUMENT = "crates/tokentoss-broker/src/routes/openapi.json";
const JSON_TYPE = "application/json";
const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

/** Compares the page with the document, or writes it. */
export function brokerRoutes(fix) {
  const current = page(JSON.parse(readFileSync(path(DOCUMENT), "utf8")));
  const written = existsSync(path(PAGE)) ? readFileSync(path(PAGE), "utf8") : "";
  if (written === current) return;
  if (!fix) throw new StageError(`${PAGE} is out of date: \`npm run fix\` writes it`);
  writeFileSync(path(PAGE), current);
}

function page({ info, paths, components }) {
  const routes = Object.entries(paths).flatMap(([route, operations]) => sections(route, operations, components));
  const schemas = Object.entries(components.schemas).map(([name, schema]) => `### ${name}\n\n${table(schema)}`);
  return `${[
    `<!-- Made from ${DOCUMENT} by scripts/broker_routes.mjs; do not edit. -->`,
    "# The broker's routes",
    info.description,
    "[http.md](http.md) says what they mean together. Browsers call `/connect` and `/callback`, which need no `Authorization`. Elsewhere " +
      `\`Authorization: Bearer\` carries ${first(components.securitySchemes.bearer.description)}`,
    "## Routes",
    ...routes,
    "## Objects",
    ...schemas,
  ].join("\n\n")}\n`;
}

/** One section for each operation; operations that differ in their method alone share one. */
function sections(route, operations, components) {
  const shared = operations.parameters ?? [];
  const groups = new Map();
  for (const method of METHODS.filter((name) => operations[name])) {
    const { operationId, ...operation } = operations[method];
    const key = JSON.stringify(operation);
    groups.set(key, { operation, methods: [...(groups.get(key)?.methods ?? []), method.toUpperCase()] });
  }
  return [...groups.values()].map(({ operation, methods }) =>
    section(methods, route, shared.concat(operation.parameters ?? []), operation, components),
  );
}

function section(methods, route, parameters, operation, components) {
  const lines = [`### ${methods.join(", ")} ${code(route)}`, operation.summary];
  if (parameters.length > 0) {
    const rows = parameters.map(({ name, in: place, required, description, schema }) => [
      code(name),
      `${place}${required ? "" : ", optional"}`,
      type(schema),
      description ?? "",
    ]);
    lines.push(rowsOf(["parameter", "where", "type", "meaning"], rows));
  }
  const [[kind, body] = []] = Object.entries(operation.requestBody?.content ?? {});
  if (body) lines.push(`Body: ${type(body.schema)}${kind === JSON_TYPE ? "" : `, as ${code(kind)}`}.`);
  lines.push(rowsOf(["status", "answer"], answers(operation.responses, components)));
  return lines.join("\n\n");
}

function answers(responses, components) {
  const own = Object.entries(responses)
    .filter(([, { $ref }]) => !$ref)
    .map(([status, { description, content, headers = {} }]) => {
      const schema = content?.[JSON_TYPE]?.schema;
      const named = Object.entries(headers).map(([name, header]) => ` Header ${code(name)}: ${header.description}`);
      const answer = `${description}${schema ? ` ${type(schema)}.` : ""}${named.join("")}`;
      return [status === "default" ? "any" : status, answer];
    });
  const shared = Object.entries(components.responses).flatMap(([name, { description, content }]) => {
    const statuses = Object.keys(responses).filter((status) => nameIn(responses[status].$ref ?? "") === name);
    const [[kind, { schema }]] = Object.entries(content);
    const what = schema.$ref ? ` ${type(schema)}, as ${code(kind)}.` : "";
    return statuses.length === 0 ? [] : [[statuses.join(", "), `${description}${what}`]];
  });
  return [...own, ...shared];
}

function table({ properties, required = [] }) {
  const rows = Object.entries(properties).map(([name, schema]) => [
    code(name),
    type(schema),
    required.includes(name) ? "yes" : "",
    schema.description ?? "",
  ]);
  return rowsOf(["member", "type", "always there", "meaning"], rows);
}

function type(schema) {
  if (schema.$ref) return reference(schema.$ref);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map(code).join(", ");
  if (schema.type === "array") return `list of ${type(schema.items)}`;
  if (schema.properties) return `object with ${Object.keys(schema.properties).map(code).join(", ")}`;
  const limits = [
    schema.minimum === undefined ? "" : ` from ${schema.minimum}`,
    schema.maximum === undefined ? "" : ` to ${schema.maximum}`,
    schema.maxLength === undefined ? "" : ` of ${schema.maxLength} characters at most`,
  ];
  return `${[schema.type].flat().join(" or ")}${limits.join("")}`;
}

function reference(pointer) {
  const name = nameIn(pointer);
  return `[${name}](#${name.toLowerCase()})`;
}

function rowsOf(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n").replaceAll("|  |", "| |");
}

const nameIn = (pointer) => pointer.split("/").at(-1);
const code = (text) => `\`${text}\``;
const first = (text) => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
