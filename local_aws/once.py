"""Work that moto and its libraries repeat although the result is the same: done once, or when it is first needed."""

from functools import cache
from types import ModuleType
from typing import Any

import moto.core.responses
import xmltodict
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.sns.models import Subscription

from .interfaces import Patchable


def install(server: Patchable) -> None:
    """Check names of XML elements and list a class's methods once, make one key that signs, load EC2's images when asked for."""
    server.replace(xmltodict, "_validate_name", cache(vars(xmltodict)["_validate_name"]))
    # The methods of a service's class, searched at each request.
    responses: Any = moto.core.responses
    server.replace(responses, "method_names_from_class", cache(responses.method_names_from_class))
    # Moto makes a key for each subscription, in up to a second; the certificate that it signs with it is new in each message.
    server.replace(Subscription, "private_key", lambda _: _signing_key())
    server.when_imported("moto.ec2.models.amis", lambda module: _load_images_late(server, module))


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _load_images_late(server: Patchable, module: ModuleType) -> None:
    """Make the volumes and snapshots of EC2's public images at the first request for images, not in every account and region."""
    backend = module.AmiBackend
    load, describe = backend._load_amis, backend.describe_images

    def describe_loaded(self: Any, *arguments: Any, **more: Any) -> Any:
        if not self.__dict__.setdefault("images_are_loaded", False):
            self.images_are_loaded = True
            load(self)
        return describe(self, *arguments, **more)

    server.replace(backend, "_load_amis", lambda _: None)
    server.replace(backend, "describe_images", describe_loaded)
