#include "toy.h"
#include "subject.h"

#include "base/mem.h"
#include "net/duct.h"
#include "world.h"

#include <errno.h>

/* A blind relay of connections to one backend, the least thing that can live in the world: it proves the world,
 * and its deliberate bugs prove the invariants. */

bool subject_is_loud;
enum toy_bug toy_bug;

enum { TOY_BUFFER = 4096, TOY_IDLE_MS = 60000 };

struct toy_way {
    struct duct *from, *to;
    size_t at, len;
    bool is_ended, is_passed;
    char bytes[TOY_BUFFER];
};

struct toy_pair {
    struct list node;
    struct toy_way ways[2];
    struct timer idle;
    struct task burial;
};

static struct {
    struct loop *loop;
    struct duct_pool *ducts;
    struct ev listener;
    struct list pairs;
    size_t count;
    struct timer pause;
} toy;

static void pair_bury(struct task *task) {
    mem_free(LIST_OF(task, struct toy_pair, burial));
}

static void pair_end(struct toy_pair *pair) {
    if (!pair->ways[0].from)
        return;
    duct_close(pair->ways[0].from);
    duct_close(pair->ways[1].from);
    pair->ways[0].from = pair->ways[1].from = NULL;
    timer_disarm(&pair->idle);
    list_remove(&pair->node);
    toy.count--;
    loop_bury(toy.loop, &pair->burial);
}

static void idle_fire(struct timer *timer) {
    if (toy_bug == TOY_SPINS) {
        loop_arm(toy.loop, timer, 1);
        return;
    }
    pair_end(LIST_OF(timer, struct toy_pair, idle));
}

/* False when the pair must end. */
static bool way_write(struct toy_way *way) {
    while (way->at < way->len && way->to->can_write) {
        ssize_t sent = duct_send(way->to, way->bytes + way->at, way->len - way->at);
        if (sent == -EAGAIN)
            return true;
        if (sent < 0)
            return false;
        if (toy_bug == TOY_LOSES_BYTES && (size_t)sent < way->len - way->at)
            sent = (ssize_t)(way->len - way->at);
        if (toy_bug == TOY_DOUBLES_BYTES && (size_t)sent < way->len - way->at)
            sent--;
        way->at += (size_t)sent;
    }
    return true;
}

static bool way_read(struct toy_way *way) {
    ssize_t got = duct_recv(way->from, way->bytes, sizeof way->bytes);
    if (got == -EAGAIN)
        return true;
    if (got < 0)
        return false;
    way->at = 0;
    way->len = (size_t)got;
    way->is_ended = got == 0;
    if (toy_bug == TOY_READS_ONCE)
        way->from->can_read = false;
    return true;
}

static bool way_run(struct toy_way *way) {
    for (;;) {
        if (!way_write(way))
            return false;
        if (way->at < way->len || way->is_ended || !way->from->can_read)
            break;
        if (!way_read(way))
            return false;
    }
    if (way->is_ended && way->at == way->len && !way->is_passed) {
        way->is_passed = true;
        duct_shutdown(way->to);
    }
    return true;
}

static void pair_ready(struct duct *duct) {
    struct toy_pair *pair = duct->owner;
    if (!pair->ways[0].from)
        return;
    bool goes_on = way_run(&pair->ways[0]) && way_run(&pair->ways[1]);
    if (!goes_on || (pair->ways[0].is_passed && pair->ways[1].is_passed))
        pair_end(pair);
    else if (toy_bug != TOY_SPINS)
        loop_arm(toy.loop, &pair->idle, TOY_IDLE_MS);
    else
        loop_arm(toy.loop, &pair->idle, 0);
}

static void pair_begin(int client_fd) {
    struct address backend = {.len = sizeof(struct sockaddr_in)};
    backend.v4.sin_family = AF_INET;
    backend.v4.sin_port = htons(3000);
    backend.v4.sin_addr.s_addr = htonl(10u << 24 | 1u << 16 | 1u);
    int fd = socket_connect(&backend, NULL, 0, 0);
    struct toy_pair *pair = fd >= 0 ? mem_zero(1, sizeof *pair) : NULL;
    if (!pair) {
        if (fd >= 0)
            socket_close(fd);
        socket_close(client_fd);
        return;
    }
    struct duct *front = duct_new(toy.ducts, client_fd, pair_ready, pair);
    struct duct *back = duct_new(toy.ducts, fd, pair_ready, pair);
    if (!front || !back) {
        duct_close(front);
        duct_close(back);
        mem_free(pair);
        return;
    }
    pair->burial.run = pair_bury;
    list_init(&pair->burial.node);
    pair->ways[0].from = pair->ways[1].to = front;
    pair->ways[1].from = pair->ways[0].to = back;
    timer_init(&pair->idle, idle_fire);
    loop_arm(toy.loop, &pair->idle, TOY_IDLE_MS);
    list_append(&toy.pairs, &pair->node);
    toy.count++;
}

static void accept_all(void) {
    for (;;) {
        struct address remote;
        int fd = socket_accept(toy.listener.fd, &remote);
        if (fd >= 0)
            pair_begin(fd);
        else if (fd == -EAGAIN)
            return;
        else if (fd != -ECONNABORTED) {
            loop_arm(toy.loop, &toy.pause, 100);
            return;
        }
    }
}

static void listener_ready(struct ev *ev, unsigned what) {
    (void)ev, (void)what;
    accept_all();
}

static void pause_fire(struct timer *timer) {
    (void)timer;
    accept_all();
}

bool subject_start(struct loop *loop, struct str configuration) {
    struct address any = {.len = sizeof(struct sockaddr_in)};
    struct socket_listen_options options = {0};
    (void)configuration;
    any.v4.sin_family = AF_INET;
    any.v4.sin_port = htons(8080);
    memset(&toy, 0, sizeof toy);
    toy.loop = loop;
    list_init(&toy.pairs);
    timer_init(&toy.pause, pause_fire);
    toy.ducts = duct_pool_new(loop);
    toy.listener.ready = listener_ready;
    toy.listener.fd = socket_listen(&any, &options);
    return toy.ducts && toy.listener.fd >= 0 && loop_watch(loop, &toy.listener) == 0;
}

bool subject_reload(struct str configuration) {
    (void)configuration;
    return true;
}

struct subject_counts subject_count(void) {
    return (struct subject_counts){.fronts = toy.count};
}

const char *subject_check(void) {
    LIST_EACH (&toy.pairs, at) {
        if (!timer_is_armed(&LIST_OF(at, struct toy_pair, node)->idle))
            return "a pair without a deadline";
    }
    return NULL;
}

const char *subject_state(void) {
    return "";
}

static void listener_close(void) {
    if (toy.listener.fd < 0)
        return;
    int fd = toy.listener.fd;
    loop_forget(&toy.listener);
    socket_close(fd);
}

void subject_drain(bool *is_drained) {
    listener_close();
    *is_drained = true;
}

void subject_stop(void) {
    listener_close();
    timer_disarm(&toy.pause);
    LIST_EACH (&toy.pairs, at)
        pair_end(LIST_OF(at, struct toy_pair, node));
    loop_turn(toy.loop, 0);
    duct_pool_free(toy.ducts);
}
