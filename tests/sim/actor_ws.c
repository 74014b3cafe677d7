#include "crowd.h"

/* A client that asks for a WebSocket and uses what it gets. */

struct ws_client {
    struct client *client;
    struct wire wire;
    struct answer answer;
    struct tube tube;
    struct ask *ask;
    size_t glued;
    bool is_over, in_tunnel, is_refused;
};

static void over(struct ws_client *self) {
    if (self->is_over)
        return;
    self->is_over = true;
    if (!self->ask->is_whole && !self->ask->answered)
        self->ask->is_hurt = true;
    wire_close(&self->wire);
    client_done(self->client);
}

static void give_up(struct client *client) {
    struct ws_client *self = client->self;
    if (crowd.profile.is_calm)
        world_fail("client %u (websocket %u) is not done in time: %llu of %llu heard", client->index,
                   self->ask->id, (unsigned long long)self->tube.heard, (unsigned long long)self->tube.to_hear);
    self->ask->is_hurt = true;
    self->tube.is_over = true;
    over(self);
}

static void tunnel_over(struct tube *tube) {
    over(tube->owner);
}

static void accept_judge(const struct ws_client *self) {
    char accept[40];
    node_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
    const struct plain_head *head = &self->answer.head;
    if (!str_eq(plain_field(head, "sec-websocket-accept"), str_of(accept)))
        world_fail("request %u: 101 with a wrong Sec-WebSocket-Accept reached the client", self->ask->id);
    if (!plain_lists(head, "connection", "upgrade") || !plain_lists(head, "upgrade", "websocket"))
        world_fail("request %u: 101 without its Upgrade", self->ask->id);
}

static void switched(struct ws_client *self) {
    struct tube *tube = &self->tube;
    accept_judge(self);
    self->in_tunnel = true;
    *tube = (struct tube){.wire = &self->wire,
                          .ask = self->ask,
                          .side = 0,
                          .said = self->glued,
                          .to_say = self->ask->plan.tunnel_bytes[0],
                          .to_hear = self->ask->plan.tunnel_bytes[1],
                          .pause_ms = (unsigned)dice_below(&world.fate, 20),
                          .stop_at = UINT64_MAX,
                          .over = tunnel_over,
                          .owner = self};
    if (!crowd.profile.is_calm && !crowd.is_healed && dice_chance(&world.fate, crowd.profile.wrongs)) {
        tube->stop_at = dice_below(&world.fate, tube->to_say + 1);
        tube->ending = dice_below(&world.fate, 3);
        tube->ending += 1;
    }
    tube_open(tube);
}

/* Refused with bytes sent ahead: the engine must close, and nothing follows the refusal. What comes only after
 * the refusal may be read as a request, though. */
static void closing_wait(struct ws_client *self) {
    const struct weather *weather = &world.weather;
    bool is_together = !weather->piece_max && weather->window_min >= 4096 && !self->wire.pace_us;
    if (wire_view(&self->wire).len && is_together)
        world_fail("request %u: bytes behind the answer that refuses its upgrade", self->ask->id);
    if (self->wire.has_end || self->wire.is_broken)
        over(self);
}

static void news(struct wire *wire) {
    struct ws_client *self = wire->owner;
    if (self->is_refused) {
        closing_wait(self);
        return;
    }
    enum answer_result result = answer_read(&self->answer, wire, self->ask);
    if (world_has_failed())
        return;
    if (result == ANSWER_SWITCHED)
        switched(self);
    else if (result == ANSWER_WHOLE && self->glued) {
        self->is_refused = true;
        closing_wait(self);
    } else if (result != ANSWER_MORE) {
        over(self);
    }
}

static void handshake_put(struct ws_client *self) {
    char text[4096];
    struct builder out = builder_make(text, sizeof text);
    ask_build(self->ask, &out);
    if (ledger.is_proxy && dice_chance(&world.fate, 250)) {
        uint64_t most = self->ask->plan.tunnel_bytes[0] < 500 ? self->ask->plan.tunnel_bytes[0] : 500;
        self->glued = (size_t)dice_below(&world.fate, most + 1);
        pattern_fill(out.ptr + out.len, self->glued, self->ask->id, 0, 0);
        out.len += self->glued;
    }
    wire_put(&self->wire, out.ptr, out.len);
}

void ws_client_start(void) {
    struct ws_client *self = world_alloc(sizeof *self);
    self->client = client_new(self, give_up);
    self->ask = ask_draw(ASK_UPGRADE);
    self->wire.news = news;
    self->wire.owner = self;
    if (dice_chance(&world.fate, 150)) {
        self->wire.pace_us = dice_between(&world.fate, 10, 3000);
        self->wire.piece = (size_t)dice_between(&world.fate, 20, 300);
    }
    wire_dial(&self->wire, &self->client->from, &crowd.front);
    handshake_put(self);
}
