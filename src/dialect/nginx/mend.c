#include "dialect/nginx/mend.h"

#include "dialect/endpoint.h"

static const struct node *pass_find(const struct node *node) {
    if (str_eq(node_name(node), STR("proxy_pass")))
        return node->count == 2 && str_find(node->words[1].text, STR("://")) == STR_NONE ? node : NULL;
    for (const struct node *at = str_eq(node_name(node), STR("server")) ? node->first : NULL; at; at = at->next)
        if (str_eq(node_name(at), STR("proxy_pass")))
            return pass_find(at);
    return NULL;
}

bool mend_is_stream_form(const struct node *node) {
    return pass_find(node) != NULL;
}

static void word_build(struct builder *out, const struct word *word) {
    const char *quote = word->is_quoted ? "\"" : "";
    builder_format(out, "%s%.*s%s", quote, STR_ARG(word->text), quote);
}

static void indent(struct builder *out, unsigned depth) {
    builder_format(out, "%*s", (int)depth * 2, "");
}

static void line_build(struct builder *out, const struct node *node, unsigned depth) {
    indent(out, depth);
    for (size_t i = 0; i < node->count; i++) {
        builder_str(out, i ? STR(" ") : STR(""));
        word_build(out, &node->words[i]);
    }
    builder_str(out, node->is_block ? STR(" { ... }\n") : STR(";\n"));
}

static void block_build(struct builder *out, const char *head, struct str name, const struct node *block) {
    indent(out, 1);
    builder_format(out, "%s%s%.*s {\n", head, name.len ? " " : "", STR_ARG(name));
    for (const struct node *at = block->first; at; at = at->next)
        line_build(out, at, 2);
    indent(out, 1);
    builder_str(out, STR("}\n"));
}

void mend_build_stream(struct builder *out, const struct node *server) {
    struct str name = pass_find(server)->words[1].text;
    builder_str(out, STR("stream {\n"));
    for (const struct node *at = server->parent->first; at; at = at->next)
        if (at->is_block && at->count == 2 && str_eq(at->words[1].text, name))
            block_build(out, "upstream", name, at);
    block_build(out, "server", STR(""), server);
    builder_str(out, STR("}"));
}

bool mend_server(struct reader *reader, struct node *node) {
    struct endpoint endpoint;
    const char *problem;
    struct str name = node_name(node);
    if (node->is_block || !endpoint_parse(name, &endpoint, &problem) ||
        (!endpoint.is_unix && endpoint.port == 0))
        return false;
    struct word *words = arena_zero(&reader->scratch, node->count + 1, sizeof *words);
    if (!words)
        return reader_starve(reader);
    words[0] = node->words[0];
    words[0].text = STR("server");
    for (size_t i = 0; i < node->count; i++)
        words[i + 1] = node->words[i];
    struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, &node->words[0],
                                         "\"server\" is missing before \"%.*s\"", STR_ARG(name));
    diagnostic_hint(reader->diagnostics, said, "read as: server %.*s;", STR_ARG(name));
    node->words = words;
    node->count++;
    return true;
}
