#include "net/resolver.h"

#include <netdb.h>

enum { HOST_MAX = 255 };

static const char *reason_of(int error) {
    switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return "nobody knows that name";
    case EAI_AGAIN:
        return "name server does not answer";
    case EAI_MEMORY:
        return "out of memory";
    default:
        return "name cannot be resolved";
    }
}

/* Those of both families, in the system's order as nginx takes them, each once. */
static int collect(const struct addrinfo *found, uint16_t port, struct address *addresses) {
    int count = 0;
    for (; found && count < RESOLVER_MAX; found = found->ai_next) {
        struct address *address = &addresses[count];
        bool is_known = false;
        bool is_v4 = found->ai_family == AF_INET;
        if ((!is_v4 && found->ai_family != AF_INET6) || found->ai_addrlen > sizeof address->v6)
            continue;
        *address = (struct address){.len = found->ai_addrlen};
        memcpy(&address->any, found->ai_addr, found->ai_addrlen);
        if (is_v4)
            address->v4.sin_port = htons(port);
        else
            address->v6.sin6_port = htons(port);
        for (int i = 0; i < count && !is_known; i++)
            is_known = address_eq(&addresses[i], address);
        count += !is_known;
    }
    return count;
}

int resolver_lookup(struct str host, uint16_t port, struct address addresses[RESOLVER_MAX],
                    const char **reason) {
    char name[HOST_MAX + 1];
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    if (address_parse(host, port, &addresses[0]))
        return 1;
    *reason = "invalid host name";
    if (host.len == 0 || host.len > HOST_MAX || str_find_char(host, '\0') != STR_NONE)
        return 0;
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error) {
        *reason = reason_of(error);
        return 0;
    }
    int count = collect(found, port, addresses);
    freeaddrinfo(found);
    *reason = "nobody knows that name";
    return count;
}
