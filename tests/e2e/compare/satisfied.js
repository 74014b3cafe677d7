"use strict";

const BASIC = (text, scheme = "Basic ") => `Authorization: ${scheme}${Buffer.from(text).toString("base64")}`;
const FIELDS = [null, BASIC("plain:password"), BASIC("plain:x"), BASIC("nobody:x"), BASIC("empty:"), BASIC("nopass:"), BASIC(":"), BASIC("plain"), BASIC("plain:password", "basic "), BASIC("plain:password", "Basic  "), "Authorization: Basic", "Authorization: Basic !!!", "Authorization: Digest x"];
const AUTH = "auth_basic x; auth_basic_user_file DIR/users;";
const asked = (get, method, field) => ({ get, method, headers: field === null ? [] : [field], name: [method, get, field ?? "without"].join(" ") });

module.exports = {
  name: "what satisfies, where, and for which method",
  files: { users: "plain:{PLAIN}password\nempty:\nnopass\n", "index.html": "seen" },
  http: `server {
    listen LISTEN;
    root DIR;
    location /closed/ { auth_basic "closed site"; auth_basic_user_file DIR/users; alias DIR/;
      location /closed/inner/ { auth_basic off; alias DIR/; }
      location /closed/var/ { auth_basic_user_file $arg_f; alias DIR/; } }
    location /any-denied/ { satisfy any; deny all; ${AUTH} alias DIR/; }
    location /any-allowed/ { satisfy any; allow 127.0.0.1; deny all; ${AUTH} alias DIR/; }
    location /all/ { satisfy all; allow all; ${AUTH} alias DIR/; }
    location /asked/ { satisfy any; deny all; auth_request /yes; alias DIR/; }
    location /both/ { satisfy any; ${AUTH} auth_request /401; alias DIR/; }
    location /broken/ { satisfy any; deny all; auth_request /500; alias DIR/; }
    location /no-file/ { satisfy any; deny all; auth_basic x; auth_basic_user_file DIR/nosuch; alias DIR/; }
    location /before/ { satisfy any; deny all; return 200 "before all that"; }
    location /limit/ { limit_except GET { deny all; } alias DIR/; }
    location /limit-auth/ { limit_except GET POST { auth_basic l; auth_basic_user_file DIR/users; } alias DIR/; }
    location /limit-page/ { limit_except POST { allow 10.0.0.1; deny all; } error_page 403 = /page; alias DIR/; }
    location /limit-off/ { ${AUTH} limit_except GET { auth_basic off; } alias DIR/; }
    location /page { return 200 "page for $request_method"; }
    location = /yes { return 204; } location = /401 { return 401; } location = /500 { return 500; }
  }`,
  cases: [
    ...["/closed/", "/closed/inner/", "/closed/var/?f=users", "/closed/var/?f=none", "/closed/var/", "/any-denied/", "/both/"].flatMap((get) => FIELDS.map((field) => asked(get, "GET", field))),
    ...["/any-allowed/", "/all/", "/asked/", "/broken/", "/no-file/", "/before/", "/limit/", "/limit-auth/", "/limit-page/", "/limit-off/"].flatMap((get) => ["GET", "HEAD", "POST", "PUT", "DELETE"].flatMap((method) => FIELDS.slice(0, 2).map((field) => asked(get, method, field)))),
  ],
};
