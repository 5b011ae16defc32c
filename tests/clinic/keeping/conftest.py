"""Pictures, sent as a person sends them."""

from tests.clinic.cases.conftest import SendPicture, actor, send, visit

__all__ = ["SendPicture", "actor", "send", "visit"]
