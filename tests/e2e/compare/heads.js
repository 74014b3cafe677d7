"use strict";

const CONTROLS = "A header's value has no control characters";
const BOTH = "A length beside a coding is a 400 whatever the coding";
const TOKEN = "A header's name is a token";

const two = (name, headers) => ["/a"].map((get) => ({ name, get, headers }));

module.exports = {
  name: "heads as one server takes them",
  http: `
  merge_slashes off;
  underscores_in_headers on;
  large_client_header_buffers 4 1k;
  proxy_http_version 1.1;
  server {
    listen LISTEN;
    location / { return 200 "$uri|$http_x_a|$http_x_b"; }
    location //two { return 200 "two slashes $uri"; }
    location /a { proxy_pass http://BACKEND; proxy_set_header Connection ""; }
    location /all/ { proxy_pass http://BACKEND/; proxy_set_header Connection ""; }
  }`,
  cases: [
    ...["/", "//", "/x//y///z", "//two/x", "/x//../y", "/x/..//y", "/x//./y/", "//../x", "/x//..", "/x///../..//y", "/all//b//c", "/a//b/../c"].map((get) => ({ get })),
    ...two("underscores", ["X_A: 1", "_X: 2", "X_: 3"]),
    ...two("names that are odd", ["X.A: 1", "X~: 2", "X!Y: 3", "X-Good: 4", "X*: 5"]),
    ...two("digits and dashes", ["1: 1", "-: 2", "X--Y: 3", "x-1-y: 4"]),
    { name: "both forms in one variable", get: "/", headers: ["X_A: under", "X-B: dash", "X_B: under"], differs: "A header that came several times is one list in its variable" },
    ...["X/A: 1", "X(A): 1", "X\x80: 1"].map((line) => ({ name: JSON.stringify(line), get: "/a", headers: [line], differs: TOKEN, hawser: /400 Bad/ })),
    ...["X A: 1", "X\tA: 1", ": 1", " X: 1", "X\x01: 1", "X\x7f: 1"].map((line) => ({ name: JSON.stringify(line), get: "/a", headers: [line] })),
    ...["Authorization", "Content-Range", "Expect", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since"].map((name) => ({
      name: `${name} twice`, get: "/a", headers: [`${name}: a`, `${name}: b`] })),
    ...["a\x01b", "a\x7fb", "\x0b"].map((value) => ({ name: `a value ${JSON.stringify(value)}`, get: "/a", headers: [`X-A: ${value}`], differs: CONTROLS, hawser: /400 Bad/ })),
    ...["a\x00b", "a\rb"].map((value) => ({ name: `a value ${JSON.stringify(value)}`, get: "/a", headers: [`X-A: ${value}`] })),
    { name: "a value of letters beyond ASCII", get: "/a", headers: ["X-A: \xe9\xff\x80"] },
    { name: "a coding nobody knows, and a length", get: "/a", method: "POST", headers: ["Transfer-Encoding: identity", "Content-Length: 5"], differs: BOTH, hawser: /400 Bad/ },
    ...["Host", "Content-Length"].map((name) => ({ name: `${name} twice`, get: "/a", headers: [`${name}: 1`, `${name}: 1`] })),
    ...["User-Agent", "Referer", "Accept", "Content-Type", "Cookie"].map((name) => ({ name: `${name} twice`, get: "/a", headers: [`${name}: 1`, `${name}: 2`] })),
    { name: "codings in two lines", get: "/a", method: "POST", headers: ["Transfer-Encoding: a", "Transfer-Encoding: b"] },
    { name: "a line that fits", get: "/", headers: [`X-A: ${"x".repeat(900)}`] },
    { name: "a line that does not fit", get: "/", headers: [`X-A: ${"x".repeat(1100)}`] },
    { name: "a target that does not fit", get: `/${"x".repeat(1100)}` },
    { name: "lines that fit together", get: "/", headers: ["a", "b"].map((letter) => `X-${letter}: ${"x".repeat(900)}`) },
  ],
};
