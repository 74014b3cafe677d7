#include "dialect/nginx/refusal.h"

/* Families by the beginning of their names, the longer before the shorter: '.' at the end is the whole name. */

struct family {
    const char *names;
    const char *hint;
};

static const char http_alone[] =
    "hawser passes requests to HTTP servers alone: let one run the application and name it in proxy_pass";
static const char no_cache[] =
    "answers are not kept here: put a cache before hawser, as nginx with proxy_cache";
static const char no_script[] =
    "there are no scripts here: \"map\", \"set\", \"if\" and \"rewrite\" choose values and paths";
static const char no_media[] = "files are sent as they are, with ranges, which players ask for";
static const char no_token[] = "auth_request asks a server of yours, which can look at the token";
static const char no_change[] = "answers are passed on as they are: let the application change them";
static const char no_listing[] = "name an \"index\", or let a server of yours make the page";
static const char no_geo[] = "\"geo\" chooses a value by the client's address";
static const char only_freebsd[] = "remove it: it is for FreeBSD";
static const char no_shared[] =
    "\"map\" chooses values, and a reload takes new ones without ending a connection";

static const struct family families[] = {
    {"fastcgi_", http_alone},
    {"uwsgi_", "uwsgi speaks HTTP too: start it with --http-socket and name that in proxy_pass"},
    {"scgi_", http_alone},
    {"grpc_", "hawser speaks HTTP/1.1 to servers, and gRPC needs HTTP/2; gRPC-Web passes through proxy_pass"},
    {"memcached_", http_alone},
    {"tunnel_pass.", "hawser is no forward proxy; WebSocket tunnels need no directive"},
    {"geoip_", no_geo},
    {"js_", no_script},
    {"perl", no_script},
    {"proxy_cache", no_cache},
    {"proxy_no_cache.", no_cache},
    {"proxy_store", no_cache},
    {"slice.", no_cache},
    {"open_file_cache", "files are opened anew for each request, which costs little"},
    {"auth_jwt", no_token},
    {"auth_oidc.", no_token},
    {"oidc_provider.", no_token},
    {"auth_require.", no_token},
    {"flv.", no_media},
    {"mp4", no_media},
    {"hls", no_media},
    {"f4f", no_media},
    {"image_filter", no_change},
    {"xslt_", no_change},
    {"xml_entities.", no_change},
    {"sub_filter", no_change},
    {"add_before_body.", no_change},
    {"add_after_body.", no_change},
    {"addition_types.", no_change},
    {"ssi_", "pages are sent as they are, the commands in them unread"},
    {"charset", "write the charset into the type: types { \"text/html; charset=utf-8\" html; }"},
    {"source_charset.", "files are sent in the charset that they are written in"},
    {"autoindex", no_listing},
    {"random_index.", no_listing},
    {"dav_", "a WebDAV server can stand behind proxy_pass"},
    {"create_full_put_path.", "a WebDAV server can stand behind proxy_pass"},
    {"min_delete_depth.", "a WebDAV server can stand behind proxy_pass"},
    {"empty_gif.", "return 204; answers without a body"},
    {"mirror", "let the application send a copy"},
    {"userid", "sticky cookie gives clients a cookie that keeps them on their server"},
    {"secure_link", no_token},
    {"valid_referers.", "map $http_referer to a variable, and \"if\" decides by it"},
    {"disable_symlinks.", "let the user that hawser runs as have no right to what lies elsewhere"},
    {"keyval", no_shared},
    {"zone_sync", no_shared},
    {"num_map.", no_shared},
    {"session_log", "access_log writes a line a request, with $socketio_sid in it where you want"},
    {"api.", "metrics and status_api tell the counters, of everything"},
    {"status_zone.", "metrics and status_api tell the counters, of everything"},
    {"otel_", "access_log with variables goes to syslog, from where a collector takes it"},
    {"acme_", "let certbot or lego fetch the certificates and reload hawser"},
    {"mgmt", "remove it: there is no such agent here"},
    {"http3", "clients then speak HTTP/1.1"},
    {"quic_", "clients then speak HTTP/1.1"},
    {"http2_", "clients then speak HTTP/1.1"},
    {"internal_redirect.", "\"rewrite ... last\" or \"try_files\" leads to another location"},
    {"proxy_allow_upstream.", "\"map\" chooses by what it would be told, and \"if\" answers 403 by that"},
    {"post_action.", "let the application do what is to follow; access_log tells of each request"},
    {"send_lowat.", only_freebsd},
    {"proxy_send_lowat.", only_freebsd},
    {"ssl_ech_file.", "remove it: clients then name the server openly"},
    {"mqtt", "MQTT passes as any TCP connection does, unread: remove it"},
    {"proxy_session_drop.", "\"on_down close\" in the upstream ends connections of a server that went down"},
    {"proxy_protocol.", "from clients it is a word of \"listen\"; towards servers it stands in stream { }"},
    {"websocket_pass.", "proxy_pass passes WebSocket connections on without any further directive"},
};

static bool is_in(struct str name, struct str names) {
    bool is_whole = str_ends(names, STR("."));
    if (is_whole)
        names.len--;
    return is_whole ? str_eq(name, names) : str_starts(name, names);
}

const char *refusal_hint(struct str name) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (is_in(name, str_of(families[i].names)))
            return families[i].hint;
    return NULL;
}
