#include "talk.h"

#include "frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const char *upgrade_path;

static uint8_t last_byte(const struct client *c) {
    return (uint8_t)(c->serial * 31 + c->index);
}

static void stamp(const struct client *c, uint8_t out[8]) {
    memcpy(out, &c->index, 4);
    memcpy(out + 4, &c->serial, 4);
}

static uint32_t key_of(const struct client *c) {
    return (c->serial + 1) * 0x9e3779b9u ^ c->index * 0x85ebca6bu;
}

/* Builds the message anew, also to go on after a partial send: it depends on index and serial alone. */
static void push(struct client *c) {
    struct talk *talk = c->owner;
    uint32_t key = key_of(c);
    size_t head = frame_head(talk->frame, 0x80 | FRAME_BINARY, talk->size, true, key);
    uint8_t *payload = talk->frame + head, mark[8], last = last_byte(c);
    stamp(c, mark);
    frame_mask(payload, talk->pattern, talk->size, key);
    frame_mask(payload, mark, 8, key);
    payload[talk->size - 1] = (uint8_t)(last ^ ((uint8_t *)&key)[(talk->size - 1) & 3]);
    size_t len = head + talk->size - c->out_at;
    ssize_t n = send(c->fd, talk->frame + c->out_at, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        client_fail(c, errno, "send");
        return;
    }
    c->out_at += n > 0 ? (size_t)n : 0;
    c->blocked = c->out_at < head + talk->size;
}

static void start(struct client *c, uint64_t due_ns) {
    struct talk *talk = c->owner;
    talk->budget--;
    talk->sent++;
    c->serial++;
    c->busy = true;
    c->in_at = c->out_at = 0;
    c->since_ns = due_ns;
    push(c);
}

static void rest(struct talk *talk, const struct client *c) {
    talk->idle[(talk->idle_at + talk->idle_len++) % talk->count] = c->index;
}

static void complete(struct client *c, uint8_t last) {
    struct talk *talk = c->owner;
    uint8_t mark[8];
    stamp(c, mark);
    if (memcmp(c->head, talk->head, talk->head_len) || memcmp(c->head + talk->head_len, mark, 8) ||
        last != last_byte(c)) {
        talk->wrong++;
        client_fail(c, 0, "an echo differs from what was sent");
        return;
    }
    uint64_t now = tool_now_ns();
    histogram_add(&talk->latency, now - c->since_ns);
    talk->answered++;
    c->busy = false;
    if (!talk->paced && talk->budget)
        start(c, now);
    else
        rest(talk, c);
}

static void echoed(struct client *c, const uint8_t *data, size_t len) {
    struct talk *talk = c->owner;
    size_t total = talk->head_len + talk->size;
    if (!len)
        return;
    if (!c->busy || len > total - c->in_at) {
        talk->wrong++;
        client_fail(c, 0, "bytes came that nobody asked for");
        return;
    }
    if (c->in_at < sizeof c->head) {
        size_t room = sizeof c->head - c->in_at;
        memcpy(c->head + c->in_at, data, len < room ? len : room);
    }
    c->in_at += len;
    if (c->in_at == total)
        complete(c, data[len - 1]);
}

static void on_connected(struct client *c) {
    client_upgrade(c, upgrade_path);
}

static void on_bytes(struct client *c, uint8_t *data, size_t len) {
    struct talk *talk = c->owner;
    if (c->phase == CLIENT_ASKING) {
        if (!client_upgraded(c, &data, &len))
            return;
        client_opened(c);
        talk->open++;
        rest(talk, c);
    }
    echoed(c, data, len);
}

static void on_closed(struct client *c, int error) {
    struct talk *talk = c->owner;
    (void)error;
    talk->closed++;
    talk->lost += c->busy;
    c->busy = false;
}

static const struct role talker = {on_connected, on_bytes, push, on_closed};

void talk_open(struct talk *talk, struct crowd *crowd, unsigned count, size_t size, const char *path) {
    *talk = (struct talk){.crowd = crowd, .count = count, .size = size, .paced = true};
    talk->clients = tool_alloc(count, sizeof *talk->clients);
    talk->idle = tool_alloc(count, sizeof *talk->idle);
    talk->pattern = tool_alloc(size, 1);
    talk->frame = tool_alloc(size + FRAME_HEAD_MAX, 1);
    talk->head_len = frame_head(talk->head, 0x80 | FRAME_BINARY, size, false, 0);
    for (size_t i = 0; i < size; i++)
        talk->pattern[i] = (uint8_t)(' ' + i % 95);
    upgrade_path = path;
    crowd_open(crowd, talk->clients, count, &talker, talk);
    talk->open = count;
}

void talk_pace(struct talk *talk, uint64_t messages, uint64_t rate) {
    talk->paced = rate > 0;
    talk->budget = messages;
    talk->period_ns = rate ? 1000000000u / rate : 0;
    talk->due_ns = tool_now_ns();
}

uint64_t talk_due(struct talk *talk, uint64_t now_ns) {
    while (talk->budget && talk->due_ns <= now_ns) {
        if (!talk->idle_len)
            return UINT64_MAX;
        struct client *c = &talk->clients[talk->idle[talk->idle_at]];
        talk->idle_at = (talk->idle_at + 1) % talk->count;
        talk->idle_len--;
        if (c->phase != CLIENT_OPEN)
            continue;
        start(c, talk->period_ns ? talk->due_ns : now_ns);
        talk->due_ns += talk->period_ns;
    }
    return talk->budget ? talk->due_ns - now_ns : UINT64_MAX;
}

void talk_run(struct talk *talk, uint64_t messages, uint64_t rate) {
    uint64_t seen = talk->answered, last = tool_now_ns();
    talk_pace(talk, messages, rate);
    while (talk->budget || talk->answered < talk->sent) {
        uint64_t now = tool_now_ns(), wait = talk_due(talk, now);
        crowd_turn(talk->crowd, wait < 100000000 ? wait : 100000000);
        if (talk->closed || talk->wrong)
            tool_fail("after %lu messages: %s", (unsigned long)talk->answered, talk->crowd->why);
        if (talk->answered != seen) {
            seen = talk->answered;
            last = now;
        } else if (now - last > 10000000000u) {
            tool_fail("no echo for 10 s; %lu of %lu messages answered", (unsigned long)talk->answered,
                      (unsigned long)talk->sent);
        }
    }
}
