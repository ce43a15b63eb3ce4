"""The OpenAPI document, made of the same operations that answer."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ansam.web.models import ErrorAnswer
from ansam.web.operations import Operation

_REF = "#/components/schemas/{model}"
_SAFE = ("GET", "HEAD")

_MEANINGS = {
    400: "What was sent is wrong",
    401: "Log in first",
    403: "The role does not reach, X-CSRF-Token is missing, or another site asks",
    404: "There is no such thing",
    409: "It contradicts what is there",
    408: "It came too slowly",
    413: "It is too large",
    415: "It is of another kind",
    421: "The server has another name",
    429: "Too often; Retry-After says when",
    503: "Not now",
}


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Return the document.

    Args:
        operations: All routes.
        version: Of ansam.
    """
    models = {m for one in operations for m in (one.answer, one.body, one.query, ErrorAnswer) if m}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(m, _mode(m, operations)) for m in ordered], ref_template=_REF)
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ansam",
            "version": version,
            "description": "A whole dial-up network in software. WebSockets: docs/spec/web-api.md.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "ansam_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
                "metrics": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _mode(model: type[BaseModel], operations: Sequence[Operation]) -> Any:
    sent = model is ErrorAnswer or any(one.answer is model for one in operations)
    return "serialization" if sent else "validation"


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _identity(one),
        "summary": one.summary,
        "responses": _responses(one),
    }
    parameters = [_path_parameter(one, name) for name in re.findall(r"\{(\w+)", one.path)] + _query(one)
    if parameters:
        described["parameters"] = parameters
    if one.body is not None:
        schema = {"$ref": _REF.format(model=one.body.__name__)}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if one.upload:
        described["requestBody"] = {"required": True, "content": {kind: {} for kind in one.upload}}
    if one.role is not None:
        described["x-role"] = one.role.value
        described["security"] = [{"session": []} if one.method in _SAFE else {"session": [], "csrf": []}]
        if one.path == "/metrics":
            described["security"].append({"metrics": []})
    return described


def _responses(one: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done"}
    if one.answer is not None:
        schema = {"$ref": _REF.format(model=one.answer.__name__)}
        success["content"] = {"application/json": {"schema": schema}}
    elif one.media:
        success["content"] = {one.media: {}}
    responses = {str(one.status): success}
    statuses = {400, 421} | ({401, 403} if one.role is not None else set()) | set(one.errors)
    if one.method not in _SAFE:
        statuses |= {403, 503}
    if one.body is not None:
        statuses |= {413, 415}
    error = {"application/json": {"schema": {"$ref": _REF.format(model="ErrorAnswer")}}}
    for status in sorted(statuses):
        text = one.errors.get(status) or _MEANINGS[status]
        responses[str(status)] = {"description": text, "content": error}
    return responses


def _path_parameter(one: Operation, name: str) -> dict[str, Any]:
    pattern = one.parameters.get(name, "^[A-Za-z0-9_.-]{1,64}$")
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema()
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _plain(described)}
        for name, described in schema["properties"].items()
    ]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema without null: what stands in a URL is always something."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    plain = choices[0] if choices else schema
    return {
        key: value for key, value in plain.items() if key not in ("title", "default") or value is not None
    }


def _identity(one: Operation) -> str:
    words = re.findall(r"\w+", one.path.removeprefix("/api")) or ["page"]
    return "_".join([one.method.lower(), *(word.replace(".", "_") for word in words)])
