#include "incident.h"

#include "subject.h"

#include "base/mem.h"

/* How long a node's trouble is felt after its end: peers are set aside for fail_timeout. */
enum { AFTERMATH_MS = 16000 };

static struct setting *current;

static void node_back(void *object, uint64_t value) {
    struct node *node = object;
    (void)value;
    if (node->health == NODE_UP)
        return;
    node_change(node, NODE_UP);
    world_harm(AFTERMATH_MS);
}

static void node_falls(void *object, uint64_t health) {
    struct node *node = object;
    if (crowd.is_healed)
        return;
    uint64_t lasting = dice_between(&world.fate, 1, dice_chance(&world.fate, 500) ? 300 : 8000);
    node_change(node, (enum node_health)health);
    world_harm(lasting + AFTERMATH_MS);
    world_later(lasting * 1000, node_back, node, 0);
}

static void memory_back(void *object, uint64_t value) {
    (void)object, (void)value;
    mem_fail_never();
    world_trace(TRACE_MEMORY, -1, 0, 0);
    world_harm(AFTERMATH_MS);
}

static void memory_fails(void *object, uint64_t after) {
    (void)object;
    if (crowd.is_healed)
        return;
    mem_fail_after(after);
    uint64_t lasting = dice_between(&world.fate, 1, 500);
    world_trace(TRACE_MEMORY, -1, (int64_t)after, 1);
    world_harm(lasting + 60000);
    /* What was not learnt for want of memory is not known later. */
    ledger.is_affine = false;
    for (unsigned i = 0; i < ledger.session_count; i++)
        ledger.sessions[i]->is_sticky = false;
    world_later(lasting * 1000, memory_back, NULL, 0);
}

static void descriptors_back(void *object, uint64_t value) {
    (void)object, (void)value;
    world.weather.fd_limit = crowd.is_healed ? NET_FDS : current->weather.fd_limit;
}

static void descriptors_fail(void *object, uint64_t value) {
    (void)object, (void)value;
    if (crowd.is_healed)
        return;
    uint64_t lasting = dice_between(&world.fate, 1, 2000);
    world_later(lasting * 1000, descriptors_back, NULL, 0);
    world.weather.fd_limit = world.net->open + (int)dice_below(&world.fate, 3);
    world_harm(lasting + 1000);
}

static void reload(void *object, uint64_t value) {
    (void)object, (void)value;
    setting_redraw(current);
    world_trace(TRACE_RELOAD, -1, 0, 0);
    subject_reload(str_make(current->text, current->text_len));
}

static void plan_one(void) {
    uint64_t at_us = dice_below(&world.fate, 3000000);
    struct node *node = crowd.nodes[dice_below(&world.fate, crowd.profile.nodes)];
    switch (dice_below(&world.fate, 8)) {
    case 0:
        world_later(at_us, memory_fails, NULL, dice_below(&world.fate, 60));
        break;
    case 1:
        world_later(at_us, descriptors_fail, NULL, 0);
        break;
    case 2:
    case 3:
        world_later(at_us, reload, NULL, 0);
        break;
    case 4:
        world_later(at_us, node_falls, node, NODE_HANGS);
        break;
    case 5:
        world_later(at_us, node_falls, node, NODE_HOLE);
        break;
    default:
        world_later(at_us, node_falls, node, NODE_DEAD);
        break;
    }
}

void incident_plan(struct setting *setting) {
    current = setting;
    for (unsigned i = 0; i < setting->incidents; i++)
        plan_one();
    if (setting->profile.is_calm && dice_chance(&world.fate, 200))
        world_later(dice_below(&world.fate, 1000000), reload, NULL, 0);
}

void incident_heal(void) {
    struct weather *weather = &world.weather;
    world_trace(TRACE_HEAL, -1, 0, 0);
    crowd.is_healed = true;
    crowd.profile.misdeeds = crowd.profile.wrongs = 0;
    weather->accept_fail = weather->connect_fail = weather->file_fail = weather->reset = weather->jump = 0;
    weather->fd_limit = NET_FDS;
    weather->backlog = NET_BACKLOG;
    weather->reset_discards = false;
    mem_fail_never();
    for (unsigned i = 0; i < crowd.profile.nodes; i++)
        node_back(crowd.nodes[i], 0);
    world_harm(AFTERMATH_MS);
}
