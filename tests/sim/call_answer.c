#include "node.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

/* What backends answer, rightly and wrongly. */

void node_accept(const char *key, char *out) {
    char text[128];
    unsigned char digest[SHA_DIGEST_LENGTH];
    int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)text, (size_t)len, digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}

struct reply {
    struct builder text; /* a body that is no pattern; empty: a pattern of `bytes` */
    uint64_t bytes;
    unsigned status;
    enum answer_framing framing;
    bool closes, has_no_body;
};

/* The node's answer to a polling request: the handshake's open packet, a packet, "ok", or a session unknown. */
static void engine_answer(struct call *call, struct reply *reply) {
    struct ask *ask = call->ask;
    struct session *session = ask->session;
    struct node *node = call->node;
    reply->framing = ANSWER_LENGTH;
    if (!session) {
        session = ledger_session(node->index, node->epoch);
        session->is_sticky = ledger.is_affine;
        ask->session = session;
        builder_format(&reply->text,
                       "0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
                       "\"pingTimeout\":20000,\"maxPayload\":1000000}",
                       session->sid);
    } else if (session->node != node->index || session->epoch != node->epoch || session->is_over) {
        reply->status = 400;
        builder_format(&reply->text, "{\"code\":1,\"message\":\"Session ID unknown\"}");
    } else if (str_eq(str_of(ask->method), STR("POST"))) {
        builder_format(&reply->text, "ok");
    } else {
        builder_format(&reply->text, "4%u", ask->id);
    }
    if (session->node == node->index)
        session->touched_us = world.now_us;
}

static void body_put(struct call *call, const struct reply *reply, uint64_t count) {
    char bytes[4096];
    for (uint64_t at = 0; at < count;) {
        uint64_t most = reply->framing == ANSWER_CHUNKED ? dice_between(&world.fate, 1, 3000) : sizeof bytes;
        size_t len = (size_t)(count - at < most ? count - at : most);
        if (reply->text.len)
            memcpy(bytes, reply->text.ptr + at, len);
        else
            pattern_fill(bytes, len, call->ask->id, 1, at);
        if (reply->framing == ANSWER_CHUNKED)
            wire_format(&call->wire, dice_chance(&world.fate, 100) ? "%zx;a=b\r\n" : "%zx\r\n", len);
        wire_put(&call->wire, bytes, len);
        if (reply->framing == ANSWER_CHUNKED)
            wire_put(&call->wire, "\r\n", 2);
        at += len;
    }
}

static void head_put(struct call *call, const struct reply *reply) {
    char memory[1024];
    struct builder head = builder_make(memory, sizeof memory);
    builder_format(&head, "HTTP/1.1 %u %s\r\nX-Answer: %u\r\n", reply->status,
                   reply->status == 200 ? "OK" : "Other", call->ask->id);
    if (reply->text.len)
        builder_format(&head, "X-Body: text\r\n");
    bool may_frame = reply->status != 204 && reply->status != 304;
    if (may_frame && reply->framing == ANSWER_LENGTH)
        builder_format(&head, "Content-Length: %llu\r\n", (unsigned long long)reply->bytes);
    if (may_frame && reply->framing == ANSWER_CHUNKED)
        builder_format(&head, "Transfer-Encoding: chunked\r\n");
    if (reply->closes)
        builder_format(&head, "Connection: close\r\n");
    builder_format(&head, "\r\n");
    wire_put(&call->wire, head.ptr, head.len);
}

static void end_midway(void *object, uint64_t turn) {
    struct call *call = object;
    if (call->turn == turn && call->state == CALL_ANSWER)
        call_end(call, call->ask->plan.misdeed == MISDEED_RESET_MIDWAY);
}

static bool is_midway(enum misdeed misdeed) {
    return misdeed == MISDEED_CLOSE_MIDWAY || misdeed == MISDEED_RESET_MIDWAY ||
           misdeed == MISDEED_STALL_MIDWAY;
}

static void reply_send(struct call *call, const struct reply *reply) {
    enum misdeed misdeed = call->ask->plan.misdeed;
    head_put(call, reply);
    if (reply->has_no_body)
        return;
    if (is_midway(misdeed) && reply->bytes) {
        call->is_cut = true;
        body_put(call, reply, reply->bytes / 2);
        if (misdeed != MISDEED_STALL_MIDWAY)
            world_later(dice_below(&world.fate, 20000), end_midway, call, ++call->turn);
        return;
    }
    if (misdeed == MISDEED_BAD_CHUNK && reply->framing == ANSWER_CHUNKED && !reply->text.len) {
        char two[2];
        pattern_fill(two, 2, call->ask->id, 1, 0);
        if (dice_chance(&world.fate, 500)) /* the chunk goes on where its CRLF should be */
            wire_format(&call->wire, "2\r\n%c%cc\r\n0\r\n\r\n", two[0], two[1]);
        else
            wire_format(&call->wire, "zz\r\nabc\r\n");
        return;
    }
    body_put(call, reply, reply->bytes);
    if (reply->framing == ANSWER_CHUNKED)
        wire_format(&call->wire, dice_chance(&world.fate, 100) ? "0\r\nX-Tail: 1\r\n\r\n" : "0\r\n\r\n");
    if (misdeed == MISDEED_BYTES_AFTER && reply->framing != ANSWER_CLOSE)
        /* No whole answer: that, on a connection just used again, nobody could tell from the right one. */
        wire_format(&call->wire, "bytes that nobody asked for\r\n\r\n");
}

static void plain_answer(struct call *call) {
    struct ask *ask = call->ask;
    const struct plan *plan = &ask->plan;
    char memory[300];
    struct reply reply = {builder_make(memory, sizeof memory),
                          plan->body_bytes,
                          plan->status,
                          plan->framing,
                          plan->closes || plan->framing == ANSWER_CLOSE,
                          false};
    bool is_engine = strstr(ask->target, "transport=polling") != NULL;
    if (is_engine)
        engine_answer(call, &reply);
    if (reply.text.len)
        reply.bytes = reply.text.len;
    reply.has_no_body = strcmp(ask->method, "HEAD") == 0 || reply.status == 204 || reply.status == 304;
    for (unsigned i = 0; i < plan->interims; i++)
        wire_format(&call->wire, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    reply_send(call, &reply);
    if (!call->is_cut && (plan->misdeed == MISDEED_CLOSE_AFTER || reply.closes))
        wire_close_after(&call->wire);
}

static void tunnel_over(struct tube *tube) {
    struct call *call = tube->owner;
    call_end(call, false);
}

static void tunnel_begin(struct call *call) {
    struct ask *ask = call->ask;
    char accept[40];
    node_accept(call->key, accept);
    ask->is_accepted = true;
    if (ask->session)
        ask->session->touched_us = world.now_us;
    call->tube = (struct tube){.wire = &call->wire,
                               .ask = ask,
                               .side = 1,
                               .to_say = ask->plan.tunnel_bytes[1],
                               .to_hear = ask->plan.tunnel_bytes[0],
                               .pause_ms = (unsigned)dice_below(&world.fate, 30),
                               .stop_at = UINT64_MAX,
                               .over = tunnel_over,
                               .owner = call};
    if (!world.weather.piece_max)
        call->tube.pause_ms /= 4;
    call->wire.pace_us = 0;
    call->state = CALL_TUNNEL;
    char text[4096];
    struct builder out = builder_make(text, sizeof text);
    builder_format(&out,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\nX-Answer: %u\r\n\r\n",
                   accept, ask->id);
    size_t glued = ask->plan.tunnel_glued ? (size_t)dice_below(&world.fate, 600) : 0;
    if (glued > call->tube.to_say)
        glued = (size_t)call->tube.to_say;
    pattern_fill(text + out.len, glued, ask->id, 1, 0);
    call->tube.said = glued;
    wire_put(&call->wire, text, out.len + glued);
    tube_open(&call->tube);
}

static void upgrade_answer(struct call *call) {
    const struct plan *plan = &call->ask->plan;
    struct session *session = call->ask->session;
    struct wire *wire = &call->wire;
    bool is_foreign = session && (session->node != call->node->index || session->epoch != call->node->epoch);
    if (plan->misdeed == MISDEED_WRONG_ACCEPT)
        wire_format(wire, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\nsecret bytes of a tunnel");
    else if (plan->misdeed == MISDEED_WRONG_PROTOCOL)
        wire_format(wire,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nbytes");
    else if (plan->is_refusal || is_foreign)
        plain_answer(call);
    else
        tunnel_begin(call);
}

static void misdo(struct call *call) {
    char huge[3000];
    switch (call->ask->plan.misdeed) {
    case MISDEED_CLOSE_UNANSWERED:
        call_end(call, false);
        break;
    case MISDEED_RESET_UNANSWERED:
        call_end(call, true);
        break;
    case MISDEED_BAD_HEAD:
        wire_format(&call->wire,
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nabcd");
        break;
    case MISDEED_HUGE_HEAD:
        memset(huge, 'h', sizeof huge);
        wire_format(&call->wire, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Answer: %u\r\n", call->ask->id);
        for (int i = 0; i < 60; i++) {
            wire_format(&call->wire, "X-H%d: ", i);
            wire_put(&call->wire, huge, sizeof huge);
            wire_format(&call->wire, "\r\n");
        }
        wire_format(&call->wire, "\r\n");
        break;
    default:
        wire_format(&call->wire,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nX-Answer: %u\r\n\r\nsecret",
                    call->ask->id);
        break;
    }
}

static bool is_wild(enum misdeed misdeed) {
    return misdeed == MISDEED_CLOSE_UNANSWERED || misdeed == MISDEED_RESET_UNANSWERED ||
           misdeed == MISDEED_BAD_HEAD || misdeed == MISDEED_HUGE_HEAD || misdeed == MISDEED_UNASKED_101;
}

static void begin(struct call *call) {
    const struct plan *plan = &call->ask->plan;
    call->has_begun = true;
    call->wire.pace_us = plan->pace_us;
    call->wire.piece = 16 + (size_t)(plan->body_bytes / 20);
    if (is_wild(plan->misdeed) && !(plan->misdeed == MISDEED_UNASKED_101 && call->is_upgrade))
        misdo(call);
    else if (call->is_upgrade)
        upgrade_answer(call);
    else
        plain_answer(call);
}

void call_answer(struct call *call) {
    if (!call->has_begun)
        begin(call);
    if (call->state == CALL_ANSWER && !call->wire.end) {
        call_end(call, false);
        return;
    }
    if (call->state != CALL_ANSWER || call->is_cut || !wire_is_empty(&call->wire))
        return;
    call->has_begun = false;
    call_done(call);
}
