#include "net/tls/tls_error.h"

#include <openssl/err.h>

void tls_error_build(struct builder *out) {
    unsigned long code;
    const char *data;
    int flags;
    bool has_any = false;
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags))) {
        char text[256];
        ERR_error_string_n(code, text, sizeof text);
        builder_str(out, has_any ? STR(" ") : STR(" (SSL: "));
        builder_str(out, str_of(text));
        if ((flags & ERR_TXT_STRING) && *data) {
            builder_char(out, ':');
            builder_str(out, str_of(data));
        }
        has_any = true;
    }
    if (has_any)
        builder_char(out, ')');
}
