# SPDX-License-Identifier: GPL-2.0-or-later
"""Which schema belongs to a document of the program, and whether it is valid."""
import json
import os
import re

from jsonschema import Draft202012Validator

try:  # from jsonschema 4.18 on
    from referencing import Registry, Resource
except ImportError:
    from jsonschema import RefResolver
    Registry = None

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")


def make_validator(schemas):
    """A function of a schema; they refer to each other by their $id."""
    if Registry is None:
        store = {schema["$id"]: schema for schema in schemas}
        return lambda schema: Draft202012Validator(
            schema, resolver=RefResolver(schema["$id"], schema, store))
    registry = Registry().with_resources((schema["$id"], Resource.from_contents(schema))
                                         for schema in schemas)
    return lambda schema: Draft202012Validator(schema, registry=registry)


def load(folder=SCHEMAS):
    """Validators by file name."""
    schemas = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            schemas[name] = json.load(f)
            Draft202012Validator.check_schema(schemas[name])
    validator = make_validator(schemas.values())
    return {name: validator(schema) for name, schema in schemas.items()}


def schema_of(document):
    """"undo --list" is of undo-list.json."""
    command = document.get("command")
    return "failure.json" if command is None else re.sub("[ -]+", "-", command) + ".json"


def violations(validators, name, value):
    """What is wrong with @value, in words."""
    if name not in validators:
        return [f"there is no schema {name}"]
    return [f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validators[name].iter_errors(value)]
