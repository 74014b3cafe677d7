"use strict";
// Requests and answers that two readers could take for different things. None may get through the proxy as it came.

const assert = require("node:assert");
const { after, before, describe, test } = require("node:test");
const { Crew, sleep, until } = require("./lib/base.js");
const { startOneliner, startConfig } = require("./lib/hawser.js");
const { connect, startRawBackend } = require("./lib/wire.js");

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
const H = "Host: h\r\n";
const post = (fields, body = "") => `POST / HTTP/1.1\r\n${H}${fields}\r\n${body}`;
const chunks = (text) => post("Transfer-Encoding: chunked\r\n", text);
const get = (fields, target = "/") => `GET ${target} HTTP/1.1\r\n${H}${fields}\r\n`;
const long = (n) => "x".repeat(n);

/* To be refused: an error answer, the end of the connection, and not one byte of it to the server. */
const REFUSED = {
  // Two ideas of where the body ends.
  "CL and TE": post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
  "TE and CL": post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  "CL 0 and TE": post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  "two lengths": post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
  "two lengths as a list": post("Content-Length: 5, 6\r\n", "hello!"),
  "an empty length": post("Content-Length: \r\n", SMUGGLED),
  "a length with a sign": post("Content-Length: +5\r\n", "hello"),
  "a negative length": post("Content-Length: -1\r\n", SMUGGLED),
  "a hexadecimal length": post("Content-Length: 0x5\r\n", "hello"),
  "a length with a space inside": post("Content-Length: 5 5\r\n", "hello"),
  "a length with a letter": post("Content-Length: 5a\r\n", "hello"),
  "a length with a dot": post("Content-Length: 5.0\r\n", "hello"),
  "a length of 2^63": post("Content-Length: 9223372036854775808\r\n", "hello"),
  "a length of 2^64": post("Content-Length: 18446744073709551616\r\n", SMUGGLED),
  "a length of 2^64 + 5": post("Content-Length: 18446744073709551621\r\n", "hello"),
  "a length of 100 digits": post(`Content-Length: ${"9".repeat(100)}\r\n`, SMUGGLED),
  "TE twice": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  "TE chunked, chunked": post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
  "TE identity": post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello"),
  "TE chunked, identity": post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
  "TE xchunked": post("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", "hello"),
  "TE chunked with a quote": post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"),
  "TE chunked with a parameter": post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"),
  "TE with a vertical tab": post("Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n", "hello"),
  "TE with a form feed": post("Transfer-Encoding: \x0cchunked\r\n", "0\r\n\r\n"),
  "TE with 0xA0": post("Transfer-Encoding:\xa0chunked\r\n", "0\r\n\r\n"),
  "TE with NUL": post("Transfer-Encoding: chunked\0\r\n", "0\r\n\r\n"),
  "TE empty": post("Transfer-Encoding: \r\nContent-Length: 5\r\n", "hello"),
  "TE gzip": post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"),
  "TE in HTTP/1.0": `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  // Chunks.
  "a chunk size with 0x": chunks("0x5\r\nhello\r\n0\r\n\r\n"),
  "a chunk size with a sign": chunks("+5\r\nhello\r\n0\r\n\r\n"),
  "a negative chunk size": chunks("-1\r\nhello\r\n0\r\n\r\n"),
  "an empty chunk size": chunks("\r\nhello\r\n0\r\n\r\n"),
  "a chunk size that is no number": chunks("zz\r\nhello\r\n0\r\n\r\n"),
  "a chunk size of 2^64": chunks("10000000000000000\r\nhello\r\n0\r\n\r\n"),
  "a chunk size of 2^64 + 5": chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"),
  "a chunk size of 2^63": chunks("8000000000000000\r\nhello\r\n0\r\n\r\n"),
  "a chunk size of many zeros": chunks(`${"0".repeat(5000)}5\r\nhello\r\n0\r\n\r\n`),
  "a space before the chunk size": chunks(" 5\r\nhello\r\n0\r\n\r\n"),
  "a chunk size ended by LF": chunks("5\nhello\r\n0\r\n\r\n"),
  "a chunk without its CRLF": chunks("5\r\nhello0\r\n\r\n"),
  "a chunk that is longer than it says": chunks("5\r\nhello!\r\n0\r\n\r\n"),
  "a chunk ended by LF": chunks("5\r\nhello\n0\r\n\r\n"),
  "a chunk ended by CR": chunks("5\r\nhello\r0\r\n\r\n"),
  "an extension with a bare LF": chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"),
  "an extension with a bare CR": chunks("5;a\rb\r\nhello\r\n0\r\n\r\n"),
  "an extension without an end": chunks(`5;${long(20000)}\r\nhello\r\n0\r\n\r\n`),
  "a trailer folded": chunks("0\r\nX-A: 1\r\n b\r\n\r\n"),
  "a trailer with a space before the colon": chunks("0\r\nX-A : 1\r\n\r\n"),
  "a trailer with a NUL": chunks("0\r\nX-A: \0\r\n\r\n"),
  // Lines.
  "a bare CR in a value": get("X-A: a\rX-B: b\r\n"),
  "a bare LF in a value, ending the head": get("X-A: a\n\nGET /smuggled HTTP/1.1\r\nHost: h\r\n"),
  "a NUL in a value": get("X-A: a\0b\r\n"),
  "a control character in a value": get("X-A: a\x01b\r\n"),
  "DEL in a value": get("X-A: a\x7fb\r\n"),
  "a folded line": get("X-A: a\r\n b\r\n"),
  "a folded line by a tab": get("X-A: a\r\n\tb\r\n"),
  "a folded first line": `GET / HTTP/1.1\r\n Host: h\r\n${H}\r\n`,
  "a space before the colon": get("X-A : a\r\n"),
  "a tab before the colon": get("X-A\t: a\r\n"),
  "a space before the colon of TE": post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
  "a space before the colon of CL": post("Content-Length : 5\r\n", "hello"),
  "no colon": get("X-A\r\n"),
  "an empty name": get(": a\r\n"),
  "a name with a NUL": get("X\0A: a\r\n"),
  "a name with a space": get("X A: a\r\n"),
  "a name with a slash": get("X/A: a\r\n"),
  "a name with 0x80": get("X\x80: a\r\n"),
  "a name with a parenthesis": get("X(A): a\r\n"),
  "a CR before the CRLF": get("X-A: a\r\r\n"),
  // The request line.
  "two spaces after the method": `GET  / HTTP/1.1\r\n${H}\r\n`,
  "two spaces before the version": `GET /  HTTP/1.1\r\n${H}\r\n`,
  "a tab for a space": `GET\t/\tHTTP/1.1\r\n${H}\r\n`,
  "a space in the target": `GET /a b HTTP/1.1\r\n${H}\r\n`,
  "a space behind the version": `GET / HTTP/1.1 \r\n${H}\r\n`,
  "a space before the method": ` GET / HTTP/1.1\r\n${H}\r\n`,
  "a NUL in the target": `GET /\0 HTTP/1.1\r\n${H}\r\n`,
  "a bare CR in the target": `GET /\rX HTTP/1.1\r\n${H}\r\n`,
  "DEL in the target": `GET /\x7f HTTP/1.1\r\n${H}\r\n`,
  "a fragment in the target": `GET /a#/b HTTP/1.1\r\n${H}\r\n`,
  "a target without a slash": `GET a HTTP/1.1\r\n${H}\r\n`,
  "an empty target": `GET  HTTP/1.1\r\n${H}\r\n`,
  "no version": `GET /\r\n${H}\r\n`,
  "version 0.9": `GET / HTTP/0.9\r\n${H}\r\n`,
  "version 1.2x": `GET / HTTP/1.1x\r\n${H}\r\n`,
  "version 2.0": `GET / HTTP/2.0\r\n${H}\r\n`,
  "version http/1.1": `GET / http/1.1\r\n${H}\r\n`,
  "version HTTP/11": `GET / HTTP/11\r\n${H}\r\n`,
  "a method with a NUL": `G\0T / HTTP/1.1\r\n${H}\r\n`,
  "a method with a colon": `GET: / HTTP/1.1\r\n${H}\r\n`,
  "CONNECT": `CONNECT inner:22 HTTP/1.1\r\n${H}\r\n`,
  "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + long(200) + "\r\n\r\n",
  // Host.
  "no Host": "GET / HTTP/1.1\r\n\r\n",
  "two Hosts": `GET / HTTP/1.1\r\n${H}Host: other\r\n\r\n`,
  "two equal Hosts": `GET / HTTP/1.1\r\n${H}${H}\r\n`,
  "a Host with a space": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
  "a Host with a slash": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
  "a Host with user info": "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n",
  "a Host with a NUL": "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
  "a Host with a bad port": "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
};

/* Odd, but with one meaning: what reaches the server, if anything, must be in strict form. */
const CLEANED = {
  "two equal lengths": post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
  "two equal lengths as a list": post("Content-Length: 5, 5\r\n", "hello"),
  "a length with zeros before it": post("Content-Length: 0005\r\n", "hello"),
  "a length with spaces around it": post("Content-Length: \t 5 \t\r\n", "hello"),
  "TE in capitals": post("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"),
  "TE with spaces around it": post("Transfer-Encoding:  \t chunked \t \r\n", "5\r\nhello\r\n0\r\n\r\n"),
  "CL named by Connection": post("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"),
  "TE named by Connection": post("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
  "Host named by Connection": get("Connection: Host, X-Forwarded-For\r\n"),
  "an absolute target": get("", "http://h/absolute"),
  "an absolute target for another host": get("", "http://other/absolute"),
  "blank lines before a request": `\r\n\r\n${get("")}`,
  "a GET with a body": get(`Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED,
  "a chunk of capitals": chunks("A\r\n0123456789\r\n0\r\n\r\n"),
  "chunk extensions": chunks("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n"),
  "trailers that frame": chunks("5\r\nhello\r\n0\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\nHost: other\r\n\r\n"),
  "line ends by LF": "GET / HTTP/1.1\nHost: h\n\n",
  "a head line ended by LF": "GET / HTTP/1.1\r\nHost: h\nX-A: b\r\n\r\n",
  "a header with an underscore": get("Content_Length: 5\r\nTransfer_Encoding: chunked\r\n"),
  "a NUL encoded": get("", "/%00"),
  "CRLF encoded": get("", "/a%0d%0aX-Injected:%201"),
  "dots": get("", "/a/../../b/./c"),
  "8-bit letters in the target": get("", "/\xe4\xff"),
  "an Expect that nobody knows": post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"),
  "OPTIONS *": `OPTIONS * HTTP/1.1\r\n${H}\r\n`,
};

/* Reads what a server got as a strict server would; throws at whatever is not strictly one thing. */
function readStrictly(bytes) {
  const requests = [];
  while (bytes) {
    const end = bytes.indexOf("\r\n\r\n");
    assert.ok(end > 0, `a head without an end: ${JSON.stringify(bytes.slice(0, 200))}`);
    const [line, ...fields] = bytes.slice(0, end).split("\r\n");
    bytes = bytes.slice(end + 4);
    assert.match(line, /^[A-Z]+ (\*|\/[\x21-\x22\x24-\x7e\x80-\xff]*) HTTP\/1\.[01]$/);
    const get = (name) => fields.filter((field) => field.toLowerCase().startsWith(`${name}:`)).map((field) => field.slice(name.length + 1).trim());
    for (const field of fields) assert.match(field, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$/);
    const [hosts, lengths, codings] = ["host", "content-length", "transfer-encoding"].map(get);
    assert.equal(hosts.length, 1, "not one Host");
    assert.ok(lengths.length + codings.length <= 1, `two framings: ${fields}`);
    let body = "";
    if (lengths.length) {
      assert.match(lengths[0], /^\d{1,18}$/);
      assert.ok(bytes.length >= Number(lengths[0]), "a body too short");
      body = bytes.slice(0, Number(lengths[0]));
      bytes = bytes.slice(Number(lengths[0]));
    } else if (codings.length) {
      assert.equal(codings[0], "chunked");
      for (;;) {
        const size = /^([0-9a-fA-F]{1,15})(;[^\r\n]*)?\r\n/.exec(bytes);
        assert.ok(size, `a bad chunk ${JSON.stringify(bytes.slice(0, 100))}`);
        bytes = bytes.slice(size[0].length);
        const count = parseInt(size[1], 16);
        if (!count) break;
        body += bytes.slice(0, count);
        assert.equal(bytes.slice(count, count + 2), "\r\n");
        bytes = bytes.slice(count + 2);
      }
      for (let trailer; (trailer = /^([^\r\n]*)\r\n/.exec(bytes)); ) {
        bytes = bytes.slice(trailer[0].length);
        if (!trailer[1]) break;
        assert.doesNotMatch(trailer[1], /^(content-length|transfer-encoding|host):/i);
      }
    }
    requests.push({ line, fields, body });
  }
  return requests;
}

/* Answers each request that it takes, as the head alone says, so that nothing that follows is lost. */
async function server(wire) {
  for (;;) {
    await wire.takeRequest(60000);
    wire.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }
}

describe("requests", () => {
  const crew = new Crew();
  let backend, hawser;
  before(async () => {
    backend = await startRawBackend(crew, server);
    hawser = await startOneliner(crew, [`http://127.0.0.1:${backend.port}`]);
  });
  after(() => crew.end());

  /* Which connections to the server have got bytes since. */
  const since = (lengths) => backend.wires.map((wire, i) => wire.all.slice(lengths[i] || 0)).filter(Boolean);
  const lengths = () => backend.wires.map((wire) => wire.all.length);

  for (const [what, text] of Object.entries(REFUSED))
    for (const cut of [0, 1])
      test(`refused: ${what}${cut ? ", byte by byte" : ""}`, async (t) => {
        const seen = lengths();
        const wire = await connect(t, hawser.port);
        if (cut)
          for (let i = 0; i < text.length && !wire.isOver; i += text.length > 1000 ? 997 : 1) {
            wire.write(text.slice(i, i + (text.length > 1000 ? 997 : 1)));
            await new Promise(setImmediate);
          }
        else wire.write(text);
        wire.write(SMUGGLED);
        const got = await wire.ended(1500);
        const statuses = [...got.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
        assert.deepEqual(statuses.length, got ? 1 : 0, got);
        for (const status of statuses) assert.ok(status >= 400 && status < 600, got);
        await sleep(5);
        // A body is passed on while it comes; then the request that it belongs to must stay without its end.
        for (const bytes of since(seen)) {
          assert.doesNotMatch(bytes, /smuggled/);
          assert.match(text, /^POST.*\r\n(.*\r\n)*Transfer-Encoding: chunked\r\n\r\n/, `reached the server: ${JSON.stringify(bytes)}`);
          assert.doesNotMatch(bytes, /\r\n0\r\n(.*\r\n)*\r\n$/, `as a whole request: ${JSON.stringify(bytes)}`);
        }
      });

  for (const [what, text] of Object.entries(CLEANED))
    test(`in strict form: ${what}`, async (t) => {
      const seen = lengths();
      const wire = await connect(t, hawser.port);
      wire.write(text);
      const first = await wire.takeResponse();
      if (first.status !== 200) {
        assert.ok(first.status >= 400 && first.status < 500, first.text);
        await wire.ended(1500);
        assert.deepEqual(since(seen), [], "refused, and yet passed on");
        return;
      }
      wire.write("GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      assert.equal((await wire.takeResponse()).status, 200);
      assert.equal(await wire.ended(1500), "");
      const requests = since(seen).flatMap(readStrictly);
      assert.equal(requests.length, 2, JSON.stringify(requests));
      assert.ok(requests.some(({ line }) => line.startsWith("GET /next ")));
      for (const { fields } of requests) assert.doesNotMatch(fields.join("\n"), /^X-Injected/im);
      if (/hello/.test(text)) assert.equal(requests[0].body, "hello");
    });

  test("a body is never the begin of the next request on a shared connection", async (t) => {
    const seen = lengths();
    const wires = await Promise.all([0, 1, 2, 3].map(() => connect(t, hawser.port)));
    for (let i = 0; i < 10; i++)
      await Promise.all(wires.map(async (wire, n) => {
        wire.write(n % 2 ? get("", `/n${n}`) : post(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED));
        assert.equal((await wire.takeResponse()).status, 200);
      }));
    const requests = since(seen).flatMap(readStrictly);
    assert.equal(requests.length, 40);
    for (const { line } of requests) assert.doesNotMatch(line, /smuggled/);
  });
});

/* What a broken or hostile server may answer. The client gets an error or an answer in strict form, never both readings. */
const ANSWERS = {
  "CL and TE": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
  "a negative length": "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
  "a length of 2^64 + 5": "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
  "an empty length": "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
  "an unknown TE": "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nhello",
  "TE twice": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "a bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
  "a chunk of 2^64 + 5": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
  "a NUL in a value": "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 5\r\n\r\nhello",
  "a bare CR in a value": "HTTP/1.1 200 OK\r\nX-A: a\rX-B: c\r\nContent-Length: 5\r\n\r\nhello",
  "a space before the colon": "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
  "an empty name": "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 5\r\n\r\nhello",
  "no status": "HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
  "a status of letters": "HTTP/1.1 abc OK\r\nContent-Length: 5\r\n\r\nhello",
  "a status of 99": "HTTP/1.1 99 OK\r\nContent-Length: 5\r\n\r\nhello",
  "no HTTP at all": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
  "a head without an end": `HTTP/1.1 200 OK\r\nX-A: ${long(200000)}`,
  "more behind its body": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
  "a body for a 204": "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
};

describe("answers", () => {
  for (const [what, text] of Object.entries(ANSWERS))
    test(`with ${what} come strictly or not at all`, async (t) => {
      let count = 0;
      const backend = await startRawBackend(t, async (wire) => {
        for (;;) {
          const { target } = await wire.takeRequest(60000);
          if (target === "/first" && count++ === 0) wire.write(text);
          else wire.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
          if (target === "/first" && what.endsWith("without an end")) wire.end();
        }
      });
      const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${backend.port}; proxy_read_timeout 2s; } } }`);
      const wire = await connect(t, hawser.port);
      wire.write("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => wire.isOver || wire.rest.includes("\r\n\r\n"), "an answer or an end");
      if (wire.isOver && !wire.rest) return; // not at all
      const head = await wire.takeHead();
      assert.ok(head.getAll("content-length").length + head.getAll("transfer-encoding").length <= 1, head.text);
      assert.doesNotMatch(head.text, /[\0\x01-\x08\x0b\x0c]|\r(?!\n)/);
      if (head.status !== 502) {
        const strict = head.getAll("transfer-encoding").length ? await wire.takeChunks(4000).catch(() => null) : null;
        if (head.get("content-length")) await wire.take(Number(head.get("content-length")), 4000);
        if (strict) assert.ok(strict.body === "hello" || strict.body === "", strict.body);
      } else await wire.take(Number(head.get("content-length") || 0));
      const other = await connect(t, hawser.port);
      other.write("GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      assert.equal((await other.takeResponse()).body, "second", "the next one's answer was poisoned");
      if (!wire.isOver && head.status !== 502) {
        wire.write("GET /third HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        const third = await wire.ended(4000);
        assert.doesNotMatch(third, /poison/);
      }
    });
});
