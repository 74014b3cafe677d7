#include "net/dns.h"

#include "base/hash.h"
#include "base/mem.h"

enum { BUCKETS = 256, ENTRIES_MAX = 10000, VALID_LEAST_MS = 1000 };

/* A name and what is known of it. It is being asked for, or being told to those who wait, or kept. */
struct entry {
    struct list chain; /* of the bucket */
    struct list node;  /* kept: of dns->kept; answered and not told: of dns->answered */
    struct dns *dns;
    struct list waiting; /* struct dns_query */
    uint64_t hash, expires_ms;
    unsigned pending; /* families asked for */
    bool is_answered; /* and not yet told to all who wait */
    uint32_t ttl_s;
    struct dns_answer answer;
    struct address *addresses; /* answer.count of them */
    size_t name_len;
    char name[]; /* name_len bytes */
};

/* A question for services on its way; it may be wanted no more. */
struct asked {
    struct list node;
    struct dns_services *query; /* NULL: cancelled */
    struct dns *dns;
};

struct dns {
    struct loop *loop;
    struct nameserver *nameserver;
    uint64_t valid_ms;
    bool has_v4, has_v6;
    struct list buckets[BUCKETS];
    struct list kept;     /* those that will expire, the oldest first */
    struct list answered; /* to be told by the task */
    struct list asked;    /* for services */
    struct task tell;
    size_t count;
};

static const struct dns_answer failed = {.code = NAMESERVER_FAILURE};
static const struct dns_answer malformed = {.code = NAMESERVER_FORMAT};
static const struct dns_answer timed_out = {.code = NAMESERVER_TIMEOUT};

const char *dns_code_text(enum nameserver_code code) {
    switch (code) {
    case NAMESERVER_FOUND:
        return "Success";
    case NAMESERVER_FORMAT:
        return "Format error";
    case NAMESERVER_FAILURE:
        return "Server failure";
    case NAMESERVER_NOT_FOUND:
        return "Host not found";
    case NAMESERVER_UNIMPLEMENTED:
        return "Unimplemented";
    case NAMESERVER_REFUSED:
        return "Operation refused";
    case NAMESERVER_TIMEOUT:
        return "Operation timed out";
    }
    return "Unknown error";
}

static void entry_free(struct entry *entry) {
    list_remove(&entry->chain);
    list_remove(&entry->node);
    entry->dns->count--;
    mem_free(entry->addresses);
    mem_free(entry);
}

/* Tells those who wait; they may ask again meanwhile, even for the same name. */
static void tell(struct task *task) {
    struct dns *dns = LIST_OF(task, struct dns, tell);
    for (struct list *node; (node = list_shift(&dns->answered));) {
        struct entry *entry = LIST_OF(node, struct entry, node);
        for (struct list *waiter; (waiter = list_shift(&entry->waiting));) {
            struct dns_query *query = LIST_OF(waiter, struct dns_query, node);
            timer_disarm(&query->deadline);
            query->done(query, &entry->answer);
        }
        entry->is_answered = false;
        if (entry->answer.code == NAMESERVER_FOUND)
            list_append(&dns->kept, &entry->node);
        else
            entry_free(entry);
    }
}

static void entry_finish(struct entry *entry) {
    struct dns *dns = entry->dns;
    entry->answer.valid_ms = dns->valid_ms ? dns->valid_ms : (uint64_t)entry->ttl_s * 1000;
    if (entry->answer.valid_ms < VALID_LEAST_MS)
        entry->answer.valid_ms = VALID_LEAST_MS;
    if (entry->answer.count)
        entry->answer.code = NAMESERVER_FOUND; /* of one family, whatever became of the other */
    entry->expires_ms = dns->loop->now_ms + entry->answer.valid_ms;
    entry->is_answered = true;
    list_append(&dns->answered, &entry->node);
    if (list_is_empty(&dns->tell.node))
        loop_soon(dns->loop, &dns->tell);
}

static bool addresses_add(struct entry *entry, const struct nameserver_answer *answer) {
    unsigned before = entry->answer.count;
    struct address *all = mem_resize(entry->addresses, (before + answer->count) * sizeof *all);
    if (!all)
        return false;
    memcpy(all + before, answer->addresses, answer->count * sizeof *all);
    entry->answer.addresses = entry->addresses = all;
    entry->answer.count += answer->count;
    return true;
}

static void answered(void *context, const struct nameserver_answer *answer) {
    struct entry *entry = context;
    entry->pending--;
    if (answer->code != NAMESERVER_FOUND && entry->answer.code == NAMESERVER_FOUND)
        entry->answer.code = answer->code;
    if (answer->count && answer->ttl_s < entry->ttl_s)
        entry->ttl_s = answer->ttl_s;
    if (answer->count && !addresses_add(entry, answer) && !entry->answer.count)
        entry->answer.code = NAMESERVER_FAILURE;
    if (!entry->pending)
        entry_finish(entry);
}

struct dns *dns_new(const struct dns_setup *setup) {
    struct dns *dns = mem_zero(1, sizeof *dns);
    if (!dns)
        return NULL;
    dns->loop = setup->loop;
    dns->valid_ms = setup->valid_ms;
    dns->has_v4 = setup->has_v4;
    dns->has_v6 = setup->has_v6;
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&dns->buckets[i]);
    list_init(&dns->kept);
    list_init(&dns->answered);
    list_init(&dns->asked);
    list_init(&dns->tell.node);
    dns->tell.run = tell;
    dns->nameserver = nameserver_new(setup->loop, setup->servers);
    if (dns->nameserver)
        return dns;
    mem_free(dns);
    return NULL;
}

void dns_free(struct dns *dns) {
    if (!dns)
        return;
    nameserver_free(dns->nameserver);
    LIST_EACH (&dns->asked, node)
        mem_free(LIST_OF(node, struct asked, node));
    list_remove(&dns->tell.node);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_EACH (&dns->buckets[i], node)
            entry_free(LIST_OF(node, struct entry, chain));
    mem_free(dns);
}

static struct entry *entry_find(struct dns *dns, struct str name, uint64_t hash) {
    LIST_EACH (&dns->buckets[hash % BUCKETS], node) {
        struct entry *entry = LIST_OF(node, struct entry, chain);
        if (entry->hash == hash && str_eq_nocase(str_make(entry->name, entry->name_len), name))
            return entry;
    }
    return NULL;
}

/* The oldest go when they have expired, two for each new one, and anyhow when there are too many. */
static void kept_trim(struct dns *dns) {
    for (unsigned i = 0; i < 2 && !list_is_empty(&dns->kept); i++) {
        struct entry *oldest = LIST_OF(dns->kept.next, struct entry, node);
        if (dns->loop->now_ms < oldest->expires_ms && dns->count < ENTRIES_MAX)
            return;
        entry_free(oldest);
    }
}

static struct entry *entry_new(struct dns *dns, struct str name, uint64_t hash) {
    kept_trim(dns);
    struct entry *entry = dns->count < ENTRIES_MAX ? mem_zero(1, sizeof *entry + name.len) : NULL;
    if (!entry)
        return NULL;
    entry->dns = dns;
    entry->hash = hash;
    entry->ttl_s = UINT32_MAX;
    entry->name_len = name.len;
    memcpy(entry->name, name.ptr, name.len);
    list_init(&entry->node);
    list_init(&entry->waiting);
    list_append(&dns->buckets[hash % BUCKETS], &entry->chain);
    dns->count++;
    return entry;
}

static void entry_ask(struct entry *entry) {
    struct dns *dns = entry->dns;
    struct str name = str_make(entry->name, entry->name_len);
    entry->pending = (unsigned)dns->has_v4 + dns->has_v6;
    if (dns->has_v4)
        nameserver_ask(dns->nameserver, name, NAMESERVER_A, answered, entry);
    if (dns->has_v6)
        nameserver_ask(dns->nameserver, name, NAMESERVER_AAAA, answered, entry);
}

static void expire(struct timer *timer) {
    struct dns_query *query = LIST_OF(timer, struct dns_query, deadline);
    list_remove(&query->node);
    query->done(query, &timed_out);
}

const struct dns_answer *dns_begin(struct dns *dns, struct dns_query *query, struct str name,
                                   uint64_t timeout_ms, dns_done *done) {
    if (name.len && name.ptr[name.len - 1] == '.')
        name.len--;
    if (!name.len || name.len > NAMESERVER_NAME_MAX)
        return &malformed;
    uint64_t hash = hash_str_nocase(name, 0), now_ms = dns->loop->now_ms;
    struct entry *entry = entry_find(dns, name, hash);
    if (entry && !entry->pending && entry->answer.code == NAMESERVER_FOUND && now_ms < entry->expires_ms) {
        entry->answer.valid_ms = entry->expires_ms - now_ms;
        return &entry->answer;
    }
    bool is_new = !entry || (!entry->pending && !entry->is_answered);
    if (entry && is_new)
        entry_free(entry);
    if (is_new)
        entry = entry_new(dns, name, hash);
    if (!entry)
        return &failed;
    *query = (struct dns_query){.dns = dns, .done = done};
    timer_init(&query->deadline, expire);
    list_append(&entry->waiting, &query->node);
    loop_arm(dns->loop, &query->deadline, timeout_ms);
    if (is_new)
        entry_ask(entry);
    return NULL;
}

void dns_cancel(struct dns_query *query) {
    if (!query->dns)
        return;
    list_remove(&query->node);
    timer_disarm(&query->deadline);
}

/* ---- services ---- */

static void services_expire(struct timer *timer) {
    struct dns_services *query = LIST_OF(timer, struct dns_services, deadline);
    dns_services_cancel(query);
    query->done(query, &(struct nameserver_answer){.code = NAMESERVER_TIMEOUT});
}

static void services_answered(void *context, const struct nameserver_answer *answer) {
    struct asked *asked = context;
    struct dns_services *query = asked->query;
    struct nameserver_answer own = *answer;
    if (asked->dns->valid_ms)
        own.ttl_s = (uint32_t)(asked->dns->valid_ms / 1000);
    list_remove(&asked->node);
    mem_free(asked);
    if (!query)
        return;
    timer_disarm(&query->deadline);
    query->asked = NULL;
    query->done(query, &own);
}

void dns_services_begin(struct dns *dns, struct dns_services *query, struct str name, uint64_t timeout_ms,
                        dns_services_done *done) {
    struct asked *asked = mem_zero(1, sizeof *asked);
    *query = (struct dns_services){.dns = dns, .done = done, .asked = asked};
    timer_init(&query->deadline, services_expire);
    if (!asked) {
        done(query, &(struct nameserver_answer){.code = NAMESERVER_FAILURE});
        return;
    }
    asked->dns = dns;
    asked->query = query;
    list_append(&dns->asked, &asked->node);
    loop_arm(dns->loop, &query->deadline, timeout_ms);
    nameserver_ask(dns->nameserver, name, NAMESERVER_SRV, services_answered, asked);
}

void dns_services_cancel(struct dns_services *query) {
    if (!query->asked)
        return;
    query->asked->query = NULL;
    query->asked = NULL;
    timer_disarm(&query->deadline);
}
