"use strict";

const cases = (paths) => paths.map((get) => ({ get }));

module.exports = {
  name: "static files: root, alias, index, try_files, conditions and ranges",
  files: {
    "index.html": "index", "page.html": "page", "digits.txt": "0123456789", "a b.txt": "space", "empty.txt": "", "UP.TXT": "up", ".hidden": "h",
    "noext": "n", "sub/index.html": "sub", "sub/second.html": "second", "sub/page.html": "subpage", "bare/x.txt": "x", "other/only.txt": "only",
    "void": null, "dir.html/index.html": "dir", "app/index.html": "app", "app/main.txt": "main", "img/one.gif": "gif", "deep/er/index.html": "deeper",
  },
  http: `
  types { text/html html; text/plain txt; image/gif gif; }
  default_type application/octet-stream;
  server {
    listen LISTEN;
    root DIR;
    location / { add_header X-Uri $uri; add_header X-File $request_filename; add_header X-Root $document_root; }
    location /alias/ { alias DIR/sub/; add_header X-Uri $uri; add_header X-File $request_filename; add_header X-Root $document_root; }
    location /alias2 { alias DIR/sub; add_header X-File $request_filename; }
    location /glue { alias DIR/su; }
    location = /one { alias DIR/digits.txt; }
    location ~ ^/re/(.*)$ { alias DIR/$1; add_header X-Uri $uri; add_header X-File $request_filename; }
    location ~ ^/fixed/ { alias DIR/digits.txt; }
    location /nested/ { alias DIR/; location /nested/sub/ { add_header X-File $request_filename; } location ~ ^/nested/re { add_header X-File $request_filename; } }
    location /rootvar/ { root DIR/$arg_dir; }
    location /img/ { root DIR/; }
    location /ix/one/ { alias DIR/sub/; index none.html second.html; }
    location /ix/abs/ { alias DIR/void/; index none.html /page.html; }
    location /ix/var/ { alias DIR/sub/; index $arg_name.html; }
    location /ix/loop/ { index /ix/loop/; }
    location /ix/missing/ { alias DIR/missing/; }
    location /ix/file/ { alias DIR/page.html/; }
    location /ix/dir/ { alias DIR/; index sub; }
    location /ix/other/ { alias DIR/sub/; index second.html; }
    location = /ix/other/second.html { return 200 "elsewhere"; }
    location /try/ { try_files $uri $uri/ /page.html; }
    location /try/code/ { try_files $uri =410; }
    location /try/named/ { try_files $uri @named; }
    location @named { return 200 "named $uri $args $request_method"; }
    location /try/lost/ { try_files $uri @lost; }
    location /try/args/ { try_files /nothing /show?a=b&$args; }
    location /try/first/ { try_files /digits.txt /page.html =404; }
    location /try/dir/ { try_files /sub/ =404; }
    location /try/slash/ { try_files $uri/ =404; }
    location /try/alias/ { alias DIR/app/; try_files $uri $uri/ =404; add_header X-Uri $uri; add_header X-File $request_filename; }
    location /try/alias/lit/ { alias DIR/app/; try_files main.txt =404; }
    location ~ ^/try/re/(.+)$ { alias DIR/; try_files $1 =404; add_header X-Uri $uri; add_header X-File $request_filename; }
    location /try/pass/ { try_files /digits.txt =404; proxy_pass http://BACKEND; ALIKE; }
    location /try/self/ { try_files /nothing $uri; }
    location /try/unsaid/ { error_page 404 = @named; try_files $uri =404; }
    location /re/written/ { alias DIR/sub/; rewrite ^ /sub/page.html break; }
    location /show { return 200 "shown $uri $args"; }
    location /no/etag { alias DIR/digits.txt; etag off; }
    location /no/ranges { alias DIR/digits.txt; max_ranges 0; }
    location /one/range { alias DIR/digits.txt; max_ranges 1; }
    location /ims/off { alias DIR/digits.txt; if_modified_since off; }
    location /ims/before { alias DIR/digits.txt; if_modified_since before; }
  }
  server {
    listen LISTEN;
    server_name tries.example;
    root DIR;
    try_files $uri /page.html;
    location /sub/ { }
  }`,
  cases: [
    ...cases([
      "/", "/index.html", "/page.html", "/digits.txt?a=b", "/missing", "/missing/", "/missing/x/", "/page.html/", "/page.html/x", "/sub", "/sub?a=b", "/sub/",
      "/sub/?a=b", "/bare", "/bare/", "/void/", "/a%20b.txt", "/UP.TXT", "/up.txt", "/.hidden", "/noext", "/empty.txt", "/dir.html", "/dir.html/",
      "/sub/../digits.txt", "/sub/%2e%2e/digits.txt", "/..%2fx", "/sub//page.html", "/deep/er", "/deep/er/",
      "/alias/", "/alias/page.html", "/alias", "/alias/missing", "/alias/../page.html", "/alias2", "/alias2/", "/alias2/page.html", "/gluebx", "/glueb/page.html",
      "/glueb", "/glueb/", "/one", "/onex", "/re/digits.txt", "/re/sub/", "/re/sub", "/re/", "/re/missing", "/fixed/x", "/fixed/x/",
      "/nested/digits.txt", "/nested/sub/page.html", "/nested/sub/", "/nested/re/x", "/rootvar/x?dir=sub", "/img/one.gif", "/img/",
      "/ix/one/", "/ix/abs/", "/ix/var/?name=second", "/ix/var/?name=none", "/ix/loop/", "/ix/missing/", "/ix/file/", "/ix/dir/", "/ix/other/",
      "/try/x", "/try/", "/try/code/x", "/try/named/x?q", "/try/lost/x", "/try/args/x?c", "/try/first/x", "/try/dir/x", "/try/slash/x", "/try/alias/main.txt",
      "/try/alias/", "/try/alias/none", "/try/alias/lit/x", "/try/re/digits.txt", "/try/re/none", "/try/re/sub/page.html", "/try/pass/x?q=1",
      "/try/self/x", "/try/unsaid/x", "/no/etag", "/no/ranges", "/re/written/x",
    ]),
    ...["/page.html", "/missing", "/sub", "/sub/", "/bare/", "/try/named/x", "/one"].map((get) => ({ name: `POST ${get}`, get, method: "POST" })),
    ...["PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"].flatMap((method) => ["/page.html", "/sub/", "/missing"].map((get) => ({ name: `${method} ${get}`, get, method }))),
    ...["/page.html", "/missing", "/sub", "/sub/", "/bare/", "/try/x"].map((get) => ({ name: `HEAD ${get}`, get, method: "HEAD" })),
    ...["/digits.txt", "/sub/page.html", "/missing", "/sub", "/"].map((get) => ({ name: `try_files of a server: ${get}`, get, host: "tries.example" })),
    ...[
      ["If-None-Match: *"], ['If-None-Match: "6553f100-a"'], ['If-None-Match: W/"6553f100-a"'], ['If-None-Match: "x", "6553f100-a"'], ['If-None-Match: "x"'],
      ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT"], ["If-Modified-Since: Tue, 14 Nov 2023 22:13:21 GMT"], ["If-Modified-Since: yesterday"],
      ["If-Modified-Since: Tue, 14 Nov 2023 22:13:21 GMT", 'If-None-Match: "6553f100-a"'], ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", 'If-None-Match: "x"'],
      ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", 'If-None-Match: "6553f100-a"'],
      ["If-Match: *"], ['If-Match: "6553f100-a"'], ['If-Match: W/"6553f100-a"'], ['If-Match: "x"'], ["If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT"],
      ["If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT"], ["If-Unmodified-Since: tomorrow"], ['If-Match: "x"', "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT"],
      ["Range: bytes=0-1"], ["Range: bytes=2-"], ["Range: bytes=-3"], ["Range: bytes=-0"], ["Range: bytes=20-"], ["Range: bytes=5-2"], ["Range: bytes=0-99"], ["Range: bytes=x"],
      ["Range: items=0-1"], ["Range: bytes= 0 - 1 "], ["Range: BYTES=0-1"], ["Range: bytes=0-0,20-30"], ["Range: bytes=20-,30-"], ["Range: bytes=0-9,0-9"],
      ["Range: bytes=0-1", 'If-Range: "6553f100-a"'], ["Range: bytes=0-1", 'If-Range: "x"'], ["Range: bytes=0-1", "If-Range: Tue, 14 Nov 2023 22:13:20 GMT"],
      ["Range: bytes=0-1", "If-Range: Tue, 14 Nov 2023 22:13:21 GMT"], ["Range: bytes=0-1", 'If-Range: W/"6553f100-a"'],
    ].flatMap((headers) => [{ name: headers.join("; "), get: "/digits.txt", headers }]),
    ...["/no/etag", "/ims/off", "/ims/before"].flatMap((get) =>
      ["If-None-Match: *", 'If-None-Match: "6553f100-a"', 'If-Match: "6553f100-a"', "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", "If-Modified-Since: Tue, 14 Nov 2023 22:13:21 GMT",
        "If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT"].map((line) => ({ name: `${get} ${line}`, get, headers: [line] })),
    ),
    { name: "no ranges", get: "/no/ranges", headers: ["Range: bytes=0-1"] },
    { name: "one range of one", get: "/one/range", headers: ["Range: bytes=0-1"] },
    { name: "two ranges of one", get: "/one/range", headers: ["Range: bytes=0-1,3-4"] },
    { name: "a range of an empty file", get: "/empty.txt", headers: ["Range: bytes=0-1"] },
    { name: "HEAD of a range", get: "/digits.txt", method: "HEAD", headers: ["Range: bytes=0-1"] },
    { name: "POST with a body to a file", get: "/page.html", method: "POST", body: "abc" },
    { name: "GET with a body of a file", get: "/page.html", body: "abc" },
  ],
};
