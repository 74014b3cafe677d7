"use strict";

const answer = (status, more = "") => `HTTP/1.1 ${status} Theirs\r\nContent-Type: text/plain\r\nX-Theirs: yes\r\n${more}Content-Length: 6\r\n\r\ntheirs`;
const cases = (get, statuses) => statuses.map((status) => ({ name: `${get} ${status}`, get, answer: answer(status) }));

module.exports = {
  name: "proxy_intercept_errors",
  files: { "page.html": "PAGE" },
  http: `
  server {
    listen LISTEN;
    root DIR;
    ALIKE;
    proxy_intercept_errors on;
    error_page 401 404 500 /page.html;
    location / { proxy_pass http://BACKEND; add_header X-Status $upstream_status always; }
    location = /page.html { }
    location /off { proxy_intercept_errors off; proxy_pass http://BACKEND; }
    location /none { error_page 402 /page.html; proxy_pass http://BACKEND; }
    location /named { error_page 404 = @named; proxy_pass http://BACKEND; }
    location @named { return 200 "named $uri $request_method"; }
    location /again { error_page 404 = @again; proxy_pass http://BACKEND; }
    location @again { proxy_pass http://BACKEND; proxy_intercept_errors off; }
    location /moved { error_page 302 = /page.html; proxy_pass http://BACKEND; }
    location /redirect { error_page 404 =301 http://other.example/; proxy_pass http://BACKEND; }
    location /twice { error_page 404 /twice/more; proxy_pass http://BACKEND; }
    location /more { error_page 404 /page.html; proxy_pass http://BACKEND; }
  }`,
  cases: [
    ...cases("/", [200, 201, 401, 402, 404, 500, 503]), ...cases("/off", [404]), ...cases("/none", [402, 404]), ...cases("/named", [404]), ...cases("/again", [404, 500]), ...cases("/redirect", [404]),
    ...cases("/twice", [404]), ...cases("/more", [404]),
    { name: "a challenge stays", get: "/", answer: answer(401, 'WWW-Authenticate: Basic realm="theirs"\r\nWWW-Authenticate: Other\r\n'), differs: "Of an intercepted 401 all WWW-Authenticate are kept", hawser: /Authenticate: Other/ },
    { name: "one challenge stays", get: "/", answer: answer(401, 'WWW-Authenticate: Basic realm="theirs"\r\n') },
    { name: "a redirection", get: "/moved", answer: answer(302, "Location: /elsewhere\r\n") },
    { name: "HEAD", get: "/", method: "HEAD", answer: "HTTP/1.1 404 Theirs\r\nContent-Length: 6\r\n\r\n" },
    { name: "POST to a named location", get: "/named", method: "POST", body: "abc", answer: answer(404) },
    { name: "POST again", get: "/again", method: "POST", body: "abc", answer: answer(404) },
  ],
};
