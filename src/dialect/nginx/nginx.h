#ifndef DIALECT_NGINX_NGINX_H
#define DIALECT_NGINX_NGINX_H

#include "dialect/nginx/source.h"
#include "model/model.h"

/* nginx's language into a model. */

/* Reads the file and all it includes. Always gives a model (what could be understood), NULL only without
 * memory; it is fit for use when diagnostics->errors is 0. */
struct model *nginx_read(const struct nginx_source *source, struct diagnostics *diagnostics);

#endif
