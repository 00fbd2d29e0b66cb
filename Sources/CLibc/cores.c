/* SPDX-License-Identifier: Apache-2.0 */
#include "clibc.h"

#include <sched.h>

int clibc_may_use_core(int core) {
    cpu_set_t allowed;
    return core >= 0 && core < CPU_SETSIZE &&
           sched_getaffinity(0, sizeof allowed, &allowed) == 0 &&
           CPU_ISSET(core, &allowed);
}

int clibc_core_count(void) {
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0
               ? CPU_COUNT(&allowed)
               : (int)sysconf(_SC_NPROCESSORS_ONLN);
}
