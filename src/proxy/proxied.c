#include "proxy/proxied.h"

#include "base/mem.h"
#include "proxy/secure.h"

#include <errno.h>

enum { SHOWN_MAX = 64 };

struct proxied *proxied_take(struct proxied *proxied) {
    if (proxied)
        proxied->references++;
    return proxied;
}

void proxied_drop(struct proxied *proxied) {
    if (proxied && --proxied->references == 0)
        mem_free(proxied);
}

struct address proxied_address(const struct proxied *proxied, const struct proxy_protocol_end *end) {
    struct address address = {0};
    if (proxied->header.family == PROXY_PROTOCOL_V4) {
        address.len = sizeof address.v4;
        address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(end->port)};
        memcpy(&address.v4.sin_addr, end->ip, 4);
    } else {
        address.len = sizeof address.v6;
        address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(end->port)};
        memcpy(&address.v6.sin6_addr, end->ip, 16);
    }
    return address;
}

static void broken_log(const struct front *front, struct str seen) {
    char memory[128];
    struct builder client = builder_make(memory, sizeof memory);
    address_build_host(&client, &front->remote);
    size_t end = 0;
    while (end < seen.len && end < SHOWN_MAX && seen.ptr[end] != '\r' && seen.ptr[end] != '\n')
        end++;
    log_line(&front->engine->log, LOG_ERROR,
             "*%llu broken header: \"%.*s\" while reading PROXY protocol, client: %.*s, server: %s",
             (unsigned long long)front->id, (int)end, seen.ptr, STR_ARG(builder_view(&client)),
             front->listener->text);
}

static bool keep(struct front *front, const struct proxy_protocol *header) {
    if (header->family == PROXY_PROTOCOL_UNKNOWN)
        return true;
    struct proxied *proxied = mem_alloc(sizeof *proxied + header->tlvs.len);
    if (!proxied)
        return false;
    *proxied = (struct proxied){.references = 1, .header = *header};
    memcpy(proxied->tlvs, header->tlvs.ptr, header->tlvs.len);
    proxied->header.tlvs.ptr = proxied->tlvs;
    front->proxied = proxied;
    return true;
}

/* The header is looked at where it lies in the socket, so that not a byte behind it is taken. */
enum proxied_state proxied_read(struct front *front) {
    struct duct *duct = front->duct;
    struct proxy_protocol header;
    size_t len;
    if (!duct->can_read)
        return PROXIED_WAITS;
    ssize_t got = duct_peek(duct, front->engine->loop->scratch, PROXY_PROTOCOL_MAX);
    if (got == -EAGAIN)
        return PROXIED_WAITS;
    struct str seen = str_make(front->engine->loop->scratch, got > 0 ? (size_t)got : 0);
    switch (got > 0 ? proxy_protocol_read(seen, &header, &len) : CODEC_BAD) {
    case CODEC_MORE:
        if (!duct->has_end)
            return PROXIED_WAITS;
        break;
    case CODEC_DONE:
        if (!keep(front, &header))
            return PROXIED_BROKEN;
        duct_discard(duct, len, seen.len);
        return secure_begin(front->engine, front->listener->listen, duct) ? PROXIED_KNOWN : PROXIED_BROKEN;
    case CODEC_BAD:
        break;
    }
    if (seen.len)
        broken_log(front, seen);
    return PROXIED_BROKEN;
}
