"use strict";

const HOST = "A Host is one that RFC 3986 3.2.2 knows";
const TARGET = "Behind an absolute target, `$http_host` and what goes to the backend are the target's host";

const send = (host) => ({ name: JSON.stringify(host), get: "/", host });
const absolute = (target, host = "h") => ({ name: `target ${target}, Host ${host}`, get: target, host });

module.exports = {
  name: "hosts and server names",
  http: `
  server { listen LISTEN; server_name first.test www.first.test; location / { return 200 "first host=$host name=$server_name http_host=$http_host"; } }
  server { listen LISTEN default_server; server_name _; location / { return 200 "default host=$host name=$server_name"; } }
  server { listen LISTEN; server_name *.wild.test; location / { return 200 "wild host=$host name=$server_name"; } }
  server { listen LISTEN; server_name .dot.test; location / { return 200 "dot host=$host name=$server_name"; } }
  server { listen LISTEN; server_name mail.*; location / { return 200 "tail host=$host name=$server_name"; } }
  server { listen LISTEN; server_name deep.wild.test; location / { return 200 "deep host=$host"; } }
  server { listen LISTEN; server_name ~^(?<sub>.+)\\.regex\\.test$; location / { return 200 "regex sub=$sub host=$host name=$server_name"; } }
  server { listen LISTEN; server_name ~^r(\\d+)\\.; location / { return 200 "number $1 host=$host"; } }
  server { listen LISTEN; server_name ""; location / { return 200 "none host=$host name=$server_name"; } }
  server { listen LISTEN; server_name UPPER.test; location / { return 200 "upper host=$host name=$server_name"; } }`,
  cases: [
    ...["first.test", "WWW.First.TEST", "first.test:8080", "first.test.", "first.test.:80", "other.test", "a.wild.test", "a.b.wild.test", "wild.test", "deep.wild.test",
      "dot.test", "a.dot.test", "mail.x", "mail.x.y", "mail", "a.regex.test", "A.B.Regex.test", "r12.x", "upper.test", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:80", "[2001:DB8::1]:443",
      "", "_", "a_b.test", "*", "-", "a..b", ".", "..", ".a", "a b", "a/b", "a:", ":80", "::1", "[v1.a:b]", "a%41", "a,b", "xn--bcher-kva.test",
    ].map(send),
    ...["a\\b", "a:b", "a:80:80", "a:99999", "a@b", "[::1", "[::1]x", "[::1%25eth0]", 'a"b', "a\x80b"].map((host) => ({ ...send(host), differs: HOST, hawser: /400 Bad/ })),
    { name: "no Host", send: "GET / HTTP/1.1\r\n\r\n" },
    { name: "no Host in HTTP/1.0", send: "GET / HTTP/1.0\r\n\r\n" },
    { name: "an empty Host in HTTP/1.0", send: "GET / HTTP/1.0\r\nHost:\r\n\r\n" },
    { name: "two Hosts", send: "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
    ...["http://first.test/", "http://first.test", "http://FIRST.test:80/x?y", "http://first.test?x", "HTTP://first.test/", "https://first.test/", "http://first.test:/"].map((target) => ({
      ...absolute(target), differs: TARGET, hawser: /first host=first.test name=first.test http_host=first.test/i })),
    absolute("http://first.test/", "first.test"), absolute("http://a.wild.test/x?y"), { ...absolute("ftp://first.test/"), differs: HOST, hawser: /400 Bad/ },
    absolute("http://a.wild.test/", "first.test"), absolute("http:///x"), absolute("http://"), absolute("http://a@b/"), absolute("http://[::1]:80/"),
  ],
};
