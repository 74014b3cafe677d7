"use strict";

const TAG = '"t1"';
const DATE = "Wed, 15 Nov 2023 00:00:00 GMT";
const whole = (lines = [`ETag: ${TAG}`, `Last-Modified: ${DATE}`, "Accept-Ranges: none"], body = "0123456789") =>
  `HTTP/1.1 200 Fine\r\n${lines.map((line) => `${line}\r\n`).join("")}Content-Length: ${body.length}\r\n\r\n${body}`;
const range = (value, ...more) => ({ get: "/a", headers: [`Range: ${value}`, ...more], name: [value, ...more].join(", ") });

module.exports = {
  name: "proxy_force_ranges",
  http: `proxy_http_version 1.1; proxy_set_header Connection "";
  server {
    listen LISTEN;
    proxy_force_ranges on; add_header X-Status $status;
    location / { proxy_pass http://BACKEND; }
    location /off/ { proxy_pass http://BACKEND; proxy_force_ranges off; }
    location /none/ { proxy_pass http://BACKEND; max_ranges 0; }
    location /trailer/ { proxy_pass http://BACKEND; add_trailer X-T t; }
    location /page/ { proxy_pass http://BACKEND; error_page 416 =200 /beyond; }
    location /beyond { return 200 "nothing there"; }
  }`,
  answer: () => whole(),
  cases: [
    { get: "/a", name: "no range" },
    ...["bytes=0-0", "bytes=2-5", "bytes=5-", "bytes=-3", "bytes=-30", "bytes=0-99", "bytes=0-9", "bytes=1-2,4-5", "bytes=x", "other=1-2", "BYTES=1-2"].map((value) => range(value)),
    { ...range("bytes=4-5"), method: "HEAD", name: "HEAD" },
    range("bytes=1-2", `If-Range: ${TAG}`),
    range("bytes=1-2", 'If-Range: "t2"'),
    range("bytes=1-2", `If-Range: ${DATE}`),
    range("bytes=1-2", "If-Range: Wed, 15 Nov 2023 00:00:01 GMT"),
    { ...range("bytes=1-2", `If-Range: ${TAG}`), name: "If-Range without a tag", answer: whole([]) },
    { ...range("bytes=1-2"), name: "of a long answer", answer: whole([], "x".repeat(100000)) },
    { ...range("bytes=70000-70002"), name: "far in a long answer", answer: whole([], "y".repeat(70001) + "z".repeat(30000)) },
    { ...range("bytes=1-2"), name: "of an answer in chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" },
    { ...range("bytes=1-2"), name: "of a 201", answer: "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc" },
    { ...range("bytes=1-2"), name: "of the server's own 206", answer: "HTTP/1.1 206 Partial\r\nContent-Range: bytes 1-2/9\r\nContent-Length: 2\r\n\r\nab" },
    { ...range("bytes=20-30"), name: "beyond the end", answer: whole([]) },
    { ...range("bytes=20-30"), get: "/page/a", name: "beyond the end, with a page", differs: "The page that stands in for a 416 is sent whole" },
    ...["/off/a", "/none/a", "/trailer/a"].map((get) => ({ ...range("bytes=1-2"), get, name: get })),
  ],
};
