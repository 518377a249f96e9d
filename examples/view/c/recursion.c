/* Each call has a frame with variables of its own; the pointer says where the rest of the array is. */
#include <stdio.h>

static int sum(const int *items, int count) {
    if (count == 0)
        return 0;
    int rest = sum(items + 1, count - 1);
    return items[0] + rest;
}

int main(void) {
    int items[4] = {1, 2, 3, 4};
    printf("%d\n", sum(items, 4));
    return 0;
}
