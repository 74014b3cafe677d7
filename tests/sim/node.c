#include "crowd.h"

#include <stdio.h>

/* Receiving and judging requests. */

static void step(struct call *call);

void call_end(struct call *call, bool with_reset) {
    if (call->state == CALL_OVER)
        return;
    call->state = CALL_OVER;
    call->turn++;
    list_remove(&call->peers);
    if (with_reset)
        wire_reset(&call->wire);
    else
        wire_close(&call->wire);
}

static void bad_request(struct call *call, const char *reason) {
    struct str bytes = wire_view(&call->wire);
    world_fail("node %u was sent what is no request (%s): %.*s", call->node->index, reason,
               (int)(bytes.len < 160 ? bytes.len : 160), bytes.ptr);
    call_end(call, true);
}

/* "sid=" in the query, as the node reads it. */
static struct str sid_of(struct str target) {
    for (size_t i = 0; i + 5 < target.len; i++)
        if ((target.ptr[i] == '?' || target.ptr[i] == '&') && memcmp(target.ptr + i + 1, "sid=", 4) == 0) {
            size_t from = i + 5, to = from;
            while (to < target.len && target.ptr[to] != '&')
                to++;
            return str_make(target.ptr + from, to - from);
        }
    return str_make(NULL, 0);
}

static void session_judge(struct call *call, struct str target) {
    struct str sid = sid_of(target);
    struct ask *ask = call->ask;
    struct session *session = sid.ptr ? ledger_session_find(sid) : NULL;
    if (!sid.ptr)
        return;
    if (ask->seen > 1)
        world_fail("request %u with a sid was seen %u times", ask->id, ask->seen);
    if (!session)
        return;
    bool is_fresh = world.now_us - session->touched_us < 40000000;
    if (session->is_sticky && is_fresh && session->node != call->node->index)
        world_fail("request %u of session %s, which node %u holds, came to node %u", ask->id, session->sid,
                   session->node, call->node->index);
    session->touched_us = world.now_us;
}

static bool request_judge(struct call *call, const struct plain_head *head) {
    struct str text = plain_field(head, "x-id");
    uint64_t id = 0;
    if (plain_count(head, "x-id") != 1 || !str_to_u64(text, &id) || !ledger_find((unsigned)id)) {
        bad_request(call, "no X-Id of a client's request");
        return false;
    }
    struct ask *ask = call->ask = ledger_find((unsigned)id);
    ask->seen++;
    call->node->seen++;
    world_trace(TRACE_SEEN, -1, call->node->index, ask->id);
    if (ask->kind == ASK_MALFORMED)
        world_fail("malformed request %u reached node %u", ask->id, call->node->index);
    if (ask->kind == ASK_LOCAL)
        world_fail("request %u, which the engine answers itself, reached node %u", ask->id, call->node->index);
    if (!str_eq(head->method, str_of(ask->method)) || !str_eq(head->target, str_of(ask->target)))
        world_fail("request %u is %s %s but node %u sees %.*s %.*s", ask->id, ask->method, ask->target,
                   call->node->index, STR_ARG(head->method), STR_ARG(head->target));
    if (ask->seen > 1 && !ask->may_repeat)
        world_fail("request %u (%s), which must not be repeated, was seen %u times", ask->id, ask->method,
                   ask->seen);
    if (plain_field(head, "x-secret").ptr && ledger.is_proxy)
        world_fail("request %u: a field that Connection names was passed on", ask->id);
    session_judge(call, head->target);
    return true;
}

static bool framing_judge(struct call *call, const struct plain_head *head) {
    struct ask *ask = call->ask;
    if (!plain_body_init(&call->body, head, true, false)) {
        bad_request(call, call->body.reason);
        return false;
    }
    bool has_body = call->body.framing != PLAIN_NONE;
    if (has_body && !ask->has_body)
        world_fail("request %u has no body but its backend is told of one", ask->id);
    if (!has_body && ask->has_body && ask->body_bytes > 0)
        world_fail("request %u has a body but its backend is told of none", ask->id);
    bool wants_upgrade = plain_field(head, "upgrade").ptr != NULL;
    /* The other half alone, as nginx's usual lines make it, asks for nothing. */
    if (wants_upgrade && !plain_lists(head, "connection", "upgrade"))
        world_fail("request %u reaches its backend with Upgrade but no Connection: upgrade", ask->id);
    if (wants_upgrade && ask->kind != ASK_UPGRADE)
        world_fail("request %u asks its backend for an upgrade that its client did not ask for", ask->id);
    struct str key = plain_field(head, "sec-websocket-key");
    call->is_upgrade = wants_upgrade;
    call->key[0] = 0;
    if (key.ptr && key.len < sizeof call->key) {
        memcpy(call->key, key.ptr, key.len);
        call->key[key.len] = 0;
    }
    return true;
}

static bool payload_is_right(void *context, uint64_t position, struct str bytes) {
    const struct ask *ask = ((struct call *)context)->ask;
    return position + bytes.len <= ask->body_bytes && pattern_is(bytes, ask->id, 0, position);
}

static void body_whole(struct call *call) {
    call->body_is_done = true;
    if (call->ask->has_body && call->body.got != call->ask->body_bytes)
        world_fail("request %u: its backend was told that %llu of %llu body bytes are all", call->ask->id,
                   (unsigned long long)call->body.got, (unsigned long long)call->ask->body_bytes);
}

static void body_read(struct call *call) {
    struct str bytes = wire_view(&call->wire);
    size_t before = bytes.len;
    enum plain_result result = plain_body_read(&call->body, &bytes, payload_is_right, call);
    wire_eat(&call->wire, before - bytes.len);
    if (result == PLAIN_BAD)
        world_fail("request %u: body at its backend: %s, at byte %llu", call->ask->id, call->body.reason,
                   (unsigned long long)call->body.got);
    if (result == PLAIN_DONE)
        body_whole(call);
}

static void pause_ends(void *object, uint64_t turn) {
    struct call *call = object;
    if (call->turn != turn || call->state != CALL_PAUSE)
        return;
    call->state = CALL_ANSWER;
    call_answer(call);
    step(call);
}

/* A node that did wrong is set aside for up to 10 s, once the engine has noticed. */
static void misdeed_note(const struct call *call) {
    enum misdeed misdeed = call->ask->plan.misdeed;
    bool is_slow = misdeed == MISDEED_SILENCE || misdeed == MISDEED_STALL_MIDWAY;
    if (misdeed != MISDEED_NONE && !crowd.profile.forgives)
        world_harm(is_slow ? 40000 : 12000);
}

static void begin_pause(struct call *call) {
    call->state = CALL_PAUSE;
    misdeed_note(call);
    if (call->ask->plan.misdeed == MISDEED_SILENCE)
        return;
    world_later((uint64_t)call->ask->plan.delay_ms * 1000, pause_ends, call, ++call->turn);
}

static void head_read(struct call *call) {
    static struct plain_head head;
    struct str bytes = wire_view(&call->wire);
    enum plain_result result = plain_request_read(&head, bytes);
    if (result == PLAIN_MORE)
        return;
    if (result == PLAIN_BAD) {
        bad_request(call, head.reason);
        return;
    }
    if (!request_judge(call, &head) || !framing_judge(call, &head))
        return;
    bool expects = plain_field(&head, "expect").ptr != NULL;
    wire_eat(&call->wire, head.len);
    call->body_is_done = call->is_answered = false;
    call->state = CALL_BODY;
    if (call->body.framing == PLAIN_NONE)
        body_whole(call);
    if (expects && !call->ask->plan.is_early)
        wire_format(&call->wire, "HTTP/1.1 100 Continue\r\n\r\n");
    if (call->ask->plan.is_early)
        begin_pause(call);
}

/* Nothing may come behind a request before its answer is out. */
static void silence_judge(struct call *call) {
    struct str rest = wire_view(&call->wire);
    bool is_late = call->ask->plan.misdeed == MISDEED_BYTES_AFTER; /* its answer was whole earlier */
    if (rest.len && call->body_is_done && ledger.is_proxy && !is_late)
        world_fail("node %u is sent %zu bytes behind request %u before it has answered (%s)", call->node->index,
                   rest.len, call->ask->id, call->is_upgrade ? "an upgrade" : "no upgrade");
}

void call_done(struct call *call) {
    call->is_answered = true;
    step(call);
}

static void next_request(struct call *call) {
    call->handled++;
    call->ask = NULL;
    call->state = CALL_HEAD;
}

static void step(struct call *call) {
    for (enum call_state before = CALL_OVER; call->state != before && call->wire.end;) {
        before = call->state;
        if (call->state == CALL_HEAD && wire_view(&call->wire).len)
            head_read(call);
        if (call->state == CALL_BODY || call->state == CALL_PAUSE || call->state == CALL_ANSWER) {
            if (!call->body_is_done)
                body_read(call);
            if (call->body_is_done && call->state == CALL_BODY)
                begin_pause(call);
            if (!call->is_answered)
                silence_judge(call);
            if (call->state == CALL_ANSWER && call->is_answered && call->body_is_done)
                next_request(call);
        }
        if (world_has_failed())
            return;
    }
}

static void news(struct wire *wire) {
    struct call *call = wire->owner;
    if (call->state == CALL_TUNNEL || call->state == CALL_OVER)
        return;
    step(call);
    if (call->state == CALL_TUNNEL || call->state == CALL_OVER)
        return;
    if (wire->is_broken || wire->has_end)
        call_end(call, false);
    else if (call->state == CALL_ANSWER && !call->is_answered)
        call_answer(call);
}

static void accepted(struct service *service, struct end *end) {
    struct node *node = service->actor;
    struct call *call = world_alloc(sizeof *call);
    call->node = node;
    call->wire.news = news;
    call->wire.owner = call;
    list_append(&node->calls, &call->peers);
    node->accepted++;
    wire_accept(&call->wire, end);
    if (node->health == NODE_HANGS)
        call->wire.is_stalled = true;
}

struct node *node_new(unsigned index, const struct address *address) {
    struct node *node = world_alloc(sizeof *node);
    node->index = index;
    list_init(&node->calls);
    node->service = net_serve(address, accepted, node);
    return node;
}

void node_change(struct node *node, enum node_health health) {
    world_trace(TRACE_NODE, -1, node->index, health);
    bool hung = node->health == NODE_HANGS;
    node->health = health;
    node->service->mode = health == NODE_DEAD   ? SERVICE_REFUSE
                          : health == NODE_HOLE ? SERVICE_HOLE
                                                : SERVICE_OPEN;
    if (health == NODE_DEAD)
        node->epoch++;
    LIST_EACH (&node->calls, at) {
        struct call *call = LIST_OF(at, struct call, peers);
        if (health == NODE_DEAD)
            call_end(call, dice_chance(&world.fate, 700));
        else if (health == NODE_HANGS)
            call->wire.is_stalled = true;
        else if (hung)
            wire_resume(&call->wire);
    }
}

unsigned node_calls(const struct node *node) {
    unsigned count = 0;
    LIST_EACH (&node->calls, at)
        count++;
    return count;
}
