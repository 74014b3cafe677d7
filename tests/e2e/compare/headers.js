"use strict";

const SPECIAL = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nETag: \"theirs\"\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\nCache-Control: private\r\nCache-Control: no-store\r\nExpires: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nok";
const BREAK = "A line break or a NUL in the value of a field that is added is a blank";
const CHUNKED = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
const EMPTY = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

module.exports = {
  name: "add_header, add_trailer and expires",
  files: { "a.txt": "text", "empty.txt": "", "sub/index.html": "sub" },
  http: `
  add_header X-Http http;
  server {
    listen LISTEN;
    root DIR;
    ALIKE;
    location / { }
    location /own { add_header X-A a; add_header X-A b; add_header X-B "$request_method $args"; add_header X-Empty ""; add_header X-None $arg_none; return 200 "x"; }
    location /own/inner { add_header X-C c; return 200 "x"; }
    location /always { add_header X-Always yes always; add_header X-Safe yes; return 404; }
    location /status/ {
      add_header X-Safe yes;
      location /status/201 { return 201 "x"; }
      location /status/202 { return 202 "x"; }
      location /status/204 { return 204; }
      location /status/301 { return 301 /x; }
      location /status/303 { return 303 /x; }
      location /status/307 { return 307 /x; }
      location /status/400 { return 400; }
      location /status/500 { return 500; }
    }
    location /file/ { alias DIR/; add_header ETag own; add_header Last-Modified "Wed, 15 Nov 2023 00:00:00 GMT"; add_header Cache-Control public; }
    location /file/none/ { alias DIR/; add_header ETag ""; add_header Last-Modified ""; add_header Cache-Control ""; }
    location /back { proxy_pass http://BACKEND; add_header ETag own; add_header Last-Modified "Wed, 15 Nov 2023 00:00:00 GMT"; add_header Cache-Control public; }
    location /back/none { proxy_pass http://BACKEND; add_header ETag ""; add_header Last-Modified ""; add_header Cache-Control ""; }
    location /back/plain { proxy_pass http://BACKEND; }
    location /error { error_page 404 /own; add_header X-Error e always; return 404; }
    location /epoch { alias DIR/; expires epoch; }
    location /max { alias DIR/; expires max; }
    location /off { alias DIR/; expires off; }
    location /modified { alias DIR/; expires modified 1h; }
    location /modified/minus { alias DIR/; expires modified -1h; }
    location /expires/404 { expires max; return 404; }
    location /expires/map { alias DIR/; expires $arg_e; }
    location /expires/back { proxy_pass http://BACKEND; expires epoch; }
    location /expires/back/max { proxy_pass http://BACKEND; expires max; add_header Cache-Control public; }
    location /expires/back/modified { proxy_pass http://BACKEND; expires modified 1d; }
    location /trailer { alias DIR/; add_trailer X-T "t $status"; add_trailer X-Empty ""; add_trailer X-U u always; }
    location /trailer/text { add_trailer X-T t; return 200 "text"; }
    location /trailer/none { add_trailer X-T t; return 200 ""; }
    location /trailer/404 { add_trailer X-T t; add_trailer X-U u always; return 404; }
    location /trailer/204 { add_trailer X-T t; return 204; }
    location /trailer/back { add_trailer X-T "t $upstream_status"; proxy_pass http://BACKEND; }
    location /trailer/unchunked { chunked_transfer_encoding off; add_trailer X-T t; proxy_pass http://BACKEND; }
    location /break/ { add_header X-Uri $uri; add_trailer X-T $uri; return 200 "x"; }
    location /break/back { proxy_pass http://BACKEND/; proxy_set_header X-Uri $uri; }
    location /unchunked { chunked_transfer_encoding off; proxy_pass http://BACKEND; }
  }`,
  cases: [
    ...["/a.txt", "/own?q", "/own/inner", "/always", "/file/a.txt", "/file/none/a.txt", "/error", "/sub", "/missing",
      ...[201, 202, 204, 301, 303, 307, 400, 500].map((status) => `/status/${status}`),
      "/epoch/a.txt", "/max/a.txt", "/off/a.txt", "/modified/a.txt", "/modified/minus/a.txt", "/expires/404", "/expires/map/a.txt?e=epoch", "/expires/map/a.txt?e=max",
      "/expires/map/a.txt?e=off", "/expires/map/a.txt?e=nonsense", "/expires/map/a.txt", "/trailer/a.txt", "/trailer/empty.txt", "/trailer/text", "/trailer/none", "/trailer/404", "/trailer/204",
    ].map((get) => ({ get })),
    ...["/back", "/back/none", "/back/plain", "/expires/back", "/expires/back/max", "/expires/back/modified"].map((get) => ({ get, answer: SPECIAL })),
    ...["/trailer/back", "/trailer/unchunked", "/unchunked"].flatMap((get) => [
      { name: `${get} of a chunked answer`, get, answer: CHUNKED },
      { name: `${get} of an answer with a length`, get },
      { name: `${get} of an empty answer`, get, answer: EMPTY },
      { name: `${get} to HTTP/1.0`, get, version: "1.0", headers: ["Connection: keep-alive"] },
    ]),
    { get: "/break/%0d%0aX-A:b", differs: BREAK, hawser: /X-Uri: \/break\/ {2}X-A:b"/ },
    { get: "/break/back%0d%0aX-A:b", differs: BREAK, hawser: /\/break\/back {2}X-A:b/ },
    { name: "HEAD with trailers", get: "/trailer/a.txt", method: "HEAD" },
    { name: "a file with trailers to HTTP/1.0", get: "/trailer/a.txt", version: "1.0", headers: ["Connection: keep-alive"] },
    { name: "304 with added fields", get: "/file/a.txt", headers: ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT"] },
    { name: "a range with trailers", get: "/trailer/a.txt", headers: ["Range: bytes=1-2"] },
    { name: "a range with expires", get: "/max/a.txt", headers: ["Range: bytes=1-2"] },
    { name: "a range that cannot be", get: "/max/a.txt", headers: ["Range: bytes=10-"] },
  ],
};
