#include "net/address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

enum { PATH_AT = offsetof(struct sockaddr_un, sun_path) };

static bool parse_v6(const char *text, uint16_t port, struct address *address) {
    struct in6_addr ip;
    if (inet_pton(AF_INET6, text, &ip) != 1)
        return false;
    *address = (struct address){.len = sizeof address->v6};
    address->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = ip};
    return true;
}

static bool parse_v4(const char *text, uint16_t port, struct address *address) {
    struct in_addr ip;
    if (inet_pton(AF_INET, text, &ip) != 1)
        return false;
    *address = (struct address){.len = sizeof address->v4};
    address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = ip};
    return true;
}

bool address_parse(struct str host, uint16_t port, struct address *address) {
    char text[INET6_ADDRSTRLEN];
    bool is_bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_bracketed)
        host = str_make(host.ptr + 1, host.len - 2);
    if (host.len == 0 || host.len >= sizeof text || str_find_char(host, '\0') != STR_NONE)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return parse_v6(text, port, address) || (!is_bracketed && parse_v4(text, port, address));
}

bool address_unix(struct str path, struct address *address) {
    if (path.len == 0 || path.len >= sizeof address->path.sun_path || str_find_char(path, '\0') != STR_NONE)
        return false;
    *address = (struct address){.len = (socklen_t)(PATH_AT + path.len + 1)};
    address->path.sun_family = AF_UNIX;
    memcpy(address->path.sun_path, path.ptr, path.len);
    return true;
}

static sa_family_t family(const struct address *address) {
    return address->len >= sizeof(sa_family_t) ? address->any.sa_family : AF_UNSPEC;
}

static bool is_mapped(const struct address *address) {
    return family(address) == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr);
}

bool address_eq(const struct address *a, const struct address *b) {
    if (family(a) != family(b) || address_port(a) != address_port(b))
        return false;
    switch (family(a)) {
    case AF_INET:
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    case AF_INET6:
        return a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
               IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
    default:
        return str_eq(address_bytes(a), address_bytes(b));
    }
}

uint16_t address_port(const struct address *address) {
    switch (family(address)) {
    case AF_INET:
        return ntohs(address->v4.sin_port);
    case AF_INET6:
        return ntohs(address->v6.sin6_port);
    default:
        return 0;
    }
}

void address_set_port(struct address *address, uint16_t port) {
    if (family(address) == AF_INET)
        address->v4.sin_port = htons(port);
    else if (family(address) == AF_INET6)
        address->v6.sin6_port = htons(port);
}

bool address_is_unix(const struct address *address) {
    return family(address) == AF_UNIX;
}

struct str address_bytes(const struct address *address) {
    switch (family(address)) {
    case AF_INET:
        return str_make((const char *)&address->v4.sin_addr, 4);
    case AF_INET6:
        if (is_mapped(address))
            return str_make((const char *)&address->v6.sin6_addr + 12, 4);
        return str_make((const char *)&address->v6.sin6_addr, 16);
    case AF_UNIX: {
        /* The kernel counts the closing NUL or not, and a client's own socket has no path at all. */
        size_t room = address->len > PATH_AT ? address->len - PATH_AT : 0;
        if (room > sizeof address->path.sun_path)
            room = sizeof address->path.sun_path;
        return str_make(address->path.sun_path, strnlen(address->path.sun_path, room));
    }
    default:
        return str_make("", 0);
    }
}

static void build_v4(struct builder *out, struct str ip) {
    char text[INET_ADDRSTRLEN];
    size_t len = 0;
    for (size_t i = 0; i < ip.len; i++) {
        unsigned octet = (unsigned char)ip.ptr[i];
        if (i)
            text[len++] = '.';
        if (octet >= 100)
            text[len++] = (char)('0' + octet / 100);
        if (octet >= 10)
            text[len++] = (char)('0' + octet / 10 % 10);
        text[len++] = (char)('0' + octet % 10);
    }
    builder_bytes(out, text, len);
}

static void build_ip(struct builder *out, const struct address *address) {
    char text[INET6_ADDRSTRLEN];
    struct str ip = address_bytes(address);
    if (ip.len == 4)
        build_v4(out, ip);
    else
        builder_str(out, str_of(inet_ntop(AF_INET6, ip.ptr, text, sizeof text)));
}

void address_build_host(struct builder *out, const struct address *address) {
    if (family(address) == AF_UNIX)
        builder_str(out, STR("unix:"));
    else if (family(address) != AF_UNSPEC)
        build_ip(out, address);
}

void address_build(struct builder *out, const struct address *address) {
    if (family(address) == AF_UNSPEC)
        return;
    if (family(address) == AF_UNIX) {
        builder_str(out, STR("unix:"));
        builder_str(out, address_bytes(address));
        return;
    }
    bool is_v6 = family(address) == AF_INET6 && !is_mapped(address);
    if (is_v6)
        builder_char(out, '[');
    build_ip(out, address);
    if (is_v6)
        builder_char(out, ']');
    builder_char(out, ':');
    builder_u64(out, address_port(address));
}
