#ifndef PROXY_FLOW_SPOOL_H
#define PROXY_FLOW_SPOOL_H

#include "model/pass.h"
#include "net/duct.h"

/* Bytes kept until they are sent: in memory while they are few, all of them in a temporary file once they are
 * more. What was sent may be sent again (spool_rewind), or given up (spool_shift) so that a stream through it
 * needs room for what is left alone. */

struct spool_limits {
    size_t memory_bytes;
    uint64_t file_bytes; /* 0: no file is used, and what is beyond memory_bytes finds no room */
    const struct temp_path *path;
    bool is_stream; /* what was sent is not asked for again */
};

struct spool {
    struct spool_limits limits;
    size_t *total; /* sum of all bytes kept by the engine */
    char *memory;
    size_t room;
    int file;         /* -1: none */
    uint64_t at, len; /* sent of what is kept, and kept: in memory, or in the file when there is one */
    char
        *name; /* the file's, NUL-terminated, in the arena that spool_open_named was given; NULL: it has none */
};

void spool_init(struct spool *spool, const struct spool_limits *limits, size_t *total);
void spool_fini(struct spool *spool);

/* Bytes that are not sent yet. */
static inline uint64_t spool_left(const struct spool *spool) {
    return spool->len - spool->at;
}

/* Whether more may be added. A piece that is added may pass the limit, for it is there already. */
bool spool_has_room(const struct spool *spool);
/* Keeps the parts. 0, -ENOMEM, or what the file system says. */
int spool_add(struct spool *spool, const struct iovec *parts, int count);
/* Makes the file, with a name, though memory would do. The name is as nginx's, and random; it is in the arena.
 */
int spool_open_named(struct spool *spool, struct arena *arena);
/* All bytes that are kept, sent or not, when they are in memory; empty when they are in a file. */
struct str spool_text(const struct spool *spool);
/* Sends at most `most` bytes to the duct. As duct_send. */
ssize_t spool_send(struct spool *spool, struct duct *duct, uint64_t most);
/* All is to be sent once more. */
void spool_rewind(struct spool *spool);
/* Of a stream: begins anew at the front once nothing is left. */
void spool_shift(struct spool *spool);

#endif
