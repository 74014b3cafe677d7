"use strict";

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
  }`,
  cases: [
    { get: "/a", differs: VERSION, hawser: /GET \/a HTTP\/1.1/ },
    { get: "/nodes/a", differs: VERSION, hawser: /GET \/nodes\/a HTTP\/1.1/ },
    { get: "/files/" },
    { get: "/files/index.html" },
    { get: "/files/missing" },
  ],
};
