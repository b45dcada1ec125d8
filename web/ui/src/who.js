// SPDX-License-Identifier: MIT
//
// who.js - who is signed in, and what that may do. The server decides; the pages only don't
// offer what it would refuse.
import { useEffect, useState } from "preact/hooks";

const RANKS = ["public", "viewer", "operator", "admin"];
const listeners = new Set();
let session = null;

/** The answer of /api/v1/session, or null. */
export function setSession(value) {
  session = value || null;
  for (const fn of listeners) fn();
}

export function useSession() {
  const [, again] = useState(0);
  useEffect(() => {
    const fn = () => again((n) => n + 1);
    listeners.add(fn);
    return () => listeners.delete(fn);
  }, []);
  return session;
}

/** Why whoever is signed in may not do what needs this role; "" when they may. */
export function refusal(who, role = "operator") {
  if (!who) return "";
  if (RANKS.indexOf(who.role) < RANKS.indexOf(role)) return `This needs the role ${role}; ${who.user} is ${who.role}.`;
  if (who.read_only) return "This server was started with --read-only: it shows, and changes nothing.";
  return "";
}
