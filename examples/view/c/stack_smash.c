/* A text that is too long runs over its neighbour, and then over where the function returns to. */
#include <string.h>

static void greet(const char *name) {
    int checked = 1;
    char copy[8];
    strcpy(copy, "short");
    strcpy(copy, "eight+four:.");
    strcpy(copy, name);
    checked = checked + 1;
}

int main(void) {
    greet("a name that is much too long for eight bytes");
    return 0;
}
