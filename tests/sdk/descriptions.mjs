// Stripe's own descriptions of three versions of its API, and what they say of an answer.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import Ajv from "ajv";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "openapi");

/** What tells an object of several kinds apart: `object`, and whether it is what is left of a deleted one. */
function discriminator(schema) {
  const kind = schema.properties?.object?.enum;
  const deleted = schema.required?.includes("deleted") || schema.properties?.deleted?.enum !== undefined;
  return kind && { kind, deleted };
}

/**
 * Turns a choice between objects into one that is made by their `object`, so that a wrong member is told of as such,
 * and not as "is none of these".
 */
function decide(schema, schemas) {
  const resolve = (each) => (each.$ref ? schemas[each.$ref] : each);
  const flat = schema.anyOf.flatMap((each) => (each.anyOf && !each.$ref ? each.anyOf : [each]));
  const objects = flat.filter((each) => resolve(each)?.type === "object");
  const others = flat.filter((each) => resolve(each)?.type !== "object");
  if (objects.length === 0) return { anyOf: flat };
  const otherwise = { anyOf: [...others, { type: "object" }] };
  if (objects.length === 1) return { if: { type: "object" }, then: objects[0], else: otherwise };
  const marks = objects.map((each) => discriminator(resolve(each)));
  if (!marks.every(Boolean)) return { anyOf: flat };
  const branches = objects.map((each, i) => ({
    if: {
      type: "object",
      required: marks[i].deleted ? ["object", "deleted"] : ["object"],
      properties: { object: { enum: marks[i].kind } },
      ...(marks[i].deleted ? {} : { not: { required: ["deleted"], properties: { deleted: { const: true } } } }),
    },
    then: each,
  }));
  const chosen = { anyOf: branches.map((each) => each.if) };
  return { allOf: [...branches, { if: { type: "object" }, then: chosen, else: otherwise }] };
}

function prepare(value, schemas) {
  if (Array.isArray(value)) return value.map((each) => prepare(each, schemas));
  if (value === null || typeof value !== "object") return value;
  const prepared = {};
  for (const [name, each] of Object.entries(value)) prepared[name] = name === "enum" ? each : prepare(each, schemas);
  return Array.isArray(prepared.anyOf) ? decide(prepared, schemas) : prepared;
}

/** One version: its operations, and the checks of their answers, compiled when they are first asked for. */
class Description {
  constructor({ version, operations, schemas }) {
    this.version = version;
    this.ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false });
    for (const [name, schema] of Object.entries(schemas)) this.ajv.addSchema(prepare(schema, schemas), name);
    this.operations = operations.map((operation) => ({
      ...operation,
      answers: operation.answers && prepare(operation.answers, schemas),
      name: `${operation.method} ${operation.path}`,
      // Versions before searches know no object of that name.
      pattern: new RegExp(`^${operation.path.replaceAll(/\{[^}]+\}/g, "(?!search$)[^/]+")}$`),
      variables: operation.path.split("{").length - 1,
    }));
    // What has no variables is meant before what has: /v1/invoices/upcoming is no invoice.
    this.operations.sort((left, right) => left.variables - right.variables);
    this.checks = new Map();
  }

  find(method, path) {
    return this.operations.find((each) => each.method === method && each.pattern.test(path));
  }

  check(name, schema, body) {
    if (!this.checks.has(name)) this.checks.set(name, this.ajv.compile(schema));
    const check = this.checks.get(name);
    if (check(body)) return [];
    return [
      ...new Set(
        check.errors
          .filter((error) => error.keyword !== "if")
          .map((error) => {
            const is = error.keyword === "required" ? "" : ` (is ${JSON.stringify(valueAt(body, error.instancePath))})`;
            const allowed = error.params.allowedValues ? `: ${error.params.allowedValues.join(", ")}` : "";
            return `${error.instancePath || "/"} ${error.message}${allowed}${is.slice(0, 120)}`;
          }),
      ),
    ];
  }

  /** What is wrong with the answer, sentence by sentence; empty: nothing, or nothing is known of the operation. */
  problems(method, path, status, body) {
    if (status >= 400) return this.check("error", { $ref: "error" }, body);
    const operation = this.find(method, path);
    return operation?.answers ? this.check(operation.name, operation.answers, body) : [];
  }
}

function valueAt(body, pointer) {
  return pointer.split("/").slice(1).reduce((value, name) => value?.[name.replaceAll("~1", "/")], body);
}

/** Oldest first. */
export const descriptions = readdirSync(folder)
  .filter((name) => name.endsWith(".json.gz"))
  .sort()
  .map((name) => new Description(JSON.parse(gunzipSync(readFileSync(join(folder, name))))));

/** The one that holds for the version: the newest that is not newer, for members are told as they came to be. */
export function descriptionOf(version) {
  return descriptions.findLast((each) => each.version <= version.slice(0, 10)) ?? descriptions[0];
}
