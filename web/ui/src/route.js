// SPDX-License-Identifier: MIT
//
// route.js - the address behind '#': where we are, and links to elsewhere.
import { useEffect, useState } from "preact/hooks";

/** "#/runs/a/1?x=y" → {parts: ["runs", "a", "1"], query: {x: "y"}}. */
export function parse(hash) {
  const [place, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const safe = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return {
    parts: place.split("/").filter(Boolean).map(safe),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** A link; members of the query that are empty are left out. */
export function link(parts, query = {}) {
  const members = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const tail = members.length ? `?${new URLSearchParams(members)}` : "";
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${tail}`;
}

export function go(parts, query) {
  location.hash = link(parts, query);
}

export function useRoute() {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const fn = () => setRoute(parse(location.hash));
    addEventListener("hashchange", fn);
    return () => removeEventListener("hashchange", fn);
  }, []);
  return route;
}
