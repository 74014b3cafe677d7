"use strict";

const SYNTAX = "A header's name is a token";
const odd = ["X_A: b", "_a: b", "X.A: b", "a~b: c", "A!: b", "A-B-: c", "a$b: c", "Content_Length: 5", "Transfer_Encoding: chunked", "9: b", "-: b"];
const invalid = ["X(A): b", 'X"A: b', "X<A>: b", "X/A: b", "X@A: b", "X\xe9: b", "X{A: b"];
const broken = [": b", " x: b", "X\x02: b", "X A: b", "X : b", "\tx: b", "X\x7f: b"];
const many = (count) => Array.from({ length: count }, (_, i) => `X-${i}: ${i}`);
const site = (name, lines) => `server { listen LISTEN; server_name ${name}; ${lines}
    location / { return 200 "$uri $http_x_a|$http__a|$http_content_length|$http_a_b"; }
    location /seen/ { proxy_pass http://BACKEND; } }`;

/* What a server says of heads is read from the default server: each set of lines is a theme of its own. */
const theme = (name, lines, cases) => ({
  name: `what is accepted: ${name}`,
  http: `default_type text/plain; ALIKE;\n  ${site("h", lines)}`,
  cases,
});

const fields = (differs) => [
  ...odd.map((line) => ({ name: line, get: "/seen/", headers: [line, "X-End: 1"] })),
  ...odd.map((line) => ({ name: `$ of ${line}`, get: "/", headers: [line, "X-End: 1"] })),
  ...invalid.map((line) => ({ name: line, get: "/seen/", headers: [line, "X-End: 1"], differs, hawser: /400 Bad/ })),
  ...broken.map((line) => ({ name: JSON.stringify(line), get: "/seen/", headers: [line, "X-End: 1"] })),
];
const paths = ["/a//b", "//", "///a", "/a/../b", "/a//../b", "/a/.//b", "/a//", "//..//a", "/seen//a", "/%2f/a"].map((get) => ({ get }));

module.exports = [
  theme("as usual", "", [...fields(SYNTAX), ...paths, { name: "100 header lines", get: "/", headers: many(100) },
    { name: "200 header lines", get: "/", headers: many(200), differs: "No head has more than 128 header lines", hawser: /400 Bad/ }]),
  theme("underscores", "underscores_in_headers on;", fields(SYNTAX)),
  theme("what is invalid", "ignore_invalid_headers off;", fields(SYNTAX)),
  theme("slashes", "merge_slashes off;", paths),
  theme("small buffers", "client_header_buffer_size 128; large_client_header_buffers 2 512;", [
    { name: "a short line", get: `/${"a".repeat(100)}` },
    { name: "a long line", get: `/${"a".repeat(450)}` },
    { name: "a line that is too long", get: `/${"a".repeat(600)}` },
    { name: "a long header line", get: "/", headers: [`X-A: ${"b".repeat(450)}`] },
    { name: "a header line that is too long", get: "/", headers: [`X-B: ${"b".repeat(600)}`] },
  ]),
];
