// SPDX-License-Identifier: MIT
//
// who.js - who is signed in, and what that may do. The server decides; the pages only don't
// offer what it would refuse.
import { tell, useHeard } from "./heard.js";

const RANKS = ["public", "viewer", "operator", "admin"];
const listeners = new Set();
let session = null;

/** The answer of /api/v1/session, or null. */
export function setSession(value) {
  session = value || null;
  tell(listeners);
}

export function useSession() {
  useHeard(listeners);
  return session;
}

/** Why whoever is signed in may not do what needs this role; "" when they may. */
export function refusal(who, role = "operator") {
  if (!who) return "";
  if (RANKS.indexOf(who.role) < RANKS.indexOf(role)) return `This needs the role ${role}; ${who.user} is ${who.role}.`;
  if (who.read_only) return "This server was started with --read-only: it shows, and changes nothing.";
  return "";
}
