/* A tree is deleted from its leaves up: children first, since a freed node cannot say who they are. */
#include <stdlib.h>

struct tree {
    int key;
    struct tree *left, *right;
};

static struct tree *leaf(int key) {
    struct tree *tree = calloc(1, sizeof *tree);
    tree->key = key;
    return tree;
}

static void delete(struct tree *tree) {
    if (tree == NULL)
        return;
    delete(tree->left);
    delete(tree->right);
    free(tree);
}

int main(void) {
    struct tree *root = leaf(2);
    root->left = leaf(1);
    root->right = leaf(4);
    root->right->left = leaf(3);
    delete(root->left);
    root->left = NULL;
    delete(root);
    root = NULL;
    return 0;
}
