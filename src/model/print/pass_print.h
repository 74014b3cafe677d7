#ifndef MODEL_PRINT_PASS_PRINT_H
#define MODEL_PRINT_PASS_PRINT_H

#include "base/builder.h"
#include "model/pass.h"

/* The lines of what differs from `usual`. */
void pass_print_rates(struct builder *out, unsigned depth, const struct template *rate,
                      const struct template *after);
void pass_print_body(struct builder *out, unsigned depth, const struct body_policy *body,
                     const struct body_policy *usual);
void pass_print_policy(struct builder *out, unsigned depth, const struct proxy_policy *policy,
                       const struct proxy_policy *usual);

#endif
