/* The whole file, for what is its own: how lines of a file of users are read. */
#include "proxy/guard/basic.c"

#include "fuzz.h"
#include "net/password.h"

#include <openssl/evp.h>

/* Passwords: what a client gives, and a file of users that it is looked for in. The input is the user, a line
 * end, the password, a line end, and the file. */

static void check_base64(struct str text) {
    struct builder out = builder_make(mem_alloc(text.len), text.len);
    unsigned char *wanted = mem_alloc(text.len + 4), *padded = mem_alloc(text.len + 4);
    bool is_right = base64_decode(&out, text);
    size_t letters = text.len, len;
    for (int i = 0; i < 2 && letters && text.ptr[letters - 1] == '='; i++)
        letters--;
    for (len = 0; len < letters; len++)
        padded[len] = (unsigned char)text.ptr[len];
    for (; len % 4; len++)
        padded[len] = '=';
    bool has_blank = false;
    for (size_t i = 0; i < letters; i++)
        has_blank |=
            strchr(" \t\r\n\v\f-=", text.ptr[i]) != NULL; /* OpenSSL's reader passes them over, or ends */
    int got = has_blank || letters % 4 == 1 ? -1 : EVP_DecodeBlock(wanted, padded, (int)len);
    FUZZ_CHECK(is_right == (got >= 0));
    if (is_right)
        FUZZ_CHECK(out.len == (size_t)got - (len - letters) && memcmp(out.ptr, wanted, out.len) == 0);
    mem_free(out.ptr);
    mem_free(wanted);
    mem_free(padded);
}

/* The first line of that user's counts. */
static struct str reference(struct str file, struct str user) {
    for (struct str line; str_split(&file, '\n', &line);) {
        if (!str_starts(line, user) || line.len <= user.len || line.ptr[user.len] != ':' ||
            line.ptr[0] == '#' || str_find_char(user, ':') != STR_NONE)
            continue;
        struct str hash = str_from(line, user.len + 1);
        size_t end = 0;
        while (end < hash.len && hash.ptr[end] != ':' && hash.ptr[end] != '\r')
            end++;
        if (end <= HASH_MAX)
            return str_head(hash, end);
    }
    return (struct str){NULL, 0};
}

static void check_stored(struct str stored, struct str given) {
    if (str_starts(stored, STR("{PLAIN}")))
        FUZZ_CHECK(password_is_right(stored, given) == str_eq(str_from(stored, 7), given));
    else if (str_starts(stored, STR("{")) || str_starts(stored, STR("$apr1$")))
        password_is_right(stored, given); /* crypt(3)'s own are another's, and slow */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct search search;
    struct str copy = fuzz_copy(str_make((const char *)data, size)), rest = copy, user = STR(""),
               password = STR(""), line;
    str_split(&rest, '\n', &user);
    str_split(&rest, '\n', &password);
    check_base64(password);
    struct str wanted = reference(rest, user), file = rest;
    search = (struct search){.user = user};
    while (!search.is_found && str_split(&rest, '\n', &line))
        line_look(&search, line);
    FUZZ_CHECK(search.is_found == (wanted.ptr != NULL));
    if (search.is_found) {
        struct str stored = fuzz_copy(str_make(search.hash, search.hash_len));
        FUZZ_CHECK(str_eq(stored, wanted));
        check_stored(stored, password);
        fuzz_drop(stored);
    }
    check_stored(file, password);
    fuzz_drop(copy);
    return 0;
}
