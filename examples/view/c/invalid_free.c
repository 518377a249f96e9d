/* Only what malloc gave can be freed, and only by its beginning. */
#include <stdlib.h>

int main(void) {
    char *text = malloc(12);
    text[0] = 'a';
    text += 1;
    free(text);
    return 0;
}
