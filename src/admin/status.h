#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include "proxy/exchange.h"

/* Routes that tell of the program itself: check_status, metrics, status_api. What main gives the engines. */

/* engine_setup.report: prepares the answer. engine_setup.report_context is a struct history, one for all loops.
 */
void status_serve(struct exchange *x);
/* engine_setup.tick: keeps the past. */
void status_tick(struct engine *engine);

#endif
