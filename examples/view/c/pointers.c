/* A chain of pointers: each is a variable with an address of its own. */
#include <stdio.h>

static int counter = 10;

static void swap(int *left, int *right) {
    int kept = *left;
    *left = *right;
    *right = kept;
}

int main(void) {
    int value = 1;
    int *pointer = &value;
    int **chain = &pointer;
    **chain = 2;
    *chain = &counter;
    *pointer += 1;
    swap(&value, &counter);
    int *nothing = NULL;
    int *unset;
    printf("%d %d %d\n", value, counter, nothing == NULL);
    unset = pointer;
    return *unset == 2 ? 0 : 1;
}
