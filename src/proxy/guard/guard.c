#include "proxy/guard/guard.h"

#include "proxy/answer/local.h"
#include "proxy/guard/access.h"
#include "proxy/guard/basic.h"
#include "proxy/guard/limit.h"
#include "proxy/guard/password_cache.h"
#include "proxy/guard/real_ip.h"
#include "proxy/guard/subrequest.h"

typedef enum guard_verdict guard_check(struct exchange *x, const struct guard *guard);

/* The order is nginx's: of its phases, preaccess and access. */
static guard_check *const checks[] = {real_ip_check, limit_requests_check, limit_connections_check,
                                      access_check,  basic_check,          subrequest_check};
enum { CHECKS = sizeof checks / sizeof *checks, FIRST_OF_ACCESS = 3, LOOK_MS = 60000 };

void guard_begin(struct exchange *x) {
    x->guarding->at = 0;
    x->guarding->refused = 0;
    x->guarding->challenge = STR("");
}

bool guard_post_read(struct exchange *x) {
    return real_ip_find(x, exchange_policy(x)->guard);
}

uint64_t guard_wait_ms(const struct exchange *x) {
    uint64_t now_ms = x->engine->loop->now_ms, wake_ms = x->guarding ? x->guarding->wake_ms : 0;
    if (x->guarding && (x->guarding->asking || x->guarding->password))
        return LOOK_MS; /* what it waits for has deadlines of its own */
    return wake_ms > now_ms ? wake_ms - now_ms : 0;
}

void guard_end(struct exchange *x) {
    if (!x->guarding)
        return;
    limit_release(&x->guarding->holds);
    subrequest_cancel(x);
    password_cache_forget(x);
}

/* With auth_delay a 401 is told late, so that passwords cannot be guessed quickly. */
static bool is_to_wait(struct exchange *x, const struct guard *guard, unsigned status) {
    struct guarding *guarding = x->guarding;
    if (status != 401 || guard->auth_delay_ms == 0 || guarding->is_delayed)
        return false;
    exchange_log(x, LOG_INFO, "delaying unauthorized request");
    guarding->is_delayed = true;
    guarding->wake_ms = x->engine->loop->now_ms + guard->auth_delay_ms;
    return true;
}

static enum exchange_state refuse(struct exchange *x, const struct guard *guard, unsigned status) {
    if (is_to_wait(x, guard, status)) {
        x->guarding->status = status;
        return STATE_GUARD;
    }
    x->guarding->is_delayed = false;
    local_prepare_status(x, status);
    if (status == 401)
        x->local.headers = x->guarding->challenge;
    return STATE_ANSWER;
}

/* Counts one check's verdict. True: the request is refused. */
static bool is_refused(struct guarding *guarding, enum guard_verdict verdict, bool is_any) {
    bool is_access = guarding->at >= FIRST_OF_ACCESS;
    if (verdict == GUARD_PASSES && is_access && is_any) {
        guarding->at = CHECKS;
        guarding->refused = 0;
        return false;
    }
    guarding->at++;
    if (verdict != GUARD_REFUSES)
        return false;
    if (!is_access || !is_any || (guarding->status != 401 && guarding->status != 403))
        return true;
    if (guarding->refused != 401)
        guarding->refused = guarding->status;
    return false;
}

/* Whoever asks for auth_request has not to pass what it is asked for. */
static unsigned check_count(const struct exchange *x) {
    return x->parent ? FIRST_OF_ACCESS : CHECKS;
}

static enum exchange_state checks_run(struct exchange *x, const struct guard *guard) {
    struct guarding *guarding = x->guarding;
    while (guarding->at < check_count(x)) {
        enum guard_verdict verdict = checks[guarding->at](x, guard);
        if (verdict == GUARD_WAITS)
            return STATE_GUARD;
        if (is_refused(guarding, verdict, guard->is_any))
            return refuse(x, guard, guarding->status);
    }
    unsigned refused = guarding->refused;
    guarding->refused = 0;
    if (!refused)
        return exchange_content(x);
    if (refused == 403)
        exchange_log(x, LOG_ERROR, "access forbidden by rule");
    return refuse(x, guard, refused);
}

enum exchange_state guard_run(struct exchange *x, const struct guard *guard) {
    if (!x->guarding)
        x->guarding = arena_zero(&x->arena, 1, sizeof *x->guarding);
    struct guarding *guarding = x->guarding;
    if (!guarding)
        return exchange_fail(x, WHY_NO_MEMORY);
    if (!guarding->is_delayed)
        return checks_run(x, guard);
    if (guarding->wake_ms > x->engine->loop->now_ms)
        return STATE_GUARD;
    guarding->wake_ms = 0;
    return refuse(x, guard, guarding->status);
}
