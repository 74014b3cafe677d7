"use strict";

module.exports = {
  name: "stub_status",
  http: `
  server {
    listen LISTEN;
    location /status { stub_status; add_header X-Counts "$connections_active $connections_reading $connections_writing $connections_waiting"; }
    location /old { stub_status on; }
    location /text { return 200 "$connections_active"; }
  }`,
  cases: [
    { get: "/status" },
    { get: "/status" },
    { get: "/old" },
    { get: "/text" },
    { name: "HEAD", get: "/status", method: "HEAD" },
    { name: "POST", get: "/status", method: "POST" },
    { name: "two requests on one connection", send: "GET /status HTTP/1.1\r\nHost: h\r\n\r\nGET /status HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { name: "behind it", get: "/status" },
  ],
};
