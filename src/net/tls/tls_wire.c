#include "net/tls/tls_wire.h"

#include "base/mem.h"
#include "net/socket.h"

#include <errno.h>

/* ---- going out ---- */

int tls_wire_flush(struct tls_duct *tls) {
    while (tls->out_len) {
        ssize_t sent = socket_send(tls->duct.ev.fd, tls->out + tls->out_at, tls->out_len);
        if (sent < 0)
            return (int)sent;
        tls->out_at += (uint32_t)sent;
        tls->out_len -= (uint32_t)sent;
    }
    mem_free(tls->out);
    tls->out = NULL;
    tls->out_at = 0;
    return 0;
}

static int out_hold(struct tls_duct *tls, const char *bytes, size_t len) {
    char *grown = mem_alloc(tls->out_len + len);
    if (!grown)
        return -ENOMEM;
    if (tls->out_len)
        memcpy(grown, tls->out + tls->out_at, tls->out_len);
    memcpy(grown + tls->out_len, bytes, len);
    mem_free(tls->out);
    tls->out = grown;
    tls->out_at = 0;
    tls->out_len += (uint32_t)len;
    return 0;
}

ssize_t tls_wire_commit(struct tls_duct *tls) {
    struct tls_pool *pool = tls->pool;
    size_t len = pool->out_len;
    ssize_t sent = 0;
    pool->out_len = 0;
    if (len == 0)
        return 0;
    if (tls->out_len == 0) {
        sent = socket_send(tls->duct.ev.fd, pool->out, len);
        if (sent == -EAGAIN)
            sent = 0;
        if (sent < 0)
            return sent;
    }
    int error = (size_t)sent < len ? out_hold(tls, pool->out + sent, len - (size_t)sent) : 0;
    return error ? error : sent;
}

bool tls_wire_append(struct tls_duct *tls, const char *bytes, size_t len) {
    struct tls_pool *pool = tls->pool;
    if (len > TLS_OUT_BYTES - pool->out_len && tls_wire_commit(tls) < 0)
        return false;
    if (len > TLS_OUT_BYTES - pool->out_len)
        return out_hold(tls, bytes, len) == 0;
    memcpy(pool->out + pool->out_len, bytes, len);
    pool->out_len += len;
    return true;
}

/* ---- coming in ---- */

size_t tls_wire_record(const struct tls_duct *tls) {
    const unsigned char *head = (const unsigned char *)tls->in.ptr;
    if (tls->in.len == 0)
        return 0;
    if (head[0] < SSL3_RT_CHANGE_CIPHER_SPEC || head[0] > SSL3_RT_APPLICATION_DATA)
        return tls->in.len;
    if (tls->in.len < TLS_RECORD_HEAD)
        return 0;
    size_t len = TLS_RECORD_HEAD + ((size_t)head[3] << 8 | head[4]);
    if (len > TLS_RECORD_MAX)
        return tls->in.len;
    return tls->in.len >= len ? len : 0;
}

size_t tls_wire_take(struct tls_duct *tls, char *bytes, size_t len) {
    if (!tls->in_record)
        tls->in_record = (uint32_t)tls_wire_record(tls);
    if (len > tls->in_record)
        len = tls->in_record;
    if (len)
        memcpy(bytes, tls->in.ptr, len);
    tls->in = str_from(tls->in, len);
    tls->in_record -= (uint32_t)len;
    return len;
}

ssize_t tls_wire_fill(struct tls_duct *tls, size_t wanted) {
    char *memory = tls->pool->in;
    if (!tls->can_read_raw)
        return -EAGAIN;
    if (tls->in.len)
        memmove(memory, tls->in.ptr, tls->in.len);
    mem_free(tls->in_owned);
    tls->in_owned = NULL;
    tls->in.ptr = memory;
    size_t room = TLS_IN_BYTES - tls->in.len;
    if (wanted > room)
        wanted = room;
    ssize_t got = socket_recv(tls->duct.ev.fd, memory + tls->in.len, wanted);
    if (got > 0)
        tls->in.len += (size_t)got;
    if (got <= 0 || ((size_t)got < wanted && !tls->duct.has_end))
        tls->can_read_raw = false;
    if (got == 0)
        tls->is_ended = true;
    return got;
}

int tls_wire_settle(struct tls_duct *tls) {
    if (tls->in.len == 0) {
        mem_free(tls->in_owned);
        tls->in_owned = NULL;
        return 0;
    }
    if (tls->in_owned)
        return 0;
    tls->in_owned = mem_alloc(tls->in.len);
    if (!tls->in_owned)
        return -ENOMEM;
    memcpy(tls->in_owned, tls->in.ptr, tls->in.len);
    tls->in.ptr = tls->in_owned;
    return 0;
}
