// A billd of the test's own, on free ports and with its data in a temporary directory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class Daemon {
  static async start(billd, settings = []) {
    const daemon = new Daemon();
    daemon.state = mkdtempSync(join(tmpdir(), "billd-operators-"));
    const options = settings.flatMap((setting) => ["--set", setting]);
    daemon.process = spawn(
      billd,
      [
        ...["serve", "--dev", "--state-dir", daemon.state, "--listen", "127.0.0.1:0"],
        ...["--operators", "127.0.0.1:0", ...options],
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    daemon.ended = once(daemon.process, "exit");
    for await (const line of createInterface({ input: daemon.process.stdout })) {
      const found = /(API|Status)\s+(http:\/\/[^/\s]+)/.exec(line);
      if (found?.[1] === "API") daemon.api = found[2];
      if (found?.[1] === "Status") {
        daemon.operators = found[2];
        break;
      }
    }
    if (!daemon.operators) throw new Error("billd ended before it served");
    daemon.process.stdout.resume();
    return daemon;
  }

  async stop() {
    this.process.kill("SIGTERM");
    const [code] = await this.ended;
    rmSync(this.state, { recursive: true, force: true });
    return code;
  }

  async post(path, form) {
    const response = await fetch(this.api + path, {
      method: "POST",
      headers: { Authorization: "Bearer sk_test_operators" },
      body: new URLSearchParams(form),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(`${path}: ${body.error.message}`);
    return body;
  }

  async act(action) {
    const response = await fetch(`${this.operators}/status/act`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ by: "the test", why: "to see it", ...action }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(body.error.message);
    return body;
  }

  async status() {
    return (await fetch(`${this.operators}/status.json`)).json();
  }
}
