"use strict";
// Who is asked for a password: auth_basic, and satisfy.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { describe, test } = require("node:test");
const { until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask } = require("./lib/wire.js");

const basic = (user, password) => `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const get = (target, ...lines) => `GET ${target} HTTP/1.0\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const fetched = (t, hawser, target, ...lines) => ask(t, hawser.port, get(target, ...lines));

const htpasswd = `# users
crypt:sa3tHJ3/KuYvI
crypt1:$1$salt$qJH7.N4xYta3aEG/dfqo/0:comment
crypt2:$1$
sha512:$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/
bcrypt:$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm\r
apr1:$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.
apr12:$apr1$
plain:{PLAIN}password
ssha:{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0
ssha2:{SSHA}_____wQadOA1e+/f+T+H3eCQQhRzYWx0
ssha3:{SSHA}Zm9vCg==
sha:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=
sha2:{SHA}_____Mm5Pz8GgiULbPgzG37mj9g=
last:{PLAIN}password`;

const config = ({ port, folder }) => `error_log stderr info; http { add_header X-User "[$remote_user]" always; server { listen 127.0.0.1:${port}; root ${folder};
  auth_basic "closed site"; auth_basic_user_file htpasswd;
  location / { }
  location /inner { auth_basic off; }
  location /var { auth_basic_user_file $arg_f; }
  location /realm { auth_basic "for $host"; }
  location /any { satisfy any; set_real_ip_from 127.0.0.1; allow 192.0.2.1; deny all; }
  location /all { set_real_ip_from 127.0.0.1; allow 192.0.2.1; deny all; }
  location /page { error_page 401 /inner; }
  location /large { auth_basic_user_file large; } } }`;
const files = { htpasswd, inner: "inside", var: "x", realm: "x", any: "x", all: "x", "index.html": "x", page: "x", large: "" };

describe("auth_basic", () => {
  test("asks for a password and takes the right one", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const refused = await fetched(t, hawser, "/");
    assert.equal(refused.status, 401);
    assert.equal(refused.get("www-authenticate"), 'Basic realm="closed site"');
    assert.match(refused.body, /401 Authorization Required/);
    assert.equal((await fetched(t, hawser, "/realm")).get("www-authenticate"), 'Basic realm="for h"');
    for (const user of ["crypt", "crypt1", "sha512", "bcrypt", "apr1", "plain", "ssha", "sha", "last"])
      for (let i = 0; i < 2; i++) {
        const answer = await fetched(t, hawser, "/", basic(user, "password"));
        assert.equal(answer.status, 200, user);
        assert.equal(answer.get("x-user"), `[${user}]`);
        assert.equal((await fetched(t, hawser, "/", basic(user, "passwort"))).status, 401, user);
      }
    for (const user of ["crypt2", "apr12", "ssha2", "ssha3", "sha2", "nobody", "# users", "", "comment"])
      assert.equal((await fetched(t, hawser, "/", basic(user, "1"))).status, 401, user);
    for (const field of ["Basic", "Basic !", "Bearer x", "Basic cGxhaW4="])
      assert.equal((await fetched(t, hawser, "/", `Authorization: ${field}`)).status, 401, field);
    await until(() => /user "apr1": password mismatch, client: /.test(hawser.log), "the log's line");
    await until(() => /user "nobody" was not found in "\/.*\/htpasswd", client: /.test(hawser.log), "the log's line");
    await until(() => /no user\/password was provided for basic authentication/.test(hawser.log), "the log's line");
  });

  test("is off where that is said, and files may be named by variables", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const who = basic("plain", "password");
    assert.equal((await fetched(t, hawser, "/inner")).status, 200);
    assert.equal((await fetched(t, hawser, "/var?f=htpasswd", who)).status, 200);
    assert.equal((await fetched(t, hawser, "/var?f=nx", who)).status, 403);
    assert.equal((await fetched(t, hawser, "/var", who)).status, 500);
    await until(() => /\[error\].* open\(\) "\/.*\/nx" failed \(2: No such file or directory\)/.test(hawser.log), "the log's line");
    const page = await fetched(t, hawser, "/page");
    assert.deepEqual([page.status, page.body, page.get("www-authenticate")], [401, "inside", 'Basic realm="closed site"']);
  });

  test("sees a change of the file at once, however long it is", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const who = basic("late", "password");
    assert.equal((await fetched(t, hawser, "/large", who)).status, 401);
    const many = Array.from({ length: 20000 }, (_, i) => `user${i}:{PLAIN}x\n`).join("");
    fs.writeFileSync(path.join(hawser.folder, "large"), `${many}${"y".repeat(70000)}\nlate:{PLAIN}password`);
    assert.equal((await fetched(t, hawser, "/large", who)).status, 200);
    assert.equal((await fetched(t, hawser, "/large", basic("user12345", "x"))).status, 200);
    fs.writeFileSync(path.join(hawser.folder, "large"), "late:{PLAIN}other");
    assert.equal((await fetched(t, hawser, "/large", who)).status, 401);
  });

  test("and addresses: satisfy any and all", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const who = basic("plain", "password");
    const ours = "X-Real-IP: 192.0.2.1";
    const got = async (...request) => (await fetched(t, hawser, ...request)).status;
    assert.deepEqual([await got("/any"), await got("/any", ours), await got("/any", who), await got("/any", basic("plain", "x"))], [401, 200, 200, 401]);
    assert.deepEqual([await got("/all"), await got("/all", ours), await got("/all", who), await got("/all", who, ours)], [403, 401, 403, 200]);
    assert.equal((await fetched(t, hawser, "/any", ours)).get("www-authenticate"), undefined);
  });
});
