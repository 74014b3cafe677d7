#include "proxy/answer/files.h"

#include "codec/uri.h"
#include "proxy/answer/file_answer.h"
#include "proxy/answer/file_path.h"
#include "proxy/answer/local.h"
#include "proxy/variable/variables.h"

#include <errno.h>

static void refuse(struct exchange *x, enum why why) {
    x->why = why;
}

static unsigned error_status(int error) {
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ENODEV:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

static void error_log(const struct exchange *x, const struct file_path *path, int error) {
    unsigned status = error_status(error);
    enum log_level level = status == 404 || status == 403 ? LOG_ERROR : LOG_CRIT;
    if (error == -ENODEV)
        exchange_log(x, LOG_CRIT, "\"%s\" is not a regular file", path->text);
    else if (status != 404 || exchange_policy(x)->is_not_found_logged)
        exchange_log(x, level, "open() \"%s\" failed (%d: %s)", path->text, -error, strerrordesc_np(-error));
}

static enum exchange_state fail(struct exchange *x, const struct file_path *path, int error) {
    error_log(x, path, error);
    local_prepare_status(x, error_status(error));
    return STATE_ANSWER;
}

/* A directory asked for without its slash: 301 to where it is, nginx's way. */
static void directory_redirect(struct exchange *x) {
    char *memory = arena_alloc(&x->arena, x->path.len * 3 + x->args.len + 3);
    if (!memory) {
        refuse(x, WHY_NO_MEMORY);
        return;
    }
    struct builder target = builder_make(memory, x->path.len * 3 + x->args.len + 3);
    uri_encode_path(&target, x->path);
    builder_char(&target, '/');
    if (x->args.len) {
        builder_char(&target, '?');
        builder_str(&target, x->args);
    }
    if (target.overflow || !local_prepare_redirect(x, 301, builder_view(&target)))
        refuse(x, WHY_NO_MEMORY);
}

/* ---- index ---- */

/* The directory of x->path, which index files are looked for in: an error when it is none. */
static int directory_verify(const struct file_path *path) {
    struct file_info info;
    int file = file_path_open(path, &info);
    if (file < 0)
        return file;
    file_close(file);
    return info.is_directory ? 0 : -EIO; /* nginx: 500 */
}

/* The index file is asked for in its own name, so that its location serves it. */
static enum exchange_state index_follow(struct exchange *x, struct str name) {
    if (name.len && name.ptr[0] == '/')
        return exchange_redirect(x, name, x->args);
    char *memory = arena_alloc(&x->arena, x->path.len + name.len);
    if (!memory) {
        refuse(x, WHY_NO_MEMORY);
        return STATE_ANSWER;
    }
    struct builder path = builder_make(memory, x->path.len + name.len);
    builder_str(&path, x->path);
    builder_str(&path, name);
    return exchange_redirect(x, builder_view(&path), x->args);
}

static struct str index_name(struct exchange *x, size_t at) {
    const struct policy *policy = exchange_policy(x);
    if (policy->indexes.count == 0)
        return at == 0 ? STR("index.html") : STR("");
    return at < policy->indexes.count ? template_eval_copy(x, &policy->indexes.items[at]) : STR("");
}

static enum exchange_state index_serve(struct exchange *x, struct file_path *path) {
    size_t len = path->out.len;
    bool is_verified = false;
    struct file_info info;
    for (size_t i = 0;; i++) {
        struct str name = index_name(x, i);
        if (name.len == 0 && i >= exchange_policy(x)->indexes.count)
            break;
        if (name.len && name.ptr[0] == '/')
            return index_follow(x, name);
        path->out.len = len;
        int file = file_path_add(path, name) ? file_path_open(path, &info) : -ENAMETOOLONG;
        if (file >= 0) {
            file_close(file);
            return index_follow(x, name);
        }
        if (file != -ENOENT)
            return fail(x, path, file);
        path->out.len = len;
        file_path_add(path, STR(""));
        int error = is_verified ? 0 : directory_verify(path);
        if (error)
            return fail(x, path, error);
        is_verified = true;
    }
    path->out.len = len;
    file_path_add(path, STR(""));
    exchange_log(x, LOG_ERROR, "directory index of \"%s\" is forbidden", path->text);
    local_prepare_status(x, 403);
    return STATE_ANSWER;
}

/* ---- files ---- */

static enum exchange_state file_serve(struct exchange *x, const struct file_path *path) {
    struct file_info info;
    int file = file_path_open(path, &info);
    if (file < 0)
        return fail(x, path, file);
    if (info.is_directory || x->method == H1_POST) {
        file_close(file);
        if (info.is_directory)
            directory_redirect(x);
        else
            local_prepare_status(x, 405);
    } else {
        file_answer_prepare(x, file, &info);
    }
    return STATE_ANSWER;
}

enum exchange_state files_serve(struct exchange *x) {
    struct file_path path;
    if (x->method != H1_GET && x->method != H1_HEAD && x->method != H1_POST) {
        local_prepare_status(x, 405);
        return STATE_ANSWER;
    }
    switch (file_path_build(x, &path)) {
    case FILE_PATH_MADE:
        break;
    case FILE_PATH_TOO_LONG:
        local_prepare_status(x, 404);
        return STATE_ANSWER;
    case FILE_PATH_OUTSIDE:
        exchange_log(x, LOG_ALERT, "\"alias\" cannot be used in location \"%.*s\" where URI was rewritten",
                     STR_ARG(x->route->pattern));
        local_prepare_status(x, 500);
        return STATE_ANSWER;
    }
    bool is_directory_asked = x->path.len && x->path.ptr[x->path.len - 1] == '/';
    return is_directory_asked ? index_serve(x, &path) : file_serve(x, &path);
}
