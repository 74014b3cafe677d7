"use strict";

const served = (paths) => paths.map((get) => ({ get }));
const clients = Array.from({ length: 60 }, (_, i) => `/split?c=${"client".repeat(i % 4)}${i * i}`);

module.exports = {
  name: "map, split_clients, geo",
  files: { "more.map": "included in;\n~^inc(.+)$ $1;\n", "more.geo": "198.51.100.0/24 documented;\n" },
  http: `
  default_type text/plain;
  map $arg_k $plain { default none; a first; "b c" blanks; \\default word; \\~tilde tilde; "" empty; include DIR/more.map; }
  map $arg_k $regex { ~^x(?<rest>.*)$ "rest $rest"; ~*^Y(.)(.)?$ "$2 $1"; z $arg_z; ~z later; }
  map $host $hosts { hostnames; default none; h.example self; *.h.example all; *.a.h.example deep; .both.example both; end.* end; ~^re(\\d+)\\. regex$1; }
  map $arg_k$arg_j $two { default "$arg_k and $arg_j"; ab both; }
  map $uri $sticky { default other; ~^/(\\w+) $1; }
  map $uri $moves { volatile; default other; ~^/(\\w+) $1; }
  map $plain $chain { none "no $regex"; default "yes $plain"; }
  map $arg_k $http_made { default made; }
  split_clients $arg_c $share { 10% ten; 0.5% half; .01% tiny; 33.33% third; * rest; }
  split_clients "x$arg_c" $partly { 50% half; }
  geo $arg_ip $place { default nowhere; 192.0.2.0/24 net; 192.0.2.128/25 half; 192.0.2.200 one; 2001:db8::/32 six; 2001:db8:1::/48 deeper; 10.0.0.0/8 ten; include DIR/more.geo; }
  geo $arg_ip $range { ranges; default none; 127.0.0.0-127.0.0.255 test; 127.0.0.1-127.0.0.2 two; 127.0.0.1-127.0.0.1 one; 10.10.3.0-10.11.2.255 foo; 10.12.3.0-10.13.2.255 foo2;
    delete 10.10.3.0-10.11.2.255; 0.0.0.0-0.0.0.0 least; 255.255.255.0-255.255.255.254 most; }
  geo $arg_ip $deleted { default none; 10.0.0.0/8 ten; 10.1.0.0/16 one; delete 10.1.0.0/16; }
  geo $behind { default none; proxy 127.0.0.0/8; 127.0.0.0/8 near; 192.0.2.0/24 test; }
  geo $behind_all { default none; proxy 127.0.0.0/8; proxy 198.51.100.0/24; proxy_recursive; 127.0.0.0/8 near; 192.0.2.0/24 test; }
  geo $near { default far; 127.0.0.0/8 near; }
  server {
    listen LISTEN;
    location /plain { return 200 "$plain"; }
    location /regex { return 200 "$regex"; }
    location /hosts { return 200 "$hosts"; }
    location /two { return 200 "$two"; }
    location /chain { return 200 "$chain"; }
    location /made { return 200 "$http_made"; }
    location /keep { set $a "$sticky $moves"; rewrite ^ /moved; set $b "$sticky $moves"; return 200 "$a, $b"; }
    location /set { set $plain changed; return 200 "$plain"; }
    location /setlate { set $a $plain; set $plain changed; return 200 "$a $plain"; }
    location /split { return 200 "$share $partly"; }
    location /geo { return 200 "$place $near"; }
    location /range { return 200 "$range $deleted"; }
    location /behind { return 200 "$behind $behind_all"; }
  }`,
  cases: [
    ...served([
      "/plain?k=a", "/plain?k=A", "/plain?k=b", "/plain", "/plain?k=default", "/plain?k=~tilde", "/plain?k=included", "/plain?k=incX", "/plain?k=\\default",
      "/regex?k=xyz", "/regex?k=x", "/regex?k=yab", "/regex?k=YA", "/regex?k=z&z=t", "/regex?k=zz", "/regex?k=none", "/two?k=a&j=b", "/two?k=c&j=d", "/two",
      "/chain", "/chain?k=a", "/chain?k=xyz", "/keep", "/set?k=a", "/setlate?k=a",
    ]),
    { name: "a map named as a field", get: "/made", headers: ["Made: by hand"] },
    ...["h.example", "H.Example", "x.h.example", "x.a.h.example", "a.h.example", "both.example", "x.both.example", "end.example", "xend.example", "re12.x", "h.example:81", "h.example."].map((host) => ({
      name: `the host ${host}`, get: "/hosts", host })),
    ...served(clients),
    ...served(["/split", "/split?c=a"]),
    ...served(["127.0.0.0", "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.255", "127.0.1.0", "126.255.255.255", "10.10.3.0", "10.12.3.0", "10.13.2.255", "10.13.3.0", "0.0.0.0", "0.0.0.1",
      "255.255.255.255", "255.255.255.254", "::1", "::ffff:127.0.0.1", "x", "10.1.0.1", "10.2.0.1"].map((ip) => `/range?ip=${ip}`)),
    ...["192.0.2.1", "10.0.0.1", "10.0.0.1, 192.0.2.1", "192.0.2.1, 127.0.0.1", "192.0.2.1,198.51.100.1 , 127.0.0.1", "192.0.2.1, x", "x, 127.0.0.1", "", ","].map((list) => ({
      name: `forwarded for ${list}`, get: "/behind", headers: [`X-Forwarded-For: ${list}`] })),
    { name: "forwarded twice", get: "/behind", headers: ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 127.0.0.1"] },
    { name: "not forwarded", get: "/behind" },
    ...served([
      "/geo", "/geo?ip=192.0.2.1", "/geo?ip=192.0.2.127", "/geo?ip=192.0.2.128", "/geo?ip=192.0.2.200", "/geo?ip=192.0.3.1", "/geo?ip=2001:db8::1", "/geo?ip=2001:db8:1::1",
      "/geo?ip=2001:db9::1", "/geo?ip=10.255.0.1", "/geo?ip=198.51.100.7", "/geo?ip=nonsense", "/geo?ip=192.0.2.0/24", "/geo?ip=::ffff:192.0.2.1",
    ]),
  ],
};
