// Closes every descriptor, then has files of its own: `descriptors FILE run|skip`.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    for (int descriptor = 0; descriptor < 1024; descriptor++) close(descriptor);
    syscall(SYS_close_range, 0u, ~0u, 0u);
    for (int i = 0; i < 10; i++)
        if (open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600) != i) return 1;
    int really = strcmp(argv[2], "skip") != 0;
    for (int i = 0; i < 100000; i++) {
        if (i % 10000 == 0 && write(i / 10000, "mine\n", 5) != 5) return 2;
        if (really) free(malloc(i % 100));
    }
    return 0;
}
