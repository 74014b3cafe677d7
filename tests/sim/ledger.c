#include "ledger.h"

#include <stdio.h>

struct ledger ledger;

void ledger_begin(void) {
    memset(&ledger, 0, sizeof ledger);
    ledger.is_proxy = true;
}

static void *slot_add(void ***items, unsigned *count, unsigned *room, size_t size) {
    if (*count == *room) {
        unsigned wanted = *room ? *room * 2 : 64;
        void **grown = world_alloc(wanted * sizeof *grown);
        if (*count)
            memcpy(grown, *items, *count * sizeof *grown);
        *items = grown;
        *room = wanted;
    }
    return (*items)[(*count)++] = world_alloc(size);
}

struct ask *ledger_ask(enum ask_kind kind) {
    struct ask *ask = slot_add((void ***)(void *)&ledger.asks, &ledger.count, &ledger.room, sizeof *ask);
    ask->id = ledger.count;
    ask->kind = kind;
    ask->method = "GET";
    ask->harm = world.harm;
    ask->began_in_harm = world.now_us < world.harm_until_us;
    ask->plan.status = 200;
    return ask;
}

struct ask *ledger_find(unsigned id) {
    return id >= 1 && id <= ledger.count ? ledger.asks[id - 1] : NULL;
}

struct session *ledger_session(unsigned node, unsigned epoch) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct session *session = slot_add((void ***)(void *)&ledger.sessions, &ledger.session_count,
                                       &ledger.session_room, sizeof *session);
    for (int i = 0; i < 20; i++)
        session->sid[i] = letters[dice_below(&world.fate, 64)];
    session->node = node;
    session->epoch = epoch;
    session->touched_us = world.now_us;
    return session;
}

struct session *ledger_session_find(struct str sid) {
    for (unsigned i = 0; i < ledger.session_count; i++)
        if (str_eq(sid, str_of(ledger.sessions[i]->sid)))
            return ledger.sessions[i];
    return NULL;
}

bool ask_is_hurt(const struct ask *ask) {
    return ask->is_hurt || ask->began_in_harm || ask->harm != world.harm || ask->plan.misdeed != MISDEED_NONE;
}

/* Eight bytes at once, mixed well enough that a byte lost, doubled or out of its place shows at once. */
static uint64_t pattern_word(unsigned id, unsigned side, uint64_t index) {
    uint64_t z = index * 0x9e3779b97f4a7c15u + id * 0x632be59bd9b4e019u + side * 0x2545f4914f6cdd1du;
    z ^= z >> 29;
    z *= 0xbf58476d1ce4e5b9u;
    return z ^ z >> 32;
}

void pattern_fill(char *bytes, size_t len, unsigned id, unsigned side, uint64_t position) {
    for (size_t done = 0, part; done < len; done += part) {
        uint64_t word = pattern_word(id, side, (position + done) >> 3), skip = (position + done) & 7;
        part = len - done < 8 - skip ? len - done : (size_t)(8 - skip);
        word >>= skip * 8;
        memcpy(bytes + done, &word, part);
    }
}

bool pattern_is(struct str bytes, unsigned id, unsigned side, uint64_t position) {
    char right[512];
    for (size_t done = 0, part; done < bytes.len; done += part) {
        part = bytes.len - done < sizeof right ? bytes.len - done : sizeof right;
        pattern_fill(right, part, id, side, position + done);
        if (memcmp(right, bytes.ptr + done, part) != 0)
            return false;
    }
    return true;
}
