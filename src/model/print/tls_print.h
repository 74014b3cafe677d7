#ifndef MODEL_PRINT_TLS_PRINT_H
#define MODEL_PRINT_TLS_PRINT_H

#include "model/model.h"

/* TLS in model_print's text: of a site, and of a route's passes, what differs from the defaults. */
void tls_print_site(struct builder *out, const struct tls_site *tls);
void tls_print_pass(struct builder *out, unsigned depth, const struct tls_pass *tls);

#endif
