// Starts a billd of its own, on free ports and with its data in a temporary directory, runs the tests against it, holds
// every answer against Stripe's descriptions and what specification.md says against the tests, and stops it. Ends with
// 77, which ctest takes for "skipped", without the clients.
// Usage: node run.mjs PATH-TO-BILLD [FILE-FOR-THE-TABLE [TEST-FILE...]]; with test files, only these.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const [billd, tableFile, ...only] = process.argv.slice(2);
if (!["ajv", "standardwebhooks", "stripe"].every((name) => existsSync(join(folder, "node_modules", name)))) {
  console.error("The clients are not installed: npm ci --prefix tests/sdk --ignore-scripts");
  process.exit(77);
}
const { Findings, servedOperations, startProxy } = await import("./proxy.mjs");
const { failures, table } = await import("./report.mjs");
const { unproven } = await import("./specification.mjs");

const state = mkdtempSync(join(tmpdir(), "billd-sdk-"));
const daemon = spawn(
  billd,
  ["serve", "--dev", "--state-dir", state, "--listen", "127.0.0.1:0", "--operators", "127.0.0.1:0"],
  { stdio: ["ignore", "pipe", "pipe"] },
);
const log = join(state, "billd.log");
daemon.stderr.on("data", (part) => {
  process.stderr.write(part);
  appendFileSync(log, part);
});
const ended = once(daemon, "exit");

async function addressOfApi() {
  for await (const line of createInterface({ input: daemon.stdout })) {
    const found = /API\s+(http:\S+)/.exec(line);
    if (found) return found[1];
  }
  throw new Error("billd ended before it served");
}

let status = 1;
try {
  const api = new URL(await addressOfApi());
  daemon.stdout.resume();
  const findings = new Findings();
  const proxy = await startProxy(api, findings);
  const files = only.length > 0 ? only : readdirSync(folder).filter((name) => name.endsWith(".test.mjs"));
  const passed = join(state, "passed");
  const reporters = [
    ["spec", "stdout"],
    [join(folder, "names.mjs"), passed],
  ].flatMap(([name, to]) => [`--test-reporter=${name}`, `--test-reporter-destination=${to}`]);
  const tests = spawn(process.execPath, ["--test", ...reporters, ...files.map((name) => join(folder, name))], {
    stdio: "inherit",
    env: { ...process.env, BILLD: billd, BILLD_API: proxy.address, BILLD_STATE: state, BILLD_LOG: log },
  });
  [status] = await once(tests, "exit");
  proxy.close();
  const served = await servedOperations(api, "sk_test_probe");
  if (tableFile) writeFileSync(tableFile, `${table(findings, served)}\n`);
  const wrong =
    only.length > 0
      ? [...findings.wrong.keys()]
      : [...failures(findings, served), ...unproven(readFileSync(passed, "utf8"))];
  for (const sentence of wrong) console.error(sentence);
  if (wrong.length > 0) status ||= 1;
} finally {
  daemon.kill("SIGTERM");
  const [code] = await ended;
  if (code !== 0) {
    console.error(`billd ended with ${code}`);
    status ||= 1;
  }
  rmSync(state, { recursive: true, force: true });
}
process.exit(status ?? 1);
