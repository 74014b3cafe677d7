#include "web.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { GET_BODY = 100 };

static const char fields[] =
    "Host: bench.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\nOrigin: http://bench.localhost\r\n";

/* -- polling -- */

static void ask(struct client *c) {
    char text[512];
    int len;
    if (!*c->sid)
        len = snprintf(text, sizeof text, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n%s\r\n", fields);
    else if (c->serial % 2 == 0)
        len = snprintf(text, sizeof text, "GET /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n%s\r\n",
                       c->sid, fields);
    else
        len = snprintf(text, sizeof text,
                       "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n%s"
                       "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 50\r\n\r\n%-50s",
                       c->sid, fields, "42[\"message\",\"fifty bytes in all\"]");
    client_send(c, text, (size_t)len);
}

static void next_request(struct client *c, uint64_t now_ns) {
    struct poll *poll = c->owner;
    poll->budget--;
    poll->sent++;
    c->serial++;
    c->busy = true;
    c->since_ns = now_ns;
    ask(c);
}

static bool answer_is_right(const struct client *c, const struct answer *a) {
    if (a->status != 200)
        return false;
    if (c->serial % 2)
        return a->body_len == 2 && !memcmp(a->body, "ok", 2);
    return a->body_len == GET_BODY && a->body[0] == '4' && a->body[GET_BODY - 1] == '7';
}

static void keep_sid(struct client *c, const struct answer *a) {
    const char *at = memmem(a->body, a->body_len, "\"sid\":\"", 7);
    size_t len = at ? strcspn(at + 7, "\"") : 0;
    if (a->status != 200 || len != 20) {
        client_fail(c, 0, "no Engine.IO open packet in the answer to a polling handshake");
        return;
    }
    memcpy(c->sid, at + 7, len);
    client_opened(c);
}

static void poll_bytes(struct client *c, uint8_t *data, size_t len) {
    struct poll *poll = c->owner;
    struct answer answer;
    if (!client_answered(c, data, len, &answer))
        return;
    if (!*c->sid) {
        keep_sid(c, &answer);
        return;
    }
    if (!c->busy || !answer_is_right(c, &answer)) {
        char why[64];
        snprintf(why, sizeof why, "a polling request was answered with %d", answer.status);
        client_fail(c, 0, why);
        return;
    }
    uint64_t now = tool_now_ns();
    histogram_add(&poll->latency, now - c->since_ns);
    poll->answered++;
    c->busy = false;
    if (poll->budget)
        next_request(c, now);
}

static void poll_closed(struct client *c, int error) {
    struct poll *poll = c->owner;
    (void)error;
    poll->closed++;
}

static const struct role poller = {ask, poll_bytes, NULL, poll_closed};

void poll_open(struct poll *poll, struct crowd *crowd, unsigned count) {
    *poll = (struct poll){.crowd = crowd, .count = count};
    poll->clients = tool_alloc(count, sizeof *poll->clients);
    crowd_open(crowd, poll->clients, count, &poller, poll);
}

void poll_run(struct poll *poll, uint64_t requests) {
    uint64_t now = tool_now_ns(), seen = poll->answered, last = now;
    poll->budget = requests;
    for (unsigned i = 0; i < poll->count && poll->budget; i++)
        next_request(&poll->clients[i], now);
    while (poll->answered < poll->sent) {
        crowd_turn(poll->crowd, 100000000);
        if (poll->closed)
            tool_fail("after %lu requests: %s", (unsigned long)poll->answered, poll->crowd->why);
        if (poll->answered != seen) {
            seen = poll->answered;
            last = tool_now_ns();
        } else if (tool_now_ns() - last > 10000000000u) {
            tool_fail("no answer for 10 s; %lu of %lu requests answered", (unsigned long)poll->answered,
                      (unsigned long)poll->sent);
        }
    }
}

/* -- handshakes -- */

static void shake_connected(struct client *c) {
    client_upgrade(c, "/socket.io/?EIO=4&transport=websocket");
}

static void shake_bytes(struct client *c, uint8_t *data, size_t len) {
    struct shake *shake = c->owner;
    if (c->phase != CLIENT_ASKING || !client_upgraded(c, &data, &len))
        return;
    client_opened(c);
    histogram_add(&shake->latency, tool_now_ns() - c->since_ns);
    c->busy = false;
    shutdown(c->fd, SHUT_WR);
}

/* The proxy's own FIN, or a reset, after the 101 ends a handshake; before it, it is a failure. */
static void shake_closed(struct client *c, int error) {
    struct shake *shake = c->owner;
    (void)error;
    shake->done++;
    shake->failed += c->busy;
    if (!c->busy)
        *c->crowd->why = 0;
}

static const struct role shaker = {shake_connected, shake_bytes, NULL, shake_closed};

void shake_init(struct shake *shake, struct crowd *crowd, unsigned width) {
    *shake = (struct shake){.crowd = crowd, .width = width};
    shake->clients = tool_alloc(width, sizeof *shake->clients);
    for (unsigned i = 0; i < width; i++)
        shake->clients[i] = (struct client){.index = i, .role = &shaker, .owner = shake, .crowd = crowd};
}

void shake_run(struct shake *shake, uint64_t handshakes) {
    uint64_t target = shake->done + handshakes, seen = shake->done, last = tool_now_ns();
    shake->budget = handshakes;
    while (shake->done < target) {
        uint64_t now = tool_now_ns();
        for (unsigned i = 0; i < shake->width && shake->budget; i++) {
            struct client *c = &shake->clients[i];
            if (c->phase != CLIENT_CLOSED)
                continue;
            shake->budget--;
            c->since_ns = now;
            client_start(c);
            c->busy = c->phase != CLIENT_CLOSED;
            shake->failed += !c->busy;
        }
        crowd_turn(shake->crowd, 100000000);
        if (shake->failed)
            tool_fail("after %lu handshakes: %s", (unsigned long)shake->done, shake->crowd->why);
        if (shake->done != seen) {
            seen = shake->done;
            last = now;
        } else if (now - last > 10000000000u) {
            tool_fail("no handshake for 10 s; %lu done", (unsigned long)shake->done);
        }
    }
}

/* -- visitors -- */

static void visit_connected(struct client *c) {
    char text[256];
    int len = snprintf(text, sizeof text, "GET /visit HTTP/1.1\r\n%s\r\n", fields);
    client_send(c, text, (size_t)len);
}

static void visit_bytes(struct client *c, uint8_t *data, size_t len) {
    struct visit *visit = c->owner;
    struct answer answer;
    if (!client_answered(c, data, len, &answer))
        return;
    if (answer.status != 200 || answer.body_len != GET_BODY) {
        client_fail(c, 0, "a visitor was not answered with 200");
        return;
    }
    histogram_add(&visit->latency, tool_now_ns() - c->since_ns);
    visit->done++;
    client_opened(c);
    client_close(c);
}

static void visit_closed(struct client *c, int error) {
    struct visit *visit = c->owner;
    (void)error;
    visit->failed++;
}

static const struct role visitor = {visit_connected, visit_bytes, NULL, visit_closed};

void visit_init(struct visit *visit, struct crowd *crowd, unsigned width, uint64_t rate) {
    *visit = (struct visit){.crowd = crowd, .width = width, .period_ns = rate ? 1000000000u / rate : 0};
    visit->clients = tool_alloc(width, sizeof *visit->clients);
    for (unsigned i = 0; i < width; i++)
        visit->clients[i] = (struct client){.index = i, .role = &visitor, .owner = visit, .crowd = crowd};
    visit->due_ns = tool_now_ns();
}

uint64_t visit_due(struct visit *visit, uint64_t now_ns) {
    if (!visit->period_ns)
        return UINT64_MAX;
    while (visit->due_ns <= now_ns) {
        unsigned i = 0;
        while (i < visit->width && visit->clients[i].phase != CLIENT_CLOSED)
            i++;
        if (i == visit->width) {
            visit->late++;
        } else {
            visit->clients[i].since_ns = visit->due_ns;
            client_start(&visit->clients[i]);
        }
        visit->due_ns += visit->period_ns;
    }
    return visit->due_ns - now_ns;
}

unsigned visit_pending(const struct visit *visit) {
    unsigned count = 0;
    for (unsigned i = 0; i < visit->width; i++)
        count += visit->clients[i].phase != CLIENT_CLOSED;
    return count;
}
