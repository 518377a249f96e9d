"""A module's dict that only grows."""

SESSIONS = {}


class Session:
    def __init__(self, user):
        self.user = user
        self.rows = list(range(1_000, 3_000))


def log_in(user):
    SESSIONS[user] = Session(user)


for number in range(100):
    log_in(f"user {number}")
