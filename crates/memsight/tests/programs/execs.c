// Becomes itself by one of the exec functions: `execs FUNCTION`. Then prints
// its arguments and what it sees of the recorder's variables.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;
void *volatile kept;

int main(int argc, char **argv) {
    if (argc == 3) {
        const char *preload = getenv("LD_PRELOAD"), *capture = getenv("MEMSIGHT_CAPTURE");
        kept = malloc(2000000);
        printf("%s %s %s %s\n", argv[1], argv[2], preload ? preload : "-", capture ? capture : "-");
        return 0;
    }
    char self[4096] = {0}, *arguments[] = {argv[0], "one", "two", NULL};
    const char *way = argv[1];
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
    kept = malloc(1000000);
    if (!strcmp(way, "execl")) execl(self, argv[0], "one", "two", NULL);
    if (!strcmp(way, "execle")) execle(self, argv[0], "one", "two", NULL, environ);
    if (!strcmp(way, "execlp")) execlp(self, argv[0], "one", "two", NULL);
    if (!strcmp(way, "execv")) execv(self, arguments);
    if (!strcmp(way, "execve")) execve(self, arguments, environ);
    if (!strcmp(way, "execvp")) execvp(self, arguments);
    if (!strcmp(way, "execvpe")) execvpe(self, arguments, environ);
    if (!strcmp(way, "fexecve")) fexecve(open(self, O_RDONLY), arguments, environ);
    return 99;
}
