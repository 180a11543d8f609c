// Holds specification.md against what ran: every statement names tests that passed, every operation of the seed has its
// statement, and every test is named.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { seed } from "./seed.mjs";

const folder = dirname(fileURLToPath(import.meta.url));

/** The statements under each heading's file, each with the full names of its tests: "seed/Customers of *: works: …". */
function statements() {
  const found = [];
  let file;
  const text = readFileSync(join(folder, "specification.md"), "utf8").replaceAll(/\n +/g, " ");
  for (const line of text.split("\n")) {
    if (line.startsWith("## ")) file = line.split(": ").at(-1).trim();
    if (!line.startsWith("- ")) continue;
    const [statement, tests = ""] = line.slice(2).split(" → ");
    const isWhole = (name) => /^[a-z_]+\//.test(name);
    const names = tests.split(";").map((name) => name.trim()).filter((name) => name !== "");
    found.push({ statement, tests: names.map((name) => (isWhole(name) ? name : `${file}/${name}`)) });
  }
  return found;
}

/** The tests in C++: "engine/Suite.Name". */
function compiledTests() {
  const found = [];
  for (const part of ["engine", "net"]) {
    const sources = join(folder, "..", part);
    for (const name of readdirSync(sources).filter((each) => each.endsWith("_test.cpp"))) {
      const text = readFileSync(join(sources, name), "utf8");
      for (const [, suite, test] of text.matchAll(/^TEST(?:_F)?\((\w+), (\w+)\)/gm))
        found.push(`${part}/${suite}.${test}`);
    }
  }
  return found;
}

const asPattern = (name) =>
  new RegExp(`^${name.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);

/** What is wrong; `passed` is what names.mjs has written. */
export function unproven(passed) {
  const ran = passed.split("\n").filter((line) => line !== "").map((line) => line.replace(".test.mjs: ", "/"));
  const known = [...ran, ...compiledTests()];
  const all = statements();
  const problems = [];
  const named = new Set();
  for (const { statement, tests } of all) {
    if (tests.length === 0) problems.push(`specification.md names no test for: ${statement}`);
    for (const test of tests) {
      const pattern = asPattern(test);
      const proofs = known.filter((each) => pattern.test(each));
      for (const each of proofs) named.add(each);
      if (proofs.length === 0) problems.push(`specification.md names what did not pass: ${test}`);
    }
  }
  const tests = all.flatMap((each) => each.tests);
  for (const operation of seed)
    if (!tests.some((name) => name.endsWith(`: works: ${operation}`)))
      problems.push(`specification.md says nothing of ${operation}`);
  for (const test of ran)
    if (!named.has(test))
      problems.push(`specification.md has no statement for the test ${test}`);
  return problems;
}
