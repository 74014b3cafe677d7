#include "net/why.h"

#include <errno.h>
#include <stddef.h>

/* The names in lower case, made by the compiler from those in the table. */
#define FOLD(c) ((c) >= 'A' && (c) <= 'Z' ? (c) | 0x20 : (c))
#define AT(name, i) ((i) < sizeof #name ? (char)FOLD(#name[(i) < sizeof #name ? (i) : 0]) : '\0')
#define FOUR(name, i) AT(name, i), AT(name, i + 1), AT(name, i + 2), AT(name, i + 3)

enum { NAME_BYTES = 24 };

static const char names[WHY_COUNT][NAME_BYTES] = {
    [WHY_NONE] = "none",
#define WHY(name, owner, http, close, text) \
    [WHY_##                                 \
        name] = {FOUR(name, 0), FOUR(name, 4), FOUR(name, 8), FOUR(name, 12), FOUR(name, 16), FOUR(name, 20)},
#include "net/why.def"
#undef WHY
};

#define WHY(name, owner, http, close, text) \
    _Static_assert(sizeof #name <= NAME_BYTES, #name " is too long a name");
#include "net/why.def"
#undef WHY

static const struct why_info table[WHY_COUNT] = {
    [WHY_NONE] = {names[WHY_NONE], "has not ended", WHY_OWNER_NONE, 0, 0},
#define WHY(name, owner, http, close, text) \
    [WHY_##name] = {names[WHY_##name], text, WHY_OWNER_##owner, http, close},
#include "net/why.def"
#undef WHY
};

const struct why_info *why_info(enum why why) {
    return &table[(unsigned)why < WHY_COUNT ? why : WHY_INTERNAL];
}

enum why why_of_connect_error(int error) {
    switch (-error) {
    case ECONNREFUSED:
        return WHY_CONNECT_REFUSED;
    case ETIMEDOUT:
        return WHY_CONNECT_TIMEOUT;
    case EMFILE:
    case ENFILE:
        return WHY_NO_DESCRIPTOR;
    case ENOMEM:
    case ENOBUFS:
        return WHY_NO_MEMORY;
    case EADDRNOTAVAIL:
        return WHY_NO_PORT;
    default:
        return WHY_CONNECT_FAILED;
    }
}
