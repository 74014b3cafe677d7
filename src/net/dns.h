#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/nameserver.h"

/* Names while serving: one loop's cache before its name servers. Nothing here blocks. Answers are kept for as
 * long as they say, or for `valid_ms`; failures are not kept. Questions for one name that come while it is
 * being asked for are asked once.
 *
 *   struct dns_query query;
 *   const struct dns_answer *known = dns_begin(dns, &query, host, timeout_ms, done);
 *   if (!known) ... done(&query, answer) is called later, once, or never after dns_cancel(&query)
 */

struct dns;
struct dns_query;

/* A view: valid until the next call into dns. */
struct dns_answer {
    enum nameserver_code code;
    unsigned count;
    const struct address *addresses; /* without a port: address_set_port */
    uint64_t valid_ms;               /* for how long from now; at least a second */
};

typedef void dns_done(struct dns_query *query, const struct dns_answer *answer);

/* A question under way, embedded in whoever waits for it. */
struct dns_query {
    struct list node; /* of the name's entry */
    struct timer deadline;
    struct dns *dns;
    dns_done *done;
};

/* The same for SRV records (RFC 2782), which are not kept: whoever asks knows how long they hold. */
struct dns_services;
typedef void dns_services_done(struct dns_services *query, const struct nameserver_answer *answer);
struct dns_services {
    struct timer deadline;
    struct dns *dns;
    dns_services_done *done;
    struct asked *asked; /* NULL: nothing is under way */
};

struct dns_setup {
    struct loop *loop;
    struct str servers; /* as nameserver_new takes it */
    uint64_t valid_ms;  /* 0: as the answers say */
    bool has_v4, has_v6;
};

/* NULL without memory. */
struct dns *dns_new(const struct dns_setup *setup);
/* Nobody may wait any more. */
void dns_free(struct dns *dns);
/* The answer, if it is known; else NULL, and it is asked for: `done` is told within timeout_ms. The caller
 * keeps the query at its place until then, or cancels it. */
const struct dns_answer *dns_begin(struct dns *dns, struct dns_query *query, struct str name,
                                   uint64_t timeout_ms, dns_done *done);
/* Of a query that does not wait nothing is done, if it is zeroed or was begun once. */
void dns_cancel(struct dns_query *query);
/* Asks for the records of a whole name; `done` is told once, within timeout_ms, perhaps before this returns,
 * with a ttl_s that minds valid_ms. */
void dns_services_begin(struct dns *dns, struct dns_services *query, struct str name, uint64_t timeout_ms,
                        dns_services_done *done);
void dns_services_cancel(struct dns_services *query);
/* "Host not found" and so on: nginx's words. */
const char *dns_code_text(enum nameserver_code code);

#endif
