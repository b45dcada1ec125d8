// SPDX-License-Identifier: MIT
//
// heard.js - what is known outside of the components, and shown by many of them.
import { useEffect, useState } from "preact/hooks";

/** Whoever uses it is drawn again when tell is called with the same set. */
export function useHeard(listeners) {
  const [, again] = useState(0);
  useEffect(() => {
    const fn = () => again((n) => n + 1);
    listeners.add(fn);
    return () => listeners.delete(fn);
  }, []);
}

export function tell(listeners) {
  for (const fn of listeners) fn();
}
