#include "net.h"

#include "loop/clock.h"
#include "loop/poller.h"
#include "loop/random.h"

#include <errno.h>

/* src/loop's ways to the system, in the world. */

uint64_t clock_mono_ms(void) {
    return world.now_us / 1000;
}

uint64_t clock_mono_us(void) {
    return world.now_us;
}

uint64_t clock_wall_ms(void) {
    return world.wall_ms + world.now_us / 1000;
}

void random_fill(void *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)dice_roll(&world.engine);
}

uint64_t random_u64(void) {
    return dice_roll(&world.engine);
}

struct poller {
    bool is_open;
};
static struct poller the_poller;

struct poller *poller_open(int *error) {
    if (the_poller.is_open) {
        *error = -EMFILE;
        return NULL;
    }
    the_poller.is_open = true;
    return &the_poller;
}

void poller_close(struct poller *poller) {
    poller->is_open = false;
}

int poller_add(struct poller *poller, int fd, void *tag) {
    struct slot *slot = &world.net->slots[fd];
    (void)poller;
    world_trace(TRACE_WATCH, fd, 0, 0);
    if (slot->kind == SLOT_LISTENER) {
        slot->listener->is_watched = true;
        slot->listener->tag = tag;
        if (slot->listener->count)
            listener_edge(slot->listener);
        return 0;
    }
    if (slot->kind != SLOT_END) {
        world_fail("a descriptor that is not open or no socket is watched: %d", fd);
        return -EBADF;
    }
    if (slot->end->is_watched) {
        world_fail("descriptor %d is registered twice", fd);
        return -EEXIST;
    }
    slot->end->is_watched = true;
    slot->end->tag = tag;
    if (end_state(slot->end))
        end_edge(slot->end, end_state(slot->end));
    return 0;
}

void poller_wake(struct poller *poller) {
    (void)poller;
    world.is_awake = true;
}

struct told {
    struct poller_event *events;
    int max, count;
};

static void told_add(struct told *told, int fd, void *tag, unsigned what) {
    told->events[told->count++] = (struct poller_event){tag, what};
    world_trace(TRACE_EVENT, fd, what, 0);
    world.happenings++;
}

/* The kernel reports all that is so, not only what changed; with `split` each direction has an event of its
 * own, in either order. */
static void end_tell_edges(struct told *told, struct end *end) {
    unsigned state = end_state(end), what = state;
    unsigned edges = end->edges;
    end->edges = 0;
    /* A cause that is gone by now may still be told, with what else is so; or not at all. */
    if (!what || (!(edges & state) && dice_chance(&world.fate, 500)))
        return;
    unsigned in = what & (POLLER_READ | POLLER_END), out = what & ~in;
    if (!in || !out || (what & POLLER_ERROR) || !dice_chance(&world.fate, world.weather.split)) {
        told_add(told, end->fd, end->tag, what);
        return;
    }
    bool out_first = dice_chance(&world.fate, 500);
    told_add(told, end->fd, end->tag, out_first ? out : in);
    told_add(told, end->fd, end->tag, out_first ? in : out);
}

static void shuffle(struct told *told) {
    if (!dice_chance(&world.fate, world.weather.shuffle))
        return;
    for (int i = told->count - 1; i > 0; i--) {
        int j = (int)dice_below(&world.fate, (uint64_t)i + 1);
        struct poller_event event = told->events[i];
        told->events[i] = told->events[j];
        told->events[j] = event;
    }
}

static int collect(struct poller_event *events, int max) {
    struct net *net = world.net;
    struct told told = {events, max, 0};
    int held[NET_FDS], kept = 0, at = 0;
    for (; at < net->queued && told.count + 2 <= max; at++) {
        int fd = net->queue[at];
        struct slot *slot = &net->slots[fd];
        if (at > 0 && dice_chance(&world.fate, world.weather.hold)) {
            held[kept++] = fd;
        } else if (slot->kind == SLOT_LISTENER) {
            slot->listener->is_queued = false;
            slot->listener->edges = 0;
            if (slot->listener->count)
                told_add(&told, fd, slot->listener->tag, POLLER_READ);
        } else {
            slot->end->is_queued = false;
            end_tell_edges(&told, slot->end);
        }
    }
    for (; at < net->queued; at++)
        held[kept++] = net->queue[at];
    memcpy(net->queue, held, (size_t)kept * sizeof *held);
    net->queued = kept;
    shuffle(&told);
    return told.count;
}

static void maybe_jump(void) {
    if (!dice_chance(&world.fate, world.weather.jump))
        return;
    uint64_t ms = dice_between(&world.fate, 1, world.weather.jump_max_ms);
    world_trace(TRACE_JUMP, -1, (int64_t)ms, 0);
    world.now_us += ms * 1000;
    world_harm(ms);
    world_catch_up();
}

int poller_wait(struct poller *poller, struct poller_event *events, int max, int timeout_ms) {
    uint64_t until = timeout_ms < 0 ? UINT64_MAX : world.now_us + (uint64_t)timeout_ms * 1000;
    (void)poller;
    world.waits++;
    world_trace(TRACE_WAIT, -1, timeout_ms, 0);
    maybe_jump();
    /* A turn takes time, so that what one turn's end and the next one's beginning see differs. */
    world.now_us += 1 + dice_below(&world.fate, 20);
    world_catch_up();
    for (;;) {
        int count = collect(events, max);
        if (count || world.is_awake) {
            world.is_awake = false;
            return count;
        }
        if (world_has_failed())
            return 0;
        if (world_advance(until))
            continue;
        if (timeout_ms < 0)
            world.is_still = true;
        else if (until > world.now_us)
            world.now_us = until;
        return 0;
    }
}
