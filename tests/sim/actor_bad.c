#include "crowd.h"

#include <stdio.h>

/* Clients that send what must never reach a backend, and clients that behave badly. */

/* @ is the number of a request that no backend may see. */
static const char *const malformed[] = {
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nContent-Length: 4, 4\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nContent-Length: +4\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nContent-Length:\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nContent-Length: 18446744073709551620\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
    "chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: a\r\nX-Id: @\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Id: @\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-Id: @\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\nX-Id: @\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nX: a\r\n b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\n: empty\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\nX-Id: @\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nX: a\rb\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a\r\nX-Id: @\r\n\r\n",
    "GET /#frag HTTP/1.1\r\nHost: a\r\nX-Id: @\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\nX-Id: @\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\nX-Id: @\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\nX-Id: @\r\n\r\n",
    "G\x01T / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Id: @\r\nno colon here\r\n\r\n",
};

struct bad_client {
    struct client *client;
    struct wire wire;
    struct answer answer;
    struct ask *ask;
    bool has_answer, is_over, expects_answer;
};

static void over(struct bad_client *self) {
    if (self->is_over)
        return;
    self->is_over = true;
    wire_close(&self->wire);
    client_done(self->client);
}

static void give_up(struct client *client) {
    struct bad_client *self = client->self;
    if (crowd.profile.is_calm)
        world_fail("client %u (malformed request %u): the connection was not closed in time", client->index,
                   self->ask->id);
    over(self);
}

static void news(struct wire *wire) {
    struct bad_client *self = wire->owner;
    if (self->is_over)
        return;
    while (!self->has_answer) {
        enum answer_result result = answer_read(&self->answer, wire, self->ask);
        if (world_has_failed() || result == ANSWER_MORE)
            return;
        if (result == ANSWER_SWITCHED)
            world_fail("malformed request %u was answered with 101", self->ask->id);
        if (result == ANSWER_BROKEN) {
            over(self);
            return;
        }
        self->has_answer = true;
    }
    if (wire_view(wire).len)
        world_fail("bytes behind the answer to malformed request %u", self->ask->id);
    if (wire->has_end || wire->is_broken)
        over(self);
}

void bad_client_start(void) {
    struct bad_client *self = world_alloc(sizeof *self);
    char text[4096];
    struct builder out = builder_make(text, sizeof text);
    size_t count = sizeof malformed / sizeof *malformed;
    self->client = client_new(self, give_up);
    self->ask = ledger_ask(ASK_MALFORMED);
    world_trace(TRACE_REQUEST, -1, self->ask->id, ASK_MALFORMED);
    for (const char *at = malformed[dice_below(&world.fate, count)]; *at; at++)
        if (*at == '@')
            builder_u64(&out, self->ask->id);
        else
            builder_char(&out, *at);
    /* What a smuggler hides behind it. */
    builder_format(&out, "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Id: %u\r\n\r\n",
                   ledger_ask(ASK_MALFORMED)->id);
    self->wire.news = news;
    self->wire.owner = self;
    if (dice_chance(&world.fate, 200)) {
        self->wire.pace_us = 100;
        self->wire.piece = 1;
    }
    wire_dial(&self->wire, &self->client->from, &crowd.front);
    wire_put(&self->wire, out.ptr, out.len);
}

struct rude_client {
    struct client *client;
    struct wire wire;
    bool is_over;
};

static void rude_give_up(struct client *client) {
    struct rude_client *self = client->self;
    self->is_over = true;
    wire_close(&self->wire);
}

static void rude_leave(void *object, uint64_t way) {
    struct rude_client *self = object;
    if (self->is_over)
        return;
    self->is_over = true;
    if (way == 0)
        wire_close(&self->wire);
    else if (way == 1)
        wire_reset(&self->wire);
    else if (self->wire.end && self->wire.end->is_connected)
        wire_vanish(&self->wire);
    else
        wire_close(&self->wire);
    client_done(self->client);
}

static void rude_news(struct wire *wire) {
    struct rude_client *self = wire->owner;
    if (self->is_over || (!wire->has_end && !wire->is_broken))
        return;
    self->is_over = true;
    wire_close(wire);
    client_done(self->client);
}

/* What a rude client sends: a part of a request, or one whose answer it does not read. */
static void rude_put(struct rude_client *self) {
    char text[4096];
    struct builder out = builder_make(text, sizeof text);
    struct ask *ask =
        ask_draw(crowd.profile.has_upgrade && dice_chance(&world.fate, 300) ? ASK_UPGRADE : ASK_PLAIN);
    ask->is_hurt = true;
    ask_build(ask, &out);
    size_t len = dice_chance(&world.fate, 500) ? out.len : (size_t)dice_below(&world.fate, out.len + 1);
    wire_put(&self->wire, out.ptr, len);
    if (len == out.len && ask->has_body && !ask->is_chunked && dice_chance(&world.fate, 700)) {
        size_t part = (size_t)dice_below(&world.fate, ask->body_bytes + 1);
        part = part < sizeof text ? part : sizeof text;
        pattern_fill(text, part, ask->id, 0, 0);
        wire_put(&self->wire, text, part);
    }
}

void rude_client_start(void) {
    struct rude_client *self = world_alloc(sizeof *self);
    self->client = client_new(self, rude_give_up);
    self->wire.news = rude_news;
    self->wire.owner = self;
    self->wire.is_stalled = dice_chance(&world.fate, 300);
    if (dice_chance(&world.fate, 300)) {
        self->wire.pace_us = dice_between(&world.fate, 1000, 1500000);
        self->wire.piece = 1;
    }
    wire_dial(&self->wire, &self->client->from, &crowd.front);
    if (dice_chance(&world.fate, 900))
        rude_put(self);
    if (dice_chance(&world.fate, 200))
        wire_finish(&self->wire);
    world_later(dice_below(&world.fate, 30000) * (dice_chance(&world.fate, 300) ? 1000 : 10), rude_leave, self,
                dice_below(&world.fate, 3));
}
