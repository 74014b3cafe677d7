#include "codec/h1_field.h"

#include "codec/h1_grammar.h"

/* The known names are found by one look into a table and one comparison. A slot follows from the length, the
 * middle letter and the last one; two names on one slot do not compile (-Woverride-init): then other factors
 * are to be searched for that part all names. */

enum { SLOTS = 256 };
#define SLOT_OF(len, middle, last) (((len) + 5 * ((middle)&31) + 239 * ((last)&31)) & (SLOTS - 1))
#define SLOT(len, middle, last, id) [SLOT_OF(len, middle, last)] = (id)

static const uint8_t id_at[SLOTS] = {
    SLOT(15, 'e', 'g', H1_ACCEPT_ENCODING),
    SLOT(13, '-', 's', H1_ACCEPT_RANGES),
    SLOT(13, 'i', 'n', H1_AUTHORIZATION),
    SLOT(13, 'c', 'l', H1_CACHE_CONTROL),
    SLOT(10, 'c', 'n', H1_CONNECTION),
    SLOT(16, 'e', 'g', H1_CONTENT_ENCODING),
    SLOT(14, '-', 'h', H1_CONTENT_LENGTH),
    SLOT(13, 't', 'e', H1_CONTENT_RANGE),
    SLOT(12, 't', 'e', H1_CONTENT_TYPE),
    SLOT(6, 'k', 'e', H1_COOKIE),
    SLOT(4, 't', 'e', H1_DATE),
    SLOT(4, 'a', 'g', H1_ETAG),
    SLOT(6, 'e', 't', H1_EXPECT),
    SLOT(7, 'i', 's', H1_EXPIRES),
    SLOT(4, 's', 't', H1_HOST),
    SLOT(8, 'a', 'h', H1_IF_MATCH),
    SLOT(17, 'i', 'e', H1_IF_MODIFIED_SINCE),
    SLOT(13, 'e', 'h', H1_IF_NONE_MATCH),
    SLOT(8, 'a', 'e', H1_IF_RANGE),
    SLOT(19, 'f', 'e', H1_IF_UNMODIFIED_SINCE),
    SLOT(10, 'a', 'e', H1_KEEP_ALIVE),
    SLOT(13, 'o', 'd', H1_LAST_MODIFIED),
    SLOT(8, 't', 'n', H1_LOCATION),
    SLOT(6, 'g', 'n', H1_ORIGIN),
    SLOT(18, 'h', 'e', H1_PROXY_AUTHENTICATE),
    SLOT(19, 'h', 'n', H1_PROXY_AUTHORIZATION),
    SLOT(16, 'n', 'n', H1_PROXY_CONNECTION),
    SLOT(5, 'n', 'e', H1_RANGE),
    SLOT(7, 'e', 'r', H1_REFERER),
    SLOT(20, 'k', 't', H1_SEC_WEBSOCKET_ACCEPT),
    SLOT(24, 't', 's', H1_SEC_WEBSOCKET_EXTENSIONS),
    SLOT(17, 'o', 'y', H1_SEC_WEBSOCKET_KEY),
    SLOT(22, 'e', 'l', H1_SEC_WEBSOCKET_PROTOCOL),
    SLOT(21, 'k', 'n', H1_SEC_WEBSOCKET_VERSION),
    SLOT(6, 'v', 'r', H1_SERVER),
    SLOT(10, 'o', 'e', H1_SET_COOKIE),
    SLOT(2, 'e', 'e', H1_TE),
    SLOT(7, 'i', 'r', H1_TRAILER),
    SLOT(17, '-', 'g', H1_TRANSFER_ENCODING),
    SLOT(7, 'r', 'e', H1_UPGRADE),
    SLOT(10, 'a', 't', H1_USER_AGENT),
    SLOT(4, 'r', 'y', H1_VARY),
    SLOT(3, 'i', 'a', H1_VIA),
    SLOT(17, 'b', 'g', H1_X_ACCEL_BUFFERING),
    SLOT(18, 'i', 'e', H1_X_ACCEL_LIMIT_RATE),
    SLOT(16, 'r', 't', H1_X_ACCEL_REDIRECT),
    SLOT(15, 'r', 'r', H1_X_FORWARDED_FOR),
    SLOT(16, 'd', 't', H1_X_FORWARDED_HOST),
    SLOT(17, 'd', 'o', H1_X_FORWARDED_PROTO),
    SLOT(9, 'a', 'p', H1_X_REAL_IP),
};

static const struct str names[H1_FIELD_IDS] = {
#define H1_FIELD(id, name) [H1_##id] = {name, sizeof name - 1},
#include "codec/h1_field.def"
#undef H1_FIELD
};

static inline uint64_t folded_8(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word | UINT64_C(0x2020202020202020);
}

static inline uint32_t folded_4(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word | 0x20202020;
}

/* Are these `len` bytes the known name in any letter case? In a token, setting 0x20 makes a letter or '-' of a
 * known name only out of itself or its capital. The last step may overlap the one before. */
static inline bool is_name(const char *at, const char *name, size_t len) {
    if (len >= 8) {
        for (size_t i = 0; i + 8 < len; i += 8)
            if (folded_8(at + i) != folded_8(name + i))
                return false;
        return folded_8(at + len - 8) == folded_8(name + len - 8);
    }
    if (len >= 4)
        return folded_4(at) == folded_4(name) && folded_4(at + len - 4) == folded_4(name + len - 4);
    for (size_t i = 0; i < len; i++)
        if ((at[i] | 0x20) != name[i])
            return false;
    return true;
}

enum h1_field_id h1_known_find(const char *name, size_t len) {
    enum h1_field_id id =
        id_at[SLOT_OF((unsigned)len, (unsigned char)name[len / 2], (unsigned char)name[len - 1])];
    return names[id].len == len && is_name(name, names[id].ptr, len) ? id : H1_OTHER;
}

enum h1_field_id h1_field_find(struct str name) {
    return h1_is_token(name) ? h1_known_find(name.ptr, name.len) : H1_OTHER;
}
