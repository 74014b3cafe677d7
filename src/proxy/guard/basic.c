#include "proxy/guard/basic.h"

#include "base/base64.h"
#include "net/file.h"
#include "proxy/guard/password_cache.h"
#include "proxy/variable/variables.h"

#include <errno.h>

enum { CREDENTIALS_MAX = 4096, PATH_MAX_BYTES = 4096, CHALLENGE_MAX = 2048, HASH_MAX = 1024 };

struct credentials {
    struct str user, password;
    char memory[CREDENTIALS_MAX];
};

/* False: the client gives none. */
static bool credentials_read(const struct exchange *x, struct credentials *credentials) {
    struct str text = x->request ? h1_head_value(x->request, H1_AUTHORIZATION) : STR("");
    struct builder out = builder_make(credentials->memory, sizeof credentials->memory);
    if (!str_starts_nocase(text, STR("Basic ")) || !base64_decode(&out, str_trim(str_from(text, 6))))
        return false;
    struct str pair = builder_view(&out);
    size_t colon = str_find_char(pair, ':');
    if (colon == STR_NONE || colon == 0)
        return false;
    credentials->user = str_head(pair, colon);
    credentials->password = str_from(pair, colon + 1);
    return true;
}

void basic_build_user(struct exchange *x, struct builder *out) {
    struct credentials credentials;
    if (credentials_read(x, &credentials))
        builder_str(out, credentials.user);
}

/* ---- the file of users ---- */

struct search {
    struct exchange *x;
    struct str user;
    char hash[HASH_MAX]; /* as it stands in the file, once found */
    size_t hash_len;
    bool is_found;
};

static void line_look(struct search *search, struct str line) {
    if (line.len && line.ptr[0] == '#')
        return;
    size_t colon = str_find_char(line, ':');
    if (colon == STR_NONE || !str_eq(str_head(line, colon), search->user))
        return;
    struct str hash = str_from(line, colon + 1);
    hash = str_head(hash, str_find_char(hash, '\r'));
    hash = str_head(hash, str_find_char(hash, ':'));
    if (hash.len > sizeof search->hash)
        return;
    memcpy(search->hash, hash.ptr, hash.len);
    search->hash_len = hash.len;
    search->is_found = true;
}

/* Looks through the file by what the stage holds of it; a line longer than that is nobody's. */
static ssize_t file_search(struct search *search, int file) {
    char *stage = search->x->engine->stage;
    uint64_t offset = 0;
    while (!search->is_found) {
        ssize_t got = file_read(file, stage, GATHER_STAGE_BYTES, offset);
        if (got <= 0)
            return got;
        struct str rest = str_make(stage, (size_t)got);
        size_t used = 0;
        for (size_t end; !search->is_found && (end = str_find_char(rest, '\n')) != STR_NONE;) {
            line_look(search, str_head(rest, end));
            rest = str_from(rest, end + 1);
            used += end + 1;
        }
        bool is_last = got < GATHER_STAGE_BYTES;
        if (!search->is_found && is_last)
            line_look(search, rest);
        if (is_last)
            return 0;
        offset += used ? used : (size_t)got;
    }
    return 0;
}

static enum guard_verdict refuse(struct exchange *x, unsigned status) {
    x->guarding->status = status;
    return GUARD_REFUSES;
}

static enum guard_verdict file_fail(struct exchange *x, const char *call, const char *path, int error) {
    bool is_absent = error == -ENOENT;
    exchange_log(x, is_absent ? LOG_ERROR : LOG_CRIT, "%s() \"%s\" failed (%d: %s)", call, path, -error,
                 strerrordesc_np(-error));
    return refuse(x, is_absent ? 403 : 500);
}

static bool path_find(struct exchange *x, const struct guard *guard, struct builder *path) {
    template_eval(x, &guard->user_file, path);
    if (path->len == 0 || path->ptr[0] != '/') {
        path->len = 0;
        builder_str(path, guard->user_file_base);
        template_eval(x, &guard->user_file, path);
    }
    builder_char(path, '\0');
    return !path->overflow;
}

/* ---- the check ---- */

/* 401 with what the client is to answer. */
static enum guard_verdict challenge(struct exchange *x, struct str realm) {
    char *memory = arena_alloc(&x->arena, CHALLENGE_MAX);
    struct builder out = builder_make(memory, memory ? CHALLENGE_MAX : 0);
    builder_str(&out, STR("WWW-Authenticate: Basic realm=\""));
    for (size_t i = 0; i < realm.len; i++)
        if ((unsigned char)realm.ptr[i] >= 0x20 && realm.ptr[i] != 0x7f) /* a variable may hold anything */
            builder_char(&out, realm.ptr[i]);
    builder_str(&out, STR("\"\r\n"));
    if (!out.overflow)
        x->guarding->challenge = builder_view(&out);
    return refuse(x, out.overflow ? 500 : 401);
}

static enum guard_verdict user_judge(struct exchange *x, const struct guard *guard, struct str realm,
                                     const struct credentials *credentials) {
    char memory[PATH_MAX_BYTES];
    struct builder path = builder_make(memory, sizeof memory);
    struct file_info info;
    struct search search = {.x = x, .user = credentials->user};
    if (!path_find(x, guard, &path))
        return refuse(x, 500);
    int file = file_open(memory, path.len - 1, &info);
    if (file < 0)
        return file_fail(x, "open", memory, file);
    ssize_t error = info.is_directory ? -EISDIR : file_search(&search, file);
    file_close(file);
    if (error)
        return file_fail(x, "read", memory, (int)error);
    switch (search.is_found
                ? password_cache_ask(x, str_make(search.hash, search.hash_len), credentials->password)
                : PASSWORD_WRONG) {
    case PASSWORD_RIGHT:
        return GUARD_PASSES;
    case PASSWORD_ASKED:
        return GUARD_WAITS;
    case PASSWORD_UNASKED:
        return refuse(x, 503);
    case PASSWORD_WRONG:
        break;
    }
    if (search.is_found)
        exchange_log(x, LOG_ERROR, "user \"%.*s\": password mismatch", STR_ARG(credentials->user));
    else
        exchange_log(x, LOG_ERROR, "user \"%.*s\" was not found in \"%s\"", STR_ARG(credentials->user), memory);
    return challenge(x, realm);
}

enum guard_verdict basic_check(struct exchange *x, const struct guard *guard) {
    struct credentials credentials;
    if (!guard->has_realm || !guard->has_user_file)
        return GUARD_ASIDE;
    if (x->guarding->password)
        return GUARD_WAITS;
    struct str realm = template_eval_copy(x, &guard->realm);
    if (!realm.ptr)
        return refuse(x, 503);
    if (str_eq(realm, STR("off")))
        return GUARD_ASIDE;
    if (credentials_read(x, &credentials))
        return user_judge(x, guard, realm, &credentials);
    exchange_log(x, LOG_INFO, "no user/password was provided for basic authentication");
    return challenge(x, realm);
}
