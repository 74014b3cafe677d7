#include "base/gzip.h"

#include "base/mem.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

enum {
    WINDOW_LEAST_BITS = 9,   /* zlib knows no smaller one for gzip */
    WINDOW_FREE_BYTES = 262, /* of a window, what zlib keeps free for the longest match */
    MEMORY_LEVEL_USUAL = 8,
    GZIP_WRAPPER = 16, /* added to the window's bits: gzip's head and tail instead of zlib's */
};

static void *take(void *context, unsigned count, unsigned size) {
    (void)context;
    return mem_zero(count, size);
}

static void drop(void *context, void *memory) {
    (void)context;
    mem_free(memory);
}

/* As small a window as sees all of `len` bytes: zlib's usual one takes 256 KiB. */
static bool stream_begin(z_stream *stream, size_t len, int level) {
    int bits = WINDOW_LEAST_BITS;
    while (bits < MAX_WBITS && ((size_t)1 << bits) - WINDOW_FREE_BYTES < len)
        bits++;
    return deflateInit2(stream, level, Z_DEFLATED, bits + GZIP_WRAPPER, MEMORY_LEVEL_USUAL - (MAX_WBITS - bits),
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

char *gzip_pack(struct str bytes, int level, size_t *len) {
    z_stream stream = {.zalloc = take, .zfree = drop};
    char *packed = NULL;
    if (bytes.len > UINT_MAX / 2 || !stream_begin(&stream, bytes.len, level))
        return NULL;
    size_t room = deflateBound(&stream, bytes.len);
    stream.next_in = (Bytef *)(uintptr_t)bytes.ptr;
    stream.avail_in = (unsigned)bytes.len;
    stream.avail_out = (unsigned)room;
    if ((packed = mem_alloc(room))) {
        stream.next_out = (Bytef *)packed;
        if (deflate(&stream, Z_FINISH) == Z_STREAM_END) {
            *len = room - stream.avail_out;
        } else {
            mem_free(packed);
            packed = NULL;
        }
    }
    deflateEnd(&stream);
    return packed;
}
