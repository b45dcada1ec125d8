// SPDX-License-Identifier: MIT
//
// fields.jsx - fields of filters. What somebody is in the middle of is theirs: no answer that
// comes meanwhile takes it away.
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** A line of text; say(text) at Enter and on leaving it, eager: at every key. What is typed
 *  stays until value becomes something else than was said. */
export function TextField({ label, value = "", say, eager, ...more }) {
  const [typed, type] = useState(value);
  const said = useRef(value);
  useLayoutEffect(() => {
    if (value !== said.current) type(value);
    said.current = value;
  }, [value]);
  const tell = (text) => {
    said.current = text;
    type(text);
    say(text);
  };
  const typing = ({ target }) => (eager ? tell(target.value) : type(target.value));
  return (
    <label>
      {label}
      <input
        type="text"
        value={typed}
        onInput={typing}
        onChange={eager ? undefined : ({ target }) => tell(target.value.trim())}
        spellcheck={false}
        autocomplete="off"
        {...more}
      />
    </label>
  );
}

/** options: [value, text]…; say(value). */
export function Choice({ label, value = "", say, options }) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => say(event.target.value)}>
        {options.map(([option, text]) => <option key={option} value={option}>{text}</option>)}
      </select>
    </label>
  );
}
