"use strict";

/* Codes that no answer should have are sent as they are said. */
module.exports = {
  name: "return below 200",
  http: `log_format codes "$status $body_bytes_sent"; access_log off;
  server {
    listen LISTEN;
    add_header X-Any a; add_header X-Always b always;
    ${["0", "1", "99", "100", "101", "199"].map((code) => `location /bare/${code}/ { return ${code}; } location /text/${code}/ { return ${code} text; }`).join("\n")}
  }`,
  cases: ["0", "1", "99", "100", "101", "199"].flatMap((code) => [`/bare/${code}/`, `/text/${code}/`]).map((get) => ({ get, ...(get.includes("101") && { differs: "A `return 101` does not say that it upgrades" }), send: `GET ${get} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n` })),
};
