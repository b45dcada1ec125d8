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

/** An address with those members of the query that are not empty. */
export function withQuery(address, query) {
  const members = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  return members.length ? `${address}?${new URLSearchParams(members)}` : address;
}

/** A link to a page. */
export function link(parts, query = {}) {
  return withQuery(`#/${parts.map((part) => encodeURIComponent(part)).join("/")}`, query);
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
