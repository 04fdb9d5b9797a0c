"""Stores that do not answer: which errors pass by themselves, and what the user is told of those that do not."""

from __future__ import annotations

from hyperbudget.errors import UserError
from hyperbudget.study.folder import masked

REFUSALS = {
    "BAD_REQUEST", "INVALID_PARAMETER_VALUE", "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE",
    "PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED",
}  # fmt: skip
"""What MLflow calls an error that comes back however often the same is asked."""


ALLOWED_HOSTS = "the server wants to know its own name: mlflow server --allowed-hosts 'HOST:*'"


def passes(error: BaseException) -> bool:
    """Whether `error` may be gone when the same is tried again: a store that is down, busy or restarted."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    if isinstance(error, MlflowException):
        cause = error.__cause__
        if isinstance(cause, SQLAlchemyError):  # MLflow calls most of these a bad request
            return passes(cause)
        return error.error_code not in REFUSALS
    if isinstance(error, SQLAlchemyError):
        lost = isinstance(error, DatabaseError) and error.connection_invalidated
        return lost or isinstance(error, OperationalError | InterfaceError | PoolTimeout)
    return isinstance(error, OSError)  # also all of HTTP's; a disk may be full for a while


def from_store(error: BaseException) -> bool:
    """Whether `error` is MLflow's, its database's, or the network's on the way there."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, MlflowException | SQLAlchemyError | OSError)


def words(error: BaseException) -> str:
    """What `error` says, on one line, without passwords; and what to do about MLflow's refusal to be called by name."""
    said = masked(" ".join(str(error).split()))[:300]
    return f"{said}; {ALLOWED_HOSTS}" if "Invalid Host header" in said else said


def failed(place: str, error: BaseException) -> UserError:
    """What to tell the user when the store or the file `place` gave up in the middle of a study."""
    of_place = isinstance(error, OSError) and str(error.filename) == place
    said = getattr(error, "strerror", None) if of_place else words(error)  # not its name twice
    return UserError(f"{place} failed: {said}\nnothing is lost: mend it and give the same command again")
