/* Three places for a text: the program itself, a frame, the heap. A text that grows may move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    const char *fixed = "apple";
    char local[16] = "apple";
    char *grown = malloc(6);
    strcpy(grown, fixed);
    local[0] = 'A';
    grown = realloc(grown, 4000);
    strcat(grown, "sauce");
    char *copy = strdup(grown);
    printf("%s %s %s %s\n", fixed, local, grown, copy);
    free(grown);
    free(copy);
    return 0;
}
