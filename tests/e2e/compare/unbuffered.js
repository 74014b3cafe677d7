"use strict";

const MISSING = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

module.exports = {
  name: "bodies that are passed on as they come",
  http: `
  server {
    listen LISTEN;
    ALIKE;
    proxy_request_buffering off;
    proxy_intercept_errors on;
    error_page 404 = /page;
    error_page 403 = /other;
    location / { proxy_pass http://BACKEND; add_header X-Body "$request_body"; }
    location /file { client_body_in_file_only clean; client_body_temp_path DIR; proxy_pass http://BACKEND; add_header X-Body "$request_body"; }
    location /page { return 200 "length=$content_length body=$request_body"; }
    location /other { proxy_pass http://BACKEND; }
  }`,
  cases: [
    { get: "/" },
    { name: "a body that came with its head", get: "/", method: "POST", body: "hello" },
    { name: "a larger one", get: "/", method: "POST", body: "0123456789".repeat(128) },
    { name: "one to be kept in a file", get: "/file", method: "POST", body: "hello" },
    { name: "an error page knows it", get: "/", method: "POST", body: "hello", answer: MISSING },
    { name: "a body after another", send: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nonePOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo", answers: ["POST", "POST"] },
    { name: "a server that an error page leads to", get: "/", method: "POST", body: "hello",
      answer: (request) => (/POST/.test(JSON.stringify(request)) ? MISSING.replace("404 Not Found", "403 Forbidden") : undefined) ?? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
  ],
};
