#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/builder.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A socket address: IPv4, IPv6 or a unix path. A value, copied freely. */
struct address {
    socklen_t len; /* 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    };
};

/* A literal "1.2.3.4", "::1" or "[::1]" with a port; no names. False when it is none. */
bool address_parse(struct str host, uint16_t port, struct address *address);
/* A unix path; false when longer than sockaddr_un holds. */
bool address_unix(struct str path, struct address *address);
bool address_eq(const struct address *a, const struct address *b);
uint16_t address_port(const struct address *address);
bool address_is_unix(const struct address *address);
/* Of a unix address nothing is changed. */
void address_set_port(struct address *address, uint16_t port);
/* nginx's $remote_addr: no port, no brackets; an IPv4-mapped IPv6 address as IPv4; "unix:" for a unix client.
 */
void address_build_host(struct builder *out, const struct address *address);
/* "1.2.3.4:80", "[::1]:80", "unix:/path": nginx's $upstream_addr. */
void address_build(struct builder *out, const struct address *address);
/* The raw bytes of the IP: 4 or 16 (an IPv4-mapped IPv6 address: 4); a unix address: its path. A view into
 * *address. */
struct str address_bytes(const struct address *address);

#endif
