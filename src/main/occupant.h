#ifndef MAIN_OCCUPANT_H
#define MAIN_OCCUPANT_H

#include "base/builder.h"

#include <stdint.h>

/* Who listens on a TCP port of this machine: appends "NAME (pid N)" as far as the kernel lets us see it. False,
 * and nothing appended, when that cannot be told. */
bool occupant_build(struct builder *out, uint16_t port);

#endif
