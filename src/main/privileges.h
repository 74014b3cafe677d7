#ifndef MAIN_PRIVILEGES_H
#define MAIN_PRIVILEGES_H

#include "model/model.h"

#include <pthread.h>

/* What a configuration says of the process itself: its user, priority, limits, directory and environment. */

/* Verifies what can only be verified here: that user and group are known, and that the directories for
 * temporary files are there, which are made and given to the user. */
void privileges_check(const struct model *model, struct diagnostics *diagnostics);
/* Puts it in force, before the threads are there: the last thing that is done as root. Listening on low ports
 * stays allowed, for reloads. False when it failed, which is said. */
bool privileges_apply(const struct model *model, struct diagnostics *diagnostics);
/* Binds the thread of loop `index` to the processors that are its own. A failure is only logged. */
void privileges_bind(const struct model *model, const struct log *log, unsigned index, pthread_t thread);

#endif
