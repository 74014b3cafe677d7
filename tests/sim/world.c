#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct world world;

struct dice dice_make(uint64_t seed) {
    return (struct dice){seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u};
}

/* splitmix64 */
uint64_t dice_roll(struct dice *dice) {
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t dice_below(struct dice *dice, uint64_t below) {
    return below ? dice_roll(dice) % below : 0;
}

uint64_t dice_between(struct dice *dice, uint64_t from, uint64_t to) {
    return from + dice_below(dice, to - from + 1);
}

bool dice_chance(struct dice *dice, unsigned in_1000) {
    return in_1000 && dice_below(dice, 1000) < in_1000;
}

static void pages_move(struct world_page **from, struct world_page **to) {
    for (struct world_page *page; (page = *from);) {
        *from = page->next;
        if (page->size > WORLD_PAGE) {
            free(page);
            continue;
        }
        page->next = *to;
        *to = page;
    }
}

static void *must(void *memory) {
    if (!memory) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void world_begin(uint64_t seed) {
    struct world_page *pages = world.pages, *spare = world.spare;
    struct moment *moments = world.moments;
    size_t room = world.moment_room;
    bool shows_trace = world.shows_trace;
    pages_move(&pages, &spare);
    memset(&world, 0, sizeof world);
    world.spare = spare;
    world.moments = moments;
    world.moment_room = room;
    world.shows_trace = shows_trace;
    world.seed = seed;
    world.fate = dice_make(seed);
    world.engine = dice_make(~seed);
    world.now_us = 1000000;
    world.wall_ms = 1800000000000u + dice_below(&world.fate, 86400000);
    world.hash = 0xcbf29ce484222325u;
    world.weather = (struct weather){.latency_us = 100,
                                     .jitter_us = 0,
                                     .window_min = 65536,
                                     .window_max = 65536,
                                     .fd_limit = 1000,
                                     .backlog = 100};
}

void world_end(void) {
    pages_move(&world.pages, &world.spare);
    for (struct world_page *page; (page = world.spare);) {
        world.spare = page->next;
        free(page);
    }
    free(world.moments);
    world.moments = NULL;
    world.moment_room = 0;
}

static void page_add(size_t size) {
    struct world_page *page = world.spare;
    if (size <= WORLD_PAGE && page) {
        world.spare = page->next;
    } else {
        size_t room = size > WORLD_PAGE ? size : WORLD_PAGE;
        page = must(malloc(sizeof *page + room));
        page->size = room;
    }
    page->used = 0;
    page->next = world.pages;
    world.pages = page;
}

void *world_room(size_t size) {
    size_t rounded = (size + 15) & ~(size_t)15;
    if (!world.pages || world.pages->size - world.pages->used < rounded)
        page_add(rounded);
    void *block = world.pages->bytes + world.pages->used;
    world.pages->used += rounded;
    return block;
}

void *world_alloc(size_t size) {
    return memset(world_room(size), 0, size);
}

uint64_t world_ms(void) {
    return world.now_us / 1000;
}

static bool is_before(const struct moment *a, const struct moment *b) {
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void world_later(uint64_t after_us, moment_run *run, void *object, uint64_t value) {
    if (world.moment_count == world.moment_room) {
        world.moment_room = world.moment_room ? world.moment_room * 2 : 256;
        world.moments = must(realloc(world.moments, world.moment_room * sizeof *world.moments));
    }
    struct moment moment = {world.now_us + after_us, world.order++, run, object, value};
    size_t at = world.moment_count++;
    while (at && is_before(&moment, &world.moments[(at - 1) / 2])) {
        world.moments[at] = world.moments[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world.moments[at] = moment;
}

static struct moment moment_shift(void) {
    struct moment first = world.moments[0], last = world.moments[--world.moment_count];
    size_t at = 0, count = world.moment_count;
    for (size_t child; (child = at * 2 + 1) < count; at = child) {
        if (child + 1 < count && is_before(&world.moments[child + 1], &world.moments[child]))
            child++;
        if (!is_before(&world.moments[child], &last))
            break;
        world.moments[at] = world.moments[child];
    }
    world.moments[at] = last;
    return first;
}

void world_catch_up(void) {
    while (world.moment_count && world.moments[0].at_us <= world.now_us) {
        struct moment moment = moment_shift();
        world.happenings++;
        moment.run(moment.object, moment.value);
    }
}

bool world_advance(uint64_t until_us) {
    if (!world.moment_count || world.moments[0].at_us > until_us)
        return false;
    if (world.moments[0].at_us > world.now_us)
        world.now_us = world.moments[0].at_us;
    world_catch_up();
    return true;
}

void world_harm(uint64_t lasting_ms) {
    uint64_t lasting = lasting_ms > world.harm_least_ms ? lasting_ms : world.harm_least_ms;
    uint64_t until = world.now_us + lasting * 1000;
    world.harm++;
    if (until > world.harm_until_us)
        world.harm_until_us = until;
}

void world_fail(const char *format, ...) {
    if (world_has_failed())
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(world.failure, sizeof world.failure, format, args);
    va_end(args);
    world_trace(TRACE_NOTE, -1, 0, 0);
    if (!world_has_failed())
        memcpy(world.failure, "?", 2);
}

static void line_print(const struct trace_line *line) {
    static const char *const texts[TRACE_COUNT] = {
#define TRACE(name, text) text,
#include "trace.def"
#undef TRACE
    };
    fprintf(stderr, "  %10llu.%03llu ms  fd %3d  %-26s %lld %lld\n", (unsigned long long)(line->at_us / 1000),
            (unsigned long long)(line->at_us % 1000), (int)line->fd, texts[line->kind], (long long)line->a,
            (long long)line->b);
}

void world_trace(enum trace_kind kind, int fd, int64_t a, int64_t b) {
    struct trace_line line = {world.now_us, kind, fd, a, b};
    uint64_t what = ((uint64_t)kind << 32 | (uint32_t)fd) * 0x9e3779b97f4a7c15u ^ (uint64_t)a;
    world.hash = (world.hash ^ line.at_us) * 0xff51afd7ed558ccdu + what;
    world.hash = (world.hash ^ world.hash >> 32 ^ (uint64_t)b) * 0xc4ceb9fe1a85ec53u;
    world.trace[world.trace_count++ % TRACE_KEPT] = line;
    if (world.shows_trace)
        line_print(&line);
}

void world_print_trace(unsigned lines) {
    uint64_t count = world.trace_count < TRACE_KEPT ? world.trace_count : TRACE_KEPT;
    count = count < lines ? count : lines;
    for (uint64_t i = world.trace_count - count; i < world.trace_count; i++)
        line_print(&world.trace[i % TRACE_KEPT]);
}
