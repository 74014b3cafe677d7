"use strict";

const cases = (paths) => paths.map((get) => ({ get }));

module.exports = {
  name: "error pages, named locations and internal redirections",
  files: { "page.html": "PAGE", "deep/page.html": "DEEP" },
  http: `
  server {
    listen LISTEN;
    server_name site.example;
    root DIR;
    error_page 404 /page.html;
    ALIKE;
    location / { }
    location /kept { error_page 404 /page.html; return 404; }
    location /named { error_page 403 @named; return 403; }
    location /named/200 { error_page 403 =200 @named; return 403; }
    location /named/its { error_page 403 = @its; return 403; }
    location /named/text { error_page 403 = @text; return 403; }
    location @named { return 200 "named $uri $args $request_method $status"; }
    location @its { return 402; }
    location @text { return 201 "its own"; }
    location /lost { error_page 403 @lost; return 403; }
    location /absolute { error_page 403 http://other.example/x?$args; return 403; }
    location /moved { error_page 403 =301 http://other.example/; return 403; }
    location /seen { error_page 403 =303 http://other.example/; return 403; }
    location /odd { error_page 403 =404 http://other.example/; return 403; }
    location /args { error_page 403 /show?a=b; return 403; }
    location /variable { error_page 403 /show$uri?$args; return 403; }
    location /show { return 200 "shown $uri $args $is_args $request_uri $request_method"; }
    location /twice { error_page 403 /kept/2; error_page 404 /page.html; return 403; }
    location /recursive { error_page 403 /recursive2; recursive_error_pages on; return 403; }
    location /recursive2 { error_page 405 /show; recursive_error_pages on; return 405; }
    location /cycle { error_page 404 /cycle; recursive_error_pages on; return 404; }
    location /several { error_page 401 402 403 =200 /show; return 402; }
    location /none { error_page 500 /show; return 503; }
    location /redirect { error_page 301 /show; return 301 http://other.example/; }
    location /to301 { error_page 404 =301 /show; return 404; }
    location /to302 { error_page 404 =302 /deep; return 404; }
    location /own { internal; return 200 "internal $uri"; }
    location /own/page { error_page 404 /own; return 404; }
    location /get { error_page 405 /show; return 405; }
    location /empty { error_page 404 =204 /page.html; return 404; }
    location /pass { error_page 403 = /backend; return 403; }
    location /backend { proxy_pass http://BACKEND; }
    location /backend/status { error_page 403 =418 /backend; return 403; }
    location /named/pass { error_page 403 = @pass; return 403; }
    location @pass { proxy_pass http://BACKEND; }
    location /down { error_page 502 =200 /show; proxy_pass http://127.0.0.1:1; }
    location /big { client_max_body_size 3; error_page 413 /show; }
    location /big/named { client_max_body_size 3; error_page 413 =200 @named; }
    location /text { error_page 404 /show; return 404 "text"; }
    location /200 { error_page 404 /just200; return 404; }
    location /just200 { return 200 "just"; }
    location /inherited { }
    location /reset { error_page 500 /show; location /reset/ { } }
    location /codes/ {
      location /codes/204 { return 204; }
      location /codes/400 { return 400; }
      location /codes/401 { return 401; }
      location /codes/402 { return 402; }
      location /codes/405 { return 405; }
      location /codes/406 { return 406; }
      location /codes/407 { return 407; }
      location /codes/409 { return 409; }
      location /codes/410 { return 410; }
      location /codes/411 { return 411; }
      location /codes/412 { return 412; }
      location /codes/413 { return 413; }
      location /codes/414 { return 414; }
      location /codes/415 { return 415; }
      location /codes/416 { return 416; }
      location /codes/418 { return 418; }
      location /codes/421 { return 421; }
      location /codes/425 { return 425; }
      location /codes/429 { return 429; }
      location /codes/451 { return 451; }
      location /codes/494 { return 494; }
      location /codes/495 { return 495; }
      location /codes/496 { return 496; }
      location /codes/497 { return 497; }
      location /codes/498 { return 498; }
      location /codes/500 { return 500; }
      location /codes/501 { return 501; }
      location /codes/502 { return 502; }
      location /codes/503 { return 503; }
      location /codes/504 { return 504; }
      location /codes/505 { return 505; }
      location /codes/506 { return 506; }
      location /codes/507 { return 507; }
      location /codes/508 { return 508; }
      location /codes/599 { return 599; }
      location /codes/own { error_page 497 /show; return 497; }
      location /codes/own200 { error_page 495 =200 /show; return 495; }
      location /codes/bare { server_tokens off; return 403; }
    }
    location /go/ {
      location /go/path { return 301 /x; }
      location /go/off { absolute_redirect off; return 301 /x; }
      location /go/port { port_in_redirect off; return 301 /x; }
      location /go/name { server_name_in_redirect on; return 301 /x; }
      location /go/none { return 302 x; }
    }
    location /deep/ { }
  }
  server {
    listen LISTEN;
    server_name bad.example;
    error_page 400 /bad;
    location /bad { return 200 "bad $uri"; }
  }`,
  cases: [
    ...cases([
      "/missing", "/kept", "/named", "/named?a=b", "/named/200", "/named/its", "/named/text", "/lost", "/absolute?x=y", "/moved", "/seen", "/odd",
      "/args", "/args?c=d", "/variable", "/variable?c=d", "/twice", "/recursive", "/cycle", "/several", "/none", "/redirect", "/to301", "/to302",
      "/own", "/own/page", "/empty", "/pass", "/pass?a=b", "/backend/status", "/named/pass?q", "/down", "/text", "/200", "/inherited/x", "/reset/x",
      "/page.html", "/deep/page.html", "/deep",
    ]),
    ...[204, 400, 401, 402, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 418, 421, 425, 429, 451, 494, 495, 496, 497,
      498, 500, 501, 502, 503, 504, 505, 506, 507, 508, 599, "own", "own200", "bare"].map((code) => ({ get: `/codes/${code}` })),
    ...["path", "off", "port", "name", "none"].map((kind) => ({ get: `/go/${kind}` })),
    { name: "a redirect for Host with a port", get: "/go/path", host: "Other.Example:81" },
    { name: "a redirect without Host", get: "/go/path", host: null, version: "1.0" },
    { name: "a directory without Host", get: "/deep?a=b", host: null, version: "1.0" },
    { name: "HEAD of an error page", get: "/kept", method: "HEAD" },
    { name: "HEAD of a page of ours", get: "/none", method: "HEAD" },
    { name: "POST becomes GET", get: "/get", method: "POST" },
    { name: "a named location keeps POST", get: "/named", method: "POST" },
    { name: "POST to a backend by an error page", get: "/pass", method: "POST", body: "abc" },
    { name: "POST to a backend by a named location", get: "/named/pass", method: "POST", body: "abc" },
    { name: "no conditions for an error page", get: "/kept", headers: ["If-None-Match: *"] },
    { name: "no ranges of an error page", get: "/kept", headers: ["Range: bytes=0-1"] },
  ],
};
