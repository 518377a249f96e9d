/* A pointer outlives what it points to. */
#include <stdio.h>
#include <stdlib.h>

struct account {
    long balance;
    int owner;
};

int main(void) {
    struct account *account = malloc(sizeof *account);
    account->balance = 100;
    account->owner = 7;
    struct account *same = account;
    free(account);
    account = NULL;
    printf("owner %d\n", same->owner);
    return 0;
}
