#include "model/print/rewrite_print.h"

#include "model/print/put.h"

/* What a program does, an operation a line. */

static void put_pattern(struct builder *out, struct str pattern) {
    builder_str(out, STR(" \""));
    builder_escaped(out, pattern);
    builder_char(out, '"');
}

static void put_condition(struct builder *out, const struct condition *condition) {
    static const char *const names[] = {"",           "equal ",  "regex ",     "file ",
                                        "directory ", "exists ", "executable "};
    builder_format(out, "if %s%s", condition->is_negated ? "not " : "", names[condition->kind]);
    put_template(out, &condition->subject);
    if (condition->kind == CONDITION_REGEX) {
        put_pattern(out, condition->pattern);
    } else if (condition->kind == CONDITION_EQUAL) {
        builder_char(out, ' ');
        put_template(out, &condition->value);
    }
}

static void put_rewrite(struct builder *out, const struct rewrite *rewrite) {
    builder_str(out, STR("rewrite"));
    put_pattern(out, rewrite->pattern);
    builder_char(out, ' ');
    if (rewrite->status)
        builder_format(out, "%u ", rewrite->status);
    put_template(out, &rewrite->path);
    if (rewrite->has_args && !rewrite->status) {
        builder_str(out, STR(" args "));
        put_template(out, &rewrite->args);
    }
    builder_format(out, "%s%s%s", rewrite->keeps_args ? "" : " alone",
                   rewrite->ends && !rewrite->is_break && !rewrite->status ? " last" : "",
                   rewrite->is_break ? " break" : "");
}

void rewrite_print_operation(struct builder *out, const struct operation *operation) {
    switch (operation->kind) {
    case OPERATION_SET:
        builder_format(out, "set %.*s ", STR_ARG(operation->target.name));
        put_template(out, &operation->value);
        break;
    case OPERATION_IF:
        put_condition(out, &operation->condition);
        builder_format(out, " else %zu", operation->end + 1);
        break;
    case OPERATION_REWRITE:
        put_rewrite(out, &operation->rewrite);
        break;
    case OPERATION_RETURN:
        builder_format(out, "return %u ", operation->answer.status);
        put_template(out, &operation->answer.text);
        break;
    case OPERATION_BREAK:
        builder_str(out, STR("break"));
        break;
    }
    builder_char(out, '\n');
}
