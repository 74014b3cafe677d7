#ifndef MODEL_PRINT_PUT_H
#define MODEL_PRINT_PUT_H

#include "base/builder.h"
#include "base/map.h"
#include "model/template.h"

/* What the canonical text is put together from. */

/* The indentation of a line. */
void put_indent(struct builder *out, unsigned depth);
/* A template, in quotes. */
void put_template(struct builder *out, const struct template *t);
/* A line "WHAT VALUE", when the value is not the usual one. */
void put_number(struct builder *out, unsigned depth, const char *what, uint64_t value, uint64_t usual);

/* A table's entries sorted by key, up to `room` of them; their number. */
struct put_entry {
    struct str key;
    const void *value;
};
enum { PUT_ENTRIES_MAX = 512 }; /* of one table; a golden text has fewer */
size_t put_sort(const struct map *map, struct put_entry *entries, size_t room);

#endif
