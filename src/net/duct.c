#include "net/duct.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/slab.h"
#include "net/tls/tls_duct.h"

#include <errno.h>

struct duct_pool {
    struct loop *loop;
    struct slab slab, wide; /* of plain ducts; of those with TLS */
    struct tls_pool *tls;   /* made for the first of these */
    struct duct *closed;    /* in this turn, newest first */
    struct task burial;     /* waits at the end of the turn while there are any */
};

static struct tls_duct *secure(struct duct *duct) {
    _Static_assert(offsetof(struct tls_duct, duct) == 0, "a secure duct begins with a duct");
    return (struct tls_duct *)(void *)duct;
}

static void duct_free(struct duct *duct) {
    slab_free(duct->is_wide ? &duct->pool->wide : &duct->pool->slab, duct);
}

/* Frees what was closed in the turn that ends. */
static void bury(struct task *task) {
    struct duct_pool *pool = LIST_OF(task, struct duct_pool, burial);
    while (pool->closed) {
        struct duct *duct = pool->closed;
        pool->closed = duct->owner;
        duct_free(duct);
    }
}

struct duct_pool *duct_pool_new(struct loop *loop) {
    struct duct_pool *pool = mem_zero(1, sizeof *pool);
    if (pool) {
        pool->loop = loop;
        pool->burial.run = bury;
        slab_init(&pool->slab, sizeof(struct duct));
        slab_init(&pool->wide, sizeof(struct tls_duct));
    }
    return pool;
}

void duct_pool_trim(struct duct_pool *pool) {
    slab_trim(&pool->slab);
    slab_trim(&pool->wide);
}

void duct_pool_free(struct duct_pool *pool) {
    if (!pool)
        return;
    slab_fini(&pool->slab);
    slab_fini(&pool->wide);
    tls_pool_free(pool->tls);
    mem_free(pool);
}

static void tell(struct ev *ev, unsigned what) {
    struct duct *duct = (struct duct *)ev;
    _Static_assert(offsetof(struct duct, ev) == 0, "a duct begins with its ev");
    if (duct->is_secure) {
        if (tls_tell(secure(duct), what))
            duct->ready(duct);
        return;
    }
    if (what & POLLER_READ)
        duct->can_read = true;
    if (what & POLLER_WRITE) {
        duct->can_write = !duct->is_shut;
        /* A connection that failed is reported writable too. */
        if (!(what & POLLER_ERROR))
            duct->is_connected = true;
    }
    if (what & (POLLER_END | POLLER_ERROR))
        duct->has_end = duct->can_read = true;
    duct->ready(duct);
}

static void duct_init(struct duct *duct, struct duct_pool *pool, int fd, duct_ready *ready, void *owner) {
    *duct = (struct duct){
        .ev = {.ready = tell, .fd = fd},
        .loop = pool->loop,
        .pool = pool,
        .ready = ready,
        .owner = owner,
        .can_write = true, /* until a send says otherwise; what can be read is told by the first event */
    };
}

struct duct *duct_new(struct duct_pool *pool, int fd, duct_ready *ready, void *owner) {
    struct duct *duct = slab_new(&pool->slab);
    if (duct)
        duct_init(duct, pool, fd, ready, owner);
    if (!duct || loop_watch(pool->loop, &duct->ev) < 0) {
        slab_free(&pool->slab, duct);
        socket_close(fd);
        return NULL;
    }
    return duct;
}

struct duct *duct_new_wide(struct duct_pool *pool, int fd, duct_ready *ready, void *owner) {
    struct tls_duct *tls = slab_new(&pool->wide);
    if (tls) {
        duct_init(&tls->duct, pool, fd, ready, owner);
        tls->duct.is_wide = true;
    }
    if (!tls || loop_watch(pool->loop, &tls->duct.ev) < 0) {
        slab_free(&pool->wide, tls);
        socket_close(fd);
        return NULL;
    }
    return &tls->duct;
}

bool duct_secure(struct duct *duct, const struct tls_start *start) {
    struct duct_pool *pool = duct->pool;
    bool has_end = duct->has_end;
    CHECK(duct->is_wide && !duct->is_secure, "TLS on a duct that has no room for it");
    if (!pool->tls)
        pool->tls = tls_pool_new();
    if (!pool->tls || !tls_begin(secure(duct), pool->tls, start)) {
        tls_end(secure(duct));
        return false;
    }
    duct->is_secure = true;
    tls_tell(secure(duct), POLLER_READ | POLLER_WRITE | (has_end ? POLLER_END : 0u));
    return true;
}

struct duct *duct_new_secure(struct duct_pool *pool, int fd, duct_ready *ready, void *owner,
                             const struct tls_start *start) {
    if (!pool->tls)
        pool->tls = tls_pool_new();
    struct tls_duct *tls = pool->tls ? slab_new(&pool->wide) : NULL;
    if (tls) {
        duct_init(&tls->duct, pool, fd, ready, owner);
        tls->duct.is_secure = tls->duct.is_wide = true;
        if (tls_begin(tls, pool->tls, start) && loop_watch(pool->loop, &tls->duct.ev) == 0)
            return &tls->duct;
        tls_end(tls);
        slab_free(&pool->wide, tls);
    }
    socket_close(fd);
    return NULL;
}

/* Keeps the books of a read that gave nothing. */
static ssize_t nothing_note(struct duct *duct, ssize_t got) {
    duct->can_read = false;
    if (got != -EAGAIN)
        duct->has_end = true;
    return got;
}

ssize_t duct_recv(struct duct *duct, void *bytes, size_t len) {
    if (duct->is_secure)
        return tls_recv(secure(duct), bytes, len);
    ssize_t got = socket_recv(duct->ev.fd, bytes, len);
    if (got <= 0)
        return nothing_note(duct, got);
    duct->is_connected = true;
    if ((size_t)got < len && !duct->has_end)
        duct->can_read = false;
    return got;
}

ssize_t duct_peek(struct duct *duct, void *bytes, size_t len) {
    if (duct->is_secure)
        return tls_peek(secure(duct), bytes, len);
    ssize_t got = socket_peek(duct->ev.fd, bytes, len);
    if (got <= 0)
        return nothing_note(duct, got);
    duct->is_connected = true;
    duct->is_peek_full = (size_t)got == len;
    return got;
}

void duct_discard(struct duct *duct, size_t used, size_t seen) {
    size_t gone = 0;
    if (duct->is_secure) {
        tls_discard(secure(duct), used);
        return;
    }
    while (gone < used) {
        ssize_t got = socket_discard(duct->ev.fd, used - gone);
        if (got <= 0) /* a reset has emptied the queue: the next read tells */
            break;
        gone += (size_t)got;
    }
    if (used == seen && !duct->is_peek_full && !duct->has_end)
        duct->can_read = false;
}

/* Keeps the books of a send of `len` bytes. */
static ssize_t sent_note(struct duct *duct, ssize_t sent, size_t len) {
    if (sent > 0) {
        duct->is_connected = true;
        duct->sent_since_look += (unsigned)sent;
    }
    if (sent < 0 || (size_t)sent < len)
        duct->can_write = false;
    return sent;
}

ssize_t duct_send(struct duct *duct, const void *bytes, size_t len) {
    if (duct->is_secure) {
        struct iovec part = {(void *)(uintptr_t)bytes, len};
        return tls_send_vector(secure(duct), &part, 1);
    }
    return sent_note(duct, socket_send(duct->ev.fd, bytes, len), len);
}

ssize_t duct_send_vector(struct duct *duct, const struct iovec *parts, int count) {
    size_t len = 0;
    if (duct->is_secure)
        return tls_send_vector(secure(duct), parts, count);
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    return sent_note(duct, socket_send_vector(duct->ev.fd, parts, count), len);
}

ssize_t duct_send_file(struct duct *duct, int file, uint64_t *offset, size_t len) {
    if (duct->is_secure)
        return tls_send_file(secure(duct), file, offset, len);
    ssize_t sent = socket_send_file(duct->ev.fd, file, offset, len);
    /* Fewer bytes may also mean that the file has become shorter, and then no event would ever come. */
    return sent_note(duct, sent, sent < 0 ? len : 0);
}

size_t duct_backlog(const struct duct *duct) {
    ssize_t bytes = socket_unacked(duct->ev.fd);
    return bytes > 0 ? (size_t)bytes : 0;
}

void duct_shutdown(struct duct *duct) {
    if (duct->is_shut)
        return;
    duct->is_shut = true;
    duct->can_write = false;
    if (duct->is_secure)
        tls_shutdown(secure(duct));
    else
        socket_shutdown(duct->ev.fd);
}

void duct_slim(struct duct *duct) {
    if (duct->is_secure)
        tls_slim(secure(duct));
}

int duct_error(struct duct *duct) {
    if (duct->is_secure && secure(duct)->error)
        return secure(duct)->error;
    return socket_error(duct->ev.fd);
}

/* The descriptor, for the one call that closes it. */
static int leave(struct duct *duct) {
    int fd = duct->ev.fd;
    CHECK(fd >= 0, "duct %p closed twice", (void *)duct);
    loop_forget(&duct->ev);
    if (duct->is_secure)
        tls_end(secure(duct));
    if (!duct->pool->closed)
        loop_bury(duct->loop, &duct->pool->burial);
    duct->owner = duct->pool->closed;
    duct->pool->closed = duct;
    return fd;
}

void duct_close(struct duct *duct) {
    if (!duct)
        return;
    if (duct->is_secure)
        tls_leave(secure(duct));
    socket_close(leave(duct));
}

void duct_reset(struct duct *duct) {
    if (duct)
        socket_reset(leave(duct));
}
