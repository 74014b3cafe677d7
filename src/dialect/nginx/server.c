#include "dialect/endpoint.h"
#include "dialect/nginx/compile.h"
#include "dialect/nginx/headers.h"
#include "dialect/nginx/location.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/stream.h"
#include "dialect/nginx/unit.h"

/* server blocks: names and where they listen. */

static bool name_add(struct reader *reader, struct site *site, struct str name, struct regex *regex) {
    struct str *slot = VEC_ADD(&site->names, &reader->model->arena);
    struct regex **regex_slot = slot ? VEC_ADD(&reader->site_regexes, &reader->scratch) : NULL;
    if (!regex_slot)
        return reader_starve(reader);
    *slot = name;
    *regex_slot = regex;
    return true;
}

/* "*" may stand for the first or the last label alone. */
static bool wildcard_is_valid(struct str name) {
    struct str inner = name;
    if (str_starts(inner, STR("*.")))
        inner = str_from(inner, 2);
    else if (str_ends(inner, STR(".*")))
        inner.len -= 2;
    return inner.len && str_find_char(inner, '*') == STR_NONE;
}

static void name_read(struct scope *scope, const struct word *at) {
    struct reader *reader = scope->reader;
    struct str written = at->text;
    if (written.len > 1 && written.ptr[0] == '~') {
        struct regex *regex = compile_regex(reader, at, str_from(written, 1), true);
        if (!regex)
            return;
        name_add(reader, scope->site, written, regex);
        return;
    }
    if (str_eq(written, STR("$hostname"))) {
        name_add(reader, scope->site, reader_lower(reader, reader->source->hostname), NULL);
        return;
    }
    struct diagnostic *said = NULL;
    if (written.len == 0)
        said = NULL; /* "": requests without Host */
    else if (written.ptr[0] == '~' || str_eq(written, STR(".")) || !wildcard_is_valid(written))
        said = reader_fail(reader, at, "server name \"%.*s\" is invalid", STR_ARG(written));
    else if (str_find_char(written, '/') != STR_NONE)
        said = reader_say(reader, SEVERITY_WARNING, at, "server name \"%.*s\" has suspicious symbols",
                          STR_ARG(written));
    else if (str_find_char(written, ':') != STR_NONE)
        said = reader_say(reader, SEVERITY_WARNING, at,
                          "server name \"%.*s\" never matches: names are compared "
                          "without their port",
                          STR_ARG(written));
    if (said)
        diagnostic_hint(
            reader->diagnostics, said,
            "a server name is a host name alone: example.com, *.example.com, www.example.* or ~REGEX");
    name_add(reader, scope->site, reader_lower(reader, written), NULL);
}

static void names_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    for (size_t i = 1; i < node->count && !scope->reader->is_starved; i++)
        name_read(scope, &node->words[i]);
}

/* ---- listen ---- */

struct listening {
    struct scope *scope;
    struct listen *listen;
    struct listen_state *state;
    bool says_options; /* of the sockets */
};

static void default_set(struct listening *l, const struct word *at) {
    if (l->state->has_default) {
        reader_fail(l->scope->reader, at, "a duplicate default server for %.*s", STR_ARG(l->listen->text));
        return;
    }
    l->state->has_default = true;
    l->listen->default_site = l->scope->site;
}

/* What listen may be followed by: what is done with it, and why nothing is. */
struct option {
    const char *name;
    bool has_value; /* "name=" */
    enum {
        OPTION_DEFAULT,
        OPTION_BACKLOG,
        OPTION_KEEPALIVE,
        OPTION_BUFFER,
        OPTION_FASTOPEN,
        OPTION_DEFERRED,
        OPTION_IPV6ONLY,
        OPTION_SECURE,
        OPTION_HTTP2,
        OPTION_PROXIED,
        OPTION_ANYWAY, /* it is so in any case, but it is said for the sockets */
        OPTION_NOTHING,
        OPTION_UNSUPPORTED
    } kind;
    const char *text;
};

static const struct option options[] = {
    {"default_server", false, OPTION_DEFAULT, NULL},
    {"default", false, OPTION_DEFAULT, NULL},
    {"backlog=", true, OPTION_BACKLOG, "it must be a number above 0"},
    {"ipv6only=", true, OPTION_IPV6ONLY, "it must be \"on\" or \"off\""},
    {"reuseport", false, OPTION_ANYWAY, NULL},
    {"bind", false, OPTION_ANYWAY, NULL},
    {"deferred", false, OPTION_DEFERRED, NULL},
    {"so_keepalive=", true, OPTION_KEEPALIVE, "it must be on, off, or [IDLE]:[INTERVAL]:[PROBES], as 10m::10"},
    {"rcvbuf=", true, OPTION_BUFFER, "it must be a size above 0, as 64k"},
    {"sndbuf=", true, OPTION_BUFFER, "it must be a size above 0, as 64k"},
    {"fastopen=", true, OPTION_FASTOPEN, "it must be a number above 0"},
    {"setfib=", true, OPTION_NOTHING, "Linux has no such routing tables"},
    {"accept_filter=", true, OPTION_NOTHING, "Linux has no accept filters"},
    {"multipath", false, OPTION_UNSUPPORTED, "remove the word"},
    {"ssl", false, OPTION_SECURE, NULL},
    {"http2", false, OPTION_HTTP2, NULL},
    {"quic", false, OPTION_UNSUPPORTED, "remove this listen: clients speak HTTP/1.1, by TCP"},
    {"udp", false, OPTION_UNSUPPORTED, "what comes by TCP is passed on, in stream { } as it is"},
    {"spdy", false, OPTION_UNSUPPORTED, "remove the word"},
    {"proxy_protocol", false, OPTION_PROXIED, NULL},
};
enum { OPTIONS = sizeof options / sizeof *options };

static bool number_read(struct str text, uint64_t least, uint64_t most, int *to) {
    uint64_t number;
    if (!str_to_u64(text, &number) || number < least || number > most)
        return false;
    *to = (int)number;
    return true;
}

/* so_keepalive=on|off|[IDLE]:[INTERVAL]:[PROBES] */
static bool keepalive_read(struct str value, struct listen_options *to) {
    struct str idle, interval, probes;
    uint64_t seconds;
    if (str_eq(value, STR("on")) || str_eq(value, STR("off"))) {
        to->keepalive = str_eq(value, STR("on")) ? KEEPALIVE_ON : KEEPALIVE_OFF;
        return true;
    }
    to->keepalive = KEEPALIVE_ON;
    if (!str_split(&value, ':', &idle) || !str_split(&value, ':', &interval) ||
        !str_split(&value, ':', &probes) || value.ptr || idle.len + interval.len + probes.len == 0)
        return false;
    if (idle.len && (!unit_time_s(idle, &seconds) || !(to->keepalive_idle_s = (int)seconds)))
        return false;
    if (interval.len && (!unit_time_s(interval, &seconds) || !(to->keepalive_interval_s = (int)seconds)))
        return false;
    return probes.len == 0 || number_read(probes, 1, 127, &to->keepalive_probes);
}

static bool buffer_read(struct str name, struct str value, struct listen_options *to) {
    uint64_t bytes;
    if (!unit_size(value, false, &bytes) || bytes == 0 || bytes > INT32_MAX)
        return false;
    *(str_starts(name, STR("rcv")) ? &to->receive_bytes : &to->send_bytes) = (size_t)bytes;
    return true;
}

static bool ipv6only_read(const struct listening *l, struct str value, const struct word *at) {
    struct listen *listen = l->listen;
    if (listen->is_unix || str_find_char(listen->host, ':') == STR_NONE)
        reader_fail(l->scope->reader, at, "ipv6only is not supported on addr \"%.*s\"", STR_ARG(listen->text));
    listen->options.is_dual = str_eq(value, STR("off"));
    return listen->options.is_dual || str_eq(value, STR("on"));
}

/* Sets what the option says of the sockets; false when its value is none. */
static bool socket_option_take(struct listening *l, const struct word *at, const struct option *option) {
    struct listen_options *to = &l->listen->options;
    struct str value = str_from(at->text, strlen(option->name));
    l->says_options = true;
    switch (option->kind) {
    case OPTION_BACKLOG:
        return number_read(value, 1, INT32_MAX, &to->backlog);
    case OPTION_KEEPALIVE:
        return keepalive_read(value, to);
    case OPTION_BUFFER:
        return buffer_read(at->text, value, to);
    case OPTION_FASTOPEN:
        return number_read(value, 1, INT32_MAX, &to->fastopen);
    case OPTION_IPV6ONLY:
        return ipv6only_read(l, value, at);
    case OPTION_DEFERRED:
        to->is_deferred = true;
        return true;
    default:
        return true;
    }
}

static void option_take(struct listening *l, const struct word *at, const struct option *option) {
    struct reader *reader = l->scope->reader;
    struct diagnostic *said;
    switch (option->kind) {
    case OPTION_DEFAULT:
        default_set(l, at);
        return;
    case OPTION_NOTHING:
        reader_say(reader, SEVERITY_NOTE, at, "\"%.*s\" has no effect: %s", STR_ARG(at->text), option->text);
        return;
    case OPTION_SECURE:
        l->listen->is_secure = true;
        return;
    case OPTION_PROXIED:
        l->listen->has_proxy_protocol = true;
        return;
    case OPTION_HTTP2:
        reader_say(reader, SEVERITY_WARNING, at, "\"http2\" is not supported: clients speak HTTP/1.1");
        return;
    case OPTION_UNSUPPORTED:
        reader_refuse(reader, at, "listen", option->text);
        return;
    default:
        if (socket_option_take(l, at, option))
            return;
        said = reader_fail(reader, at, "invalid value in \"%.*s\" of \"listen\"", STR_ARG(at->text));
        if (option->text)
            diagnostic_hint(reader->diagnostics, said, "%s", option->text);
        return;
    }
}

static void option_read(struct listening *l, const struct word *at) {
    struct str names[OPTIONS];
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &options[i];
        names[i] = str_of(option->name);
        if (option->has_value ? str_starts(at->text, names[i]) : str_eq(at->text, names[i])) {
            option_take(l, at, option);
            return;
        }
    }
    struct str near = diagnostic_nearest(at->text, names, OPTIONS);
    struct reader *reader = l->scope->reader;
    struct diagnostic *said =
        reader_fail(reader, at, "invalid parameter \"%.*s\" in \"listen\"", STR_ARG(at->text));
    if (near.len)
        diagnostic_hint(reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
}

/* The listen of this address, with the server on it; false when it was so already, or on starvation. */
static bool listen_enter(struct listening *l, const struct endpoint *endpoint, struct place place) {
    struct reader *reader = l->scope->reader;
    bool is_new;
    l->listen = endpoint_listen(reader->model, endpoint, place, &is_new);
    if (!l->listen || (is_new && !VEC_ADD(&reader->listen_states, &reader->scratch)))
        return reader_starve(reader);
    for (size_t i = 0; i < reader->model->listens.count; i++)
        if (reader->model->listens.items[i] == l->listen)
            l->state = &reader->listen_states.items[i];
    for (size_t i = 0; i < reader->site_listens.count; i++)
        if (reader->site_listens.items[i] == l->listen)
            return false;
    struct listen **slot = VEC_ADD(&reader->site_listens, &reader->scratch);
    if (!slot)
        return reader_starve(reader);
    *slot = l->listen;
    if (!l->listen->default_site) {
        l->listen->default_site = l->scope->site;
        l->listen->is_stream = (l->scope->context & CONTEXT_STREAM_SERVER) != 0;
    }
    return true;
}

static void options_read(struct listening *l, const struct node *node) {
    for (size_t i = 2; i < node->count; i++)
        option_read(l, &node->words[i]);
    if (l->says_options && l->state->has_options) {
        struct diagnostic *said = reader_fail(l->scope->reader, &node->words[1],
                                              "duplicate listen options for %.*s", STR_ARG(l->listen->text));
        diagnostic_hint(l->scope->reader->diagnostics, said,
                        "what is asked of an address's sockets stands in one of its \"listen\" lines");
    }
    l->state->has_options |= l->says_options;
}

static void listen_add(struct scope *scope, const struct node *node, const struct endpoint *endpoint) {
    struct reader *reader = scope->reader;
    struct listening l = {.scope = scope};
    bool is_new = listen_enter(&l, endpoint, word_place(&node->words[1]));
    if (is_new && l.listen->is_stream != ((scope->context & CONTEXT_STREAM_SERVER) != 0)) {
        struct diagnostic *said = reader_fail(
            reader, &node->words[1], "%.*s is listened on by http and by stream", STR_ARG(l.listen->text));
        diagnostic_hint(reader->diagnostics, said, "choose another port for one of them");
    } else if (is_new)
        options_read(&l, node);
    else if (!scope->reader->is_starved)
        reader_fail(scope->reader, &node->words[1], "a duplicate listen %.*s", STR_ARG(l.listen->text));
}

/* "8000-8010" and "127.0.0.1:8000-8010" are all ports from the one to the other: gives the text without the
 * range's end, which is *last. */
static struct str range_split(struct str text, uint16_t *last) {
    size_t at = text.len;
    uint64_t value;
    while (at && text.ptr[at - 1] >= '0' && text.ptr[at - 1] <= '9')
        at--;
    bool is_range = at >= 2 && text.ptr[at - 1] == '-' && text.ptr[at - 2] >= '0' && text.ptr[at - 2] <= '9' &&
                    !str_starts(text, STR("unix:")) && str_to_u64(str_from(text, at), &value) &&
                    value <= UINT16_MAX;
    *last = is_range ? (uint16_t)value : 0;
    return is_range ? str_head(text, at - 1) : text;
}

/* One address, with its ports up to the last. */
static void ports_add(struct scope *scope, const struct node *node, struct endpoint endpoint, uint16_t last) {
    const struct word *at = &node->words[1];
    if (last && last < endpoint.port) {
        reader_fail(scope->reader, at, "invalid port range in \"%.*s\" of the \"listen\" directive",
                    STR_ARG(at->text));
        return;
    }
    listen_add(scope, node, &endpoint);
    while (endpoint.port < last && !scope->reader->is_starved) {
        endpoint.port++;
        listen_add(scope, node, &endpoint);
    }
}

/* A name is every address that it has as the configuration is loaded. */
static void name_listen(struct scope *scope, const struct node *node, struct endpoint endpoint, uint16_t last) {
    struct reader *reader = scope->reader;
    const struct nginx_source *source = reader->source;
    const struct word *at = &node->words[1];
    const char *reason = "names are not looked up here";
    struct str *hosts = NULL;
    size_t count = 0;
    if (endpoint.port == 0)
        endpoint.port = 80;
    if (!source->lookup ||
        !source->lookup(source->context, &reader->model->arena, endpoint.host, &hosts, &count, &reason)) {
        struct diagnostic *said = reader_fail(
            reader, at, "host not found in \"%.*s\" of the \"listen\" directive", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said,
                        "%s; the name must be one of this machine's, or write a port or an address", reason);
        return;
    }
    for (size_t i = 0; i < count && !reader->is_starved; i++) {
        endpoint.host = hosts[i];
        ports_add(scope, node, endpoint, last);
    }
}

/* Without a letter it is a slip in a number. */
static bool is_name(struct str host) {
    for (size_t i = 0; i < host.len; i++)
        if (str_lower_char(host.ptr[i]) >= 'a' && str_lower_char(host.ptr[i]) <= 'z')
            return !endpoint_is_literal(host);
    return false;
}

static void listen_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    struct endpoint endpoint, named;
    const char *problem, *unused;
    uint16_t last;
    struct str text = range_split(at->text, &last);
    if (endpoint_parse_listen(text, 80, &reader->model->arena, &endpoint, &problem)) {
        ports_add(scope, node, endpoint, last);
    } else if (endpoint_parse(text, &named, &unused) && !named.is_unix && is_name(named.host)) {
        name_listen(scope, node, named, last);
    } else {
        struct diagnostic *said = reader_fail(reader, at, "\"%.*s\" %s", STR_ARG(at->text), problem);
        diagnostic_hint(
            reader->diagnostics, said,
            "listen takes a port, an address, or both: 80, 127.0.0.1:3000, [::]:80, unix:/run/a.sock");
    }
}

/* ---- server ---- */

static void names_register(struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    struct site *site = scope->site;
    for (size_t i = 0; i < reader->site_listens.count; i++)
        for (size_t j = 0; j < site->names.count; j++) {
            struct listen *listen = reader->site_listens.items[i];
            enum site_name_added added = listen_add_name(listen, site, site->names.items[j],
                                                         reader->site_regexes.items[j], &reader->model->arena);
            if (added == SITE_NAME_NO_MEMORY)
                reader_starve(reader);
            if (added != SITE_NAME_TAKEN)
                continue;
            struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, &node->words[0],
                                                 "conflicting server name \"%.*s\" on %.*s, "
                                                 "ignored",
                                                 STR_ARG(site->names.items[j]), STR_ARG(listen->text));
            diagnostic_hint(reader->diagnostics, said,
                            "a server further up has the same name and address and gets these requests");
        }
}

static void listen_by_default(struct scope *scope, const struct node *node) {
    struct listening l = {.scope = scope};
    struct endpoint endpoint = {.host = STR("0.0.0.0"), .port = 80};
    listen_enter(&l, &endpoint, word_place(&node->words[0]));
    if (!scope->reader->is_starved)
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[0],
                   "this server has no \"listen\": it gets port 80");
}

/* In http and in stream; a stream's server has neither locations nor a port by default. */
static void server_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    bool is_stream = (scope->context & CONTEXT_STREAM) != 0;
    struct reader *reader = scope->reader;
    struct site *site = reader_alloc(reader, sizeof *site);
    struct site **slot = site ? READER_ADD(reader, &reader->model->sites) : NULL;
    if (!slot)
        return;
    *slot = site;
    *site = *scope->site;
    site->number = (unsigned)reader->model->sites.count - 1;
    site->place = word_place(&node->words[0]);
    site->fallback = (struct route){.place = site->place,
                                    .match = ROUTE_DEFAULT,
                                    .pattern = STR(""),
                                    .action = ROUTE_FILES,
                                    .policy = *scope->policy};
    headers_enter(&site->fallback.policy);
    reader->site_listens.count = reader->site_regexes.count = 0;
    struct scope inner = scope_inner(scope, is_stream ? CONTEXT_STREAM_SERVER : CONTEXT_SERVER, node);
    inner.site = site;
    inner.route = &site->fallback;
    inner.policy = &site->fallback.policy;
    inner.program = &site->fallback.program;
    scope_read(&inner);
    if (is_stream)
        stream_end(&inner);
    else
        location_end(&inner);
    bool has_listen = false; /* one that was wrong counts: it is said */
    for (const struct node *at = node->first; at; at = at->next)
        has_listen |= str_eq(node_name(at), STR("listen"));
    if (is_stream && !has_listen)
        reader_fail(reader, &node->words[0], "no \"listen\" is defined for this server");
    else if (!reader->is_starved && !has_listen)
        listen_by_default(&inner, node);
    if (!reader->is_starved)
        names_register(&inner, node);
}

static const struct directive rows[] = {
    {"server", CONTEXT_HTTP | CONTEXT_STREAM, 0, 0, DIRECTIVE_BLOCK | DIRECTIVE_LAST, server_read, NOTHING,
     NULL},
    {"listen", CONTEXT_SERVER | CONTEXT_STREAM_SERVER, 1, ARGUMENTS_ANY, 0, listen_read, NOTHING, NULL},
    /* before what may name the groups of its regular expressions */
    {"server_name", CONTEXT_SERVER | CONTEXT_STREAM_SERVER, 1, ARGUMENTS_ANY, DIRECTIVE_FIRST, names_read,
     NOTHING, NULL},
    {"location", CONTEXT_SERVER | CONTEXT_LOCATION, 1, 2, DIRECTIVE_BLOCK | DIRECTIVE_LAST, location_read,
     NOTHING, NULL},
    {"server_names_hash_max_size", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     NULL},
    {"server_names_hash_bucket_size", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     NULL},
};

const struct area server_area = {rows, sizeof rows / sizeof *rows};
