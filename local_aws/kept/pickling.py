"""The pickled form of the state of moto and of the embedded AWS.

Locks, events and threads have none: they are made again, unlocked and not running. Classes of resource types, which the
server makes from its tables, and objects that every start makes anew are written by their names, functions that moto
defines inside of others by their code.
"""

import importlib
import io
import marshal
import pickle
import threading
import types
import weakref
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from moto.core.common_models import CloudFormationModel
from moto.s3.models import FakeKey

from . import forget

_PRIVATE_KEYS = (rsa.RSAPrivateKey, dsa.DSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
_EMPTY = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
}


def dump(content: object, known: Mapping[str, object]) -> bytes:
    """`content` as bytes; `known`: objects that are written by their names."""
    buffer = io.BytesIO()
    _Pickler(buffer, known).dump(content)
    return buffer.getvalue()


def load(content: bytes, known: Mapping[str, object]) -> Any:
    """What `dump` wrote, with the `known` objects of this process."""
    return _Unpickler(io.BytesIO(content), known).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, known: Mapping[str, object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._names = {id(value): name for name, value in known.items()}

    def persistent_id(self, obj: Any) -> tuple[str, str] | None:
        if isinstance(obj, type) and issubclass(obj, CloudFormationModel) and "resource_type" in vars(obj):
            return "resource type", obj.cloudformation_type()
        name = self._names.get(id(obj))
        return ("known", name) if name else None

    def reducer_override(self, obj: Any) -> Any:
        if make := _EMPTY.get(type(obj)):
            return make, ()
        if isinstance(obj, threading.Thread):
            return forget(obj)
        if isinstance(obj, threading.Event):
            return _event, (obj.is_set(),)
        if isinstance(obj, weakref.WeakValueDictionary):
            return weakref.WeakValueDictionary, (), None, None, iter(list(obj.items()))
        if isinstance(obj, FakeKey):
            return _stored_object, (type(obj), _object_state(obj))
        if isinstance(obj, dict) and type(obj).__module__.startswith("moto."):
            return _empty_dict, (type(obj),), _dict_state(obj), None, None, _fill_dict
        if isinstance(obj, types.FunctionType) and "<locals>" in obj.__qualname__ and not obj.__closure__:
            return _function, (obj.__module__, obj.__qualname__, marshal.dumps(obj.__code__), obj.__defaults__)
        if isinstance(obj, _PRIVATE_KEYS):
            return _private_key, (_pem(obj),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: Mapping[str, object]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, pid: tuple[str, str]) -> Any:
        kind, name = pid
        if kind == "known":
            return self._known[name]
        # They take a second to import. Importing the responses installs the resource types of the embedded AWS.
        importlib.import_module("moto.cloudformation.responses")
        return importlib.import_module("moto.cloudformation.parsing").get_model_map()[name]


def _event(is_set: bool) -> threading.Event:
    event = threading.Event()
    if is_set:
        event.set()
    return event


def _object_state(key: Any) -> dict[str, Any]:
    """Moto's own way takes the object's lock, which another thread may have had when the process was forked."""
    buffer = key._value_buffer
    value = b"" if buffer.closed else buffer._file.getvalue()
    return {name: each for name, each in vars(key).items() if name not in ("_value_buffer", "lock")} | {"value": value}


def _stored_object(kind: Any, state: dict[str, Any]) -> Any:
    key = kind.__new__(kind)
    key.__setstate__(state)
    return key


def _empty_dict(kind: Any) -> Any:
    return kind.__new__(kind)


def _dict_state(content: Any) -> tuple[dict[Any, Any], Any, dict[str, Any]]:
    """What is in one of moto's dicts, whose own methods may show another content, or want other arguments."""
    return dict(dict.items(content)), getattr(content, "default_factory", None), vars(content)


def _fill_dict(content: Any, state: tuple[dict[Any, Any], Any, dict[str, Any]]) -> None:
    items, factory, attributes = state
    for key, value in items.items():
        dict.__setitem__(content, key, value)
    if factory is not None:
        content.default_factory = factory
    vars(content).update(attributes)


def _function(module: str, name: str, code: bytes, defaults: tuple[Any, ...] | None) -> types.FunctionType:
    made = types.FunctionType(marshal.loads(code), vars(importlib.import_module(module)), argdefs=defaults)  # noqa: S302 (our own)
    made.__qualname__ = name
    return made


def _private_key(pem: bytes) -> Any:
    return serialization.load_pem_private_key(pem, None)


def _pem(key: Any) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
