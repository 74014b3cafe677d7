#ifndef MAIN_BOOT_H
#define MAIN_BOOT_H

#include "main/options.h"
#include "model/model.h"

/* From the command line to a model and what is to be said of it. */

/* Reads what the options name, a file or the URLs themselves, and adds what can be said of the whole. NULL
 * without memory or for a file in another language; fit for use when diagnostics->errors is 0. */
struct model *boot_read(const struct options *options, struct diagnostics *diagnostics);
/* How many loops a model asks for: as said, or one for each core this process may use. */
unsigned boot_loops(const struct model *model);
/* Raises the limit of descriptors as far as the model and the system want. The limit then, and a warning in
 * diagnostics when it is below what worker_connections asks for. */
int boot_descriptors(const struct model *model, struct diagnostics *diagnostics);

/* -t and -T: reads, resolves and verifies, and says so. The exit code. */
int boot_test(const struct options *options);

/* The one-liner's status page gives way where nobody asked for it and its port is taken, and says so. */
void boot_settle_status(struct options *options);

#endif
