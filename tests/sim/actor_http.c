#include "crowd.h"

#include <stdio.h>

/* A client that speaks plain HTTP: bodies of both kinds, keep-alive, pipelining, slow sending, stalled
 * reading. */

enum { PIPE_MAX = 4 };

struct http_client {
    struct client *client;
    struct wire wire;
    struct answer answer;
    struct ask *asked[PIPE_MAX]; /* sent and not answered, in order */
    unsigned asked_count, depth, left;
    struct ask *sending; /* its body is being sent */
    uint64_t body_at;
    bool waits_for_continue, is_last_said, is_over;
    unsigned turn;
};

static void fill(struct http_client *self);
static void news(struct wire *wire);

static void over(struct http_client *self, bool with_reset) {
    if (self->is_over)
        return;
    self->is_over = true;
    for (unsigned i = 0; i < self->asked_count; i++)
        self->asked[i]->is_hurt = true;
    if (with_reset)
        wire_reset(&self->wire);
    else
        wire_close(&self->wire);
    client_done(self->client);
}

static void give_up(struct client *client) {
    struct http_client *self = client->self;
    if (crowd.profile.is_calm)
        world_fail("client %u (http) is not done in time", client->index);
    over(self, false);
}

static void chunk_put(struct http_client *self, const char *bytes, size_t len) {
    wire_format(&self->wire, "%zX\r\n", len);
    wire_put(&self->wire, bytes, len);
    wire_put(&self->wire, "\r\n", 2);
}

/* The next piece of a body; true when more is to come. */
static bool body_put(struct http_client *self) {
    struct ask *ask = self->sending;
    char bytes[4096];
    uint64_t left = ask->body_bytes - self->body_at;
    size_t len = (size_t)dice_between(&world.fate, left ? 1 : 0, left < sizeof bytes ? left : sizeof bytes);
    pattern_fill(bytes, len, ask->id, 0, self->body_at);
    self->body_at += len;
    if (!ask->is_chunked)
        wire_put(&self->wire, bytes, len);
    else if (len)
        chunk_put(self, bytes, len);
    if (self->body_at < ask->body_bytes)
        return true;
    if (ask->is_chunked)
        wire_format(&self->wire, dice_chance(&world.fate, 100) ? "0\r\nX-Tail: a\r\n\r\n" : "0\r\n\r\n");
    self->sending = NULL;
    return false;
}

static void continue_late(void *object, uint64_t turn) {
    struct http_client *self = object;
    if (self->turn != turn || !self->waits_for_continue || self->is_over)
        return;
    self->waits_for_continue = false;
    fill(self);
}

/* What the engine answers itself. */
static void local_draw(struct ask *ask) {
    ask->method = "GET";
    ask->has_body = ask->is_chunked = ask->expects_continue = false;
    ask->plan.status = 200;
    bool is_file = crowd.profile.has_files && dice_chance(&world.fate, 600);
    snprintf(ask->target, sizeof ask->target, "%s", is_file ? "/files/a.txt" : "/return");
}

static void ask_next(struct http_client *self) {
    char text[4096];
    struct builder out = builder_make(text, sizeof text);
    struct ask *ask;
    if (crowd.profile.has_return && dice_chance(&world.fate, 60)) {
        ask = ask_draw(ASK_LOCAL);
        local_draw(ask);
    } else {
        ask = ask_draw(ASK_PLAIN);
    }
    ask_build(ask, &out);
    wire_put(&self->wire, out.ptr, out.len);
    self->asked[self->asked_count++] = ask;
    self->left--;
    if (ask->has_body) {
        self->sending = ask;
        self->body_at = 0;
        self->answer.continues = 0;
        self->waits_for_continue = ask->expects_continue;
        if (ask->expects_continue)
            world_later(1000000, continue_late, self, ++self->turn);
    }
}

/* Sends what may be sent now. */
static void fill(struct http_client *self) {
    while (self->wire.end && !self->is_over) {
        if (self->sending) {
            if (self->waits_for_continue || !wire_is_empty(&self->wire))
                return;
            body_put(self);
        } else if (self->left && self->asked_count < self->depth) {
            ask_next(self);
        } else {
            return;
        }
    }
}

static void dial(struct http_client *self) {
    self->wire.news = news;
    self->wire.owner = self;
    self->answer.has_head = false;
    self->wire.out_at = self->wire.out_len = 0;
    self->wire.in_at = self->wire.in_len = 0;
    self->sending = NULL;
    self->wire.pace_us = 0;
    if (dice_chance(&world.fate, 150)) {
        self->wire.pace_us = dice_between(&world.fate, 10, 5000);
        self->wire.piece = (size_t)dice_between(&world.fate, 1, 200);
    }
    self->wire.read_pace_us = 0;
    /* Long answers read slowly would outlast keepalive_timeout and send_timeout. */
    if (crowd.profile.body_max <= 12000 && dice_chance(&world.fate, 100)) {
        self->wire.read_pace_us = dice_between(&world.fate, 10, 5000);
        self->wire.read_piece = (size_t)dice_between(&world.fate, 100, 2000);
    }
    wire_dial(&self->wire, &self->client->from, &crowd.front);
    fill(self);
}

/* The connection has ended for us; what was asked on it and not answered is lost, rightly when the end had been
 * announced. */
static void redial(struct http_client *self) {
    for (unsigned i = 0; i < self->asked_count; i++)
        self->asked[i]->is_hurt = true;
    wire_close(&self->wire);
    self->asked_count = 0;
    if (self->left && !crowd.is_healed)
        dial(self);
    else
        over(self, false);
}

/* An answer is whole: the next one, or the connection's end. False when the wire is another's now. */
static bool answered(struct http_client *self) {
    struct ask *ask = self->asked[0];
    bool is_unsent = self->sending == ask, closes = self->answer.closes;
    for (unsigned i = 1; i < self->asked_count; i++)
        self->asked[i - 1] = self->asked[i];
    self->asked_count--;
    self->answer.has_head = false;
    self->answer.text_len = 0;
    if (is_unsent || closes || ask->is_old) {
        /* Who is refused before his method is known has to take a body. */
        bool is_known = !self->answer.is_own || strcmp(ask->method, "HEAD") != 0;
        if (closes && !is_unsent && is_known && wire_view(&self->wire).len)
            world_fail("request %u (%s): bytes behind the answer that closes", ask->id, ask->method);
        redial(self);
        return false;
    }
    if (!self->left && !self->asked_count) {
        over(self, false);
        return false;
    }
    if (!crowd.profile.is_calm && dice_chance(&world.fate, crowd.profile.wrongs)) {
        over(self, dice_chance(&world.fate, 500));
        return false;
    }
    return true;
}

static void news(struct wire *wire) {
    struct http_client *self = wire->owner;
    while (!self->is_over && self->asked_count && wire->end) {
        enum answer_result result = answer_read(&self->answer, wire, self->asked[0]);
        if (world_has_failed())
            return;
        if (self->answer.continues && self->waits_for_continue) {
            self->waits_for_continue = false;
            self->answer.continues = 0;
        }
        if (result == ANSWER_WHOLE) {
            if (!answered(self))
                return;
            continue;
        }
        if (result == ANSWER_BROKEN || result == ANSWER_SWITCHED) {
            redial(self);
            return;
        }
        break;
    }
    if (!self->asked_count && (wire->has_end || wire->is_broken))
        redial(self);
    else
        fill(self);
}

void http_client_start(void) {
    struct http_client *self = world_alloc(sizeof *self);
    self->client = client_new(self, give_up);
    self->left = (unsigned)dice_between(&world.fate, 1, 6);
    self->depth =
        ledger.is_proxy && dice_chance(&world.fate, 250) ? (unsigned)dice_between(&world.fate, 2, PIPE_MAX) : 1;
    dial(self);
}
