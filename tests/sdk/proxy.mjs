// Stands between the tests and billd, and holds every answer that passes against Stripe's own descriptions.
import { once } from "node:events";
import http from "node:http";
import { descriptionOf, descriptions } from "./descriptions.mjs";

function send(api, request, body, headers) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { host: api.hostname, port: api.port, method: request.method, path: request.url, headers, agent: false },
      async (incoming) => {
        const parts = [];
        for await (const part of incoming) parts.push(part);
        const { statusCode: status, headers, rawHeaders: raw } = incoming;
        resolve({ status, headers, raw, body: Buffer.concat(parts) });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** What the answers came to: by version and operation, how many were good, and what was wrong with others. */
export class Findings {
  validated = new Map(descriptions.map(({ version }) => [version, new Map()]));
  wrong = new Map();

  add(description, method, path, status, text) {
    const operation = description.find(method, path);
    let problems;
    try {
      problems = description.problems(method, path, status, JSON.parse(text));
    } catch (error) {
      problems = [`cannot be read: ${error.message}`];
    }
    const name = operation?.name ?? `${method} ${path}`;
    for (const problem of problems) {
      const what = `${description.version} ${name} ${status}: ${problem.replaceAll(/\/\d+/g, "/*")}`;
      this.wrong.set(what, (this.wrong.get(what) ?? 0) + 1);
    }
    if (problems.length === 0 && status < 400 && operation) {
      const counts = this.validated.get(description.version);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
}

/**
 * A server of its own on a free port; what is read is read once more in the words of every described version, unless it
 * was just read and has not changed.
 */
export async function startProxy(api, findings) {
  const lastRead = new Map();
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const headers = { ...request.headers };
    delete headers.connection;
    const answer = await send(api, request, body, headers);
    const path = new URL(request.url, "http://billd").pathname;
    const spoken = descriptionOf(answer.headers["stripe-version"] ?? "9999");
    findings.add(spoken, request.method, path, answer.status, answer.body);
    const text = answer.body.toString();
    if (request.method === "GET" && answer.status === 200 && lastRead.get(request.url) !== text) {
      lastRead.set(request.url, text);
      for (const description of descriptions.filter((each) => each !== spoken)) {
        const again = await send(api, request, body, { ...headers, "stripe-version": description.version });
        if (again.status === 200) findings.add(description, "GET", path, again.status, again.body);
      }
    }
    response.writeHead(answer.status, answer.raw);
    response.end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** The operations that billd has a route for, asked of billd itself, by version. */
export async function servedOperations(api, key) {
  const served = new Map();
  for (const { version, operations } of descriptions) {
    const names = [];
    for (const { method, path, name } of operations) {
      const url = path.replaceAll(/\{[^}]+\}/g, "nothing");
      const headers = { authorization: `Bearer ${key}`, "stripe-version": version };
      const text = (await send(api, { method, url }, "", headers)).body.toString();
      // A last word that billd takes for an identifier is one that it does not know: "No such invoice: upcoming".
      const taken = !/\}$/.test(path) && new RegExp(`No such [^:]*: ${url.split("/").at(-1)}"`).test(text);
      if (!taken && !text.includes("Unrecognized request URL")) names.push(name);
    }
    served.set(version, names);
  }
  return served;
}
