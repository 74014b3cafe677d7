#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "codec/client_hello.h"
#include "codec/eio.h"
#include "codec/h1_body.h"
#include "net/why.h"
#include "proxy/attempt.h"
#include "proxy/flow/gather.h"
#include "proxy/flow/spool.h"
#include "proxy/front.h"

/* An exchange: one request on its way from a front to a back, and its answer. Its life is a table (exchange.c):
 * one row a state, one driver that alone changes the state. */

enum exchange_state {
#define STATE(name, step, does, bound, may_go) STATE_##name,
#include "proxy/states.def"
#undef STATE
    STATE_COUNT
};

/* The server half while an exchange has it. */
struct back {
    struct duct *duct; /* NULL: none */
    struct inbox in;
    struct outbox out;
    uint64_t kind;     /* how it is encrypted; 0: not at all */
    uint64_t requests; /* served on this connection before this one */
    uint64_t born_ms;  /* when it was opened */
    bool is_bound;     /* comes from an address that proxy_bind chose */
    bool is_keepable;  /* the backend would keep it */
    uint64_t keep_ms;  /* for how long, by its Keep-Alive header; 0: not said */
};

/* A message body on its way through, in one direction. */
struct passage {
    struct h1_body body; /* as it comes in */
    uint8_t framing;     /* as it goes out, enum h1_framing */
    bool is_done;        /* all of it has been handed to the outbox */
    bool drops_trailers;
    bool is_limited; /* no more than read_most bytes may be read now */
    uint64_t read_most;
    uint32_t trailer_len;
    char *trailer;           /* the trailer section, H1_TRAILER_MAX bytes; NULL: none came */
    struct partial *partial; /* what of it passes; NULL: all */
    uint64_t bytes;          /* payload so far */
    uint64_t overhead;       /* bytes that went out around it: sizes of chunks, trailers */
    uint64_t max_bytes;      /* payload allowed; 0: no limit */
    char *watched;           /* payload kept for affinity, WATCH_MAX bytes; NULL: none is wanted */
    uint32_t watched_len;
};

enum { WATCH_MAX = 1024 };

/* An answer of our own. */
struct local {
    unsigned status;
    struct str content_type, body;
    struct str rest;     /* of the body, when limit_rate lets it go in pieces */
    struct str headers;  /* whole lines with CRLF, of our own making */
    bool is_page;        /* the page of its status: error_page may put another answer in its place */
    bool has_tail;       /* a chunked body's end is due, with trailers */
    uint64_t modified_s; /* of a file; 0: not known */
    int file;            /* -1: none; else the body, from offset */
    uint64_t file_at, file_end;
    struct str (*feed)(struct exchange *x, struct arena *arena); /* the next event, in the arena; NULL: an
                                                                    answer with an end */
    uint64_t feed_due_ms;
};

struct exchange {
    struct engine *engine;
    struct front *front;     /* NULL once it is gone or has become a tunnel */
    struct exchange *parent; /* of auth_request: the one that waits for this one's status, and whose front it
                                has; NULL: a client's own request */
    struct list node;        /* in engine->exchange_list */
    struct arena arena;
    struct snapshot_hold *hold;
    uint8_t state; /* enum exchange_state; exchange_run alone changes it */
    bool is_running, is_client_gone, is_expired;
    bool is_tunnel;     /* has become one, which writes what is logged at its end */
    bool awaits_tunnel; /* and stays until then: see tunnel_log.h */
    struct timer deadline;
    uint64_t progress_ms; /* when it entered its state or last moved a byte */
    struct task again;    /* had its share of this turn */
    enum why why;         /* why it failed; WHY_NONE while all is well */
    int error;            /* negative errno of the system call that failed last; 0: none did */

    /* the request */
    struct h1_head *request; /* its bytes are in the arena; NULL when it could not be read */
    const struct listen *listen;
    const struct site *site;
    const struct route *route;
    struct str *slots; /* values of the model's slots; NULL: all are empty */
    struct str host;   /* lower case, without port */
    struct str path;   /* normalised, $uri; rewrites and internal redirections change it */
    struct str args;   /* $args, likewise */
    struct str method_name;
    uint8_t method;       /* enum h1_method */
    bool is_read;         /* site, host and path have been found */
    bool is_uri_changed;  /* path or args are no longer what the client wrote */
    bool is_path_foreign; /* a rewrite has changed the path within its location: proxy_pass takes it whole */
    bool is_internal;     /* a rewrite or an internal redirection has led here */
    uint8_t redirections; /* and rewrites that changed the path */
    bool adds_path;       /* try_files has found the path behind an alias that stands for all of it */
    bool has_error_page;  /* error_page has been followed, and is not to be again */
    bool is_body_dropped; /* the request's body is for nobody any more */
    const struct route *goal;  /* a named location, where the present redirection leads; NULL: by the path */
    struct address *connected; /* the other end, when that is not the client; else NULL */
    struct proxied *proxied;   /* what the PROXY protocol said; a reference; NULL: nothing */
    struct guarding *guarding; /* its way through the checks of state GUARD; NULL: there are none */
    struct eio_query eio;
    bool is_stream;             /* a connection that is passed on as it is: there is no request, see stream.h */
    struct client_hello *hello; /* of a stream with ssl_preread, once there; NULL: none */
    bool is_upgrade;            /* a valid WebSocket upgrade, which the route lets pass */
    bool is_handshake;          /* begins a session: an answer is due soon, and may come from any peer */
    bool is_head_refused;       /* refused before `request` was kept, and it began with HEAD */
    bool is_minor_0;            /* the client speaks HTTP/1.0 */
    bool is_secure;             /* the client speaks TLS */
    bool is_up_broken; /* bytes of the body may have been read and not consumed: nothing behind them can be read
                        */
    struct passage up;
    struct str asked_method; /* of the server: the client's, or proxy_method's */
    bool is_body_first;    /* the client's body is read before a server is asked, and not passed through `up` */
    bool is_body_withheld; /* nothing of it goes to this server */
    struct str short_body; /* the client's when it is short, kept whole */
    struct spool *body;    /* or what is kept of it; NULL: nothing */
    struct str body_text;  /* what goes together with the head: short_body, or proxy_set_body's */
    uint64_t up_length;    /* Content-Length to the server, when up.framing says so */
    uint64_t connection_id, connection_requests, connection_ms; /* when it was accepted */
    bool is_pipelined;
    struct str sent_head;    /* as the client got it, when model->keeps_sent_heads; while it is built, the part
                                there is */
    struct str sent_trailer; /* lines of our own behind the body, while they are built */
    uint64_t request_id[2];  /* $request_id, made when it is first asked for */
    unsigned map_depth;      /* maps being looked up in one another */
    uint64_t started_ms;

    /* who answers */
    struct group *group;  /* while it is one loop's own, this is one of its users */
    struct str pass_host; /* $proxy_host */
    struct str pass_uri;  /* with variables in proxy_pass: what is asked for instead; empty: as ever */
    uint16_t pass_port;   /* with variables: the port they name */
    bool is_naming_unix;
    struct str naming_host; /* that has to be asked for; empty: the group is known */
    struct naming *naming;  /* a server known only by name; NULL: none was */
    struct pick pick;
    struct member *member;     /* counted in its peer's `active` */
    struct str sticky_text;    /* what binds the request to a server: sticky cookie, route, learn */
    struct sid *sid;           /* pinned */
    struct peer *sid_peer;     /* the peer that holds it; a reference */
    bool is_sid_lost;          /* its peer is gone: the client is to begin anew */
    struct meter *meter;       /* this loop's of the member's peer */
    uint64_t picked_us;        /* when it was, loop->now_us */
    bool is_counted;           /* in the member's peer's `active` */
    bool keeps_member;         /* ask the same member again */
    unsigned tries, tries_max; /* servers asked, and that may be asked, since the last internal redirection */
    unsigned stale_tries;      /* kept connections that turned out to be closed */
    bool is_up_stopped;        /* the backend answers and takes no more of the body */
    struct back back;
    struct str back_name;                /* with TLS: who the server must be */
    struct certificate_pair *back_pair;  /* and what variables name as ours; NULL: nothing */
    struct attempt *attempts, *attempt;  /* servers asked so far; the last of them; NULL: none yet */
    const struct attempt *first_attempt; /* since the last internal redirection */
    struct list queued;                  /* in engine->queue, while it waits for a server */
    bool has_queued;
    uint64_t queue_began_ms, queued_ms; /* spent in the upstream's queue */
    bool has_sent;                      /* a byte of this attempt went out */
    bool has_100;                       /* "100 Continue" was sent */
    unsigned informational;             /* 1xx answers passed on */

    /* the answer */
    struct h1_head *response; /* bytes in the arena */
    struct local local;
    unsigned answer_status;    /* that the answer gets, whoever gives it: of an error page; 0: its own */
    struct str answer_type;    /* Content-Type of an answer of our own that X-Accel-Redirect led to */
    struct str answer_headers; /* lines that it has besides: of the error that the page is for */
    struct passage down;
    bool is_buffered;    /* what the client does not take is kept, so that the server is free early */
    struct spool *store; /* where; NULL: nothing was to be kept yet */
    struct timer pace;   /* more may go on: limit_rate, proxy_limit_rate */
    bool is_rate_set;    /* by more than limit_rate */
    uint64_t rate, rate_after,
        paced_bytes;             /* for the client: bytes a second, 0: no limit; free of it; gone so far */
    uint64_t given_ms, taken_ms; /* in RELAY: when the back last gave and the client last took something */
    bool is_head_out;            /* an answer's head has been handed to the front */
    unsigned status;
    uint64_t sent_bytes; /* to the client, heads included */

    struct task burial;
    struct regex_match captures; /* of the regular expression that matched last: $1 to $9 */
    struct address client;       /* who asks: the connection's other end, or whom a trusted proxy names */
};
/* What of a new one is zeroed. What stands behind it is large, and written before it is read. */
enum { EXCHANGE_CLEARED = offsetof(struct exchange, captures.groups) };
_Static_assert(EXCHANGE_CLEARED <= 2048,
               "beyond that zeroing costs a request more: what is rare has its place in the arena");

/* Begins an exchange for a front with the whole request head in engine->head, its bytes being the first
 * head.len of the front's inbox, which it takes; runs it. False without memory (nothing was taken). */
bool exchange_begin(struct front *front);
/* Begins one for a request that could not be read, only to answer and log it. */
bool exchange_begin_refused(struct front *front, enum why why);
/* Makes one for a client whose connection is still in its TLS handshake: for variables alone, never run, and
 * ended by exchange_free_early. NULL without memory. */
struct exchange *exchange_new_early(struct front *front);
void exchange_free_early(struct exchange *x);
/* Makes one that asks for `path` (which outlives it) as if the parent's client had asked for it with GET,
 * without a body; the status it comes to is the parent's to use (subrequest_end). Not run yet. NULL without
 * memory. */
struct exchange *exchange_new_inner(struct exchange *parent, struct str path);
/* Begins one for a connection of a stream, which takes it over. False without memory. */
bool exchange_begin_stream(struct front *front);
/* Goes on as far as it can without waiting. The exchange may be gone afterwards. */
void exchange_run(struct exchange *x);
/* An event of the front's duct while the exchange is under way. */
void exchange_front_ready(struct exchange *x);
/* The only way things go wrong: remembers why, gives back what is held, and says which state is next. */
enum exchange_state exchange_fail(struct exchange *x, enum why why);
/* Ends it without an answer: the client has gone or the process ends. */
void exchange_abort(struct exchange *x, enum why why);
/* A byte has moved: the present state's deadline counts from now. */
void exchange_progress(struct exchange *x);
/* Sends what an outbox of the exchange holds; what goes out is progress. As outbox_flush. */
int exchange_flush(struct exchange *x, struct outbox *outbox);
/* Goes on in the next turn: others are to have theirs. */
void exchange_yield(struct exchange *x);
/* A copy of a parsed head and its bytes in the exchange's arena; NULL without memory. */
struct h1_head *exchange_keep_head(struct exchange *x, const struct h1_head *head, const char *bytes);
/* Has all of the request been handed to the back's outbox? */
static inline bool exchange_is_asked(const struct exchange *x) {
    return x->up.is_done && (!x->body || x->is_body_withheld || spool_left(x->body) == 0);
}
/* Settles how the body gets to the server: what goes in its place, or whether it is read first. False without
 * memory. */
bool exchange_body_begin(struct exchange *x);
/* Sends of a spooled body what the back takes; what goes out is progress. 0 or a negative errno. */
int exchange_body_send(struct exchange *x);
/* Gives back what was kept of the body. */
void exchange_body_end(struct exchange *x);
/* Reads what has come of a body that nobody wants, for an answer of our own: should it be none, or too large,
 * that is to be the answer. What comes later is skipped when the answer is out. */
enum why exchange_body_drop(struct exchange *x);
/* Passes on what the client has sent of its body. WHY_NONE: all is well so far. */
enum why exchange_forward_up(struct exchange *x);
/* Tells a client that waits for it to send its body; once. nginx does so too when the body is there already or
 * has no bytes. 0 or a negative errno. */
int exchange_continue(struct exchange *x);
/* Gives back what is kept of the answer. */
void exchange_store_end(struct exchange *x);
/* Bytes that are on their way to the client and that its connection has not taken. */
uint64_t exchange_unsent(const struct exchange *x);
/* Milliseconds that it may stay in state RELAY without progress; *why is what it would be called, WHY_NONE when
 * it then simply goes on. */
uint64_t exchange_relay_deadline_ms(const struct exchange *x, enum why *why);
/* May the request be given to another member, for a reason that proxy_next_upstream calls `next_bit`? */
bool exchange_may_retry(const struct exchange *x, unsigned next_bit);
/* An internal redirection: goes on as if `path` (normalised) and `args` had been asked for; both outlive the
 * exchange. What was held for an answer so far is given back. After ten of them, rewrites included, 500. */
enum exchange_state exchange_redirect(struct exchange *x, struct str path, struct str args);
/* The same to a named location, "@name": path and args stay. 500 when there is none. */
enum exchange_state exchange_redirect_to(struct exchange *x, struct str name);
/* Matches, and on success sets captures and the slots of named groups. The subject outlives the exchange. False
 * without memory too. */
bool exchange_match(struct exchange *x, const struct regex *regex, struct str subject);
/* Gives the slots of named groups what has just matched; false without memory. */
bool exchange_bind(struct exchange *x);
/* Sets a slot; text outlives the exchange. False without memory. */
bool exchange_set_slot(struct exchange *x, unsigned slot, struct str text);
/* The group whose members are to answer; its user from now on, and no more of the one before. NULL: none. */
void exchange_use_group(struct exchange *x, struct group *group);
/* What the route does once the request may pass: a server, a file, an answer. */
enum exchange_state exchange_content(struct exchange *x);
/* Takes a connection to the member at rest, or opens one. WHY_NONE, or why that failed. */
enum why exchange_open_back(struct exchange *x);
/* Lets go of the back: into the idle pool if it is clean, else closed. */
void exchange_release_back(struct exchange *x, bool is_clean);
/* Lets go of the member: no longer active. */
void exchange_release_member(struct exchange *x);
/* The request's first line without its end; of one that could not be read, what there is of it. A view. */
struct str exchange_request_line(const struct exchange *x);
/* A line in the error log in nginx's form, with client, server, request, upstream, host and referrer. */
void exchange_log(const struct exchange *x, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same without client, server and what else is told of the exchange. */
void exchange_log_alone(const struct exchange *x, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The debug line of a change of state. */
void exchange_log_move(const struct exchange *x, const char *from, const char *to);
/* The same with "while connecting to upstream", or what else is being done there, behind the text. */
void exchange_log_upstream(const struct exchange *x, enum log_level level, const char *text);
/* What has gone wrong, in nginx's words and at its level; x->error is the system's word for it. */
void exchange_log_failure(const struct exchange *x, enum why why);

static inline const struct policy *exchange_policy(const struct exchange *x) {
    return &x->route->policy;
}

static inline bool exchange_log_wants(const struct exchange *x, enum log_level level) {
    const struct policy *policy = exchange_policy(x);
    return policy->error_logs.count ? level <= policy->error_level : log_wants(&x->engine->log, level);
}

/* One function a state: what it does, and where to; the same state means wait. */
enum exchange_state exchange_route(struct exchange *x);
enum exchange_state exchange_guard(struct exchange *x);
enum exchange_state exchange_body(struct exchange *x);
enum exchange_state exchange_resolve(struct exchange *x);
enum exchange_state exchange_pick(struct exchange *x);
enum exchange_state exchange_queue(struct exchange *x);
enum exchange_state exchange_connect(struct exchange *x);
enum exchange_state exchange_send(struct exchange *x);
enum exchange_state exchange_await(struct exchange *x);
enum exchange_state exchange_relay(struct exchange *x);
enum exchange_state exchange_tunnel(struct exchange *x);
enum exchange_state exchange_answer(struct exchange *x);
enum exchange_state exchange_done(struct exchange *x);

#endif
