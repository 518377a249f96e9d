"""A logging handler that keeps each record, with the arguments of the call."""
import logging


class Keep(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


logger = logging.getLogger("app")
logger.addHandler(Keep())
for number in range(100):
    logger.warning("request %d: %s", number, bytearray(20_000))
