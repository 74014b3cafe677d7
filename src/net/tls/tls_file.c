#include "net/tls/tls_file.h"

#include "base/mem.h"
#include "net/tls/tls_error.h"

#include <openssl/bio.h>

enum { SMALL_FILE_MAX = 1 << 20 };

struct str tls_file_shown(struct str path) {
    return str_starts(path, STR("data:")) ? STR("data:") : str_head(path, 256);
}

bool tls_file_fail(struct builder *error, const char *what, struct str path, const char *call) {
    builder_format(error, "cannot load %s \"%.*s\": %s failed", what, STR_ARG(tls_file_shown(path)), call);
    tls_error_build(error);
    return false;
}

BIO *tls_file_open(struct str path, const char *what, struct builder *error) {
    if (str_starts(path, STR("data:"))) {
        BIO *bio = BIO_new_mem_buf(path.ptr + 5, (int)(path.len - 5));
        if (!bio)
            tls_file_fail(error, what, path, "BIO_new_mem_buf()");
        return bio;
    }
    char name[4096];
    struct builder text = builder_make(name, sizeof name - 1);
    builder_str(&text, path);
    name[text.len] = '\0';
    BIO *bio = text.overflow ? NULL : BIO_new_file(name, "r");
    if (!bio)
        tls_file_fail(error, what, path, "BIO_new_file()");
    return bio;
}

struct str tls_file_read(struct str path, struct builder *error) {
    struct str none = {NULL, 0};
    BIO *bio = tls_file_open(path, "file", error);
    char *bytes = bio ? mem_alloc(SMALL_FILE_MAX) : NULL;
    size_t len = 0;
    for (int got = 1; bytes && got > 0 && len<SMALL_FILE_MAX; len += got> 0 ? (size_t)got : 0)
        got = BIO_read(bio, bytes + len, (int)(SMALL_FILE_MAX - len));
    BIO_free(bio);
    if (!bytes)
        return none;
    char *fitting = mem_resize(bytes, len ? len : 1);
    return str_make(fitting ? fitting : bytes, len);
}
