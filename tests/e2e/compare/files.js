"use strict";

const DAY = "Tue, 14 Nov 2023 22:13:20 GMT";
const ETAG = '"6553f100-1a"';
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

const ask = (get, ...headers) => ({ name: `${get} ${headers.join(", ")}`, get, headers });

module.exports = {
  name: "files",
  files: {
    "site/index.html": "<h1>index</h1>", "site/letters.txt": LETTERS, "site/empty.txt": "", "site/page.html": "<p>", "site/data.json": "{}", "site/app.js": "js", "site/UPPER.HTML": "u", "site/none": "none",
    "site/with space.txt": "space", "site/é.txt": "accent", "site/a+b%c.txt": "signs", "site/dir/index.html": "dir index", "site/dir/other.txt": "other", "site/bare/x.txt": "x", "site/second/index.php": "php",
    "site/.hidden": "hidden", "site/archive.tar.gz": "gz", "other/a.txt": "other a", "other/sub/index.html": "other sub", "site/noread/index.html": "n",
  },
  http: `
  types { text/html html; text/plain txt; application/json json; application/javascript js; }
  default_type application/octet-stream;
  root DIR/site;
  server {
    listen LISTEN;
    port_in_redirect off;
    location /second/ { index index.html index.php; }
    location /alias/ { alias DIR/other/; }
    location /aliased.txt { alias DIR/other/a.txt; }
    location /try/ { try_files $uri $uri/ /letters.txt; }
    location /try-status/ { try_files $uri =404; }
    location /typed/ { alias DIR/other/; default_type text/x; types { } }
    location /no-etag/ { alias DIR/other/; etag off; }
    location /max-ranges/ { alias DIR/other/; max_ranges 1; }
    location /no-ranges/ { alias DIR/other/; max_ranges 0; }
    location /exact-time/ { alias DIR/other/; if_modified_since before; }
    location /off-time/ { alias DIR/other/; if_modified_since off; }
    location ~ ^/regex/(.*)$ { alias DIR/other/$1; }
    location /added/ { alias DIR/other/; add_header X-A a; add_header Cache-Control "max-age=5"; }
    location /proxied/ { proxy_pass http://BACKEND; root DIR/other; }
  }`,
  cases: [
    ...["/", "/index.html", "/letters.txt", "/empty.txt", "/page.html", "/data.json", "/app.js", "/UPPER.HTML", "/none", "/with%20space.txt", "/%C3%A9.txt", "/a+b%25c.txt", "/.hidden", "/archive.tar.gz",
      "/dir", "/dir/", "/dir?a=b", "/dir/other.txt", "/dir/other.txt/", "/bare", "/bare/", "/missing", "/missing/", "/letters.txt/x", "/second/", "/second", "/letters.txt?x=y", "/dir/../letters.txt", "//letters.txt",
      "/letters.txt%00", "/letters%2etxt", "/LETTERS.txt", "/try/x", "/try-status/x", "/try/dir",
      "/alias/a.txt", "/alias/", "/alias/sub", "/alias/sub/", "/alias", "/aliased.txt", "/aliased.txtx", "/alias/../letters.txt", "/typed/a.txt", "/no-etag/a.txt", "/regex/a.txt", "/regex/missing", "/added/a.txt", "/added/missing"].map((get) => ({ get })),
    ...["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FROB"].map((method) => ({ name: `${method} of a file`, get: "/letters.txt", method, ...(method === "POST" && { body: "x" }) })),
    { name: "HEAD of a folder", get: "/dir", method: "HEAD" },
    { name: "POST of a folder", get: "/dir", method: "POST", body: "" },
    { name: "HEAD of what is missing", get: "/missing", method: "HEAD" },
    ...["/missing", "/bare/", "/dir/"].map((get) => ({ name: `POST of ${get}`, get, method: "POST", body: "" })),
    { name: "a file to HTTP/1.0", get: "/letters.txt", version: "1.0" },
    ...["0-4", "5-", "-5", "0-0", "25-25", "26-", "20-99", "-99", "-0", "4-2", "a-b", "1", "-", "", "0-1,4-5", "0-1, 4-5 , -1", "0-25,0-25", "0-1,99-", "99-100", "0-", "00-01", "1-2-3", " 0-1", "0 - 1", "18446744073709551616-", "-18446744073709551616"].map((range) => ask("/letters.txt", `Range: bytes=${range}`)),
    ask("/letters.txt", "Range: lines=0-1"), ask("/letters.txt", "Range: Bytes=0-1"), ask("/letters.txt", "Range: bytes 0-1"), ask("/empty.txt", "Range: bytes=0-"), ask("/missing", "Range: bytes=0-1"),
    ask("/letters.txt", "Range: bytes=0-1", `If-Range: ${ETAG}`), ask("/letters.txt", "Range: bytes=0-1", 'If-Range: "x"'), ask("/letters.txt", "Range: bytes=0-1", `If-Range: W/${ETAG}`),
    ask("/letters.txt", "Range: bytes=0-1", `If-Range: ${DAY}`), ask("/letters.txt", "Range: bytes=0-1", "If-Range: Tue, 14 Nov 2023 22:13:21 GMT"),
    ask("/letters.txt", `If-None-Match: ${ETAG}`), ask("/letters.txt", `If-None-Match: W/${ETAG}`), ask("/letters.txt", `If-None-Match: "a", ${ETAG}`), ask("/letters.txt", "If-None-Match: *"), ask("/letters.txt", 'If-None-Match: "a"'), ask("/letters.txt", "If-None-Match: a"),
    ask("/letters.txt", `If-Modified-Since: ${DAY}`), ask("/letters.txt", "If-Modified-Since: Thu, 01 Jan 2037 00:00:00 GMT"), ask("/letters.txt", "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"), ask("/letters.txt", "If-Modified-Since: nonsense"),
    ask("/letters.txt", `If-Modified-Since: ${DAY}`, 'If-None-Match: "a"'), ask("/letters.txt", "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", `If-None-Match: ${ETAG}`), ask("/letters.txt", "If-Modified-Since: Tuesday, 14-Nov-23 22:13:20 GMT"), ask("/letters.txt", "If-Modified-Since: Tue Nov 14 22:13:20 2023"),
    ask("/letters.txt", `If-Match: ${ETAG}`), ask("/letters.txt", 'If-Match: "a"'), ask("/letters.txt", "If-Match: *"), ask("/letters.txt", `If-Match: W/${ETAG}`), ask("/letters.txt", `If-Unmodified-Since: ${DAY}`), ask("/letters.txt", "If-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 GMT"),
    ask("/no-etag/a.txt", `If-None-Match: ${ETAG}`), ask("/max-ranges/a.txt", "Range: bytes=0-1"), ask("/max-ranges/a.txt", "Range: bytes=0-1,2-3"), ask("/no-ranges/a.txt", "Range: bytes=0-1"),
    ask("/exact-time/a.txt", "If-Modified-Since: Thu, 01 Jan 2037 00:00:00 GMT"), ask("/exact-time/a.txt", "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"), ask("/off-time/a.txt", `If-Modified-Since: ${DAY}`),
    ask("/letters.txt", "Range: bytes=0-1", `If-None-Match: ${ETAG}`), ask("/letters.txt", "Accept-Encoding: gzip"),
    { name: "a range of HEAD", get: "/letters.txt", method: "HEAD", headers: ["Range: bytes=0-4"] },
    { name: "two files in a row", send: "GET /letters.txt HTTP/1.1\r\nHost: h\r\n\r\nGET /empty.txt HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { name: "a folder and its Host", get: "/dir", host: "Name.test:99" },
    { name: "a folder in an absolute target", get: "http://name.test/dir", host: "other" },
    { name: "a folder without Host", get: "/dir", version: "1.0", host: null },
  ],
};
