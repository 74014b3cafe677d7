/* What went wrong with an exchange: whose fault it is, and whether another server is asked. */
#include "proxy/exchange.h"
#include "proxy/queue.h"
#include "proxy/stream.h"

/* nginx's proxy_next_upstream: which of its words covers this ending. */
static unsigned next_upstream_bit(enum why why) {
    switch (why) {
    case WHY_CONNECT_TIMEOUT:
    case WHY_HANDSHAKE_TIMEOUT:
    case WHY_ANSWER_TIMEOUT:
    case WHY_BACKEND_SEND_TIMEOUT:
        return NEXT_TIMEOUT;
    case WHY_CONNECT_REFUSED:
    case WHY_CONNECT_FAILED:
    case WHY_TLS_FAILED:
    case WHY_ANSWER_CLOSED:
    case WHY_BACKEND_RESET:
        return NEXT_ERROR;
    case WHY_ANSWER_INVALID:
    case WHY_ANSWER_TOO_LARGE:
    case WHY_UPGRADE_INVALID:
        return NEXT_INVALID_HEADER;
    default:
        return 0;
    }
}

/* nginx's notion: a second POST, LOCK or PATCH may do a thing twice. */
static bool is_idempotent(const struct exchange *x) {
    return x->method != H1_POST && x->method != H1_PATCH && !str_eq(x->method_name, STR("LOCK"));
}

/* Has any of the request's body gone to a server, and is lost? An empty chunked one has when its end did. */
static bool is_body_given(const struct exchange *x) {
    if (x->is_body_first)
        return false;
    return x->up.bytes || (x->up.is_done && x->request->framing == H1_CHUNKED);
}

bool exchange_may_retry(const struct exchange *x, unsigned next_bit) {
    const struct policy *policy = exchange_policy(x);
    if (x->is_stream)
        return stream_may_retry(x, next_bit);
    if (!(policy->next_upstream & next_bit) || x->is_head_out || is_body_given(x) || x->sid)
        return false;
    if (x->has_sent &&
        (x->eio.sid.len || (!is_idempotent(x) && !(policy->next_upstream & NEXT_NON_IDEMPOTENT))))
        return false; /* a second poll or post would end the session; a second POST may do a thing twice */
    if (x->tries >= x->tries_max)
        return false;
    if (policy->next_upstream_timeout_ms && attempt_spent_ms(x) >= policy->next_upstream_timeout_ms)
        return false;
    return true;
}

/* A kept connection that the backend closed as we used it is nobody's fault: the same peer may be asked again.
 */
static bool is_stale_connection(const struct exchange *x, enum why why) {
    return x->back.requests > 0 && x->attempt->received == 0 &&
           (why == WHY_ANSWER_CLOSED || why == WHY_BACKEND_RESET);
}

static bool may_ask_again(const struct exchange *x) {
    if (x->is_head_out || is_body_given(x) || x->stale_tries >= 3)
        return false;
    return !x->has_sent || (x->eio.sid.len == 0 && is_idempotent(x));
}

static void fault_charge(struct exchange *x, enum why why) {
    if (!x->member || why_info(why)->owner != WHY_OWNER_BACKEND)
        return;
    counter_add(&x->meter->failures[why], 1);
    bool is_aside = member_fail(x->group, x->member, why, x->engine->loop->now_ms);
    if (atomic_load_explicit(&x->member->peer->is_dead, memory_order_relaxed))
        idle_close_peer(x->engine->idle, x->member->peer);
    if (is_aside)
        exchange_log_upstream(x, LOG_WARN, "upstream server temporarily disabled");
}

/* A 403 or 404 says nothing against the server, in nginx neither: it does not count as a failure. */
static bool is_status(enum why why) {
    return why == WHY_ANSWER_STATUS || why == WHY_ANSWER_ELSEWHERE;
}

static bool is_connect_failure(enum why why) {
    return why == WHY_CONNECT_REFUSED || why == WHY_CONNECT_FAILED || why == WHY_CONNECT_TIMEOUT ||
           why == WHY_TLS_FAILED;
}

enum exchange_state exchange_fail(struct exchange *x, enum why why) {
    bool is_stale = is_stale_connection(x, why);
    if (why != WHY_NAME_UNKNOWN && why != WHY_INTERNAL) /* has been said, with the name */
        exchange_log_failure(x, why);
    if (!is_stale)
        fault_charge(x, why);
    /* A status that asks for the next server was found to allow it before it came here. */
    bool may_retry =
        x->group && !x->is_client_gone && (is_status(why) || exchange_may_retry(x, next_upstream_bit(why)));
    bool may_again = is_stale && !x->is_client_gone && may_ask_again(x);
    exchange_release_back(x, false);
    exchange_release_member(x);
    queue_leave(x);
    if (!may_again && !is_status(why))
        attempt_end(x, x->is_client_gone || x->is_head_out ? 0 : why_info(why)->http);
    if (may_again) {
        x->stale_tries++;
        x->keeps_member = true;
    }
    if (may_retry || may_again)
        return STATE_PICK;
    if (x->sid && is_connect_failure(why))
        why = WHY_SID_UNKNOWN; /* its node is dead: the client is to begin anew, at once */
    x->why = why;
    if (x->is_head_out || x->is_client_gone) {
        if (x->front && !x->parent)
            x->front->must_close = true;
        return STATE_DONE;
    }
    return STATE_ANSWER;
}
