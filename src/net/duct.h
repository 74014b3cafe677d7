#ifndef NET_DUCT_H
#define NET_DUCT_H

#include "net/duct_state.h"
#include "net/socket.h"

/* A byte stream to one other side: TCP or a unix socket, with or without TLS. Belongs to one loop and has one
 * owner at a time, whom it tells of events; owners change (front or back, then tunnel; back, then idle pool)
 * while the duct stays. */

/* Ducts of one loop. */
struct duct_pool;
struct duct_pool *duct_pool_new(struct loop *loop);
void duct_pool_free(struct duct_pool *pool);
/* Gives back the memory of ducts that are no more, as slab_trim does. */
void duct_pool_trim(struct duct_pool *pool);

/* Takes over an open socket and watches it. NULL on our own shortage, and then the socket is closed. */
struct duct *duct_new(struct duct_pool *pool, int fd, duct_ready *ready, void *owner);

struct tls_start;
/* The same, with TLS: can_read and can_write stay false until the handshake is over. If it fails, has_end and
 * can_read are true and duct_error tells. */
struct duct *duct_new_secure(struct duct_pool *pool, int fd, duct_ready *ready, void *owner,
                             const struct tls_start *start);

/* A plain one that TLS may begin on later, with duct_secure. */
struct duct *duct_new_wide(struct duct_pool *pool, int fd, duct_ready *ready, void *owner);
/* TLS begins on a wide duct, with whatever comes next. False without memory: the duct is to be closed. */
bool duct_secure(struct duct *duct, const struct tls_start *start);

static inline void duct_own(struct duct *duct, duct_ready *ready, void *owner) {
    duct->ready = ready;
    duct->owner = owner;
}

/* Up to len bytes. 0: the other side has ended; can_read is false, has_end true. -EAGAIN: nothing now; can_read
 * is false. Other negative errno: broken, has_end is true. A read shorter than len means that nothing more is
 * there: can_read becomes false unless an end is known to be coming. */
ssize_t duct_recv(struct duct *duct, void *bytes, size_t len);
/* May take less than len, then can_write is false. -EAGAIN: nothing taken. What was not taken is given again,
 * the same bytes: with TLS they may be encrypted already. */
ssize_t duct_send(struct duct *duct, const void *bytes, size_t len);
ssize_t duct_send_vector(struct duct *duct, const struct iovec *parts, int count);
/* The same from a file, from *offset on, which moves. can_write is cleared by -EAGAIN alone, for fewer bytes
 * than len, or 0, may also mean that the file has become shorter. */
ssize_t duct_send_file(struct duct *duct, int file, uint64_t *offset, size_t len);
/* As duct_recv, but the bytes stay where they are until duct_discard takes `used` of the `seen` ones away,
 * which knows whether more may be there: only then can_read becomes false. */
ssize_t duct_peek(struct duct *duct, void *bytes, size_t len);
void duct_discard(struct duct *duct, size_t used, size_t seen);
/* Bytes sent that the other side has not acknowledged. */
size_t duct_backlog(const struct duct *duct);
/* A tunnel's from now on: gives back what only a handshake needs. What is known of it (tls_ssl) is gone then.
 */
void duct_slim(struct duct *duct);
/* What broke it: a negative errno, -EPROTO for TLS; 0 when nothing did. Asked once has_end is true. */
int duct_error(struct duct *duct);
/* FIN, behind close_notify with TLS; later sends are bugs, and can_write stays false. Allowed twice. */
void duct_shutdown(struct duct *duct);
/* Closes, and frees at the end of the turn. NULL is allowed. */
void duct_close(struct duct *duct);
/* The same with RST. */
void duct_reset(struct duct *duct);

#endif
