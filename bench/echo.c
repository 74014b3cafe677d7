/* The backend of the bench: Engine.IO-like answers over HTTP, WebSocket echo, and a flood for readers that
   stop. One edge-triggered epoll loop. A message is echoed when it is there in whole, as an application's
   library does it. */
#include "frame.h"
#include "tool.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHARED = 65536, HEAD_MAX = 16384, MESSAGE_MAX = 16 << 20, FLOOD_FRAME = 65536, POLL_BODY = 100 };

struct bytes {
    uint8_t *ptr;
    size_t at, len, cap;
};

enum caller_state { CALLER_HTTP, CALLER_ECHO, CALLER_FLOOD };

/* One connection; freed when the loop's turn ends. */
struct caller {
    int fd;
    enum caller_state state;
    bool more;        /* there may be bytes to read */
    bool hup;         /* the FIN has come: read on to the end */
    bool last;        /* close when all is sent */
    bool dead;        /* closed, waits for the turn's end */
    struct bytes in;  /* the beginning of a request or message */
    struct bytes out; /* what the socket did not take */
    uint64_t flood_left, flood_sent;
    struct caller *next_dead;
};

struct request {
    size_t len; /* head and body */
    bool post, upgrade, close;
    const char *target, *key;
    size_t target_len, key_len;
};

static uint8_t shared[SHARED], flood[FLOOD_FRAME + FRAME_HEAD_MAX];
static size_t flood_len;
static struct caller *graveyard;
static uint64_t sessions;
static int epoll;

static void hang_up(struct caller *c) {
    if (c->dead)
        return;
    c->dead = true;
    close(c->fd);
    c->next_dead = graveyard;
    graveyard = c;
}

static void keep(struct bytes *b, const void *data, size_t len) {
    if (b->len + len > b->cap) {
        b->cap = b->len + len + 4096;
        b->ptr = realloc(b->ptr, b->cap);
        if (!b->ptr)
            tool_fail("no memory for %zu bytes", b->cap);
    }
    memcpy(b->ptr + b->len, data, len);
    b->len += len;
}

static bool is_blocked(const struct caller *c) {
    return c->out.len > 0;
}

static void put(struct caller *c, const void *data, size_t len) {
    ssize_t n = 0;
    if (c->dead)
        return;
    if (!is_blocked(c)) {
        n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            hang_up(c);
            return;
        }
        n = n < 0 ? 0 : n;
    }
    if ((size_t)n < len)
        keep(&c->out, (const uint8_t *)data + n, len - (size_t)n);
}

/* Sends what was kept. */
static void flush(struct caller *c) {
    ssize_t n = send(c->fd, c->out.ptr + c->out.at, c->out.len - c->out.at, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        hang_up(c);
        return;
    }
    c->out.at += n > 0 ? (size_t)n : 0;
    if (c->out.at == c->out.len)
        c->out.at = c->out.len = 0;
}

/* Whole frames until the promised bytes are sent or the socket is full; then a Close frame. */
static void pour(struct caller *c) {
    while (c->flood_left && !is_blocked(c) && !c->dead) {
        size_t at = (size_t)(c->flood_sent % flood_len);
        ssize_t n = send(c->fd, flood + at, flood_len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            hang_up(c);
            return;
        }
        c->flood_sent += (uint64_t)n;
        c->flood_left -= (uint64_t)n;
        if (!c->flood_left)
            put(c, "\x88\x02\x03\xe8", 4);
    }
}

static bool value_has(const char *value, size_t len, const char *word) {
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= len; i++)
        if (!strncasecmp(value + i, word, size))
            return true;
    return false;
}

static void read_field(struct request *r, size_t *body, const char *line, size_t len) {
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return;
    size_t name = (size_t)(colon - line), rest = len - name - 1;
    const char *value = colon + 1;
    while (rest && *value == ' ')
        value++, rest--;
    if (name == 14 && !strncasecmp(line, "content-length", 14)) {
        *body = 0;
        for (; rest && *value >= '0' && *value <= '9' && *body < MESSAGE_MAX; value++, rest--)
            *body = *body * 10 + (size_t)(*value - '0');
    } else if (name == 7 && !strncasecmp(line, "upgrade", 7)) {
        r->upgrade = value_has(value, rest, "websocket");
    } else if (name == 10 && !strncasecmp(line, "connection", 10)) {
        r->close = value_has(value, rest, "close");
    } else if (name == 17 && !strncasecmp(line, "sec-websocket-key", 17)) {
        r->key = value;
        r->key_len = rest;
    }
}

/* False while the request is not there in whole. */
static bool read_request(const uint8_t *data, size_t len, struct request *r) {
    const char *text = (const char *)data, *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end)
        return false;
    const char *line = memmem(text, len, "\r\n", 2), *space = memchr(text, ' ', (size_t)(line - text));
    size_t body = 0;
    *r = (struct request){.post = !strncmp(text, "POST ", 5), .target = "", .key = ""};
    if (space) {
        const char *stop = memchr(space + 1, ' ', (size_t)(line - space - 1));
        r->target = space + 1;
        r->target_len = (size_t)((stop ? stop : line) - r->target);
    }
    while (line < end) {
        const char *next = memmem(line + 2, (size_t)(end + 2 - line - 2), "\r\n", 2);
        read_field(r, &body, line + 2, (size_t)(next - line - 2));
        line = next;
    }
    r->len = (size_t)(end + 4 - text) + body;
    return r->len <= len;
}

static uint64_t flood_size(const struct request *r) {
    const char *at = memmem(r->target, r->target_len, "bytes=", 6);
    uint64_t bytes = at ? strtoull(at + 6, NULL, 10) : (uint64_t)1 << 30;
    return (bytes / flood_len + 1) * flood_len;
}

static void answer_upgrade(struct caller *c, const struct request *r) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH], accept[64];
    char text[256];
    size_t key = r->key_len < 64 ? r->key_len : 64;
    memcpy(text, r->key, key);
    memcpy(text + key, guid, sizeof guid - 1);
    SHA1((unsigned char *)text, key + sizeof guid - 1, digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n\r\n",
                       (char *)accept);
    put(c, text, (size_t)len);
    c->state = CALLER_ECHO;
    if (memmem(r->target, r->target_len, "flood", 5)) {
        c->state = CALLER_FLOOD;
        c->flood_left = flood_size(r);
        pour(c);
    }
}

static void answer(struct caller *c, const struct request *r) {
    if (r->upgrade) {
        answer_upgrade(c, r);
        return;
    }
    char text[640], body[160];
    int size;
    if (r->post)
        size = snprintf(body, sizeof body, "ok");
    else if (memmem(r->target, r->target_len, "transport=polling", 17) &&
             !memmem(r->target, r->target_len, "sid=", 4))
        size = snprintf(body, sizeof body,
                        "0{\"sid\":\"bench%015llu\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
                        "\"pingTimeout\":20000,\"maxPayload\":1000000}",
                        (unsigned long long)++sessions);
    else
        size = snprintf(body, sizeof body, "4%0*d", POLL_BODY - 1, 7);
    int len = snprintf(
        text, sizeof text,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: %d\r\n"
        "cache-control: no-store\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n%s\r\n%s",
        size, r->close ? "Connection: close\r\n" : "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", body);
    put(c, text, (size_t)len);
    c->last = r->close;
}

/* Echoes one frame, which lies whole at data: a server's head is shorter by the key, so it fits before the
 * payload. */
static void echo(struct caller *c, uint8_t *data, const struct frame *f) {
    uint8_t first = f->first, *payload = data + f->head;
    if ((first & 15) == FRAME_PONG)
        return;
    if ((first & 15) == FRAME_PING)
        first = (uint8_t)((first & 0xf0) | FRAME_PONG);
    if (f->masked)
        frame_mask(payload, payload, f->payload, f->key);
    uint8_t *start = payload - (f->head - (f->masked ? 4 : 0));
    frame_head(start, first, f->payload, false, 0);
    put(c, start, (size_t)(payload - start) + f->payload);
    c->last = (first & 15) == FRAME_CLOSE;
}

/* Takes whole requests and frames from data; returns how many bytes they were. */
static size_t consume(struct caller *c, uint8_t *data, size_t len) {
    size_t at = 0;
    while (at < len && !c->dead && !c->last) {
        struct request r;
        struct frame f;
        if (c->state == CALLER_FLOOD)
            return len;
        if (c->state == CALLER_HTTP) {
            if (!read_request(data + at, len - at, &r))
                break;
            at += r.len;
            answer(c, &r);
        } else {
            if (!frame_read(data + at, len - at, &f) || f.payload > MESSAGE_MAX ||
                len - at < f.head + f.payload)
                break;
            echo(c, data + at, &f);
            at += f.head + f.payload;
        }
    }
    return at;
}

static void take(struct caller *c, size_t len) {
    if (!c->in.len) {
        size_t used = consume(c, shared, len);
        if (used < len && !c->last && !c->dead)
            keep(&c->in, shared + used, len - used);
        return;
    }
    keep(&c->in, shared, len);
    size_t used = consume(c, c->in.ptr, c->in.len);
    memmove(c->in.ptr, c->in.ptr + used, c->in.len - used);
    c->in.len -= used;
    if (c->in.len > MESSAGE_MAX || (c->state == CALLER_HTTP && c->in.len > HEAD_MAX + MESSAGE_MAX / 16))
        hang_up(c);
}

static void drain(struct caller *c) {
    while (c->more && !c->dead && !c->last && !is_blocked(c)) {
        ssize_t n = recv(c->fd, shared, sizeof shared, 0);
        if (n > 0) {
            c->more = n == sizeof shared || c->hup;
            take(c, (size_t)n);
        } else if (n < 0 && errno == EAGAIN) {
            c->more = false;
        } else {
            hang_up(c);
        }
    }
    if (c->last && !is_blocked(c))
        hang_up(c);
}

static void handle(void *owner, uint32_t events) {
    struct caller *c = owner;
    if (events & EPOLLOUT && is_blocked(c))
        flush(c);
    if (events & EPOLLOUT && c->flood_left && !c->dead)
        pour(c);
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->hup = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->more = true;
    if (!c->dead)
        drain(c);
}

static void welcome(int listener) {
    for (;;) {
        int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct caller *c = tool_alloc(1, sizeof *c);
        struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = c}};
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
            tool_fail("epoll_ctl: %s", strerror(errno));
    }
}

static void bury(void) {
    while (graveyard) {
        struct caller *c = graveyard;
        graveyard = c->next_dead;
        free(c->in.ptr);
        free(c->out.ptr);
        free(c);
    }
}

int main(int argc, char **argv) {
    const char *at_text = "127.0.0.1:0";
    unsigned long seconds = 900;
    const struct tool_option rows[] = {
        {"listen", TOOL_TEXT, &at_text, 0, 0, "loopback address; port 0: any, printed on stdout"},
        {"seconds", TOOL_NUMBER, &seconds, 1, 86400, "ends by itself after this time"},
    };
    tool_begin("echo");
    tool_options(
        argc - 1, argv + 1, rows, sizeof rows / sizeof *rows,
        "echo: the bench's backend. WebSocket upgrades are echoed (on /flood?bytes=N: flooded with N bytes),\n"
        "GET answers 100 bytes (with transport=polling and no sid: an Engine.IO open packet), POST answers "
        "ok.\n");
    tool_life(seconds);
    tool_fd_limit();
    struct sockaddr_in at = tool_address(at_text);
    int listener = tool_listen(&at);
    flood_len = frame_head(flood, 0x80 | FRAME_BINARY, FLOOD_FRAME, false, 0) + FLOOD_FRAME;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    tool_serve(epoll, listener, &at, &(struct tool_server){welcome, handle, bury});
}
