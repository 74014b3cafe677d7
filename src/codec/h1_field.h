#ifndef CODEC_H1_FIELD_H
#define CODEC_H1_FIELD_H

#include "base/str.h"

/* One field of a head: which it is, and where its name and value stand. */

/* Field names the engine knows, found while parsing. h1_field.def: H1_FIELD(ID, "lower-case-name"). */
enum h1_field_id {
    H1_OTHER,
#define H1_FIELD(id, name) H1_##id,
#include "codec/h1_field.def"
#undef H1_FIELD
    H1_FIELD_IDS
};
_Static_assert(H1_FIELD_IDS <= 64, "head.seen has a bit an id");

/* The bit of an id in head.seen. */
#define H1_BIT(id) (UINT64_C(1) << (id))

struct h1_field {
    uint32_t name_at, value_at, value_len; /* the value is without surrounding OWS */
    uint16_t name_len;
    uint8_t id;   /* enum h1_field_id */
    uint8_t next; /* index + 1 of the next field with the same id (not for H1_OTHER); 0: none */
};

/* The id of a field name, in any letter case. */
enum h1_field_id h1_field_find(struct str name);
/* The id of a name that is known to be a token. */
enum h1_field_id h1_known_find(const char *name, size_t len);

#endif
