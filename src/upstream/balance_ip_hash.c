#include "upstream/balance.h"

/* Of an IPv4 address three octets count, so that a network of 256 shares a member; of an IPv6 address all. An
 * IPv4 address that came in on an IPv6 socket counts as the IPv6 address it is written as there. */
static struct str significant(const struct address *client) {
    if (client && client->len && client->any.sa_family == AF_INET)
        return str_make((const char *)&client->v4.sin_addr, 3);
    if (client && client->len && client->any.sa_family == AF_INET6)
        return str_make((const char *)&client->v6.sin6_addr, 16);
    return STR("\0\0\0");
}

unsigned balance_ip_hash(const struct group *group, struct pick *pick, uint64_t now_ms) {
    enum { START = 89, FACTOR = 113, MODULUS = 6271 };
    if (group->primaries < 2)
        return BALANCE_NONE;
    struct str bytes = significant(pick->client);
    uint32_t hash = pick->hashes ? pick->hash : START;
    for (; pick->misses <= BALANCE_HASHES_MAX; pick->misses++) {
        for (size_t i = 0; i < bytes.len; i++)
            hash = (hash * FACTOR + (unsigned char)bytes.ptr[i]) % MODULUS;
        unsigned index = balance_by_weight(group, hash % group->total_weight);
        if (balance_may_give(group, pick, index, now_ms)) {
            pick->hash = hash;
            pick->hashes++;
            return index;
        }
    }
    return BALANCE_NONE;
}
