"use strict";

const REFUSED = "Of a request that is refused while its head is read, logs know the first line alone";

const answer = (body, lines = []) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}Content-Length: ${body.length}\r\n\r\n${body}`;

const NAMES = `remote_addr remote_user request status body_bytes_sent bytes_sent http_referer http_user_agent request_length
  request_method request_uri uri args server_protocol server_name host scheme connection_requests
  pipe request_completion content_length content_type sent_http_content_type sent_http_content_length sent_http_location sent_http_x_a upstream_addr
  upstream_status upstream_response_length upstream_bytes_sent upstream_bytes_received upstream_http_x_a upstream_cookie_c proxy_host proxy_port proxy_add_x_forwarded_for
  http_x_a arg_a cookie_c is_args document_root request_filename  sent_http_transfer_encoding
  binary_remote_addr`.split(/\s+/);

module.exports = {
  NAMES,
  name: "what is logged",
  logs: true,
  files: { "a.txt": "letters", "page.html": "sorry $status" },
  http: `
  log_format all '${NAMES.map((name) => `${name}=$${name}`).join("|")}';
  access_log OWN/access.log all;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  root DIR;
  server {
    listen LISTEN;
    server_name one.test *.two.test;
    location / { proxy_pass http://BACKEND; }
    location /replaced/ { proxy_pass http://BACKEND/other/; add_header X-A added; }
    location /own { return 200 "own text"; }
    location /moved { return 301 /elsewhere; }
    location /gone { return 410; }
    location /silent { return 444; }
    location /file/ { alias DIR/; }
    location /small { client_max_body_size 3; proxy_pass http://BACKEND; }
    location /nobody/ { proxy_pass http://127.0.0.1:1; }
    location /page/ { error_page 502 404 /page.html; proxy_pass http://127.0.0.1:1; }
    location /if/ { access_log OWN/access.log all if=$arg_log; return 200 "if"; }
    location /escaped/ { return 200 "escaped"; }
    location /combined { access_log OWN/access.log; return 200 "combined"; }
  }`,
  cases: [
    { get: "/a?a=1&b", headers: ["X-A: x", "Cookie: c=d; e=f", "Referer: http://r/", "User-Agent: agent/1"] },
    { name: "an answer with headers", get: "/a", answer: answer("hello", ["X-A: theirs", "Set-Cookie: c=1; path=/", "Content-Type: text/x"]) },
    { name: "an answer in chunks", get: "/a", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    { name: "an answer that ends by close", get: "/a", answer: "HTTP/1.1 200 OK\r\n\r\nhello" },
    { name: "a 404 of the backend", get: "/a", answer: "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone" },
    { get: "/replaced/x?y" }, { get: "/own" }, { get: "/moved" }, { get: "/gone" }, { get: "/file/a.txt" }, { get: "/file/missing" }, { get: "/nobody/x" }, { get: "/page/x" },
    { name: "a range", get: "/file/a.txt", headers: ["Range: bytes=0-1"] },
    { name: "not modified", get: "/file/a.txt", headers: ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT"] },
    { name: "HEAD", get: "/own", method: "HEAD" },
    { name: "POST", get: "/a", method: "POST", body: "hello", headers: ["Content-Type: text/y"] },
    { name: "POST too large", get: "/small", method: "POST", body: "hello" },
    { name: "HTTP/1.0", get: "/own", version: "1.0", host: null },
    { name: "another name", get: "/own", host: "X.two.test:80" },
    { name: "two in a row", send: "GET /own HTTP/1.1\r\nHost: h\r\n\r\nGET /gone HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", answers: ["GET", "GET"] },
    { name: "no answer", get: "/silent", answers: [], lines: 1 },
    { name: "an empty query", get: "/own?" },
    { name: "an empty field", get: "/a", headers: ["Referer:"], differs: "A variable that is empty is `-` in a log" },
    { name: "logged by a condition", get: "/if/?log=1" },
    ...["/if/", "/if/?log=0", "/if/?log="].map((get) => ({ get, lines: 0 })),
    { name: "signs", get: '/escaped/%22%01?"\\', headers: ['User-Agent: "quoted" \\ \t\x80\xff', "Referer: é"] },
    { name: "authorization", get: "/own", headers: ["Authorization: Basic dXNlcjpwYXNz"] },
    { name: "authorization of another kind", get: "/own", headers: ["Authorization: Bearer x"] },
    { name: "a request that is none", send: "nonsense\r\n\r\n", differs: REFUSED, hawser: /request=nonsense/ },
    { name: "a Host that is none", send: "GET /own HTTP/1.1\r\nHost: a/b\r\n\r\n", differs: REFUSED },
    { name: "no Host", send: "GET /own HTTP/1.1\r\nX-A: y\r\n\r\n", differs: REFUSED },
    { name: "a target too long", get: `/${"x".repeat(9000)}`, differs: REFUSED },
    { name: "a header too long", get: "/own", headers: [`X-B: ${"x".repeat(9000)}`], differs: REFUSED },
    { name: "X-Forwarded-For", get: "/a", headers: ["X-Forwarded-For: 1.1.1.1"] },
  ],
};
