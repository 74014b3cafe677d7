"use strict";

const HOP = "What belongs to one hop is not passed on";
const chunked = (...parts) => parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("") + "0\r\n\r\n";
const answer = (lines, body = "ok") => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}Content-Length: ${body.length}\r\n\r\n${body}`;

module.exports = {
  name: "proxying",
  http: `
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  upstream named { server BACKEND; }
  upstream unused { server BACKEND; }
  server {
    listen LISTEN;
    location / { proxy_pass http://BACKEND; }
    location /slash/ { proxy_pass http://BACKEND/; }
    location /part/ { proxy_pass http://BACKEND/other/; }
    location /joined { proxy_pass http://BACKEND/joined; }
    location /query/ { proxy_pass http://BACKEND/q?fixed=1; }
    location = /exact { proxy_pass http://BACKEND/elsewhere; }
    location ~ ^/regex/ { proxy_pass http://BACKEND; }
    location /upstream/ { proxy_pass http://named; }
    location /upstream-uri/ { proxy_pass http://named/u/; }
    location /headers/ {
      proxy_pass http://BACKEND;
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Empty "";
      proxy_set_header X-Args $args;
      proxy_set_header Cookie "";
      proxy_set_header Connection "";
    }
    location /http-host/ { proxy_pass http://named; proxy_set_header Host $http_host; proxy_set_header Connection ""; }
    location /1.0/ { proxy_pass http://BACKEND; proxy_http_version 1.0; proxy_set_header Connection close; }
    location /redirects/ { proxy_pass http://BACKEND/moved/; }
    location /redirects-off/ { proxy_pass http://BACKEND/moved/; proxy_redirect off; }
    location /redirects-own/ { proxy_pass http://BACKEND; proxy_redirect http://inner/ /outer/; proxy_redirect ~^http://(\\w+)\\.inner/(.*)$ https://$1.outer/$2; }
    location /added/ { proxy_pass http://BACKEND; add_header X-Added "a $status"; add_header X-Always b always; add_header X-None ""; }
    location /unbuffered/ { proxy_pass http://BACKEND; proxy_buffering off; }
    location /small/ { proxy_pass http://BACKEND; client_max_body_size 10; }
    location /kept/ { client_body_buffer_size 64; proxy_pass http://BACKEND; add_header X-Kept "$kept:$request_body"; }
    location /auto/ { proxy_pass http://BACKEND; }
    location /hangs-up/ { proxy_pass http://unused; }
    location '/auto "#%<>?\\^\`{|}é/' { proxy_pass http://BACKEND; }
    location /nobody/ { proxy_pass http://127.0.0.1:1; }
    location /upgrade/ { proxy_pass http://BACKEND; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $up; }
  }
  map $request_body_file $kept { "" memory; default file; }
  map $http_upgrade $up { default upgrade; '' ''; }`,
  cases: [
    ...["/a", "/a?b=c", "/a%20b/%2f?x=%20", "/a//b", "/a/../b", "/a/./b?c", "/é", "/a?", "/a'b|c"].map((get) => ({ get })),
    ...["/slash/a", "/slash/", "/slash/a%20b", "/slash/%C3%A9", "/slash/a%2fb", "/slash/a//b", "/slash/a/../c", "/slash/a?b=%20", "/slash/%3f%23%25", "/slash/a+b;c=d,e:f@g&h!i$j*k'l(m)", "/slash/%01%7f"].map((get) => ({ get })),
    ...["/part/a", "/part/", "/joined", "/joined/a", "/joinedx", "/query/", "/query/a", "/query/a?b=c", "/exact", "/exact?a", "/regex/a%20b//c", "/upstream/x", "/upstream-uri/x%20y"].map((get) => ({ get })),
    { get: '/slash/"<>\\^`{|}' },
    { name: "headers in order", get: "/a", headers: ["X-B: 1", "Accept: */*", "X-A: 2", "x-lower: 3", "X-B: 4", "User-Agent: t", "Cookie: a=1", "Cookie: b=2"] },
    { name: "headers set", get: "/headers/?p=q", host: "Example.COM:8080", headers: ["X-Real-IP: 6.6.6.6", "X-Forwarded-For: 1.2.3.4", "Cookie: a", "X-Empty: x", "Accept: a"] },
    { name: "X-Forwarded-For twice", get: "/headers/", headers: ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8, 9.9.9.9"] },
    { name: "$http_host", get: "/http-host/", host: "Example.COM:8080" },
    { name: "Host of an upstream", get: "/upstream/", host: "client" },
    { name: "hop by hop headers of the client", get: "/a", headers: ["Keep-Alive: 5", "Proxy-Connection: x", "TE: trailers", "Trailer: X-T"], differs: HOP },
    { name: "an empty value", get: "/a", headers: ["X-Empty:", "X-Blank:   ", "X-Tail: a  "] },
    { name: "Expect", get: "/a", method: "POST", headers: ["Expect: 100-continue"], body: "hello", answers: ["GET", "POST"] },
    { name: "to a backend of HTTP/1.0", get: "/1.0/a", headers: ["X-A: 1"] },
    { name: "a client of HTTP/1.0", get: "/a", version: "1.0" },
    { name: "a client of HTTP/1.0 without Host", get: "/a", version: "1.0", host: null },
    { name: "a client of HTTP/1.0 that stays", get: "/a", version: "1.0", headers: ["Connection: keep-alive"] },
    { name: "a client that leaves", get: "/a", headers: ["Connection: close"] },
    { name: "POST", get: "/a", method: "POST", body: "hello" },
    { name: "POST of nothing", get: "/a", method: "POST", body: "" },
    { name: "POST without a length", get: "/a", method: "POST" },
    { name: "PUT in chunks", send: `PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", " there")}` },
    { name: "DELETE", get: "/a", method: "DELETE" },
    { name: "PATCH", get: "/slash/a", method: "PATCH", body: "x" },
    { name: "a method of one's own", get: "/a", method: "FROB" },
    { name: "GET with a body", get: "/a", body: "hello" },
    { name: "HEAD", get: "/a", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n" },
    { name: "HEAD in chunks", get: "/a", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" },
    { name: "an answer in chunks", get: "/a", answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", "there")}` },
    { name: "an answer in chunks to HTTP/1.0", get: "/a", version: "1.0", answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", "there")}` },
    { name: "an answer that ends by close", get: "/a", answer: "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello" },
    { name: "an answer of HTTP/1.0", get: "/a", answer: "HTTP/1.0 200 Fine\r\nX-A: 1\r\n\r\nhello" },
    { name: "an answer of HTTP/1.0 with a length", get: "/a", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok" },
    { name: "204", get: "/a", answer: "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n" },
    { name: "304", get: "/a", answer: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n' },
    { name: "404 with a body", get: "/a", answer: "HTTP/1.1 404 Nope\r\nContent-Length: 4\r\n\r\ngone" },
    { name: "500 with a body", get: "/a", answer: "HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\noops" },
    { name: "a status nobody knows", get: "/a", answer: "HTTP/1.1 299 Own Words\r\nContent-Length: 0\r\n\r\n" },
    { name: "a status without words", get: "/a", answer: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", differs: "A status line always has the space behind its number" },
    { name: "headers of an answer", get: "/a", answer: answer(["X-B: 1", "set-cookie: a=1", "Set-Cookie: b=2", "X-A:2", "Cache-Control: no-cache", "Expires: Thu, 01 Jan 1970 00:00:01 GMT", "Vary: a", "Vary: b", "Link: <a>", "WWW-Authenticate: Basic", 'ETag: "x"', "Last-Modified: Wed, 15 Nov 2023 00:00:00 GMT", "Content-Type: text/x; charset=utf-8", "Content-Encoding: x", "Accept-Ranges: bytes", "X-Empty:"]) },
    { name: "hop by hop headers of an answer", get: "/a", answer: answer(["Connection: keep-alive", "Keep-Alive: timeout=5", "X-Accel-Buffering: no", "X-Accel-Expires: 5", "X-Pad: x", "Server: own/1.0", "Date: Thu, 01 Jan 1970 00:00:01 GMT"]) },
    { name: "Upgrade in an answer that is none", get: "/a", answer: answer(["Upgrade: x"]), differs: HOP },
    { name: "a content type of none", get: "/a", answer: answer([]) },
    ...["http://BACKEND/moved/x", "http://h/moved/x", "/moved/x", "http://elsewhere/x", "x", "https://BACKEND/moved/x", "http://BACKEND/moved"].map((place) => ({
      name: `Location: ${place}`, get: "/redirects/a", answer: answer([`Location: ${place}`]) })),
    { name: "Refresh", get: "/redirects/a", answer: answer(["Refresh: 5; url=http://BACKEND/moved/x"]) },
    { name: "Location with proxy_redirect off", get: "/redirects-off/a", answer: answer(["Location: http://BACKEND/moved/x"]) },
    { name: "Location of one's own rule", get: "/redirects-own/a", answer: answer(["Location: http://inner/x"]) },
    { name: "Location of a regex", get: "/redirects-own/a", answer: answer(["Location: http://ab.inner/x?y"]) },
    { name: "add_header", get: "/added/", answer: answer(["X-Added: theirs"]) },
    { name: "add_header to a 404", get: "/added/", answer: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" },
    { name: "add_header to a 500", get: "/added/", answer: "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n" },
    { name: "not buffered", get: "/unbuffered/", answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", "there")}` },
    ...[10, 64, 65, 500, 3000].map((length) => ({ name: `a body of ${length} that is kept`, get: "/kept/", method: "POST", body: "x".repeat(length) })),
    { name: "a body in chunks that is kept", send: `PUT /kept/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", "there")}` },
    { name: "a body in chunks that is kept in a file", send: `PUT /kept/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("x".repeat(1000), "y".repeat(2000))}` },
    { name: "a body that is small enough", get: "/small/", method: "POST", body: "0123456789" },
    { name: "a body that is too large", get: "/small/", method: "POST", body: "0123456789a" },
    { name: "chunks that are too large", send: `PUT /small/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("0123456789", "a")}` },
    { name: "a slash that is missing", get: "/auto" },
    { name: "a slash that is missing, with arguments", get: "/auto?a=b", method: "POST", body: "" },
    { name: "a slash that is missing behind signs", get: "/auto%20%22%23%25%3C%3E%3F%5C%5E%60%7B%7C%7D%C3%A9?a=%20" },
    { name: "a slash that is missing, port of Host", get: "/auto", host: "name:1234" },
    { name: "nobody listens", get: "/nobody/" },
    { name: "nobody listens to HTTP/1.0", get: "/nobody/", version: "1.0" },
    { name: "HEAD and nobody listens", get: "/nobody/", method: "HEAD" },
    { name: "the backend hangs up", get: "/hangs-up/", answer: () => undefined },
    { name: "an answer with lines that end by LF", get: "/a", answer: "HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n\nok" },
    { name: "two requests in one", send: "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", answers: ["GET", "POST"] },
    { name: "two requests, the second breaks off", send: "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HT\r\n\r\n", answers: ["GET", "GET"] },
    { name: "upgrade asked for, refused", get: "/upgrade/", headers: ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], answer: "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno" },
    { name: "an upgrade to something else", get: "/upgrade/", headers: ["Upgrade: foo", "Connection: Upgrade"], differs: "Only WebSocket is upgraded to" },
    { name: "no upgrade asked for", get: "/upgrade/" },
  ],
};
