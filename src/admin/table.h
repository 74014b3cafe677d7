#ifndef ADMIN_TABLE_H
#define ADMIN_TABLE_H

#include "admin/census.h"

/* The table of nginx_tcp_proxy_module: its eight columns in its order, for those who scrape it. */

void table_build_html(struct builder *out, const struct census *census);
void table_build_csv(struct builder *out, const struct census *census);
void table_build_json(struct builder *out, const struct census *census);

#endif
