#include "net/nameserver.h"

#include "base/mem.h"
#include "net/socket.h"

#include <ares.h>
#include <netdb.h>
#include <pthread.h>

enum {
    ALIASES_MAX = 16,  /* CNAMEs whose own records have to be asked for */
    TRY_MS = 5000,     /* for one server, as nginx */
    TRIES = 3,         /* of each server */
    ROUNDS_MAX = 1024, /* of reading from one socket in a turn */
    CLASS_IN = 1,
    TYPE_A = 1,
    TYPE_AAAA = 28,
    TYPE_SRV = 33
};

/* A socket of c-ares in our loop. c-ares closes it. */
struct watch {
    struct list node;
    struct nameserver *nameserver;
    struct ev ev;
    bool wants_write;
    struct task burial;
};

struct nameserver {
    struct loop *loop;
    ares_channel channel;
    struct list watches;
    struct timer timer; /* when c-ares wants to look at its own deadlines */
    struct task writer; /* a socket that is watched already is to be written to */
    bool is_ending;
};

struct question {
    struct nameserver *nameserver;
    enum nameserver_kind kind;
    nameserver_done *done;
    void *context;
    unsigned aliases; /* followed so far */
    char name[NAMESERVER_NAME_MAX + 1];
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void library_init(void) {
    library_status = ares_library_init_mem(ARES_LIB_INIT_ALL, mem_alloc, mem_free, mem_resize);
}

/* ---- c-ares in our loop ---- */

static void timer_set(struct nameserver *nameserver) {
    struct timeval wait, *wanted = ares_timeout(nameserver->channel, NULL, &wait);
    if (wanted)
        loop_arm(nameserver->loop, &nameserver->timer,
                 (uint64_t)wanted->tv_sec * 1000 + (uint64_t)wanted->tv_usec / 1000 + 1);
    else
        timer_disarm(&nameserver->timer);
}

static void timer_fired(struct timer *timer) {
    struct nameserver *nameserver = LIST_OF(timer, struct nameserver, timer);
    ares_process_fd(nameserver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    timer_set(nameserver);
}

/* Edges come once, and c-ares reads from a TCP socket piece by piece: so it is called until nothing is left. */
static void watch_ready(struct ev *ev, unsigned what) {
    struct watch *watch = LIST_OF(ev, struct watch, ev);
    struct nameserver *nameserver = watch->nameserver;
    char byte;
    if (what & POLLER_WRITE && watch->wants_write)
        ares_process_fd(nameserver->channel, ARES_SOCKET_BAD, ev->fd);
    if (what & ~(unsigned)POLLER_WRITE) {
        unsigned rounds = 0;
        do
            ares_process_fd(nameserver->channel, ev->fd, ARES_SOCKET_BAD);
        while (ev->fd >= 0 && ++rounds < ROUNDS_MAX && socket_peek(ev->fd, &byte, 1) >= 0);
    }
    timer_set(nameserver);
}

static void watch_bury(struct task *task) {
    mem_free(LIST_OF(task, struct watch, burial));
}

static void watch_end(struct watch *watch) {
    loop_forget(&watch->ev);
    list_remove(&watch->node);
    loop_bury(watch->nameserver->loop, &watch->burial);
}

static struct watch *watch_find(struct nameserver *nameserver, int fd) {
    LIST_EACH (&nameserver->watches, node) {
        struct watch *watch = LIST_OF(node, struct watch, node);
        if (watch->ev.fd == fd)
            return watch;
    }
    return NULL;
}

static void watch_begin(struct nameserver *nameserver, int fd, bool wants_write) {
    struct watch *watch = mem_zero(1, sizeof *watch);
    if (!watch)
        return; /* nothing will be heard from it, and its question times out */
    watch->nameserver = nameserver;
    watch->ev = (struct ev){watch_ready, fd};
    watch->wants_write = wants_write;
    watch->burial.run = watch_bury;
    list_init(&watch->burial.node);
    list_append(&nameserver->watches, &watch->node);
    if (loop_watch(nameserver->loop, &watch->ev) < 0)
        watch_end(watch);
}

static void socket_changed(void *context, ares_socket_t fd, int wants_read, int wants_write) {
    struct nameserver *nameserver = context;
    struct watch *watch = watch_find(nameserver, fd);
    if (!wants_read && !wants_write) {
        if (watch)
            watch_end(watch);
    } else if (!watch) {
        watch_begin(nameserver, fd, wants_write);
    } else {
        watch->wants_write = wants_write;
        if (wants_write && list_is_empty(&nameserver->writer.node))
            loop_soon(nameserver->loop, &nameserver->writer);
    }
}

/* No edge tells that a socket can be written to that could be all the time. */
static void sockets_write(struct task *task) {
    struct nameserver *nameserver = LIST_OF(task, struct nameserver, writer);
    LIST_EACH (&nameserver->watches, node) {
        struct watch *watch = LIST_OF(node, struct watch, node);
        if (watch->wants_write && watch->ev.fd >= 0) {
            ares_process_fd(nameserver->channel, ARES_SOCKET_BAD, watch->ev.fd);
            break; /* the list may be another one now; who is left over has an edge to come or is asked again */
        }
    }
    timer_set(nameserver);
}

/* No file of the system is asked (as in nginx), nor is a name completed by a search list. NOCHECKRESP: a
 * server's failure is its answer, where there is no other that may know. */
static bool channel_open(struct nameserver *nameserver, struct str list) {
    enum { LIST_MAX = 4096 };
    char text[LIST_MAX], lookups[] = "b";
    int checks = str_find_char(list, ',') == STR_NONE ? ARES_FLAG_NOCHECKRESP : 0;
    struct ares_options options = {.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | checks,
                                   .timeout = TRY_MS,
                                   .tries = TRIES,
                                   .lookups = lookups,
                                   .sock_state_cb = socket_changed,
                                   .sock_state_cb_data = nameserver};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS;
    if (list.len >= sizeof text || ares_init_options(&nameserver->channel, &options, mask) != ARES_SUCCESS)
        return false;
    memcpy(text, list.ptr, list.len);
    text[list.len] = '\0';
    if (ares_set_servers_ports_csv(nameserver->channel, text) == ARES_SUCCESS)
        return true;
    ares_destroy(nameserver->channel);
    return false;
}

struct nameserver *nameserver_new(struct loop *loop, struct str list) {
    pthread_once(&library_once, library_init);
    struct nameserver *nameserver = mem_zero(1, sizeof *nameserver);
    if (!nameserver)
        return NULL;
    nameserver->loop = loop;
    list_init(&nameserver->watches);
    list_init(&nameserver->writer.node);
    nameserver->writer.run = sockets_write;
    timer_init(&nameserver->timer, timer_fired);
    if (library_status == ARES_SUCCESS && channel_open(nameserver, list))
        return nameserver;
    mem_free(nameserver);
    return NULL;
}

void nameserver_free(struct nameserver *nameserver) {
    if (!nameserver)
        return;
    nameserver->is_ending = true;
    ares_destroy(nameserver->channel);
    timer_disarm(&nameserver->timer);
    list_remove(&nameserver->writer.node);
    mem_free(nameserver);
}

/* ---- questions and answers ---- */

static enum nameserver_code code_of(int status) {
    switch (status) {
    case ARES_SUCCESS:
        return NAMESERVER_FOUND;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
        return NAMESERVER_NOT_FOUND;
    case ARES_EFORMERR:
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
        return NAMESERVER_FORMAT;
    case ARES_ENOTIMP:
        return NAMESERVER_UNIMPLEMENTED;
    case ARES_EREFUSED:
        return NAMESERVER_REFUSED;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
        return NAMESERVER_TIMEOUT;
    default:
        return NAMESERVER_FAILURE;
    }
}

static uint32_t ttl_least(uint32_t least, int ttl) {
    uint32_t own = ttl < 0 ? 0 : (uint32_t)ttl;
    return own < least ? own : least;
}

/* Where the answer's chain of aliases ends, if that is another name than the one asked for. */
static void alias_take(struct question *question, struct hostent *host, bool is_empty, bool *is_alias) {
    struct str name = str_of(host ? host->h_name : NULL);
    *is_alias =
        is_empty && name.len && name.len <= NAMESERVER_NAME_MAX && !str_eq_nocase(name, str_of(question->name));
    if (*is_alias) {
        memcpy(question->name, name.ptr, name.len);
        question->name[name.len] = '\0';
    }
    if (host)
        ares_free_hostent(host);
}

static int v4_read(struct question *question, const unsigned char *bytes, int len, struct address *addresses,
                   struct nameserver_answer *answer, bool *is_alias) {
    struct ares_addrttl found[NAMESERVER_RECORDS_MAX];
    struct hostent *host = NULL;
    int count = NAMESERVER_RECORDS_MAX;
    int status = ares_parse_a_reply(bytes, len, &host, found, &count);
    for (int i = 0; status == ARES_SUCCESS && i < count; i++) {
        struct address *address = &addresses[answer->count++];
        *address = (struct address){.len = sizeof address->v4};
        address->v4.sin_family = AF_INET;
        address->v4.sin_addr = found[i].ipaddr;
        answer->ttl_s = ttl_least(answer->ttl_s, found[i].ttl);
    }
    alias_take(question, host, status == ARES_SUCCESS && !answer->count, is_alias);
    return status;
}

static int v6_read(struct question *question, const unsigned char *bytes, int len, struct address *addresses,
                   struct nameserver_answer *answer, bool *is_alias) {
    struct ares_addr6ttl found[NAMESERVER_RECORDS_MAX];
    struct hostent *host = NULL;
    int count = NAMESERVER_RECORDS_MAX;
    int status = ares_parse_aaaa_reply(bytes, len, &host, found, &count);
    for (int i = 0; status == ARES_SUCCESS && i < count; i++) {
        struct address *address = &addresses[answer->count++];
        *address = (struct address){.len = sizeof address->v6};
        address->v6.sin6_family = AF_INET6;
        memcpy(&address->v6.sin6_addr, &found[i].ip6addr, sizeof address->v6.sin6_addr);
        answer->ttl_s = ttl_least(answer->ttl_s, found[i].ttl);
    }
    alias_take(question, host, status == ARES_SUCCESS && !answer->count, is_alias);
    return status;
}

/* False when only an alias was told, whose own addresses are to be asked for. */
static bool addresses_answer(struct question *question, const unsigned char *bytes, int len) {
    struct address addresses[NAMESERVER_RECORDS_MAX];
    struct nameserver_answer answer = {.ttl_s = UINT32_MAX, .addresses = addresses};
    bool is_alias = false;
    answer.code = code_of((question->kind == NAMESERVER_A ? v4_read : v6_read)(question, bytes, len, addresses,
                                                                               &answer, &is_alias));
    if (is_alias && question->aliases++ < ALIASES_MAX)
        return false;
    if (answer.code == NAMESERVER_FOUND && !answer.count)
        answer.code = NAMESERVER_NOT_FOUND;
    question->done(question->context, &answer);
    return true;
}

/* The time to live that the first SRV record says; c-ares leaves it out. RFC 1035 4.1: 12 bytes of header, the
 * question, then the records, of which the first names the question's name or, compressed, points to it. */
static uint32_t service_ttl(const unsigned char *bytes, int len) {
    int at = 12;
    while (at < len && bytes[at])
        at += bytes[at] + 1;
    at += 1 + 4; /* the name's end, type and class */
    while (at < len && bytes[at] && bytes[at] < 0xc0)
        at += bytes[at] + 1;
    at += at < len && bytes[at] >= 0xc0 ? 2 : 1;
    if (at + 8 > len)
        return 0;
    return (uint32_t)bytes[at + 4] << 24 | (uint32_t)bytes[at + 5] << 16 | (uint32_t)bytes[at + 6] << 8 |
           bytes[at + 7];
}

static void services_answer(const struct question *question, const unsigned char *bytes, int len) {
    struct nameserver_service services[NAMESERVER_RECORDS_MAX];
    struct nameserver_answer answer = {.services = services};
    struct ares_srv_reply *found = NULL;
    answer.code = code_of(ares_parse_srv_reply(bytes, len, &found));
    for (struct ares_srv_reply *at = found; at && answer.count < NAMESERVER_RECORDS_MAX; at = at->next)
        services[answer.count++] =
            (struct nameserver_service){at->priority, at->weight, at->port, str_of(at->host)};
    if (answer.code == NAMESERVER_FOUND && !answer.count)
        answer.code = NAMESERVER_NOT_FOUND;
    answer.ttl_s = service_ttl(bytes, len);
    question->done(question->context, &answer);
    if (found)
        ares_free_data(found);
}

static void question_ask(struct question *question);

static void answered(void *context, int status, int timeouts, unsigned char *bytes, int len) {
    struct question *question = context;
    (void)timeouts;
    if (!question->nameserver->is_ending) {
        if (status != ARES_SUCCESS) {
            question->done(question->context, &(struct nameserver_answer){.code = code_of(status)});
        } else if (question->kind == NAMESERVER_SRV) {
            services_answer(question, bytes, len);
        } else if (!addresses_answer(question, bytes, len)) {
            question_ask(question);
            return;
        }
    }
    mem_free(question);
}

static void question_ask(struct question *question) {
    static const int types[] = {
        [NAMESERVER_A] = TYPE_A, [NAMESERVER_AAAA] = TYPE_AAAA, [NAMESERVER_SRV] = TYPE_SRV};
    struct nameserver *nameserver = question->nameserver;
    ares_query(nameserver->channel, question->name, CLASS_IN, types[question->kind], answered, question);
    timer_set(nameserver);
}

void nameserver_ask(struct nameserver *nameserver, struct str name, enum nameserver_kind kind,
                    nameserver_done *done, void *context) {
    bool is_name = name.len && name.len <= NAMESERVER_NAME_MAX && str_find_char(name, '\0') == STR_NONE;
    struct question *question = is_name ? mem_zero(1, sizeof *question) : NULL;
    if (!question) {
        done(context, &(struct nameserver_answer){.code = is_name ? NAMESERVER_FAILURE : NAMESERVER_FORMAT});
        return;
    }
    question->nameserver = nameserver;
    question->kind = kind;
    question->done = done;
    question->context = context;
    memcpy(question->name, name.ptr, name.len);
    question_ask(question);
}
