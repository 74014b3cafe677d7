#include "codec/client_hello.h"
#include "fuzz.h"

/* What a connection begins with: its verdict is the same however it is cut, and what is read stays within it.
 */

static void check_parts(struct str bytes, enum codec_result result, const struct client_hello *hello) {
    struct client_hello part;
    for (unsigned turn = 0; turn < 8; turn++) {
        struct str cut = fuzz_copy(str_head(bytes, fuzz_cut(bytes, turn)));
        enum codec_result sooner = client_hello_read(&part, cut);
        /* What is known of a part is true of the whole. */
        FUZZ_CHECK(sooner == CODEC_MORE || sooner == result);
        if (sooner == CODEC_DONE)
            FUZZ_CHECK(part.version == hello->version && part.name_len == hello->name_len &&
                       part.alpn_len == hello->alpn_len &&
                       memcmp(part.name, hello->name, hello->name_len) == 0 &&
                       memcmp(part.alpn, hello->alpn, hello->alpn_len) == 0);
        fuzz_drop(cut);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = fuzz_copy(str_make((const char *)data, size));
    struct client_hello hello;
    enum codec_result result = client_hello_read(&hello, bytes);
    FUZZ_CHECK(hello.name_len <= CLIENT_HELLO_NAME_MAX && hello.alpn_len <= CLIENT_HELLO_ALPN_MAX);
    FUZZ_CHECK((size_t)hello.name_len + hello.alpn_len <= size + 1);
    if (result == CODEC_DONE)
        FUZZ_CHECK(client_hello_version(hello.version));
    check_parts(bytes, result, &hello);
    fuzz_drop(bytes);
    return 0;
}
