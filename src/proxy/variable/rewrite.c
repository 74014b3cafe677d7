#include "proxy/variable/rewrite.h"

#include "codec/uri.h"
#include "net/file.h"
#include "proxy/answer/local.h"
#include "proxy/flow/pace.h"
#include "proxy/variable/variables.h"

enum { TEXT_MAX_BYTES = 65536, PATH_MAX_BYTES = 4096 };

struct run {
    struct exchange *x;
    bool logs;     /* rewrite_log */
    bool quotes;   /* groups are percent-encoded: until a rewrite has matched, and in redirects */
    bool is_moved; /* a rewrite has changed the path since the last break */
    enum rewrite_end end;
};

/* ---- texts ---- */

/* nginx encodes groups again only when the client has written a path with escapes in it. */
static bool path_has_escapes(const struct exchange *x) {
    const struct h1_head *request = x->request;
    struct str path = str_make(request->base + request->path_at, request->path_len);
    return str_find_char(path, '%') != STR_NONE || str_find_char(path, '+') != STR_NONE;
}

static void text_build(struct exchange *x, const struct template *template, bool quotes, struct builder *out) {
    for (size_t i = 0; i < template->count; i++) {
        const struct variable *variable = &template->parts[i].variable;
        if (variable->id == VARIABLE_NONE)
            builder_str(out, template->parts[i].text);
        else if (variable->id != VARIABLE_CAPTURE || !quotes)
            variable_eval(x, variable, out);
        else if (variable->index < x->captures.count)
            uri_encode_arg(out, x->captures.groups[variable->index]);
    }
}

/* In the exchange's arena; ptr NULL without memory, or when it is too long to be meant. */
static struct str text_eval(const struct run *run, const struct template *template, bool quotes) {
    struct str text;
    if (template_is_literal(template, &text))
        return text;
    struct builder out = builder_make(run->x->engine->stage, TEXT_MAX_BYTES);
    text_build(run->x, template, quotes && path_has_escapes(run->x), &out);
    return out.overflow ? (struct str){0} : arena_copy(&run->x->arena, builder_view(&out));
}

static bool fail(struct run *run) {
    run->end = REWRITE_FAILED;
    return false;
}

#define say(run, ...) ((run)->logs ? exchange_log((run)->x, LOG_NOTICE, __VA_ARGS__) : (void)0)

/* What has not matched leaves no groups. */
static bool matches(const struct run *run, const struct regex *regex, struct str pattern, struct str subject) {
    bool is_match = exchange_match(run->x, regex, subject);
    if (!is_match)
        run->x->captures.count = 0;
    say(run, "\"%.*s\" %s \"%.*s\"", STR_ARG(pattern), is_match ? "matches" : "does not match",
        STR_ARG(subject));
    return is_match;
}

bool rewrite_set(struct exchange *x, const struct variable *target, struct str text) {
    if (target->id == VARIABLE_SLOT)
        return exchange_set_slot(x, target->index, text);
    if (target->id == VARIABLE_LIMIT_RATE) {
        pace_set(x, text);
        return true;
    }
    x->args = text;
    x->is_uri_changed = true;
    return true;
}

/* ---- operations: each says whether the program goes on ---- */

static bool set_run(struct run *run, const struct operation *operation) {
    struct str text = text_eval(run, &operation->value, run->quotes);
    return (text.ptr && rewrite_set(run->x, &operation->target, text)) || fail(run);
}

static bool file_holds(const struct condition *condition, struct str path) {
    char memory[PATH_MAX_BYTES];
    struct builder name = builder_make(memory, sizeof memory);
    struct file_info info;
    builder_str(&name, path);
    builder_char(&name, '\0');
    if (name.overflow || file_look(memory, &info) < 0)
        return false;
    switch (condition->kind) {
    case CONDITION_FILE:
        return info.is_regular;
    case CONDITION_DIRECTORY:
        return info.is_directory;
    case CONDITION_EXECUTABLE:
        return info.is_executable;
    default:
        return true;
    }
}

static bool condition_holds(struct run *run, const struct condition *condition) {
    bool quotes = condition->kind != CONDITION_VALUE && condition->kind != CONDITION_REGEX && run->quotes;
    struct str subject = text_eval(run, &condition->subject, quotes), value;
    bool holds = false;
    if (!subject.ptr)
        return fail(run);
    switch (condition->kind) {
    case CONDITION_VALUE:
        holds = subject.len && !str_eq(subject, STR("0"));
        break;
    case CONDITION_EQUAL:
        value = text_eval(run, &condition->value, run->quotes);
        if (!value.ptr)
            return fail(run);
        holds = str_eq(subject, value);
        break;
    case CONDITION_REGEX:
        holds = matches(run, condition->regex, condition->pattern, subject);
        break;
    case CONDITION_FILE:
    case CONDITION_DIRECTORY:
    case CONDITION_EXISTS:
    case CONDITION_EXECUTABLE:
        holds = file_holds(condition, subject);
        break;
    }
    return holds != condition->is_negated;
}

static bool redirect(struct run *run, const struct rewrite *rewrite) {
    struct exchange *x = run->x;
    struct str text = text_eval(run, &rewrite->path, true);
    size_t room = text.len + x->args.len + 1;
    char *memory = text.ptr ? arena_alloc(&x->arena, room) : NULL;
    if (!memory)
        return fail(run);
    struct builder out = builder_make(memory, room);
    uri_unescape_redirect(&out, text);
    if (rewrite->keeps_args && x->args.len) {
        builder_char(&out, rewrite->has_args ? '&' : '?');
        builder_str(&out, x->args);
    }
    say(run, "rewritten redirect: \"%.*s\"", STR_ARG(builder_view(&out)));
    if (!local_prepare_redirect(x, rewrite->status, builder_view(&out)))
        return fail(run);
    run->end = REWRITE_ANSWERED;
    return false;
}

static bool args_rewrite(struct run *run, const struct rewrite *rewrite) {
    struct exchange *x = run->x;
    if (!rewrite->has_args) {
        if (!rewrite->keeps_args)
            x->args = STR("");
        return true;
    }
    struct builder out = builder_make(x->engine->stage, TEXT_MAX_BYTES);
    text_build(x, &rewrite->args, path_has_escapes(x), &out);
    if (rewrite->keeps_args && x->args.len) {
        builder_char(&out, '&');
        builder_str(&out, x->args);
    }
    struct str args = out.overflow ? (struct str){0} : arena_copy(&x->arena, builder_view(&out));
    if (!args.ptr)
        return fail(run);
    x->args = args;
    return true;
}

static bool rewrite_one(struct run *run, const struct rewrite *rewrite) {
    struct exchange *x = run->x;
    if (!matches(run, rewrite->regex, rewrite->pattern, x->path))
        return true;
    if (rewrite->status)
        return redirect(run, rewrite);
    x->is_internal = x->is_uri_changed = true;
    run->is_moved = !rewrite->is_break;
    x->is_path_foreign = x->is_path_foreign || rewrite->is_break;
    struct str path = text_eval(run, &rewrite->path, false);
    if (!path.ptr || !args_rewrite(run, rewrite))
        return fail(run);
    x->path = path;
    run->quotes = false;
    say(run, "rewritten data: \"%.*s\", args: \"%.*s\"", STR_ARG(x->path), STR_ARG(x->args));
    if (x->path.len == 0) {
        exchange_log(x, LOG_ERROR, "the rewritten URI has a zero length");
        return fail(run);
    }
    return !rewrite->ends;
}

static bool break_run(struct run *run) {
    run->x->is_path_foreign = run->x->is_path_foreign || run->is_moved;
    run->is_moved = false;
    return false;
}

static bool return_run(struct run *run, const struct local_answer *answer) {
    run->end = local_prepare_return(run->x, answer) ? REWRITE_ANSWERED : REWRITE_CLOSED;
    return false;
}

enum rewrite_end rewrite_run(struct exchange *x, const struct program *program) {
    struct run run = {.x = x, .logs = exchange_policy(x)->logs_rewrites, .quotes = true, .end = REWRITE_STAYS};
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < program->operations.count;) {
        const struct operation *operation = &program->operations.items[i++];
        switch (operation->kind) {
        case OPERATION_SET:
            goes_on = set_run(&run, operation);
            break;
        case OPERATION_IF:
            if (!condition_holds(&run, &operation->condition))
                i = operation->end;
            else if (operation->route)
                x->route = operation->route;
            goes_on = run.end != REWRITE_FAILED;
            break;
        case OPERATION_REWRITE:
            goes_on = rewrite_one(&run, &operation->rewrite);
            break;
        case OPERATION_RETURN:
            goes_on = return_run(&run, &operation->answer);
            break;
        case OPERATION_BREAK:
            goes_on = break_run(&run);
            break;
        }
    }
    return run.end == REWRITE_STAYS && run.is_moved ? REWRITE_MOVES : run.end;
}
