// SPDX-License-Identifier: MIT
//
// build.mjs SOURCE NODE_MODULES OUT.c - bundle the pages and write them as a C table
// (web/assets.h). Run by cmake. The size is a promise: beyond it the build fails.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const SIZE_MAX = 60 * 1024;
const [source, modules, out] = process.argv.slice(2).map((path) => resolve(path));
const esbuild = createRequire(join(modules, "x.js"))("esbuild");

function bundle(entry) {
  const result = esbuild.buildSync({
    entryPoints: [join(source, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2021",
    jsx: "automatic",
    jsxImportSource: "preact",
    nodePaths: [modules],
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

const assets = [
  ["/", "text/html; charset=utf-8", readFileSync(join(source, "index.html"))],
  ["/app.js", "text/javascript; charset=utf-8", bundle("src/main.jsx")],
  ["/app.css", "text/css; charset=utf-8", bundle("style.css")],
  ["/favicon.svg", "image/svg+xml", readFileSync(join(source, "favicon.svg"))],
].map(([path, type, text], i) => ({
  path,
  type,
  name: `bytes_${i}`,
  gzip: gzipSync(text, { level: 9 }),
  etag: createHash("sha256").update(text).digest("hex").slice(0, 16),
}));

const total = assets.reduce((sum, asset) => sum + asset.gzip.length, 0);
if (total > SIZE_MAX) {
  console.error(`pages: error: ${total} bytes compressed, at most ${SIZE_MAX} are allowed`);
  process.exit(1);
}

const arrays = assets.map(({ name, gzip }) => `static const unsigned char ${name}[] = {${[...gzip].join(",")}};\n`);
const rows = assets.map(
  ({ path, type, etag, name, gzip }) => `    {"${path}", "${type}", "\\"${etag}\\"", ${name}, ${gzip.length}},\n`,
);
writeFileSync(
  out,
  `/* Made by web/ui/build.mjs. */\n#include "web/assets.h"\n\n#include <stddef.h>\n\n${arrays.join("")}\n` +
    `const struct web_asset web_assets[] = {\n${rows.join("")}    {NULL, NULL, NULL, NULL, 0},\n};\n`,
);
console.log(`pages: ${assets.length} files, ${total} bytes compressed`);
