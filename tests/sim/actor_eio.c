#include "crowd.h"

#include <stdio.h>

/* An Engine.IO session: handshake by polling, GETs and POSTs side by side on connections of their own, perhaps
 * an upgrade to WebSocket, then the end. */

struct eio_client;

/* One of the session's connections. */
struct strand {
    struct eio_client *session;
    struct wire wire;
    struct answer answer;
    struct ask *ask; /* under way */
    struct tube tube;
    bool in_tunnel;
};

enum { STRAND_POLL, STRAND_POST, STRAND_SOCKET, STRANDS };

struct eio_client {
    struct client *client;
    struct strand strands[STRANDS];
    struct session *session;
    unsigned polls_left, posts_left;
    bool will_upgrade, is_over;
};

static void step(struct eio_client *self);

static void over(struct eio_client *self) {
    if (self->is_over)
        return;
    self->is_over = true;
    for (int i = 0; i < STRANDS; i++) {
        struct strand *strand = &self->strands[i];
        if (strand->ask)
            strand->ask->is_hurt = true;
        strand->tube.is_over = true;
        wire_close(&strand->wire);
    }
    client_done(self->client);
}

static void give_up(struct client *client) {
    struct eio_client *self = client->self;
    if (crowd.profile.is_calm)
        world_fail("client %u (session) is not done in time", client->index);
    over(self);
}

static void tunnel_over(struct tube *tube) {
    struct strand *strand = tube->owner;
    strand->ask = NULL;
    over(strand->session);
}

static void switched(struct strand *strand) {
    strand->in_tunnel = true;
    strand->tube = (struct tube){.wire = &strand->wire,
                                 .ask = strand->ask,
                                 .side = 0,
                                 .to_say = strand->ask->plan.tunnel_bytes[0],
                                 .to_hear = strand->ask->plan.tunnel_bytes[1],
                                 .pause_ms = (unsigned)dice_below(&world.fate, 20),
                                 .stop_at = UINT64_MAX,
                                 .over = tunnel_over,
                                 .owner = strand};
    tube_open(&strand->tube);
}

/* Takes the sid from the open packet. */
static bool sid_take(struct eio_client *self, const struct answer *answer) {
    struct str text = str_make(answer->text, answer->text_len);
    size_t at = str_find(text, STR("\"sid\":\""));
    if (answer->is_own || answer->head.status != 200 || at == STR_NONE)
        return false;
    struct str rest = str_from(text, at + 7);
    self->session = ledger_session_find(str_head(rest, str_find_char(rest, '"')));
    if (self->session && plain_field(&answer->head, "x-answer").ptr)
        self->session->touched_us = world.now_us;
    return self->session != NULL;
}

static void answered(struct strand *strand) {
    struct eio_client *self = strand->session;
    struct answer *answer = &strand->answer;
    bool closes = answer->closes, is_well = answer->head.status == 200 && !answer->is_own;
    if (self->session)
        self->session->touched_us = world.now_us;
    else
        is_well = sid_take(self, answer);
    strand->ask = NULL;
    answer->has_head = false;
    answer->text_len = 0;
    if (closes)
        wire_close(&strand->wire);
    if (is_well)
        step(self);
    else
        over(self);
}

static void news(struct wire *wire) {
    struct strand *strand = wire->owner;
    if (strand->session->is_over)
        return;
    if (!strand->ask) {
        if (wire->has_end || wire->is_broken)
            wire_close(wire);
        return;
    }
    enum answer_result result = answer_read(&strand->answer, wire, strand->ask);
    if (world_has_failed() || result == ANSWER_MORE)
        return;
    if (result == ANSWER_SWITCHED)
        switched(strand);
    else if (result == ANSWER_WHOLE)
        answered(strand);
    else
        over(strand->session);
}

static void ask_send(struct strand *strand, struct ask *ask) {
    char text[4096], body[1024];
    struct builder out = builder_make(text, sizeof text);
    ask->session = strand->session->session;
    strand->ask = ask;
    if (!strand->wire.end) {
        strand->wire.news = news;
        strand->wire.owner = strand;
        wire_dial(&strand->wire, &strand->session->client->from, &crowd.front);
    }
    ask_build(ask, &out);
    wire_put(&strand->wire, out.ptr, out.len);
    if (ask->has_body) {
        pattern_fill(body, (size_t)ask->body_bytes, ask->id, 0, 0);
        wire_put(&strand->wire, body, (size_t)ask->body_bytes);
    }
}

static struct ask *engine_ask(struct eio_client *self, const char *method) {
    struct ask *ask = ask_draw(ASK_PLAIN);
    ask->method = method;
    ask->is_chunked = ask->expects_continue = ask->is_old = false;
    ask->plan.is_early = false;
    ask->plan.status = 200;
    ask->has_body = strcmp(method, "POST") == 0;
    ask->body_bytes = ask->has_body ? dice_below(&world.fate, 1000) : 0;
    ask->may_repeat = !self->session;
    if (self->session)
        snprintf(ask->target, sizeof ask->target, "/socket.io/?EIO=4&transport=polling&t=%u&sid=%s", ask->id,
                 self->session->sid);
    else
        snprintf(ask->target, sizeof ask->target, "/socket.io/?EIO=4&transport=polling&t=%u", ask->id);
    return ask;
}

static void socket_open(struct eio_client *self) {
    struct ask *ask = ask_draw(ASK_UPGRADE);
    ask->may_repeat = false;
    ask->plan.is_refusal = false;
    ask->plan.status = 200;
    snprintf(ask->target, sizeof ask->target, "/socket.io/?EIO=4&transport=websocket&sid=%s",
             self->session->sid);
    ask_send(&self->strands[STRAND_SOCKET], ask);
}

static bool wants_out(void) {
    return !crowd.profile.is_calm && dice_chance(&world.fate, crowd.profile.wrongs / 2);
}

/* Asks whatever is to be asked next. */
static void step(struct eio_client *self) {
    struct strand *poll = &self->strands[STRAND_POLL], *post = &self->strands[STRAND_POST];
    if (self->is_over)
        return;
    if (wants_out()) {
        over(self);
        return;
    }
    if (!poll->ask && self->polls_left) {
        self->polls_left--;
        ask_send(poll, engine_ask(self, "GET"));
    }
    if (self->session && !post->ask && self->posts_left) {
        self->posts_left--;
        ask_send(post, engine_ask(self, "POST"));
    }
    if (poll->ask || post->ask || self->strands[STRAND_SOCKET].ask || self->polls_left || self->posts_left)
        return;
    if (self->will_upgrade && self->session) {
        self->will_upgrade = false;
        socket_open(self);
    } else {
        over(self);
    }
}

void eio_client_start(void) {
    struct eio_client *self = world_alloc(sizeof *self);
    self->client = client_new(self, give_up);
    for (int i = 0; i < STRANDS; i++)
        self->strands[i].session = self;
    self->polls_left = (unsigned)dice_between(&world.fate, 1, 4);
    self->posts_left = (unsigned)dice_below(&world.fate, 3);
    self->will_upgrade = crowd.profile.has_upgrade && dice_chance(&world.fate, 500);
    step(self);
}
