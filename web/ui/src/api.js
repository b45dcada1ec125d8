// SPDX-License-Identifier: MIT
//
// api.js - requests to /api/v1 and the session. Every refusal becomes an ApiError with the
// server's own sentence.

import { visible } from "./format.js";

class ApiError extends Error {
  constructor(status, text) {
    super(visible(text));
    this.status = status;
  }
}

let signedOut = () => {};

/** Called when the server wants a token that this browser does not have. */
export function onSignedOut(fn) {
  signedOut = fn;
}

/** A path of the API: text parts are escaped, so that no name can leave its segment. */
export function path(...parts) {
  return "/api/v1/" + parts.map((part) => encodeURIComponent(part)).join("/");
}

async function reason(response) {
  try {
    return (await response.json()).error || response.statusText;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

export async function request(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new ApiError(0, "The server does not answer.");
  }
  if (response.ok) return response;
  if (response.status === 401 && !options.quiet) signedOut();
  throw new ApiError(response.status, await reason(response));
}

export async function get(url, signal) {
  return (await request(url, { signal })).json();
}

/** Trade {token} or {user, password} for the cookie; it is HttpOnly, this script never sees it again. */
export async function signIn(credentials) {
  await request(path("session"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(credentials),
    quiet: true,
  });
}

export async function signOut() {
  await request(path("session"), { method: "DELETE" });
  signedOut();
}

/** Something is done: a POST with a JSON body; returns the answer. */
export async function act(parts, body) {
  const response = await request(path(...parts), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

/** A piece of a log: its bytes, where they begin, how long the log is, which one it is. */
export async function logPiece(url, from, limit, signal) {
  const response = await request(`${url}?from=${from}&limit=${limit}`, { signal });
  return {
    url,
    id: response.headers.get("Dagrun-Log-Id"),
    bytes: new Uint8Array(await response.arrayBuffer()),
    from: Number(response.headers.get("Dagrun-Log-From")),
    size: Number(response.headers.get("Dagrun-Log-Size")),
  };
}
