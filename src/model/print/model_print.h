#ifndef MODEL_PRINT_MODEL_PRINT_H
#define MODEL_PRINT_MODEL_PRINT_H

#include "base/builder.h"
#include "model/pass.h"
#include "model/rewrite.h"
#include "model/upstream.h"
#include "model/value_map.h"

/* The canonical text's parts; model_print is in model.h. */

/* The indentation of a line. */
void model_print_indent(struct builder *out, unsigned depth);
/* A template, in quotes. */
void model_print_template(struct builder *out, const struct template *t);
/* A line "WHAT VALUE", when the value is not the usual one. */
void model_print_number(struct builder *out, unsigned depth, const char *what, uint64_t value, uint64_t usual);
/* The lines of what differs from `usual`. */
void pass_print_rates(struct builder *out, unsigned depth, const struct template *rate,
                      const struct template *after);
void pass_print_body(struct builder *out, unsigned depth, const struct body_policy *body,
                     const struct body_policy *usual);
void pass_print_policy(struct builder *out, unsigned depth, const struct proxy_policy *policy,
                       const struct proxy_policy *usual);
/* A line: the name servers, and how long they are waited for. */
void upstream_print_resolver(struct builder *out, unsigned depth, const struct resolver *resolver,
                             uint64_t timeout_ms);
/* The lines of an upstream. */
void upstream_print(struct builder *out, const struct upstream *upstream);
/* What an operation of a program does, and the line's end. */
void rewrite_print_operation(struct builder *out, const struct operation *operation);
/* A table's entries sorted by key, up to `room` of them; their number. */
struct model_entry {
    struct str key;
    const void *value;
};
enum { MODEL_ENTRIES_MAX = 512 }; /* of one table; a golden text has fewer */
size_t model_print_sort(const struct map *map, struct model_entry *entries, size_t room);
/* A map, split_clients or geo block. */
void value_map_print(struct builder *out, const struct value_map *map);

#endif
