"use strict";

const BASIC = (text) => `Authorization: Basic ${Buffer.from(text, "latin1").toString("base64")}`;

module.exports = {
  name: "who may pass, and how often",
  files: { users: "user:{PLAIN}pass\nmd5:$apr1$abcdefgh$1qjlK.ic60pSjBCAOAp2A0\nempty:{PLAIN}\n# comment\nsha:{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=\n", "a.txt": "a" },
  http: `
  limit_req_zone $arg_r zone=requests:1m rate=1r/m;
  limit_conn_zone $arg_c zone=connections:1m;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {
    listen LISTEN;
    location /allowed/ { allow 127.0.0.1; deny all; return 200 "never"; }
    location /denied/ { deny 127.0.0.1; root DIR; }
    location /net/ { allow 127.0.0.0/8; deny all; alias DIR/; }
    location /other/ { allow 10.0.0.0/8; deny all; alias DIR/; }
    location /six/ { deny ::/0; alias DIR/; }
    location /denied/page/ { deny all; error_page 403 /page; }
    location /page { return 200 "page $uri"; }
    location /auth/ { auth_basic "the realm"; auth_basic_user_file DIR/users; alias DIR/; }
    location /auth/off/ { auth_basic off; alias DIR/; }
    location /auth/proxied/ { auth_basic "q\\"uote"; auth_basic_user_file DIR/users; proxy_pass http://BACKEND; proxy_set_header X-User $remote_user; proxy_set_header Connection ""; }
    location /no-file/ { auth_basic x; auth_basic_user_file DIR/none; alias DIR/; }
    location /any/ { satisfy any; deny all; auth_basic x; auth_basic_user_file DIR/users; alias DIR/; }
    location /any-allowed/ { satisfy any; allow 127.0.0.1; deny all; auth_basic x; auth_basic_user_file DIR/users; alias DIR/; }
    location /all/ { satisfy all; allow all; auth_basic x; auth_basic_user_file DIR/users; alias DIR/; }
    location /asked/ { auth_request /ask; auth_request_set $who $upstream_http_x_who; proxy_pass http://BACKEND; proxy_set_header X-Who $who; proxy_set_header Connection ""; add_header X-Who $who; }
    location = /ask { internal; proxy_pass http://BACKEND/asking; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header X-URI $request_uri; proxy_set_header Connection ""; }
    location /asked-here/ { auth_request /status; alias DIR/; }
    location = /status { if ($arg_s) { return 401; } return 204; }
    location /limited/ { limit_req zone=requests; alias DIR/; }
    location /limited-status/ { limit_req zone=requests; limit_req_status 429; alias DIR/; }
    location /limited-dry/ { limit_req zone=requests; limit_req_dry_run on; alias DIR/; add_header X-Limit $limit_req_status; }
    location /connections/ { limit_conn connections 1; alias DIR/; add_header X-Limit $limit_conn_status; }
    location /real/ { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; real_ip_recursive on; return 200 "$remote_addr $realip_remote_addr $http_x_forwarded_for"; }
    location /real-last/ { set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP; return 200 "$remote_addr $realip_remote_addr"; }
    location /methods/ { limit_except GET { deny all; } proxy_pass http://BACKEND; }
  }`,
  answer: (request) => {
    if (!request.target.startsWith("/asking")) return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const status = /x-uri: \/asked\/(\d+)/i.exec(request.text)?.[1] ?? "200";
    return `HTTP/1.1 ${status} Word\r\nX-Who: someone\r\nWWW-Authenticate: Own\r\nContent-Length: 4\r\n\r\nbody`;
  },
  cases: [
    ...["/allowed/", "/denied/a", "/net/a.txt", "/other/a.txt", "/six/a.txt", "/denied/page/", "/auth/a.txt", "/auth/off/a.txt", "/auth/proxied/x", "/no-file/a.txt", "/any/a.txt", "/any-allowed/a.txt", "/all/a.txt"].map((get) => ({ get })),
    ...["user:pass", "user:wrong", "nobody:pass", "user:", ":pass", "user", "empty:", "user:pass:more", "USER:pass", "sha:x"].map((text) => ({ name: `credentials ${text}`, get: "/auth/a.txt", headers: [BASIC(text)] })),
    ...["Basic", "Basic ", "Basic !!!", "basic dXNlcjpwYXNz", "Basic  dXNlcjpwYXNz", "Bearer x", ""].map((value) => ({ name: `Authorization: ${value}`, get: "/auth/a.txt", headers: [`Authorization: ${value}`] })),
    { name: "the user goes on", get: "/auth/proxied/x", headers: [BASIC("user:pass")] },
    ...["/any/a.txt", "/all/a.txt", "/no-file/a.txt"].map((get) => ({ name: `${get} with credentials`, get, headers: [BASIC("user:pass")] })),
    { name: "HEAD without credentials", get: "/auth/a.txt", method: "HEAD" },
    { name: "POST without credentials", get: "/auth/a.txt", method: "POST", body: "hello" },
    ...["200", "201", "204", "401", "403", "404", "500", "302"].map((status) => ({ name: `asked: ${status}`, get: `/asked/${status}` })),
    { name: "asked, with a body", get: "/asked/200", method: "POST", body: "hello" },
    { name: "asked, refused, with a body", get: "/asked/403", method: "POST", body: "hello" },
    { get: "/asked-here/a.txt" }, { get: "/asked-here/a.txt?s=1" }, { get: "/ask" },
    { name: "one of a kind", get: "/limited/a.txt?r=1", headers: ["Connection: close"] },
    { name: "two of a kind", send: "GET /limited/a.txt?r=2 HTTP/1.1\r\nHost: h\r\n\r\nGET /limited/a.txt?r=2 HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { name: "two of a kind, 429", send: "GET /limited-status/a.txt?r=3 HTTP/1.1\r\nHost: h\r\n\r\nGET /limited-status/a.txt?r=3 HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { name: "two of a kind, dry", send: "GET /limited-dry/a.txt?r=4 HTTP/1.1\r\nHost: h\r\n\r\nGET /limited-dry/a.txt?r=4 HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { name: "no key", send: "GET /limited/a.txt HTTP/1.1\r\nHost: h\r\n\r\nGET /limited/a.txt HTTP/1.1\r\nHost: h\r\n\r\n", answers: ["GET", "GET"] },
    { get: "/connections/a.txt?c=1" }, { get: "/connections/a.txt" },
    ...["1.1.1.1", "1.1.1.1, 10.1.1.1", "1.1.1.1, 2.2.2.2, 10.0.0.1", "nonsense", "1.1.1.1, nonsense", "10.0.0.1", "", "1.1.1.1:80", "[::1]:80", "::1", " 1.1.1.1 "].map((value) => ({ name: `X-Forwarded-For: ${value}`, get: "/real/", headers: [`X-Forwarded-For: ${value}`] })),
    { get: "/real-last/", headers: ["X-Real-IP: 9.9.9.9"] }, { name: "X-Real-IP of none", get: "/real-last/" },
    ...["GET", "HEAD", "POST", "PUT"].map((method) => ({ name: `limit_except and ${method}`, get: "/methods/x", method, ...(method === "HEAD" && { answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" }) })),
  ],
};
