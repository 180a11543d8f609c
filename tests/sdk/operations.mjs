// Operations asked for one by one, in the words of any version: what is good, and what each refuses.
import assert from "node:assert/strict";
import { it } from "node:test";
import { call } from "./wire.mjs";

/** Asks in the words of the version; what is not answered 200 fails the test. */
export const asking = (version) => async (operation, parameters, headers) => {
  const { status, body } = await call(version, operation, parameters, headers);
  assert.equal(status, 200, `${operation} is answered ${status}: ${JSON.stringify(body)}`);
  return body;
};

export const unknown = (param) => ({
  status: 404,
  type: "invalid_request_error",
  code: "resource_missing",
  ...(param && { param }),
});
export const bad = (param, code) => ({ status: 400, type: "invalid_request_error", param, ...(code && { code }) });
export const declined = (code) => ({ status: 402, type: "card_error", code });
/** What the object's state does not allow. */
export const impossible = (message) => ({ status: 400, type: "invalid_request_error", ...(message && { message }) });

export const strange = ["a parameter that there is not", { colour: "red" }, bad("colour", "parameter_unknown")];
export const unexpandable = ["what cannot be expanded", { expand: ["colour"] }, bad("expand")];
export const tooDeep = [
  "an expansion of five levels",
  { expand: ["a.b.c.d.e"] },
  bad("expand", "property_expansion_max_depth"),
];
export const paging = [
  ["a limit of 0", { limit: 0 }, bad("limit")],
  ["a limit of 101", { limit: 101 }, bad("limit")],
  ["a limit that is no number", { limit: "ten" }, bad("limit", "parameter_invalid_integer")],
  ["both cursors", { starting_after: "a", ending_before: "b" }, bad("starting_after", "parameters_exclusive")],
  ["an unknown cursor", { starting_after: "nothing_000000000000000000000000" }, unknown("starting_after")],
];

/** Everything that refusals() has seen refused, by operation: the report wants the seed's operations among them. */
export const refused = new Set();

/**
 * What one operation refuses: `cases` are lists of a name, the parameters, what the error says, and, if it is another
 * one, the path (or what makes one).
 */
export const refusals = (version, operation, path, cases) => {
  refused.add(operation);
  for (const [name, parameters, expected, at = path] of cases) {
    it(`refuses ${name}: ${operation}`, async () => {
      const url = typeof at === "function" ? await at() : at;
      const given = typeof parameters === "function" ? await parameters() : parameters;
      const { status, body } = await call(version, `${operation.split(" ")[0]} ${url}`, given);
      assert.equal(status, expected.status, JSON.stringify(body));
      for (const member of ["code", "param", "type", "decline_code"])
        if (member in expected) assert.equal(body.error[member], expected[member], JSON.stringify(body));
      if (expected.message) assert.match(body.error.message, expected.message);
    });
  }
};

/** Pages forth and back through a list that has exactly these identifiers, newest first. */
export async function walks(good, operation, ids, parameters = {}) {
  assert.ok(ids.length >= 3);
  const of = async (more) => {
    const page = await good(operation, { ...parameters, ...more });
    assert.equal(page.object, "list");
    return [page.data.map(({ id }) => id), page.has_more];
  };
  assert.deepEqual(await of({ limit: 100 }), [ids, false]);
  assert.deepEqual(await of({ limit: 2 }), [ids.slice(0, 2), ids.length > 2]);
  assert.deepEqual(await of({ limit: 1, starting_after: ids[0] }), [[ids[1]], true]);
  assert.deepEqual(await of({ ending_before: ids[2] }), [ids.slice(0, 2), false]);
}
