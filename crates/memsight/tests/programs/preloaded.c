// A library that a user preloads: it leaves a mark in the environment.
#include <stdlib.h>
__attribute__((constructor)) static void begin(void) { setenv("PRELOADED", "yes", 1); }
