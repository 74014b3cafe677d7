#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "world.h"

/* What was asked, what a backend shall answer, and what became of it: against this book both sides are
 * judged. */

enum ask_kind {
    ASK_PLAIN,
    ASK_UPGRADE,
    ASK_MALFORMED, /* must never be seen by a backend */
    ASK_LOCAL      /* answered by the engine itself */
};

/* What a backend does wrong on purpose. */
enum misdeed {
    MISDEED_NONE,
    MISDEED_SILENCE,
    MISDEED_CLOSE_UNANSWERED,
    MISDEED_RESET_UNANSWERED,
    MISDEED_CLOSE_MIDWAY,
    MISDEED_RESET_MIDWAY,
    MISDEED_STALL_MIDWAY,
    MISDEED_BAD_HEAD,
    MISDEED_HUGE_HEAD,
    MISDEED_BAD_CHUNK,
    MISDEED_UNASKED_101,
    MISDEED_WRONG_ACCEPT,
    MISDEED_WRONG_PROTOCOL,
    MISDEED_CLOSE_AFTER, /* keeps the connection by its head and closes it at once */
    MISDEED_BYTES_AFTER, /* bytes nobody asked for behind a whole answer */
    MISDEED_COUNT
};

enum answer_framing { ANSWER_LENGTH, ANSWER_CHUNKED, ANSWER_CLOSE, ANSWER_FRAMINGS };

/* How the backend answers. */
struct plan {
    enum misdeed misdeed;
    enum answer_framing framing;
    unsigned status;
    uint64_t body_bytes;
    unsigned delay_ms;
    unsigned pace_us;         /* between the pieces of the answer; 0: at once */
    unsigned interims;        /* 103s before the answer */
    bool is_early;            /* answers before the request's body has come */
    bool closes;              /* says Connection: close */
    bool is_refusal;          /* of an upgrade, with `status` */
    uint64_t tunnel_bytes[2]; /* towards the backend, towards the client */
    unsigned tunnel_waits;    /* which side half-closes only after the other: 0 client, 1 backend; 2: none */
    bool tunnel_glued;        /* its first bytes come with the 101 */
};

enum { ASK_TARGET_MAX = 200 };

struct session;

struct ask {
    unsigned id;
    enum ask_kind kind;
    const char *method;
    char target[ASK_TARGET_MAX];
    bool has_body, is_chunked, expects_continue, is_old; /* old: HTTP/1.0 */
    uint64_t body_bytes;
    bool may_repeat; /* the engine may try it more than once */
    bool is_hurt;    /* a fault by plan or by its client touches it */
    uint64_t harm;   /* world.harm when it began */
    bool began_in_harm;
    struct plan plan;
    struct session *session; /* of a request with a sid */

    unsigned seen;           /* heads seen by backends */
    unsigned answered;       /* status the client got; 0: none */
    uint64_t finished_us[2]; /* when a side of the tunnel sent its FIN */
    bool is_accepted;        /* a backend has sent its right 101 */
    bool is_whole;           /* the client has the whole answer of the backend, or the whole tunnel */
};

/* An Engine.IO session, as its node knows it. */
struct session {
    char sid[24];
    unsigned node;
    unsigned epoch;      /* the node's life it belongs to */
    uint64_t touched_us; /* last request seen or answer taken */
    bool is_over;
    bool is_sticky; /* its requests must come to its node */
};

struct ledger {
    struct ask **asks;
    unsigned count, room;
    struct session **sessions;
    unsigned session_count, session_room;
    bool is_affine; /* the configuration keeps sessions at their nodes */
    bool is_proxy;  /* the subject understands HTTP (a blind relay does not) */
    uint64_t requests, tunnels, answers;
};
extern struct ledger ledger;

void ledger_begin(void);
/* A new request; the caller fills it. */
struct ask *ledger_ask(enum ask_kind kind);
/* NULL when there is none. */
struct ask *ledger_find(unsigned id);
struct session *ledger_session(unsigned node, unsigned epoch);
struct session *ledger_session_find(struct str sid);

/* Has any fault touched it since it began? */
bool ask_is_hurt(const struct ask *ask);
/* What `side` (0 client, 1 backend) says in the exchange or tunnel `id`, from a position on. */
void pattern_fill(char *bytes, size_t len, unsigned id, unsigned side, uint64_t position);
bool pattern_is(struct str bytes, unsigned id, unsigned side, uint64_t position);

#endif
