#include "proxy/listener.h"

#include "base/mem.h"
#include "net/socket.h"
#include "proxy/front.h"

#include <errno.h>

enum { PAUSE_MS = 100, ACCEPTS_A_TURN = 64, DESCRIPTORS_HELD_BACK = 16 };

static const char busy_answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
                                  "Connection: close\r\n\r\n";

static bool is_shortage(int error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOBUFS;
}

static void shortage_pause(struct listener *listener, const char *what) {
    log_line(&listener->engine->log, LOG_CRIT, "accept() on %s: %s; accepting again in %d ms", listener->text,
             what, PAUSE_MS);
    loop_arm(listener->engine->loop, &listener->pause, PAUSE_MS);
}

/* The last descriptors are for backs, checks and control: whoever comes then is told so. */
static bool is_held_back(const struct engine *engine, int fd) {
    return engine->descriptor_limit > 0 && fd >= engine->descriptor_limit - DESCRIPTORS_HELD_BACK;
}

static bool connection_accept(struct listener *listener) {
    struct address remote;
    int fd = socket_accept(listener->ev.fd, &remote);
    if (fd == -ECONNABORTED)
        return true;
    if (fd < 0) {
        if (is_shortage(fd))
            shortage_pause(listener,
                           fd == -EMFILE || fd == -ENFILE ? "out of file descriptors" : "out of memory");
        return false;
    }
    listener->engine->counts.accepted++;
    counter_add(&listener->engine->tally->accepted, 1);
    if (is_held_back(listener->engine, fd)) {
        socket_send(fd, busy_answer, sizeof busy_answer - 1);
        socket_close(fd);
        shortage_pause(listener, "out of file descriptors");
        return false;
    }
    if (!front_new(listener, fd, &remote)) {
        shortage_pause(listener, "out of memory");
        return false;
    }
    return true;
}

static void listener_accept(struct listener *listener) {
    for (int i = 0; i < ACCEPTS_A_TURN; i++)
        if (listener->is_closed || !connection_accept(listener))
            return;
    loop_arm(listener->engine->loop, &listener->pause, 0); /* more may wait: others first */
}

static void listener_ready(struct ev *ev, unsigned what) {
    struct listener *listener = LIST_OF(ev, struct listener, ev);
    (void)what;
    if (!timer_is_armed(&listener->pause))
        listener_accept(listener);
}

static void pause_end(struct timer *timer) {
    listener_accept(LIST_OF(timer, struct listener, pause));
}

static void listener_bury(struct task *task) {
    struct listener *listener = LIST_OF(task, struct listener, burial);
    mem_free(listener->text);
    mem_free(listener);
}

struct listener *listener_new(struct engine *engine, int fd, const struct listen *listen) {
    struct listener *listener = mem_zero(1, sizeof *listener);
    char *text = mem_alloc(listen->text.len + 1);
    if (listener && text) {
        memcpy(text, listen->text.ptr, listen->text.len);
        text[listen->text.len] = '\0';
        *listener =
            (struct listener){.ev = {listener_ready, fd}, .engine = engine, .listen = listen, .text = text};
        struct listen_meter *meters = engine->registry ? registry_listen(engine->registry, listen->text) : NULL;
        listener->meter = meters ? &meters[engine->index] : NULL;
        timer_init(&listener->pause, pause_end);
        list_init(&listener->burial.node);
        listener->burial.run = listener_bury;
        if (loop_watch(engine->loop, &listener->ev) == 0) {
            list_append(&engine->listeners, &listener->node);
            return listener;
        }
    }
    mem_free(text);
    mem_free(listener);
    socket_close(fd);
    return NULL;
}

static void listener_free_if_unused(struct listener *listener) {
    if (!listener->is_closed || listener->fronts)
        return;
    list_remove(&listener->node);
    loop_bury(listener->engine->loop, &listener->burial);
}

void listener_close(struct listener *listener) {
    if (listener->is_closed)
        return;
    int fd = listener->ev.fd;
    listener->is_closed = true;
    timer_disarm(&listener->pause);
    loop_forget(&listener->ev);
    socket_close(fd);
    listener_free_if_unused(listener);
}

void listener_take_front(struct listener *listener) {
    listener->fronts++;
    if (!listener->meter)
        return;
    counter_add(&listener->meter->accepted, 1);
    counter_add(&listener->meter->active, 1);
}

void listener_drop_front(struct listener *listener) {
    if (listener->meter)
        counter_sub(&listener->meter->active, 1);
    listener->fronts--;
    listener_free_if_unused(listener);
}
