#include "scene.h"

/* All scenes, in one program: the engine is linked once. */
int main(void) {
    int failed = scenes_of_states() + scenes_of_timeouts() + scenes_of_endings() + scenes_of_tunnels() +
                 scenes_of_framing() + scenes_of_sessions() + scenes_of_shortage() + scenes_of_guard() +
                 scenes_of_upstreams() + scenes_of_streams() + scenes_of_logs();
    world_end();
    return failed ? 1 : 0;
}
