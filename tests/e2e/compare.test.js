"use strict";
// The proof beside nginx: each case of compare/ is sent to Debian's nginx and to hawser, configured alike; the answers and
// what the backend saw are equal, or the case says why not, in words that docs/differences-from-nginx.md has too.
// COMPARE="files hosts" runs those themes alone.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, test } = require("node:test");
const { Crew, known } = require("./lib/base.js");
const { isThere, startPair, ask } = require("./lib/pair.js");

const THEMES = path.join(__dirname, "compare");
const DIFFERENCES = fs.readFileSync(path.join(__dirname, "../../docs/differences-from-nginx.md"), "utf8").replace(/\s+/g, " ");
const ok = () => "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/* A case says its bytes whole (`send`), or by its parts: get: target, method, version, host, headers, body. */
function request(one) {
  if (one.send !== undefined) return one.send;
  const { get, method = "GET", version = "1.1", host = "h", headers = [], body } = one;
  const lines = [`${method} ${get} HTTP/${version}`, ...(host === null ? [] : [`Host: ${host}`]), ...headers];
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

/* The method of each answer that is awaited: of the first request, or as the case says. */
const methodsOf = (one, text) => one.answers ?? [/^[\r\n]*([A-Z]+) /.exec(text)?.[1] ?? "GET"];

const wanted = process.env.COMPARE?.split(" ").map((name) => `${name}.js`);

const files = fs.readdirSync(THEMES).filter((file) => !wanted || wanted.includes(file)).sort();
for (const theme of files.flatMap((file) => require(path.join(THEMES, file)))) {
  describe(theme.name, { skip: isThere ? false : "nginx is not installed (make deps)" }, () => {
    const crew = new Crew();
    let pair;
    before(async () => (pair = await startPair(crew, theme)));
    after(() => crew.end());
    for (const one of theme.cases) {
      test(one.name ?? one.get, one.known ? known(one.known) : {}, async (t) => {
        const text = request(one);
        const answer = typeof one.answer === "string" ? () => one.answer : (one.answer ?? theme.answer ?? ok);
        const results = [];
        for (const program of pair.both) {
          const result = await ask(t, pair, program, { text, methods: methodsOf(one, text), answer, tail: one.tail, lines: theme.logs ? (one.lines ?? methodsOf(one, text).length) : 0 }).catch((error) => ({ error: error.message }));
          results.push(result);
        }
        const [nginx, hawser] = results.map((result) => (theme.logs === "alone" && !result.error ? result.logged : result));
        if (!one.hawser) assert.equal(nginx.error, undefined, "with nginx itself the case does not work");
        if (!one.differs) return assert.deepStrictEqual(hawser, nginx);
        assert.notDeepStrictEqual(hawser, nginx, "no difference any more");
        assert.ok(DIFFERENCES.includes(one.differs), `docs/differences-from-nginx.md does not say: ${one.differs}`);
        if (one.hawser) assert.match(JSON.stringify(hawser), one.hawser);
      });
    }
  });
}
