/* Two pointers to one block, and both of them free it. */
#include <stdlib.h>

int main(void) {
    int *numbers = malloc(4 * sizeof *numbers);
    int *same = numbers;
    numbers[0] = 1;
    free(numbers);
    free(same);
    return 0;
}
