/* A linked list loses a node twice: once with its memory, once without. */
#include <stdlib.h>

struct node {
    int value;
    struct node *next;
};

static struct node *push(struct node *next, int value) {
    struct node *node = malloc(sizeof *node);
    node->value = value;
    node->next = next;
    return node;
}

/* Takes out the node behind `before` and gives its memory back. */
static void delete_next(struct node *before) {
    struct node *gone = before->next;
    before->next = gone->next;
    free(gone);
}

int main(void) {
    struct node *list = push(push(push(push(NULL, 4), 3), 2), 1);
    delete_next(list);
    list->next = list->next->next; /* nothing leads to node 3 any more: it is lost */
    while (list != NULL) {
        struct node *next = list->next;
        free(list);
        list = next;
    }
    return 0;
}
