#include "dialect/endpoint.h"

#include <arpa/inet.h>

enum { HOST_MAX = 255, UNIX_PATH_MAX = 107 };

static bool host_copy(struct str host, char *text, size_t size) {
    struct builder b = builder_make(text, size);
    builder_str(&b, host);
    builder_char(&b, '\0');
    return !b.overflow && !memchr(host.ptr, '\0', host.len);
}

static bool is_v4(struct str host) {
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    return host_copy(host, text, sizeof text) && inet_pton(AF_INET, text, &address) == 1;
}

static bool is_v6(struct str host) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    return host_copy(host, text, sizeof text) && inet_pton(AF_INET6, text, &address) == 1;
}

bool endpoint_is_literal(struct str host) {
    return is_v4(host) || is_v6(host);
}

static bool is_made_of(struct str text, const char *letters) {
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr(letters, text.ptr[i]))
            return false;
    return text.len > 0;
}

static bool port_parse(struct str text, uint16_t *port, const char **problem) {
    uint64_t value;
    if (str_to_u64(text, &value) && value >= 1 && value <= UINT16_MAX) {
        *port = (uint16_t)value;
        return true;
    }
    *problem = str_find_char(text, '/') != STR_NONE
                   ? "has a path behind its port"
                   : "has an invalid port: it must be a number from 1 to 65535";
    return false;
}

static bool host_verify(struct str host, const char **problem) {
    *problem = NULL;
    if (host.len == 0)
        *problem = "has no host";
    else if (host.len > HOST_MAX)
        *problem = "is too long for a host";
    else if (is_made_of(host, "0123456789"))
        *problem = "is a number and no host: a port is written behind its host, as 127.0.0.1:3000";
    else if (is_made_of(host, "0123456789.") && !is_v4(host))
        *problem = "is no valid IPv4 address";
    for (size_t i = 0; i < host.len && !*problem; i++)
        if (host.ptr[i] <= ' ' || strchr("/\\[]@?#%$\"'<>{}|^`\x7f", host.ptr[i]))
            *problem = "has a character in it that no host has";
    return *problem == NULL;
}

bool endpoint_parse(struct str text, struct endpoint *endpoint, const char **problem) {
    *endpoint = (struct endpoint){0};
    if (str_starts(text, STR("unix:"))) {
        *endpoint = (struct endpoint){.host = str_from(text, 5), .is_unix = true};
        *problem = endpoint->host.len == 0              ? "has no path"
                   : endpoint->host.len > UNIX_PATH_MAX ? "has a path that is too long for a unix socket"
                                                        : NULL;
        return *problem == NULL;
    }
    if (str_find(text, STR("://")) != STR_NONE) {
        *problem = "is a URL, where a host and its port alone are wanted";
        return false;
    }
    size_t colon = str_find_char(text, ':');
    if (text.len && text.ptr[0] == '[') {
        size_t end = str_find_char(text, ']');
        struct str rest = end == STR_NONE ? STR("?") : str_from(text, end + 1);
        endpoint->host = end == STR_NONE ? STR("") : str_make(text.ptr + 1, end - 1);
        *problem = "is no valid IPv6 address: it is written [::1]:3000";
        if (!is_v6(endpoint->host) || (rest.len && rest.ptr[0] != ':'))
            return false;
        return rest.len == 0 || port_parse(str_from(rest, 1), &endpoint->port, problem);
    }
    if (colon != STR_NONE && str_find_char(str_from(text, colon + 1), ':') != STR_NONE) {
        *problem = is_v6(text) ? "is an IPv6 address without brackets: it is written [::1]:3000"
                               : "has more than one \":\"";
        return false;
    }
    endpoint->host = colon == STR_NONE ? text : str_head(text, colon);
    if (!host_verify(endpoint->host, problem))
        return false;
    return colon == STR_NONE || port_parse(str_from(text, colon + 1), &endpoint->port, problem);
}

static bool canonical_v6(struct endpoint *endpoint, struct arena *arena) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (!host_copy(endpoint->host, text, sizeof text) || inet_pton(AF_INET6, text, &address) != 1 ||
        !inet_ntop(AF_INET6, &address, text, sizeof text))
        return false;
    endpoint->host = arena_copy(arena, str_of(text));
    return endpoint->host.ptr != NULL;
}

bool endpoint_parse_listen(struct str text, uint16_t default_port, struct arena *arena,
                           struct endpoint *endpoint, const char **problem) {
    struct str all = STR("0.0.0.0");
    if (is_made_of(text, "0123456789")) {
        *endpoint = (struct endpoint){.host = all};
        return port_parse(text, &endpoint->port, problem);
    }
    if (text.len && (text.ptr[0] == ':' || text.ptr[0] == '*') && !str_starts(text, STR("::"))) {
        struct str rest = str_from(text, text.ptr[0] == '*');
        *endpoint = (struct endpoint){.host = all, .port = default_port};
        if (rest.len == 0)
            return true;
        if (rest.ptr[0] == ':')
            return port_parse(str_from(rest, 1), &endpoint->port, problem);
    }
    if (!endpoint_parse(text, endpoint, problem))
        return false;
    if (endpoint->is_unix)
        return true;
    if (endpoint->port == 0)
        endpoint->port = default_port;
    if (str_eq_nocase(endpoint->host, STR("localhost")))
        endpoint->host = STR("127.0.0.1");
    if (str_find_char(endpoint->host, ':') == STR_NONE) {
        *problem = "is no address to listen on, as 127.0.0.1:3000";
        return is_v4(endpoint->host);
    }
    *problem = "out of memory";
    return canonical_v6(endpoint, arena);
}

void endpoint_print(struct builder *out, const struct endpoint *endpoint) {
    if (endpoint->is_unix)
        builder_str(out, STR("unix:"));
    bool in_brackets = !endpoint->is_unix && str_find_char(endpoint->host, ':') != STR_NONE;
    if (in_brackets)
        builder_char(out, '[');
    builder_str(out, endpoint->host);
    if (in_brackets)
        builder_char(out, ']');
    if (!endpoint->is_unix)
        builder_format(out, ":%u", endpoint->port);
}

struct listen *endpoint_listen(struct model *model, const struct endpoint *endpoint, struct place place,
                               bool *is_new) {
    char text[HOST_MAX + 16];
    struct builder out = builder_make(text, sizeof text);
    endpoint_print(&out, endpoint);
    *is_new = false;
    for (size_t i = 0; i < model->listens.count; i++)
        if (str_eq(model->listens.items[i]->text, builder_view(&out)))
            return model->listens.items[i];
    struct listen *listen = arena_zero(&model->arena, 1, sizeof *listen);
    struct str kept = arena_copy(&model->arena, builder_view(&out));
    struct listen **slot = listen && kept.ptr ? VEC_ADD(&model->listens, &model->arena) : NULL;
    if (!slot)
        return NULL;
    *slot = listen;
    *is_new = true;
    *listen = (struct listen){.place = place,
                              .text = kept,
                              .host = endpoint->host,
                              .port = endpoint->port,
                              .is_unix = endpoint->is_unix};
    map_init(&listen->exact, &model->arena, true);
    map_init(&listen->suffixes, &model->arena, true);
    map_init(&listen->prefixes, &model->arena, true);
    return listen;
}
