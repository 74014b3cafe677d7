#include "proxy/affinity.h"

enum { SLACK_MS = 5000 };

static bool is_sticky(const struct exchange *x) {
    return x->group->upstream->is_sticky_by_sid && x->eio.is_engine;
}

static bool watch_begin(struct exchange *x, struct passage *passage) {
    passage->watched = arena_alloc(&x->arena, WATCH_MAX);
    return passage->watched != NULL;
}

bool affinity_begin(struct exchange *x) {
    if (!is_sticky(x))
        return true;
    enum h1_method method = (enum h1_method)x->method;
    if (x->eio.sid.len == 0)
        return x->eio.transport == EIO_POLLING && method == H1_GET ? watch_begin(x, &x->down) : true;
    enum sid_verdict verdict = sid_find(x->engine->sids, x->group->upstream_hash, x->eio.sid,
                                        x->engine->loop->now_ms, &x->sid, &x->sid_peer);
    x->is_sid_lost = verdict == SID_LOST;
    if (verdict != SID_HERE || x->eio.transport != EIO_POLLING)
        return true;
    return method == H1_POST ? watch_begin(x, &x->up) : method == H1_GET ? watch_begin(x, &x->down) : true;
}

struct member *affinity_member(struct exchange *x) {
    if (!x->sid_peer)
        return NULL;
    struct member *member = group_find(x->group, x->sid_peer);
    if (!member)
        x->is_sid_lost = true;
    return member;
}

void affinity_answered(struct exchange *x) {
    if (x->sid && x->response->status == 400)
        sid_forget(x->engine->sids, x->sid);
    if (x->response->status != 200 || h1_head_has(x->response, H1_CONTENT_ENCODING))
        x->down.watched = NULL;
}

static void session_learn(struct exchange *x, struct passage *passage) {
    struct eio_open open;
    bool is_all = passage->is_done || passage->watched_len == WATCH_MAX;
    enum codec_result result = eio_open_parse(&open, str_make(passage->watched, passage->watched_len), is_all);
    if (result == CODEC_MORE)
        return;
    passage->watched = NULL;
    if (result == CODEC_BAD) {
        exchange_log(x, LOG_INFO, "the answer to a polling handshake has no Engine.IO open packet");
        return;
    }
    uint64_t idle_ms = open.ping_interval_ms + open.ping_timeout_ms;
    idle_ms = idle_ms ? idle_ms + SLACK_MS : SID_IDLE_DEFAULT_MS;
    if (!sid_learn(x->engine->sids, str_make(open.sid, open.sid_len), x->member->peer, idle_ms,
                   x->engine->loop->now_ms))
        exchange_log(x, LOG_CRIT, "out of memory for sessions: affinity of this one is by chance");
}

void affinity_watch(struct exchange *x, struct passage *passage) {
    if (!x->sid) {
        session_learn(x, passage);
        return;
    }
    if (!passage->is_done || passage->bytes > WATCH_MAX)
        return;
    if (eio_has_close(str_make(passage->watched, passage->watched_len), x->eio.version))
        sid_end(x->engine->sids, x->sid);
}

void affinity_end(struct exchange *x) {
    if (x->sid)
        sid_unpin(x->engine->sids, x->sid, x->engine->loop->now_ms);
    x->sid = NULL;
    peer_drop(x->sid_peer);
    x->sid_peer = NULL;
}
