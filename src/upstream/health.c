#include "upstream/health.h"

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/random.h"
#include "upstream/group.h"

enum { SOON_MS = 1000, REFRESH_MS = 1000 };

/* A peer under watch. */
struct subject {
    struct list node; /* of the health */
    struct health *health;
    struct peer *peer; /* a reference is held */
    const struct check *check;
    struct timer timer; /* when the next probe begins; disarmed while one is under way */
    struct probe *probe;
    bool is_wanted; /* named by the groups in force */
};

struct health {
    struct loop *loop;
    struct duct_pool *ducts;
    const struct log *log;
    const struct map *groups; /* NULL: nothing is installed */
    struct roster *const *rosters;
    struct list subjects;
    struct timer refresh; /* members may change while a snapshot is in force */
};

static void probe_due(struct timer *timer);
static void refresh_due(struct timer *timer);

struct health *health_new(struct loop *loop, struct duct_pool *ducts, const struct log *log) {
    struct health *health = mem_zero(1, sizeof *health);
    if (!health)
        return NULL;
    health->loop = loop;
    health->ducts = ducts;
    health->log = log;
    list_init(&health->subjects);
    timer_init(&health->refresh, refresh_due);
    return health;
}

static void subject_free(struct subject *subject) {
    if (subject->probe)
        probe_cancel(subject->probe);
    timer_disarm(&subject->timer);
    list_remove(&subject->node);
    subject->peer->check.watcher = NULL;
    peer_drop(subject->peer);
    mem_free(subject);
}

void health_free(struct health *health) {
    if (!health)
        return;
    timer_disarm(&health->refresh);
    LIST_EACH (&health->subjects, node)
        subject_free(LIST_OF(node, struct subject, node));
    mem_free(health);
}

/* ---- verdicts ---- */

static void change_log(const struct subject *subject, enum log_level level, const char *state, unsigned count,
                       enum probe_verdict verdict, unsigned status) {
    char memory[128];
    struct builder text = builder_make(memory, sizeof memory);
    probe_verdict_build(&text, verdict, status);
    log_line(subject->health->log, level, "upstream server %s of \"%s\" is %s: %.*s (%u check%s in a row)",
             subject->peer->name, subject->peer->upstream, state, (int)text.len, text.ptr, count,
             count == 1 ? "" : "s");
}

static void state_set(struct subject *subject, enum peer_state state) {
    struct peer_check *seen = &subject->peer->check;
    atomic_store(&seen->since_ms, clock_wall_ms());
    atomic_store(&seen->changed_ms, subject->health->loop->now_ms);
    atomic_store(&seen->state, state);
}

static void pass_note(struct subject *subject, unsigned status) {
    struct peer_check *seen = &subject->peer->check;
    atomic_store(&seen->falls, 0);
    unsigned rises = atomic_fetch_add(&seen->rises, 1) + 1;
    unsigned state = atomic_load(&seen->state);
    if (state == PEER_UP || (state == PEER_DOWN && rises < subject->check->rise))
        return;
    atomic_store(&subject->peer->fails, 0);
    atomic_store(&subject->peer->is_dead, false);
    state_set(subject, PEER_UP);
    change_log(subject, LOG_NOTICE, "up", rises, PROBE_PASSED, status);
}

/* Whoever cannot be reached has lost its sessions; one that only says that it is unwell answers for them
 * itself, unless its tunnels are to be closed too. */
static void fail_note(struct subject *subject, enum probe_verdict verdict, unsigned status) {
    struct peer_check *seen = &subject->peer->check;
    atomic_store(&seen->rises, 0);
    unsigned falls = atomic_fetch_add(&seen->falls, 1) + 1;
    if (falls < subject->check->fall || atomic_load(&seen->state) == PEER_DOWN)
        return;
    bool is_lost = probe_verdict_is_deadly(verdict) || subject->check->closes_tunnels;
    if (is_lost && !atomic_exchange(&subject->peer->is_dead, true))
        atomic_fetch_add(&subject->peer->epoch, 1);
    state_set(subject, PEER_DOWN);
    change_log(subject, LOG_WARN, "down", falls, verdict, status);
}

static void next_arm(struct subject *subject, uint64_t after_ms) {
    uint64_t jitter_ms = subject->check->jitter_ms;
    if (jitter_ms)
        after_ms += random_u64() % (jitter_ms + 1);
    loop_arm(subject->health->loop, &subject->timer, after_ms);
}

static void probe_ended(void *context, enum probe_verdict verdict, unsigned status) {
    struct subject *subject = context;
    struct peer_check *seen = &subject->peer->check;
    subject->probe = NULL;
    atomic_fetch_add(&seen->checks, 1);
    atomic_store(&seen->checked_ms, clock_wall_ms());
    atomic_store(&seen->verdict, (unsigned)verdict | status << 8);
    if (verdict == PROBE_PASSED)
        pass_note(subject, status);
    else if (verdict != PROBE_SHORTAGE)
        fail_note(subject, verdict, status);
    next_arm(subject, subject->check->interval_ms);
}

static void probe_due(struct timer *timer) {
    struct subject *subject = LIST_OF(timer, struct subject, timer);
    struct health *health = subject->health;
    struct address address = subject->peer->address;
    if (subject->check->port)
        address_set_port(&address, subject->check->port);
    subject->probe = probe_begin(health->loop, health->ducts, &address, subject->check, probe_ended, subject);
    if (!subject->probe)
        next_arm(subject, subject->check->interval_ms);
}

/* ---- whom to watch ---- */

static struct subject *subject_add(struct health *health, struct peer *peer) {
    struct subject *subject = mem_zero(1, sizeof *subject);
    if (!subject)
        return NULL;
    subject->health = health;
    subject->peer = peer;
    peer_take(peer);
    peer->check.watcher = subject;
    timer_init(&subject->timer, probe_due);
    list_append(&health->subjects, &subject->node);
    return subject;
}

/* The first probe comes at a random moment within a second, so that servers and proxies started together do not
 * beat as one. */
static void subject_begin(struct subject *subject, const struct check *check) {
    unsigned state = atomic_load(&subject->peer->check.state);
    uint64_t soon_ms = check->interval_ms < SOON_MS ? check->interval_ms : SOON_MS;
    bool is_new = !subject->check;
    if (subject->check == check)
        return;
    subject->check = check;
    if (subject->probe)
        probe_cancel(subject->probe);
    subject->probe = NULL;
    if (is_new && check->begins_down && (state == PEER_UNCHECKED || !check->is_persistent) &&
        state != PEER_DOWN)
        state_set(subject, PEER_DOWN);
    if (is_new || !timer_is_armed(&subject->timer))
        loop_arm(subject->health->loop, &subject->timer, soon_ms ? random_u64() % soon_ms : 0);
}

static bool member_watch(struct health *health, const struct upstream *upstream, struct peer *peer) {
    struct subject *subject = peer->check.watcher;
    if (!subject)
        subject = subject_add(health, peer);
    if (!subject)
        return false;
    subject->is_wanted = true;
    subject_begin(subject, upstream->check);
    return true;
}

static bool group_watch(struct health *health, const struct group *group) {
    bool is_whole = true;
    if (group->roster)
        group = roster_group(health->rosters[group->roster - 1]);
    for (unsigned i = 0; group->upstream->check && i < group->count; i++)
        if (!group->members[i].is_down)
            is_whole &= member_watch(health, group->upstream, group->members[i].peer);
    return is_whole;
}

static bool refresh(struct health *health) {
    bool is_whole = true;
    struct str name;
    const void *group;
    LIST_EACH (&health->subjects, node)
        LIST_OF(node, struct subject, node)->is_wanted = false;
    for (size_t at = 0; health->groups && map_each(health->groups, &at, &name, &group);)
        is_whole &= group_watch(health, group);
    LIST_EACH (&health->subjects, node) {
        struct subject *subject = LIST_OF(node, struct subject, node);
        if (subject->is_wanted)
            continue;
        atomic_store(&subject->peer->check.state, PEER_UNCHECKED);
        subject_free(subject);
    }
    if (!list_is_empty(&health->subjects))
        loop_arm(health->loop, &health->refresh, REFRESH_MS);
    return is_whole;
}

static void refresh_due(struct timer *timer) {
    refresh(LIST_OF(timer, struct health, refresh));
}

bool health_install(struct health *health, const struct map *groups, struct roster *const *rosters) {
    health->groups = groups;
    health->rosters = rosters;
    return refresh(health);
}
