// Allocates in ever new places and sizes for some seconds, so that its capture
// grows: `grower SECONDS`. Prints `done` and exits with 3.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    static void *slots[256];
    unsigned state = 1;
    double until = now() + atof(argv[1]);
    while (now() < until)
        for (int i = 0; i < 100; i++) {
            state = state * 1103515245 + 12345;
            void **slot = &slots[state >> 16 & 255];
            free(*slot);
            *slot = malloc(state >> 20);
        }
    return write(1, "done\n", 5) == 5 ? 3 : 4;
}
