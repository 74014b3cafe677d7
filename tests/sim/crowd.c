#include "crowd.h"

struct crowd crowd;

void crowd_begin(const struct profile *profile, const struct address *front) {
    memset(&crowd, 0, sizeof crowd);
    crowd.profile = *profile;
    crowd.front = *front;
    for (unsigned i = 0; i < profile->nodes; i++) {
        struct address address = net_address(10, 1, 0, i + 1, 3000);
        crowd.nodes[i] = node_new(i, &address);
    }
}

struct client *client_new(void *self, void (*give_up)(struct client *client)) {
    struct client *client = world_alloc(sizeof *client);
    client->crowd = &crowd;
    client->self = self;
    client->give_up = give_up;
    client->index = crowd.client_count;
    client->from =
        net_address(10, 9, (unsigned)dice_below(&world.fate, 256), (unsigned)dice_between(&world.fate, 1, 254),
                    (unsigned)dice_between(&world.fate, 1024, 65000));
    if (crowd.client_count < CROWD_CLIENTS)
        crowd.clients[crowd.client_count++] = client;
    return client;
}

void client_done(struct client *client) {
    if (client->is_done)
        return;
    client->is_done = true;
    crowd.done++;
    world_trace(TRACE_CLIENT_DONE, -1, client->index, 0);
}

bool crowd_is_done(void) {
    return crowd.started == crowd.expected && crowd.done == crowd.client_count;
}

void crowd_give_up(void) {
    for (unsigned i = 0; i < crowd.client_count; i++)
        if (!crowd.clients[i]->is_done) {
            crowd.clients[i]->give_up(crowd.clients[i]);
            client_done(crowd.clients[i]);
        }
}

static void start_client(void *object, uint64_t value) {
    const struct profile *profile = &crowd.profile;
    (void)object, (void)value;
    crowd.started++;
    uint64_t draw = dice_below(&world.fate, 100);
    if (!profile->is_calm && draw < 12)
        rude_client_start();
    else if (profile->has_malformed && draw < 25)
        bad_client_start();
    else if (profile->has_upgrade && draw < 50)
        ws_client_start();
    else if (profile->has_sessions && draw < 72)
        eio_client_start();
    else
        http_client_start();
}

void crowd_add(unsigned after_ms) {
    crowd.expected++;
    world_later((uint64_t)after_ms * 1000, start_client, NULL, 0);
}

void crowd_add_all(void) {
    for (unsigned i = 0; i < crowd.profile.clients; i++)
        crowd_add((unsigned)dice_below(&world.fate, i ? 400 : 1));
}

static void method_draw(struct ask *ask) {
    static const char *const methods[] = {"GET",  "GET", "GET",    "HEAD",    "POST",
                                          "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    ask->method = methods[dice_below(&world.fate, sizeof methods / sizeof *methods)];
    bool is_bodied = strcmp(ask->method, "POST") == 0 || strcmp(ask->method, "PUT") == 0 ||
                     strcmp(ask->method, "PATCH") == 0;
    if (is_bodied || dice_chance(&world.fate, 20)) {
        ask->has_body = true;
        ask->is_chunked = dice_chance(&world.fate, 400);
        ask->body_bytes =
            dice_below(&world.fate, dice_chance(&world.fate, 500) ? 40 : crowd.profile.body_max + 1);
        ask->expects_continue = ask->body_bytes && dice_chance(&world.fate, 100);
    }
    ask->is_old = !ask->is_chunked && !ask->expects_continue && dice_chance(&world.fate, 30);
    ask->may_repeat = strcmp(ask->method, "POST") != 0 && strcmp(ask->method, "PATCH") != 0;
}

static void misdeed_draw(struct ask *ask) {
    struct plan *plan = &ask->plan;
    if (crowd.is_healed || !dice_chance(&world.fate, crowd.profile.misdeeds))
        return;
    plan->misdeed = (enum misdeed)dice_between(&world.fate, 1, MISDEED_COUNT - 1);
    if (plan->misdeed == MISDEED_CLOSE_AFTER || plan->misdeed == MISDEED_BYTES_AFTER)
        world_harm(3000);
}

static void plan_draw(struct ask *ask) {
    static const unsigned statuses[] = {200, 200, 200, 200, 201, 204, 302, 304, 404, 401};
    struct plan *plan = &ask->plan;
    plan->status = statuses[dice_below(&world.fate, sizeof statuses / sizeof *statuses)];
    plan->framing = (enum answer_framing)dice_below(&world.fate, ANSWER_FRAMINGS);
    if (plan->framing == ANSWER_CLOSE && dice_chance(&world.fate, 600))
        plan->framing = ANSWER_LENGTH;
    plan->body_bytes = dice_below(&world.fate, dice_chance(&world.fate, 500) ? 60 : crowd.profile.body_max + 1);
    plan->delay_ms = (unsigned)dice_below(&world.fate, crowd.profile.delay_max_ms + 1);
    plan->pace_us = dice_chance(&world.fate, 150) ? (unsigned)dice_below(&world.fate, 20000) : 0;
    plan->interims = dice_chance(&world.fate, 60) ? (unsigned)dice_between(&world.fate, 1, 3) : 0;
    plan->is_early = ledger.is_proxy && ask->has_body && dice_chance(&world.fate, 60);
    plan->closes = dice_chance(&world.fate, 100);
    if (plan->is_early) { /* to close with the request unread would reset the answer away */
        plan->closes = false;
        plan->framing = plan->framing == ANSWER_CLOSE ? ANSWER_LENGTH : plan->framing;
    }
    misdeed_draw(ask);
}

static void tunnel_draw(struct ask *ask) {
    static const unsigned statuses[] = {400, 401, 403, 404, 500, 200};
    struct plan *plan = &ask->plan;
    ask->method = "GET";
    ask->has_body = ask->is_chunked = ask->expects_continue = ask->is_old = false;
    ask->may_repeat = true;
    ask->body_bytes = 0;
    plan->interims = plan->is_early = 0;
    plan->is_refusal = dice_chance(&world.fate, 120);
    if (plan->is_refusal)
        plan->status = statuses[dice_below(&world.fate, sizeof statuses / sizeof *statuses)];
    for (int i = 0; i < 2; i++)
        plan->tunnel_bytes[i] =
            dice_below(&world.fate, dice_chance(&world.fate, 400) ? 100 : crowd.profile.body_max * 2);
    plan->tunnel_waits = (unsigned)dice_below(&world.fate, 3);
    plan->tunnel_glued = dice_chance(&world.fate, 300);
}

struct ask *ask_draw(enum ask_kind kind) {
    struct ask *ask = ledger_ask(kind);
    struct builder target = builder_make(ask->target, sizeof ask->target);
    ledger.requests++;
    method_draw(ask);
    plan_draw(ask);
    if (kind == ASK_UPGRADE)
        tunnel_draw(ask);
    static const char *const paths[] = {"/", "/api/x", "/a%20b", "/chat/room?x=1&sid2=5", "/x/y/z?q=%41"};
    builder_format(&target, "%s", paths[dice_below(&world.fate, sizeof paths / sizeof *paths)]);
    world_trace(TRACE_REQUEST, -1, ask->id, (int64_t)kind * 100 + ask->plan.misdeed);
    return ask;
}

void ask_build(const struct ask *ask, struct builder *out) {
    builder_format(out, "%s %s HTTP/1.%d\r\nHost: example.org\r\nX-Id: %u\r\n", ask->method, ask->target,
                   ask->is_old ? 0 : 1, ask->id);
    if (ask->has_body && ask->is_chunked)
        builder_format(out, "Transfer-Encoding: chunked\r\n");
    else if (ask->has_body)
        builder_format(out, "Content-Length: %llu\r\n", (unsigned long long)ask->body_bytes);
    if (ask->expects_continue)
        builder_format(out, "Expect: 100-continue\r\n");
    if (ask->kind == ASK_UPGRADE)
        builder_format(out, "%s",
                       dice_chance(&world.fate, 500)
                           ? "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                           : "upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n");
    else if (dice_chance(&world.fate, 200))
        builder_format(out, "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\nTE: trailers\r\n");
    if (ask->kind == ASK_UPGRADE)
        builder_format(out, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    for (uint64_t i = dice_below(&world.fate, 4); i; i--)
        builder_format(out, "X-More-%u: %.*s\r\n", (unsigned)i, (int)dice_below(&world.fate, 60),
                       "abcdefghijklmnopqrstuvwxyz, ABCDEFGHIJKLMNOPQRSTUVWXYZ; 0123456789");
    builder_format(out, "\r\n");
}
