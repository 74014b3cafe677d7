#include "model/variable.h"

struct known {
    struct str name;
    enum variable_id id;
};

static const struct known whole[] = {
#define VARIABLE(id, name) {{"" name, sizeof(name) - 1}, VARIABLE_##id},
#define PREFIX(id, name)
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
};

static const struct known prefixes[] = {
#define VARIABLE(id, name)
#define PREFIX(id, name) {{"" name, sizeof(name) - 1}, VARIABLE_##id},
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
};

static const struct str names[] = {
#define VARIABLE(id, name) {"" name, sizeof(name) - 1},
#define PREFIX(id, name) {"" name, sizeof(name) - 1},
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
};

struct variable variable_find(struct str name) {
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (str_eq(whole[i].name, name))
            return (struct variable){.id = whole[i].id, .name = whole[i].name};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(name, prefixes[i].name) && name.len > prefixes[i].name.len)
            return (struct variable){.id = prefixes[i].id, .name = str_from(name, prefixes[i].name.len)};
    return (struct variable){.id = VARIABLE_NONE};
}

/* Of both, then of streams alone; all others are http's. */
static const enum variable_id of_both[] = {
    VARIABLE_BINARY_REMOTE_ADDR,
    VARIABLE_BYTES_SENT,
    VARIABLE_CONNECTION,
    VARIABLE_HOSTNAME,
    VARIABLE_LIMIT_CONN_STATUS,
    VARIABLE_MSEC,
    VARIABLE_NGINX_VERSION,
    VARIABLE_PID,
    VARIABLE_PROXY_PROTOCOL_ADDR,
    VARIABLE_PROXY_PROTOCOL_PORT,
    VARIABLE_PROXY_PROTOCOL_SERVER_ADDR,
    VARIABLE_PROXY_PROTOCOL_SERVER_PORT,
    VARIABLE_PROXY_PROTOCOL_TLV,
    VARIABLE_REALIP_REMOTE_ADDR,
    VARIABLE_REALIP_REMOTE_PORT,
    VARIABLE_REMOTE_ADDR,
    VARIABLE_REMOTE_PORT,
    VARIABLE_SERVER_ADDR,
    VARIABLE_SERVER_PORT,
    VARIABLE_STATUS,
    VARIABLE_TIME_ISO8601,
    VARIABLE_TIME_LOCAL,
    VARIABLE_UPSTREAM_ADDR,
    VARIABLE_UPSTREAM_BYTES_RECEIVED,
    VARIABLE_UPSTREAM_BYTES_SENT,
    VARIABLE_UPSTREAM_CONNECT_TIME,
    VARIABLE_UPSTREAM_LAST_SERVER_NAME,
};
static const enum variable_id of_stream[] = {
    VARIABLE_BYTES_RECEIVED,
    VARIABLE_PROTOCOL,
    VARIABLE_SESSION_TIME,
    VARIABLE_SSL_PREREAD_ALPN_PROTOCOLS,
    VARIABLE_SSL_PREREAD_PROTOCOL,
    VARIABLE_SSL_PREREAD_SERVER_NAME,
    VARIABLE_UPSTREAM_FIRST_BYTE_TIME,
    VARIABLE_UPSTREAM_SESSION_TIME,
};

static bool is_among(enum variable_id id, const enum variable_id *ids, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

bool variable_is_of(const struct variable *variable, bool is_stream) {
    enum variable_id id = variable->id;
    if (is_among(id, of_both, sizeof of_both / sizeof *of_both) || id > VARIABLE_UPSTREAM_TRAILER)
        return true;
    if (is_among(id, of_stream, sizeof of_stream / sizeof *of_stream))
        return is_stream;
    return !is_stream || (id >= VARIABLE_SSL_ALPN_PROTOCOL && id <= VARIABLE_SSL_SESSION_REUSED &&
                          id != VARIABLE_SSL_EARLY_DATA && id != VARIABLE_SSL_CLIENT_I_DN_LEGACY &&
                          id != VARIABLE_SSL_CLIENT_S_DN_LEGACY);
}

bool variable_is_free(struct str name) {
    static const struct known own[] = {
#define OWN(name) {{"" name, sizeof(name) - 1}, VARIABLE_NONE},
        OWN("http_host") OWN("http_user_agent") OWN("http_referer") OWN("http_via") OWN("http_x_forwarded_for")
            OWN("http_cookie") OWN("sent_http_content_type") OWN("sent_http_content_length")
                OWN("sent_http_location") OWN("sent_http_last_modified") OWN("sent_http_connection")
                    OWN("sent_http_keep_alive") OWN("sent_http_transfer_encoding")
                        OWN("sent_http_cache_control") OWN("sent_http_link")
#undef OWN
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_eq(own[i].name, name))
            return false;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (str_eq(whole[i].name, name))
            return false;
    return true;
}

const struct str *variable_names(size_t *count) {
    *count = sizeof names / sizeof *names;
    return names;
}
