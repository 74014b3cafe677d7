#include "proxy/flow/spool.h"

#include "base/mem.h"
#include "loop/random.h"
#include "net/file.h"

#include <errno.h>
#include <limits.h>

enum { ROOM_LEAST = 4096, NAMES_TRIED = 16 };

void spool_init(struct spool *spool, const struct spool_limits *limits, size_t *total) {
    *spool = (struct spool){.limits = *limits, .total = total, .file = -1};
}

static void memory_drop(struct spool *spool) {
    *spool->total -= spool->room;
    mem_free(spool->memory);
    spool->memory = NULL;
    spool->room = 0;
}

void spool_fini(struct spool *spool) {
    memory_drop(spool);
    if (spool->file >= 0)
        file_close(spool->file);
    spool->file = -1;
    spool->at = spool->len = 0;
}

bool spool_has_room(const struct spool *spool) {
    if (spool->file >= 0)
        return spool->len < spool->limits.file_bytes;
    uint64_t left = spool_left(spool);
    return left < spool->limits.memory_bytes || left < spool->limits.file_bytes;
}

/* A stream's sent bytes make room. */
static void memory_shift(struct spool *spool) {
    if (!spool->limits.is_stream || spool->at == 0)
        return;
    spool->len -= spool->at;
    memmove(spool->memory, spool->memory + spool->at, (size_t)spool->len);
    spool->at = 0;
}

static bool memory_grow(struct spool *spool, size_t more) {
    size_t room = spool->room ? spool->room * 2 : ROOM_LEAST;
    size_t wanted = (size_t)spool->len + more;
    if (room > spool->limits.memory_bytes)
        room = spool->limits.memory_bytes;
    if (room < wanted)
        room = wanted;
    char *grown = mem_alloc(room);
    if (!grown)
        return false;
    if (spool->len)
        memcpy(grown, spool->memory, (size_t)spool->len);
    memory_drop(spool);
    spool->memory = grown;
    spool->room = room;
    *spool->total += room;
    return true;
}

static int memory_add(struct spool *spool, const struct iovec *parts, int count, size_t more) {
    if (more > spool->room - (size_t)spool->len && !memory_grow(spool, more))
        return -ENOMEM;
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len)
            memcpy(spool->memory + spool->len, parts[i].iov_base, parts[i].iov_len);
        spool->len += parts[i].iov_len;
    }
    return 0;
}

static int file_add(struct spool *spool, const struct iovec *parts, int count) {
    for (int i = 0; i < count; i++)
        for (size_t done = 0; done < parts[i].iov_len;) {
            const char *from = (const char *)parts[i].iov_base + done;
            ssize_t put = file_write(spool->file, from, parts[i].iov_len - done, spool->len);
            if (put <= 0)
                return put ? (int)put : -ENOSPC;
            done += (size_t)put;
            spool->len += (uint64_t)put;
        }
    return 0;
}

static int directory_text(const struct temp_path *path, char memory[PATH_MAX]) {
    struct builder out = builder_make(memory, PATH_MAX);
    builder_str(&out, path->directory);
    builder_char(&out, '\0');
    return out.overflow ? -ENAMETOOLONG : 0;
}

/* What is in memory goes to the file. */
static int file_take(struct spool *spool, int file) {
    struct iovec part = {spool->memory + spool->at, (size_t)spool_left(spool)};
    spool->file = file;
    spool->at = spool->len = 0;
    int error = part.iov_len ? file_add(spool, &part, 1) : 0;
    memory_drop(spool);
    return error;
}

static int file_open_unnamed(struct spool *spool) {
    char directory[PATH_MAX];
    int error = directory_text(spool->limits.path, directory);
    int file = error ? error : file_temp(directory);
    return file < 0 ? file : file_take(spool, file);
}

int spool_open_named(struct spool *spool, struct arena *arena) {
    const struct temp_path *path = spool->limits.path;
    char directory[PATH_MAX], name[PATH_MAX];
    int file = directory_text(path, directory);
    for (unsigned i = 0; file == 0 && i < NAMES_TRIED; i++) {
        uint64_t number;
        random_fill(&number, sizeof number);
        file = file_temp_named(directory, path->levels, number % 10000000000, name, sizeof name);
        if (file == -EEXIST)
            file = 0;
    }
    if (file <= 0)
        return file ? file : -EEXIST;
    struct str copy = arena_copy(arena, str_make(name, strlen(name) + 1));
    if (!copy.ptr) {
        file_remove(name);
        file_close(file);
        return -ENOMEM;
    }
    spool->name = (char *)(uintptr_t)copy.ptr;
    return file_take(spool, file);
}

int spool_add(struct spool *spool, const struct iovec *parts, int count) {
    size_t more = 0;
    for (int i = 0; i < count; i++)
        more += parts[i].iov_len;
    if (spool->file < 0 && more > spool->room - (size_t)spool->len)
        memory_shift(spool);
    if (spool->file < 0 && spool->len + more > spool->limits.memory_bytes && spool->limits.file_bytes) {
        int error = file_open_unnamed(spool);
        if (error)
            return error;
    }
    return spool->file < 0 ? memory_add(spool, parts, count, more) : file_add(spool, parts, count);
}

struct str spool_text(const struct spool *spool) {
    return spool->file < 0 && spool->len ? str_make(spool->memory, (size_t)spool->len) : STR("");
}

ssize_t spool_send(struct spool *spool, struct duct *duct, uint64_t most) {
    uint64_t left = spool_left(spool);
    size_t len = (size_t)(left < most ? left : most);
    if (spool->file >= 0) {
        ssize_t sent = duct_send_file(duct, spool->file, &spool->at, len);
        return sent == 0 && len ? -EIO : sent; /* it is ours: nobody makes it shorter */
    }
    ssize_t sent = duct_send(duct, spool->memory + spool->at, len);
    if (sent > 0)
        spool->at += (uint64_t)sent;
    return sent;
}

void spool_rewind(struct spool *spool) {
    spool->at = 0;
}

void spool_shift(struct spool *spool) {
    if (spool_left(spool) || spool->len == 0)
        return;
    if (spool->file >= 0)
        file_truncate(spool->file, 0);
    else
        memory_drop(spool);
    spool->at = spool->len = 0;
}
