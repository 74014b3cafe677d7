#ifndef NET_NAMESERVER_H
#define NET_NAMESERVER_H

#include "loop/loop.h"
#include "net/address.h"

/* Questions to name servers on one loop, without a cache (that is net/dns.h). Implemented with c-ares in
 * nameserver.c, and by the simulator under tests/sim. */

enum { NAMESERVER_RECORDS_MAX = 64 }; /* of an answer: more are cut */
enum { NAMESERVER_NAME_MAX = 255 };

enum nameserver_kind { NAMESERVER_A, NAMESERVER_AAAA, NAMESERVER_SRV };

/* How it went: DNS's own response codes (RFC 1035 4.1.1), and a name that nobody answered for in time. */
enum nameserver_code {
    NAMESERVER_FOUND,
    NAMESERVER_FORMAT,
    NAMESERVER_FAILURE, /* also our own shortage of memory */
    NAMESERVER_NOT_FOUND,
    NAMESERVER_UNIMPLEMENTED,
    NAMESERVER_REFUSED,
    NAMESERVER_TIMEOUT = 110 /* what nginx says in its log */
};

/* A record of an SRV answer, RFC 2782. */
struct nameserver_service {
    uint16_t priority, weight, port;
    struct str host;
};

/* A view, valid during the call that tells of it. */
struct nameserver_answer {
    enum nameserver_code code;
    uint32_t ttl_s; /* least of the records */
    unsigned count;
    const struct address *addresses;           /* A, AAAA: without a port */
    const struct nameserver_service *services; /* SRV */
};

typedef void nameserver_done(void *context, const struct nameserver_answer *answer);

struct nameserver;

/* Asks the servers of `list`, "127.0.0.1:53,[::1]:53", one after the other when they do not answer. NULL
 * without memory, or when the list is none. */
struct nameserver *nameserver_new(struct loop *loop, struct str list);
/* Nobody who still waits is told. */
void nameserver_free(struct nameserver *nameserver);
/* Asks for the records of `name`, a whole domain name; `done` is called once, perhaps before this returns. */
void nameserver_ask(struct nameserver *nameserver, struct str name, enum nameserver_kind kind,
                    nameserver_done *done, void *context);

#endif
