"use strict";

const FRAGMENT = "A `#` in a request target is a 400";
const BARE_LF = "A head whose first line ends by CR LF has no line that ends by LF alone";
const ONE_SPACE = "The request line has one space between its parts";

const served = (paths) => paths.map((get) => ({ get }));

module.exports = {
  name: "locations and paths",
  http: `
  server {
    listen LISTEN;
    location / { return 200 "root $uri $args $request_uri"; }
    location = / { return 200 "exactly root"; }
    location = /exact { return 200 "exact"; }
    location /prefix { return 200 "prefix $uri"; }
    location /prefix/longer/ { return 200 "longer $uri"; }
    location ^~ /first/ { return 200 "first $uri"; }
    location ~ \\.php$ { return 200 "regex php $uri"; }
    location ~* \\.(JPG|png)$ { return 200 "regex image $1 $uri"; }
    location ~ ^/named/(?<who>[a-z]+)/(\\d+)$ { return 200 "named $who $2"; }
    location ~ ^/first/ { return 200 "never"; }
    location /outer/ {
      location /outer/inner/ { return 200 "inner $uri"; }
      location ~ \\.txt$ { return 200 "nested regex $uri"; }
      return 200 "outer $uri";
    }
    location "/with space/" { return 200 "space $uri"; }
    location /é/ { return 200 "accent $uri"; }
  }`,
  cases: [
    ...served([
      "/", "/exact", "/exact/", "/Exact", "/exactly", "/prefix", "/prefix/", "/prefixed", "/prefix/longer", "/prefix/longer/",
      "/first/a.php", "/first", "/a.php", "/a.PHP", "/a.php/b", "/b.PNG", "/a.jpgx", "/named/ab/12", "/named/AB/12",
      "/outer/", "/outer/a", "/outer/inner/", "/outer/inner/a.txt", "/outer/a.txt", "/outer/a.php", "/nothing?a=b&c", "/?", "/??", "/a?b?c",
    ]),
    ...served([
      "//", "/a//b", "/a///b//", "/./a", "/a/./b", "/a/.", "/a/..", "/a/b/../c", "/a/b/../../c", "/a/../b/../c/..", "/..", "/../", "/a/../..", "/a/.../b",
      "/...", "/.a", "/a.", "/a/.b", "/a/..b", "/a/b..", "/%2e/a", "/%2e%2e/a", "/a/%2e%2e/b", "/a%2fb", "/a%2F..%2fb", "/%61bc", "/a%20b", "/a+b",
      "/with%20space/x", "/%C3%A9/x", "/%c3%a9/", "/a%00b", "/a%", "/a%1", "/a%zz", "/a%25b", "/a%3Fb", "/a%3fb?c%3Fd", "/a%23b", "/a%01b", "/a%7fb",
      "/a;b", "/a\\b", "/a|b", '/a"b', "/a<b>", "/a{b}", "/a^b", "/a`b", "/a~b", "/a'b", "/a*b", "/a,b", "/a:b@c", "/a=b&c", "/a?b//c/../d",
      "/a\x7f", "/prefix%2flonger/", "/prefix//longer/", "/x/../exact", "/%65xact", "/exact?", "/exact?x",
    ]),
    ...served(["/é", "/é/a", "/a\x80b?\xff"]),
    { name: "lines that end by LF", send: "GET /a HTTP/1.1\nHost: h\n\n" },
    { name: "the head ends by CR LF, the lines by LF", send: "GET /a HTTP/1.0\nHost: h\n\r\n" },
    { name: "one line ends by LF", send: "GET /a HTTP/1.1\r\nHost: h\nX-A: b\r\n\r\n", differs: BARE_LF, hawser: /400 Bad/ },
    { name: "an empty target", get: "" },
    { name: "a target without a slash", get: "abc" },
    { name: "a star", get: "*" },
    { name: "OPTIONS of a star", get: "*", method: "OPTIONS", differs: "`OPTIONS *` is a request like any other" },
    { name: "two spaces before the target", send: "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", differs: ONE_SPACE, hawser: /400 Bad/ },
    { name: "two spaces behind the target", send: "GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", differs: ONE_SPACE, hawser: /400 Bad/ },
    { get: "/a#b", differs: FRAGMENT, hawser: /400 Bad/ },
    { get: "/a?b#c", differs: FRAGMENT, hawser: /400 Bad/ },
    { name: "a space within the target", send: "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n" },
    { name: "a tab within the target", send: "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n" },
  ],
};
