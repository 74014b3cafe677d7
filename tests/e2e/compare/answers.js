"use strict";

/* The backend answers with the fields that the query asks for: ?Location=/x&Set-Cookie=a */
const echo = (request) => {
  const lines = new URLSearchParams(request.target.split("?")[1] ?? "");
  const fields = [...lines].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`;
};
const asks = (place, fields, more = {}) => {
  const query = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return { name: `${place} ${JSON.stringify(fields)}`, get: `${place}?${query.join("&")}`, ...more };
};
const cookies = [
  "a=b", "a=b; Path=/one/x; Domain=localhost", "a=b;path=/two/;domain=.localhost;Secure", "a", "a=", "session=1; HttpOnly; SameSite=None",
  "session=1", "sid=1; Secure; HttpOnly", "sid=x; Max-Age=3; Path=/three/x/y", "a=b; Domain=www.example.org; Path=/", "A=b; PATH=/ONE/; DOMAIN=LOCALHOST",
  "a=b; ; Path=/one/", "a=b;  Path = /one/ ", "a=b; Path", "a=\"b; c\"; Path=/one/",
];
const places = [
  "http://BACKEND/x", "http://127.0.0.1:1/x", "/y", "y", "http://one.example/a/b", "HTTP://one.example/a", "http://two.example/z?q", "//h/x", "",
];

module.exports = {
  name: "fields of answers",
  answer: echo,
  http: `
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {
    listen LISTEN;
    location / { proxy_pass http://BACKEND; }
    location /off/ { proxy_redirect off; proxy_pass http://BACKEND; }
    location /uri/ { proxy_pass http://BACKEND/; }
    location /said/ {
      proxy_redirect http://one.example/ /one/;
      proxy_redirect ~^http://(?<who>[a-z]+)\\.example/(.*)$ https://$who.invalid/$2;
      proxy_redirect y $uri;
      proxy_pass http://BACKEND;
    }
    location /default/ { proxy_pass http://BACKEND; proxy_redirect default; proxy_redirect ~*^http: https:; }
    location /hide/ { proxy_hide_header X-Own; proxy_hide_header content-type; proxy_pass http://BACKEND; }
    location /pass/ { proxy_pass_header X-Accel-Expires; proxy_pass_header Server; proxy_hide_header Server; proxy_pass http://BACKEND; }
    location /cookie/ {
      proxy_cookie_domain localhost example.org;
      proxy_cookie_domain ~\\.([a-z]+)\\.org$ $1.net;
      proxy_cookie_path /one/ /;
      proxy_cookie_path ~*^/two(/.*)$ $1;
      proxy_cookie_path /$arg_none /root/;
      proxy_cookie_flags session secure samesite=strict;
      proxy_cookie_flags ~^sid nosecure nohttponly samesite=lax;
      proxy_pass http://BACKEND;
    }
    location /flags/ { proxy_cookie_flags ~ httponly nosamesite; proxy_pass http://BACKEND; }
    location /headers/ { proxy_set_header Host $host; proxy_set_header X-A 1; proxy_set_header X-A 2; proxy_set_header X-B ""; proxy_set_header Accept ""; proxy_set_header Connection ""; proxy_pass http://BACKEND; }
    location /method/ { proxy_method PUT; proxy_pass http://BACKEND; }
    location /none/ { proxy_pass_request_headers off; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Connection ""; proxy_pass http://BACKEND; }
    location /body/ { proxy_set_body "said $request_method"; proxy_pass http://BACKEND; }
    location /empty/ { proxy_set_body ""; proxy_pass http://BACKEND; }
    location /old/ { proxy_http_version 1.0; proxy_set_header Connection close; proxy_pass http://BACKEND; }
  }`,
  cases: [
    ...["/", "/off/", "/uri/", "/default/"].flatMap((place) => places.map((value) => asks(place, { Location: value }))),
    ...places.filter((value) => !/^y|one/.test(value)).map((value) => asks("/said/", { Location: value })),
    ...["/", "/said/"].flatMap((place) => ["5; url=http://one.example/a", "5; URL=http://127.0.0.1:1/", "5", "0;url=y"].map((value) => asks(place, { Refresh: value }))),
    ...["/cookie/", "/flags/", "/"].flatMap((place) => cookies.map((value) => asks(place, { "Set-Cookie": value }))),
    ...["/", "/hide/", "/pass/"].map((place) =>
      asks(place, { Server: "theirs", "X-Pad": "p", "X-Accel-Expires": "1", "X-Accel-Charset": "utf-8", "X-Own": "o", "Content-Type": "text/css", "X-Accel-Limit-Rate": "1000" })),
    { get: "/headers/", headers: ["X-A: theirs", "X-B: b", "X-C: c", "Accept: */*", "Keep-Alive: 5", "TE: trailers"] },
    { get: "/", headers: ["X-A: theirs", "Accept: */*", "Via: 1.1 v"] },
    { get: "/method/" },
    { name: "proxy_method with a body", get: "/method/", method: "POST", body: "abc" },
    { get: "/none/", headers: ["X-A: a", "Cookie: c=d"] },
    { name: "no headers and no body", get: "/none/", method: "POST", body: "abc" },
    { get: "/body/" },
    { name: "another body", get: "/body/", method: "POST", body: "abc", headers: ["Content-Type: text/x"] },
    { name: "an empty body instead", get: "/empty/", method: "POST", body: "abc" },
    { name: "a body to be dropped that comes in chunks", send: "POST /body/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" },
    { get: "/old/" },
    { name: "HTTP/1.0 with a body", get: "/old/", method: "POST", body: "abc" },
  ],
};
