// Opens libraries: `plugins deepbind|many LIBRARY…`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int use(const char *path, int flags, int close) {
    void *library = dlopen(path, flags);
    if (!library) return 1;
    void *(*allocate)(size_t) = dlsym(library, "allocate");
    void (*release)(void *) = dlsym(library, "release");
    for (int i = 0; i < 1000; i++) {
        // Freed by whom it was not allocated by.
        free(allocate(i));
        release(malloc(i));
        release(allocate(i));
    }
    return close ? dlclose(library) : 0;
}

int main(int argc, char **argv) {
    if (strcmp(argv[1], "deepbind") == 0) return use(argv[2], RTLD_NOW | RTLD_DEEPBIND, 1);
    for (int i = 2; i < argc; i++)
        if (use(argv[i], RTLD_NOW, i % 2)) return i;
    return 0;
}
