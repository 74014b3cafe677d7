"use strict";

const AGENTS = ["MSIE 5.0", "MSIE 4.01", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)", "MSIE 7.0", "MSIE 5", "MSIE 5.0 Opera",
  "Mac OS X Safari/7534.48.3", "Mac OS X Chrome/1 Safari/7534.48.3", "Linux Safari/1", "curl/8"];

module.exports = {
  name: "connections that are kept",
  files: { "index.html": "" },
  http: `
  server {
    listen LISTEN;
    root DIR;
    keepalive_timeout 1 9;
    location / { return 200 "x"; }
    location /safari { keepalive_disable safari; return 200 "x"; }
    location /both { keepalive_disable msie6 safari; return 200 "x"; }
    location /none { keepalive_disable none; return 200 "x"; }
    location /zero { keepalive_timeout 0; return 200 "x"; }
    location /two { keepalive_requests 2; return 200 "x"; }
  }`,
  cases: [
    ...["/", "/safari", "/both", "/none"].flatMap((get) => AGENTS.flatMap((agent) => ["GET", "POST"].map((method) => ({ name: `${method} ${get} ${agent}`, get, method, headers: [`User-Agent: ${agent}`] })))),
    { get: "/zero" },
    { name: "the second is the last", send: "GET /two HTTP/1.1\r\nHost: h\r\n\r\nGET /two HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { name: "HTTP/1.0", get: "/", version: "1.0" },
    { name: "HTTP/1.0 that asks for it", get: "/", version: "1.0", headers: ["Connection: keep-alive"] },
    { name: "a tab before close", get: "/", headers: ["Connection:\tclose"] },
    { name: "a tab before close in a list", get: "/", headers: ["Connection: x-foo,\tclose"] },
  ],
};
