#include "crowd.h"

enum { FIN_LATE_US = 10000000 };

static void step(struct tube *tube);

static void end_tube(struct tube *tube) {
    if (tube->is_over)
        return;
    tube->is_over = true;
    bool is_all = tube->said == tube->to_say && tube->heard == tube->to_hear;
    if (!is_all && !ask_is_hurt(tube->ask))
        world_fail("tunnel %u ended unhurt for %s with %llu of %llu said and %llu of %llu heard", tube->ask->id,
                   tube->side ? "the backend" : "the client", (unsigned long long)tube->said,
                   (unsigned long long)tube->to_say, (unsigned long long)tube->heard,
                   (unsigned long long)tube->to_hear);
    if (tube->side == 0 && is_all)
        tube->ask->is_whole = true;
    wire_close(tube->wire);
    tube->over(tube);
}

static bool hear(struct tube *tube) {
    struct str bytes = wire_view(tube->wire);
    if (bytes.len > tube->to_hear - tube->heard ||
        !pattern_is(bytes, tube->ask->id, 1 - tube->side, tube->heard)) {
        world_fail("tunnel %u: %zu bytes from %llu of %llu towards %s are not those that were sent",
                   tube->ask->id, bytes.len, (unsigned long long)tube->heard, (unsigned long long)tube->to_hear,
                   tube->side ? "the backend" : "the client");
        return false;
    }
    tube->heard += bytes.len;
    wire_eat(tube->wire, bytes.len);
    return true;
}

static void break_off(struct tube *tube) {
    tube->ask->is_hurt = true;
    if (tube->ending == TUBE_RESET)
        wire_reset(tube->wire);
    else if (tube->ending == TUBE_VANISH)
        wire_vanish(tube->wire);
    else
        wire_close(tube->wire);
    tube->is_over = true;
    tube->over(tube);
}

static void due(void *object, uint64_t value) {
    struct tube *tube = object;
    (void)value;
    tube->is_due = false;
    if (!tube->is_over)
        step(tube);
}

static void later(struct tube *tube) {
    if (tube->is_due)
        return;
    tube->is_due = true;
    world_later(dice_below(&world.fate, tube->pause_ms * 1000 + 1), due, tube, 0);
}

static void say(struct tube *tube) {
    char bytes[2048];
    uint64_t left = tube->to_say - tube->said, most = dice_chance(&world.fate, 300) ? 8 : sizeof bytes;
    size_t len = (size_t)dice_between(&world.fate, 1, left < most ? left : most);
    pattern_fill(bytes, len, tube->ask->id, tube->side, tube->said);
    tube->said += len;
    wire_put(tube->wire, bytes, len);
}

/* The other's FIN has come: soon after it was sent? */
static void end_judge(const struct tube *tube) {
    uint64_t sent_us = tube->ask->finished_us[1 - tube->side];
    if (crowd.profile.body_max > 12000) /* what was sent before it takes longer */
        return;
    if (sent_us && world.now_us > sent_us + FIN_LATE_US && !ask_is_hurt(tube->ask))
        world_fail("tunnel %u: a FIN took %llu ms to %s", tube->ask->id,
                   (unsigned long long)(world.now_us - sent_us) / 1000,
                   tube->side ? "the backend" : "the client");
}

static void step(struct tube *tube) {
    struct wire *wire = tube->wire;
    if (!hear(tube))
        return;
    if (wire->is_broken || !wire->end || (wire->cannot_send && wire->has_end)) {
        end_tube(tube);
        return;
    }
    if (tube->said >= tube->stop_at) {
        break_off(tube);
        return;
    }
    if (tube->said < tube->to_say) {
        if (!tube->is_due && wire_is_empty(wire)) {
            say(tube);
            later(tube);
        }
    } else if (!wire->finishes && (tube->ask->plan.tunnel_waits != tube->side || wire->has_end)) {
        wire_finish(wire);
    }
    if (wire->is_finished && !tube->ask->finished_us[tube->side])
        tube->ask->finished_us[tube->side] = world.now_us;
    if (wire->has_end)
        end_judge(tube);
    if (wire->has_end && (wire->is_finished || tube->heard < tube->to_hear))
        end_tube(tube);
}

static void news(struct wire *wire) {
    struct tube *tube = wire->owner;
    if (!tube->is_over)
        step(tube);
}

void tube_open(struct tube *tube) {
    tube->wire->news = news;
    tube->wire->owner = tube;
    ledger.tunnels += tube->side == 0;
    world_trace(TRACE_TUNNEL, -1, tube->ask->id, tube->side);
    step(tube);
}
