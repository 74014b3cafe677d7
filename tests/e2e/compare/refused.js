"use strict";

const DROPPED = "A body that was dropped is none";
const LONG = "a".repeat(9000);

module.exports = {
  name: "error pages of requests that could not be read",
  files: { "bad.html": "BAD" },
  http: `
  large_client_header_buffers 4 8k;
  server {
    listen LISTEN;
    root DIR;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    error_page 400 405 /bad.html;
    error_page 414 = /long;
    error_page 494 =431 /head;
    error_page 413 @large;
    client_max_body_size 4;
    location / { return 200 "x"; }
    location = /bad.html { add_header X-Uri "$uri $request_method $status" always; }
    location /long { return 200 "long $uri $request_method $args"; }
    location /head { return 200 "head"; }
    location @large { proxy_pass http://BACKEND; proxy_set_header Host h; proxy_set_header Connection ""; }
    location /pass { proxy_pass http://BACKEND; proxy_set_header Host h; proxy_set_header Connection ""; }
    location /told { error_page 413 /told/page; client_max_body_size 4; proxy_pass http://BACKEND; }
    location /told/page { return 200 "length=$content_length body=$request_body"; }
    location /pass/page { error_page 413 /pass; proxy_pass http://BACKEND; proxy_set_header Host h; proxy_set_header Connection ""; client_max_body_size 4; }
  }`,
  cases: [
    { name: "no host", send: "GET / HTTP/1.1\r\n\r\n" },
    { name: "a bad header", send: "GET / HTTP/1.1\r\nHost: h\r\nA\x00: b\r\n\r\n" },
    { name: "HEAD without host", send: "HEAD / HTTP/1.1\r\n\r\n" },
    { name: "nonsense", send: "\x01\x02\r\n\r\n", answers: ["GET"] },
    { name: "a path that leaves the root", get: "/../x" },
    { name: "a long line", get: `/${LONG}` },
    { name: "a long header", get: "/", headers: [`A: ${LONG}`] },
    { name: "a large body", get: "/pass", method: "POST", body: "12345", differs: DROPPED },
    { name: "a large body, asked for with GET", get: "/pass/page", method: "POST", body: "12345", differs: DROPPED },
    { name: "a large body, and what is known of it", get: "/told", method: "POST", body: "12345", differs: DROPPED, hawser: /length= body=/ },
    { name: "large chunks, and what is known of them", send: `POST /told HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`, differs: DROPPED, hawser: /length= body=/ },
    { name: "two lengths", send: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab" },
  ],
};
