/* An array of structs is one block; a struct is copied when it is assigned. */
#include <stdio.h>

struct point {
    int x, y;
};

struct line {
    struct point from, to;
    char name[8];
};

int main(void) {
    struct point points[3] = {{1, 2}, {3, 4}, {5, 6}};
    struct point *second = &points[1];
    struct point copy = *second;
    second->x = 30;
    copy.y = 40;
    struct line line = {points[0], copy, "edge"};
    printf("%d %d %s\n", points[1].x, line.to.y, line.name);
    return 0;
}
