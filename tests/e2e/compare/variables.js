"use strict";

const ask = (get, name, headers = [], more = {}) => ({ name: `${name} of ${get}${headers.length ? ` with ${headers.join(", ").slice(0, 60)}` : ""}`, get: `/${name}${get}`, headers, ...more });
const all = (name, ...targets) => targets.map((get) => ask(get, name));

const LINES = {
  args: "$args|$query_string|$is_args|$arg_a|$arg_b_c|$arg_D",
  path: "$uri|$document_uri|$request_uri|$request|$request_method|$server_protocol",
  host: "$host|$http_host|$server_name|$scheme|$https",
  fields: "$http_x_one|$http_x_two|$content_type|$content_length|$http_user_agent|$http_referer|$http_cookie|$http_via|$http_x_forwarded_for",
  cookie: "$cookie_a|$cookie_b_c|$cookie_session",
  where: "$remote_addr|$server_addr|$server_port|$document_root|$request_filename",
  real: "$realpath_root",
  numbers: "$connection_requests|$pipe|$request_length|$proxy_protocol_addr|$bytes_sent|$body_bytes_sent|$request_completion|$status",
  forwarded: "$proxy_add_x_forwarded_for",
};

module.exports = {
  name: "variables",
  files: { "site/index.html": "index" },
  http: `
  default_type text/plain;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host h;
  map $tcpinfo_rtt $has_rtt { ~^[1-9] yes; default no; }
  map $tcpinfo_snd_cwnd$tcpinfo_rcv_space$tcpinfo_rttvar $has_info { ~^[0-9]+$ yes; default no; }
  map $connection_time $has_time { ~^\\d+\\.\\d\\d\\d$ yes; default no; }
  map $time_local $has_local { "~^\\d\\d/[A-Z][a-z][a-z]/\\d{4}:\\d\\d:\\d\\d:\\d\\d [-+]\\d{4}$" yes; default no; }
  map $time_iso8601 $has_iso { "~^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[-+]\\d\\d:\\d\\d$" yes; default no; }
  map $msec $has_msec { "~^\\d{10}\\.\\d{3}$" yes; default no; }
  map $request_id $has_id { "~^[0-9a-f]{32}$" yes; default no; }
  map $pid$connection $has_numbers { ~^\\d+$ yes; default no; }
  server {
    listen LISTEN;
    server_name first.example second.example;
    root DIR/site;
    ${Object.entries(LINES).map(([name, line]) => `location /${name} { return 200 "${line}"; }`).join("\n    ")}
    location /moment { return 200 "$has_rtt $has_info $has_time $has_local $has_iso $has_msec $has_id $has_numbers"; }
    location /sent/ {
      add_header X-Type "$sent_http_content_type $sent_http_x_up $sent_http_location $sent_http_content_length" always;
      proxy_pass http://BACKEND;
    }
    location /sentown { add_header X-Type "$sent_http_content_type|$sent_http_location|$sent_http_content_length" always; return 200 "text"; }
    location /proxied/ { proxy_set_header Connection ""; proxy_set_header Host h; proxy_set_header X-All "$proxy_host|$proxy_add_x_forwarded_for|$uri|$args|$request_length"; proxy_pass http://BACKEND; }
    location /upstream/ { add_header X-All "$upstream_http_x_up|$upstream_status|$upstream_cookie_c"; proxy_pass http://BACKEND; }
  }`,
  answer: () => "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Up: one\r\nSet-Cookie: c=d; Path=/\r\nContent-Length: 2\r\n\r\nok",
  cases: [
    ...all("args", "", "?", "?a", "?a=", "?a=1", "?a=1&a=2", "?A=1", "?xa=1&a=2", "?a=1;b=2", "?b_c=1", "?b-c=1", "?d=1&D=2", "?a=%20+x", "?a==&a", "?&&a=1"),
    ...all("path", "", "/a%20b", "/a/../b?c=d", "//x", "/%7e"),
    { name: "the path to a HEAD", get: "/path", method: "HEAD" },
    { name: "the path of HTTP/1.0", get: "/path", version: "1.0" },
    { name: "the path of an absolute target", get: "http://Other.example:81/path?x" },
    ...["h", "SECOND.example", "second.example:8080", "second.example.", "x.y"].map((host) => ask("", "host", [], { host, name: `the host ${host}` })),
    { name: "no host", get: "/host", version: "1.0", host: null },
    ask("", "fields", ["X-One: a", "x-two:  spaced  ", "Content-Type: text/x", "User-Agent: me", "Referer: here", "Via: v", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2"]),
    ask("", "fields", ["Cookie: a=b", "Cookie: c=d"]),
    { name: "fields of a POST", get: "/fields", method: "POST", body: "" },
    ...["a=1", "A=1", "b=2; a=1", "a = 1 ;b=2", "xa=1; a=2", "a=1;a=2", "a", "a=", "b_c=1; b-c=2", "session=x,y; z", " a=1", "a=b=c"].map((cookie) => ask("", "cookie", [`Cookie: ${cookie}`])),
    ask("", "cookie", ["Cookie: x=1", "Cookie: a=2"]),
    { ...ask("", "cookie", ["Cookie: b=1,a=2"]), differs: "Cookies are parted by `;` alone" },
    ...all("where", "", "/x/y"),
    ...all("real", ""),
    ...all("numbers", "", "?a=b"),
    { name: "pipelined requests", send: "GET /numbers HTTP/1.1\r\nHost: h\r\n\r\nGET /numbers HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    ...all("forwarded", ""),
    ask("", "forwarded", ["X-Forwarded-For: 1.1.1.1"]),
    ask("", "forwarded", ["X-Forwarded-For: 1.1.1.1, 2.2.2.2", "X-Forwarded-For: 3.3.3.3"]),
    ...all("moment", ""),
    ...all("sent", "/x"),
    ...all("sentown", ""),
    ...all("proxied", "/a%20b?c"),
    ...all("upstream", "/x"),
  ],
};
