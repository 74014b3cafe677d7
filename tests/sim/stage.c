#include "stage.h"

#include "incident.h"
#include "port.h"
#include "subject.h"

#include "base/mem.h"

struct stage stage;

enum { QUIET_TURNS_MAX = 60, CALLS_A_TURN_MAX = 50000, TURNS_MAX = 3000000 };
/* What is kept for one connection at most, both directions together. */
enum { BUFFERED_A_CONNECTION_MAX = 512 * 1024 };

bool stage_open(uint64_t seed, void (*choose)(struct setting *setting)) {
    struct address front = net_address(127, 0, 0, 1, 8080);
    world_begin(seed);
    net_begin();
    ledger_begin();
    memset(&stage, 0, sizeof stage);
    stage.before.blocks = port_memory().blocks;
    stage.before.bytes = port_memory().bytes;
    (choose ? choose : setting_draw)(&stage.setting);
    ledger.is_proxy = ledger.is_proxy && !stage.setting.profile.is_stream;
    ledger.is_affine = stage.setting.profile.has_sticky || stage.setting.profile.nodes == 1;
    if (!stage.setting.profile.is_calm && !stage.setting.profile.forgives)
        world.harm_least_ms = 12000;
    if (loop_init(&stage.loop) < 0)
        return false;
    crowd_begin(&stage.setting.profile, &front);
    struct weather fair = world.weather;
    stage.is_running = subject_start(&stage.loop, str_make(stage.setting.text, stage.setting.text_len));
    world.weather = stage.setting.weather;
    (void)fair;
    if (!stage.is_running)
        world_fail("the subject does not start");
    return stage.is_running;
}

/* Nothing happens and yet there are turns. */
static void spin_judge(bool is_full) {
    uint64_t now = world_ms();
    if (is_full) /* it waited for as long as it might */
        return;
    if (stage.happenings != world.happenings || now >= stage.quiet_since_ms + 1000) {
        stage.happenings = world.happenings;
        stage.quiet_since_ms = now;
        stage.quiet_turns = 0;
    } else if (++stage.quiet_turns > QUIET_TURNS_MAX) {
        world_fail("it spins: %d turns in a second in which nothing happened", QUIET_TURNS_MAX);
    }
}

static void counts_judge(void) {
    struct subject_counts counts = subject_count();
    size_t connections = counts.fronts + counts.tunnels + counts.exchanges + counts.idle_backs;
    if (counts.buffered_bytes > (connections + 1) * BUFFERED_A_CONNECTION_MAX)
        world_fail("%zu bytes are buffered for %zu connections", counts.buffered_bytes, connections);
    const char *wrong = subject_check();
    if (wrong)
        world_fail("%s", wrong);
}

bool stage_turn(uint64_t most_ms) {
    uint64_t calls = world.calls, began = world_ms();
    loop_turn(&stage.loop, (int)most_ms);
    if (world.calls - calls > CALLS_A_TURN_MAX)
        world_fail("%llu calls in one turn", (unsigned long long)(world.calls - calls));
    if (++stage.turns > TURNS_MAX)
        world_fail("no end after %d turns", TURNS_MAX);
    spin_judge(world_ms() - began >= most_ms);
    counts_judge();
    return !world_has_failed();
}

bool stage_until(bool (*is_so)(void), uint64_t most_ms) {
    uint64_t until = world_ms() + most_ms;
    while (!is_so || !is_so()) {
        uint64_t now = world_ms();
        if (now >= until)
            return false;
        if (!stage_turn(until - now))
            return false;
    }
    return true;
}

static bool is_empty(void) {
    struct subject_counts counts = subject_count();
    return counts.fronts + counts.exchanges + counts.tunnels + counts.idle_backs == 0;
}

static bool has_drained;

static bool is_drained(void) {
    return has_drained;
}

/* Every connection that the engine made has ended for its node too. */
static void node_judge(const struct node *node) {
    LIST_EACH (&node->calls, at) {
        const struct call *call = LIST_OF(at, struct call, peers);
        world_fail("node %u still has a connection: state %u, request %u, %s", node->index, call->state,
                   call->ask ? call->ask->id : 0,
                   !call->wire.end                    ? "closed"
                   : call->wire.is_stalled            ? "it does not read"
                   : call->wire.end->other->is_closed ? "closed by the engine"
                                                      : "open");
    }
}

/* Everybody has gone: so must everything of theirs. */
static void end_judge(void) {
    if (!stage_until(is_empty, 150000)) {
        struct subject_counts counts = subject_count();
        world_fail("all clients are gone, and %zu fronts, %zu exchanges, %zu tunnels, %zu idle backs are not",
                   counts.fronts, counts.exchanges, counts.tunnels, counts.idle_backs);
        return;
    }
    stage_until(NULL, 10);
    if (subject_count().buffered_bytes)
        world_fail("%zu bytes are buffered for nobody", subject_count().buffered_bytes);
    stage_until(NULL, 1000);
    for (unsigned i = 0; i < crowd.profile.nodes; i++)
        node_judge(crowd.nodes[i]);
}

void stage_close(void) {
    mem_fail_never();
    stage.is_running = false;
    subject_stop();
    loop_fini(&stage.loop);
    if (world_has_failed())
        return;
    if (world.net->open)
        world_fail("%d descriptors are left open", world.net->open);
    struct port_memory now = port_memory();
    if (now.blocks != stage.before.blocks)
        world_fail("%zd blocks of memory, %zd bytes, are left", (ssize_t)(now.blocks - stage.before.blocks),
                   (ssize_t)(now.bytes - stage.before.bytes));
}

static void drain(void) {
    has_drained = false;
    subject_drain(&has_drained);
    if (!stage_until(is_drained, 150000) && !world_has_failed())
        world_fail("the engine does not drain");
}

/* After the storm: whoever comes now is served as if nothing had been. */
static void probe(void) {
    incident_heal();
    stage_until(crowd_is_done, stage.setting.patience_ms);
    if (world_has_failed())
        return;
    if (!crowd_is_done()) {
        world_fail("%u clients are not done %llu s after all was healed", crowd.client_count - crowd.done,
                   (unsigned long long)stage.setting.patience_ms / 1000);
        return;
    }
    if (world.now_us < world.harm_until_us)
        stage_until(NULL, (world.harm_until_us - world.now_us) / 1000 + 1);
    /* Where nodes are set aside for their failures, whoever comes while each is being tried again by one
     * request finds no live one, as with nginx. */
    if (!crowd.profile.forgives && crowd.profile.nodes > 1)
        world_harm(60000);
    crowd.profile.is_calm = true;
    for (int i = 0; i < 3 && crowd.client_count < CROWD_CLIENTS; i++)
        crowd_add((unsigned)dice_below(&world.fate, 50));
    stage_until(crowd_is_done, 600000);
    if (!world_has_failed() && !crowd_is_done())
        world_fail("a client that came after all was healed is not done within ten minutes");
}

bool stage_play(uint64_t seed, void (*choose)(struct setting *setting)) {
    if (!stage_open(seed, choose)) {
        stage_close();
        return false;
    }
    crowd_add_all();
    incident_plan(&stage.setting);
    stage_until(crowd_is_done, stage.setting.heal_ms);
    if (!world_has_failed() && stage.setting.profile.is_calm)
        crowd_give_up();
    if (!world_has_failed() && !stage.setting.profile.is_calm)
        probe();
    if (!world_has_failed() && stage.setting.drains)
        drain();
    if (!world_has_failed())
        end_judge();
    stage_close();
    return !world_has_failed();
}
