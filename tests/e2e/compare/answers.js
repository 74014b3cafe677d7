"use strict";

const STATUSES = [200, 201, 202, 203, 204, 205, 206, 207, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 399, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418,
  421, 422, 423, 425, 426, 428, 429, 431, 451, 494, 495, 496, 497, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 511, 599];

const NOT_MODIFIED = "A 304 says nothing of a content that it does not have";
const CONDITIONS = "A text of `return` is sent without a look at conditions";
const VERSIONS = "HTTP/1.0 and HTTP/1.1 are spoken";
const LINES = "A header line has a colon";

const about = (status) =>
  status === 304 ? { differs: NOT_MODIFIED } : status === 408 || status === 499 ? { answers: [] } : {};

module.exports = {
  name: "answers of one's own",
  http: `
  server {
    listen LISTEN;
    server_name own.test;
    ${STATUSES.map((status) => `location = /bare/${status} { return ${status}; } location = /text/${status} { return ${status} "text of ${status}"; }`).join("\n    ")}
    location /to { return http://elsewhere.test/x; }
    location /secure { return https://$host$request_uri; }
    location /scheme { return $scheme://elsewhere/; }
    location /moved { return 301 /there?$args; }
    location /relative { return 302 there; }
    location /empty { return 200 ""; }
    location /variables { return 200 "$request_method|$uri|$args|$is_args|$query_string|$request_uri|$document_uri|$scheme|$server_protocol|$server_port|$remote_addr|$http_x_a|$arg_a|$arg_B|$cookie_c|$content_type|$content_length|$request"; }
    location /header { add_header X-A "$arg_a b"; add_header X-B c always; add_header X-Empty ""; return 200 x; }
    location /header-error { add_header X-A a; add_header X-B b always; return 403; }
    location /type { default_type application/json; return 200 "{}"; }
    location /long { return 200 "0123456789012345678901234567890123456789"; }
    location /page.html { return 200 "<p>"; }
    location /image.gif { return 200 "GIF"; }
    location /image.jpg { return 200 "JPG"; }
    location /other.bin { return 200 "BIN"; }
    location /token { server_tokens off; return 404; }
    location /quote { return 200 'a "b" \\'c\\' \\\\ \\t.'; }
    location /dollar { return 200 "\${args}x$args-$request_method"; }
    location /little { client_max_body_size 10; return 200 "little"; }
    location /post { return 200 "method $request_method"; }
  }`,
  cases: [
    ...STATUSES.flatMap((status) => [{ get: `/bare/${status}`, ...about(status) }, { get: `/text/${status}`, ...(status === 304 && about(304)) }]),
    ...["/to", "/secure?a=b", "/scheme", "/moved?x=y%20z", "/relative", "/header?a=1", "/header-error", "/type", "/other.bin", "/token", "/quote", "/dollar?y"].map((get) => ({ get })),
    ...["/empty", "/page.html", "/image.gif", "/image.jpg"].map((get) => ({ get })),
    { get: "/variables/x%20y?a=1&b=2&A=3", headers: ["X-A: one", "Cookie: a=b; c=d; e", "X-A: two"], differs: "A header that came several times is one list in its variable", hawser: /one, two/ },
    { name: "variables of a POST", get: "/variables", method: "POST", headers: ["Content-Type: text/x"], body: "abc" },
    { name: "variables of HTTP/1.0", get: "/variables?", version: "1.0" },
    ...["/bare/404", "/text/200", "/moved", "/bare/204", "/long"].map((get) => ({ name: `HEAD ${get}`, get, method: "HEAD" })),
    ...["/bare/404", "/text/200", "/moved", "/bare/204"].map((get) => ({ name: `HTTP/1.0 ${get}`, get, version: "1.0" })),
    ...["/bare/404", "/text/200", "/moved", "/bare/400", "/bare/413", "/bare/500"].map((get) => ({ name: `kept or not ${get}`, get, version: "1.0", headers: ["Connection: keep-alive"] })),
    { name: "POST whose body nobody reads", get: "/post", method: "POST", body: "hello" },
    { name: "POST in chunks whose body nobody reads", send: "POST /post HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /long HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["POST", "GET"] },
    { name: "chunks that are none, which nobody reads", send: "POST /post HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n" },
    { name: "chunks that are too many, which nobody reads", send: `POST /little HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${"5\r\nhello\r\n".repeat(3)}0\r\n\r\n`, differs: "A chunked body that nobody reads is a 413", hawser: /413/ },
    { name: "three in a row", send: "GET /long HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3), answers: ["GET", "GET", "GET"] },
    { name: "a row that is broken off by close", send: "GET /long HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /long HTTP/1.1\r\nHost: h\r\n\r\n" },
    { name: "Range of a text", get: "/long", headers: ["Range: bytes=1-3"] },
    { name: "Range of no text", get: "/bare/404", headers: ["Range: bytes=1-3"] },
    { name: "If-Modified-Since of a text", get: "/long", headers: ["If-Modified-Since: Thu, 01 Jan 2037 00:00:00 GMT"] },
    ...["If-None-Match: *", 'If-Match: "a"', "If-Unmodified-Since: Thu, 01 Jan 2037 00:00:00 GMT"].map((line) => ({ name: `${line} of a text`, get: "/long", headers: [line], differs: CONDITIONS })),
    ...['If-None-Match: "a"', "If-Match: *", "If-Range: x"].map((line) => ({ name: `${line} of a text`, get: "/long", headers: [line] })),
    { name: "TRACE", get: "/long", method: "TRACE" },
    { name: "PUT", get: "/post", method: "PUT", body: "x" },
    { name: "a method of one's own", get: "/post", method: "FROB" },
    { name: "a method in small letters", send: "get /post HTTP/1.1\r\nHost: h\r\n\r\n", differs: "A method is any token", hawser: /method get/ },
    { name: "HTTP/1.2", get: "/post", version: "1.2", differs: VERSIONS, hawser: /505/ },
    { name: "HTTP/2.0", get: "/post", version: "2.0" },
    { name: "HTTP/0.9 in words", get: "/post", version: "0.9", differs: VERSIONS, hawser: /505/ },
    { name: "no version", send: "GET /post\r\n", answers: [], differs: VERSIONS, hawser: /400 Bad/ },
    { name: "nonsense", send: "nonsense\r\n\r\n" },
    { name: "a request target of 9000 letters", get: `/${"x".repeat(9000)}` },
    { name: "a header of 9000 letters", get: "/post", headers: [`X-A: ${"x".repeat(9000)}`] },
    { name: "a header of 7000 letters", get: "/empty", headers: [`X-A: ${"x".repeat(7000)}`] },
    { name: "five headers of 7000 letters", get: "/empty", headers: [1, 2, 3, 4, 5].map((i) => `X-${i}: ${"x".repeat(7000)}`) },
    { name: "a header without a colon", get: "/post", headers: ["X-A"], differs: LINES, hawser: /400 Bad/ },
    { name: "a name with an underscore", get: "/variables", headers: ["X_A: b"] },
    { name: "Expect of nobody knows what", get: "/post", headers: ["Expect: something"] },
    { name: "a length that is no number", get: "/post", method: "POST", headers: ["Content-Length: x"] },
    { name: "two lengths", get: "/post", method: "POST", headers: ["Content-Length: 1", "Content-Length: 1"] },
    { name: "a length and chunks", get: "/post", method: "POST", headers: ["Content-Length: 1", "Transfer-Encoding: chunked"] },
    { name: "a coding nobody knows", get: "/post", method: "POST", headers: ["Transfer-Encoding: gzip"] },
    { name: "a body over 1m", get: "/post", method: "POST", headers: ["Content-Length: 1048577"] },
  ],
};
