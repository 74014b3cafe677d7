"use strict";

const { NAMES } = require("./logs.js");

const SWITCH = ["HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "X-A: theirs", "Set-Cookie: c=1; path=/", "", ""].join("\r\n");
const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];

/* Says the 101 and some bytes, and ends when the client has. */
const says = (first, then = "") => async (request, wire) => {
  wire.write(first);
  await wire.takeTo("bye");
  wire.write(then);
  await wire.ended();
};
const tunnel = (get, headers = [], more = {}) => ({ name: `a tunnel, ${get} ${headers.join(", ").slice(0, 40)}`, send: `${[`GET ${get} HTTP/1.1`, "Host: h", ...UPGRADE, ...headers].join("\r\n")}\r\n\r\nbytes and bye`, answers: ["GET"], answer: says(SWITCH, "answer"), tail: 6, ...more });
const spread = "x".repeat(3000);

module.exports = {
  name: "what is logged of tunnels",
  logs: "alone", // heads of a 101 differ, and so does what they add to $bytes_sent
  http: `
  log_format all '${NAMES.filter((name) => name !== "bytes_sent").map((name) => `${name}=$${name}`).join("|")}';
  log_format own '$remote_addr - $remote_user "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $mine';
  log_format short "$uri $status $body_bytes_sent";
  log_format quoted escape=json '{"agent":"$http_user_agent","none":"$http_none","sent":$body_bytes_sent,"late":"$late"}';
  log_format bare escape=none "$http_user_agent|$http_none|$body_bytes_sent";
  map $body_bytes_sent $late { ~^.$ one; default other; }
  map $upstream_bytes_received $is_long { ~^.... 1; default 0; }
  map $status $is_tunnel { 101 1; default 0; }
  map $time_local$msec $has_time { "~^\\d\\d/[A-Z][a-z][a-z]/\\d{4}:\\d\\d:\\d\\d:\\d\\d [-+]\\d{4}\\d{10}\\.\\d{3}$" yes; default no; }
  map $request_time-$upstream_response_time $has_spent { "~^\\d\\.\\d{3}-\\d\\.\\d{3}$" yes; default no; }
  log_format times "$has_time $has_spent $late $body_bytes_sent";
  access_log OWN/access.log all;
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  root DIR;
  server {
    listen LISTEN;
    server_name one.test;
    set $mine "$uri and $args";
    location / { proxy_pass http://BACKEND; }
    location /combined { access_log OWN/access.log own; proxy_pass http://BACKEND; }
    location /two { access_log OWN/access.log all; access_log OWN/access.log short; proxy_pass http://BACKEND; }
    location /escaped { access_log OWN/access.log quoted; access_log OWN/access.log bare; proxy_pass http://BACKEND; }
    location /if/ { access_log OWN/access.log short if=$arg_log; access_log OWN/access.log quoted if=$is_tunnel; proxy_pass http://BACKEND; }
    location /late { access_log OWN/access.log short if=$is_long; access_log OWN/access.log times; proxy_pass http://BACKEND; }
    location /named { root OWN; access_log OWN/access$arg_none.log short; proxy_pass http://BACKEND; }
  }`,
  cases: [
    tunnel("/a?a=1&b", ["X-A: x", "Cookie: c=d; e=f", "Referer: http://r/", "User-Agent: agent/1", "Authorization: Basic dXNlcjpwYXNz"]),
    tunnel("/a", [], { name: "a tunnel whose server speaks at once", answer: says(`${SWITCH}first`, "then"), tail: 9 }),
    tunnel("/combined", ["User-Agent: agent/1"]),
    tunnel("/two", ["X-A: y"], { lines: 2 }),
    tunnel("/escaped", ['User-Agent: "quoted" \\ \t\x80\xff'], { lines: 2 }),
    tunnel("/if/?log=1", [], { lines: 2 }),
    ...["/if/", "/if/?log=0"].map((get) => tunnel(get)),
    tunnel("/late", [], { name: "a condition that only its end decides, and it does not hold" }),
    tunnel("/late", [], { name: "a condition that only its end decides, and it holds", lines: 2, answer: says(SWITCH, spread), tail: spread.length }),
    tunnel("/named"),
    { name: "an upgrade that is refused", send: `GET /a HTTP/1.1\r\nHost: h\r\n${UPGRADE.join("\r\n")}\r\n\r\n`, answers: ["GET"], answer: "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno" },
  ],
};
