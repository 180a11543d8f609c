// Starts a billd of its own, on free ports and with its data in a temporary directory, runs the tests against it, and
// stops it. Usage: node run.mjs PATH-TO-BILLD. Ends with 77, which ctest takes for "skipped", without the clients.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const [billd] = process.argv.slice(2);
if (!existsSync(join(folder, "node_modules", "stripe"))) {
  console.error("The clients are not installed: npm ci --prefix tests/sdk --ignore-scripts");
  process.exit(77);
}

const state = mkdtempSync(join(tmpdir(), "billd-sdk-"));
const daemon = spawn(
  billd,
  ["serve", "--dev", "--state-dir", state, "--listen", "127.0.0.1:0", "--operators", "127.0.0.1:0"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
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
  const api = await addressOfApi();
  daemon.stdout.resume();
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => join(folder, name));
  const tests = spawn(process.execPath, ["--test", ...files], {
    stdio: "inherit",
    env: { ...process.env, BILLD_API: api },
  });
  [status] = await once(tests, "exit");
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
