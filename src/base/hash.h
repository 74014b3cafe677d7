#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

/* A 64-bit hash of s for tables in memory, keyed by `seed`: not for anything that is stored or sent. */
uint64_t hash_str(struct str s, uint64_t seed);
/* The same with ASCII letters folded to lower case. */
uint64_t hash_str_nocase(struct str s, uint64_t seed);
/* MurmurHash2 of 32 bits with the length as part of its start, as nginx's split_clients uses it: always the
 * same. */
uint32_t hash_murmur2(struct str s);

#endif
