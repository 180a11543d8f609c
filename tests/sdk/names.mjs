// A reporter of Node's test runner: writes a line for each test that passed, with its file and the names around it:
// "seed.test.mjs: Customers of 2018-05-21: works: GET /v1/customers".
import { basename } from "node:path";

export default async function* names(events) {
  const around = [];
  let file;
  for await (const { type, data } of events) {
    if (type === "test:start") {
      around[data.nesting] = data.name;
      // What is declared by a function elsewhere is of the file that called it.
      if (data.nesting === 0) file = data.file && basename(data.file);
    } else if (type === "test:pass" && data.details?.type !== "suite" && !data.skip && !data.todo) {
      const path = [...around.slice(0, data.nesting), data.name].filter((name) => !name.endsWith(".mjs"));
      if (file && path.length > 0) yield `${file}: ${path.join(": ")}\n`;
    }
  }
}
