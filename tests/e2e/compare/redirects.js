"use strict";

const get = (host, target) => ({ name: `${host} ${target}`, get: target, host, version: "1.0" });

module.exports = {
  name: "redirects of one's own",
  files: { "dir/a.txt": "a", "dir sp/a.txt": "a" },
  http: `
  absolute_redirect off;
  server {
    listen LISTEN;
    server_name on;
    root DIR;
    absolute_redirect on;
    error_page 400 /return301;
    location / { }
    location /auto/ { proxy_pass http://BACKEND; }
    location "/auto sp/" { proxy_pass http://BACKEND; }
    location /return301 { return 301 /redirect; }
    location /return301/name { return 301 /redirect; server_name_in_redirect on; }
    location /return301/port { return 301 /redirect; port_in_redirect off; }
    location /i/ { alias DIR/; }
  }
  server {
    listen LISTEN;
    server_name off;
    root DIR;
    location / { }
    location /auto/ { proxy_pass http://BACKEND; }
    location "/auto sp/" { proxy_pass http://BACKEND; }
    location '/auto "#%<>?\\^\`{|}/' { proxy_pass http://BACKEND; }
    location /return301 { return 301 /redirect; }
    location /i/ { alias DIR/; }
  }`,
  cases: [
    ...["/dir", "/i/dir", "/dir%20sp", "/dir%20sp?a=b", "/auto", "/auto?a=b", "/auto%20sp", "/auto%20sp?a=b", "/return301"].flatMap((target) => [get("on", target), get("off", target)]),
    get("host", "/return301/name"), get("host", "/return301"), get("host", "/return301/port"), get(".", "/return301"),
    get("off", "/auto%20%22%23%25%3C%3E%3F%5C%5E%60%7B%7C%7D"),
  ],
};
