#ifndef MODEL_SITE_H
#define MODEL_SITE_H

#include "model/route.h"
#include "model/tls.h"

/* A server block: names and routes; and where it listens. */

struct site_name_regex {
    struct regex *regex;
    struct site *site;
};

struct site {
    struct place place;
    unsigned number;       /* among the model's */
    VEC(struct str) names; /* as written, lower case */
    struct route fallback; /* the server level itself, as a route: what holds outside every location */
    struct route_table routes;
    struct map named;                              /* "@name" -> struct route * */
    uint64_t client_header_timeout_ms;             /* 60,000: for the whole head */
    uint64_t proxy_protocol_timeout_ms;            /* of streams: 30,000: for the header before all else */
    size_t client_header_buffer_bytes;             /* 1 KiB */
    size_t large_buffer_bytes, large_buffer_count; /* 8 KiB, 4: a line, and their sum the whole head */
    uint64_t max_headers;                          /* 128: fields of a head */
    bool merges_slashes;                           /* true: "//" in a path is "/" */
    bool drops_odd_headers; /* true: fields whose names have more than letters, digits and '-' do not count */
    bool takes_underscores; /* false: '_' is in names as good as a letter */
    struct tls_site tls;
};

/* What is asked of the sockets of an address; 0 and false: as is usual. */
struct listen_options {
    int backlog;
    size_t send_bytes, receive_bytes;
    enum { KEEPALIVE_USUAL, KEEPALIVE_ON, KEEPALIVE_OFF } keepalive;
    int keepalive_idle_s, keepalive_interval_s, keepalive_probes; /* 0: the usual ones */
    int fastopen;                                                 /* length of TCP Fast Open's queue */
    bool is_deferred;                                             /* accepted when the first bytes are there */
    bool is_dual;                                                 /* an IPv6 address that takes IPv4 as well */
};

/* One address and the sites on it. */
struct listen {
    struct place place;
    struct str text; /* canonical: "0.0.0.0:80", "[::]:80", "127.0.0.1:3000", "unix:/path" */
    struct str host; /* "0.0.0.0", "::", a literal, or the unix path */
    uint16_t port;
    bool is_unix;
    bool is_secure;          /* ssl */
    bool is_stream;          /* connections are passed on as they are */
    bool has_proxy_protocol; /* its header comes first, and is required */
    struct listen_options options;
    struct site *default_site; /* default_server, or the first */
    struct map exact;          /* server_name -> struct site * */
    struct map suffixes;       /* "*.example.com" and ".example.com": ".example.com" -> site */
    struct map prefixes;       /* "www.example.*": "www.example." -> site */
    VEC(struct site_name_regex) regexes;
};

/* For those who build: adds one of a site's names ("x", "*.x", ".x", "x.*"), with `regex` for one given as
 * "~regex". A name that another site has on this address already stays that one's: SITE_NAME_TAKEN. */
enum site_name_added { SITE_NAME_ADDED, SITE_NAME_TAKEN, SITE_NAME_NO_MEMORY };
enum site_name_added listen_add_name(struct listen *listen, struct site *site, struct str name,
                                     struct regex *regex, struct arena *arena);

/* What logs and $server_name call the site: its first name, ".x" without the dot; "" when it has none. */
struct str site_name(const struct site *site);

/* nginx's choice for a Host (lower case, no port): exact, longest "*.x", longest "x.*", first regex, default.
 */
const struct site *listen_find_site(const struct listen *listen, struct str host, struct regex_match *captures);

#endif
