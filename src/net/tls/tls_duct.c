#include "net/tls/tls_duct.h"

#include "base/check.h"
#include "base/mem.h"
#include "net/file.h"
#include "net/socket.h"
#include "net/tls/tls_record.h"
#include "net/tls/tls_session.h"
#include "net/tls/tls_wire.h"

#include <errno.h>

enum { RECORDS_A_SEND = 16, FILE_BYTES = 4 * SSL3_RT_MAX_PLAIN_LENGTH };

struct tls_pool *tls_pool_new(void) {
    struct tls_pool *pool = mem_alloc(sizeof *pool);
    if (!pool)
        return NULL;
    pool->out_len = 0;
    pool->sessions = tls_session_pool_new();
    pool->records = tls_record_pool_new();
    if (pool->sessions && pool->records)
        return pool;
    tls_pool_free(pool);
    return NULL;
}

void tls_pool_free(struct tls_pool *pool) {
    if (!pool)
        return;
    tls_session_pool_free(pool->sessions);
    tls_record_pool_free(pool->records);
    mem_free(pool);
}

static int broken(struct tls_duct *tls, int error) {
    tls->error = error;
    tls->duct.has_end = true;
    return error;
}

/* ---- the handshake ---- */

bool tls_begin(struct tls_duct *tls, struct tls_pool *pool, const struct tls_start *start) {
    tls->pool = pool;
    tls->in = STR("");
    tls->duct.can_write = false; /* not before the handshake is over */
    tls->session = tls_session_new(tls, pool->sessions, start);
    return tls->session != NULL;
}

void tls_end(struct tls_duct *tls) {
    tls_session_free(tls->session);
    tls_record_free(tls->record);
    tls->session = NULL;
    tls->record = NULL;
    mem_free(tls->in_owned);
    mem_free(tls->out);
    mem_free(tls->plain);
    tls->in_owned = tls->out = tls->plain = NULL;
}

/* A client that speaks plain HTTP to a TLS port is told so: the duct becomes a plain one. */
static bool is_plain(struct tls_duct *tls) {
    unsigned char first;
    if (!tls->can_read_raw || !tls_session_is_untouched(tls->session) ||
        socket_peek(tls->duct.ev.fd, &first, 1) != 1 || first == SSL3_RT_HANDSHAKE || (first & 0x80))
        return false;
    tls_end(tls);
    tls->duct.is_secure = false;
    tls->duct.is_connected = tls->duct.can_read = tls->duct.can_write = true;
    return true;
}

/* True when there is something to tell: it is over, or it failed. */
static bool handshake_go_on(struct tls_duct *tls) {
    for (;;) {
        enum tls_step step = tls_session_handshake(tls->session);
        ssize_t sent = tls_wire_commit(tls);
        if (sent < 0 && step != TLS_STEP_FAILED) {
            broken(tls, (int)sent);
            step = TLS_STEP_FAILED;
        }
        if (step == TLS_STEP_DONE) {
            tls->is_open = true;
            tls->duct.is_connected = tls->duct.can_read = true;
            tls->duct.can_write = tls->out_len == 0 && !tls->duct.is_shut;
            return true;
        }
        if (step == TLS_STEP_FAILED) {
            if (!tls->error)
                broken(tls, -EPROTO);
            tls->duct.can_read = tls->duct.has_end = true;
            return true;
        }
        ssize_t got = tls_wire_fill(tls, TLS_RECORD_MAX);
        if (got == -EAGAIN)
            return false;
        if (got < 0) {
            broken(tls, (int)got);
            tls->duct.can_read = true;
            return true;
        }
    }
}

static bool handshake_tell(struct tls_duct *tls, unsigned what) {
    int error = what & POLLER_ERROR   ? socket_error(tls->duct.ev.fd)
                : what & POLLER_WRITE ? tls_wire_flush(tls)
                                      : 0;
    if (!error && (what & POLLER_ERROR))
        error = -ECONNRESET;
    if (error && error != -EAGAIN) {
        broken(tls, error);
        return tls->duct.can_read = true;
    }
    if (tls_session_is_server(tls->session) && is_plain(tls))
        return true;
    bool is_over = handshake_go_on(tls);
    error = tls_wire_settle(tls);
    if (error)
        broken(tls, error);
    return is_over || error;
}

bool tls_tell(struct tls_duct *tls, unsigned what) {
    struct duct *duct = &tls->duct;
    if (what & (POLLER_READ | POLLER_END | POLLER_ERROR))
        tls->can_read_raw = true;
    if (what & (POLLER_END | POLLER_ERROR))
        duct->has_end = true;
    if (tls->error) {
        duct->can_read = true;
        return true;
    }
    if (!tls->is_open)
        return handshake_tell(tls, what);
    if (what & (POLLER_READ | POLLER_END | POLLER_ERROR))
        duct->can_read = true;
    if ((what & POLLER_WRITE) && tls_wire_flush(tls) == 0) {
        duct->can_write = !duct->is_shut;
        if (tls->is_shut_due) {
            tls->is_shut_due = false;
            socket_shutdown(duct->ev.fd);
        }
    }
    return true;
}

/* ---- reading ---- */

/* Puts bytes before those that are kept already. */
static bool plain_keep(struct tls_duct *tls, struct str bytes) {
    char *grown = mem_alloc(bytes.len + tls->plain_len);
    if (!grown)
        return false;
    memcpy(grown, bytes.ptr, bytes.len);
    if (tls->plain_len)
        memcpy(grown + bytes.len, tls->plain + tls->plain_at, tls->plain_len);
    mem_free(tls->plain);
    tls->plain = grown;
    tls->plain_at = 0;
    tls->plain_len += (uint32_t)bytes.len;
    return true;
}

static size_t plain_take(struct tls_duct *tls, char *bytes, size_t len, bool is_kept) {
    size_t take = tls->plain_len < len ? tls->plain_len : len;
    if (take == 0)
        return 0;
    memcpy(bytes, tls->plain + tls->plain_at, take);
    if (is_kept)
        return take;
    tls_discard(tls, take);
    return take;
}

/* The next record with payload, without OpenSSL; what does not fit `bytes` is kept. */
static enum tls_step record_read(struct tls_duct *tls, char *bytes, size_t len, size_t *got) {
    size_t whole;
    *got = 0;
    while ((whole = tls_wire_record(tls)) > 0) {
        bool fits = whole <= len;
        char *out = fits ? bytes : tls->pool->stage;
        if (whole > TLS_RECORD_MAX)
            return TLS_STEP_FAILED;
        enum tls_step step = tls_record_read(tls->record, str_head(tls->in, whole), out, got);
        tls->in = str_from(tls->in, whole);
        if (step == TLS_STEP_MORE) {
            char update[TLS_RECORD_EXTRA + 8];
            size_t size = tls_record_write_update(tls->record, update);
            if (!size || !tls_wire_append(tls, update, size))
                return TLS_STEP_FAILED;
        } else if (step != TLS_STEP_DONE) {
            return step;
        }
        if (*got && !fits) {
            if (!plain_keep(tls, str_make(out, *got)))
                return TLS_STEP_FAILED;
            *got = plain_take(tls, bytes, len, false);
        }
        if (*got)
            return TLS_STEP_DONE;
    }
    return TLS_STEP_MORE;
}

/* Decrypts what is there and what the socket has, until len bytes are there or nothing more comes. */
static ssize_t records_read(struct tls_duct *tls, char *bytes, size_t len) {
    size_t total = 0;
    while (total < len && !tls->error) {
        size_t got = 0;
        enum tls_step step = tls->record ? record_read(tls, bytes + total, len - total, &got)
                                         : tls_session_read(tls->session, bytes + total, len - total, &got);
        total += got;
        if (step == TLS_STEP_DONE)
            continue;
        if (step == TLS_STEP_FAILED) {
            broken(tls, -EPROTO);
            break;
        }
        if (step == TLS_STEP_ENDED) {
            tls->is_ended = true;
            break;
        }
        size_t wanted = len - total > TLS_RECORD_MAX ? len - total : TLS_RECORD_MAX;
        ssize_t filled = tls_wire_fill(tls, wanted);
        if (filled == -EAGAIN)
            break;
        if (filled < 0)
            broken(tls, (int)filled);
    }
    ssize_t sent = tls_wire_commit(tls); /* an alert, or the answer to a change of keys */
    int error = sent < 0 ? (int)sent : tls_wire_settle(tls);
    if (error == -ENOMEM && !tls->error)
        broken(tls, error);
    return (ssize_t)total;
}

static ssize_t bytes_read(struct tls_duct *tls, char *bytes, size_t len) {
    struct duct *duct = &tls->duct;
    if (!tls->is_open && !tls->error) {
        duct->can_read = false;
        return -EAGAIN;
    }
    size_t total = plain_take(tls, bytes, len, false);
    if (total < len && !tls->error && !tls->is_ended)
        total += (size_t)records_read(tls, bytes + total, len - total);
    if (total) {
        /* More is known to be there, or an end. */
        duct->can_read =
            total == len || tls->plain_len || tls->can_read_raw || tls->is_ended || tls->error || duct->has_end;
        return (ssize_t)total;
    }
    duct->can_read = false;
    if (tls->error || tls->is_ended)
        duct->has_end = true;
    return tls->error ? tls->error : tls->is_ended ? 0 : -EAGAIN;
}

ssize_t tls_recv(struct tls_duct *tls, void *bytes, size_t len) {
    return bytes_read(tls, bytes, len);
}

/* Decrypted bytes cannot go back to the kernel: one record's worth is kept here. */
ssize_t tls_peek(struct tls_duct *tls, void *bytes, size_t len) {
    if (tls->plain_len)
        return (ssize_t)plain_take(tls, bytes, len, true);
    ssize_t got = bytes_read(tls, bytes, len < SSL3_RT_MAX_PLAIN_LENGTH ? len : SSL3_RT_MAX_PLAIN_LENGTH);
    if (got <= 0)
        return got;
    if (!plain_keep(tls, str_make(bytes, (size_t)got)))
        return broken(tls, -ENOMEM);
    tls->duct.can_read = true;
    return got;
}

void tls_discard(struct tls_duct *tls, size_t used) {
    CHECK(used <= tls->plain_len, "%zu of %u bytes discarded", used, tls->plain_len);
    tls->plain_at += (uint32_t)used;
    tls->plain_len -= (uint32_t)used;
    if (tls->plain_len)
        return;
    mem_free(tls->plain);
    tls->plain = NULL;
}

/* ---- writing ---- */

struct cursor {
    const struct iovec *parts;
    int count;
    size_t skip; /* of the first part */
};

static void cursor_skip(struct cursor *at, size_t skip) {
    at->skip += skip;
    while (at->count && at->skip >= at->parts->iov_len) {
        at->skip -= at->parts->iov_len;
        at->parts++;
        at->count--;
    }
}

/* Up to `most` bytes in one piece: where they lie, or put together in the stage. */
static struct str piece_take(struct cursor *at, char *stage, size_t most) {
    size_t staged = 0;
    while (at->count && staged < most) {
        const char *bytes = (const char *)at->parts->iov_base + at->skip;
        size_t left = at->parts->iov_len - at->skip;
        size_t take = left < most - staged ? left : most - staged;
        bool is_whole = staged == 0 && (take == most || at->count == 1);
        cursor_skip(at, take);
        if (is_whole)
            return str_make(bytes, take);
        memcpy(stage + staged, bytes, take);
        staged += take;
    }
    return str_make(stage, staged);
}

struct mark {
    size_t end; /* in the pool's memory */
    uint32_t len;
};

static bool piece_write(struct tls_duct *tls, struct str piece) {
    struct tls_pool *pool = tls->pool;
    if (!tls->record)
        return tls_session_write(tls->session, piece);
    size_t size = tls_record_write(tls->record, piece, pool->out + pool->out_len);
    pool->out_len += size;
    return size > 0;
}

static void end_write(struct tls_duct *tls) {
    char end[TLS_RECORD_EXTRA + 8];
    size_t size = tls->record ? tls_record_write_end(tls->record, end) : 0;
    if (size)
        tls_wire_append(tls, end, size);
    else if (tls->session)
        tls_session_close(tls->session);
}

/* Encrypts as much as one send takes; the payload of what the socket took whole. */
static ssize_t records_write(struct tls_duct *tls, struct cursor *at) {
    struct tls_pool *pool = tls->pool;
    struct mark marks[RECORDS_A_SEND];
    size_t most = tls->session ? tls_session_record_bytes(tls->session) : SSL3_RT_MAX_PLAIN_LENGTH;
    int count = 0;
    while (count < RECORDS_A_SEND && TLS_OUT_BYTES - pool->out_len >= TLS_RECORD_ROOM) {
        struct str piece = piece_take(at, pool->stage, most);
        if (piece.len == 0)
            break;
        if (!piece_write(tls, piece)) {
            pool->out_len = 0;
            return broken(tls, -EPROTO);
        }
        marks[count++] = (struct mark){pool->out_len, (uint32_t)piece.len};
    }
    ssize_t taken = tls_wire_commit(tls);
    if (taken < 0)
        return broken(tls, (int)taken);
    size_t sent = 0;
    for (int i = 0; i < count; i++)
        if (marks[i].end <= (size_t)taken)
            sent += marks[i].len;
        else
            tls->out_told += marks[i].len;
    return (ssize_t)sent;
}

/* What was encrypted and not sent whole counts as not taken: its owner gives it again, and is told of it once
 * the socket has it. So whoever has nothing more to send knows that all is out. */
ssize_t tls_send_vector(struct tls_duct *tls, const struct iovec *parts, int count) {
    struct duct *duct = &tls->duct;
    struct cursor at = {parts, count, 0};
    if (tls->error)
        return tls->error;
    int error = tls->is_open ? tls_wire_flush(tls) : -EAGAIN;
    if (error) {
        duct->can_write = false;
        return error == -EAGAIN ? error : broken(tls, error);
    }
    size_t sent = tls->out_told;
    tls->out_told = 0;
    cursor_skip(&at, sent);
    while (at.count && tls->out_len == 0) {
        ssize_t more = records_write(tls, &at);
        if (more < 0)
            return more;
        sent += (size_t)more;
    }
    if (tls->out_len)
        duct->can_write = false;
    duct->sent_since_look += (unsigned)sent;
    return sent ? (ssize_t)sent : -EAGAIN;
}

ssize_t tls_send_file(struct tls_duct *tls, int file, uint64_t *offset, size_t len) {
    char *bytes = mem_alloc(FILE_BYTES);
    if (!bytes)
        return -ENOMEM;
    ssize_t got = file_read(file, bytes, len < FILE_BYTES ? len : FILE_BYTES, *offset);
    struct iovec part = {bytes, got > 0 ? (size_t)got : 0};
    ssize_t sent = got > 0 ? tls_send_vector(tls, &part, 1) : got;
    mem_free(bytes);
    if (sent > 0)
        *offset += (uint64_t)sent;
    return sent;
}

void tls_shutdown(struct tls_duct *tls) {
    if (!tls->error && tls->is_open) {
        end_write(tls);
        if (tls_wire_commit(tls) < 0)
            broken(tls, -EPIPE);
    }
    if (tls->out_len && !tls->error)
        tls->is_shut_due = true;
    else
        socket_shutdown(tls->duct.ev.fd);
}

void tls_leave(struct tls_duct *tls) {
    /* Who has said its own end and is then closed on would answer ours with a reset. */
    if (tls->error || !tls->is_open || tls->is_ended || tls->duct.is_shut || tls->out_len)
        return;
    end_write(tls);
    if (tls->pool->out_len)
        socket_send(tls->duct.ev.fd, tls->pool->out, tls->pool->out_len);
    tls->pool->out_len = 0;
}

void tls_slim(struct tls_duct *tls) {
    if (!tls->is_open || tls->error || tls->is_ended || !tls->session || tls->in_record)
        return;
    tls->record = tls_record_new(tls->pool->records, tls->session);
    if (!tls->record)
        return;
    tls_session_free(tls->session);
    tls->session = NULL;
}

/* ---- what is asked ---- */

struct str tls_failure(const struct duct *duct) {
    const struct tls_duct *tls = (const struct tls_duct *)(const void *)duct;
    return duct->is_secure && tls->session ? tls_session_failure(tls->session) : STR("");
}

struct ssl_st *tls_ssl(const struct duct *duct) {
    const struct tls_duct *tls = (const struct tls_duct *)(const void *)duct;
    return duct->is_secure && tls->session ? tls_session_ssl(tls->session) : NULL;
}
