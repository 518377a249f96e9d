/* A union is one place with several names; an enum says which of them counts. */
#include <stdio.h>

enum kind { NUMBER, FRACTION, TEXT };

struct value {
    enum kind kind;
    union {
        int number;
        float fraction;
        char text[4];
    } as;
};

int main(void) {
    struct value value;
    value.kind = NUMBER;
    value.as.number = 1078530011;
    value.kind = FRACTION;
    value.as.fraction = 1.5f;
    value.kind = TEXT;
    value.as.text[0] = 'h';
    value.as.text[1] = 'i';
    value.as.text[2] = '\0';
    printf("%s\n", value.as.text);
    return 0;
}
