"use strict";

const DEAD = "127.0.0.1:1";
const shown = 'proxy_set_header Connection ""; add_header X-Address "$upstream_addr" always; add_header X-Status "$upstream_status" always;';
const times = (count, one) => Array.from({ length: count }, (_, i) => ({ name: `${one.name ?? one.get} (${i + 1})`, ...one }));
const status = (code) => `HTTP/1.1 ${code} Word\r\nContent-Length: 4\r\n\r\nbody`;

module.exports = {
  name: "servers that fail",
  http: `
  proxy_http_version 1.1;
  upstream dead_first { server ${DEAD} max_fails=0; server BACKEND; }
  upstream once { server ${DEAD} fail_timeout=60s; server BACKEND; }
  upstream spare { server ${DEAD} fail_timeout=60s; server BACKEND backup; }
  upstream down { server ${DEAD} down; server BACKEND; }
  upstream all_down { server ${DEAD} down; }
  upstream all_dead { server ${DEAD} max_fails=1 fail_timeout=60s; server 127.0.0.1:2 max_fails=1 fail_timeout=60s; }
  upstream alone { server ${DEAD} max_fails=1 fail_timeout=60s; }
  upstream twice { server BACKEND max_fails=0; server BACKEND max_fails=0; }
  server {
    listen LISTEN;
    location /dead-first/ { proxy_pass http://dead_first; ${shown} }
    location /once/ { proxy_pass http://once; ${shown} }
    location /spare/ { proxy_pass http://spare; ${shown} }
    location /down/ { proxy_pass http://down; ${shown} }
    location /all-down/ { proxy_pass http://all_down; ${shown} }
    location /all-dead/ { proxy_pass http://all_dead; ${shown} }
    location /alone/ { proxy_pass http://alone; ${shown} }
    location /off/ { proxy_pass http://dead_first; proxy_next_upstream off; ${shown} }
    location /tries/ { proxy_pass http://all_dead; proxy_next_upstream_tries 1; ${shown} }
    location /statuses/ { proxy_pass http://twice; proxy_next_upstream http_500 http_502 http_503 http_504 http_403 http_404 http_429; ${shown} }
    location /all-kinds/ { proxy_pass http://twice; proxy_next_upstream error timeout invalid_header http_503 non_idempotent; ${shown} }
    location /intercept/ { proxy_pass http://twice; proxy_intercept_errors on; error_page 404 500 =299 /page; ${shown} }
    location /page { return 200 "page"; }
    location /uri/ { proxy_pass http://once/other/; ${shown} }
  }`,
  cases: [
    ...times(4, { get: "/dead-first/" }), ...times(4, { get: "/once/" }), ...times(3, { get: "/spare/" }), ...times(3, { get: "/down/" }), ...times(2, { get: "/all-down/" }), ...times(3, { get: "/alone/" }), ...times(3, { get: "/all-dead/" }),
    ...times(3, { get: "/off/" }), ...times(2, { get: "/tries/" }), ...times(2, { get: "/uri/x" }),
    ...times(2, { name: "POST to a dead server", get: "/dead-first/", method: "POST", body: "hello" }),
    ...[200, 301, 403, 404, 429, 500, 502, 503, 504].flatMap((code) => times(2, { name: `statuses: ${code}`, get: "/statuses/", answer: status(code) })),
    ...[404, 503].map((code) => ({ name: `POST and ${code}`, get: "/statuses/", method: "POST", body: "hello", answer: status(code) })),
    { name: "non_idempotent", get: "/all-kinds/", method: "POST", body: "hello", answer: status(503) },
    ...[200, 404, 500, 503].map((code) => ({ name: `intercepted: ${code}`, get: "/intercept/", answer: status(code) })),
  ],
};
