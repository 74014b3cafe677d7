#include "proxy/flow/outbox.h"

#include "base/mem.h"

#include <errno.h>

static int held_append(struct outbox *outbox, const struct iovec *parts, int count) {
    size_t more = 0;
    for (int i = 0; i < count; i++)
        more += parts[i].iov_len;
    if (more == 0)
        return 0;
    if (more > UINT32_MAX / 2 - outbox->len)
        return -ENOMEM;
    char *grown = mem_alloc(outbox->len + more);
    if (!grown)
        return -ENOMEM;
    size_t filled = outbox->len;
    if (filled)
        memcpy(grown, outbox->held + outbox->at, filled);
    for (int i = 0; i < count; i++) {
        memcpy(grown + filled, parts[i].iov_base, parts[i].iov_len);
        filled += parts[i].iov_len;
    }
    mem_free(outbox->held);
    outbox->held = grown;
    outbox->at = 0;
    outbox->len = (uint32_t)filled;
    *outbox->total += more;
    return 0;
}

int outbox_send(struct outbox *outbox, struct iovec *parts, int count) {
    ssize_t sent = 0;
    if (outbox->len == 0 && outbox->duct->can_write) {
        sent = count == 1 ? duct_send(outbox->duct, parts->iov_base, parts->iov_len)
                          : duct_send_vector(outbox->duct, parts, count);
        if (sent == -EAGAIN)
            sent = 0;
        if (sent < 0)
            return (int)sent;
    }
    if (outbox->meter)
        counter_add(outbox->meter, (uint64_t)sent);
    size_t skip = (size_t)sent;
    while (count && skip >= parts->iov_len) {
        skip -= parts->iov_len;
        parts++;
        count--;
    }
    if (count == 0)
        return 0;
    parts->iov_base = (char *)parts->iov_base + skip;
    parts->iov_len -= skip;
    return held_append(outbox, parts, count);
}

int outbox_flush(struct outbox *outbox) {
    while (outbox->len && outbox->duct->can_write) {
        ssize_t sent = duct_send(outbox->duct, outbox->held + outbox->at, outbox->len);
        if (sent == -EAGAIN)
            return 0;
        if (sent < 0)
            return (int)sent;
        outbox->at += (uint32_t)sent;
        outbox->len -= (uint32_t)sent;
        *outbox->total -= (size_t)sent;
        if (outbox->meter)
            counter_add(outbox->meter, (uint64_t)sent);
    }
    if (outbox->len == 0 && outbox->held) {
        mem_free(outbox->held);
        outbox->held = NULL;
    }
    return 0;
}

void outbox_fini(struct outbox *outbox) {
    *outbox->total -= outbox->len;
    mem_free(outbox->held);
    outbox->held = NULL;
    outbox->len = 0;
}
