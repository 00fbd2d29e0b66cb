/* SPDX-License-Identifier: Apache-2.0 */
#include "clibc.h"

static int argument_count;
static char **arguments;

/* glibc passes (argc, argv, envp) to each entry of .init_array, in static
 * programs too. */
__attribute__((constructor)) static void remember_arguments(int argc,
                                                            char **argv) {
    argument_count = argc;
    arguments = argv;
}

int clibc_argument_count(void) { return argument_count; }
char **clibc_arguments(void) { return arguments; }
