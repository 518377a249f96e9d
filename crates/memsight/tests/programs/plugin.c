// A library that is opened by `plugins`.
#include <stdlib.h>
void *allocate(size_t bytes) { return malloc(bytes); }
void release(void *block) { free(block); }
