"use strict";

const KEPT = "Connections to servers are kept by default (`keepalive 128`), also to those that `proxy_pass` names directly";
const VERSION = "A backend is spoken to in HTTP/1.1 and its connection kept";

module.exports = {
  name: "nothing but what is the default",
  files: { "index.html": "<h1>" },
  http: `
  upstream nodes { server BACKEND; }
  server {
    listen LISTEN;
    location / { proxy_pass http://BACKEND; }
    location /nodes/ { proxy_pass http://nodes; }
    location /files/ { alias DIR/; }
    location /kept/ { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://ADDRESS:PORT/number; }
    location /number { return 200 $connection_requests; }
  }`,
  cases: [
    { get: "/a", differs: VERSION, hawser: /GET \/a HTTP\/1.1/ },
    { get: "/nodes/a", differs: VERSION, hawser: /GET \/nodes\/a HTTP\/1.1/ },
    { name: "a direct server's first request", get: "/kept/" },
    { name: "its second", get: "/kept/", differs: KEPT, hawser: /"body":"2"/ },
    { get: "/files/" },
    { get: "/files/index.html" },
    { get: "/files/missing" },
  ],
};
