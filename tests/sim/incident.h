#ifndef SIM_INCIDENT_H
#define SIM_INCIDENT_H

#include "setting.h"

/* What befalls a world besides its weather: nodes that die, hang and come back, memory that is out for a while,
 * descriptors that run out, reloads. */
void incident_plan(struct setting *setting);
/* No more faults from now on: nodes are up, memory and descriptors are there. */
void incident_heal(void);

#endif
