"""Client of samenloop: sends declarations over RabbitMQ, follows settlements and confirms payments over gRPC.

Everything is delivered at least once. `Declarations` and `Settlements` say with each method how a repetition is known.
"""

from .declarations import Declarations, NotTaken
from .settlements import Refused, Settlements, StreamBroken, credentials

__all__ = ["Declarations", "NotTaken", "Refused", "Settlements", "StreamBroken", "credentials"]
