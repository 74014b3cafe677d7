#include "proxy/guard/limit.h"

#include "base/mem.h"
#include "proxy/guard/zone.h"
#include "proxy/variable/variables.h"

enum { REQUEST_KEY_MAX = 65535, CONNECTION_KEY_MAX = 255 };

/* One count of a limit_conn zone; on the heap, as it may outlive the exchange. */
struct limit_hold {
    struct limit_hold *next;
    struct zone *zone; /* a reference is held */
    struct zone_state *state;
};

struct str limit_outcome_name(enum limit_outcome outcome) {
    static const char *const names[] = {
        [LIMIT_NONE] = "",
        [LIMIT_PASSED] = "PASSED",
        [LIMIT_DELAYED] = "DELAYED",
        [LIMIT_REJECTED] = "REJECTED",
        [LIMIT_DELAYED_DRY_RUN] = "DELAYED_DRY_RUN",
        [LIMIT_REJECTED_DRY_RUN] = "REJECTED_DRY_RUN",
    };
    return str_of(names[outcome]);
}

static struct zone *zone_of(const struct exchange *x, const struct limit_zone *zone) {
    return x->hold->snapshot->zones[zone->index];
}

/* The zone's key for this request, on the engine's stage. Empty: it is not to be counted. */
static struct str key_find(struct exchange *x, const struct limit_zone *zone, size_t max_len) {
    struct builder out = builder_make(x->engine->stage, GATHER_STAGE_BYTES);
    template_eval(x, &zone->key, &out);
    if (!out.overflow && out.len <= max_len)
        return builder_view(&out);
    exchange_log(x, LOG_ERROR, "the value of the \"%.*s\" key is more than %zu bytes: \"%.*s\"",
                 STR_ARG(zone->key_text), max_len, STR_ARG(str_head(builder_view(&out), max_len)));
    return STR("");
}

/* ---- limit_req ---- */

/* A request on its way through several limits: those before the last only hold their states until it is known
 * whether all let it pass. */
struct request_count {
    struct exchange *x;
    const struct guard *guard;
    struct zone_state **pins; /* one a limit; NULL: not held */
    size_t at;                /* the limit that decided */
    bool has_key;
    enum zone_answer answer;
    uint64_t excess;
};

static void limits_ask(struct request_count *c) {
    size_t count = c->guard->request_limits.count;
    uint64_t now_ms = c->x->engine->loop->now_ms;
    c->answer = ZONE_PASSES;
    for (c->at = 0; c->at < count; c->at++) {
        const struct request_limit *limit = &c->guard->request_limits.items[c->at];
        struct str key = key_find(c->x, limit->zone, REQUEST_KEY_MAX);
        if (key.len == 0)
            continue;
        c->has_key = true;
        c->answer = zone_request(zone_of(c->x, limit->zone), key, limit, now_ms, c->at == count - 1, &c->excess,
                                 &c->pins[c->at]);
        if (c->answer != ZONE_PINNED)
            return;
    }
}

static void pins_drop(struct request_count *c) {
    for (size_t i = 0; i < c->at; i++)
        if (c->pins[i])
            zone_unpin(zone_of(c->x, c->guard->request_limits.items[i].zone), c->pins[i]);
}

static uint64_t delay_of(const struct request_limit *limit, uint64_t excess) {
    return excess <= limit->delay ? 0 : (excess - limit->delay) * 1000 / limit->zone->rate;
}

/* Counts the request in every limit that let it pass. The longest delay of them, which *limit asks for. */
static uint64_t pins_account(struct request_count *c, const struct request_limit **limit) {
    const struct request_limit *limits = c->guard->request_limits.items;
    uint64_t most = 0;
    *limit = &limits[0];
    if (c->answer == ZONE_PASSES && c->at < c->guard->request_limits.count) {
        *limit = &limits[c->at];
        most = delay_of(*limit, c->excess);
    }
    for (size_t i = c->at; i-- > 0;) {
        if (!c->pins[i])
            continue;
        uint64_t excess = zone_account(zone_of(c->x, limits[i].zone), c->pins[i], limits[i].zone->rate,
                                       c->x->engine->loop->now_ms);
        uint64_t delay = delay_of(&limits[i], excess);
        if (delay <= most)
            continue;
        most = delay;
        c->excess = excess;
        *limit = &limits[i];
    }
    return most;
}

static enum guard_verdict requests_refuse(struct request_count *c) {
    const struct limit_policy *policy = &c->guard->on_requests;
    const struct limit_zone *zone = c->guard->request_limits.items[c->at].zone;
    struct guarding *guarding = c->x->guarding;
    if (c->answer == ZONE_REFUSES)
        exchange_log(c->x, policy->level, "limiting requests%s, excess: %llu.%03llu by zone \"%.*s\"",
                     policy->is_dry ? ", dry run" : "", (unsigned long long)(c->excess / 1000),
                     (unsigned long long)(c->excess % 1000), STR_ARG(zone->name));
    else
        exchange_log(c->x, LOG_ALERT, "could not allocate node in limit_req zone \"%.*s\"",
                     STR_ARG(zone->name));
    pins_drop(c);
    guarding->request_outcome = policy->is_dry ? LIMIT_REJECTED_DRY_RUN : LIMIT_REJECTED;
    guarding->status = policy->status;
    return policy->is_dry ? GUARD_ASIDE : GUARD_REFUSES;
}

static enum guard_verdict requests_pass(struct request_count *c) {
    const struct limit_policy *policy = &c->guard->on_requests;
    struct guarding *guarding = c->x->guarding;
    const struct request_limit *limit;
    uint64_t delay_ms = pins_account(c, &limit);
    guarding->request_outcome = LIMIT_PASSED;
    if (delay_ms == 0)
        return GUARD_ASIDE;
    exchange_log(c->x, policy->level < LOG_INFO ? policy->level + 1 : LOG_INFO,
                 "delaying request%s, excess: %llu.%03llu, by zone \"%.*s\"", policy->is_dry ? ", dry run" : "",
                 (unsigned long long)(c->excess / 1000), (unsigned long long)(c->excess % 1000),
                 STR_ARG(limit->zone->name));
    guarding->request_outcome = policy->is_dry ? LIMIT_DELAYED_DRY_RUN : LIMIT_DELAYED;
    if (policy->is_dry)
        return GUARD_ASIDE;
    guarding->wake_ms = c->x->engine->loop->now_ms + delay_ms;
    return GUARD_WAITS;
}

enum guard_verdict limit_requests_check(struct exchange *x, const struct guard *guard) {
    struct guarding *guarding = x->guarding;
    if (guarding->wake_ms > x->engine->loop->now_ms)
        return GUARD_WAITS;
    guarding->wake_ms = 0;
    if (guard->request_limits.count == 0 || guarding->request_outcome != LIMIT_NONE)
        return GUARD_ASIDE;
    struct request_count c = {.x = x, .guard = guard};
    c.pins = arena_zero(&x->arena, guard->request_limits.count, sizeof *c.pins);
    guarding->status = 503;
    if (!c.pins)
        return GUARD_REFUSES;
    limits_ask(&c);
    if (!c.has_key)
        return GUARD_ASIDE;
    return c.answer == ZONE_REFUSES || c.answer == ZONE_IS_FULL ? requests_refuse(&c) : requests_pass(&c);
}

/* ---- limit_conn ---- */

void limit_release(struct limit_hold **holds) {
    while (*holds) {
        struct limit_hold *hold = *holds;
        *holds = hold->next;
        zone_leave(hold->zone, hold->state);
        zone_drop(hold->zone);
        mem_free(hold);
    }
}

struct limit_hold *limit_give(struct exchange *x) {
    struct limit_hold *holds = x->guarding ? x->guarding->holds : NULL;
    if (holds)
        x->guarding->holds = NULL;
    return holds;
}

static enum zone_answer connection_enter(struct exchange *x, const struct connection_limit *limit,
                                         struct str key) {
    struct limit_hold *hold = mem_alloc(sizeof *hold);
    if (!hold)
        return ZONE_IS_FULL;
    hold->zone = zone_of(x, limit->zone);
    enum zone_answer answer = zone_enter(hold->zone, key, limit->most, &hold->state);
    if (answer != ZONE_PINNED) {
        mem_free(hold);
        return answer;
    }
    zone_take(hold->zone);
    hold->next = x->guarding->holds;
    x->guarding->holds = hold;
    return answer;
}

static enum guard_verdict connections_refuse(struct exchange *x, const struct guard *guard,
                                             const struct limit_zone *zone, enum zone_answer answer) {
    const struct limit_policy *policy = &guard->on_connections;
    struct guarding *guarding = x->guarding;
    if (answer == ZONE_REFUSES)
        exchange_log(x, policy->level, "limiting connections%s by zone \"%.*s\"",
                     policy->is_dry ? ", dry run," : "", STR_ARG(zone->name));
    limit_release(&guarding->holds);
    guarding->connection_outcome = policy->is_dry ? LIMIT_REJECTED_DRY_RUN : LIMIT_REJECTED;
    guarding->status = policy->status;
    return policy->is_dry ? GUARD_ASIDE : GUARD_REFUSES;
}

enum guard_verdict limit_connections_check(struct exchange *x, const struct guard *guard) {
    if (guard->connection_limits.count == 0 || x->guarding->connection_outcome != LIMIT_NONE)
        return GUARD_ASIDE;
    for (size_t i = 0; i < guard->connection_limits.count; i++) {
        const struct connection_limit *limit = &guard->connection_limits.items[i];
        struct str key = key_find(x, limit->zone, CONNECTION_KEY_MAX);
        if (key.len == 0)
            continue;
        x->guarding->connection_outcome = LIMIT_PASSED;
        enum zone_answer answer = connection_enter(x, limit, key);
        if (answer != ZONE_PINNED)
            return connections_refuse(x, guard, limit->zone, answer);
    }
    return GUARD_ASIDE;
}
