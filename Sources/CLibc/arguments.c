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

void clibc_argument_hide(const char *argument, const char *shown) {
    size_t bytes = strlen(argument);
    for (int i = 0; i < argument_count; i++) {
        size_t all = strlen(arguments[i]);
        if (all < bytes || strcmp(arguments[i] + all - bytes, argument) != 0)
            continue;
        strncpy(arguments[i] + all - bytes, shown, bytes);
    }
}

int clibc_argument_count(void) { return argument_count; }
char **clibc_arguments(void) { return arguments; }
