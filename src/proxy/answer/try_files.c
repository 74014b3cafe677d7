#include "proxy/answer/try_files.h"

#include "proxy/answer/file_path.h"
#include "proxy/answer/local.h"
#include "proxy/variable/variables.h"

#include <errno.h>

/* The name beneath root, or behind alias: what stood for the location is not written twice. */
static struct str name_behind_alias(const struct exchange *x, const struct template *name, struct str text) {
    const struct policy *policy = exchange_policy(x);
    struct str literal, head = str_head(x->path, policy->alias_len);
    if (policy->alias_len && policy->alias_len != POLICY_ALIAS_WHOLE && !template_is_literal(name, &literal) &&
        str_starts(text, head))
        return str_from(text, policy->alias_len);
    return text;
}

static bool exists(struct exchange *x, const struct file_path *path, bool is_directory) {
    struct file_info info;
    int file = file_path_open(path, &info);
    if (file >= 0) {
        file_close(file);
        return info.is_directory == is_directory;
    }
    if (file != -ENOENT && file != -ENOTDIR && file != -ENAMETOOLONG)
        exchange_log(x, LOG_CRIT, "open() \"%s\" failed (%d: %s)", path->text, -file, strerrordesc_np(-file));
    return false;
}

/* The path becomes that of what was found. False without memory. */
static bool path_take(struct exchange *x, const struct file_path *path, bool is_directory) {
    size_t alias_len = exchange_policy(x)->alias_len;
    struct str found = str_from(builder_view(&path->out), path->base_len);
    if (alias_len == POLICY_ALIAS_WHOLE) {
        if (is_directory)
            return true;
        x->adds_path = true;
        alias_len = 0;
    }
    char *memory = arena_alloc(&x->arena, alias_len + found.len + 1);
    if (!memory)
        return false;
    struct builder out = builder_make(memory, alias_len + found.len + 1);
    builder_str(&out, str_head(x->path, alias_len));
    builder_str(&out, found);
    x->path = builder_view(&out);
    return true;
}

static enum exchange_state refuse(struct exchange *x, unsigned status) {
    local_prepare_status(x, status);
    return STATE_ANSWER;
}

/* The last argument is not looked for: it is where to go. */
static enum exchange_state last_follow(struct exchange *x, const struct try_files *tries) {
    if (tries->status)
        return refuse(x, tries->status);
    struct str target = template_eval_copy(x, &tries->names.items[tries->names.count - 1].name);
    if (!target.ptr || target.len == 0)
        return refuse(x, 500);
    if (target.ptr[0] == '@')
        return exchange_redirect_to(x, target);
    size_t at = str_find_char(target, '?');
    return exchange_redirect(x, str_head(target, at), at == STR_NONE ? STR("") : str_from(target, at + 1));
}

bool try_files_run(struct exchange *x, enum exchange_state *next) {
    const struct try_files *tries = x->route->tries;
    size_t last = tries->names.count - (tries->status ? 0 : 1);
    for (size_t i = 0; i < last; i++) {
        const struct try_name *name = &tries->names.items[i];
        struct file_path path;
        struct str text = template_eval_copy(x, &name->name);
        file_path_begin(x, &path);
        if (!text.ptr || !file_path_add(&path, name_behind_alias(x, &name->name, text)) ||
            !exists(x, &path, name->is_directory))
            continue;
        if (path_take(x, &path, name->is_directory))
            return false;
        *next = refuse(x, 503);
        return true;
    }
    *next = last_follow(x, tries);
    return true;
}
