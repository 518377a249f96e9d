/* A pointer to a function, a table of them, and a function that the C library calls back. */
#include <stdio.h>
#include <stdlib.h>

static int add(int a, int b) { return a + b; }

static int subtract(int a, int b) { return a - b; }

static int ascending(const void *left, const void *right) {
    int a = *(const int *)left, b = *(const int *)right;
    return (a > b) - (a < b);
}

int main(void) {
    int (*operation)(int, int) = add;
    int (*table[2])(int, int) = {add, subtract};
    int sum = operation(2, 3);
    operation = table[1];
    int difference = operation(2, 3);
    int numbers[3] = {3, 1, 2};
    qsort(numbers, 3, sizeof numbers[0], ascending);
    printf("%d %d %d\n", sum, difference, numbers[0]);
    return 0;
}
