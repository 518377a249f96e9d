/* Three leaks: a pointer overwritten, a pointer gone with its frame, and what a lost block held. */
#include <stdlib.h>

struct box {
    int *content;
};

static void forget(void) {
    int *numbers = malloc(3 * sizeof *numbers);
    numbers[0] = 1;
}

int main(void) {
    char *text = malloc(10);
    text = NULL;
    forget();
    struct box *box = malloc(sizeof *box);
    box->content = malloc(20);
    box = NULL;
    return text == NULL && box == NULL ? 0 : 1;
}
