"use strict";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO", "PROPFIND"];

module.exports = {
  name: "limit_except",
  files: { "a.txt": "text", "get/a.txt": "text", "own/a.txt": "text", "rewrite/a.txt": "text", "try/a.txt": "text" },
  http: `
  server {
    listen LISTEN;
    root DIR;
    ALIKE;
    location /get { limit_except GET { deny all; } add_header X-Of outer; }
    location /head { limit_except head { deny all; } return 200 "x"; }
    location /several { limit_except PUT delete PATCH { deny all; } proxy_pass http://BACKEND; }
    location /own { limit_except GET { proxy_pass http://BACKEND; } }
    location /allowed { limit_except GET { allow all; } proxy_pass http://BACKEND; }
    location /rewrite { limit_except GET { allow all; } return 200 "rewritten"; }
    location /try { limit_except GET { allow all; } try_files /nothing =410; }
    location /page { error_page 403 =200 /shown; limit_except GET { deny all; } }
    location /shown { return 200 "shown $request_method"; }
    location /outer { limit_except GET { deny all; } location /outer/inner { return 200 "inner"; } }
  }`,
  cases: ["/get/a.txt", "/head", "/several", "/own/a.txt", "/allowed", "/rewrite/a.txt", "/try/a.txt", "/page", "/outer", "/outer/inner"].flatMap((get) =>
    METHODS.filter((method) => method !== "TRACE" || get === "/get/a.txt").map((method) => ({ name: `${method} ${get}`, get, method })),
  ),
};
