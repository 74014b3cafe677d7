#include "proxy/answer/file_path.h"

#include "proxy/variable/variables.h"

#include <errno.h>

/* What variables give may come of the request, and of that no segment may lead upwards; unless the
 * configuration itself goes upwards behind a variable. */
static size_t trusted_find(const struct template *root, size_t len) {
    struct str text;
    if (template_is_literal(root, &text))
        return len;
    for (size_t i = 1; i < root->count; i++)
        if (root->parts[i].variable.id == VARIABLE_NONE && str_find(root->parts[i].text, STR("..")) != STR_NONE)
            return len;
    return root->parts[0].variable.id == VARIABLE_NONE ? root->parts[0].text.len : 0;
}

void file_path_begin(struct exchange *x, struct file_path *path) {
    const struct policy *policy = exchange_policy(x);
    path->out = builder_make(path->text, sizeof path->text);
    template_eval(x, &policy->root, &path->out);
    path->base_len = path->out.len;
    path->trusted = trusted_find(&policy->root, path->base_len);
}

bool file_path_add(struct file_path *path, struct str text) {
    builder_str(&path->out, text);
    if (path->out.overflow || path->out.len == path->out.capacity)
        return false;
    path->text[path->out.len] = '\0';
    return true;
}

enum file_path_verdict file_path_build(struct exchange *x, struct file_path *path) {
    const struct policy *policy = exchange_policy(x);
    struct str rest = x->path;
    if (policy->alias_len && x->is_path_foreign)
        return FILE_PATH_OUTSIDE;
    if (policy->alias_len == POLICY_ALIAS_WHOLE)
        rest = x->adds_path ? x->path : STR("");
    else if (policy->alias_len > x->path.len)
        return FILE_PATH_OUTSIDE;
    else
        rest = str_from(x->path, policy->alias_len);
    file_path_begin(x, path);
    return file_path_add(path, rest) ? FILE_PATH_MADE : FILE_PATH_TOO_LONG;
}

int file_path_open(const struct file_path *path, struct file_info *info) {
    return path->out.overflow ? -ENAMETOOLONG : file_open(path->text, path->trusted, info);
}
