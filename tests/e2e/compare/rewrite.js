"use strict";

const served = (paths) => paths.map((get) => ({ get }));

module.exports = {
  name: "rewrite, if, set, return, break",
  files: { "site/index.html": "index", "site/there.txt": "there", "site/folder/index.html": "in the folder", "site/a.html": "page" },
  http: `
  default_type text/plain;
  ALIKE;
  types { text/html html; }
  map $arg_m $mapped { default none; a first; ~^b(.+)$ "second $1"; }
  server {
    listen LISTEN;
    server_name ~^(?<tenant>t[0-9]+)\\.example$ h;
    root DIR/site;

    set $level server;
    rewrite ^/server/(.*)$ /moved/$1;
    rewrite ^/broken/(.*)$ /moved/$1 break;
    if ($http_x_stop) { return 503; }
    if ($arg_away = 1) { rewrite ^ /away?; }

    location / { return 200 "uri:$uri args:$args level:$level tenant:$tenant request:$request_uri"; }
    location /moved/ { return 200 "moved uri:$uri args:$args"; }
    location /away { return 200 "away uri:$uri args:$args"; }

    location /to { rewrite ^ http://example.com/ redirect; }
    location /toadd { rewrite ^ http://example.com/?c=d redirect; }
    location /tono { rewrite ^ http://example.com/?c=d? redirect; }
    location /toscheme { rewrite ^/toscheme/(.*)$ $scheme://example.com/$1; }
    location /topath { rewrite ^/topath/(.*)$ /x/$1 permanent; }
    location /topathno { rewrite ^/topathno/(.*)$ /x/$1? redirect; }
    location /torelative { rewrite ^/torelative/(.*)$ x/$1 redirect; }

    location /code200 { return 200; }
    location /code204 { return 204; }
    location /code301 { return 301 /x?$args; }
    location /code302 { return 302; }
    location /code302text { return 302 "text"; }
    location /crlf { return 302 $uri; }
    location /code303 { return 303 http://example.com/$uri; }
    location /code304 { return 304; }
    location /code307 { return 307 /x; }
    location /code308 { return 308 $scheme://h/; }
    location /code400 { return 400; }
    location /code404text { return 404 "text $uri"; }
    location /code405 { return 405; }
    location /code418 { return 418; }
    location /code418text { return 418 "tea"; }
    location /code429 { return 429; }
    location /code500 { return 500; }
    location /code503text { return 503 ""; }
    location /codeurl { return http://example.com/$arg_a; }
    location /codescheme { return $scheme://example.com$request_uri; }
    location = /typed.html { return 200 "<p>$uri</p>"; }
    location = /typed.xyz { return 200 "plain"; }

    location /capture { rewrite ^(.*) $1?c=d; return 200 "uri:$uri args:$args"; }
    location /capturedup { rewrite ^(.*) $1?c=$1; return 200 "uri:$uri args:$args"; }
    location /captureset { if ($uri ~ ^/captureset(.*)$) { set $rest $1; } return 200 "rest:$rest one:$1"; }
    location /twice { rewrite ^/twice/(.*)$ /one/$1; rewrite ^/one/(.*)$ /two/$1; return 200 "uri:$uri"; }
    location /lose { rewrite ^/lose/(.*)$ /kept/$1; rewrite ^/never/(.*)$ /x; return 200 "one:$1 uri:$uri"; }
    location /last/ { rewrite ^/last/(.*)$ /moved/$1 last; return 200 "never"; }
    location /stay/ { rewrite ^/stay/(.*)$ /there.txt break; return 200 "never"; }
    location /stayed/ { rewrite ^/stayed/(.*)$ /$1; break; }
    location /drop { rewrite ^/drop/(.*)$ /moved/$1? last; }
    location /marks { rewrite ^ /a?b?c=1; return 200 "uri:$uri args:$args"; }
    location /empty { rewrite ^/empty(.*)$ $1; return 200 "uri:$uri"; }
    location /cycle { rewrite ^ /cycle last; }
    location /named/ { rewrite ^/named/(?<first>\\w+)/(?<second>\\w+)$ /x; return 200 "$first $second $1 $2"; }
    location ~ ^/outer/(?<o>\\w+)/ { location ~ /(?<i>\\w+)$ { return 200 "o:$o i:$i one:$1"; } return 200 "outer $o $1"; }

    location /setargs { set $args "x=1&y=$arg_y"; return 200 "uri:$uri args:$args is:$is_args y:$arg_y q:$query_string"; }
    location /setrate { if ($arg_a) { set $limit_rate $arg_a; } return 200 "$limit_rate"; }
    location /setmap { set $mapped changed; return 200 "$mapped"; }
    location /map { return 200 "$mapped"; }
    location /unset { if ($arg_a) { set $never a; } return 200 "never:$never"; }
    location /late { set $a $b; set $b 1; return 200 "a:$a b:$b"; }
    location /brace { set $a x; return 200 "\${a}y $a\\y \${a}"; }

    location /if/value { if ($arg_a) { return 200 yes; } return 200 no; }
    location /if/equal { if ($arg_a = b) { return 200 yes; } return 200 no; }
    location /if/unequal { if ($arg_a != b) { return 200 yes; } return 200 no; }
    location /if/other { set $o b; if ($arg_a = "$o c") { return 200 yes; } return 200 no; }
    location /if/regex { if ($arg_a ~ ^B(.)$) { return 200 "yes $1"; } return 200 "no $1"; }
    location /if/nocase { if ($arg_a ~* "^B(.)$") { return 200 "yes $1"; } return 200 no; }
    location /if/not { if ($arg_a !~ ^b) { return 200 yes; } return 200 no; }
    location /if/nocasenot { if ( $arg_a !~* ^b ) { return 200 yes; } return 200 no; }
    location /if/file { if (-f $document_root/$arg_a) { return 200 yes; } return 200 no; }
    location /if/nofile { if (!-f $document_root/$arg_a) { return 200 yes; } return 200 no; }
    location /if/folder { if (-d $document_root/$arg_a) { return 200 yes; } return 200 no; }
    location /if/exists { if (-e $document_root/$arg_a) { return 200 yes; } return 200 no; }
    location /if/notexists { if (!-e $document_root/$arg_a) { return 200 yes; } return 200 no; }
    location /if/executable { if (-x $document_root/$arg_a) { return 200 yes; } return 200 no; }
    location /if/two { set $r ""; if ($arg_a) { set $r a; } if ($arg_b) { set $r "\${r}b"; } return 200 "r:$r"; }
    location /if/header { add_header X-A outer; if ($arg_a) { add_header X-A inner; } if ($arg_b) { add_header X-B inner; } rewrite ^ /there.txt break; }
    location /if/root { root DIR; if ($arg_a) { root DIR/site; } rewrite ^ /there.txt break; }
    location /if/break { if ($arg_a) { break; } return 200 "went on"; }
    location /if/last { if ($arg_a) { rewrite ^ /moved/if last; } return 200 "went on"; }

    location /return405 { return 405; }
    location /return200text { return 200 "text"; }
    location /return302text { return 302 "text"; }
    location /error404return405 { error_page 404 /return405; return 404; }
    location /error405return204 { error_page 405 /code204; return 405; }
    location /error405return200 { error_page 405 /code200; return 405; }
    location /error405return200text { error_page 405 /return200text; return 405; }
    location /error302return200text { error_page 302 /return200text; return 302 "text"; }
    location /error405return302text { error_page 405 /return302text; return 405; }
    location /error405rewrite { error_page 405 /to; return 405; }
    location /error405directory { error_page 405 /folder; return 405; }
    location /error404named { error_page 404 @named; return 404; }
    location @named { set $args named=1; rewrite ^ /away last; }
    location /textwins { error_page 404 /return200text; return 404 "own"; }
    location /if/error { error_page 404 /return405; if ($arg_a) { error_page 404 /return200text; return 404; } return 404; }
    location /if/nested { location /if/nested/in { if ($arg_a) { return 200 "in $arg_a"; } return 200 "in"; } if ($arg_a) { return 200 "out $arg_a"; } return 200 "out"; }
    location /folder { }
    location /breakproxy { rewrite ^ /code200; break; proxy_pass http://BACKEND/return204; }
    location /pass/ { proxy_pass http://BACKEND; rewrite ^/pass/(.*)$ /new/$1 break; }
    location /passuri/ { proxy_pass http://BACKEND/under/; }
    location /passuribreak/ { rewrite ^/passuribreak/(.*)$ /new/$1 break; proxy_pass http://BACKEND/under/; }
    location /passargs/ { set $args "z=$arg_z"; proxy_pass http://BACKEND; }
    location /passuriargs/ { set $args "z=$arg_z"; proxy_pass http://BACKEND/x/; }
    location /passif/ { if ($arg_a) { proxy_pass http://BACKEND; } return 200 "no"; }
    location /passifuri/ { proxy_pass http://BACKEND/under/; if ($arg_a) { set $x 1; } }
    location /passfirst/ { rewrite ^/passfirst/(.*)$ /passuri/$1 last; }
    location /passplain/ { proxy_pass http://BACKEND; }
    location ~ ^/passtext(?<tail>[^?]*)$ { proxy_pass http://BACKEND$tail; }
  }`,
  cases: [
    ...served(["/", "/a?b=c", "/server/x?a=1", "/server/", "/broken/x?y", "/x?away=1&b=2", "/a%20b?c%20d"]),
    { name: "a server name's group", get: "/", host: "t42.example" },
    { name: "a server's if", get: "/", headers: ["X-Stop: 1"] },
    { name: "a server's if that does not hold", get: "/", headers: ["X-Stop: 0"] },
    ...served([
      "/to", "/to?a=b", "/toadd", "/toadd?a=b", "/tono?a=b", "/toscheme/a%20b%3fc?d=e", "/toscheme/a+b%2541", "/topath/a?b=c", "/topath/%C3%A9%41~",
      "/topathno/a?b=c", "/torelative/a?b",
    ]),
    ...served([
      "/code200", "/code301?a=b", "/code302", "/code302text", "/code303", "/code307", "/code308", "/code400", "/code404text",
      "/code405", "/code418text", "/code429", "/code500", "/code503text", "/codeurl?a=b", "/codeurl", "/codescheme?x=y", "/typed.html", "/typed.xyz",
    ]),
    { get: "/code418" },
    { get: "/passtext/a%20b%0d%0aX-A:b", differs: "Nor have they, a blank or a `#` one in a request target", hawser: /a%20b%0D%0AX-A:b/ },
    { get: "/crlf/%0d%0aX-A:b", differs: "A line break has no place in a Location", hawser: /%0D%0AX-A:b/ },
    { name: "204", get: "/code204" },
    { name: "304", get: "/code304", differs: "A 304 says nothing of a content that it does not have" },
    { name: "a return to a HEAD", get: "/code404text", method: "HEAD" },
    { name: "a return to a POST", get: "/code404text", method: "POST", body: "abc" },
    { name: "a redirect for a Host with a port", get: "/code307", host: "example.org:81" },
    { name: "a redirect without a Host", get: "/code307", version: "1.0", host: null },
    ...served([
      "/capture/%25?a=b", "/capturedup/%25?a=b", "/capturedup/a+b", "/capturedup/a&b?x", "/captureset/a%20b&c", "/captureset/a b", "/captureset", "/twice/x", "/lose/x",
      "/last/a?b=c", "/stay/x", "/stayed/there.txt", "/stayed/nothing", "/drop/a?b=c", "/marks?z", "/empty", "/emptyx", "/cycle", "/named/ab/cd",
      "/outer/ab/cd", "/outer/ab/", "/outer/ab/c-d",
    ]),
    ...served([
      "/error404return405", "/error405return204", "/error405return200", "/error405return200text", "/error302return200text", "/error405return302text", "/error405rewrite?a=b",
      "/error405directory", "/error404named?x", "/textwins", "/if/error", "/if/error?a=1", "/if/nested", "/if/nested?a=1", "/if/nested/in", "/if/nested/in?a=1", "/breakproxy",
    ]),
    ...served(["/setargs?y=2&z=3", "/setmap?m=a", "/setrate", "/setrate?a=64k", "/setrate?a=0", "/setrate?a=100000", "/setrate?a=x", "/unset", "/unset?a=1", "/late", "/brace"]),
    ...served([
      "/if/value", "/if/value?a", "/if/value?a=", "/if/value?a=0", "/if/value?a=00", "/if/value?a=1", "/if/equal?a=b", "/if/equal?a=c", "/if/equal", "/if/unequal?a=b",
      "/if/unequal", "/if/other?a=b%20c", "/if/regex?a=Bx", "/if/regex?a=bx", "/if/nocase?a=bX", "/if/nocase?a=b", "/if/not?a=b", "/if/not?a=c", "/if/nocasenot?a=B",
      "/if/nocasenot?a=C", "/if/file?a=there.txt", "/if/file?a=folder", "/if/file?a=x", "/if/nofile?a=there.txt", "/if/nofile?a=folder", "/if/folder?a=folder",
      "/if/folder?a=there.txt", "/if/exists?a=folder", "/if/exists?a=x", "/if/notexists?a=x", "/if/executable?a=there.txt", "/if/executable?a=folder",
      "/if/two", "/if/two?a=1", "/if/two?b=1", "/if/two?a=1&b=1", "/if/header", "/if/header?a=1", "/if/header?b=1", "/if/header?a=1&b=1", "/if/root", "/if/root?a=1",
      "/if/break", "/if/break?a=1", "/if/last", "/if/last?a=1",
    ]),
    ...served([
      "/pass/a%20b?c=d", "/passuri/a%20b?c=d", "/passuri/a//b", "/passuribreak/a?b", "/passargs/a%2fb?z=1&y=2", "/passuriargs/a?z=1&y=2", "/passif/a", "/passif/a?a=1", "/passif/a%41/../b?a=1",
      "/passifuri/a?a=1", "/passifuri/a", "/passfirst/a%20b?c", "/passplain/a%20b/../%63?d", "/server/../passplain/x",
    ]),
  ],
};
