#ifndef MAIN_DOOR_H
#define MAIN_DOOR_H

#include "base/str.h"

/* The name of the program in whose language a configuration is written, when it plainly is one that hawser does
 * not read: "HAProxy", "Caddy", ... NULL when it may be nginx's. */
const char *door_of(struct str path, struct str contents);

#endif
