// Requests without a client: what is sent is what is written, in the words of any version.
import { key } from "./clients.mjs";

const api = process.env.BILLD_API;

/** Nested members as forms write them: a[b]=1. */
export function form(value, prefix = "") {
  return Object.entries(value).flatMap(([name, each]) => {
    if (each === undefined) return [];
    const path = prefix ? `${prefix}[${name}]` : name;
    if (each !== null && typeof each === "object") return form(each, path);
    return [`${encodeURIComponent(path)}=${encodeURIComponent(each ?? "")}`];
  });
}

/**
 * Sends "POST /v1/customers" with these parameters, or with a body that is written already; answers the status and what
 * the body says.
 */
export async function call(version, operation, parameters = {}, headers = {}, written = undefined) {
  const [method, path] = operation.split(" ");
  const fields = form(parameters).join("&");
  const inQuery = method !== "POST" && fields !== "";
  const response = await fetch(`${api}${path}${inQuery ? `?${fields}` : ""}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      "stripe-version": version,
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
    body: written ?? (method === "POST" ? fields : undefined),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}
